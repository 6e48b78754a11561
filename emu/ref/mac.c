/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/ref/mac.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "quant/multiplier.h"
#include "quant/requant.h"

static const model_tensor *weight_tensor(const emu_node *n, int candidate)
{
    const model_weights *w = n->op->weights;
    if (!w) return emu_in(n, 1);
    return &n->sub->tensors[w->tensor[w->nesting == MODEL_SEPARATE ? candidate : 0]];
}

/* Weights of one candidate as lanes: narrowed from the master if nested, zero point subtracted. */
static int16_t *unpack(const emu_node *n, const emu_mac *m, int candidate, bool transposed)
{
    const model_tensor *t = weight_tensor(n, candidate);
    const model_weights *w = n->op->weights;
    int16_t *lanes = arena_alloc(n->mem, (size_t)m->out_c * (size_t)m->lanes, sizeof *lanes);
    int width = n->op->choice >= 0 ? n->graph->choices[n->op->choice].candidates[candidate].w_bits : t->bits;
    bool per_channel = n->op->integer && t->n_scales > 1;
    int32_t tensor_zero = t->n_scales == 1 && !(n->profile->habits & EMU_FC_NO_WEIGHT_ZERO) ? emu_zero(t) : 0;
    for (int c = 0; lanes && c < m->out_c; c++) {
        int32_t zero = per_channel ? (int32_t)t->zero_point[c] : tensor_zero;
        for (int i = 0; i < m->depth; i++) {
            size_t at = transposed ? (size_t)i * (size_t)m->out_c + (size_t)c : (size_t)c * (size_t)m->depth + (size_t)i;
            int32_t code = emu_load(t, t->data, at);
            if (w && w->nesting != MODEL_SEPARATE) code = model_nest(w->nesting, code, w->bits, width);
            lanes[(size_t)c * (size_t)m->lanes + (size_t)i] = (int16_t)(code - zero);
        }
    }
    return lanes;
}

/* Largest |x - zero| over all codes of the input and all entries; -1 if a zero point lies outside what a lane can hold. */
static int64_t largest_input(const emu_node *n, const emu_mac *m)
{
    int32_t low, high;
    int64_t most = 1;
    emu_code_range(emu_in(n, 0), &low, &high);
    for (int i = 0; i < m->n_entries; i++) {
        int64_t down = (int64_t)low - m->in_zero[i], up = (int64_t)high - m->in_zero[i];
        if (down < INT16_MIN || up > INT16_MAX) return -1;
        most = -down > most ? -down : most;
        most = up > most ? up : most;
    }
    return most;
}

/* Longest run of products whose sum fits int32, a multiple of 16. At worst |x| = 2^15, |w| = 383: 16 products are below 2^28. */
static int safe_chunk(const emu_mac *m, int64_t x)
{
    int64_t w = 1;
    for (int k = 0; k < m->n_candidates; k++) {
        for (size_t i = 0; i < (size_t)m->out_c * (size_t)m->lanes; i++) {
            int64_t a = abs(m->weights[k][i]);
            if (a > w) w = a;
        }
    }
    int64_t run = INT32_MAX / (x * w) / 16 * 16;
    return run > 1 << 20 ? 1 << 20 : (int)run;
}

/* Zero points of weights: fully connected layers and layers that state their integers. The engines ignore a convolution's. */
static bool weight_zero_ok(const emu_node *n, const model_tensor *w, bool is_fc)
{
    bool used = is_fc || n->op->integer;
    for (int i = 0; i < w->n_scales; i++) {
        int64_t zero = w->zero_point[i];
        if (zero && (!used || zero < -128 || zero > 255)) return false;
    }
    return true;
}

static status prepare_weights(emu_node *n, bool transposed, bool is_fc, emu_mac *m, err *e)
{
    int64_t x = largest_input(n, m);
    if (x < 0) return emu_fail(n, e, ST_UNSUPPORTED, "a zero point of the input is too far from its codes");
    m->n_candidates = n->op->choice >= 0 ? n->graph->choices[n->op->choice].n_candidates : 1;
    m->lanes = (m->depth + 15) / 16 * 16;
    m->column = arena_alloc(n->mem, (size_t)m->lanes, sizeof *m->column);
    if (!m->column) return emu_no_memory(n, e);
    for (int k = 0; k < m->n_candidates; k++) {
        if (!weight_zero_ok(n, weight_tensor(n, k), is_fc)) return emu_fail(n, e, ST_UNSUPPORTED, "the weights have a zero point that no engine uses");
        bool same = k > 0 && !n->op->weights; /* a choice that only changes activations */
        m->weights[k] = same ? m->weights[0] : unpack(n, m, k, transposed);
        if (!m->weights[k]) return emu_no_memory(n, e);
    }
    m->chunk = safe_chunk(m, x);
    return ST_OK;
}

