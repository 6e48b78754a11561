/* SPDX-License-Identifier: Apache-2.0
 * RESIZE_BILINEAR on int8: TFLite reference_ops::ResizeBilinearInteger: positions in 2^-10 steps, weights product in 2^-20, rounded half
 * away from zero. XNNPACK (ibilinear): positions in float32, weights rint to 2^-11, product half up in 2^-22. */
#include <math.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"

typedef struct axis { /* one output position: two neighbours and the weight of the upper one, in 2^-10 */
    int32_t low, high;
    int64_t position;
} axis;

typedef struct resize_state {
    axis *y, *x;
    bool xnn;
} resize_state;

static axis *make_axis(emu_node *n, int32_t in, int32_t out)
{
    const model_attrs *a = &n->op->attrs;
    axis *list = arena_alloc(n->mem, (size_t)out, sizeof *list);
    int32_t scale = ((1 << 10) * in + out / 2) / out;
    if (a->align_corners && out > 1) scale = ((1 << 10) * (in - 1) + (out - 1) / 2) / (out - 1);
    for (int32_t i = 0; list && i < out; i++) {
        int64_t p = a->half_pixel_centers ? (int64_t)i * scale + scale / 2 - (1 << 9) : (int64_t)i * scale;
        int64_t low = p / (1 << 10), high = (p + (1 << 10) - 1) / (1 << 10);
        list[i] = (axis){(int32_t)(low < 0 ? 0 : low), (int32_t)(high < in - 1 ? high : in - 1), p};
    }
    return list;
}

static axis *make_axis_xnn(emu_node *n, int32_t in, int32_t out)
{
    const model_attrs *a = &n->op->attrs;
    axis *list = arena_alloc(n->mem, (size_t)out, sizeof *list);
    float scale = a->align_corners && out > 1 ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
    for (int32_t i = 0; list && i < out; i++) {
        float p = a->half_pixel_centers ? ((float)i + 0.5f) * scale - 0.5f : (float)i * scale;
        p = p < 0 ? 0 : p > (float)(in - 1) ? (float)(in - 1) : p;
        int32_t low = (int32_t)p;
        list[i] = (axis){low, low + 1 < in ? low + 1 : low, lrintf((p - (float)low) * 2048)};
    }
    return list;
}

static int8_t blend_xnn(const int8_t *p, const model_tensor *in, axis y, axis x, size_t c)
{
    size_t w = (size_t)in->dims[2], depth = (size_t)in->dims[3];
    const int8_t *row0 = p + (size_t)y.low * w * depth + c, *row1 = p + (size_t)y.high * w * depth + c;
    int64_t left = (size_t)x.low * depth, right = (size_t)x.high * depth;
    int64_t top = row0[left] * 2048 + (row0[right] - row0[left]) * x.position, bottom = row1[left] * 2048 + (row1[right] - row1[left]) * x.position;
    return (int8_t)((top * 2048 + (bottom - top) * y.position + (1 << 21)) >> 22);
}

static status prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    resize_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    if (in->dtype != MODEL_I8 || out->dtype != MODEL_I8) return emu_unsupported_type(n, e);
    if (in->dims[1] > 1 << 20 || in->dims[2] > 1 << 20) return emu_fail(n, e, ST_UNSUPPORTED, "an image side beyond 2^20");
    s->xnn = n->profile->habits & EMU_XNN_POINTWISE;
    s->y = (s->xnn ? make_axis_xnn : make_axis)(n, in->dims[1], out->dims[1]);
    s->x = (s->xnn ? make_axis_xnn : make_axis)(n, in->dims[2], out->dims[2]);
    return s->y && s->x ? ST_OK : emu_no_memory(n, e);
}

static int8_t blend(const int8_t *p, const model_tensor *in, axis y, axis x, size_t c)
{
    size_t w = (size_t)in->dims[2], depth = (size_t)in->dims[3];
    const int8_t *row0 = p + (size_t)y.low * w * depth + c, *row1 = p + (size_t)y.high * w * depth + c;
    int64_t fy = y.position - ((int64_t)1 << 10) * y.low, fx = x.position - ((int64_t)1 << 10) * x.low, one = 1 << 10;
    int64_t sum = row0[(size_t)x.low * depth] * (one - fy) * (one - fx) + row1[(size_t)x.low * depth] * fy * (one - fx) +
                  row0[(size_t)x.high * depth] * (one - fy) * fx + row1[(size_t)x.high * depth] * fy * fx;
    int64_t half = sum > 0 ? 1 << 19 : -(1 << 19);
    return (int8_t)((sum + half) / (1 << 20));
}

static void run(emu_node *n, emu_events *ev)
{
    const resize_state *s = n->state;
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    const int8_t *p = emu_in_data(n, 0);
    int8_t *to = emu_out_data(n, 0);
    size_t image = (size_t)in->dims[1] * (size_t)in->dims[2] * (size_t)in->dims[3];
    (void)ev;
    for (int b = 0; b < out->dims[0]; b++, p += image)
        for (int y = 0; y < out->dims[1]; y++)
            for (int x = 0; x < out->dims[2]; x++)
                for (int c = 0; c < out->dims[3]; c++) *to++ = (s->xnn ? blend_xnn : blend)(p, in, s->y[y], s->x[x], (size_t)c);
}

void emu_row_resize_bilinear(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
