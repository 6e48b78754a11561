/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/layer.c - an operator as the cost model sees it: its class, the widths of its operands, its events. */
#include "hwmodels/board.h"
#include "hwmodels/count.h"
#include "hwmodels/layer.h"

static int tensor_bits(const model_subgraph *s, int t)
{
    if (t < 0 || t >= s->n_tensors) return 0;
    const model_tensor *x = &s->tensors[t];
    return x->bits > 0 ? x->bits : (int)(8 * model_dtype_bytes(x->dtype));
}

static int input_at(const model_op *op, int i)
{
    return i < op->n_inputs ? op->inputs[i] : -1;
}

/* Tensors that hold the weights and the input activations; -1 = none. */
void hw_layer_operands(const model_op *op, int *weights, int *activations)
{
    *weights = -1;
    *activations = input_at(op, 0);
    switch (op->code) {
    case MODEL_CONV_2D:
    case MODEL_DEPTHWISE_CONV_2D:
    case MODEL_FULLY_CONNECTED:
    case MODEL_SVDF: *weights = input_at(op, 1); break;
    case MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM: *weights = input_at(op, 2); break; /* input to forget: never left out */
    case MODEL_TRANSPOSE_CONV:
        *weights = input_at(op, 1);
        *activations = input_at(op, 2);
        break;
    default: break;
    }
    if (op->weights && op->weights->n > 0) *weights = op->weights->tensor[0];
}

int hw_widest_candidate(const model_choice *c)
{
    int best = 0;
    for (int i = 1; i < c->n_candidates; i++)
        if (c->candidates[i].w_bits * c->candidates[i].a_bits > c->candidates[best].w_bits * c->candidates[best].a_bits) best = i;
    return best;
}

const model_choice *hw_layer_choice(const model_graph *g, const model_op *op)
{
    return op->choice >= 0 && op->choice < g->n_choices ? &g->choices[op->choice] : NULL;
}

bool hw_layer_skipped(const model_graph *g, const model_op *op, int variant)
{
    const model_choice *c = hw_layer_choice(g, op);
    return c && variant >= 0 && variant < c->n_candidates && !c->candidates[variant].w_bits;
}

void hw_layer_bits(const model_graph *g, const model_op *op, int variant, int *w_bits, int *a_bits)
{
    const model_subgraph *s = &g->subgraphs[0];
    const model_choice *c = hw_layer_choice(g, op);
    int weights, activations;
    hw_layer_operands(op, &weights, &activations);
    *a_bits = tensor_bits(s, activations);
    bool nested = op->weights && op->weights->nesting != MODEL_SEPARATE;
    *w_bits = weights < 0 ? 0 : nested ? op->weights->bits : tensor_bits(s, weights);
    if (!c || variant < 0 || variant >= c->n_candidates) return;
    if (weights >= 0) *w_bits = c->candidates[variant].w_bits;
    *a_bits = c->candidates[variant].a_bits;
}

void hw_op_bits(const model_graph *g, int op, const int *candidate, int *w_bits, int *a_bits)
{
    *w_bits = *a_bits = 0;
    if (op < 0 || op >= g->subgraphs[0].n_ops) return;
    const model_op *o = &g->subgraphs[0].ops[op];
    const model_choice *c = hw_layer_choice(g, o);
    hw_layer_bits(g, o, !c ? 0 : candidate ? candidate[o->choice] : hw_widest_candidate(c), w_bits, a_bits);
}

static hw_class conv_class(const model_tensor *w)
{
    return w && w->n_dims == 4 && w->dims[1] == 1 && w->dims[2] == 1 ? HW_POINTWISE : HW_CONV;
}

static hw_class depthwise_class(const model_tensor *in, const model_tensor *out)
{
    bool same = in && out && in->n_dims == 4 && out->n_dims == 4 && in->dims[3] == out->dims[3];
    return same ? HW_DEPTHWISE : HW_DEPTHWISE_MULTIPLIER;
}

const model_tensor *hw_layer_tensor(const model_subgraph *s, int t)
{
    return t >= 0 && t < s->n_tensors ? &s->tensors[t] : NULL;
}