static status alloc_tables(emu_node *n, emu_mac *m, err *e)
{
    size_t entries = (size_t)m->n_entries, all = entries * (size_t)m->out_c;
    m->multiplier = arena_alloc(n->mem, all, sizeof *m->multiplier);
    m->shift = arena_alloc(n->mem, all, sizeof *m->shift);
    m->real = arena_alloc(n->mem, all, sizeof *m->real);
    m->in_zero = arena_alloc(n->mem, entries, sizeof *m->in_zero);
    m->out_zero = arena_alloc(n->mem, entries, sizeof *m->out_zero);
    m->low = arena_alloc(n->mem, entries, sizeof *m->low);
    m->high = arena_alloc(n->mem, entries, sizeof *m->high);
    bool ok = m->multiplier && m->shift && m->real && m->in_zero && m->out_zero && m->low && m->high;
    return ok ? ST_OK : emu_no_memory(n, e);
}

static bool is_float(emu_rule r) { return r == EMU_REAL || r == EMU_FLOAT_EVEN || r == EMU_FLOAT_TRUNC || r == EMU_FLOAT_AWAY; }

static emu_rule rule_of(const emu_node *n, const emu_mac *m, bool is_fc)
{
    bool narrow = emu_in(n, 1)->bits == 4;
    if (narrow && n->profile->habits & EMU_W4_BUILTIN) return n->op->code == MODEL_DEPTHWISE_CONV_2D ? EMU_TWICE : EMU_UP;
    if (narrow && is_fc && n->profile->fc == EMU_MVE) return EMU_ONCE; /* its 4-bit kernel requantizes one by one */
    if (m->acc64) return is_fc ? n->profile->fc_wide : n->profile->wide;
    return is_fc ? n->profile->fc : n->profile->conv;
}

/* What the shift of a multiplier may be; above it the engines' own shifts are undefined. */
static int largest_shift(emu_rule rule)
{
    if (is_float(rule)) return INT_MAX;
    return rule == EMU_WIDE || rule == EMU_WIDE_HALVED ? 14 : 30;
}

/* Native layers: the file states the integers. */
static status stated_tables(emu_node *n, bool is_fc, emu_mac *m, err *e)
{
    const model_integer *t = n->op->integer;
    m->n_entries = t->n_entries;
    TRY(alloc_tables(n, m, e));
    m->bias64 = t->bias64 != NULL;
    m->bias = m->bias64 ? (const void *)t->bias64 : t->bias;
    m->acc64 = emu_in(n, 0)->dtype == MODEL_I16 && (!t->bias || n->profile->habits & EMU_S16_BIAS32_WIDE);
    m->addend = t->addend;
    m->short_cut = n->profile->habits & EMU_SHORT_CUT && t->multiplier && !t->addend;
    m->unsigned_pairs = n->profile->habits & EMU_UNSIGNED_PAIRS && n->op->code == MODEL_CONV_2D && t->shift && !t->multiplier && emu_out(n, 0)->dtype == MODEL_I8;
    m->rule = !t->multiplier && !t->scale && !t->shift ? EMU_RAW : rule_of(n, m, is_fc);
    if (m->rule == EMU_REAL) m->rule = m->acc64 ? EMU_WIDE : EMU_HALF_AWAY;
    if (m->rule == EMU_FLOAT_AWAY) return emu_fail(n, e, ST_UNSUPPORTED, "profile %s: binary convolutions of a network are not emulated yet", n->profile->name);
    if (m->rule == EMU_FLOAT_TRUNC && !t->scale) m->rule = EMU_TWICE; /* TinyEngine's integer kernels */
    for (int i = 0; i < t->n_entries; i++) {
        m->in_zero[i] = t->in_zero ? t->in_zero[i] : 0;
        m->out_zero[i] = t->out_zero ? t->out_zero[i] : 0;
        emu_code_range(emu_out(n, 0), &m->low[i], &m->high[i]);
        if (t->out_min) m->low[i] = t->out_min[i];
        if (t->out_max) m->high[i] = t->out_max[i];
        for (int c = 0; m->rule != EMU_RAW && c < m->out_c; c++) {
            int from = i * t->n_channels + (t->n_channels == 1 ? 0 : c), to = i * m->out_c + c;
            m->multiplier[to] = t->multiplier ? t->multiplier[from] : 1;
            m->shift[to] = t->shift ? t->shift[from] : 0;
            m->real[to] = t->scale ? (double)t->scale[from] : ldexp(m->multiplier[to], m->shift[to] - 31);
            if (m->shift[to] > largest_shift(m->rule)) return emu_fail(n, e, ST_UNSUPPORTED, "channel %d shifts by %d, beyond what the kernel can", c, m->shift[to]);
            if (m->multiplier[to] < 0 && m->rule != EMU_FLOOR && m->rule != EMU_SHIFT) return emu_fail(n, e, ST_FORMAT, "channel %d has a negative multiplier", c);
        }
    }
    return ST_OK;
}

