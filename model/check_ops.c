/* SPDX-License-Identifier: Apache-2.0
 * What every operator may rely on: how many operands, of which rank, with which shapes. Types are the kernels' business. */
#include <string.h>

#include "model/check.h"

typedef struct ctx {
    const model_graph *g;
    const model_subgraph *sub;
    const model_op *op;
    err *e;
} ctx;

static const model_tensor *in(const ctx *c, int i) { return i < c->op->n_inputs && c->op->inputs[i] >= 0 ? &c->sub->tensors[c->op->inputs[i]] : NULL; }
static const model_tensor *out(const ctx *c, int i) { return i < c->op->n_outputs ? &c->sub->tensors[c->op->outputs[i]] : NULL; }
static status bad(const ctx *c, const char *what) { return err_set(c->e, ST_FORMAT, "", "%s", what); }

/* At least `required` inputs that are present, at most `most`; exactly n_out outputs. */
static status operands(const ctx *c, int required, int most, int n_out)
{
    if (c->op->n_inputs < required || c->op->n_inputs > most || c->op->n_outputs != n_out)
        return err_set(c->e, ST_FORMAT, "", "%d inputs and %d outputs; expected %d to %d and %d", c->op->n_inputs, c->op->n_outputs, required, most, n_out);
    for (int i = 0; i < required; i++) {
        if (c->op->inputs[i] < 0) return err_set(c->e, ST_FORMAT, "", "input %d is left out", i);
    }
    return ST_OK;
}

static bool same_shape(const model_tensor *a, const model_tensor *b)
{
    return a->n_dims == b->n_dims && memcmp(a->dims, b->dims, (size_t)a->n_dims * sizeof *a->dims) == 0;
}

static bool codes(const model_tensor *t) { return t->dtype == MODEL_I8 || t->dtype == MODEL_U8 || t->dtype == MODEL_I16; }

/* Codes that are computed with need a scale, unless the layer states its integers. */
static status needs_scale(const ctx *c, const model_tensor *t)
{
    if (!t || !codes(t) || c->op->integer) return ST_OK;
    if (!t->n_scales) return err_set(c->e, ST_FORMAT, "", "tensor '%s' has no scale, and the layer states no integers", t->name);
    for (int i = 0; i < t->n_scales; i++) {
        if (!(t->scale[i] > 0 && t->scale[i] < 1e30f)) return err_set(c->e, ST_FORMAT, "", "tensor '%s' has a scale that is not positive and finite", t->name);
        if (t->zero_point[i] < -32768 || t->zero_point[i] > 65535) return err_set(c->e, ST_FORMAT, "", "tensor '%s' has a zero point out of range", t->name);
    }
    return ST_OK;
}

static status scales(const ctx *c)
{
    for (int i = 0; i < c->op->n_inputs; i++) TRY(needs_scale(c, in(c, i)));
    for (int i = 0; i < c->op->n_outputs; i++) TRY(needs_scale(c, out(c, i)));
    return ST_OK;
}

static int windows(model_padding p, int size, int k, int stride, int dilation)
{
    int64_t reach = (int64_t)(k - 1) * dilation + 1;
    if (p == MODEL_SAME) return (int)(((int64_t)size + stride - 1) / stride);
    return size >= reach ? (int)((size - reach) / stride + 1) : 0;
}

static status window(const ctx *c, const model_tensor *x, const model_tensor *y, int k_h, int k_w)
{
    const model_attrs *a = &c->op->attrs;
    int dh = a->dilation_h > 0 ? a->dilation_h : 1, dw = a->dilation_w > 0 ? a->dilation_w : 1;
    if (x->n_dims != 4 || y->n_dims != 4) return bad(c, "input and output must have 4 dimensions (NHWC)");
    if (x->n_elems == 0 || y->n_elems == 0) return bad(c, "an empty image");
    if (k_h < 1 || k_w < 1 || a->stride_h < 1 || a->stride_w < 1 || k_h > 4096 || k_w > 4096 || a->stride_h > 4096 || a->stride_w > 4096 || dh > 4096 || dw > 4096)
        return bad(c, "window, stride and dilation must be within [1, 4096]");
    if (a->padding == MODEL_EXPLICIT) {
        bool fits = a->pad_top >= 0 && a->pad_left >= 0 && a->pad_top <= 4096 && a->pad_left <= 4096;
        return fits && x->dims[0] == y->dims[0] ? ST_OK : bad(c, "explicit padding must be within [0, 4096]");
    }
    if (x->dims[0] != y->dims[0] || windows(a->padding, x->dims[1], k_h, a->stride_h, dh) != y->dims[1] ||
        windows(a->padding, x->dims[2], k_w, a->stride_w, dw) != y->dims[2])
        return bad(c, "the output's size does not follow from input, window, stride, dilation and padding");
    return ST_OK;
}