hw_class hw_layer_class(const model_subgraph *s, const model_op *op)
{
    int weights, activations;
    hw_layer_operands(op, &weights, &activations);
    switch (op->code) {
    case MODEL_CONV_2D: return conv_class(hw_layer_tensor(s, weights));
    case MODEL_DEPTHWISE_CONV_2D:
        return depthwise_class(hw_layer_tensor(s, activations), op->n_outputs ? hw_layer_tensor(s, op->outputs[0]) : NULL);
    case MODEL_FULLY_CONNECTED: return HW_FULLY_CONNECTED;
    case MODEL_ADD: return HW_ADD;
    case MODEL_MUL: return HW_MUL;
    case MODEL_AVERAGE_POOL_2D: return HW_AVERAGE_POOL;
    case MODEL_MAX_POOL_2D: return HW_MAX_POOL;
    case MODEL_SOFTMAX: return HW_SOFTMAX;
    case MODEL_ARG_MAX: return HW_ARG_MAX;
    case MODEL_QUANTIZE: return hw_layer_real(s, op) ? HW_CONVERT : HW_REQUANTIZE;
    case MODEL_DEQUANTIZE: return HW_CONVERT;
    case MODEL_MEAN: return HW_MEAN;
    case MODEL_TRANSPOSE_CONV: return HW_TRANSPOSED;
    case MODEL_SVDF:
    case MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM: return HW_RECURRENT;
    case MODEL_HARD_SWISH:
    case MODEL_LEAKY_RELU:
    case MODEL_LOGISTIC:
    case MODEL_LOG_SOFTMAX:
    case MODEL_RESIZE_BILINEAR:
    case MODEL_TANH_OP: return HW_FUNCTION;
    case MODEL_ASSIGN_VARIABLE:
    case MODEL_CALL_ONCE: /* and VAR_HANDLE: nothing is done for an input */
    case MODEL_READ_VARIABLE:
    case MODEL_SHAPE:
    case MODEL_TILE:
    case MODEL_TRANSPOSE:
    case MODEL_VAR_HANDLE:
    case MODEL_CONCATENATION:
    case MODEL_PACK:
    case MODEL_PAD:
    case MODEL_RESHAPE:
    case MODEL_STRIDED_SLICE: return HW_MOVE;
    default: return HW_NO_CLASS;
    }
}

void hw_layer_events(const model_subgraph *s, const model_op *op, hw_class c, const emu_events *ev, double count[HW_N_EVENTS])
{
    int weights, activations;
    hw_layer_operands(op, &weights, &activations);
    const model_tensor *w = hw_layer_tensor(s, weights), *in = hw_layer_tensor(s, activations);
    double out_c = 1;
    bool gathers = c == HW_CONV || c == HW_POINTWISE || c == HW_FULLY_CONNECTED;
    if (gathers && w && w->n_dims > 0 && w->dims[0] > 0) out_c = w->dims[0];
    count[HW_MAC] = (double)ev->macs;
    count[HW_PATCH] = (double)ev->macs / out_c;
    count[HW_OUTPUT] = (double)ev->outputs;
    count[HW_CALL] = 1;
    count[HW_WINDOW] = 0;
    if (c == HW_AVERAGE_POOL || c == HW_MAX_POOL)
        count[HW_WINDOW] = (double)ev->outputs * op->attrs.filter_h * op->attrs.filter_w;
    if ((c == HW_ARG_MAX || c == HW_MEAN) && in) count[HW_WINDOW] = (double)in->n_elems;
    if (op->code == MODEL_ASSIGN_VARIABLE) in = hw_layer_tensor(s, input_at(op, 1));
    if (op->code == MODEL_ASSIGN_VARIABLE && in) count[HW_OUTPUT] = (double)in->n_elems;
}

void hw_layer_counts(const model_graph *g, const hw_board *b, const model_op *op, double count[HW_N_EVENTS])
{
    const model_subgraph *s = &g->subgraphs[0];
    emu_events ev = hw_count_op(g, op);
    hw_class c = hw_layer_class(s, op);
    hw_layer_events(s, op, c, &ev, count);
    if (b->removes_constant) hw_layer_live(s, op, c, count);
}

int hw_layer_padding(const model_attrs *a, int stated, int in, int out, int k, int stride, int dilation)
{
    int total = (out - 1) * stride + (k - 1) * dilation + 1 - in;
    if (a->padding == MODEL_EXPLICIT) return stated;
    return a->padding == MODEL_VALID || total < 0 ? 0 : total / 2;
}

bool hw_layer_plain(const model_op *op) { return !op->grid || op->grid->weights.kind == QUANT_TERNARY; }

bool hw_layer_real(const model_subgraph *s, const model_op *op)
{
    int weights, activations;
    hw_layer_operands(op, &weights, &activations);
    const model_tensor *in = hw_layer_tensor(s, activations);
    return in && in->dtype == MODEL_F32;
}

const hw_entry *hw_layer_entry(const model_graph *g, const hw_board *b, const model_op *op, int w, int a)
{
    const hw_kernels *k = b->kernels;
    hw_class c = hw_layer_class(&g->subgraphs[0], op);
    if (b->waits || c == HW_NO_CLASS || !hw_layer_plain(op) || (hw_layer_real(&g->subgraphs[0], op) && c != HW_MOVE && c != HW_CONVERT)) return NULL;
    return hw_kernels_find(k, c, w && c <= HW_FULLY_CONNECTED ? hw_container(k->w_container, k->n_w, w) : 0, hw_container(k->a_container, k->n_a, a));
}
