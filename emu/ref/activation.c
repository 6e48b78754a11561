/* SPDX-License-Identifier: Apache-2.0
 * LOGISTIC. int8: TFLite reference_integer_ops::Logistic: the input in Q4.27, gemmlowp's logistic, output 2^-8 with zero point -128.
 * int16: by table with interpolation, output Q0.15 (quant_logistic_lut). float32: reference_ops::Logistic. */
#include <math.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/fixedpoint.h"
#include "quant/fixedpoint16.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

typedef struct logistic_state {
    int32_t multiplier, radius;
    int shift;
    uint16_t table[256]; /* int16 */
} logistic_state;

static status prepare8(const emu_node *n, logistic_state *s, err *e)
{
    double scale = (double)emu_scale(emu_in(n, 0));
    quant_multiplier(scale * (double)(1 << 27), &s->multiplier, &s->shift);
    if (s->shift < 0 || s->shift > 30) return emu_fail(n, e, ST_UNSUPPORTED, "input scale %g", scale);
    s->radius = (int32_t)floor(15.0 * (double)(1 << 27) / ldexp(1, s->shift));
    return ST_OK;
}

/* x 3 is the table's position when the scale is 2^-12, found by a logarithm within 0.001 as TFLite's CheckedLog2 does. Any other scale
 * is brought there by a multiplier of up to 15 bits and a right shift. */
static status prepare16(const emu_node *n, logistic_state *s, err *e)
{
    float scale = emu_scale(emu_in(n, 0)), log2 = logf(scale) * (1.0f / logf(2.0f));
    quant_sigmoid_table(s->table);
    s->multiplier = 3;
    if (roundf(log2) == -12.0f && fabsf(log2 + 12.0f) < 1e-3f) return ST_OK;
    double m = (double)scale * 4096 * 3;
    while (m <= 32767.0 / 2 && s->shift <= 30) {
        s->shift++;
        m *= 2;
    }
    if (m >= 65536) return emu_fail(n, e, ST_UNSUPPORTED, "input scale %g leaves 32 bits", (double)scale);
    s->multiplier = (int32_t)m;
    return ST_OK;
}

static status prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0);
    logistic_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    if (in->dtype != emu_out(n, 0)->dtype) return emu_unsupported_type(n, e);
    if (in->dtype == MODEL_F32) return ST_OK;
    if (in->dtype == MODEL_I16) return prepare16(n, s, e);
    return in->dtype == MODEL_I8 ? prepare8(n, s, e) : emu_unsupported_type(n, e);
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
            ((float *)y)[i] = logistic32(((const float *)x)[i]);
        else if (in->dtype == MODEL_I16)
            ((int16_t *)y)[i] = quant_logistic_lut(((const int16_t *)x)[i], s->multiplier, s->shift, s->table);
        else
            ((int8_t *)y)[i] = logistic8(s, ((const int8_t *)x)[i] - emu_zero(in), ev);
    }
}

void emu_row_logistic(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
