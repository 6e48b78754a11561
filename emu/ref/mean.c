/* SPDX-License-Identifier: Apache-2.0
 * MEAN over constant axes. TFLite reference_ops::QuantizedMeanOrSum: the multiplier takes 1/count in before the usual double rounding.
 * LiteRT's optimized kernel (height and width, dimensions kept): the count divides a double scale, the input's zero point moves into the output's. */
#include <math.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

typedef struct mean_state {
    int32_t count, multiplier;
    int shift;
    emu_rule rule;
    int32_t in_zero, out_zero;
    size_t depth, vectors; /* LiteRT's optimized kernel: the first so many of depth channels round half up twice */
    float real;    /* s_in / (s_out count) */
    bool xnn;      /* rint(float(sum) * real + zero point) */
    bool reduced[MODEL_MAX_DIMS];
    int64_t *sums; /* [outputs] */
} mean_state;

static void fold_count(mean_state *s)
{
    int shift = 0;
    while (((int64_t)s->count >> (shift + 1)) > 0) shift++;
    if (shift > 31 + s->shift) shift = 31 + s->shift;
    s->multiplier = (int32_t)(((int64_t)s->multiplier << shift) / s->count);
    s->shift -= shift;
}

static status prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *axes = emu_in(n, 1), *out = emu_out(n, 0);
    mean_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    if ((in->dtype != MODEL_I8 && in->dtype != MODEL_I16) || in->dtype != out->dtype) return emu_unsupported_type(n, e);
    s->count = 1;
    for (size_t i = 0; i < axes->n_elems; i++) {
        int a = ((const int32_t *)axes->data)[i];
        a += a < 0 ? in->n_dims : 0;
        if (!s->reduced[a]) s->count *= in->dims[a];
        s->reduced[a] = true;
    }
    s->rule = n->profile->pointwise;
    s->sums = arena_alloc(n->mem, out->n_elems, sizeof *s->sums);
    if (!s->sums) return emu_no_memory(n, e);
    if (n->op->integer) { /* the multiplier holds 1/count already */
        const model_integer *t = n->op->integer;
        s->multiplier = t->multiplier[0];
        s->shift = t->shift[0];
        s->in_zero = t->in_zero ? t->in_zero[0] : 0;
        s->out_zero = t->out_zero ? t->out_zero[0] : 0;
        return ST_OK;
    }
    s->in_zero = emu_zero(in);
    s->out_zero = emu_zero(out);
    s->xnn = n->profile->habits & EMU_XNN_POINTWISE && in->dtype == MODEL_I8;
    s->real = s->xnn ? emu_scale(in) / emu_scale(out) * (1.0f / (float)s->count) : emu_scale(in) / (emu_scale(out) * (float)s->count);
    if (n->op->attrs.keep_dims && n->profile->habits & EMU_OPTIMIZED_MEAN && in->dtype == MODEL_I8 && in->n_dims == 4 && s->reduced[1] && s->reduced[2] && !s->reduced[0] && !s->reduced[3]) {
        float moved = (float)s->in_zero * emu_scale(in) / emu_scale(out);
        s->out_zero -= (int32_t)(moved > 0 ? moved + 0.5f : moved - 0.5f);
        s->in_zero = 0;
        s->depth = (size_t)in->dims[3];
        s->vectors = s->depth / 16 * 16;
        quant_multiplier((double)s->real, &s->multiplier, &s->shift);
        return ST_OK;
    }
    quant_multiplier((double)emu_scale(in) / (double)emu_scale(out), &s->multiplier, &s->shift);
    if (s->shift > 30 || s->count < 1) return emu_fail(n, e, ST_UNSUPPORTED, "rescaling by 2^%d over %d elements", s->shift, s->count);
    fold_count(s);
    return ST_OK;
}

static void run(emu_node *n, emu_events *ev)
{
    const mean_state *s = n->state;
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    int32_t low, high, at[MODEL_MAX_DIMS] = {0};
    emu_code_range(out, &low, &high);
    for (size_t i = 0; i < out->n_elems; i++) s->sums[i] = 0;
    for (size_t i = 0; i < in->n_elems; i++) {
        size_t to = 0;
        for (int d = 0; d < in->n_dims; d++) {
            if (!s->reduced[d]) to = to * (size_t)in->dims[d] + (size_t)at[d];
        }
        s->sums[to] += emu_load(in, emu_in_data(n, 0), i);
        for (int d = in->n_dims - 1; d >= 0 && ++at[d] == in->dims[d]; d--) at[d] = 0;
    }
    for (size_t i = 0; i < out->n_elems; i++) {
        int64_t acc = s->sums[i] - (int64_t)s->in_zero * s->count;
        emu_events_acc(ev, acc);
        int64_t v = s->xnn ? (int64_t)rintf((float)acc * s->real + (float)s->out_zero) - s->out_zero : emu_requant32(s->vectors && i % s->depth < s->vectors ? EMU_UP : s->rule, quant_wrap32(acc), s->multiplier, s->shift);
        v += s->out_zero;
        emu_store(out, emu_out_data(n, 0), i, emu_clamp(v, low, high, ev));
    }
}

static status integers(emu_node *n, emu_integers *out, err *e)
{
    const mean_state *s = n->state;
    int32_t low, high;
    if (s->xnn || s->vectors) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel computes as profile %s does here", n->profile->name);
    TRY(emu_integers_rule(n, s->rule, &out->rule, e));
    out->limit = s->count;
    emu_code_range(emu_out(n, 0), &low, &high);
    return emu_integers_entry(n, out, &s->multiplier, &s->shift, 1, s->in_zero, 0, s->out_zero, low, high, e);
}

void emu_row_mean(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run, .integers = integers}; }
