/* SPDX-License-Identifier: Apache-2.0
 * AVERAGE_POOL_2D and MAX_POOL_2D. Integer average: sum of the taps inside the image over their number, rounded half away from zero
 * (TFLite reference_integer_ops::AveragePool) or cut towards zero (EMU_POOL_TRUNC). Codes are taken as they are: input and output share scale and zero point. */
#include "emu/ref/float32.h"
#include "emu/ref/rows.h"

typedef struct pool_state {
    emu_window w;
    int32_t low, high;
    float low_f, high_f;
} pool_state;

static status prepare(emu_node *n, err *e)
{
    const model_attrs *a = &n->op->attrs;
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    pool_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    bool known = in->dtype == MODEL_I8 || in->dtype == MODEL_U8 || in->dtype == MODEL_I16 || in->dtype == MODEL_F32;
    if (!known || in->dtype != out->dtype) return emu_unsupported_type(n, e);
    emu_window_init(&s->w, in, out, a->filter_h, a->filter_w, a);
    emu_activation_range_f32(a->activation, &s->low_f, &s->high_f);
    if (n->op->integer) { /* the clamp is stated */
        emu_code_range(out, &s->low, &s->high);
        if (n->op->integer->out_min) s->low = n->op->integer->out_min[0];
        if (n->op->integer->out_max) s->high = n->op->integer->out_max[0];
        return ST_OK;
    }
    return in->dtype == MODEL_F32 ? ST_OK : emu_activation_range(n, out, &s->low, &s->high, e);
}

/* The part of a window that lies inside the image: rows [y0, y1), columns [x0, x1). */
typedef struct extent {
    int y0, y1, x0, x1;
} extent;

static int at_least(int a, int b) { return a > b ? a : b; }
static int at_most(int a, int b) { return a < b ? a : b; }

static extent inside(const emu_window *w, int oy, int ox)
{
    int y = oy * w->stride_h - w->pad_top, x = ox * w->stride_w - w->pad_left;
    return (extent){at_least(y, 0), at_most(y + w->k_h, w->in_h), at_least(x, 0), at_most(x + w->k_w, w->in_w)};
}

static size_t index_of(const emu_window *w, int b, int y, int x, int c)
{
    return (((size_t)b * (size_t)w->in_h + (size_t)y) * (size_t)w->in_w + (size_t)x) * (size_t)w->in_c + (size_t)c;
}

/* habits: EMU_POOL_TRUNC, EMU_POOL_WHOLE */
static int32_t average(const emu_window *w, unsigned habits, const model_tensor *t, const void *p, int b, extent in, int c)
{
    int64_t sum = 0, count = (int64_t)(in.y1 - in.y0) * (in.x1 - in.x0);
    for (int y = in.y0; y < in.y1; y++)
        for (int x = in.x0; x < in.x1; x++) sum += emu_load(t, p, index_of(w, b, y, x, c));
    if (habits & EMU_POOL_WHOLE) count = (int64_t)w->k_h * w->k_w;
    if (habits & EMU_POOL_TRUNC) return (int32_t)(sum / count);
    return (int32_t)(sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count);
}

static int32_t largest(const emu_window *w, const model_tensor *t, const void *p, int b, extent in, int c)
{
    int32_t low, high;
    emu_code_range(t, &low, &high);
    for (int y = in.y0; y < in.y1; y++)
        for (int x = in.x0; x < in.x1; x++) low = at_least(low, emu_load(t, p, index_of(w, b, y, x, c)));
    return low;
}

static float average_f32(const emu_window *w, const float *p, int b, extent in, int c)
{
    float sum = 0, count = 0;
    for (int y = in.y0; y < in.y1; y++)
        for (int x = in.x0; x < in.x1; x++, count += 1) sum += p[index_of(w, b, y, x, c)];
    return sum / count;
}

static float largest_f32(const emu_window *w, const float *p, int b, extent in, int c)
{
    float best = -3.402823466e+38f;
    for (int y = in.y0; y < in.y1; y++)
        for (int x = in.x0; x < in.x1; x++) best = p[index_of(w, b, y, x, c)] > best ? p[index_of(w, b, y, x, c)] : best;
    return best;
}

static void run_f32(const emu_node *n, const pool_state *s, extent in, int b, int c, size_t at)
{
    const float *p = emu_in_data(n, 0);
    float v = n->op->code == MODEL_AVERAGE_POOL_2D ? average_f32(&s->w, p, b, in, c) : largest_f32(&s->w, p, b, in, c);
    v = v > s->low_f ? v : s->low_f;
    ((float *)emu_out_data(n, 0))[at] = v < s->high_f ? v : s->high_f;
}

static void run(emu_node *n, emu_events *ev)
{
    const pool_state *s = n->state;
    const emu_window *w = &s->w;
    const model_tensor *t = emu_in(n, 0);
    size_t at = 0;
    bool first_only = n->profile->habits & EMU_POOL_FIRST_IMAGE;
    for (int b = 0; b < (first_only ? 1 : w->batches); b++)
        for (int oy = 0; oy < w->out_h; oy++)
            for (int ox = 0; ox < w->out_w; ox++)
                for (int c = 0; c < w->in_c; c++, at++) {
                    extent in = inside(w, oy, ox);
                    if (t->dtype == MODEL_F32) {
                        run_f32(n, s, in, b, c, at);
                        continue;
                    }
                    int32_t v = n->op->code == MODEL_AVERAGE_POOL_2D ? average(w, n->profile->habits, t, emu_in_data(n, 0), b, in, c)
                                                                     : largest(w, t, emu_in_data(n, 0), b, in, c);
                    emu_store(t, emu_out_data(n, 0), at, emu_clamp(v, s->low, s->high, ev));
                }
}

static status integers(emu_node *n, emu_integers *out, err *e)
{
    const pool_state *s = n->state;
    if (emu_in(n, 0)->dtype == MODEL_F32) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for float32");
    if (n->profile->habits & (EMU_POOL_TRUNC | EMU_POOL_WHOLE) || (n->profile->habits & EMU_POOL_FIRST_IMAGE && s->w.batches > 1))
        return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel pools as profile %s does", n->profile->name);
    return emu_integers_entry(n, out, NULL, NULL, 0, 0, 0, 0, s->low, s->high, e);
}

void emu_row_average_pool_2d(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run, .integers = integers}; }
void emu_row_max_pool_2d(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run, .integers = integers}; }
