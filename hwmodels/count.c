/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/count.c - see count.h. Products of dimensions are taken modulo 2^64: model_check bounds them long before. */
#include "hwmodels/count.h"

static const model_tensor *tensor_at(const model_subgraph *s, const model_op *op, int input)
{
    if (input >= op->n_inputs) return NULL;
    int t = op->inputs[input];
    return t >= 0 && t < s->n_tensors ? &s->tensors[t] : NULL;
}

static uint64_t dim(const model_tensor *t, int i)
{
    return t && i >= 0 && i < t->n_dims ? (uint64_t)t->dims[i] : 0;
}

static uint64_t last_dim(const model_tensor *t)
{
    return t ? dim(t, t->n_dims - 1) : 0;
}

/* out elements x taps x input channels of one filter: groups are in the weights' own channel count */
static uint64_t conv_macs(const model_tensor *w, const model_tensor *out)
{
    return (uint64_t)out->n_elems * dim(w, 1) * dim(w, 2) * dim(w, 3);
}

/* Feature product: batch x filters x input size; time product: batch x filters x memory (filters = units x rank). */
static uint64_t svdf_macs(const model_tensor *in, const model_tensor *feature, const model_tensor *time)
{
    return dim(in, 0) * dim(feature, 0) * (dim(feature, 1) + dim(time, 1));
}

/* Per step: gates x cells x (inputs + outputs). 4 gates, 3 when the input gate is coupled (weights left out); element-wise
 * products with the cell state are not counted. */
static uint64_t lstm_macs(const model_subgraph *s, const model_op *op)
{
    const model_tensor *in = tensor_at(s, op, 0), *w = tensor_at(s, op, 2), *r = tensor_at(s, op, 6);
    uint64_t gates = tensor_at(s, op, 1) ? 4 : 3, cells = dim(w, 0);
    uint64_t steps = last_dim(in) ? (uint64_t)in->n_elems / last_dim(in) : 0; /* time steps x batch */
    return steps * gates * cells * (dim(w, 1) + dim(r, 1));
}

static uint64_t op_macs(const model_subgraph *s, const model_op *op, const model_tensor *out)
{
    const model_tensor *in = tensor_at(s, op, 0), *w = tensor_at(s, op, 1), *third = tensor_at(s, op, 2);
    switch (op->code) {
    case MODEL_CONV_2D: return w ? conv_macs(w, out) : 0;
    case MODEL_DEPTHWISE_CONV_2D: return (uint64_t)out->n_elems * dim(w, 1) * dim(w, 2);
    case MODEL_FULLY_CONNECTED: return (uint64_t)out->n_elems * last_dim(w);
    case MODEL_TRANSPOSE_CONV: return third && w ? (uint64_t)third->n_elems * dim(w, 0) * dim(w, 1) * dim(w, 2) : 0;
    case MODEL_SVDF: return in && w && third ? svdf_macs(in, w, third) : 0;
    case MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM: return in ? lstm_macs(s, op) : 0;
    default: return 0;
    }
}

/* Accumulators that are scaled down: one an output; SVDF's state and both halves of each LSTM gate too. */
static uint64_t op_requants(const model_subgraph *s, const model_op *op, uint64_t outputs)
{
    const model_tensor *in = tensor_at(s, op, 0), *feature = tensor_at(s, op, 1), *w = tensor_at(s, op, 2);
    if (op->code == MODEL_SVDF) return outputs + dim(in, 0) * dim(feature, 0);
    if (op->code != MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM || !in || !last_dim(in)) return outputs;
    return 2 * (tensor_at(s, op, 1) ? 4 : 3) * dim(w, 0) * ((uint64_t)in->n_elems / last_dim(in));
}

/* Subgraph that op belongs to: ops are arrays, so the address tells. */
static const model_subgraph *subgraph_of(const model_graph *g, const model_op *op)
{
    for (int i = 0; i < g->n_subgraphs; i++) {
        const model_subgraph *s = &g->subgraphs[i];
        for (int k = 0; k < s->n_ops; k++)
            if (&s->ops[k] == op) return s;
    }
    return &g->subgraphs[0];
}

emu_events hw_count_op(const model_graph *g, const model_op *op)
{
    emu_events ev = {0};
    const model_subgraph *s = subgraph_of(g, op);
    const model_tensor *first = NULL;
    for (int i = 0; i < op->n_outputs; i++) {
        int t = op->outputs[i];
        if (t < 0 || t >= s->n_tensors || s->tensors[t].dtype == MODEL_RESOURCE) continue;
        if (!first) first = &s->tensors[t];
        ev.outputs += s->tensors[t].n_elems;
    }
    if (!first) return ev;
    ev.macs = op_macs(s, op, first);
    bool codes = first->dtype == MODEL_I8 || first->dtype == MODEL_U8 || first->dtype == MODEL_I16;
    if (ev.macs && codes) ev.requants = op_requants(s, op, ev.outputs);
    return ev;
}