/* Effective scale of channel c. Some engines multiply s_in s_w of a per-tensor fully connected layer in float32 first; XNNPACK works
 * in float32 throughout. */
static double effective_scale(const emu_node *n, const emu_mac *m, bool is_fc, int c)
{
    const model_tensor *in = emu_in(n, 0), *w = emu_in(n, 1), *out = emu_out(n, 0);
    float s_w = w->scale[w->n_scales > 1 ? c : 0];
    if (m->rule == EMU_FLOAT_EVEN || m->rule == EMU_FLOAT_TRUNC) return (double)(emu_scale(in) * s_w / emu_scale(out));
    if (n->profile->habits & EMU_FLOAT_SCALE) return (double)(emu_scale(in) * s_w / emu_scale(out));
    if (n->profile->habits & EMU_FLOAT_PRODUCT) return (double)(emu_scale(in) * s_w) / (double)emu_scale(out);
    if (is_fc && w->n_scales == 1 && n->profile->habits & EMU_FC_FLOAT_PRODUCT) return (double)(emu_scale(in) * s_w) / (double)emu_scale(out);
    return (double)emu_scale(in) * (double)s_w / (double)emu_scale(out);
}

static status scale_tables(emu_node *n, bool is_fc, emu_mac *m, err *e)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0), *bias = emu_in(n, 2);
    m->n_entries = 1;
    TRY(alloc_tables(n, m, e));
    /* 16-bit activations accumulate in 64 bits; with a 32-bit bias in 32, and the multiplier stays whole. LiteRT does so only when the
     * operator's quantized_bias_type says int32, as its converter writes then. */
    m->acc64 = in->dtype == MODEL_I16 && (!(bias && bias->dtype == MODEL_I32) || n->profile->habits & EMU_S16_BIAS32_WIDE);
    m->rule = rule_of(n, m, is_fc);
    if (m->rule == EMU_FLOOR || m->rule == EMU_SHIFT || m->rule == EMU_FLOAT_AWAY)
        return emu_fail(n, e, ST_UNSUPPORTED, "profile %s works on stated integers, not on scales", n->profile->name);
    m->bias = bias ? emu_in_data(n, 2) : NULL;
    m->bias64 = bias && bias->dtype == MODEL_I64;
    m->in_zero[0] = emu_zero(in);
    m->out_zero[0] = emu_zero(out);
    for (int c = 0; c < m->out_c; c++) {
        m->real[c] = effective_scale(n, m, is_fc, c);
        quant_multiplier(m->real[c], &m->multiplier[c], &m->shift[c]);
        if (m->shift[c] > largest_shift(m->rule))
            return emu_fail(n, e, ST_UNSUPPORTED, "channel %d rescales by %g, beyond what the kernel can shift", c, m->real[c]);
    }
    return emu_activation_range(n, out, &m->low[0], &m->high[0], e);
}

static bool type_ok(const emu_node *n)
{
    const model_tensor *in = emu_in(n, 0), *w = emu_in(n, 1), *bias = emu_in(n, 2), *out = emu_out(n, 0);
    bool weights = w->data && (w->dtype == MODEL_I8 || w->dtype == MODEL_U8);
    if (n->op->integer) return weights && (in->dtype == MODEL_I8 || in->dtype == MODEL_U8 || in->dtype == MODEL_I16) && out->dtype != MODEL_F32;
    if (!weights || w->dtype != MODEL_I8 || in->dtype != out->dtype || (bias && !bias->data)) return false;
    if (in->dtype == MODEL_I8) return !bias || bias->dtype == MODEL_I32;
    if (bias && bias->dtype == MODEL_I32 && n->op->code == MODEL_DEPTHWISE_CONV_2D) return false; /* LiteRT refuses, TFLM misreads it */
    return in->dtype == MODEL_I16 && (!bias || bias->dtype == MODEL_I32 || bias->dtype == MODEL_I64) && emu_zero(in) == 0 && emu_zero(out) == 0;
}

