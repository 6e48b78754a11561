/* SPDX-License-Identifier: Apache-2.0
 * Layers whose codes are not on the affine grid. Weights are unpacked to values (quant/grid.h) when a session begins; the sum over them
 * is that of any layer, and equals what a board makes by sum correction, sign changes or shifts. Two kinds differ in the sum itself:
 *   binary input   acc = sum of +-1 products = n - 2 popcount(x xor w) over the taps that count; padding adds 0 or is +1
 *   ternary2       acc_p = sum of x where w = +1, acc_n = sum of x where w = -1, each in the layer's accumulator width;
 *                  y = clamp(floor((acc_p m - acc_n m_n + addend + 2^(30-s)) / 2^(31-s)) + out_zero): exact, ONE rounding
 * Larq (BConv2DReference), K = products per output: x2 = clamp(K - acc) = 2 popcount; y = float(x2) scale + offset, as float32 or rounded
 * half away from zero to a code; or code = acc >= threshold. Its zero padding counts half of an odd number of channels, rounded down,
 * as different: such a tap adds 1. */
#include <math.h>
#include <string.h>

#include "emu/ref/mac.h"
#include "quant/accumulator.h"
#include "quant/exact.h"

static bool is_larq(const emu_node *n) { return n->profile->conv == EMU_FLOAT_AWAY; }

/* Do all values of the grid fit the int8 weights that every library has? */
static bool fits_int8(const emu_node *n, const quant_grid *g)
{
    const model_weights *w = n->op->weights;
    const model_choice *ch = n->op->choice >= 0 ? &n->graph->choices[n->op->choice] : NULL;
    int k = emu_in(n, 1)->bits, low, high;
    if (w && ch) k = w->nesting != MODEL_SEPARATE ? w->bits : 0;
    for (int i = 0; w && ch && i < ch->n_candidates; i++) k = ch->candidates[i].w_bits > k ? ch->candidates[i].w_bits : k;
    quant_grid_codes(g, true, k, &low, &high);
    for (int c = low; c <= high; c++) {
        int32_t v = quant_grid_value(g, k, c);
        if (v < INT8_MIN || v > INT8_MAX) return false;
    }
    return true;
}

status emu_grid_supported(const emu_node *n, const emu_mac *m, err *e)
{
    const model_integer *t = n->op->integer;
    const char *p = n->profile->name;
    if (is_larq(n)) {
        if (!m->grid || !m->grid->binary_input) return emu_fail(n, e, ST_UNSUPPORTED, "profile %s computes binary convolutions of binary inputs only", p);
        const model_tensor *w = emu_in(n, 1);
        if (t->bias || t->bias64) return emu_fail(n, e, ST_UNSUPPORTED, "profile %s has no integer bias", p);
        if (w->dims[1] * w->dims[2] > INT16_MAX) return emu_fail(n, e, ST_UNSUPPORTED, "a window of %d taps", w->dims[1] * w->dims[2]);
        if (!t->scale && !t->threshold) return emu_fail(n, e, ST_UNSUPPORTED, "profile %s needs scale (and offset) or threshold", p);
        return ST_OK;
    }
    if (t && t->offset) return emu_fail(n, e, ST_UNSUPPORTED, "profile %s has no offset in floating point", p);
    if (!m->grid || n->profile->habits & EMU_ANY_GRID) return ST_OK;
    if (m->grid->binary_input) return emu_fail(n, e, ST_UNSUPPORTED, "profile %s has no binary activations; bitemu and larq have", p);
    const char *name = quant_grid_names[m->grid->weights.kind];
    if (m->grid->weights.kind == QUANT_TERNARY2) return emu_fail(n, e, ST_UNSUPPORTED, "profile %s has no second accumulator for grid %s; bitemu has", p, name);
    if (!fits_int8(n, &m->grid->weights)) return emu_fail(n, e, ST_UNSUPPORTED, "grid %s has values beyond the int8 weights of profile %s; bitemu has it", name, p);
    return ST_OK;
}

/* Bits of the signs of n lanes, and which lanes count: 16 a word, so that lanes are a whole number of words. */
static void pack(const int16_t *lanes, int n, uint32_t *signs, uint32_t *mask)
{
    for (int i = 0; i < n / 16; i++) {
        signs[i] = 0;
        if (mask) mask[i] = 0;
        for (int k = 0; k < 16; k++) {
            signs[i] |= (uint32_t)(lanes[16 * i + k] > 0) << k;
            if (mask) mask[i] |= (uint32_t)(lanes[16 * i + k] != 0) << k;
        }
    }
}

static bool prepare_bits(emu_node *n, emu_mac *m, int candidate)
{
    size_t words = (size_t)m->lanes / 16;
    uint32_t *bits = m->signs[candidate] = arena_alloc(n->mem, (size_t)m->out_c * words, sizeof *bits);
    for (int c = 0; bits && c < m->out_c; c++) pack(m->weights[candidate] + (size_t)c * (size_t)m->lanes, m->lanes, bits + (size_t)c * words, NULL);
    return bits != NULL;
}

