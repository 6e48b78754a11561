/* SPDX-License-Identifier: Apache-2.0 */
#include "device/weights.h"
#include "emu/kernels.h"
#include "emu/ref/common.h"
#include "sim/export_internal.h"

static const struct { model_opcode code; const char *run; bool mac, integers; } rows[] = {
    {MODEL_CONV_2D, "dev_conv", true, true}, {MODEL_FULLY_CONNECTED, "dev_conv", true, true}, {MODEL_DEPTHWISE_CONV_2D, "dev_depthwise", true, true},
    {MODEL_AVERAGE_POOL_2D, "dev_average_pool", false, true}, {MODEL_MAX_POOL_2D, "dev_max_pool", false, true}, {MODEL_ADD, "dev_add", false, true},
    {MODEL_QUANTIZE, "dev_quantize", false, true}, {MODEL_SOFTMAX, "dev_softmax", false, true}, {MODEL_MEAN, "dev_mean", false, true},
    {MODEL_RESHAPE, "dev_reshape", false, false}, {MODEL_PAD, "dev_pad", false, false}, {MODEL_ARG_MAX, "dev_arg_max", false, false},
    {MODEL_CONCATENATION, "dev_concatenation", false, false},
};

static status refuse(const export_layer *l, err *e, const char *why) { return err_set(e, ST_UNSUPPORTED, l->op->name, "%s: %s", l->op->type, why); }

static bool fits(const model_tensor *t)
{
    bool type = t->dtype == MODEL_I8 || t->dtype == MODEL_U8 || t->dtype == MODEL_I16 || t->dtype == MODEL_I32;
    for (int d = 0; d < t->n_dims; d++) type = type && t->dims[d] >= 1 && t->dims[d] <= UINT16_MAX;
    return type && t->n_elems <= INT32_MAX / 4;
}

/* Tensors that the operator reads on the board: the constants of the others lie in its tables. */
static int operands(const export_layer *l)
{
    return l->op->code == MODEL_ADD ? 2 : l->op->code == MODEL_CONCATENATION ? l->op->n_inputs : 1;
}

static status check_tensors(const exporter *x, const export_layer *l, err *e)
{
    const model_tensor *out = &x->g->tensors[l->op->outputs[0]];
    if (operands(l) > DEV_MAX_INPUTS) return refuse(l, e, "more than 4 inputs");
    if (!fits(out)) return refuse(l, e, "no board kernel for its output's type or size");
    for (int i = 0; i < operands(l); i++) {
        const model_tensor *t = l->op->inputs[i] >= 0 ? &x->g->tensors[l->op->inputs[i]] : NULL;
        if (!t || t->data) return refuse(l, e, "no board kernel for a constant operand");
        if (t->is_variable || !fits(t)) return refuse(l, e, "no board kernel for its input's type or size");
    }
    bool image = l->mac ? l->op->code != MODEL_FULLY_CONNECTED : l->op->code == MODEL_AVERAGE_POOL_2D || l->op->code == MODEL_MAX_POOL_2D;
    if (image && out->dims[0] != 1) return refuse(l, e, "no board kernel for batches");
    return ST_OK;
}

/* The layer's own choice counts as a key where folding the zero point makes the bias depend on the weights. */
static status make_keys(const exporter *x, export_layer *l, err *e)
{
    const model_integer *t = l->op->integer;
    bool keyed = false, folds = false;
    for (int k = 0; t && k < t->n_keys; k++) {
        l->key[l->n_keys++] = t->key[k];
        keyed |= t->key[k] == l->op->choice;
    }
    for (int i = 0; l->mac && i < l->q.n_entries; i++) {
        int lane = l->q.in_zero[i] - l->lane_zero;
        folds |= lane != 0;
        if (lane < INT8_MIN || lane > INT8_MAX) return refuse(l, e, "a zero point of the input lies outside its codes");
    }
    l->n_entries = l->q.n_entries;
    l->own_key = l->mac && folds && !keyed && l->n_candidates > 1;
    if (!l->own_key) return ST_OK;
    l->key[l->n_keys++] = l->op->choice;
    l->n_entries *= l->n_candidates;
    (void)x;
    return ST_OK;
}

static status make_mac(const exporter *x, export_layer *l, err *e)
{
    const model_tensor *in = &x->g->tensors[l->op->inputs[0]];
    l->depthwise = l->op->code == MODEL_DEPTHWISE_CONV_2D;
    if (in->dtype != MODEL_I8 && in->dtype != MODEL_U8) return refuse(l, e, "no board kernel for 16-bit activations");
    if (l->q.binary && l->depthwise) return refuse(l, e, "no board kernel for depthwise layers of binary inputs");
    if (l->q.binary) l->run = "dev_conv_binary";
    bool high = in->dtype == MODEL_U8 && in->bits > 7;
    for (int i = 0; i < l->q.n_entries; i++) high |= in->dtype == MODEL_U8 && l->q.in_zero[i] > INT8_MAX;
    l->lane_zero = high ? 128 : 0;
    l->n_candidates = l->q.n_candidates;
    TRY(export_weights_pack(x, l, e));
    return make_keys(x, l, e);
}

status export_layer_make(const exporter *x, int i, export_layer *l, err *e)
{
    const model_op *op = &x->g->ops[i];
    *l = (export_layer){.op = op, .index = i, .n_entries = 1};
    l->q = (emu_integers){.rule = EMU_RAW, .n_entries = 1};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        if (rows[r].code != op->code) continue;
        l->run = rows[r].run;
        l->mac = rows[r].mac;
        TRY(check_tensors(x, l, e));
        if (rows[r].integers) TRY(emu_op_integers(x->emu, i, &l->q, e));
        if (l->mac) return make_mac(x, l, e);
        return make_keys(x, l, e);
    }
    return refuse(l, e, "no board kernel for this operator");
}

/* Bytes of the tables on a 32-bit board: see device.h. */
size_t export_table_bytes(const export_layer *l)
{
    enum { LAYER = 164, MAC = 72, POINTWISE = 52, WEIGHTS = 24, LIMITS = 20 };
    size_t entries = (size_t)l->n_entries, columns = entries * (size_t)(l->mac ? l->q.out_c : l->q.n_channels), bytes = LAYER + LIMITS * entries;
    bytes += l->mac ? MAC + WEIGHTS * (size_t)l->n_candidates + 4 * columns : POINTWISE;
    return bytes + (l->q.rule == EMU_RAW ? 0 : 5 * columns + (l->mac ? entries : 0));
}