status emu_mac_prepare(emu_node *n, int out_c, int depth, bool transposed, bool is_fc, emu_mac *m, err *e)
{
    if (!type_ok(n)) return emu_unsupported_type(n, e);
    m->out_c = out_c;
    m->depth = depth;
    TRY(n->op->integer ? stated_tables(n, is_fc, m, e) : scale_tables(n, is_fc, m, e));
    m->rests = m->rule == EMU_MVE && emu_in(n, 1)->bits == 4 && n->op->code == MODEL_CONV_2D;
    m->short_sums = m->acc64 && n->op->code == MODEL_CONV_2D && n->profile->habits & EMU_S16_SHORT_SUMS;
    return prepare_weights(n, transposed, is_fc, m, e);
}

int64_t emu_mac_dot(const emu_mac *m, const int16_t *x, const int16_t *w)
{
    int64_t sum = 0;
    for (int at = 0; at < m->lanes; at += m->chunk) {
        int end = m->lanes - at < m->chunk ? m->lanes : at + m->chunk;
        int32_t part = 0;
        for (int i = at; i < end; i++) part += (int32_t)x[i] * w[i];
        sum += part;
    }
    return sum;
}

void emu_mac_dot4(const emu_mac *m, const int16_t *restrict x, const int16_t *restrict w, int64_t sum[4])
{
    const int16_t *w1 = w + m->lanes, *w2 = w1 + m->lanes, *w3 = w2 + m->lanes;
    sum[0] = sum[1] = sum[2] = sum[3] = 0;
    for (int at = 0; at < m->lanes; at += m->chunk) {
        int end = m->lanes - at < m->chunk ? m->lanes : at + m->chunk;
        int32_t a = 0, b = 0, c = 0, d = 0;
        for (int i = at; i < end; i++) {
            a += (int32_t)x[i] * w[i];
            b += (int32_t)x[i] * w1[i];
            c += (int32_t)x[i] * w2[i];
            d += (int32_t)x[i] * w3[i];
        }
        sum[0] += a;
        sum[1] += b;
        sum[2] += c;
        sum[3] += d;
    }
}

/* double(acc) * scale rounded half away from zero, as std::round does. Outside int32 it is INT32_MIN, whatever the sign: x86's
 * conversion, which LiteRT's results show. */
static int32_t scale_real(int64_t acc, double scale)
{
    double v = (double)acc * scale;
    if (!(v > -2147483648.5 && v < 2147483647.5)) return INT32_MIN;
    int64_t whole = (int64_t)v;
    double rest = v - (double)whole;
    return (int32_t)(rest >= 0.5 ? whole + 1 : rest <= -0.5 ? whole - 1 : whole);
}

/* float(acc) * scale, to nearest even: XNNPACK's conversion to int32, which saturates low on overflow as x86's does (the clamp that
 * XNNPACK applies first keeps large values at the top). */
static int64_t scale_even(int64_t acc, float scale)
{
    float v = (float)acc * scale;
    return v >= 2147483648.0f ? INT32_MAX : v > -2147483648.0f ? (int64_t)rintf(v) : INT32_MIN;
}

/* float(acc) * scale cut towards zero, saturating: VCVT.S32.F32. */
static int64_t scale_trunc(int64_t acc, float scale)
{
    float v = (float)acc * scale;
    return v >= 2147483648.0f ? INT32_MAX : v > -2147483648.0f ? (int64_t)v : INT32_MIN;
}

/* a + b modulo 2^64, overflow counted: |a| is small, but a 64-bit bias may be anything. */
static int64_t add64(int64_t a, int64_t b, emu_events *ev)
{
    uint64_t u = (uint64_t)a + (uint64_t)b;
    int64_t sum = u <= INT64_MAX ? (int64_t)u : (int64_t)(u - ((uint64_t)1 << 63)) + INT64_MIN;
    ev->wraps += (a < 0) == (b < 0) && (sum < 0) != (a < 0);
    return sum;
}

