/* SPDX-License-Identifier: Apache-2.0
 * SVDF with int8 weights: a matrix of features, a short memory per filter, a weighting over time. TFLite Micro EvalIntegerSVDF with
 * int8 state (zero point kept) or int16 state:
 *   state shifts by one; newest = clamp(requant(sum (x - zx) w_feature, sx wf / ss) + zs)
 *   out = clamp(requant(bias + sum over rank of sum over memory (state - zs) w_time, ss wt / so) + zo) */
#include <string.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

typedef struct svdf_state {
    int batches, inputs, filters, memory, units, rank;
    int32_t m1, m2;
    int s1, s2;
} svdf_state;

static status prepare(emu_node *n, err *e)
{
    const model_tensor *x = emu_in(n, 0), *f = emu_in(n, 1), *t = emu_in(n, 2), *bias = emu_in(n, 3), *memory = emu_in(n, 4), *y = emu_out(n, 0);
    svdf_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    bool known = x->dtype == MODEL_I8 && f->dtype == MODEL_I8 && (t->dtype == MODEL_I8 || t->dtype == MODEL_I16) && y->dtype == MODEL_I8 &&
                 (memory->dtype == MODEL_I8 || memory->dtype == MODEL_I16) && (!bias || bias->dtype == MODEL_I32);
    if (n->profile->habits & EMU_LITERT && memory->dtype != MODEL_I16) known = false;
    if (!known) return emu_unsupported_type(n, e);
    *s = (svdf_state){.batches = x->dims[0], .inputs = x->dims[1], .filters = f->dims[0], .memory = t->dims[1], .rank = n->op->attrs.rank};
    s->units = s->filters / s->rank;
    /* float32 products, as the library makes them */
    quant_multiplier((double)(emu_scale(x) * emu_scale(f) / emu_scale(memory)), &s->m1, &s->s1);
    quant_multiplier((double)(emu_scale(memory) * emu_scale(t) / emu_scale(y)), &s->m2, &s->s2);
    return s->s1 <= 30 && s->s2 <= 30 ? ST_OK : emu_fail(n, e, ST_UNSUPPORTED, "rescaling by 2^%d, 2^%d", s->s1, s->s2);
}

static int32_t finished(int64_t acc, int32_t m, int shift, emu_events *ev)
{
    emu_events_acc(ev, acc);
    ev->requants++;
    ev->wraps += quant_wrap32(acc) != acc;
    return quant_requant_twice(quant_wrap32(acc), m, shift);
}

static void remember(const emu_node *n, const svdf_state *s, emu_events *ev)
{
    const model_tensor *x = emu_in(n, 0), *memory = emu_in(n, 4);
    const int8_t *p = emu_in_data(n, 0), *w = emu_in(n, 1)->data;
    char *state = emu_in_data(n, 4);
    size_t unit = model_dtype_bytes(memory->dtype);
    int32_t low, high, zero = memory->dtype == MODEL_I8 ? emu_zero(memory) : 0;
    emu_code_range(memory, &low, &high);
    memmove(state, state + unit, (memory->n_elems - 1) * unit);
    for (int b = 0; b < s->batches; b++)
        for (int f = 0; f < s->filters; f++) {
            int64_t acc = 0;
            for (int i = 0; i < s->inputs; i++) acc += (int64_t)w[f * s->inputs + i] * (p[b * s->inputs + i] - emu_zero(x));
            size_t at = ((size_t)b * (size_t)s->filters + (size_t)f) * (size_t)s->memory + (size_t)s->memory - 1;
            emu_store(memory, state, at, emu_clamp((int64_t)finished(acc, s->m1, s->s1, ev) + zero, low, high, ev));
        }
}

static void recall(const emu_node *n, const svdf_state *s, emu_events *ev)
{
    const model_tensor *t = emu_in(n, 2), *memory = emu_in(n, 4);
    const int32_t *bias = emu_in(n, 3) ? emu_in_data(n, 3) : NULL;
    const void *state = emu_in_data(n, 4);
    int8_t *y = emu_out_data(n, 0);
    int32_t zero = memory->dtype == MODEL_I8 ? emu_zero(memory) : 0;
    for (int b = 0; b < s->batches; b++)
        for (int u = 0; u < s->units; u++) {
            int64_t acc = bias ? bias[u] : 0;
            for (int k = 0; k < s->rank * s->memory; k++) {
                size_t w = (size_t)u * (size_t)(s->rank * s->memory) + (size_t)k;
                acc += (int64_t)emu_load(t, t->data, w) * (emu_load(memory, state, (size_t)b * (size_t)(s->filters * s->memory) + w) - zero);
            }
            *y++ = (int8_t)emu_clamp((int64_t)finished(acc, s->m2, s->s2, ev) + emu_zero(emu_out(n, 0)), INT8_MIN, INT8_MAX, ev);
        }
}

static void run(emu_node *n, emu_events *ev)
{
    const svdf_state *s = n->state;
    remember(n, s, ev);
    recall(n, s, ev);
    ev->macs += (uint64_t)s->batches * (uint64_t)s->filters * (uint64_t)(s->inputs + s->memory);
}

void emu_row_svdf(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