/* Weights of every candidate: constant, shaped like input 1. */
static status weights(const ctx *c, int out_c)
{
    const model_tensor *w = in(c, 1), *bias = in(c, 2);
    const model_weights *m = c->op->weights;
    if (!w->data) return err_set(c->e, ST_UNSUPPORTED, "", "weights that are not constant");
    if (w->n_scales > 1 && w->n_scales != out_c) return bad(c, "the weights' scales are not one per output channel");
    if (bias && bias->n_elems != (size_t)out_c) return bad(c, "the bias does not have one element per output channel");
    if (bias && !bias->data) return err_set(c->e, ST_UNSUPPORTED, "", "a bias that is not constant");
    for (int i = 0; m && i < m->n; i++) {
        const model_tensor *t = &c->sub->tensors[m->tensor[i]];
        if (!same_shape(t, w) || !t->data || !codes(t)) return bad(c, "every candidate's weights must be constant codes of one shape");
    }
    return codes(w) ? model_check_grid(c->g, c->sub, c->op, c->e) : ST_OK;
}

static status integer_values(const ctx *c)
{
    const model_integer *t = c->op->integer;
    for (int i = 0; t->shift && i < t->n_entries * t->n_channels; i++) {
        if (t->shift[i] < -31 || t->shift[i] > 30) return bad(c, "a shift outside [-31, 30]");
    }
    for (int i = 0; t->in_zero && i < t->n_entries; i++) {
        if (t->in_zero[i] < -128 || t->in_zero[i] > 255 || (t->in_zero[i] && in(c, 0)->dtype == MODEL_I16)) return bad(c, "in_zero outside [-128, 255], or not 0 for 16-bit activations");
    }
    for (int i = 0; t->in_zero2 && i < t->n_entries; i++) {
        if (t->in_zero2[i] < -128 || t->in_zero2[i] > 255) return bad(c, "in_zero2 outside [-128, 255]");
    }
    return ST_OK;
}

/* A clamp that the output's type can hold. */
static status output_range(const ctx *c)
{
    const model_integer *t = c->op->integer;
    const model_tensor *y = out(c, 0);
    int32_t low = y->dtype == MODEL_U8 ? 0 : y->dtype == MODEL_I8 ? INT8_MIN : INT16_MIN;
    int32_t high = y->dtype == MODEL_U8 ? UINT8_MAX : y->dtype == MODEL_I8 ? INT8_MAX : INT16_MAX;
    for (int i = 0; codes(y) && i < t->n_entries; i++) {
        if ((t->out_min && t->out_min[i] < low) || (t->out_max && t->out_max[i] > high)) return bad(c, "out_min or out_max outside the output's type");
    }
    return ST_OK;
}

/* Stated integers of a layer without weights: one column of multipliers for each operand, codes in and out, the output's range kept. */
static status integer_columns(const ctx *c, int columns)
{
    const model_integer *t = c->op->integer;
    const model_tensor *y = out(c, 0);
    for (int i = 0; i < c->op->n_inputs; i++) {
        if (!codes(in(c, i))) return err_set(c->e, ST_UNSUPPORTED, "", "stated integers on %s activations", model_dtype_name(in(c, i)->dtype));
    }
    if (!codes(y)) return err_set(c->e, ST_UNSUPPORTED, "", "stated integers to %s activations", model_dtype_name(y->dtype));
    if (!t->multiplier || t->n_channels != columns || t->bias || t->bias64 || t->addend || t->threshold || t->multiplier_n)
        return err_set(c->e, ST_FORMAT, "", "integer tables must have %d multipliers an entry, and no bias", columns);
    if ((t->left_shift || t->in_zero2) && (c->op->n_inputs != 2 || columns == 2)) return bad(c, "left_shift and in_zero2 belong to MUL and to ADD with three columns");
    TRY(output_range(c));
    return integer_values(c);
}

