/* SPDX-License-Identifier: Apache-2.0
 * The whole flow on one screen: for each layer, the controller picks bits, emu computes, hwmodels prices, the row records. */
#include "sim/sim.h"

#include <string.h>
#include <zlib.h>

struct sim_worker {
    const sim_setup *s;
    emu_session *emu;
};

static uint32_t checksum(const void *p, size_t n)
{
    uLong crc = crc32(0, NULL, 0);
    const Bytef *b = p;
    for (; n > 1u << 30; n -= 1u << 30, b += 1u << 30) crc = crc32(crc, b, 1u << 30);
    return (uint32_t)crc32(crc, b, (uInt)n);
}

static int64_t learned_decision(sim_worker *w, const model_choice *ch)
{
    if (ch->tensor < 0) return -1;
    const void *p = emu_tensor_data(w->emu, ch->tensor);
    switch (w->s->graph->subgraphs[0].tensors[ch->tensor].dtype) {
    case MODEL_I8: return ((const int8_t *)p)[ch->element];
    case MODEL_U8: return ((const uint8_t *)p)[ch->element];
    case MODEL_I16: return ((const int16_t *)p)[ch->element];
    case MODEL_I32: return ((const int32_t *)p)[ch->element];
    case MODEL_I64: return ((const int64_t *)p)[ch->element];
    case MODEL_F32: case MODEL_BOOL: case MODEL_RESOURCE: break;
    }
    return -1;
}

/* Decides every choice that op needs and none before it did. */
static status decide(sim_worker *w, int64_t index, int op, int *candidate, err *e)
{
    const sim_setup *s = w->s;
    for (int c = 0; c < s->graph->n_choices; c++) {
        if (s->decide_at[c] != op) continue;
        controller_observation o = {.input = index, .choice = c};
        if (s->policy.kind == CONTROLLER_LEARNED) o.learned = learned_decision(w, &s->graph->choices[c]);
        candidate[c] = controller_decide(&s->policy, &s->choices[c], &o);
        if (candidate[c] < 0)
            return err_set(e, ST_FORMAT, s->graph->path, "input %lld: the decision for choice '%s' is %lld, not one of its %d candidates",
                           (long long)index, s->choices[c].name, (long long)o.learned, s->choices[c].n_candidates);
    }
    return ST_OK;
}

static void load_input(sim_worker *w, const uint8_t *input, sim_row *row)
{
    const model_subgraph *g = &w->s->graph->subgraphs[0];
    size_t at = 0;
    for (int i = 0; i < g->n_inputs; i++) {
        size_t n = model_tensor_bytes(&g->tensors[g->inputs[i]]);
        memcpy(emu_tensor_data(w->emu, g->inputs[i]), input + at, n);
        at += n;
    }
    row->input_crc = checksum(input, at);
}

static void store_output(sim_worker *w, sim_row *row)
{
    const model_subgraph *g = &w->s->graph->subgraphs[0];
    size_t at = 0;
    for (int i = 0; i < g->n_outputs; i++) {
        size_t n = model_tensor_bytes(&g->tensors[g->outputs[i]]);
        memcpy(row->output + at, emu_tensor_data(w->emu, g->outputs[i]), n);
        at += n;
    }
}

status sim_run(sim_worker *w, int64_t index, const void *input, sim_row *row, err *e)
{
    const sim_setup *s = w->s;
    const model_subgraph *g = &s->graph->subgraphs[0];
    if (s->reset_each) TRY(emu_session_reset(w->emu, e));
    load_input(w, input, row);
    size_t kept = 0;
    for (int op = 0; op < g->n_ops; op++) {
        sim_layer *layer = &row->layers[op];
        *layer = (sim_layer){0};
        TRY(decide(w, index, op, row->candidate, e));
        TRY(emu_run_op(w->emu, op, row->candidate, &layer->events, e));
        layer->cost = hw_table_op(s->table, op, row->candidate);
        hw_op_bits(s->graph, op, row->candidate, &layer->w_bits, &layer->a_bits);
        if (sim_op_traced(s, op)) {
            int out = g->ops[op].outputs[0];
            size_t n = model_tensor_bytes(&g->tensors[out]);
            layer->crc = checksum(emu_tensor_data(w->emu, out), n);
            if (s->keep_tensors) memcpy(row->tensors + kept, emu_tensor_data(w->emu, out), n);
            kept += n;
        }
    }
    store_output(w, row);
    return ST_OK;
}

status sim_worker_create(const sim_setup *s, arena *a, sim_worker **out, err *e)
{
    sim_worker *w = arena_alloc(a, 1, sizeof *w);
    if (!w) return err_set(e, ST_NOMEM, s->graph->path, "no memory");
    w->s = s;
    TRY(emu_session_create_as(s->graph, s->profile, &s->accumulator, a, &w->emu, e));
    *out = w;
    return ST_OK;
}

size_t sim_output_bytes(const sim_setup *s)
{
    const model_subgraph *g = &s->graph->subgraphs[0];
    size_t sum = 0;
    for (int i = 0; i < g->n_outputs; i++) sum += model_tensor_bytes(&g->tensors[g->outputs[i]]);
    return sum;
}

size_t sim_tensor_bytes(const sim_setup *s)
{
    const model_subgraph *g = &s->graph->subgraphs[0];
    size_t sum = 0;
    for (int op = 0; s->keep_tensors && op < g->n_ops; op++) {
        if (sim_op_traced(s, op)) sum += model_tensor_bytes(&g->tensors[g->ops[op].outputs[0]]);
    }
    return sum;
}

status sim_row_create(const sim_setup *s, arena *a, sim_row *row, err *e)
{
    row->layers = arena_alloc(a, (size_t)s->graph->subgraphs[0].n_ops, sizeof *row->layers);
    row->candidate = arena_alloc(a, (size_t)s->graph->n_choices, sizeof *row->candidate);
    row->output = arena_alloc(a, sim_output_bytes(s), 1);
    if (s->keep_tensors) row->tensors = arena_alloc(a, sim_tensor_bytes(s), 1);
    if (s->keep_tensors && !row->tensors) return err_set(e, ST_NOMEM, s->graph->path, "no memory for tensors");
    if (!row->layers || !row->candidate || !row->output) return err_set(e, ST_NOMEM, s->graph->path, "no memory for results");
    return ST_OK;
}

bool sim_op_traced(const sim_setup *s, int op) { return emu_op_has_output(&s->graph->subgraphs[0].ops[op]); }
