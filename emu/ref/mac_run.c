/* SPDX-License-Identifier: Apache-2.0
 * The arithmetic of emu/ref/mac.h: dot products, bias, requantization of one accumulator, one receptive field at a time. */
#include <math.h>

#include "emu/ref/mac.h"
#include "quant/accumulator.h"
#include "quant/exact.h"
#include "quant/requant.h"

int64_t emu_mac_dot(const emu_mac *m, const int16_t *x, const int16_t *w)
{
    int64_t sum = 0;
    for (int i = 0; !m->chunk && i < m->lanes; i++) sum += (int64_t)x[i] * w[i];
    if (!m->chunk) return sum;
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
    for (int i = 0; !m->chunk && i < 4; i++) sum[i] = emu_mac_dot(m, x, w + (size_t)i * (size_t)m->lanes);
    if (!m->chunk) return;
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

/* float(acc) * scale cut towards zero, saturating: VCVT.S32.F32. */
static int64_t scale_trunc(int64_t acc, float scale)
{
    float v = (float)acc * scale;
    return v >= 2147483648.0f ? INT32_MAX : v > -2147483648.0f ? (int64_t)v : INT32_MIN;
}

/* a + b modulo 2^64; *left becomes true when the exact sum left it: |a| is small, but a 64-bit bias may be anything. */
static int64_t add64(int64_t a, int64_t b, bool *left)
{
    uint64_t u = (uint64_t)a + (uint64_t)b;
    int64_t sum = u <= INT64_MAX ? (int64_t)u : (int64_t)(u - ((uint64_t)1 << 63)) + INT64_MIN;
    *left |= (a < 0) == (b < 0) && (sum < 0) != (a < 0);
    return sum;
}

int64_t emu_mac_bias(const emu_mac *m, int entry, int c)
{
    size_t k = (size_t)entry * (size_t)m->out_c + (size_t)c;
    if (!m->bias) return 0;
    return m->bias64 ? ((const int64_t *)m->bias)[k] : ((const int32_t *)m->bias)[k];
}

/* sum: the finished accumulator, of 32 bits at most unless acc64. */
static inline int32_t requantize(const emu_mac *m, int entry, int c, int64_t sum, emu_events *ev)
{
    size_t k = (size_t)entry * (size_t)m->out_c + (size_t)c;
    if (m->rule == EMU_RAW) return quant_wrap32(sum);
    if (m->cut28) sum = quant_wrap32(16 * sum) / 16;
    ev->requants++;
    int64_t v = 0;
    switch (m->rule) {
    case EMU_EXACT: v = quant_requant_exact(sum, m->multiplier[k], 0, 0, emu_mac_addend(m, entry, c), m->shift[k]); break;
    case EMU_ROUND_SHIFT: v = quant_requant_shift(sum, emu_mac_addend(m, entry, c), m->shift[k]); break;
    case EMU_THRESHOLD: return sum >= m->multiplier[k] ? m->high[entry] : m->low[entry];
    case EMU_WIDE: case EMU_WIDE_HALVED: v = emu_requant64(m->rule, sum, m->multiplier[k], m->shift[k]); break;
    case EMU_REAL: v = scale_real(sum, m->real[k]); break;
    case EMU_FLOAT_EVEN: v = emu_scale_even(sum, (float)m->real[k]); break;
    case EMU_FLOAT_TRUNC: case EMU_FLOAT_AWAY: v = scale_trunc(sum, (float)m->real[k]); break;
    case EMU_SHIFT:
        v = quant_wrap32(quant_wrap32(sum * m->multiplier[k]) + emu_mac_addend(m, entry, c)) >> -m->shift[k];
        if (m->short_cut) v = (v & 0x7FFF) - (v & 0x8000);
        break;
    case EMU_HALF_AWAY: v = emu_requant32(m->rule, (int32_t)sum, m->multiplier[k], m->shift[k]); break;
    case EMU_RAW: case EMU_TWICE: case EMU_ONCE: case EMU_UP: case EMU_MVE: case EMU_MVE_REST: case EMU_FLOOR:
        v = emu_requant32(c >= m->tail ? EMU_TWICE : m->rule, (int32_t)sum, m->multiplier[k], m->shift[k]);
        break;
    }
    v += m->out_zero[entry];
    if (m->rule == EMU_TWICE || m->rule == EMU_ONCE || m->rule == EMU_WIDE || m->rule == EMU_REAL || m->rule == EMU_EXACT) v = quant_wrap32(v); /* 32 bits there */
    return emu_clamp(v, m->low[entry], m->high[entry], ev);
}

int32_t emu_mac_finish(const emu_mac *m, int entry, int c, int64_t sum, emu_events *ev)
{
    size_t k = (size_t)entry * (size_t)m->out_c + (size_t)c;
    int64_t acc;
    bool left = false;
    if (m->bias) sum = m->bias64 ? add64(sum, ((const int64_t *)m->bias)[k], &left) : sum + ((const int32_t *)m->bias)[k];
    emu_events_acc(ev, sum);
    if (m->bits == 32) { /* nearly always */
        acc = quant_wrap32(sum);
        ev->wraps += acc != sum;
    } else {
        acc = quant_acc_wrap(sum, m->bits);
        ev->wraps += left || acc != sum;
    }
    return requantize(m, entry, c, acc, ev);
}

typedef struct steps { /* a saturating accumulator on its way */
    int bits;
    int64_t acc, least, most; /* extremes of the results before they were cut (within 64 bits) */
    bool cut, any;
} steps;

static void step(steps *s, int64_t term)
{
    bool beyond = false;
    int64_t exact = quant_acc_add(s->acc, term, 64, &beyond);
    s->acc = quant_acc_add(s->acc, term, s->bits, &s->cut);
    if (!s->any || exact < s->least) s->least = exact;
    if (!s->any || exact > s->most) s->most = exact;
    s->any = true;
}

int32_t emu_mac_finish_steps(const emu_mac *m, int entry, int c, const int16_t *x, const int16_t *w, int n, emu_events *ev)
{
    steps s = {.bits = m->bits};
    if (m->bias && m->bias_first) step(&s, emu_mac_bias(m, entry, c));
    for (int i = 0; i < n; i++) step(&s, (int64_t)x[i] * w[i]);
    if (m->bias && !m->bias_first) step(&s, emu_mac_bias(m, entry, c));
    emu_events_acc(ev, s.most);
    if (s.least < ev->acc_min) ev->acc_min = s.least;
    ev->saturations += s.cut;
    return requantize(m, entry, c, s.acc, ev);
}

/* Dot product as CMSIS-NN's 16-bit convolution sums it: the first 512 products in int32, the rest in int64; all in int32 for a
 * left-over pixel. */
static int64_t dot_short(const emu_mac *m, const int16_t *x, const int16_t *w, bool last)
{
    int64_t head = 0, rest = 0;
    for (int i = 0; i < m->depth; i++) *(last || i < 512 ? &head : &rest) += (int64_t)x[i] * w[i];
    return quant_wrap32(head) + rest;
}

/* One channel of m->column: from its exact sum, or product by product where the accumulator saturates. */
static int32_t finish(const emu_mac *m, int entry, int c, const int16_t *w, int64_t sum, emu_events *ev)
{
    return m->saturate ? emu_mac_finish_steps(m, entry, c, m->column, w, m->depth, ev) : emu_mac_finish(m, entry, c, sum, ev);
}

/* Four channels of a pixel pair of PULP-NN's mixed convolution with a signed output and no ReLU: clipped as unsigned, low bits kept. */
static int32_t finish_pair(const emu_mac *m, int entry, int c, const int16_t *w, int64_t sum, emu_events *ev)
{
    int32_t low = m->low[entry], high = m->high[entry], top = 2 * high + 1;
    m->low[entry] = 0;
    m->high[entry] = top;
    int32_t code = finish(m, entry, c, w, sum, ev);
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
    if (emu_grid_special(m)) {
        emu_grid_column(m, n, first, count, out, at, ev);
        return;
    }
    if (last && m->rests) {
        rest = *m;
        rest.rule = EMU_MVE_REST;
        m = &rest;
    }
    for (; m->saturate && c < count; c++) {
        const int16_t *row = w + (size_t)c * (size_t)m->lanes;
        bool pair = m->unsigned_pairs && !last && c < count / 4 * 4;
        emu_store(t, out, at + (size_t)c, pair ? finish_pair(m, n->entry, first + c, row, 0, ev) : finish(m, n->entry, first + c, row, 0, ev));
    }
    for (; c + 4 <= count && !m->short_sums; c += 4) {
        int64_t sum[4];
        emu_mac_dot4(m, m->column, w + (size_t)c * (size_t)m->lanes, sum);
        for (int i = 0; i < 4; i++) {
            int32_t code = m->unsigned_pairs && !last ? finish_pair(m, n->entry, first + c + i, NULL, sum[i], ev) : emu_mac_finish(m, n->entry, first + c + i, sum[i], ev);
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