/* Moves the -1 of the weights to lanes of their own, as 1. */
static bool prepare_negative(emu_node *n, emu_mac *m, int candidate)
{
    size_t all = (size_t)m->out_c * (size_t)m->lanes;
    int16_t *p = m->weights[candidate], *q = m->negative[candidate] = arena_alloc(n->mem, all, sizeof *q);
    for (size_t i = 0; q && i < all; i++) {
        q[i] = p[i] < 0;
        if (p[i] < 0) p[i] = 0;
    }
    return q != NULL;
}

status emu_grid_prepare(emu_node *n, emu_mac *m, err *e)
{
    if (!emu_grid_special(m)) return ST_OK;
    bool binary = m->grid->binary_input;
    m->column_bits = arena_alloc(n->mem, (size_t)m->lanes / 8, sizeof *m->column_bits);
    if (!m->column_bits) return emu_no_memory(n, e);
    for (int k = 0; k < m->n_candidates; k++) {
        bool shared = k > 0 && m->weights[k] == m->weights[0];
        if (shared) {
            m->signs[k] = m->signs[0];
            m->negative[k] = m->negative[0];
        } else if (!(binary ? prepare_bits(n, m, k) : prepare_negative(n, m, k))) {
            return emu_no_memory(n, e);
        }
    }
    return ST_OK;
}

void emu_grid_input(const emu_mac *m, int16_t *lanes, int n)
{
    if (!m->grid || !m->grid->binary_input) return;
    for (int i = 0; i < n; i++) lanes[i] = lanes[i] ? 1 : -1;
}

void emu_grid_pad(const emu_node *n, const emu_mac *m, int16_t *lanes, int count)
{
    bool binary = m->grid && m->grid->binary_input;
    memset(lanes, 0, (size_t)count * sizeof *lanes);
    for (int i = 0; binary && m->grid->pad_one && i < count; i++) lanes[i] = 1;
    if (binary && !m->grid->pad_one && is_larq(n)) m->column[m->lanes] = (int16_t)(m->column[m->lanes] + count % 2);
}

/* Value of channel c of n->op's table under larq. */
static float larq_scale(const emu_mac *m, const emu_node *n, int c, int64_t acc)
{
    const model_integer *t = n->op->integer;
    int k = n->entry * t->n_channels + (t->n_channels == 1 ? 0 : c);
    if (t->acc_min && acc < t->acc_min[n->entry]) acc = t->acc_min[n->entry];
    if (t->acc_max && acc > t->acc_max[n->entry]) acc = t->acc_max[n->entry];
    float y = (float)(m->depth - acc) * t->scale[k];
    return t->offset ? y + t->offset[k] : y;
}

static void larq_store(const emu_mac *m, const emu_node *n, int c, int64_t acc, void *out, size_t at, emu_events *ev)
{
    const model_tensor *t = emu_out(n, 0);
    float y = larq_scale(m, n, c, acc);
    emu_events_acc(ev, acc);
    if (t->dtype == MODEL_F32) {
        ((float *)out)[at] = y;
        return;
    }
    ev->requants++;
    float r = roundf(y);
    int64_t v = r >= 1e9f ? 1000000000 : r > -1e9f ? (int64_t)r : -1000000000; /* far outside every code */
    emu_store(t, out, at, emu_clamp(v, m->low[n->entry], m->high[n->entry], ev));
}

static int32_t finish_two(const emu_mac *m, const emu_node *n, int c, int64_t p, int64_t q, emu_events *ev)
{
    const model_integer *t = n->op->integer;
    int e = n->entry, k = e * m->out_c + c, column = e * t->n_channels + (t->n_channels == 1 ? 0 : c);
    int64_t sum[2] = {p, q};
    for (int i = 0; i < 2; i++) {
        emu_events_acc(ev, sum[i]);
        int64_t acc = quant_acc_wrap(sum[i], m->bits);
        ev->wraps += acc != sum[i];
        sum[i] = acc;
    }
    ev->requants++;
    int32_t v = quant_requant_exact(sum[0], m->multiplier[k], sum[1], t->multiplier_n[column], emu_mac_addend(m, e, c), m->shift[k]);
    return emu_clamp(quant_wrap32((int64_t)v + m->out_zero[e]), m->low[e], m->high[e], ev);
}

void emu_grid_column(const emu_mac *m, const emu_node *n, int first, int count, void *out, size_t at, emu_events *ev)
{
    int words = m->lanes / 16, k = n->candidate;
    if (m->grid->binary_input) pack(m->column, m->lanes, m->column_bits, m->column_bits + words);
    for (int i = 0; i < count; i++, at++) {
        size_t c = (size_t)(first + i);
        if (!m->grid->binary_input) {
            const int16_t *p = m->weights[k] + c * (size_t)m->lanes, *q = m->negative[k] + c * (size_t)m->lanes;
            emu_store(emu_out(n, 0), out, at, finish_two(m, n, (int)c, emu_mac_dot(m, m->column, p), emu_mac_dot(m, m->column, q), ev));
            continue;
        }
        int64_t acc = quant_xnor_dot(m->column_bits, m->column_bits + words, m->signs[k] + c * (size_t)words, words) + m->column[m->lanes];
        if (m->rule == EMU_FLOAT_AWAY)
            larq_store(m, n, (int)c, acc, out, at, ev);
        else
            emu_store(emu_out(n, 0), out, at, emu_mac_finish(m, n->entry, (int)c, acc, ev));
    }
    ev->macs += (uint64_t)count * (uint64_t)m->depth;
}
