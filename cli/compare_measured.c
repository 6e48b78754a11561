/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare_measured.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

enum { MAX_ESTIMATE = 64 << 20, PROBE = 1 << 16 };
static const double SMALL = 1e-3; /* of the total: stacks drop a RESHAPE and the like */

bool compare_is_estimate(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return false; /* a look into a pipe would take its bytes */
    FILE *f = fopen(path, "rb");
    char *text = calloc(PROBE + 1, 1);
    size_t n = f && text ? fread(text, 1, PROBE, f) : 0;
    const char *p = text ? text + strspn(text, " \t\r\n") : "";
    bool is = n > 0 && *p == '{' && strstr(p, "\"totals\"") && strstr(p, "\"model\"") && !strstr(p, "\"bitemu_trace\"");
    if (f) (void)fclose(f);
    free(text);
    return is;
}

static double number(const json_t *o, const char *key, double otherwise)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : otherwise;
}

static const char *text(arena *a, const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key)), *copy = s ? arena_strdup(a, s, strlen(s)) : NULL;
    return copy ? copy : "";
}

static status read_ops(compare_measured *c, const json_t *layers, arena *a, err *e)
{
    size_t n = json_array_size(layers);
    if (!n) return err_set(e, ST_FORMAT, c->estimate_path, "no layers in it: make it with bitemu cost MODEL --board B --format json");
    c->ops = arena_alloc(a, n, sizeof *c->ops);
    c->types = arena_alloc(a, n, sizeof *c->types);
    if (!c->ops || !c->types) return err_set(e, ST_NOMEM, c->estimate_path, "no memory");
    c->n_ops = (int)n;
    for (size_t i = 0; i < n; i++) {
        const json_t *layer = json_array_get(layers, i);
        c->ops[i] = (estimate_op){text(a, layer, "name"), text(a, layer, "type"), number(layer, "cycles", -1)};
        c->types[i] = c->ops[i].type;
        if (!c->types[i][0]) return err_set(e, ST_FORMAT, c->estimate_path, "layer %zu states no type", i);
    }
    return ST_OK;
}

static status read_estimate(compare_measured *c, arena *a, err *e)
{
    const uint8_t *bytes;
    size_t n;
    json_error_t why;
    TRY(file_read(c->estimate_path, MAX_ESTIMATE, a, &bytes, &n, e));
    json_t *j = json_loadb((const char *)bytes, n, 0, &why);
    if (!j) {
        char where[192];
        (void)snprintf(where, sizeof where, "%.150s:%d:%d", c->estimate_path, why.line, why.column);
        return err_set(e, ST_FORMAT, where, "%s", why.text);
    }
    const json_t *totals = json_object_get(j, "totals");
    c->board = text(a, j, "board");
    c->title = text(a, j, "title");
    c->kernels = text(a, j, "kernels");
    c->model = text(a, j, "model");
    c->clock_hz = number(j, "clock_hz", 0);
    c->cycles = number(totals, "cycles", -1);
    c->energy_uj = number(totals, "energy_uj", -1);
    status s = read_ops(c, json_object_get(j, "layers"), a, e);
    json_decref(j);
    return s;
}

double compare_estimated_cycles(const compare_measured *c, const match_row *row)
{
    double sum = row->n_ops ? 0 : -1;
    for (int i = 0, op = row->op; i < row->n_ops; op++) {
        if (c->match.by_type && strcmp(c->types[op], c->types[row->op]) != 0) continue;
        sum = sum < 0 || c->ops[op].cycles < 0 ? -1 : sum + c->ops[op].cycles;
        i++;
    }
    return sum;
}

double compare_measured_cycles(const compare_measured *c, const match_row *row) { return row->runs ? row->value * c->scale.cycles[row->unit] : -1; }

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static status sum_up(compare_measured *c, arena *a, err *e)
{
    double *errors = arena_alloc(a, (size_t)c->match.n_rows + 1, sizeof *errors), rows = 0;
    int n = 0;
    bool any = c->log->n_rows || c->log->n_sums;
    double least = c->cycles > 0 ? c->cycles * SMALL : 0;
    if (!errors) return err_set(e, ST_NOMEM, c->log_path, "no memory");
    for (int i = 0; i < c->match.n_rows; i++) {
        const match_row *row = &c->match.rows[i];
        double is = compare_measured_cycles(c, row), est = compare_estimated_cycles(c, row);
        if (is >= 0) rows += is;
        if (is < 0 && any && (est < 0 || est > least) && c->unmeasured++ == 0) c->unmeasured_name = c->types[row->op];
        if (is < 0 || est < 0) continue;
        c->n_both++;
        c->both_measured += is;
        c->both_estimated += est;
        if (is > 0) errors[n++] = fabs(est / is - 1) * 100;
    }
    qsort(errors, (size_t)n, sizeof *errors, ascending);
    c->median_error_pct = n ? (errors[n / 2] + errors[(n - 1) / 2]) / 2 : -1;
    for (int u = 0; u < MEASURED_UNITS && c->measured < 0; u++) {
        if (c->log->whole[u].n) c->measured = measured_median(&c->log->whole[u]) * c->scale.cycles[u];
    }
    c->measured_is_sum = c->measured < 0 && any;
    if (c->measured_is_sum) c->measured = rows;
    return ST_OK;
}

status compare_measured_load(const char *estimate, const char *log, const measured_options *o, arena *a, compare_measured *c, err *e)
{
    *c = (compare_measured){.estimate_path = estimate, .log_path = log, .measured = -1};
    TRY(read_estimate(c, a, e));
    TRY(measured_read(log, a, &c->log, e));
    TRY(measured_to_cycles(c->log, log, o->clock_hz, c->clock_hz, o->cycles_per_tick, &c->scale, e));
    TRY(match_rows(c->log, log, c->types, c->n_ops, a, &c->match, e));
    return sum_up(c, a, e);
}

bool compare_measured_same(const measured_options *o, const compare_measured *c)
{
    bool strange = false;
    for (int i = 0; i < c->match.n_rows && c->match.by_type; i++) strange = strange || c->match.rows[i].n_ops == 0;
    return o->subset || (c->match.left_over == 0 && c->unmeasured == 0 && !strange);
}