static status integers(const ctx *c, int out_c)
{
    const model_integer *t = c->op->integer;
    if (!t) return scales(c);
    if (in(c, 2)) return bad(c, "a layer that states its integers has its bias there, not as an input");
    if (t->n_channels != 1 && t->n_channels != out_c) return bad(c, "integer tables must have one channel, or one per output channel");
    if (!codes(in(c, 0))) return err_set(c->e, ST_UNSUPPORTED, "", "stated integers on %s activations", model_dtype_name(in(c, 0)->dtype));
    bool raw = !t->multiplier && !t->scale && !t->shift && !t->threshold;
    if (raw && out(c, 0)->dtype != MODEL_I32) return bad(c, "without a multiplier the output is the accumulator and must be int32");
    if (t->left_shift || t->in_zero2) return bad(c, "left_shift and in_zero2 belong to ADD and MUL");
    TRY(output_range(c));
    return integer_values(c);
}

static status conv(const ctx *c)
{
    TRY(operands(c, 2, 3, 1));
    const model_tensor *x = in(c, 0), *w = in(c, 1), *y = out(c, 0);
    if (w->n_dims != 4 || w->n_elems == 0) return bad(c, "weights must have 4 dimensions");
    TRY(window(c, x, y, w->dims[1], w->dims[2]));
    if (c->op->code == MODEL_DEPTHWISE_CONV_2D) {
        if (w->dims[0] != 1 || w->dims[3] != y->dims[3] || y->dims[3] % x->dims[3]) return bad(c, "depthwise weights do not fit the channels");
        TRY(integers(c, w->dims[3]));
        return weights(c, w->dims[3]);
    }
    if (w->dims[0] != y->dims[3] || x->dims[3] % w->dims[3] || w->dims[0] % (x->dims[3] / w->dims[3])) return bad(c, "weights do not fit the channels");
    TRY(integers(c, w->dims[0]));
    return weights(c, w->dims[0]);
}

static status fully_connected(const ctx *c)
{
    TRY(operands(c, 2, 3, 1));
    const model_tensor *x = in(c, 0), *w = in(c, 1), *y = out(c, 0);
    if (w->n_dims != 2 || w->n_elems == 0) return bad(c, "weights must have 2 dimensions");
    if (x->n_elems % (size_t)w->dims[1] || y->n_elems != x->n_elems / (size_t)w->dims[1] * (size_t)w->dims[0]) return bad(c, "input, weights and output do not fit");
    TRY(integers(c, w->dims[0]));
    return weights(c, w->dims[0]);
}

static status pool(const ctx *c)
{
    TRY(operands(c, 1, 1, 1));
    TRY(window(c, in(c, 0), out(c, 0), c->op->attrs.filter_h, c->op->attrs.filter_w));
    return in(c, 0)->dims[3] == out(c, 0)->dims[3] ? ST_OK : bad(c, "a pool keeps the channels");
}

static status binary(const ctx *c)
{
    TRY(operands(c, 2, 2, 1));
    const model_tensor *y = out(c, 0);
    for (int i = 0; i < 2; i++) {
        const model_tensor *x = in(c, i);
        if (x->n_dims > y->n_dims) return bad(c, "an operand has more dimensions than the output");
        for (int d = 1; d <= x->n_dims; d++) {
            int size = x->dims[x->n_dims - d];
            if (size != 1 && size != y->dims[y->n_dims - d]) return bad(c, "operands do not broadcast to the output's shape");
        }
    }
    for (int d = 1; d <= y->n_dims; d++) {
        int a = d <= in(c, 0)->n_dims ? in(c, 0)->dims[in(c, 0)->n_dims - d] : 1, b = d <= in(c, 1)->n_dims ? in(c, 1)->dims[in(c, 1)->n_dims - d] : 1;
        if (y->dims[y->n_dims - d] != (a > b ? a : b)) return bad(c, "the output is larger than its operands");
    }
    const model_integer *t = c->op->integer;
    if (!t) return scales(c);
    if (t->n_channels != 2 && t->n_entries != 1) return bad(c, "tables by choice need two columns");
    if (c->op->code == MODEL_MUL || t->n_channels != 2) return integer_columns(c, c->op->code == MODEL_MUL ? 1 : 3);
    if (t->in_zero) return bad(c, "operands that are requantized one by one have no zero point");
    return integer_columns(c, 2);
}

