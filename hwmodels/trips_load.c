/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/trips_load.c - what a trip of a loop costs, by the memories' wait states: `waits` and `trips` of kernels/NAME.yaml. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hwmodels/board.h"

/* waits: - [instruction memory's, data memory's] */
static status load_waits(hw_kernels *k, const yaml_node *n, arena *a, err *e)
{
    TRY(yaml_expect(n, YAML_LIST, "waits", e));
    k->waits = arena_alloc(a, (size_t)n->n + 1, sizeof *k->waits);
    if (!k->waits) return err_set(e, ST_NOMEM, "", "out of memory");
    for (int i = 0; i < n->n; i++) {
        const yaml_node *one = &n->items[i];
        TRY(yaml_expect(one, YAML_LIST, "waits", e));
        if (one->n != 2) return yaml_fail(one, e, ST_FORMAT, "wait states of two memories: [instructions', data's]");
        for (int d = 0; d < 2; d++) {
            int64_t v = 0;
            TRY(yaml_int(&one->items[d], "waits", 0, 15, &v, e));
            k->waits[i][d] = (int)v;
        }
    }
    if (n->n < 1 || k->waits[0][0] || k->waits[0][1]) return yaml_fail(n, e, ST_FORMAT, "the first are [0, 0]");
    k->n_waits = n->n;
    return ST_OK;
}

/* One of the list's numbers; "unknown" is none. */
static status trip_number(const hw_kernels *k, const yaml_node *n, const char *key, int i, double *out, bool *known, err *e)
{
    const yaml_node *list = yaml_get(n, key);
    TRY(yaml_expect(list, YAML_LIST, key, e));
    if (list->n != k->n_waits) return yaml_fail(list, e, ST_FORMAT, "%d numbers, as `waits` has", k->n_waits);
    const yaml_node *one = &list->items[i];
    const char *text = NULL;
    *known = !(one->kind == YAML_SCALAR && yaml_text(one, key, &text, NULL) == ST_OK && strcmp(text, "unknown") == 0);
    if (!*known) return ST_OK;
    TRY(yaml_real(one, key, 0, 1e9, out, e));
    return isfinite(*out) ? ST_OK : yaml_fail(one, e, ST_FORMAT, "%s must be finite numbers", key);
}

status hw_trips_load(hw_kernels *k, const yaml_node *root, arena *a, err *e)
{
    static const char *const keys[] = {"cycles", "error_pct", "unit", "source", NULL}, *const units[] = {"cycles/trip", NULL};
    const yaml_node *n = yaml_get(root, "trips"), *sources = yaml_get(root, "sources");
    if (!n) return ST_OK;
    TRY(yaml_expect(n, YAML_MAP, "trips", e));
    TRY(yaml_check_keys(n, hw_trip_names, NULL, e));
    if (!k->row) return yaml_fail(n, e, ST_FORMAT, "trips are of a row of bitemu's own kernels; name it (row: rv32)");
    if (!yaml_get(root, "waits")) return yaml_fail(n, e, ST_FORMAT, "at what wait states? waits: [[0, 0]]");
    TRY(load_waits(k, yaml_get(root, "waits"), a, e));
    k->trip = arena_alloc(a, (size_t)k->n_waits * HW_N_TRIPS, sizeof *k->trip);
    if (!k->trip) return err_set(e, ST_NOMEM, "", "out of memory");
    for (int t = 0; t < HW_N_TRIPS; t++) {
        const yaml_node *one = yaml_get(n, hw_trip_names[t]), *source;
        const char *key = NULL;
        int unit;
        if (!one) continue;
        TRY(yaml_expect(one, YAML_MAP, hw_trip_names[t], e));
        TRY(yaml_check_keys(one, keys, keys, e));
        TRY(yaml_enum(yaml_get(one, "unit"), "unit", units, &unit, e));
        TRY(yaml_text(yaml_get(one, "source"), "source", &key, e));
        if (!(source = yaml_get(sources, key))) return yaml_fail(yaml_get(one, "source"), e, ST_FORMAT, "source '%s' is not in this file's `sources`; add it there", key);
        for (int i = 0; i < k->n_waits; i++) {
            hw_figure *f = &k->trip[i * HW_N_TRIPS + t];
            bool bounded;
            f->unit = units[unit];
            TRY(yaml_text(source, "source", &f->source, e));
            TRY(trip_number(k, one, "cycles", i, &f->value, &f->known, e));
            TRY(trip_number(k, one, "error_pct", i, &f->error_pct, &bounded, e));
            if (!bounded) f->error_pct = -1;
        }
    }
    return ST_OK;
}

status hw_board_set_waits(hw_board *b, int fetch, int data, err *e)
{
    const hw_kernels *k = b->kernels;
    char known[160] = "";
    size_t at = 0;
    if (fetch == 0 && data == 0) return ST_OK;
    for (int i = 0; k && i < k->n_waits && at < sizeof known; i++) {
        if (k->waits[i][0] == fetch && k->waits[i][1] == data) {
            b->waits = i;
            return ST_OK;
        }
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%d/%d", i ? ", " : "", k->waits[i][0], k->waits[i][1]);
    }
    if (!k || !k->n_waits) return err_set(e, ST_ARG, b->stack, "its figures are for the board's own memories, not for other wait states");
    return err_set(e, ST_ARG, b->stack, "no figures at %d wait states of instruction memory and %d of data memory; there are %s (or --exact)", fetch, data, known);
}
