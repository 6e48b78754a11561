/* SPDX-License-Identifier: Apache-2.0
 * The public API: plain copies out of sim_setup and sim_row. */
#include <stdio.h>
#include <string.h>

#include "bitemu/bitemu.h"
#include "sim/sim.h"

struct bitemu_network {
    sim_setup *setup;
    sim_worker *worker;
    sim_row row;
    int64_t runs;
};

static bitemu_status public_status(status s)
{
    switch (s) {
    case ST_OK: return BITEMU_OK;
    case ST_ARG: return BITEMU_USAGE;
    case ST_UNSUPPORTED: return BITEMU_UNSUPPORTED;
    case ST_FORMAT: return BITEMU_CORRUPT;
    case ST_IO: return BITEMU_IO;
    case ST_NOMEM: return BITEMU_NO_MEMORY;
    case ST_MISMATCH: return BITEMU_DIFFERS;
    case ST_INCOMPLETE: break;
    }
    return BITEMU_INCOMPLETE;
}

static bitemu_status hand_over(status s, const err *from, bitemu_error *e)
{
    if (s == ST_OK || !e || e->code) return public_status(s);
    e->code = (int)public_status(s);
    (void)snprintf(e->where, sizeof e->where, "%s", from->where);
    (void)snprintf(e->message, sizeof e->message, "%s", from->msg);
    return public_status(s);
}

bitemu_status bitemu_open(const bitemu_options *o, bitemu_network **out, bitemu_error *e)
{
    err inner = {0};
    sim_config c = {.model = o->model, .profile = o->profile, .policy = o->policy, .board = o->board, .reset_each = o->reset_each != 0,
                    .accumulator = o->accumulator};
    sim_setup *s = NULL;
    *out = NULL;
    if (!o->model) return hand_over(err_set(&inner, ST_ARG, "", "bitemu_options.model is NULL"), &inner, e);
    status st = sim_setup_open(&c, &s, &inner);
    if (st != ST_OK) return hand_over(st, &inner, e);
    bitemu_network *n = arena_alloc(s->mem, 1, sizeof *n);
    st = n ? sim_worker_create(s, s->mem, &n->worker, &inner) : err_set(&inner, ST_NOMEM, "", "no memory");
    if (st == ST_OK) st = sim_row_create(s, s->mem, &n->row, &inner);
    if (st != ST_OK) {
        sim_setup_close(&s);
        return hand_over(st, &inner, e);
    }
    n->setup = s;
    *out = n;
    return BITEMU_OK;
}

void bitemu_close(bitemu_network **n)
{
    if (!n || !*n) return;
    sim_setup *s = (*n)->setup;
    *n = NULL;
    sim_setup_close(&s);
}

static const model_subgraph *graph(const bitemu_network *n) { return &n->setup->graph->subgraphs[0]; }

static bitemu_status describe(const bitemu_network *n, const int *list, int count, int i, bitemu_tensor *out)
{
    if (i < 0 || i >= count) return BITEMU_USAGE;
    const model_tensor *t = &graph(n)->tensors[list[i]];
    *out = (bitemu_tensor){.name = t->name, .type = model_dtype_name(t->dtype), .bits = t->bits, .n_dims = t->n_dims, .bytes = model_tensor_bytes(t)};
    for (int d = 0; d < t->n_dims; d++) out->dims[d] = t->dims[d];
    if (t->n_scales == 1) {
        out->scale = t->scale[0];
        out->zero_point = t->zero_point[0];
    }
    return BITEMU_OK;
}

int bitemu_input_count(const bitemu_network *n) { return graph(n)->n_inputs; }
int bitemu_output_count(const bitemu_network *n) { return graph(n)->n_outputs; }
bitemu_status bitemu_input(const bitemu_network *n, int i, bitemu_tensor *out) { return describe(n, graph(n)->inputs, graph(n)->n_inputs, i, out); }
bitemu_status bitemu_output(const bitemu_network *n, int i, bitemu_tensor *out) { return describe(n, graph(n)->outputs, graph(n)->n_outputs, i, out); }

bitemu_status bitemu_run(bitemu_network *n, const void *input, void *output, bitemu_error *e)
{
    err inner = {0};
    status st = sim_run(n->worker, n->runs, input, &n->row, &inner);
    if (st != ST_OK) return hand_over(st, &inner, e);
    n->runs++;
    memcpy(output, n->row.output, sim_output_bytes(n->setup));
    return BITEMU_OK;
}

int bitemu_layer_count(const bitemu_network *n) { return graph(n)->n_ops; }

bitemu_status bitemu_layer_get(const bitemu_network *n, int i, bitemu_layer *out)
{
    if (i < 0 || i >= graph(n)->n_ops || n->runs == 0) return BITEMU_USAGE;
    const sim_layer *l = &n->row.layers[i];
    *out = (bitemu_layer){.name = graph(n)->ops[i].name, .op = graph(n)->ops[i].type, .w_bits = l->w_bits, .a_bits = l->a_bits, .crc = l->crc,
                          .macs = l->cost.macs, .wraps = l->events.wraps, .clamps = l->events.clamps, .acc_min = l->events.acc_min,
                          .acc_max = l->events.acc_max, .bitops = l->cost.bitops, .cycles = n->setup->board ? l->cost.cycles : -1, .saturations = l->events.saturations};
    return BITEMU_OK;
}

int bitemu_choice_count(const bitemu_network *n) { return n->setup->graph->n_choices; }

int bitemu_decision(const bitemu_network *n, int choice)
{
    return choice < 0 || choice >= n->setup->graph->n_choices || n->runs == 0 ? -1 : n->row.candidate[choice];
}

void bitemu_cost_get(const bitemu_network *n, bitemu_cost *out)
{
    hw_cost sum = {0};
    for (int i = 0; n->runs && i < graph(n)->n_ops; i++) hw_cost_add(&sum, &n->row.layers[i].cost);
    bool priced = n->setup->board != NULL;
    *out = (bitemu_cost){(double)sum.macs, sum.bitops, priced ? sum.cycles : -1, priced ? sum.cycles_error_pct : -1, priced ? sum.energy_uj : -1,
                         priced ? sum.energy_error_pct : -1, n->setup->plan->sram_bytes, n->setup->plan->flash_bytes};
}

int bitemu_exit_status(bitemu_status s)
{
    static const int code[] = {[BITEMU_OK] = 0, [BITEMU_USAGE] = 2, [BITEMU_UNSUPPORTED] = 3, [BITEMU_CORRUPT] = 4, [BITEMU_IO] = 4,
                               [BITEMU_NO_MEMORY] = 4, [BITEMU_DIFFERS] = 1, [BITEMU_INCOMPLETE] = 5};
    return s <= BITEMU_INCOMPLETE ? code[s] : 4;
}

const char *bitemu_version(void) { return BITEMU_VERSION; }
