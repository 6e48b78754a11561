/* SPDX-License-Identifier: Apache-2.0
 * HARD_SWISH int8, 16-bit fixed point: TFLite reference_ops::HardSwish, ESP-NN esp_nn_hard_swish_s8.
 *   v = (x - z) 2^7; out = v in the output's scale (16-bit multiplier); r = clamp of v in units of 2^15 / 3, to [-1, 1);
 *   y = (((r + 2^15) >> 1) out / 2^15 towards zero) / 2^k half away + zo */
#include <math.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

typedef struct hard_swish_state {
    int32_t zero, out_zero;
    int32_t out_m, relu_m; /* 16 bits */
    int out_s, relu_s;
} hard_swish_state;

/* Stated integers: multiplier [out, relu] in 16 bits, shift alike. */
static status prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    const model_integer *t = n->op->integer;
    hard_swish_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    if (in->dtype != MODEL_I8 || out->dtype != MODEL_I8) return emu_unsupported_type(n, e);
    if (t) {
        *s = (hard_swish_state){t->in_zero[0], t->out_zero[0], t->multiplier[0], t->multiplier[1], t->shift[0], t->shift[1]};
        return ST_OK;
    }
    s->zero = emu_zero(in);
    s->out_zero = emu_zero(out);
    float fine = emu_scale(in) / 128.0f;
    quant_multiplier((double)(fine / emu_scale(out)), &s->out_m, &s->out_s);
    quant_multiplier((double)(fine / (3.0f / 32768.0f)), &s->relu_m, &s->relu_s);
    s->out_m = quant_reduce_multiplier(s->out_m);
    s->relu_m = quant_reduce_multiplier(s->relu_m);
    return s->out_s <= 0 ? ST_OK : emu_fail(n, e, ST_UNSUPPORTED, "the output's scale is too fine for the fixed-point kernel");
}

static int32_t saturate(int64_t v) { return v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : (int32_t)v; }
/* floor((a b + 2^14) / 2^15), saturating: gemmlowp SaturatingRoundingDoublingHighMul for 16 bits. */
static int32_t high_mul(int32_t a, int32_t b) { return a == INT16_MIN && b == INT16_MIN ? INT16_MAX : (int32_t)(((int64_t)a * b + (1 << 14)) >> 15); }

/* gemmlowp RoundingDivideByPOT on int16: from 2^16 on its mask, cut to 16 bits, is -1, and every value rounds away from zero. */
static int32_t divide16(int32_t x, int e) { return e < 16 ? quant_divide_pot(x, e) : x < 0 ? -1 : 1; }

static int32_t one(const hard_swish_state *s, int32_t x)
{
    int32_t v = (x - s->zero) * 128, out = high_mul(v, s->out_m), r = v;
    if (s->relu_s > 0) r = saturate((int64_t)r * (1 << (s->relu_s - 1)));
    r = high_mul(r, s->relu_m);
    if (s->relu_s > 0) r = saturate((int64_t)r * 2);
    if (s->relu_s < 0) r = divide16(r, -s->relu_s);
    r = (r + (1 << 15)) >> 1;
    int64_t p = (int64_t)r * out;
    return divide16((int32_t)(p / (1 << 15)), -s->out_s) + s->out_zero;
}

static void run(emu_node *n, emu_events *ev)
{
    const int8_t *x = emu_in_data(n, 0);
    int8_t *y = emu_out_data(n, 0);
    for (size_t i = 0; i < emu_in(n, 0)->n_elems; i++) y[i] = (int8_t)emu_clamp(one(n->state, x[i]), INT8_MIN, INT8_MAX, ev);
}

void emu_row_hard_swish(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
