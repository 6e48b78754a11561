/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/live.c - channels that give one constant whatever the input is, and what is left of an operator without them (layer.h).
 * A filter whose weights are all 0 gives a constant; depthwise layers and pools pass it on, channel by channel. (A depthwise layer that pads with
 * another code than that constant does not give one at the border; softwares that remove such channels were not seen to care.) */
#include "hwmodels/layer.h"

static const model_op *writer(const model_subgraph *s, int tensor)
{
    for (int i = 0; i < s->n_ops; i++)
        for (int k = 0; k < s->ops[i].n_outputs; k++)
            if (s->ops[i].outputs[k] == tensor) return &s->ops[i];
    return NULL;
}

static int channels_of(const model_tensor *t) { return t && t->n_dims > 0 ? t->dims[t->n_dims - 1] : 0; }

/* All weights of filter c are 0. Weights that a choice narrows, or of a grid of their own, are taken as they come: not 0. */
static bool empty_filter(const model_subgraph *s, const model_op *op, int c)
{
    int weights, activations;
    hw_layer_operands(op, &weights, &activations);
    const model_tensor *w = hw_layer_tensor(s, weights);
    if (!w || !w->data || op->choice >= 0 || op->grid || (w->dtype != MODEL_I8 && w->dtype != MODEL_U8) || w->bits % 8 || w->n_dims < 2 || c >= w->dims[0]) return false;
    size_t n = w->n_elems / (size_t)w->dims[0];
    const uint8_t *code = (const uint8_t *)w->data + n * (size_t)c, zero = (uint8_t)(w->n_scales == 1 && w->zero_point ? w->zero_point[0] : 0);
    for (size_t i = 0; i < n; i++)
        if (code[i] != zero) return false;
    return true;
}

static bool constant_channel(const model_subgraph *s, int tensor, int c)
{
    for (const model_op *op; (op = writer(s, tensor)); tensor = op->inputs[0]) {
        bool pool = op->code == MODEL_AVERAGE_POOL_2D || op->code == MODEL_MAX_POOL_2D;
        if (op->code == MODEL_CONV_2D) return empty_filter(s, op, c);
        if (!pool && (op->code != MODEL_DEPTHWISE_CONV_2D || hw_layer_class(s, op) != HW_DEPTHWISE)) return false;
        if (op->n_inputs < 1 || op->inputs[0] < 0 || op->inputs[0] == tensor) return false;
    }
    return false;
}

static double live_share(const model_subgraph *s, int tensor)
{
    int n = channels_of(hw_layer_tensor(s, tensor)), live = 0;
    for (int c = 0; c < n; c++) live += !constant_channel(s, tensor, c);
    return n ? (double)live / n : 1;
}

void hw_layer_live(const model_subgraph *s, const model_op *op, hw_class c, double count[HW_N_EVENTS])
{
    int weights, activations;
    hw_layer_operands(op, &weights, &activations);
    bool filters = c == HW_CONV || c == HW_POINTWISE, same = c == HW_DEPTHWISE || c == HW_AVERAGE_POOL || c == HW_MAX_POOL;
    if (op->n_outputs < 1 || (!filters && !same && c != HW_FULLY_CONNECTED)) return;
    const model_op *before = writer(s, activations);
    if (before && before->code == MODEL_RESHAPE && before->n_inputs > 0 && c == HW_FULLY_CONNECTED) activations = before->inputs[0];
    double in = live_share(s, activations), out = filters ? live_share(s, op->outputs[0]) : same ? in : 1;
    count[HW_MAC] *= (same ? 1 : in) * out;
    count[HW_PATCH] *= in;
    count[HW_OUTPUT] *= out;
    count[HW_WINDOW] *= in;
}
