/* SPDX-License-Identifier: Apache-2.0
 * ADD and MUL with broadcasting. Integer rules of TFLite reference_integer_ops:
 *   ADD: a = requant((x1 - z1) 2^L, m1), b alike, y = requant(a + b, mo) + zo, L = 20 (8 bit) or 15 (16 bit);
 *        t = 2 max(s1, s2); m1 = s1/t, m2 = s2/t, mo = t / (2^L so)
 *   MUL: y = requant((x1 - z1)(x2 - z2), s1 s2 / so) + zo
 * requant is the profile's pointwise rule. Stated integers, e = the table's entry: one column (MUL) or three (ADD) are the multipliers above;
 * ADD with two columns lets its operands lie on any scales and ignores the profile's rule:
 *   y = clamp(requant(x1, m[e][0], s[e][0]) + requant(x2, m[e][1], s[e][1]) + out_zero[e], min[e], max[e]), requant as TFLite's
 * XNNPACK (qs8-vadd, qs8-vmul):
 *   ADD: y = (a m1 + b m2 - z1 m1 - z2 m2 + 2^(k-1)) >> k, m = rint(s / so 2^k), k = 20 - exponent of the larger ratio
 *   MUL: rint(float(product) * float(s1 s2 / so))
 * 8-bit ADD of EMU_ADD_APART: y = requant(x1 - z1, s1 / so) + requant(x2 - z2, s2 / so) + zo
 * 8-bit ADD of EMU_ADD_Q16: y = (x1 m1 + x2 m2 + c + 2^15) >> 16, m = rint(s / so 2^16), c = rint((zo - z1 s1 / so - z2 s2 / so) 2^16)
 * TinyEngine (add_fpreq): round half away((a s1 + b s2) / so + zo), all in float32. */
#include <math.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

typedef struct binary_state {
    int32_t m[3];  /* input 0, input 1, output */
    int s[3];
    int left;      /* ADD: L */
    int64_t start; /* EMU_ADD_Q16: c - zo 2^16 for codes less their zero points, and the half */
    float f[3];    /* s1, s2, so where the rule is float; MUL: f[2] = s1 s2 / so */
    int32_t zero[3];
    int32_t low, high;
    float low_f, high_f;
    bool xnn;        /* XNNPACK's kernel: it takes 8 bits, and scales that are not too far apart */
    bool same;       /* the operands have one shape */
    size_t run;      /* LiteRT's vectors go over runs of this many results, ... */
    size_t vectors;  /* ... and take the first so many of each: 16 bits hold the result and its sum with the zero point */
    const model_integer *apart; /* ADD of operands requantized one by one, or NULL */
    size_t stride[2][MODEL_MAX_DIMS]; /* elements per step of each output dimension; 0 = broadcast */
} binary_state;

static void strides(const model_tensor *in, const model_tensor *out, size_t *stride)
{
    size_t step = 1;
    for (int d = out->n_dims - 1, k = in->n_dims - 1; d >= 0; d--, k--) {
        stride[d] = k >= 0 && in->dims[k] != 1 ? step : 0;
        step *= k >= 0 ? (size_t)in->dims[k] : 1;
    }
}

static bool xnn_add(binary_state *s, float s1, float s2, float so)
{
    int e1, e2;
    (void)frexpf(s1 / so, &e1);
    (void)frexpf(s2 / so, &e2);
    s->left = 20 - ((e1 > e2 ? e1 : e2) - 1); /* the larger multiplier lies in [2^20, 2^21) */
    s->m[0] = (int32_t)lrintf(ldexpf(s1 / so, s->left));
    s->m[1] = (int32_t)lrintf(ldexpf(s2 / so, s->left));
    return s->left >= 12 && s->left <= 31;
}

static bool xnn_takes(const emu_node *n, binary_state *s)
{
    if (n->op->code == MODEL_MUL) return s->f[2] >= 0x1p-16f && s->f[2] < 0x1p8f;
    for (int i = 0; i < 2; i++) {
        if (s->f[i] / s->f[2] < 0x1p-10f || s->f[i] / s->f[2] >= 0x1p8f) return false;
    }
    return xnn_add(s, s->f[0], s->f[1], s->f[2]);
}

