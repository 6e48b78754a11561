/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/calibrate.h"
#include "model/load.h"

enum { MAX_CELLS = 64, MAX_BYTES = 64 << 20 };
enum { MODEL, CYCLES, OP, BOARD, CORE, N_COLUMNS };
static const char *const names[] = {"model", "cycles", "op", "board", "core"};

typedef struct cell {
    const char *text;
    int column;
} cell;

typedef struct reader {
    const char *path;
    char *at;
    int line, column, n;
    cell cells[MAX_CELLS];
} reader;

status calibrate_model(calibrate_set *s, const char *path, int *out, err *e)
{
    for (*out = 0; *out < s->n_models; (*out)++)
        if (strcmp(s->models[*out]->path, path) == 0) return ST_OK;
    model_graph **more = arena_alloc(s->mem, (size_t)s->n_models + 1, sizeof(model_graph *)), *g;
    if (!more) return err_set(e, ST_NOMEM, path, "no memory");
    TRY(model_load(path, s->mem, &g, e));
    TRY(model_check(g, e));
    if (s->n_models) memcpy(more, s->models, (size_t)s->n_models * sizeof *more);
    more[s->n_models++] = g;
    s->models = more;
    return ST_OK;
}

status calibrate_add(calibrate_set *s, int model, int op, double cycles, const char *board, const char *source, err *e)
{
    if (s->n == s->cap) {
        int cap = s->cap ? 2 * s->cap : 64;
        hw_sample *samples = arena_alloc(s->mem, (size_t)cap, sizeof *samples);
        const char **boards = arena_alloc(s->mem, (size_t)cap, sizeof *boards), **sources = arena_alloc(s->mem, (size_t)cap, sizeof *sources);
        if (!samples || !boards || !sources) return err_set(e, ST_NOMEM, source, "no memory");
        for (int i = 0; i < s->n; i++) {
            samples[i] = s->samples[i];
            boards[i] = s->board_name[i];
            sources[i] = s->source[i];
        }
        s->samples = samples;
        s->board_name = boards;
        s->source = sources;
        s->cap = cap;
    }
    int number = 0;
    while (number < s->n && strcmp(s->board_name[number], board) != 0) number++;
    s->board_name[s->n] = board;
    s->source[s->n] = source;
    s->samples[s->n] = (hw_sample){s->models[model], op, cycles, number < s->n ? s->samples[number].board : s->n, model};
    s->n++;
    return ST_OK;
}

static status fail(const reader *r, int column, err *e, const char *what, const char *text)
{
    char where[192];
    (void)snprintf(where, sizeof where, "%.150s:%d:%d", r->path, r->line, column);
    return err_set(e, ST_FORMAT, where, what, text); /* NOLINT: formats of this file, one %s each */
}

/* Next line that is not empty, cut into cells in place; RFC 4180 quotes. *more = false at the end. */
static status next_line(reader *r, bool *more, err *e)
{
    while (*r->at == '\n' || *r->at == '\r') {
        r->line += *r->at == '\n';
        r->at++;
    }
    r->line++;
    r->n = 0;
    *more = *r->at != 0;
    for (char *start = r->at; *more;) {
        if (r->n == MAX_CELLS) return fail(r, (int)(r->at - start) + 1, e, "%s", "more than 64 columns");
        cell *c = &r->cells[r->n++];
        char *to = r->at;
        bool quoted = *r->at == '"';
        c->column = (int)(r->at - start) + 1;
        c->text = to;
        r->at += quoted;
        while (*r->at && *r->at != '\n' && (quoted || (*r->at != ',' && *r->at != '\r'))) {
            if (quoted && *r->at == '"' && *++r->at != '"') {
                quoted = false;
                continue;
            }
            *to++ = *r->at++;
        }
        if (quoted) return fail(r, c->column, e, "%s", "the quote is not closed on this line");
        char end = *r->at;
        if (end == ',') r->at++;
        else while (*r->at == '\r' || *r->at == ' ') r->at++;
        if (end != ',' && *r->at == '\n') r->at++;
        *to = 0;
        if (end != ',') return ST_OK;
    }
    return ST_OK;
}

