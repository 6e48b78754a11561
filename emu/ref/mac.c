/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/ref/mac.h"

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

/* Longest run of products whose sum fits int32: |x| <= 255 (8-bit codes minus their zero point) or 2^15 (16-bit), |w| from the lanes. */
static int safe_chunk(const emu_node *n, const emu_mac *m)
{
    int64_t x = emu_in(n, 0)->dtype == MODEL_I16 ? 32768 : 255, w = 1;
    for (int k = 0; k < m->n_candidates; k++) {
        for (size_t i = 0; i < (size_t)m->out_c * (size_t)m->lanes; i++) {
            int64_t a = abs(m->weights[k][i]);
            if (a > w) w = a;
        }
    }
    int64_t run = INT32_MAX / (x * w) / 16 * 16;
    return run < 16 ? 16 : run > 1 << 20 ? 1 << 20 : (int)run;
}

static status prepare_weights(emu_node *n, bool transposed, emu_mac *m, err *e)
{
    m->n_candidates = n->op->choice >= 0 ? n->graph->choices[n->op->choice].n_candidates : 1;
    m->lanes = (m->depth + 15) / 16 * 16;
    m->column = arena_alloc(n->mem, (size_t)m->lanes, sizeof *m->column);
    if (!m->column) return emu_no_memory(n, e);
    for (int k = 0; k < m->n_candidates; k++) {
        bool same = k > 0 && !n->op->weights; /* a choice that only changes activations */
        m->weights[k] = same ? m->weights[0] : unpack(n, m, k, transposed);
        if (!m->weights[k]) return emu_no_memory(n, e);
    }
    m->chunk = safe_chunk(n, m);
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

static emu_rule rule_of(const emu_node *n, bool is_fc)
{
    bool wide = emu_in(n, 0)->dtype == MODEL_I16;
    const model_tensor *bias = emu_in(n, 2);
    if (is_fc && n->profile->fc == EMU_FC_LITERT_REF) return EMU_RULE_REAL;
    /* 16-bit convolution with a 32-bit bias keeps a 32-bit accumulator and the full multiplier */
    if (wide && !is_fc && n->op->code == MODEL_CONV_2D && bias && bias->dtype == MODEL_I32) return EMU_RULE_TWICE;
    return wide ? EMU_RULE_WIDE : EMU_RULE_TWICE;
}

static status scale_tables(emu_node *n, bool is_fc, emu_mac *m, err *e)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0), *bias = emu_in(n, 2);
    m->n_entries = 1;
    TRY(alloc_tables(n, m, e));
    m->rule = rule_of(n, is_fc);
    m->bias = bias ? emu_in_data(n, 2) : NULL;
    m->bias64 = bias && bias->dtype == MODEL_I64;
    m->in_zero[0] = emu_zero(in);
    m->out_zero[0] = emu_zero(out);
    for (int c = 0; c < m->out_c; c++) {
        m->real[c] = effective_scale(n, is_fc, c);
        quant_multiplier(m->real[c], &m->multiplier[c], &m->shift[c]);
        if (m->shift[c] > 30 || (m->rule == EMU_RULE_WIDE && m->shift[c] > 7))
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
    return in->dtype == MODEL_I16 && (!bias || bias->dtype == MODEL_I32 || bias->dtype == MODEL_I64) && emu_zero(in) == 0 && emu_zero(out) == 0;
}

status emu_mac_prepare(emu_node *n, int out_c, int depth, bool transposed, bool is_fc, emu_mac *m, err *e)
{
    if (!type_ok(n)) return emu_unsupported_type(n, e);
    m->out_c = out_c;
    m->depth = depth;
    TRY(n->op->integer ? stated_tables(n, is_fc, m, e) : scale_tables(n, is_fc, m, e));
    return prepare_weights(n, transposed, m, e);
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

/* double(acc) * scale rounded half away from zero, as std::round does; far values saturate (they are clamped next). */
static int64_t scale_real(int32_t acc, double scale)
{
    double v = (double)acc * scale;
    if (v > 1e15) return (int64_t)1 << 49;
    if (v < -1e15) return -((int64_t)1 << 49);
    int64_t whole = (int64_t)v;
    double rest = v - (double)whole;
    return rest >= 0.5 ? whole + 1 : rest <= -0.5 ? whole - 1 : whole;
}

int32_t emu_mac_finish(const emu_mac *m, int entry, int c, int64_t sum, emu_events *ev)
{
    size_t k = (size_t)entry * (size_t)m->out_c + (size_t)c;
    if (m->bias) sum += m->bias64 ? ((const int64_t *)m->bias)[k] : ((const int32_t *)m->bias)[k];
    emu_events_acc(ev, sum);
    if (m->rule == EMU_RULE_WIDE) {
        ev->requants++;
        return emu_clamp(quant_requant_wide(sum, m->multiplier[k], m->shift[k]), m->low[entry], m->high[entry], ev);
    }
    int32_t acc = quant_wrap32(sum);
    ev->wraps += acc != sum;
    if (m->rule == EMU_RULE_RAW) return acc;
    ev->requants++;
    int64_t v;
    if (m->rule == EMU_RULE_TWICE)
        v = quant_requant_twice(acc, m->multiplier[k], m->shift[k]);
    else if (m->rule == EMU_RULE_REAL)
        v = scale_real(acc, m->real[c]);
    else
        v = scale_half_away(acc, m->multiplier[k], m->shift[k]);
    return emu_clamp(v + m->out_zero[entry], m->low[entry], m->high[entry], ev);
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
