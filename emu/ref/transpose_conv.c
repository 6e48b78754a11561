/* SPDX-License-Identifier: Apache-2.0
 * TRANSPOSE_CONV: every input element is spread over the output, acc[oy s + ky - pad, ox s + kx - pad, co] += x w[co,ky,kx,ci].
 * Operands: output shape (its value must equal the tensor's static shape), weights, input, bias. TFLite
 * reference_integer_ops::TransposeConv; 16 bit keeps 64-bit sums. */
#include <string.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

typedef struct tconv_state {
    int pad_top, pad_left;
    int64_t *sums; /* [out elements of one image] */
    int32_t *multiplier;
    int *shift;
    int32_t low, high;
    double *real;  /* XNNPACK: float32 scales */
    bool wide;     /* sums and requantization of 64 bits */
    int tail;      /* EMU_OPTIMIZED: channels from here on round as the reference does */
} tconv_state;

static int padding(const emu_node *n, int big, int small, int k, int stride) /* as the forward convolution from big to small */
{
    int need = (small - 1) * stride + k - big;
    return n->op->attrs.padding == MODEL_SAME && need > 0 ? need / 2 : 0;
}

static status prepare(emu_node *n, err *e)
{
    const model_tensor *w = emu_in(n, 1), *in = emu_in(n, 2), *bias = emu_in(n, 3), *out = emu_out(n, 0);
    const model_attrs *a = &n->op->attrs;
    tconv_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    bool wide = in->dtype == MODEL_I16;
    bool bias_ok = !bias || (bias->data && (bias->dtype == MODEL_I32 || (wide && bias->dtype == MODEL_I64)));
    if (w->dtype != MODEL_I8 || !w->data || in->dtype != out->dtype || (!wide && in->dtype != MODEL_I8) || !bias_ok) return emu_unsupported_type(n, e);
    s->wide = wide && !(bias && bias->dtype == MODEL_I32);
    if (wide != s->wide && !(n->profile->habits & EMU_LITERT)) return emu_unsupported_type(n, e); /* TFLM misreads it */
    s->pad_top = padding(n, out->dims[1], in->dims[1], w->dims[1], a->stride_h);
    s->pad_left = padding(n, out->dims[2], in->dims[2], w->dims[2], a->stride_w);
    s->sums = arena_alloc(n->mem, out->n_elems, sizeof *s->sums);
    s->multiplier = arena_alloc(n->mem, (size_t)out->dims[3], sizeof *s->multiplier);
    s->shift = arena_alloc(n->mem, (size_t)out->dims[3], sizeof *s->shift);
    bool gaps = a->padding == MODEL_SAME && (w->dims[1] < a->stride_h || w->dims[2] < a->stride_w); /* XNNPACK refuses these */
    bool xnn = n->profile->conv == EMU_FLOAT_EVEN && !wide && !gaps;
    s->real = xnn ? arena_alloc(n->mem, (size_t)out->dims[3], sizeof *s->real) : NULL;
    if (!s->sums || !s->multiplier || !s->shift || (xnn && !s->real)) return emu_no_memory(n, e);
    s->tail = n->profile->habits & EMU_OPTIMIZED && !wide ? out->dims[3] / 8 * 8 : 0;
    for (int c = 0; c < out->dims[3]; c++) {
        double real = (double)emu_scale(in) * (double)w->scale[w->n_scales > 1 ? c : 0] / (double)emu_scale(out);
        quant_multiplier(real, &s->multiplier[c], &s->shift[c]);
        if (xnn) s->real[c] = (double)(emu_scale(in) * w->scale[w->n_scales > 1 ? c : 0] / emu_scale(out));
        if (s->shift[c] > (s->wide ? 7 : 30)) return emu_fail(n, e, ST_UNSUPPORTED, "channel %d rescales by %g", c, real);
    }
    return emu_activation_range(n, out, &s->low, &s->high, e);
}

static void spread(const emu_node *n, const tconv_state *s, size_t from, int32_t x, int c, int iy, int ix)
{
    const model_tensor *w = emu_in(n, 1), *out = emu_out(n, 0);
    const int8_t *weights = w->data;
    size_t image = from / ((size_t)emu_in(n, 2)->dims[1] * (size_t)emu_in(n, 2)->dims[2] * (size_t)emu_in(n, 2)->dims[3]);
    for (int ky = 0; ky < w->dims[1]; ky++) {
        int oy = iy * n->op->attrs.stride_h - s->pad_top + ky;
        for (int kx = 0; kx < w->dims[2]; kx++) {
            int ox = ix * n->op->attrs.stride_w - s->pad_left + kx;
            if (oy < 0 || oy >= out->dims[1] || ox < 0 || ox >= out->dims[2]) continue;
            int64_t *to = s->sums + ((image * (size_t)out->dims[1] + (size_t)oy) * (size_t)out->dims[2] + (size_t)ox) * (size_t)out->dims[3];
            for (int o = 0; o < out->dims[3]; o++)
                to[o] += (int64_t)x * weights[((size_t)(o * w->dims[1] + ky) * (size_t)w->dims[2] + (size_t)kx) * (size_t)w->dims[3] + (size_t)c];
        }
    }
}

static int32_t finish(const emu_node *n, const tconv_state *s, size_t i, int c, emu_events *ev)
{
    const model_tensor *bias = emu_in(n, 3);
    int64_t acc = s->sums[i], v;
    if (bias) acc += bias->dtype == MODEL_I64 ? ((const int64_t *)bias->data)[c] : ((const int32_t *)bias->data)[c];
    emu_events_acc(ev, acc);
    ev->requants++;
    if (s->wide) {
        v = quant_requant_wide(acc, s->multiplier[c], s->shift[c]);
    } else {
        ev->wraps += quant_wrap32(acc) != acc;
        v = s->real ? emu_scale_even(quant_wrap32(acc), (float)s->real[c])
                    : emu_requant32(c < s->tail ? EMU_UP : EMU_TWICE, quant_wrap32(acc), s->multiplier[c], s->shift[c]);
    }
    return emu_clamp(v + emu_zero(emu_out(n, 0)), s->low, s->high, ev);
}

static void run(emu_node *n, emu_events *ev)
{
    const tconv_state *s = n->state;
    const model_tensor *w = emu_in(n, 1), *in = emu_in(n, 2), *out = emu_out(n, 0);
    size_t i = 0;
    memset(s->sums, 0, out->n_elems * sizeof *s->sums);
    for (int b = 0; b < in->dims[0]; b++)
        for (int y = 0; y < in->dims[1]; y++)
            for (int x = 0; x < in->dims[2]; x++)
                for (int c = 0; c < in->dims[3]; c++, i++) spread(n, s, i, emu_load(in, emu_in_data(n, 2), i) - emu_zero(in), c, y, x);
    ev->macs += (uint64_t)in->n_elems * (uint64_t)(w->dims[1] * w->dims[2]) * (uint64_t)out->dims[3];
    for (size_t k = 0; k < out->n_elems; k++) emu_store(out, emu_out_data(n, 0), k, finish(n, s, k, (int)(k % (size_t)out->dims[3]), ev));
}

void emu_row_transpose_conv(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
