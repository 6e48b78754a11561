/* SPDX-License-Identifier: Apache-2.0
 * Operators that move elements without arithmetic: RESHAPE, CONCATENATION, PAD, TRANSPOSE, TILE, PACK, SHAPE. Any element type. */
#include <string.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"

static status any(emu_node *n, err *e)
{
    (void)n;
    (void)e;
    return ST_OK;
}

static void run_reshape(emu_node *n, emu_events *ev)
{
    (void)ev;
    memcpy(emu_out_data(n, 0), emu_in_data(n, 0), model_tensor_bytes(emu_out(n, 0)));
}

void emu_row_reshape(emu_kernel *row) { *row = (emu_kernel){.prepare = any, .run = run_reshape}; }

/* Elements before and after an axis. */
static size_t product(const int32_t *dims, int from, int to)
{
    size_t p = 1;
    for (int d = from; d < to; d++) p *= (size_t)dims[d];
    return p;
}

static int wrap_axis(int axis, int rank) { return axis < 0 ? axis + rank : axis; }

/* TFLM insists that codes mean the same on both sides; so does this (LiteRT would rescale: declared gap). */
static status prepare_concatenation(emu_node *n, err *e)
{
    const model_tensor *out = emu_out(n, 0);
    if (n->op->attrs.activation != MODEL_NONE) return emu_fail(n, e, ST_UNSUPPORTED, "fused activation");
    for (int i = 0; i < n->op->n_inputs; i++) {
        const model_tensor *t = emu_in(n, i);
        if (t->dtype != out->dtype) return emu_unsupported_type(n, e);
        if (t->n_scales && out->n_scales && (emu_scale(t) != emu_scale(out) || emu_zero(t) != emu_zero(out)))
            return emu_fail(n, e, ST_UNSUPPORTED, "input %d has another scale or zero point than the output", i);
    }
    return ST_OK;
}

static void run_concatenation(emu_node *n, emu_events *ev)
{
    const model_tensor *out = emu_out(n, 0);
    int axis = wrap_axis(n->op->attrs.axis, out->n_dims);
    size_t outer = product(out->dims, 0, axis), unit = model_dtype_bytes(out->dtype);
    char *to = emu_out_data(n, 0);
    (void)ev;
    for (size_t o = 0; o < outer; o++)
        for (int i = 0; i < n->op->n_inputs; i++) {
            const model_tensor *t = emu_in(n, i);
            size_t bytes = product(t->dims, axis, t->n_dims) * unit;
            memcpy(to, (const char *)emu_in_data(n, i) + o * bytes, bytes);
            to += bytes;
        }
}

void emu_row_concatenation(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_concatenation, .run = run_concatenation}; }

/* PACK: equally shaped inputs along a new axis. */
static void run_pack(emu_node *n, emu_events *ev)
{
    const model_tensor *out = emu_out(n, 0);
    int axis = wrap_axis(n->op->attrs.axis, out->n_dims);
    size_t outer = product(out->dims, 0, axis), bytes = product(out->dims, axis + 1, out->n_dims) * model_dtype_bytes(out->dtype);
    char *to = emu_out_data(n, 0);
    (void)ev;
    for (size_t o = 0; o < outer; o++)
        for (int i = 0; i < n->op->n_inputs; i++, to += bytes) memcpy(to, (const char *)emu_in_data(n, i) + o * bytes, bytes);
}

void emu_row_pack(emu_kernel *row) { *row = (emu_kernel){.prepare = any, .run = run_pack}; }

static void run_shape(emu_node *n, emu_events *ev)
{
    (void)ev;
    memcpy(emu_out_data(n, 0), emu_in(n, 0)->dims, (size_t)emu_in(n, 0)->n_dims * sizeof(int32_t));
}

static status prepare_shape(emu_node *n, err *e) { return emu_out(n, 0)->dtype == MODEL_I32 ? ST_OK : emu_unsupported_type(n, e); }
void emu_row_shape(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_shape, .run = run_shape}; }

/* Copies the out tensor's elements from in: element at output position p comes from input position from(p), or is `fill`. */
typedef bool source_fn(const emu_node *n, const int32_t *at, int32_t *from);

static void gather(const emu_node *n, source_fn *source, const void *fill)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    size_t unit = model_dtype_bytes(out->dtype);
    int32_t at[MODEL_MAX_DIMS] = {0}, from[MODEL_MAX_DIMS];
    char *to = emu_out_data(n, 0);
    for (size_t i = 0; i < out->n_elems; i++, to += unit) {
        if (source(n, at, from)) {
            size_t index = 0;
            for (int d = 0; d < in->n_dims; d++) index = index * (size_t)in->dims[d] + (size_t)from[d];
            memcpy(to, (const char *)emu_in_data(n, 0) + index * unit, unit);
        } else {
            memcpy(to, fill, unit);
        }
        for (int d = out->n_dims - 1; d >= 0 && ++at[d] == out->dims[d]; d--) at[d] = 0;
    }
}

static bool pad_source(const emu_node *n, const int32_t *at, int32_t *from)
{
    const model_tensor *in = emu_in(n, 0);
    const int32_t *pads = emu_in(n, 1)->data;
    bool inside = true;
    for (int d = 0; d < in->n_dims; d++) {
        from[d] = at[d] - pads[2 * d];
        inside = inside && from[d] >= 0 && from[d] < in->dims[d];
    }
    return inside;
}

static void run_pad(emu_node *n, emu_events *ev)
{
    int64_t zero[1] = {0};
    (void)ev;
    emu_store(emu_out(n, 0), zero, 0, emu_zero(emu_out(n, 0)));
    gather(n, pad_source, zero);
}

static status prepare_const32(emu_node *n, err *e)
{
    return emu_in(n, 1)->dtype == MODEL_I32 && emu_in(n, 0)->dtype == emu_out(n, 0)->dtype ? ST_OK : emu_unsupported_type(n, e);
}

void emu_row_pad(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_const32, .run = run_pad}; }

static bool transpose_source(const emu_node *n, const int32_t *at, int32_t *from)
{
    const int32_t *perm = emu_in(n, 1)->data;
    for (int d = 0; d < emu_in(n, 0)->n_dims; d++) from[wrap_axis(perm[d], emu_in(n, 0)->n_dims)] = at[d];
    return true;
}

static void run_transpose(emu_node *n, emu_events *ev)
{
    (void)ev;
    gather(n, transpose_source, NULL);
}

void emu_row_transpose(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_const32, .run = run_transpose}; }

static bool tile_source(const emu_node *n, const int32_t *at, int32_t *from)
{
    const model_tensor *in = emu_in(n, 0);
    for (int d = 0; d < in->n_dims; d++) from[d] = at[d] % in->dims[d];
    return true;
}

static void run_tile(emu_node *n, emu_events *ev)
{
    (void)ev;
    gather(n, tile_source, NULL);
}

static status prepare_tile(emu_node *n, err *e) { return emu_in(n, 0)->dtype == emu_out(n, 0)->dtype ? ST_OK : emu_unsupported_type(n, e); }
void emu_row_tile(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_tile, .run = run_tile}; }
