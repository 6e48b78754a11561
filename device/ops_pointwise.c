/* SPDX-License-Identifier: Apache-2.0
 * QUANTIZE, ADD, SOFTMAX: as emu/ref/quantize.c, elementwise.c and softmax.c state them for integers. */
#include "device/device.h"
#include "quant/fixedpoint.h"
#include "quant/requant.h"

static void put(const dev_layer *l, const dev_run *r, uint32_t i, int64_t v, const dev_limits *q)
{
    v += q->out_zero;
    dev_store(r->arena + l->out.at, l->out.type, i, v < q->low ? q->low : v > q->high ? q->high : (int32_t)v);
}

enum { MAPPED = 256 }; /* codes of 8 bits: from so many elements on, what each code becomes is computed once */

static void map8(const dev_layer *l, const dev_run *r, const dev_limits *q, dev_requant_fn *requant, int32_t m, int8_t s)
{
    const uint8_t *x = r->arena + l->in[0].at;
    uint8_t *y = r->arena + l->out.at, map[MAPPED];
    for (int32_t code = 0; code < MAPPED; code++) {
        int32_t v = l->in[0].type == DEV_I8 && code > 127 ? code - 256 : code;
        int64_t out = (int64_t)requant(quant_wrap32((int64_t)v - q->in_zero), m, s) + q->out_zero;
        map[code] = (uint8_t)(out < q->low ? q->low : out > q->high ? q->high : out);
    }
    for (uint32_t i = 0, n = l->out.n; i < n; i++) y[i] = map[x[i]];
}

void dev_quantize(const dev_layer *l, const dev_run *r)
{
    const dev_pointwise p = *(const DEV_FLASH dev_pointwise *)l->params;
    const dev_limits q = l->limits[r->entry];
    int32_t m = p.multiplier[r->entry];
    int8_t s = p.shift[r->entry];
    if (dev_type_bytes(l->in[0].type) == 1 && dev_type_bytes(l->out.type) == 1 && l->out.n > MAPPED) {
        map8(l, r, &q, p.requant, m, s);
        return;
    }
    for (uint32_t i = 0; i < l->out.n; i++)
        put(l, r, i, p.requant(quant_wrap32((int64_t)dev_load(r->arena + l->in[0].at, l->in[0].type, i) - q.in_zero), m, s), &q);
}

/* Codes of 8 bits, three columns, no loop-carried choice: rescale is a constant where this is inlined. */
static inline void add8(const dev_layer *l, const dev_run *r, const dev_limits *q, const int32_t *m, const int8_t *s, uint8_t left, dev_requant_fn *rescale)
{
    const uint8_t *x1 = r->arena + l->in[0].at, *x2 = r->arena + l->in[1].at;
    uint8_t *y = r->arena + l->out.at, turn = l->in[0].type == DEV_I8 ? 0x80 : 0, turn2 = l->in[1].type == DEV_I8 ? 0x80 : 0;
    int32_t zero1 = q->in_zero + turn, zero2 = q->in_zero2 + turn2, m0 = m[0], m1 = m[1], m2 = m[2], zero = q->out_zero, low = q->low - zero, high = q->high - zero;
    const int s0 = s[0], s1 = s[1], s2 = s[2];
    for (uint32_t i = 0, n = l->out.n; i < n; i++) { /* int8 codes are read as code + 128 */
        int32_t a = rescale((int32_t)((uint32_t)((x1[i] ^ turn) - zero1) << left), m0, s0), b = rescale((int32_t)((uint32_t)((x2[i] ^ turn2) - zero2) << left), m1, s1);
        y[i] = (uint8_t)(quant_clamp(rescale(quant_wrap32((int64_t)a + b), m2, s2), low, high) + zero);
    }
}

/* The sum of a residual block: two columns, int16 plus int16 or uint8, to 8 bits. wide, rescale: constants where this is inlined. 2^30 and 1 are 1.0. */
static inline void add16(const dev_layer *l, const dev_run *r, const dev_limits *q, const int32_t *m, const int8_t *s, bool wide, dev_requant_fn *rescale)
{
    const int16_t *x1 = (const int16_t *)(const void *)(r->arena + l->in[0].at), *x2 = (const int16_t *)(const void *)(r->arena + l->in[1].at);
    const uint8_t *codes = r->arena + l->in[1].at;
    uint8_t *y = r->arena + l->out.at;
    const int32_t m0 = m[0], m1 = m[1], one = (int32_t)1 << 30, zero = q->out_zero, low = q->low, high = q->high;
    const int s0 = s[0], s1 = s[1];
    const bool same = m0 == one && s0 == 1, same2 = m1 == one && s1 == 1;
    for (uint32_t i = 0, n = l->out.n; i < n; i++) {
        int32_t a = x1[i], b = wide ? x2[i] : codes[i];
        int64_t v = (int64_t)(same ? a : rescale(a, m0, s0)) + (same2 ? b : rescale(b, m1, s1)) + zero;
        y[i] = (uint8_t)(v < low ? low : v > high ? high : v);
    }
}

