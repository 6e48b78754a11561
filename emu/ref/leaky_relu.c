/* SPDX-License-Identifier: Apache-2.0
 * LEAKY_RELU on int8 and int16: x >= 0: requant(x - zi, s_in / s_out), else requant(x - zi, alpha s_in / s_out); + zo. TFLite
 * reference_ops::QuantizeLeakyRelu. XNNPACK (qs8-vlrelu): zo + (((x - zi) m + 2^7) >> 8), m = rint(256 s_in / s_out), times alpha below zero. */
#include <math.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

typedef struct leaky_state {
    int32_t m[2]; /* identity, alpha (its sign apart) */
    int s[2];
    bool negative_alpha;
    int32_t xnn[2]; /* in 2^-8, alpha with its sign; xnn[0] = 0: not XNNPACK's */
} leaky_state;

/* What XNNPACK takes; the rest stays with the built-in kernel. */
static void xnn_multipliers(leaky_state *s, float ratio, float alpha)
{
    float negative = ratio * alpha;
    if (ratio < 0x1p-8f || ratio > 0x1p7f || negative > 0x1p7f || negative < -127.99609375f || fabsf(negative) < 0x1p-8f) return;
    s->xnn[0] = (int32_t)lrintf(256 * ratio);
    s->xnn[1] = (int32_t)lrintf(256 * negative);
}

static status prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    leaky_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    if (in->dtype != out->dtype || (in->dtype != MODEL_I8 && in->dtype != MODEL_I16)) return emu_unsupported_type(n, e);
    bool in_float = n->profile->habits & EMU_FLOAT_RATIO;
    double ratio = in_float ? (double)(emu_scale(in) / emu_scale(out)) : (double)emu_scale(in) / (double)emu_scale(out), alpha = in_float ? (double)(emu_scale(in) * n->op->attrs.alpha / emu_scale(out)) : (double)emu_scale(in) * (double)n->op->attrs.alpha / (double)emu_scale(out);
    if (n->profile->habits & EMU_XNN_POINTWISE && in->dtype == MODEL_I8) xnn_multipliers(s, emu_scale(in) / emu_scale(out), n->op->attrs.alpha);
    s->negative_alpha = alpha < 0;
    quant_multiplier(ratio, &s->m[0], &s->s[0]);
    quant_multiplier(s->negative_alpha ? -alpha : alpha, &s->m[1], &s->s[1]);
    return s->s[0] <= 30 && s->s[1] <= 30 ? ST_OK : emu_fail(n, e, ST_UNSUPPORTED, "rescaling by %g", ratio);
}

static void run(emu_node *n, emu_events *ev)
{
    const leaky_state *s = n->state;
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    int32_t low, high;
    emu_code_range(out, &low, &high);
    for (size_t i = 0; i < in->n_elems; i++) {
        int32_t x = emu_load(in, emu_in_data(n, 0), i) - emu_zero(in), k = x < 0;
        if (s->xnn[0]) {
            emu_store(out, emu_out_data(n, 0), i, emu_clamp(((x * s->xnn[k] + 128) >> 8) + emu_zero(out), low, high, ev));
            continue;
        }
        int32_t m = k && s->negative_alpha ? -s->m[1] : s->m[k];
        emu_store(out, emu_out_data(n, 0), i, emu_clamp((int64_t)quant_requant_twice(x, m, s->s[k]) + emu_zero(out), low, high, ev));
    }
}

void emu_row_leaky_relu(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
