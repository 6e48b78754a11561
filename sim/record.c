/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/record.h"

#include <string.h>

#include "traces/write.h"

enum { MAX_CODES = 4096 };

struct sim_record {
    const sim_setup *s;
    trace_writer *w;
    int64_t *codes; /* [n_codes] of the first output; NULL = float, or too many */
    size_t n_codes;
};

static status write_header(sim_record *r, int64_t n_inputs, err *e)
{
    const sim_setup *s = r->s;
    const char *slash = strrchr(s->graph->path, '/');
    trace_header h = {.tool = "bitemu " BITEMU_VERSION, .profile = s->profile->name, .board = s->board ? hw_board_name(s->board) : NULL,
                      .model = slash ? slash + 1 : s->graph->path, .policy = s->policy_text, .accumulator = s->accumulator_text, .has_model_crc = true,
                      .model_crc = s->graph->crc32, .n_inputs = n_inputs};
    return trace_write_header(r->w, &h, e);
}

status sim_record_create(const sim_setup *s, const char *path, int64_t n_inputs, arena *a, sim_record **out, err *e)
{
    const model_tensor *t = &s->graph->subgraphs[0].tensors[s->graph->subgraphs[0].outputs[0]];
    sim_record *r = arena_alloc(a, 1, sizeof *r);
    *out = NULL;
    if (!r) return err_set(e, ST_NOMEM, path, "no memory");
    r->s = s;
    if (t->dtype != MODEL_F32 && t->n_elems <= MAX_CODES) {
        r->n_codes = t->n_elems;
        r->codes = arena_alloc(a, t->n_elems, sizeof *r->codes);
        if (!r->codes) return err_set(e, ST_NOMEM, path, "no memory");
    }
    TRY(trace_writer_create(path, &r->w, e));
    status st = write_header(r, n_inputs, e);
    if (st != ST_OK)
        trace_writer_discard(&r->w);
    else
        *out = r;
    return st;
}

static void set_shape(trace_record *t, const model_tensor *x)
{
    t->n_dims = x->n_dims;
    for (int d = 0; d < x->n_dims; d++) t->shape[d] = x->dims[d];
}

static status put_layer(sim_record *r, int64_t index, int op, const sim_layer *l, err *e)
{
    const model_subgraph *g = &r->s->graph->subgraphs[0];
    const model_op *o = &g->ops[op];
    trace_record t = {.input = index, .layer = op, .name = o->name, .op = o->type, .w_bits = l->w_bits, .a_bits = l->a_bits, .crc = l->crc,
                      .has_crc = sim_op_traced(r->s, op), .has_events = l->events.acc_seen != 0, .wraps = l->events.wraps, .saturations = l->events.saturations,
                      .clamps = l->events.clamps, .acc_min = l->events.acc_min, .acc_max = l->events.acc_max,
                      .has_cycles = r->s->board && l->cost.cycles >= 0, .cycles = l->cost.cycles};
    if (t.has_crc) set_shape(&t, &g->tensors[o->outputs[0]]);
    return trace_write_record(r->w, &t, e);
}

static status put_row(void *ctx, int64_t index, const char *name, const sim_row *row, err *e)
{
    sim_record *r = ctx;
    const model_subgraph *g = &r->s->graph->subgraphs[0];
    trace_record in = {.input = index, .layer = TRACE_INPUT, .name = name, .op = "INPUT", .has_crc = true, .crc = row->input_crc};
    if (g->n_inputs == 1) set_shape(&in, &g->tensors[g->inputs[0]]);
    TRY(trace_write_record(r->w, &in, e));
    for (int op = 0; op < g->n_ops; op++) TRY(put_layer(r, index, op, &row->layers[op], e));
    for (size_t i = 0; i < r->n_codes; i++) r->codes[i] = sim_output_code(r->s, row, i);
    trace_record out = {.input = index, .layer = TRACE_OUTPUT, .name = name, .n_codes = r->n_codes, .codes = r->codes,
                        .n_decisions = (size_t)r->s->graph->n_choices, .decisions = row->candidate};
    return trace_write_record(r->w, &out, e);
}

sim_sink sim_record_sink(sim_record *r) { return (sim_sink){r, put_row}; }
status sim_record_commit(sim_record *r, err *e) { return trace_writer_commit(&r->w, e); }

void sim_record_discard(sim_record *r)
{
    if (r) trace_writer_discard(&r->w);
}
