/* SPDX-License-Identifier: Apache-2.0
 * QUANTIZE: float32 to codes (TFLite reference_ops::AffineQuantize) or codes to codes (Requantize); DEQUANTIZE: codes to float32
 * (reference_ops::Dequantize: float32(scale * (q - zero)), the product exact in double).
 * LiteRT's optimized kernels: requantization of 8-bit codes half up twice, 16 codes at a time; float32 to int16 as rint(x / s by the
 * reciprocal); DEQUANTIZE as x s - z s in float32, 8 codes at a time. XNNPACK (qs8-vcvt): zo + (((x - zi) m + 2^7) >> 8), m = rint(256 s_in / s_out).
 * QUANTIZE with stated integers, e = the table's entry: y = clamp(requant(x - in_zero[e], m[e], s[e]) + out_zero[e], min[e], max[e]). */
#include <math.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

typedef struct quantize_state {
    int32_t multiplier;
    int shift;
    int32_t xnn;      /* XNNPACK's multiplier in 2^-8, or 0 */
    size_t vectors;   /* codes that LiteRT's vectors take, or 0 */
} quantize_state;

static bool codes(const model_tensor *t) { return t->dtype == MODEL_I8 || t->dtype == MODEL_U8 || t->dtype == MODEL_I16 || t->dtype == MODEL_I32; }

static bool eight(const model_tensor *t) { return t->dtype == MODEL_I8 || t->dtype == MODEL_U8; }

static status prepare_quantize(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    quantize_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    if (n->op->integer) return ST_OK; /* checked with the model */
    if (!codes(out) || (!codes(in) && in->dtype != MODEL_F32)) return emu_unsupported_type(n, e);
    if (in->dtype == MODEL_F32) return ST_OK;
    quant_multiplier((double)emu_scale(in) / (double)emu_scale(out), &s->multiplier, &s->shift);
    float ratio = emu_scale(in) / emu_scale(out);
    if (n->profile->habits & EMU_OPTIMIZED && eight(in) && eight(out)) s->vectors = in->n_elems / 16 * 16;
    if (n->profile->habits & EMU_XNN_POINTWISE && eight(in) && in->dtype == out->dtype && ratio >= 0x1p-8f && ratio <= 0x1p7f) s->xnn = (int32_t)lrintf(256 * ratio);
    return s->shift <= 30 ? ST_OK : emu_fail(n, e, ST_UNSUPPORTED, "rescaling by 2^%d", s->shift);
}

static void run_stated(emu_node *n, emu_events *ev)
{
    const model_integer *t = n->op->integer;
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    int e = n->entry;
    int32_t low, high, in_zero = t->in_zero ? t->in_zero[e] : 0, out_zero = t->out_zero ? t->out_zero[e] : 0;
    emu_code_range(out, &low, &high);
    if (t->out_min) low = t->out_min[e];
    if (t->out_max) high = t->out_max[e];
    for (size_t i = 0; i < in->n_elems; i++) {
        int64_t v = quant_requant_twice(emu_load(in, emu_in_data(n, 0), i) - in_zero, t->multiplier[e], t->shift[e]);
        emu_store(out, emu_out_data(n, 0), i, emu_clamp(v + out_zero, low, high, ev));
    }
}

static int64_t requantized(const quantize_state *s, size_t i, int32_t x)
{
    if (s->xnn) return (x * s->xnn + 128) >> 8;
    return i < s->vectors ? quant_requant_up(x, s->multiplier, s->shift) : quant_requant_twice(x, s->multiplier, s->shift);
}

static int32_t by_reciprocal(float x, const model_tensor *out, emu_events *ev)
{
    float v = x * (1.0f / emu_scale(out));
    return emu_clamp(v >= 0x1p31f ? INT32_MAX : v > -0x1p31f ? (int64_t)rintf(v) + emu_zero(out) : INT32_MIN, INT16_MIN, INT16_MAX, ev);
}

static void run_quantize(emu_node *n, emu_events *ev)
{
    if (n->op->integer) {
        run_stated(n, ev);
        return;
    }
    const quantize_state *s = n->state;
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    int32_t low, high;
    emu_code_range(out, &low, &high);
    size_t vectors = n->profile->habits & EMU_OPTIMIZED && out->dtype == MODEL_I16 ? in->n_elems / 8 * 8 : 0;
    for (size_t i = 0; i < in->n_elems; i++) {
        int32_t v;
        if (in->dtype == MODEL_F32) {
            float x = ((const float *)emu_in_data(n, 0))[i];
            v = i < vectors ? by_reciprocal(x, out, ev) : quant_affine(x, emu_scale(out), emu_zero(out), low, high);
        } else {
            v = emu_clamp(requantized(s, i, quant_wrap32((int64_t)emu_load(in, emu_in_data(n, 0), i) - emu_zero(in))) + emu_zero(out), low, high, ev);
        }
        emu_store(out, emu_out_data(n, 0), i, v);
    }
}

static status prepare_dequantize(emu_node *n, err *e)
{
    return codes(emu_in(n, 0)) && emu_out(n, 0)->dtype == MODEL_F32 ? ST_OK : emu_unsupported_type(n, e);
}

static void run_dequantize(emu_node *n, emu_events *ev)
{
    const model_tensor *in = emu_in(n, 0);
    float *to = emu_out_data(n, 0);
    (void)ev;
    size_t vectors = n->profile->habits & EMU_OPTIMIZED && !(n->profile->habits & EMU_XNN_POINTWISE) && in->dtype != MODEL_I32 ? in->n_elems / 8 * 8 : 0;
    float moved = -(float)emu_zero(in) * emu_scale(in);
    for (size_t i = 0; i < vectors; i++) to[i] = (float)emu_load(in, emu_in_data(n, 0), i) * emu_scale(in) + moved;
    for (size_t i = vectors; i < in->n_elems; i++)
        to[i] = (float)((double)emu_scale(in) * (double)((int64_t)emu_load(in, emu_in_data(n, 0), i) - emu_zero(in)));
}

static status integers(emu_node *n, emu_integers *out, err *e)
{
    const quantize_state *s = n->state;
    int32_t low, high;
    if (n->op->integer) return emu_integers_stated(n, out, e);
    if (emu_in(n, 0)->dtype == MODEL_F32) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for float32");
    if (s->xnn || s->vectors) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel rescales as profile %s does here", n->profile->name);
    out->rule = EMU_TWICE;
    emu_code_range(emu_out(n, 0), &low, &high);
    return emu_integers_entry(n, out, &s->multiplier, &s->shift, 1, emu_zero(emu_in(n, 0)), 0, emu_zero(emu_out(n, 0)), low, high, e);
}

void emu_row_quantize(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_quantize, .run = run_quantize, .integers = integers}; }
void emu_row_dequantize(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_dequantize, .run = run_dequantize}; }
