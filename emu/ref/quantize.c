/* SPDX-License-Identifier: Apache-2.0
 * QUANTIZE: float32 to codes (TFLite reference_ops::AffineQuantize) or codes to codes (Requantize); DEQUANTIZE: codes to float32
 * (reference_ops::Dequantize: float32(scale * (q - zero)), the product exact in double).
 * QUANTIZE with stated integers, e = the table's entry: y = clamp(requant(x - in_zero[e], m[e], s[e]) + out_zero[e], min[e], max[e]). */
#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

typedef struct quantize_state {
    int32_t multiplier;
    int shift;
} quantize_state;

static bool codes(const model_tensor *t) { return t->dtype == MODEL_I8 || t->dtype == MODEL_U8 || t->dtype == MODEL_I16 || t->dtype == MODEL_I32; }

static status prepare_quantize(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    quantize_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    if (n->op->integer) return ST_OK; /* checked with the model */
    if (!codes(out) || (!codes(in) && in->dtype != MODEL_F32)) return emu_unsupported_type(n, e);
    if (in->dtype == MODEL_F32) return ST_OK;
    quant_multiplier((double)emu_scale(in) / (double)emu_scale(out), &s->multiplier, &s->shift);
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
    for (size_t i = 0; i < in->n_elems; i++) {
        int32_t v;
        if (in->dtype == MODEL_F32)
            v = quant_affine(((const float *)emu_in_data(n, 0))[i], emu_scale(out), emu_zero(out), low, high);
        else
            v = emu_clamp((int64_t)quant_requant_twice(quant_wrap32((int64_t)emu_load(in, emu_in_data(n, 0), i) - emu_zero(in)), s->multiplier, s->shift) +
                          emu_zero(out), low, high, ev);
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
    for (size_t i = 0; i < in->n_elems; i++)
        to[i] = (float)((double)emu_scale(in) * (double)((int64_t)emu_load(in, emu_in_data(n, 0), i) - emu_zero(in)));
}

void emu_row_quantize(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_quantize, .run = run_quantize}; }
void emu_row_dequantize(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_dequantize, .run = run_dequantize}; }