/* Operands of one shape go 16 at a time, a scalar operand 16 (MUL) or 8 (ADD) at a time. */
static void in_vectors(binary_state *s, bool mul, const model_tensor *a, const model_tensor *b, const model_tensor *out)
{
    bool same = a->n_dims == b->n_dims;
    for (int d = 0; same && d < a->n_dims; d++) same = a->dims[d] == b->dims[d];
    size_t step = same || mul ? 16 : 8;
    s->same = same;
    s->run = out->n_elems;
    if (same || a->n_elems == 1 || b->n_elems == 1) s->vectors = s->run / step * step;
}

static int64_t wrap16(int64_t v) { return (int64_t)(((uint64_t)v + 0x8000) & 0xFFFF) - 0x8000; }

static bool q16_add(binary_state *s, double r1, double r2)
{
    if (r1 >= 32768 || r2 >= 32768) return false;
    s->m[0] = (int32_t)lrint(ldexp(r1, 16));
    s->m[1] = (int32_t)lrint(ldexp(r2, 16));
    int64_t c = llrint(ldexp(-s->zero[0] * r1 - s->zero[1] * r2, 16));
    s->start = c + (int64_t)s->zero[0] * s->m[0] + (int64_t)s->zero[1] * s->m[1] + (1 << 15);
    return true;
}

/* Native layers: three multipliers for ADD, one for MUL. */
static status stated(emu_node *n, binary_state *s)
{
    const model_integer *t = n->op->integer;
    bool add = n->op->code == MODEL_ADD;
    for (int i = 0; i < t->n_channels; i++) {
        s->m[add ? i : 2] = t->multiplier[i];
        s->s[add ? i : 2] = t->shift[i];
    }
    s->left = t->left_shift;
    s->zero[0] = t->in_zero ? t->in_zero[0] : 0;
    s->zero[1] = t->in_zero2 ? t->in_zero2[0] : 0;
    s->zero[2] = t->out_zero ? t->out_zero[0] : 0;
    emu_code_range(emu_out(n, 0), &s->low, &s->high);
    if (t->out_min) s->low = t->out_min[0];
    if (t->out_max) s->high = t->out_max[0];
    return ST_OK;
}

static status prepare(emu_node *n, err *e)
{
    const model_tensor *x1 = emu_in(n, 0), *x2 = emu_in(n, 1), *out = emu_out(n, 0);
    binary_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    strides(x1, out, s->stride[0]);
    strides(x2, out, s->stride[1]);
    if (n->op->code == MODEL_ADD && n->op->integer && n->op->integer->n_channels == 2) {
        s->apart = n->op->integer; /* checked with the model */
        return ST_OK;
    }
    emu_activation_range_f32(n->op->attrs.activation, &s->low_f, &s->high_f);
    if (x1->dtype != x2->dtype || x1->dtype != out->dtype) return emu_unsupported_type(n, e);
    if (x1->dtype == MODEL_F32) return ST_OK;
    if (x1->dtype != MODEL_I8 && x1->dtype != MODEL_I16) return emu_unsupported_type(n, e);
    if (n->op->integer) return stated(n, s);
    s->zero[0] = emu_zero(x1);
    s->zero[1] = emu_zero(x2);
    s->zero[2] = emu_zero(out);
    s->f[0] = emu_scale(x1);
    s->f[1] = emu_scale(x2);
    s->f[2] = n->op->code == MODEL_MUL ? emu_scale(x1) * emu_scale(x2) / emu_scale(out) : emu_scale(out);
    s->xnn = n->profile->habits & EMU_XNN_POINTWISE && x1->dtype == MODEL_I8 && xnn_takes(n, s);
    if (s->xnn) return emu_activation_range(n, out, &s->low, &s->high, e);
    if (n->profile->habits & EMU_OPTIMIZED && x1->dtype == MODEL_I8 ) in_vectors(s, n->op->code == MODEL_MUL, x1, x2, out);
    double s1 = (double)emu_scale(x1), s2 = (double)emu_scale(x2), so = (double)emu_scale(out);
    if (n->op->code == MODEL_MUL) {
        double real = n->profile->habits & EMU_FLOAT_MUL ? (double)(emu_scale(x1) * emu_scale(x2) / emu_scale(out)) : s1 * s2 / so;
        quant_multiplier(real, &s->m[2], &s->s[2]);
    } else if (n->profile->habits & EMU_ADD_Q16 && x1->dtype == MODEL_I8) {
        if (!q16_add(s, s1 / so, s2 / so)) return emu_fail(n, e, ST_UNSUPPORTED, "scales too far apart");
    } else if (n->profile->habits & EMU_ADD_APART && x1->dtype == MODEL_I8) {
        quant_multiplier(s1 / so, &s->m[0], &s->s[0]);
        quant_multiplier(s2 / so, &s->m[1], &s->s[1]);
        if (s->s[0] > 22 || s->s[1] > 22) return emu_fail(n, e, ST_UNSUPPORTED, "scales too far apart");
    } else {
        double twice = 2 * (s1 > s2 ? s1 : s2);
        s->left = x1->dtype == MODEL_I8 ? 20 : 15;
        quant_multiplier(s1 / twice, &s->m[0], &s->s[0]);
        quant_multiplier(s2 / twice, &s->m[1], &s->s[1]);
        quant_multiplier(twice / ((double)(1 << s->left) * so), &s->m[2], &s->s[2]);
    }
    if (s->s[2] > 30) return emu_fail(n, e, ST_UNSUPPORTED, "rescaling by 2^%d", s->s[2]);
    return emu_activation_range(n, out, &s->low, &s->high, e);
}

