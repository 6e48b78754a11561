/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/events.c - what one call of an operator does, beyond what the emulator counts. Formulas: hw.h. */
#include <string.h>

#include "hwmodels/count.h"
#include "hwmodels/layer.h"

static uint64_t bytes_of(uint64_t elements, int bits) { return (elements * (uint64_t)bits + 7) / 8; }
static uint64_t words_of(uint64_t elements, int bits) { return (elements * (uint64_t)bits + 31) / 32; }

/* Pixels that one filter is applied to; rows of them. */
static uint64_t pixels_of(const model_tensor *out, hw_class c, uint64_t *rows)
{
    uint64_t channels = out->n_dims ? (uint64_t)out->dims[out->n_dims - 1] : 1, n = channels ? out->n_elems / channels : 0;
    *rows = c != HW_FULLY_CONNECTED && out->n_dims == 4 ? (uint64_t)out->dims[0] * (uint64_t)out->dims[1] : n;
    return n;
}

void hw_op_events(const model_graph *g, const hw_board *b, int op, const int *candidate, hw_events *out)
{
    const model_subgraph *s = &g->subgraphs[0];
    const model_op *o = &s->ops[op];
    const hw_kernels *k = b ? b->kernels : NULL;
    hw_class c = hw_layer_class(s, o);
    int weights, activations, w_bits, a_bits;
    hw_layer_operands(o, &weights, &activations);
    hw_op_bits(g, op, candidate, &w_bits, &a_bits);
    const model_tensor *w = hw_layer_tensor(s, weights), *in = hw_layer_tensor(s, activations), *y = o->n_outputs ? hw_layer_tensor(s, o->outputs[0]) : NULL;
    *out = (hw_events){0};
    if (hw_layer_skipped(g, o, candidate && o->choice >= 0 ? candidate[o->choice] : -1)) return;
    *out = (hw_events){.counted = hw_count_op(g, o), .calls = 1};
    if (!y || y->dtype == MODEL_RESOURCE) return;
    uint64_t pixels = pixels_of(y, c, &out->rows);
    if (k && in && a_bits > 0 && in->bits > 0 && in->dtype != MODEL_F32 && o->choice >= 0 &&
        hw_container(k->a_container, k->n_a, in->bits) != hw_container(k->a_container, k->n_a, a_bits)) out->repacked = in->n_elems;
    if (!w || !out->counted.macs || w_bits <= 0) return;
    uint64_t filters = c == HW_DEPTHWISE || c == HW_DEPTHWISE_MULTIPLIER ? 1 : w->n_dims && w->dims[0] > 0 ? (uint64_t)w->dims[0] : 1;
    uint64_t gathered = c == HW_CONV ? out->counted.macs / filters : 0;
    out->weight_bytes = bytes_of(w->n_elems, w_bits);
    if (!k || k->column_pixels <= 0) return;
    uint64_t passes = (pixels + (uint64_t)k->column_pixels - 1) / (uint64_t)k->column_pixels;
    out->columns_known = true;
    out->im2col_bytes = gathered * (uint64_t)k->column_bytes;
    out->streamed_bytes = out->weight_bytes * passes;
    int wc = hw_container(k->w_container, k->n_w, w_bits), ac = hw_container(k->a_container, k->n_a, a_bits);
    if (wc < 8) out->unpacked_words += words_of(w->n_elems, wc) * passes;
    if (ac < 8) out->unpacked_words += words_of(out->counted.macs / filters, ac);
}

void hw_graph_events(const model_graph *g, const hw_board *b, const int *candidate, hw_events *sum)
{
    *sum = (hw_events){.columns_known = true};
    int last_w = 0, last_a = 0;
    for (int i = 0; i < g->subgraphs[0].n_ops; i++) {
        hw_events x;
        int w, a;
        hw_op_events(g, b, i, candidate, &x);
        hw_op_bits(g, i, candidate, &w, &a);
        emu_events_add(&sum->counted, &x.counted);
        sum->calls += x.calls;
        sum->rows += x.rows;
        sum->weight_bytes += x.weight_bytes;
        sum->im2col_bytes += x.im2col_bytes;
        sum->streamed_bytes += x.streamed_bytes;
        sum->unpacked_words += x.unpacked_words;
        sum->repacked += x.repacked;
        if (x.weight_bytes && !x.columns_known) sum->columns_known = false;
        if (!x.weight_bytes) continue;
        sum->switches += last_w && (w != last_w || a != last_a);
        last_w = w;
        last_a = a;
    }
}

static bool leads_to_decision(const model_graph *g, const bool *control, int tensor)
{
    const model_subgraph *s = &g->subgraphs[0];
    bool any = false;
    for (int i = 0; i < s->n_outputs; i++)
        if (s->outputs[i] == tensor) return false;
    for (int i = 0; i < g->n_choices; i++) any = any || g->choices[i].tensor == tensor;
    for (int i = 0; i < s->n_ops; i++) {
        for (int k = 0; k < s->ops[i].n_inputs; k++) {
            if (s->ops[i].inputs[k] != tensor) continue;
            if (!control[i]) return false;
            any = true;
        }
    }
    return any;
}

void hw_control_ops(const model_graph *g, bool *control)
{
    const model_subgraph *s = &g->subgraphs[0];
    memset(control, 0, (size_t)s->n_ops * sizeof *control);
    for (int i = s->n_ops - 1; i >= 0; i--) {
        bool all = s->ops[i].n_outputs > 0;
        for (int k = 0; all && k < s->ops[i].n_outputs; k++) all = leads_to_decision(g, control, s->ops[i].outputs[k]);
        control[i] = all;
    }
}