void dev_add(const dev_layer *l, const dev_run *r)
{
    const dev_pointwise p = *(const DEV_FLASH dev_pointwise *)l->params;
    const dev_limits q = l->limits[r->entry];
    const DEV_FLASH int32_t *m = p.multiplier + (uint32_t)r->entry * p.columns;
    const DEV_FLASH int8_t *s = p.shift + (uint32_t)r->entry * p.columns;
    if (p.columns == 3 && dev_type_bytes(l->in[0].type) == 1 && dev_type_bytes(l->in[1].type) == 1 && dev_type_bytes(l->out.type) == 1) {
        const int32_t ms[] = {m[0], m[1], m[2]};
        const int8_t ss[] = {s[0], s[1], s[2]};
        if (p.requant == dev_requant_twice) add8(l, r, &q, ms, ss, p.left_shift, quant_requant_twice);
        else add8(l, r, &q, ms, ss, p.left_shift, quant_requant_once);
        return;
    }
    if (p.columns == 2 && l->in[0].type == DEV_I16 && (l->in[1].type == DEV_I16 || l->in[1].type == DEV_U8) && dev_type_bytes(l->out.type) == 1) {
        const int32_t ms[] = {m[0], m[1]};
        const int8_t ss[] = {s[0], s[1]};
        bool twice = p.requant == dev_requant_twice;
        if (l->in[1].type == DEV_I16 && twice) add16(l, r, &q, ms, ss, true, quant_requant_twice);
        else if (l->in[1].type == DEV_I16) add16(l, r, &q, ms, ss, true, quant_requant_once);
        else if (twice) add16(l, r, &q, ms, ss, false, quant_requant_twice);
        else add16(l, r, &q, ms, ss, false, quant_requant_once);
        return;
    }
    for (uint32_t i = 0; i < l->out.n; i++) {
        int32_t a = dev_load(r->arena + l->in[0].at, l->in[0].type, i) - q.in_zero;
        int32_t b = dev_load(r->arena + l->in[1].at, l->in[1].type, i) - q.in_zero2;
        a = p.requant(quant_wrap32((int64_t)a * ((int64_t)1 << p.left_shift)), m[0], s[0]);
        b = p.requant(quant_wrap32((int64_t)b * ((int64_t)1 << p.left_shift)), m[1], s[1]);
        put(l, r, i, p.columns == 2 ? (int64_t)a + b : p.requant(quant_wrap32((int64_t)a + b), m[2], s[2]), &q);
    }
}

/* Along the last dimension, 8-bit codes in, 8 or 16 out. */
void dev_softmax(const dev_layer *l, const dev_run *r)
{
    const dev_pointwise p = *(const DEV_FLASH dev_pointwise *)l->params;
    const dev_limits q = l->limits[0];
    const uint8_t *in = r->arena + l->in[0].at;
    int32_t *exps = (int32_t *)(void *)(r->arena + p.scratch);
    uint32_t depth = l->in[0].n_dims ? l->in[0].dims[l->in[0].n_dims - 1] : 1;
    for (uint32_t row = 0; row < l->in[0].n; row += depth) {
        int32_t most = INT32_MIN, sum = 0;
        for (uint32_t i = 0; i < depth; i++) {
            int32_t x = dev_load(in, l->in[0].type, row + i);
            most = x > most ? x : most;
        }
        for (uint32_t i = 0; i < depth; i++) {
            int32_t d = dev_load(in, l->in[0].type, row + i) - most;
            exps[i] = d < p.limit ? -1 : quant_exp_negative(p.requant(d, p.multiplier[0], p.shift[0]), 5);
            if (exps[i] >= 0) sum = quant_wrap32((int64_t)sum + quant_divide_pot(exps[i], 12)); /* Q12.19 */
        }
        int head = quant_clz32((uint32_t)sum), shift = 12 - head + (l->out.type == DEV_I16 ? 15 : 23);
        int32_t scale = quant_one_over_one_plus(quant_wrap32(((int64_t)sum << head) - ((int64_t)1 << 31)));
        for (uint32_t i = 0; i < depth; i++) {
            int32_t v = exps[i] < 0 ? 0 : quant_divide_pot(quant_doubling_high_mul(scale, exps[i]), shift);
            dev_store(r->arena + l->out.at, l->out.type, row + i, quant_clamp(v + q.low, q.low, q.high));
        }
    }
}