int32_t emu_mac_finish(const emu_mac *m, int entry, int c, int64_t sum, emu_events *ev)
{
    size_t k = (size_t)entry * (size_t)m->out_c + (size_t)c;
    if (m->bias) sum = m->bias64 ? add64(sum, ((const int64_t *)m->bias)[k], ev) : sum + ((const int32_t *)m->bias)[k];
    emu_events_acc(ev, sum);
    if (!m->acc64) {
        int32_t acc = quant_wrap32(sum);
        ev->wraps += acc != sum;
        sum = acc;
    }
    if (m->rule == EMU_RAW) return (int32_t)sum;
    ev->requants++;
    int64_t v = 0;
    switch (m->rule) {
    case EMU_WIDE: case EMU_WIDE_HALVED: v = emu_requant64(m->rule, sum, m->multiplier[k], m->shift[k]); break;
    case EMU_REAL: v = scale_real(sum, m->real[k]); break;
    case EMU_FLOAT_EVEN: v = scale_even(sum, (float)m->real[k]); break;
    case EMU_FLOAT_TRUNC: case EMU_FLOAT_AWAY: v = scale_trunc(sum, (float)m->real[k]); break;
    case EMU_SHIFT:
        v = quant_wrap32(quant_wrap32(sum * m->multiplier[k]) + (m->addend ? m->addend[k] : 0)) >> -m->shift[k];
        if (m->short_cut) v = (v & 0x7FFF) - (v & 0x8000);
        break;
    case EMU_HALF_AWAY: v = emu_requant32(m->rule, (int32_t)sum, m->multiplier[k], m->shift[k]); break;
    case EMU_RAW: case EMU_TWICE: case EMU_ONCE: case EMU_UP: case EMU_MVE: case EMU_MVE_REST: case EMU_FLOOR:
        v = emu_requant32(m->rule, (int32_t)sum, m->multiplier[k], m->shift[k]);
        break;
    }
    v += m->out_zero[entry];
    if (m->rule == EMU_TWICE || m->rule == EMU_ONCE || m->rule == EMU_WIDE || m->rule == EMU_REAL) v = quant_wrap32(v); /* 32 bits there */
    return emu_clamp(v, m->low[entry], m->high[entry], ev);
}

/* Dot product as CMSIS-NN's 16-bit convolution sums it: the first 512 products in int32, the rest in int64; all in int32 for a
 * left-over pixel. */
static int64_t dot_short(const emu_mac *m, const int16_t *x, const int16_t *w, bool last)
{
    int64_t head = 0, rest = 0;
    for (int i = 0; i < m->depth; i++) *(last || i < 512 ? &head : &rest) += (int64_t)x[i] * w[i];
    return quant_wrap32(head) + rest;
}

/* Four channels of a pixel pair of PULP-NN's mixed convolution with a signed output and no ReLU: clipped as unsigned, low bits kept. */
static int32_t finish_pair(const emu_mac *m, int entry, int c, int64_t sum, emu_events *ev)
{
    int32_t low = m->low[entry], high = m->high[entry], top = 2 * high + 1;
    m->low[entry] = 0;
    m->high[entry] = top;
    int32_t code = emu_mac_finish(m, entry, c, sum, ev);
    m->low[entry] = low;
    m->high[entry] = high;
    return code > high ? code - top - 1 : code;
}

void emu_mac_column(const emu_mac *m, const emu_node *n, int first, int count, void *out, size_t at, bool last, emu_events *ev)
{
    const int16_t *w = m->weights[n->candidate] + (size_t)first * (size_t)m->lanes;
    const model_tensor *t = emu_out(n, 0);
    emu_mac rest;
    int c = 0;
    if (last && m->rests) {
        rest = *m;
        rest.rule = EMU_MVE_REST;
        m = &rest;
    }
    for (; c + 4 <= count && !m->short_sums; c += 4) {
        int64_t sum[4];
        emu_mac_dot4(m, m->column, w + (size_t)c * (size_t)m->lanes, sum);
        for (int i = 0; i < 4; i++) {
            int32_t code = m->unsigned_pairs && !last ? finish_pair(m, n->entry, first + c + i, sum[i], ev) : emu_mac_finish(m, n->entry, first + c + i, sum[i], ev);
            emu_store(t, out, at + (size_t)(c + i), code);
        }
    }
    for (; c < count; c++) {
        const int16_t *row = w + (size_t)c * (size_t)m->lanes;
        int64_t sum = m->short_sums ? dot_short(m, m->column, row, last) : emu_mac_dot(m, m->column, row);
        emu_store(t, out, at + (size_t)c, emu_mac_finish(m, n->entry, first + c, sum, ev));
    }
    ev->macs += (uint64_t)count * (uint64_t)m->depth;
}

void emu_mac_lanes(const model_tensor *t, const void *data, size_t from, size_t n, int32_t zero, int16_t *lanes)
{
    if (t->dtype == MODEL_I8) {
        const int8_t *p = (const int8_t *)data + from;
        for (size_t i = 0; i < n; i++) lanes[i] = (int16_t)(p[i] - zero);
    } else if (t->dtype == MODEL_U8) {
        const uint8_t *p = (const uint8_t *)data + from;
        for (size_t i = 0; i < n; i++) lanes[i] = (int16_t)(p[i] - zero);
    } else {
        const int16_t *p = (const int16_t *)data + from;
        for (size_t i = 0; i < n; i++) lanes[i] = (int16_t)(p[i] - zero);
    }
}
