/* SPDX-License-Identifier: Apache-2.0
 * LOGISTIC on int8: TFLite reference_integer_ops::Logistic: the input in Q4.27, gemmlowp's logistic, output 2^-8 with zero point -128. */
#include <math.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/fixedpoint.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

typedef struct logistic_state {
    int32_t multiplier, radius;
    int shift;
} logistic_state;

static status prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0);
    logistic_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    if (in->dtype != MODEL_I8 || emu_out(n, 0)->dtype != MODEL_I8) return emu_unsupported_type(n, e);
    quant_multiplier((double)emu_scale(in) * (double)(1 << 27), &s->multiplier, &s->shift);
    if (s->shift < 0 || s->shift > 30) return emu_fail(n, e, ST_UNSUPPORTED, "input scale %g", (double)emu_scale(in));
    s->radius = (int32_t)floor(15.0 * (double)(1 << 27) / ldexp(1, s->shift));
    return ST_OK;
}

static void run(emu_node *n, emu_events *ev)
{
    const logistic_state *s = n->state;
    const model_tensor *in = emu_in(n, 0);
    const int8_t *x = emu_in_data(n, 0);
    int8_t *y = emu_out_data(n, 0);
    for (size_t i = 0; i < in->n_elems; i++) {
        int32_t v = x[i] - emu_zero(in);
        if (v <= -s->radius)
            y[i] = INT8_MIN;
        else if (v >= s->radius)
            y[i] = INT8_MAX;
        else
            y[i] = (int8_t)emu_clamp((int64_t)quant_divide_pot(quant_logistic(quant_requant_twice(v, s->multiplier, s->shift), 4), 23) - 128, INT8_MIN,
                                     INT8_MAX, ev);
    }
}

void emu_row_logistic(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