static status same_elems(const ctx *c, int required, int most)
{
    TRY(operands(c, required, most, 1));
    return in(c, 0)->n_elems == out(c, 0)->n_elems ? ST_OK : bad(c, "input and output have different numbers of elements");
}

static status reshape(const ctx *c)
{
    TRY(same_elems(c, 1, 2));
    return in(c, 0)->dtype == out(c, 0)->dtype ? ST_OK : bad(c, "a reshape keeps the type");
}

static status mapped(const ctx *c)
{
    TRY(same_elems(c, 1, 1));
    return scales(c);
}

static status quantize(const ctx *c)
{
    TRY(mapped(c));
    return c->op->integer ? integer_columns(c, 1) : ST_OK;
}

/* The softmax family works on whole rows of the last dimension. */
static status rows(const ctx *c)
{
    TRY(mapped(c));
    return in(c, 0)->n_dims && in(c, 0)->n_elems ? ST_OK : bad(c, "an empty input");
}

static status axis_in(const ctx *c, int axis, int rank)
{
    return axis >= -rank && axis < rank ? ST_OK : err_set(c->e, ST_FORMAT, "", "axis %d of %d dimensions", axis, rank);
}

static status concatenation(const ctx *c)
{
    const model_tensor *y = out(c, 0);
    TRY(operands(c, 1, c->op->n_inputs, 1));
    TRY(axis_in(c, c->op->attrs.axis, y->n_dims));
    int axis = c->op->attrs.axis < 0 ? c->op->attrs.axis + y->n_dims : c->op->attrs.axis;
    int64_t sum = 0;
    for (int i = 0; i < c->op->n_inputs; i++) {
        const model_tensor *x = in(c, i);
        if (!x || x->n_dims != y->n_dims || x->dtype != y->dtype) return bad(c, "inputs must have the output's type and rank");
        for (int d = 0; d < y->n_dims; d++) {
            if (d != axis && x->dims[d] != y->dims[d]) return bad(c, "inputs do not fit beside each other");
        }
        sum += x->dims[axis];
    }
    return sum == y->dims[axis] ? ST_OK : bad(c, "the inputs do not add up to the output");
}

static status pack(const ctx *c)
{
    const model_tensor *y = out(c, 0);
    TRY(operands(c, 1, c->op->n_inputs, 1));
    TRY(axis_in(c, c->op->attrs.axis, y->n_dims));
    int axis = c->op->attrs.axis < 0 ? c->op->attrs.axis + y->n_dims : c->op->attrs.axis;
    if (y->dims[axis] != c->op->n_inputs) return bad(c, "the new axis is not as long as there are inputs");
    for (int i = 0; i < c->op->n_inputs; i++) {
        if (!in(c, i) || in(c, i)->dtype != y->dtype || in(c, i)->n_elems * (size_t)c->op->n_inputs != y->n_elems) return bad(c, "inputs differ in type or size");
    }
    return ST_OK;
}

static status constant32(const ctx *c, int i, size_t elems)
{
    const model_tensor *t = in(c, i);
    if (t->dtype != MODEL_I32) return err_set(c->e, ST_UNSUPPORTED, "", "input %d must be int32", i);
    if (!t->data) return err_set(c->e, ST_UNSUPPORTED, "", "input %d must be constant", i);
    return t->n_elems == elems ? ST_OK : err_set(c->e, ST_FORMAT, "", "input %d has %zu elements, expected %zu", i, t->n_elems, elems);
}

