/* SPDX-License-Identifier: Apache-2.0
 * SOFTMAX along the last dimension. 8 bit in: TFLite reference_ops::Softmax (gemmlowp fixed point); 16 bit: SoftmaxInt16 (tables);
 * float32: libm's expf. LiteRT's optimized kernel, 8 bit in: a float32 table of e^(-s beta d), y = round half away(e / (sum s_out)) + zo. */
#include <math.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/fixedpoint.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

enum { TABLE = 513 };

typedef struct softmax_state {
    size_t rows, depth;
    int32_t multiplier;
    int shift;
    int32_t diff_min;
    emu_rule rule;
    float *table;                                 /* EMU_OPTIMIZED: e^(-s beta d), d = 0 .. 255; else NULL */
    bool wraps;                                   /* EMU_SOFTMAX16_WRAPS */
    int16_t exp_table[TABLE], recip_table[TABLE]; /* e^x on [-10, 0]; 1 / (1 + x) on [0, 1] */
    int32_t *exps;                                /* [depth] */
} softmax_state;

static double exp_of(double x) { return exp(x); }
static double recip_of(double x) { return 1.0 / (1.0 + x); }

/* 512 steps over [low, high], each entry moved by half the largest error in the middle of its step: TFLite gen_lut (int16). */
static void make_table(double (*f)(double), double low, double high, int16_t *table)
{
    const double out = 32768;
    double step = (high - low) / (TABLE - 1), half = step / 2;
    for (int i = 0; i < TABLE - 1; i++) {
        double sample = round(f(low + i * step) * out);
        double middle_line = round((f(low + (i + 1) * step) * out + round(f(low + i * step) * out)) / 2);
        double middle = round(f(low + i * step + half) * out), bias = round((middle_line - middle) / 2);
        double v = sample - bias;
        table[i] = (int16_t)(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
    }
    double last = round(f(high) * out);
    table[TABLE - 1] = (int16_t)(last < -32768 ? -32768 : last > 32767 ? 32767 : last);
}

static int32_t look_up(int32_t v, const int16_t *table)
{
    int32_t i = 256 + (v >> 7), base = table[i];
    return base + (((table[i + 1] - base) * (v & 127) + 64) >> 7);
}

static status float_table(emu_node *n, softmax_state *s, float scale, err *e)
{
    s->table = arena_alloc(n->mem, 256, sizeof *s->table);
    if (!s->table) return emu_no_memory(n, e);
    for (int d = 0; d < 256; d++) s->table[d] = expf(-scale * (float)d);
    return ST_OK;
}

static status prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    softmax_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    s->depth = in->n_dims ? (size_t)in->dims[in->n_dims - 1] : 1;
    s->rows = s->depth ? in->n_elems / s->depth : 0;
    s->exps = arena_alloc(n->mem, s->depth, sizeof *s->exps);
    if (!s->exps) return emu_no_memory(n, e);
    if (in->dtype == MODEL_F32 && out->dtype == MODEL_F32) return ST_OK;
    double scale = n->op->integer ? 0 : (double)n->op->attrs.beta * (double)emu_scale(in);
    s->rule = n->profile->pointwise;
    s->wraps = n->profile->habits & EMU_SOFTMAX16_WRAPS;
    if (n->op->integer) {
        s->multiplier = n->op->integer->multiplier[0];
        s->shift = n->op->integer->shift[0];
    }
    if (in->dtype == MODEL_I16 && out->dtype == MODEL_I16) {
        if (!n->op->integer) quant_multiplier((double)emu_scale(in) * (double)n->op->attrs.beta / (10.0 / 65535.0), &s->multiplier, &s->shift);
        make_table(exp_of, -10, 0, s->exp_table);
        make_table(recip_of, 0, 1, s->recip_table);
        return ST_OK;
    }
    bool known = (in->dtype == MODEL_I8 && (out->dtype == MODEL_I8 || out->dtype == MODEL_I16)) || (in->dtype == MODEL_U8 && out->dtype == MODEL_U8);
    if (!known) return emu_unsupported_type(n, e);
    if (n->profile->habits & EMU_OPTIMIZED && !n->op->integer) return float_table(n, s, emu_scale(in) * n->op->attrs.beta, e);
    double real = scale * (double)(1 << 26), most = s->rule == EMU_ONCE ? 1073741823.0 : 2147483647.0;
    if (!n->op->integer) quant_multiplier(real < most ? real : most, &s->multiplier, &s->shift);
    if (s->shift < 0) return emu_fail(n, e, ST_UNSUPPORTED, "input scale %g is too small for the fixed-point softmax", scale);
    s->diff_min = -(int32_t)floor(31.0 * (double)(1 << 26) / ldexp(1, s->shift));
    return ST_OK;
}