static int64_t one(const binary_state *s, const emu_profile *p, bool mul, int32_t a, int32_t b)
{
    emu_rule q = p->pointwise;
    if (mul) return emu_requant32(q, quant_wrap32((int64_t)a * b), s->m[2], s->s[2]);
    a = emu_requant32(q, quant_wrap32((int64_t)a * ((int64_t)1 << s->left)), s->m[0], s->s[0]);
    b = emu_requant32(q, quant_wrap32((int64_t)b * ((int64_t)1 << s->left)), s->m[1], s->s[1]);
    return emu_requant32(q, quant_wrap32((int64_t)a + b), s->m[2], s->s[2]);
}

static int64_t one_xnn(const binary_state *s, bool mul, int32_t a, int32_t b)
{
    if (mul) return (int64_t)rintf((float)(a * b) * s->f[2]);
    return ((int64_t)a * s->m[0] + (int64_t)b * s->m[1] + ((int64_t)1 << (s->left - 1))) >> s->left;
}

/* The zero point is inside the rounding. */
static int64_t one_float(const binary_state *s, int32_t a, int32_t b)
{
    float v = ((float)a * s->f[0] + (float)b * s->f[1]) / s->f[2] + (float)s->zero[2];
    return (int64_t)roundf(v) - s->zero[2];
}

/* One operand in a vector of LiteRT's ADD: of one shape, shifts come together before the only rounding; else the right shift truncates. */
static int64_t operand_in_vectors(const binary_state *s, int i, int32_t x)
{
    int left = s->left + s->s[i];
    int64_t shifted = left >= 0 ? (int64_t)x * ((int64_t)1 << left) : x >> -left;
    if (s->same) return quant_doubling_high_mul(quant_wrap32(shifted), s->m[i]);
    return quant_doubling_high_mul(quant_wrap32((int64_t)x * ((int64_t)1 << s->left)), s->m[i]) >> -s->s[i];
}

static int64_t add_in_vectors(const binary_state *s, int32_t a, int32_t b)
{
    return quant_requant_twice(quant_wrap32(operand_in_vectors(s, 0, a) + operand_in_vectors(s, 1, b)), s->m[2], s->s[2]);
}

static int64_t code(const emu_node *n, const binary_state *s, bool mul, size_t i, int32_t a, int32_t b)
{
    bool narrow = emu_out(n, 0)->dtype == MODEL_I8 && !n->op->integer;
    if (s->xnn) return one_xnn(s, mul, a, b);
    if (narrow && !mul && n->profile->habits & EMU_FLOAT_ADD) return one_float(s, a, b);
    if (narrow && !mul && n->profile->habits & EMU_ADD_Q16) return ((int64_t)a * s->m[0] + (int64_t)b * s->m[1] + s->start) >> 16;
    if (narrow && !mul && n->profile->habits & EMU_ADD_APART) {
        emu_rule q = n->profile->pointwise;
        return (int64_t)emu_requant32(q, a, s->m[0], s->s[0]) + emu_requant32(q, b, s->m[1], s->s[1]);
    }
    if (s->vectors == 0 || i % s->run >= s->vectors) return one(s, n->profile, mul, a, b);
    int64_t v = mul ? one(s, n->profile, mul, a, b) : add_in_vectors(s, a, b);
    int64_t cut = mul ? quant_clamp((int32_t)v, INT16_MIN, INT16_MAX) : wrap16(v);
    return wrap16(cut + s->zero[2]) - s->zero[2];
}

