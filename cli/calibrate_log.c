/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/calibrate.h"
#include "traces/match.h"

/* Why no run of the log counts. */
static status no_run(const match_result *r, const model_graph *g, const char *path, err *e)
{
    const model_subgraph *s = &g->subgraphs[0];
    char where[192];
    if (r->complete_runs) return ST_OK;
    (void)snprintf(where, sizeof where, "%.150s:%lld", path, (long long)r->left_over_line);
    if (r->left_over && r->left_over_op >= 0)
        return err_set(e, ST_FORMAT, where, "%s, but operator %d of %s is %s: is it the network of this log?", r->left_over_tag, r->left_over_op, g->path, s->ops[r->left_over_op].type);
    return err_set(e, ST_FORMAT, path, "no complete run of the %d operators of %s", s->n_ops, g->path);
}

static status add(calibrate_set *s, int model, const match_result *r, const measured_scale *scale, const char *path, err *e)
{
    for (int i = 0; i < r->n_rows; i++) {
        const match_row *row = &r->rows[i];
        char where[192];
        (void)snprintf(where, sizeof where, "%.150s:%lld", path, (long long)row->line);
        if (row->n_ops > 1) return err_set(e, ST_UNSUPPORTED, where, "%s: %d operators in one measurement; give whole networks or single operators", row->tag, row->n_ops);
        if (row->n_ops && row->value > 0) TRY(calibrate_add(s, model, row->op, row->value * scale->cycles[row->unit], "", path, e));
    }
    return ST_OK;
}

status calibrate_read_log(calibrate_set *s, const char *path, err *e)
{
    measured_log *m;
    measured_scale scale;
    match_result r;
    int model;
    if (!s->model) return err_set(e, ST_ARG, path, "a profiler log does not name its network: --model NET");
    TRY(measured_read(path, s->mem, &m, e));
    TRY(calibrate_model(s, s->model, &model, e));
    const model_graph *g = s->models[model];
    const model_subgraph *sub = &g->subgraphs[0];
    const char **types = arena_alloc(s->mem, (size_t)sub->n_ops + 1, sizeof *types);
    if (!types) return err_set(e, ST_NOMEM, path, "no memory");
    for (int i = 0; i < sub->n_ops; i++) types[i] = sub->ops[i].type;
    TRY(measured_to_cycles(m, path, 0, hw_board_clock_hz(s->board), s->cycles_per_tick, &scale, e));
    TRY(match_rows(m, path, types, sub->n_ops, s->mem, &r, e));
    TRY(no_run(&r, g, path, e));
    s->left_over += (int)r.left_over;
    return add(s, model, &r, &scale, path, e);
}