static status pad(const ctx *c)
{
    TRY(operands(c, 2, 2, 1));
    const model_tensor *x = in(c, 0), *y = out(c, 0);
    TRY(constant32(c, 1, 2 * (size_t)x->n_dims));
    const int32_t *p = in(c, 1)->data;
    if (x->n_dims != y->n_dims) return bad(c, "a pad keeps the rank");
    for (int d = 0; d < x->n_dims; d++) {
        if (p[2 * d] < 0 || p[2 * d + 1] < 0 || (int64_t)x->dims[d] + p[2 * d] + p[2 * d + 1] != y->dims[d]) return bad(c, "paddings do not lead to the output's shape");
    }
    return ST_OK;
}

static status transpose(const ctx *c)
{
    TRY(operands(c, 2, 2, 1));
    const model_tensor *x = in(c, 0), *y = out(c, 0);
    unsigned seen = 0;
    TRY(constant32(c, 1, (size_t)x->n_dims));
    if (x->n_dims != y->n_dims) return bad(c, "a transpose keeps the rank");
    for (int d = 0; d < x->n_dims; d++) {
        int p = ((const int32_t *)in(c, 1)->data)[d];
        TRY(axis_in(c, p, x->n_dims));
        p += p < 0 ? x->n_dims : 0;
        if (seen >> p & 1 || x->dims[p] != y->dims[d]) return bad(c, "not a permutation that leads to the output's shape");
        seen |= 1u << p;
    }
    return ST_OK;
}

/* The repeats may be computed (from SHAPE and PACK): then the static shapes say what they will be. */
static status tile(const ctx *c)
{
    TRY(operands(c, 2, 2, 1));
    const model_tensor *x = in(c, 0), *y = out(c, 0), *repeats = in(c, 1);
    if (repeats->data) TRY(constant32(c, 1, (size_t)x->n_dims));
    if (x->n_dims != y->n_dims) return bad(c, "a tile keeps the rank");
    for (int d = 0; d < x->n_dims; d++) {
        bool fits = x->dims[d] >= 1 && y->dims[d] % x->dims[d] == 0;
        if (fits && repeats->data) fits = (int64_t)x->dims[d] * ((const int32_t *)repeats->data)[d] == y->dims[d];
        if (!fits) return bad(c, "repeats do not lead to the output's shape");
    }
    return ST_OK;
}

static status shape(const ctx *c)
{
    TRY(operands(c, 1, 1, 1));
    return out(c, 0)->n_elems == (size_t)in(c, 0)->n_dims ? ST_OK : bad(c, "the output does not have one element a dimension");
}

static status strided_slice(const ctx *c)
{
    TRY(operands(c, 4, 4, 1));
    for (int i = 1; i < 4; i++) TRY(constant32(c, i, (size_t)in(c, 0)->n_dims));
    return ST_OK;
}

static status mean(const ctx *c)
{
    TRY(operands(c, 2, 2, 1));
    const model_tensor *x = in(c, 0);
    unsigned reduced = 0;
    size_t left = 1;
    TRY(constant32(c, 1, in(c, 1)->n_elems));
    for (size_t i = 0; i < in(c, 1)->n_elems; i++) {
        int a = ((const int32_t *)in(c, 1)->data)[i];
        TRY(axis_in(c, a, x->n_dims));
        reduced |= 1u << (a < 0 ? a + x->n_dims : a);
    }
    for (int d = 0; d < x->n_dims; d++) left *= reduced >> d & 1 ? 1 : (size_t)x->dims[d];
    if (x->n_elems == 0 || left != out(c, 0)->n_elems) return bad(c, "the axes do not lead to the output's shape");
    return scales(c);
}

static status arg_max(const ctx *c)
{
    TRY(operands(c, 2, 2, 1));
    const model_tensor *x = in(c, 0);
    TRY(constant32(c, 1, 1));
    int axis = *(const int32_t *)in(c, 1)->data;
    TRY(axis_in(c, axis, x->n_dims));
    axis += axis < 0 ? x->n_dims : 0;
    if (x->n_elems == 0 || out(c, 0)->n_elems != x->n_elems / (size_t)x->dims[axis]) return bad(c, "the output does not have one element a row");
    return ST_OK;
}