static int32_t one_apart(const model_integer *t, int entry, const model_tensor *out, int32_t a, int32_t b, emu_events *ev)
{
    const int32_t *m = t->multiplier + (ptrdiff_t)entry * 2;
    const int8_t *shift = t->shift + (ptrdiff_t)entry * 2;
    int32_t low, high;
    emu_code_range(out, &low, &high);
    if (t->out_min) low = t->out_min[entry];
    if (t->out_max) high = t->out_max[entry];
    int64_t sum = (int64_t)quant_requant_twice(a, m[0], shift[0]) + quant_requant_twice(b, m[1], shift[1]);
    return emu_clamp(sum + (t->out_zero ? t->out_zero[entry] : 0), low, high, ev);
}

static float one_f32(const binary_state *s, bool mul, float a, float b)
{
    float v = mul ? a * b : a + b;
    v = v > s->low_f ? v : s->low_f;
    return v < s->high_f ? v : s->high_f;
}

static void run(emu_node *n, emu_events *ev)
{
    const binary_state *s = n->state;
    const model_tensor *x1 = emu_in(n, 0), *x2 = emu_in(n, 1), *out = emu_out(n, 0);
    const void *p1 = emu_in_data(n, 0), *p2 = emu_in_data(n, 1);
    void *to = emu_out_data(n, 0);
    bool mul = n->op->code == MODEL_MUL;
    int32_t at[MODEL_MAX_DIMS] = {0};
    size_t i1 = 0, i2 = 0;
    for (size_t i = 0; i < out->n_elems; i++) {
        if (s->apart)
            emu_store(out, to, i, one_apart(s->apart, n->entry, out, emu_load(x1, p1, i1), emu_load(x2, p2, i2), ev));
        else if (out->dtype == MODEL_F32)
            ((float *)to)[i] = one_f32(s, mul, ((const float *)p1)[i1], ((const float *)p2)[i2]);
        else
            emu_store(out, to, i, emu_clamp(code(n, s, mul, i, emu_load(x1, p1, i1) - s->zero[0], emu_load(x2, p2, i2) - s->zero[1]) + s->zero[2], s->low, s->high, ev));
        for (int d = out->n_dims - 1; d >= 0; d--) { /* next element: odometer over the output, broadcast inputs stand still */
            i1 += s->stride[0][d];
            i2 += s->stride[1][d];
            if (++at[d] < out->dims[d]) break;
            i1 -= s->stride[0][d] * (size_t)out->dims[d];
            i2 -= s->stride[1][d] * (size_t)out->dims[d];
            at[d] = 0;
        }
    }
}

static status add_integers(emu_node *n, emu_integers *out, err *e)
{
    const binary_state *s = n->state;
    const model_tensor *y = emu_out(n, 0);
    bool narrow = y->dtype == MODEL_I8 && !n->op->integer;
    if (emu_in(n, 0)->n_elems != y->n_elems || emu_in(n, 1)->n_elems != y->n_elems) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel broadcasts");
    if (s->apart) return emu_integers_stated(n, out, e);
    if (y->dtype == MODEL_F32) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for float32");
    if (s->xnn || s->vectors || (narrow && n->profile->habits & (EMU_FLOAT_ADD | EMU_ADD_Q16 | EMU_ADD_APART)))
        return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel adds as profile %s does", n->profile->name);
    TRY(emu_integers_rule(n, n->profile->pointwise, &out->rule, e));
    out->left_shift = s->left;
    return emu_integers_entry(n, out, s->m, s->s, 3, s->zero[0], s->zero[1], s->zero[2], s->low, s->high, e);
}

void emu_row_add(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run, .integers = add_integers}; }
void emu_row_mul(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
