/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/ref/mac.h"

#include <limits.h>
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
    int32_t zero = t->n_scales == 1 ? emu_zero(t) : 0;
    for (int c = 0; lanes && c < m->out_c; c++) {
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

/* Longest run of products whose sum fits int32, a multiple of 16. At worst |x| = 2^15, |w| = 255: 16 products are below 2^27. */
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

/* Weight codes minus their zero point stay within 255 when the zero point is itself a code. Convolutions have none: the engines
 * ignore it there. */
static bool weight_zero_ok(const model_tensor *w, bool is_fc)
{
    int32_t low, high, zero = w->n_scales == 1 ? emu_zero(w) : 0;
    emu_code_range(w, &low, &high);
    return zero == 0 || (is_fc && zero >= low && zero <= high);
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
        if (!weight_zero_ok(weight_tensor(n, k), is_fc)) return emu_fail(n, e, ST_UNSUPPORTED, "the weights have a zero point that no engine uses");
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
    m->real = arena_alloc(n->mem, (size_t)m->out_c, sizeof *m->real);
    m->in_zero = arena_alloc(n->mem, entries, sizeof *m->in_zero);
    m->out_zero = arena_alloc(n->mem, entries, sizeof *m->out_zero);
    m->low = arena_alloc(n->mem, entries, sizeof *m->low);
    m->high = arena_alloc(n->mem, entries, sizeof *m->high);
    bool ok = m->multiplier && m->shift && m->real && m->in_zero && m->out_zero && m->low && m->high;
    return ok ? ST_OK : emu_no_memory(n, e);
}

/* Native layers: the file states the integers. */
static status stated_tables(emu_node *n, bool is_fc, emu_mac *m, err *e)
{
    const model_integer *t = n->op->integer;
    m->n_entries = t->n_entries;
    TRY(alloc_tables(n, m, e));
    m->bias = t->bias;
    m->rule = !t->multiplier ? EMU_RULE_RAW
              : is_fc && n->profile->fc == EMU_FC_LITERT_REF ? EMU_RULE_ONCE_HALF_AWAY : EMU_RULE_TWICE;
    for (int i = 0; i < t->n_entries; i++) {
        m->in_zero[i] = t->in_zero ? t->in_zero[i] : 0;
        m->out_zero[i] = t->out_zero ? t->out_zero[i] : 0;
        emu_code_range(emu_out(n, 0), &m->low[i], &m->high[i]);
        if (t->out_min) m->low[i] = t->out_min[i];
        if (t->out_max) m->high[i] = t->out_max[i];
        for (int c = 0; t->multiplier && c < m->out_c; c++) {
            int from = i * t->n_channels + (t->n_channels == 1 ? 0 : c);
            m->multiplier[i * m->out_c + c] = t->multiplier[from];
            m->shift[i * m->out_c + c] = t->shift[from];
        }
    }
    return ST_OK;
}

/* Effective scale of channel c. TFLM multiplies s_in s_w of a per-tensor fully connected layer in float32 first. */
static double effective_scale(const emu_node *n, bool is_fc, int c)
{
    const model_tensor *in = emu_in(n, 0), *w = emu_in(n, 1), *out = emu_out(n, 0);
    double s_w = (double)w->scale[w->n_scales > 1 ? c : 0];
    if (is_fc && w->n_scales == 1 && n->profile->fc == EMU_FC_TFLM) return (double)(emu_scale(in) * w->scale[0]) / (double)emu_scale(out);
    return (double)emu_scale(in) * s_w / (double)emu_scale(out);
}

static emu_rule rule_of(const emu_node *n, const emu_mac *m, bool is_fc)
{
    if (is_fc && n->profile->fc == EMU_FC_LITERT_REF) return EMU_RULE_REAL;
    return m->acc64 ? EMU_RULE_WIDE : EMU_RULE_TWICE;
}

/* What the shift of a multiplier may be; above it the engines' own shifts are undefined. */
static int largest_shift(emu_rule rule) { return rule == EMU_RULE_REAL ? INT_MAX : rule == EMU_RULE_WIDE ? 14 : 30; }

static status scale_tables(emu_node *n, bool is_fc, emu_mac *m, err *e)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0), *bias = emu_in(n, 2);
    m->n_entries = 1;
    TRY(alloc_tables(n, m, e));
    /* 16-bit activations accumulate in 64 bits; with a 32-bit bias in 32, and the multiplier stays whole. LiteRT does so only when the
     * operator's quantized_bias_type says int32, as its converter writes then. */
    m->acc64 = in->dtype == MODEL_I16 && !(bias && bias->dtype == MODEL_I32);
    m->rule = rule_of(n, m, is_fc);
    m->bias = bias ? emu_in_data(n, 2) : NULL;
    m->bias64 = bias && bias->dtype == MODEL_I64;
    m->in_zero[0] = emu_zero(in);
    m->out_zero[0] = emu_zero(out);
    for (int c = 0; c < m->out_c; c++) {
        m->real[c] = effective_scale(n, is_fc, c);
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

/* round half away from zero(v m 2^(s-31)), exact. |v| < 2^31, m < 2^31, s in [-31, 30]. */
static int64_t scale_half_away(int64_t v, int32_t m, int s)
{
    int64_t p = v * m, shift = 31 - s, half = (int64_t)1 << (shift - 1);
    return p >= 0 ? (p + half) >> shift : -((-p + half) >> shift);
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
    if (m->rule == EMU_RULE_RAW) return (int32_t)sum;
    ev->requants++;
    int64_t v = m->out_zero[entry];
    switch (m->rule) { /* the engines add the zero point in 32 bits */
    case EMU_RULE_TWICE: v = quant_wrap32(v + quant_requant_twice((int32_t)sum, m->multiplier[k], m->shift[k])); break;
    case EMU_RULE_WIDE: v = quant_wrap32(v + quant_requant_wide(sum, m->multiplier[k], m->shift[k])); break;
    case EMU_RULE_REAL: v = quant_wrap32(v + scale_real(sum, m->real[c])); break;
    case EMU_RULE_ONCE_HALF_AWAY: v += scale_half_away(sum, m->multiplier[k], m->shift[k]); break;
    case EMU_RULE_RAW: break;
    }
    return emu_clamp(v, m->low[entry], m->high[entry], ev);
}

void emu_mac_column(const emu_mac *m, const emu_node *n, int first, int count, void *out, size_t at, emu_events *ev)
{
    const int16_t *w = m->weights[n->candidate] + (size_t)first * (size_t)m->lanes;
    const model_tensor *t = emu_out(n, 0);
    int c = 0;
    for (; c + 4 <= count; c += 4) {
        int64_t sum[4];
        emu_mac_dot4(m, m->column, w + (size_t)c * (size_t)m->lanes, sum);
        for (int i = 0; i < 4; i++) emu_store(t, out, at + (size_t)(c + i), emu_mac_finish(m, n->entry, first + c + i, sum[i], ev));
    }
    for (; c < count; c++) {
        int64_t sum = emu_mac_dot(m, m->column, w + (size_t)c * (size_t)m->lanes);
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