static status resize(const ctx *c)
{
    TRY(operands(c, 2, 2, 1));
    const model_tensor *x = in(c, 0), *y = out(c, 0);
    if (x->n_dims != 4 || y->n_dims != 4 || x->dims[0] != y->dims[0] || x->dims[3] != y->dims[3] || !x->n_elems || !y->n_elems) return bad(c, "input and output must be images (NHWC) of the same depth");
    return ST_OK;
}

static status transpose_conv(const ctx *c)
{
    TRY(operands(c, 3, 4, 1));
    const model_tensor *w = in(c, 1), *x = in(c, 2), *y = out(c, 0), *bias = in(c, 3);
    const model_attrs *a = &c->op->attrs;
    if (x->n_dims != 4 || y->n_dims != 4 || w->n_dims != 4 || !w->n_elems || !x->n_elems || !y->n_elems) return bad(c, "input, weights and output must have 4 dimensions");
    if (a->stride_h < 1 || a->stride_w < 1 || a->stride_h > 4096 || a->stride_w > 4096 || w->dims[1] > 4096 || w->dims[2] > 4096) return bad(c, "strides must be within [1, 4096]");
    if (w->dims[0] != y->dims[3] || w->dims[3] != x->dims[3] || x->dims[0] != y->dims[0]) return bad(c, "weights do not fit the channels");
    if (windows(a->padding, y->dims[1], w->dims[1], a->stride_h, 1) != x->dims[1] || windows(a->padding, y->dims[2], w->dims[2], a->stride_w, 1) != x->dims[2])
        return bad(c, "the output's size does not follow from input, window, stride and padding");
    if (w->n_scales > 1 && w->n_scales != w->dims[0]) return bad(c, "the weights' scales are not one per output channel");
    if (bias && bias->n_elems != (size_t)w->dims[0]) return bad(c, "the bias does not have one element per output channel");
    return scales(c);
}

static status svdf(const ctx *c)
{
    TRY(operands(c, 3, 5, 1));
    if (!in(c, 4)) return bad(c, "the state is left out");
    const model_tensor *x = in(c, 0), *f = in(c, 1), *t = in(c, 2), *bias = in(c, 3), *state = in(c, 4), *y = out(c, 0);
    int rank = c->op->attrs.rank;
    if (x->n_dims != 2 || f->n_dims != 2 || t->n_dims != 2 || y->n_dims != 2 || !x->n_elems || !f->n_elems || !t->n_elems) return bad(c, "operands must have 2 dimensions");
    if (rank < 1 || f->dims[0] % rank || f->dims[1] != x->dims[1] || t->dims[0] != f->dims[0]) return bad(c, "weights do not fit input and rank");
    int units = f->dims[0] / rank;
    if (y->dims[0] != x->dims[0] || y->dims[1] != units || (bias && (bias->n_elems != (size_t)units || !bias->data))) return bad(c, "output or bias do not have one element a unit");
    if (!state->is_variable || state->n_elems != (size_t)x->dims[0] * t->n_elems) return bad(c, "the state must be a variable of batch x filters x memory");
    if (!f->data || !t->data) return err_set(c->e, ST_UNSUPPORTED, "", "weights that are not constant");
    return scales(c);
}