static void row8(const softmax_state *s, const model_tensor *in, const model_tensor *out, const void *from, void *to, size_t at, emu_events *ev)
{
    int32_t low, high, most = INT32_MIN, sum = 0;
    emu_code_range(out, &low, &high);
    for (size_t i = 0; i < s->depth; i++) {
        int32_t x = emu_load(in, from, at + i);
        most = x > most ? x : most;
    }
    for (size_t i = 0; i < s->depth; i++) {
        int32_t d = emu_load(in, from, at + i) - most;
        s->exps[i] = d < s->diff_min ? -1 : quant_exp_negative(emu_requant32(s->rule, d, s->multiplier, s->shift), 5);
        if (s->exps[i] >= 0) sum = quant_wrap32((int64_t)sum + quant_divide_pot(s->exps[i], 12)); /* Q12.19 */
    }
    int head = quant_clz32((uint32_t)sum), shift = 12 - head + (out->dtype == MODEL_I16 ? 15 : 23);
    int32_t scale = quant_one_over_one_plus(quant_wrap32(((int64_t)sum << head) - ((int64_t)1 << 31)));
    for (size_t i = 0; i < s->depth; i++) {
        int64_t v = low;
        if (s->exps[i] >= 0) v = (int64_t)quant_divide_pot(quant_doubling_high_mul(scale, s->exps[i]), shift) + low;
        emu_store(out, to, at + i, emu_clamp(v, low, high, ev));
    }
}

static void row_float(const softmax_state *s, const model_tensor *in, const model_tensor *out, const void *from, void *to, size_t at, emu_events *ev)
{
    int32_t low, high, most = INT32_MIN;
    float sum = 0;
    emu_code_range(out, &low, &high);
    for (size_t i = 0; i < s->depth; i++) {
        int32_t x = emu_load(in, from, at + i);
        most = x > most ? x : most;
    }
    for (size_t i = 0; i < s->depth; i++) sum += s->table[most - emu_load(in, from, at + i)];
    float inverse = 1.0f / (sum * emu_scale(out));
    for (size_t i = 0; i < s->depth; i++) {
        float y = s->table[most - emu_load(in, from, at + i)] * inverse + 0.5f;
        emu_store(out, to, at + i, emu_clamp((y < 65536 ? (int64_t)y : 65536) + emu_zero(out), low, high, ev));
    }
}

static int32_t wrap16(int64_t v)
{
    int32_t low = (int32_t)(v & 0xFFFF);
    return low < 0x8000 ? low : low - 0x10000;
}

static void row16(const softmax_state *s, const int16_t *x, int16_t *y, emu_events *ev)
{
    int32_t most = INT16_MIN, sum = 0;
    for (size_t i = 0; i < s->depth; i++) most = x[i] > most ? x[i] : most;
    for (size_t i = 0; i < s->depth; i++) {
        int32_t v = quant_wrap32((int64_t)quant_requant_twice(x[i] - most, s->multiplier, s->shift) + 32767);
        s->exps[i] = look_up(quant_clamp(v, INT16_MIN, INT16_MAX), s->exp_table);
        sum += s->exps[i];
    }
    int head = quant_clz32((uint32_t)sum);
    int32_t scaled = (int32_t)((((int64_t)sum << (head - 1)) + (1 << 13)) >> 14);
    int32_t at = scaled - (1 << 16) - 32768;
    int32_t recip = look_up(s->wraps ? wrap16(at) : quant_clamp(at, INT16_MIN, INT16_MAX), s->recip_table);
    for (size_t i = 0; s->wraps && i < s->depth; i++) y[i] = (int16_t)wrap16((((int64_t)s->exps[i] * recip >> (30 - head)) + 1) >> 1);
    for (size_t i = 0; !s->wraps && i < s->depth; i++)
        y[i] = (int16_t)emu_clamp((s->exps[i] * recip + ((int64_t)1 << (30 - head))) >> (31 - head), 0, 32767, ev);
}

static void row32(const softmax_state *s, float beta, const float *x, float *y)
{
    float most = x[0], sum = 0;
    for (size_t i = 1; i < s->depth; i++) most = x[i] > most ? x[i] : most;
    for (size_t i = 0; i < s->depth; i++) {
        y[i] = expf((x[i] - most) * beta);
        sum += y[i];
    }
    for (size_t i = 0; i < s->depth; i++) y[i] = y[i] / sum;
}

static void run(emu_node *n, emu_events *ev)
{
    const softmax_state *s = n->state;
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    const void *from = emu_in_data(n, 0);
    void *to = emu_out_data(n, 0);
    for (size_t r = 0; r < s->rows; r++) {
        size_t at = r * s->depth;
        if (in->dtype == MODEL_F32)
            row32(s, n->op->attrs.beta, (const float *)from + at, (float *)to + at);
        else if (in->dtype == MODEL_I16)
            row16(s, (const int16_t *)from + at, (int16_t *)to + at, ev);
        else if (s->table)
            row_float(s, in, out, from, to, at, ev);
        else
            row8(s, in, out, from, to, at, ev);
    }
}

static status integers(emu_node *n, emu_integers *out, err *e)
{
    const softmax_state *s = n->state;
    int32_t low, high;
    if (emu_in(n, 0)->dtype == MODEL_F32 || emu_in(n, 0)->dtype == MODEL_I16) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for %s", model_dtype_name(emu_in(n, 0)->dtype));
    if (s->table) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel computes as profile %s does here", n->profile->name);
    TRY(emu_integers_rule(n, s->rule, &out->rule, e));
    out->limit = s->diff_min;
    emu_code_range(emu_out(n, 0), &low, &high);
    return emu_integers_entry(n, out, &s->multiplier, &s->shift, 1, 0, 0, 0, low, high, e);
}

void emu_row_softmax(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run, .integers = integers}; }
