/* SPDX-License-Identifier: Apache-2.0
 * LOGISTIC, TANH, HARD_SWISH. LOGISTIC int8: TFLite reference_integer_ops::Logistic: the input in Q4.27, gemmlowp's logistic, output 2^-8 with zero point -128.
 * int16: by table with interpolation, output Q0.15 (quant_logistic_lut). float32: reference_ops::Logistic.
 * TANH alike: Q4.27 and 2^-7, zero point 0. HARD_SWISH int8: reference_ops::HardSwish, 16-bit fixed point. */
#include <math.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/fixedpoint.h"
#include "quant/fixedpoint16.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

typedef struct logistic_state {
    bool tanh, gemmlowp16;
    int32_t zero, multiplier, radius;
    int shift;
    uint16_t table[256]; /* int16 */
    int8_t lut[256];     /* EMU_FLOAT_LUT */
    bool use_lut;
} logistic_state;

static status prepare8(const emu_node *n, logistic_state *s, err *e)
{
    double scale = (double)emu_scale(emu_in(n, 0));
    quant_multiplier(scale * (double)(1 << 27), &s->multiplier, &s->shift);
    if (s->shift < 0 || s->shift > 30) return emu_fail(n, e, ST_UNSUPPORTED, "input scale %g", scale);
    s->radius = (int32_t)floor(15.0 * (double)(1 << 27) / ldexp(1, s->shift));
    return ST_OK;
}

/* TFLite's CheckedLog2: the power of two within 0.1 % of the scale's logarithm that the operator has a path for (2^-12; tanh 2^-11 too), else 0. */
static int near_power(float scale, bool tanh)
{
    float log2 = logf(scale) * (1.0f / logf(2.0f)), power = roundf(log2);
    return fabsf(log2 - power) < 1e-3f && (power == -12.0f || (tanh && power == -11.0f)) ? (int)power : 0;
}

/* x 3 is the table's position when the scale is 2^-12 (x 6 at 2^-11). Any other scale is brought there by a multiplier of up to 15 bits and a
 * right shift. */
static status prepare16(const emu_node *n, logistic_state *s, err *e)
{
    float scale = emu_scale(emu_in(n, 0));
    int power = near_power(scale, s->tanh);
    quant_sigmoid_table(s->table);
    s->multiplier = power ? 3 << (power + 12) : 0;
    if (power) return ST_OK;
    double m = (double)scale * 4096 * 3;
    while (m <= 32767.0 / 2 && s->shift <= 30) {
        s->shift++;
        m *= 2;
    }
    if (m >= 65536) return emu_fail(n, e, ST_UNSUPPORTED, "input scale %g leaves 32 bits", (double)scale);
    s->multiplier = (int32_t)m;
    return ST_OK;
}

/* LiteRT's optimized kernels: gemmlowp's 16-bit fixed point where the input's scale is a power of two, else the table. */
static status prepare_gemmlowp16(const emu_node *n, logistic_state *s, err *e)
{
    int power = near_power(emu_scale(emu_in(n, 0)), s->tanh);
    if (!power) return prepare16(n, s, e);
    s->gemmlowp16 = true;
    s->shift = power + 12;
    return ST_OK;
}

/* ESP-NN, LiteRT: clamp(roundf(f((q - zero) scale) / output scale) + output zero point), made once in float32; the output's quantization is fixed.
 * even: XNNPACK adds the zero point first and rounds ties to even. */
static void float_lut(logistic_state *s, float scale, bool even)
{
    s->use_lut = true;
    for (int q = -128; q < 128; q++) {
        float x = (float)(q - s->zero) * scale;
        float y = s->tanh ? 128.0f * tanhf(x) : 256.0f * (1.0f / (1.0f + expf(-x))), zero = s->tanh ? 0.0f : -128.0f;
        y = even ? rintf(y + zero) : roundf(y) + zero;
        s->lut[q + 128] = (int8_t)(y > 127.0f ? 127 : y);
    }
}

