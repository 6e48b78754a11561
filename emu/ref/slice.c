/* SPDX-License-Identifier: Apache-2.0
 * STRIDED_SLICE with begin, end and shrink masks, negative indices and strides (TFLite strided_slice_logic). Ellipsis and new-axis
 * masks are refused. Any element type; begin, end and strides are constants. */
#include <string.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"

typedef struct slice_state {
    int32_t start[MODEL_MAX_DIMS], step[MODEL_MAX_DIMS], count[MODEL_MAX_DIMS];
} slice_state;

static int32_t clamp(int32_t v, int32_t low, int32_t high) { return v < low ? low : v > high ? high : v; }

/* Start and count along dimension d, as TFLite's StartForAxis and StopForAxis. */
static bool axis(const emu_node *n, int d, slice_state *s)
{
    const model_attrs *a = &n->op->attrs;
    int32_t size = emu_in(n, 0)->dims[d], begin = ((const int32_t *)emu_in(n, 1)->data)[d], end = ((const int32_t *)emu_in(n, 2)->data)[d];
    int32_t step = ((const int32_t *)emu_in(n, 3)->data)[d];
    if (step == 0) return false;
    int32_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    bool shrink = a->shrink_axis_mask >> d & 1;
    int32_t start = begin < 0 ? begin + size : begin, stop = end < 0 ? end + size : end;
    start = a->begin_mask >> d & 1 ? (step > 0 ? 0 : size - 1) : clamp(start, low, high);
    stop = a->end_mask >> d & 1 ? (step > 0 ? size : -1) : clamp(stop, low, high);
    if (shrink) {
        stop = start + 1;
        step = 1;
        if (start < 0 || start >= size) return false;
    }
    int32_t span = step > 0 ? stop - start : start - stop, stride = step > 0 ? step : -step;
    s->start[d] = start;
    s->step[d] = step;
    s->count[d] = span > 0 ? (span + stride - 1) / stride : 0;
    return true;
}

static status prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    slice_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    size_t elems = 1;
    if (!s) return emu_no_memory(n, e);
    if (in->dtype != out->dtype) return emu_unsupported_type(n, e);
    if (n->op->attrs.ellipsis_mask || n->op->attrs.new_axis_mask) return emu_fail(n, e, ST_UNSUPPORTED, "ellipsis or new-axis mask");
    for (int i = 1; i < 4; i++) {
        const model_tensor *t = emu_in(n, i);
        if (t->dtype != MODEL_I32 || t->n_elems != (size_t)in->n_dims) return emu_fail(n, e, ST_UNSUPPORTED, "begin, end and strides need one int32 a dimension");
    }
    for (int d = 0; d < in->n_dims; d++) {
        if (!axis(n, d, s)) return emu_fail(n, e, ST_FORMAT, "dimension %d: stride 0 or index outside the tensor", d);
        elems *= (size_t)s->count[d];
    }
    return elems == out->n_elems ? ST_OK : emu_fail(n, e, ST_FORMAT, "the slice has %zu elements, the output %zu", elems, out->n_elems);
}

static void run(emu_node *n, emu_events *ev)
{
    const slice_state *s = n->state;
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    size_t unit = model_dtype_bytes(in->dtype);
    int32_t at[MODEL_MAX_DIMS] = {0};
    char *to = emu_out_data(n, 0);
    (void)ev;
    for (size_t i = 0; i < out->n_elems; i++, to += unit) {
        size_t index = 0;
        for (int d = 0; d < in->n_dims; d++) index = index * (size_t)in->dims[d] + (size_t)(s->start[d] + at[d] * s->step[d]);
        memcpy(to, (const char *)emu_in_data(n, 0) + index * unit, unit);
        for (int d = in->n_dims - 1; d >= 0 && ++at[d] == s->count[d]; d--) at[d] = 0;
    }
}

void emu_row_strided_slice(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
