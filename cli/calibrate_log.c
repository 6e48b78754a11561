/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/calibrate.h"

enum { MAX_BYTES = 64 << 20 };

typedef struct event {
    char tag[64];
    double ticks;
    bool micros;
} event;

static bool tag_at(const char *p, size_t *len)
{
    *len = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return *len > 0 && *len < sizeof((event *)0)->tag && isupper((unsigned char)*p);
}

/* One line without its end. false: no operator's event. */
static bool parse_line(const char *p, event *out)
{
    size_t len;
    char *end;
    while (*p == ' ' || *p == '\t') p++;
    bool csv = isdigit((unsigned char)*p);
    if (csv) {
        p += strspn(p, "0123456789");
        if (*p++ != ',') return false;
    }
    if (!tag_at(p, &len)) return false;
    memcpy(out->tag, p, len);
    out->tag[len] = 0;
    p += len;
    p += strspn(p, " ");
    if (csv ? *p != ',' : strncmp(p, "took", 4) != 0) return false;
    p += csv ? 1 : 4;
    p += strspn(p, " ");
    if (!isdigit((unsigned char)*p)) return false;
    out->ticks = strtod(p, &end);
    end += strspn(end, " ");
    out->micros = strncmp(end, "us", 2) == 0;
    return csv ? *end == 0 : out->micros || strncmp(end, "tick", 4) == 0;
}

static status find_scale(const calibrate_set *s, const event *v, const char *where, double *scale, err *e)
{
    *scale = v->micros ? hw_board_clock_hz(s->board) / 1e6 : s->cycles_per_tick;
    return *scale > 0 ? ST_OK : err_set(e, ST_ARG, where, "the log counts ticks, whose length it does not say: --cycles-per-tick N (clock / tick rate)");
}

/* Averages the complete runs in sum, [n_ops] */
static status finish(calibrate_set *s, const char *path, int model, const double *sum, int runs, err *e)
{
    const model_subgraph *g = &s->models[model]->subgraphs[0];
    if (!runs) return err_set(e, ST_FORMAT, path, "no complete run of the %d operators of %s", g->n_ops, s->model);
    for (int i = 0; i < g->n_ops; i++)
        if (sum[i] > 0) TRY(calibrate_add(s, model, i, sum[i] / runs, "", path, e));
    return ST_OK;
}

status calibrate_read_log(calibrate_set *s, const char *path, err *e)
{
    const uint8_t *bytes;
    size_t len;
    int model, at = 0, runs = 0, line = 0;
    if (!s->model) return err_set(e, ST_ARG, path, "a profiler log does not name its network: --model NET");
    TRY(file_read(path, MAX_BYTES, s->mem, &bytes, &len, e));
    TRY(calibrate_model(s, s->model, &model, e));
    const model_subgraph *g = &s->models[model]->subgraphs[0];
    double *run = arena_alloc(s->mem, (size_t)g->n_ops, sizeof *run), *sum = arena_alloc(s->mem, (size_t)g->n_ops, sizeof *sum);
    char *text = arena_strdup(s->mem, (const char *)bytes, len);
    if (!run || !sum || !text) return err_set(e, ST_NOMEM, path, "no memory");
    for (char *next; *text; text = next) {
        event v;
        double scale;
        char where[192];
        size_t n = strcspn(text, "\n");
        next = text + n + (text[n] == '\n');
        text[n] = 0;
        if (n && text[n - 1] == '\r') text[n - 1] = 0;
        line++;
        if (!parse_line(text, &v)) continue;
        (void)snprintf(where, sizeof where, "%.150s:%d", path, line);
        TRY(find_scale(s, &v, where, &scale, e));
        if (g->n_ops && strcmp(g->ops[at].type, v.tag) != 0) return err_set(e, ST_FORMAT, where, "%s, but operator %d of %s is %s: is it the network of this log?", v.tag, at, s->model, g->ops[at].type);
        run[at++] = v.ticks * scale;
        if (at < g->n_ops) continue;
        for (int i = 0; i < at; i++) sum[i] += run[i];
        at = 0;
        runs++;
    }
    return finish(s, path, model, sum, runs, e);
}