static status prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0);
    const model_integer *t = n->op->integer;
    logistic_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    s->tanh = n->op->code == MODEL_TANH_OP;
    s->zero = t ? (t->in_zero ? t->in_zero[0] : 0) : emu_zero(in);
    if (t && (in->dtype == MODEL_I8 || in->dtype == MODEL_I16)) {
        quant_sigmoid_table(s->table);
        s->multiplier = t->multiplier[0];
        s->shift = in->dtype == MODEL_I8 ? t->shift[0] : -t->shift[0]; /* int16: a right shift */
        s->radius = (int32_t)floor(15.0 * (double)(1 << 27) / ldexp(1, s->shift));
        return ST_OK;
    }
    if (in->dtype == MODEL_I16 && n->profile->habits & EMU_GEMMLOWP16) return prepare_gemmlowp16(n, s, e);
    if (in->dtype == MODEL_I8 && n->profile->habits & EMU_FLOAT_LUT) {
        float_lut(s, emu_scale(in), n->profile->habits & EMU_XNN_POINTWISE);
        return ST_OK;
    }
    if (in->dtype != emu_out(n, 0)->dtype) return emu_unsupported_type(n, e);
    if (in->dtype == MODEL_F32) return ST_OK;
    if (in->dtype == MODEL_I16) return prepare16(n, s, e);
    return in->dtype == MODEL_I8 ? prepare8(n, s, e) : emu_unsupported_type(n, e);
}

static int8_t tanh8(const logistic_state *s, int32_t v, emu_events *ev)
{
    if (v <= -s->radius) return INT8_MIN;
    if (v >= s->radius) return INT8_MAX;
    int32_t y = quant_tanh(quant_requant_twice(v, s->multiplier, s->shift), 4);
    return (int8_t)emu_clamp(quant_divide_pot(y, 24), INT8_MIN, INT8_MAX, ev);
}

static int16_t one16(const logistic_state *s, int16_t x)
{
    if (s->gemmlowp16) return s->tanh ? quant_tanh16((int16_t)quant_clamp((int32_t)x * (1 << s->shift), INT16_MIN, INT16_MAX), 3) : quant_logistic16(x, 3);
    return s->tanh ? quant_tanh_lut(x, s->multiplier, s->shift, s->table) : quant_logistic_lut(x, s->multiplier, s->shift, s->table);
}

static int8_t logistic8(const logistic_state *s, int32_t v, emu_events *ev)
{
    if (v <= -s->radius) return INT8_MIN;
    if (v >= s->radius) return INT8_MAX;
    int32_t y = quant_logistic(quant_requant_twice(v, s->multiplier, s->shift), 4);
    return (int8_t)emu_clamp((int64_t)quant_divide_pot(y, 23) - 128, INT8_MIN, INT8_MAX, ev);
}

static float logistic32(float x)
{
    if (x > 16.619047164916992188f) return 1; /* from there 1 + e^-x rounds to 1 */
    return x < -9 ? expf(x) : 1 / (1 + expf(-x));
}

static void run(emu_node *n, emu_events *ev)
{
    const logistic_state *s = n->state;
    const model_tensor *in = emu_in(n, 0);
    const void *x = emu_in_data(n, 0);
    void *y = emu_out_data(n, 0);
    for (size_t i = 0; i < in->n_elems; i++) {
        if (in->dtype == MODEL_F32)
            ((float *)y)[i] = s->tanh ? tanhf(((const float *)x)[i]) : logistic32(((const float *)x)[i]);
        else if (in->dtype == MODEL_I16)
            ((int16_t *)y)[i] = one16(s, ((const int16_t *)x)[i]);
        else if (s->use_lut)
            ((int8_t *)y)[i] = s->lut[((const int8_t *)x)[i] + 128];
        else
            ((int8_t *)y)[i] = s->tanh ? tanh8(s, ((const int8_t *)x)[i] - s->zero, ev) : logistic8(s, ((const int8_t *)x)[i] - s->zero, ev);
    }
}

void emu_row_logistic(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
void emu_row_tanh(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