static status number(const reader *r, const cell *c, double least, double *out, err *e)
{
    char *end;
    errno = 0;
    *out = strtod(c->text, &end);
    if (end == c->text || *end || errno || !isfinite(*out)) return fail(r, c->column, e, "'%s' is not a number", c->text);
    return *out < least ? fail(r, c->column, e, least > 0 ? "'%s': cycles must be greater than 0" : "'%s' is below 0", c->text) : ST_OK;
}

static status take_model(calibrate_set *s, const reader *r, const cell *c, int *model, err *e)
{
    const char *slash = strrchr(r->path, '/');
    size_t folder = slash && c->text[0] != '/' ? (size_t)(slash - r->path) + 1 : 0, size = folder + strlen(c->text) + 1;
    char *path = arena_alloc(s->mem, size, 1);
    err why = {0};
    if (!path) return err_set(e, ST_NOMEM, r->path, "no memory");
    if (!*c->text) return fail(r, c->column, e, "%s", "the model is missing");
    (void)snprintf(path, size, "%.*s%s", (int)folder, r->path, c->text);
    if (calibrate_model(s, path, model, &why) == ST_OK) return ST_OK;
    char text[sizeof why.where + sizeof why.msg + 4];
    (void)snprintf(text, sizeof text, "%s: %s", why.where, why.msg);
    return fail(r, c->column, e, "model %s", text);
}

static status take_row(calibrate_set *s, const reader *r, const int *column, err *e)
{
    static const cell none = {"", 1};
    const cell *c[N_COLUMNS];
    int model = 0, op = -1;
    double cycles = 0, index = -1;
    for (int i = 0; i < N_COLUMNS; i++) c[i] = column[i] >= 0 && column[i] < r->n ? &r->cells[column[i]] : &none;
    const char *core = *c[CORE]->text ? hw_core_slug(c[CORE]->text, s->mem) : hw_board_core(s->board);
    if (!core) return err_set(e, ST_NOMEM, r->path, "no memory");
    if (strcmp(core, hw_board_core(s->board)) != 0) {
        s->other_cores++;
        return ST_OK;
    }
    TRY(take_model(s, r, c[MODEL], &model, e));
    TRY(number(r, c[CYCLES], 1e-300, &cycles, e));
    if (*c[OP]->text) {
        TRY(number(r, c[OP], 0, &index, e));
        if (index != floor(index) || index >= s->models[model]->subgraphs[0].n_ops) return fail(r, c[OP]->column, e, "the model has no operator %s", c[OP]->text);
        op = (int)index;
    }
    return calibrate_add(s, model, op, cycles, c[BOARD]->text, r->path, e);
}

status calibrate_read_csv(calibrate_set *s, const char *path, err *e)
{
    const uint8_t *bytes;
    size_t len;
    int column[N_COLUMNS];
    bool more;
    TRY(file_read(path, MAX_BYTES, s->mem, &bytes, &len, e));
    reader r = {.path = path, .at = arena_strdup(s->mem, (const char *)bytes, len)};
    if (!r.at) return err_set(e, ST_NOMEM, path, "no memory");
    if (strlen(r.at) != len) return err_set(e, ST_FORMAT, path, "holds a zero byte: not a table");
    if (strncmp(r.at, "\xef\xbb\xbf", 3) == 0) r.at += 3;
    TRY(next_line(&r, &more, e));
    for (int i = 0; i < N_COLUMNS; i++) {
        column[i] = -1;
        for (int k = 0; k < r.n; k++)
            if (strcmp(r.cells[k].text, names[i]) == 0) column[i] = k;
        if (i <= CYCLES && column[i] < 0) return fail(&r, 1, e, "the header has no column '%s'", names[i]);
    }
    for (;;) {
        TRY(next_line(&r, &more, e));
        if (!more) return ST_OK;
        TRY(take_row(s, &r, column, e));
    }
}