static status lstm(const ctx *c)
{
    TRY(operands(c, 1, 24, 1));
    const model_tensor *x = in(c, 0), *y = out(c, 0), *hidden = in(c, 18), *cell = in(c, 19);
    if (x->n_dims != 3 || y->n_dims != 3 || !x->n_elems || !y->n_elems || x->dims[0] != y->dims[0] || x->dims[1] != y->dims[1]) return bad(c, "input and output must have 3 dimensions");
    int batch = c->op->attrs.time_major ? x->dims[1] : x->dims[0], units = y->dims[2];
    if (!hidden || !cell || !hidden->is_variable || !cell->is_variable || hidden->n_elems != (size_t)batch * (size_t)units || cell->n_elems != hidden->n_elems)
        return bad(c, "the two states must be variables of batch x units");
    for (int i = 1; i <= 15; i++) {
        const model_tensor *w = in(c, i);
        if (!w) continue;
        if (!w->data) return err_set(c->e, ST_UNSUPPORTED, "", "weights that are not constant");
        size_t want = i <= 4 ? (size_t)units * (size_t)x->dims[2] : i <= 8 ? (size_t)units * (size_t)units : (size_t)units;
        if (w->n_elems != want) return err_set(c->e, ST_FORMAT, "", "input %d has %zu elements, expected %zu", i, w->n_elems, want);
    }
    for (int i = 0; i < c->op->n_intermediates; i++) TRY(needs_scale(c, &c->sub->tensors[c->op->intermediates[i]]));
    return scales(c);
}

static status var_handle(const ctx *c)
{
    TRY(operands(c, 0, 0, 1));
    if (out(c, 0)->dtype != MODEL_RESOURCE) return bad(c, "the output must be a resource");
    return c->op->attrs.variable >= 0 && c->op->attrs.variable < c->g->n_variables ? ST_OK : bad(c, "no such variable");
}

static status read_variable(const ctx *c)
{
    TRY(operands(c, 1, 1, 1));
    return in(c, 0)->dtype == MODEL_RESOURCE ? ST_OK : bad(c, "the input must be a resource");
}

static status assign_variable(const ctx *c)
{
    TRY(operands(c, 2, 2, 0));
    return in(c, 0)->dtype == MODEL_RESOURCE && in(c, 1)->dtype != MODEL_RESOURCE ? ST_OK : bad(c, "the inputs must be a resource and a value");
}

static status call_once(const ctx *c)
{
    TRY(operands(c, 0, 0, 0));
    return c->op->attrs.init_subgraph >= 1 && c->op->attrs.init_subgraph < c->g->n_subgraphs ? ST_OK : bad(c, "no such subgraph");
}

status model_check_op(const model_graph *g, const model_subgraph *sub, const model_op *op, err *e)
{
    static status (*const checks[MODEL_N_OPCODES])(const ctx *) = {
        [MODEL_ADD] = binary, [MODEL_ARG_MAX] = arg_max, [MODEL_ASSIGN_VARIABLE] = assign_variable, [MODEL_AVERAGE_POOL_2D] = pool,
        [MODEL_CALL_ONCE] = call_once, [MODEL_CONCATENATION] = concatenation, [MODEL_CONV_2D] = conv, [MODEL_DEPTHWISE_CONV_2D] = conv,
        [MODEL_DEQUANTIZE] = mapped, [MODEL_FULLY_CONNECTED] = fully_connected, [MODEL_HARD_SWISH] = mapped,
        [MODEL_LEAKY_RELU] = mapped, [MODEL_LOG_SOFTMAX] = rows,
        [MODEL_LOGISTIC] = mapped, [MODEL_MAX_POOL_2D] = pool, [MODEL_MEAN] = mean, [MODEL_MUL] = binary, [MODEL_PACK] = pack,
        [MODEL_PAD] = pad, [MODEL_QUANTIZE] = quantize, [MODEL_READ_VARIABLE] = read_variable, [MODEL_RESHAPE] = reshape,
        [MODEL_RESIZE_BILINEAR] = resize, [MODEL_SHAPE] = shape, [MODEL_SOFTMAX] = rows, [MODEL_STRIDED_SLICE] = strided_slice,
        [MODEL_SVDF] = svdf, [MODEL_TANH_OP] = mapped, [MODEL_TILE] = tile, [MODEL_TRANSPOSE] = transpose, [MODEL_TRANSPOSE_CONV] = transpose_conv,
        [MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM] = lstm, [MODEL_VAR_HANDLE] = var_handle,
    };
    ctx c = {g, sub, op, e};
    bool mac = op->code == MODEL_CONV_2D || op->code == MODEL_DEPTHWISE_CONV_2D || op->code == MODEL_FULLY_CONNECTED;
    if (op->grid && !mac) return bad(&c, "a grid belongs to convolutions and fully connected layers");
    return checks[op->code](&c);
}
