/* SPDX-License-Identifier: Apache-2.0
 * Where PULP-NN's kernels do not compute the convolution that they are named after (pulp_nn_depthwise_generic, pulp_nn_depthwise_*,
 * pulp_nn_pointwise_*, pulp_nn_linear_*). What they read is written here as they read it.
 *
 * Depthwise copies kernel columns out of planes [channels][in_h][in_w]: each input row of output column ox gives k_w bytes from
 * x0 = ox stride - pad_left on, with taps before `first` and from `end` on set to 0. Nothing else stops a row: a window wider than what is
 * left runs into the next row, the next plane, and after the last plane into bytes that are taken as 0. Three loops follow each other:
 *   left    while ox stride < pad_left: first = pad_left - ox stride
 *   middle  at least once, while ox stride < out_w stride - pad_right (pulp-nn: (out_w - pad_right) stride): all taps
 *   right   the last max(ox stride + k_w / 2 + 1 - in_w, 0) taps are 0 (pulp-nn), or the last ox stride + 1 + pad_right - out_w stride (mixed).
 * Below 8 bits a byte of a plane holds n = 8 / bits channels, so the "next plane" of channel c is channel c + n. */
#include "emu/ref/pulp.h"

#include <stdlib.h>

static int left_columns(const emu_window *w) { return (w->pad_left + w->stride_w - 1) / w->stride_w; }

emu_pulp_column emu_pulp_column_at(const emu_node *n, const emu_window *w, int ox)
{
    bool mixed = n->profile->habits & EMU_PULP_MIXED;
    int pad_right = n->op->attrs.pad_right, left = left_columns(w);
    emu_pulp_column c = {.x0 = ox * w->stride_w - w->pad_left, .first = 0, .end = w->k_w};
    if (ox < left) {
        c.first = -c.x0 < w->k_w ? -c.x0 : w->k_w;
        return c;
    }
    int edge = mixed ? w->out_w * w->stride_w - pad_right : (w->out_w - pad_right) * w->stride_w;
    if (ox == left || ox * w->stride_w < edge) return c;
    int cut = mixed ? ox * w->stride_w + 1 + pad_right - w->out_w * w->stride_w : ox * w->stride_w + w->k_w / 2 + 1 - w->in_w;
    c.end -= cut > 0 ? cut : 0;
    return c;
}

int32_t emu_pulp_plane(const emu_node *n, const emu_window *w, int c, int at)
{
    const model_tensor *in = emu_in(n, 0);
    int plane = w->in_h * w->in_w;
    c += at / plane * (8 / in->bits);
    at %= plane;
    return c < w->in_c ? emu_load(in, emu_in_data(n, 0), (size_t)at * (size_t)w->in_c + (size_t)c) : 0;
}

/* Mixed depthwise: bias of channel c is the 8-bit one at [group + place in the group], groups as wide as the narrowest operand packs. */
status emu_pulp_bias(emu_node *n, emu_mac *m, err *e)
{
    int bits = emu_in(n, 0)->bits;
    if (emu_weight_bits(n) < bits) bits = emu_weight_bits(n);
    if (emu_out(n, 0)->bits < bits) bits = emu_out(n, 0)->bits;
    int group = 8 / bits;
    if (!m->bias || m->bias64 || group == 1) return ST_OK;
    int32_t *bias = arena_alloc(n->mem, (size_t)m->n_entries * (size_t)m->out_c, sizeof *bias);
    if (!bias) return emu_no_memory(n, e);
    for (int i = 0; i < m->n_entries * m->out_c; i++) {
        int c = i % m->out_c;
        bias[i] = ((const int32_t *)m->bias)[i - c + c / group + c % group];
    }
    m->bias = bias;
    return ST_OK;
}

/* Mixed linear, 2-bit in and out, 4-bit weights: of every 16 weights, rows 2 and 3 of 4 take the last 8 from rows 0 and 1. */
void emu_pulp_linear_rows(const emu_node *n, const emu_mac *m, int16_t *lanes)
{
    if (emu_in(n, 0)->bits != 2 || emu_weight_bits(n) != 4 || emu_out(n, 0)->bits != 2) return;
    for (int c = 0; c < m->out_c; c++) {
        for (int i = 0; c % 4 >= 2 && i < m->depth / 16 * 16; i++) {
            if (i % 16 >= 8) lanes[(size_t)c * (size_t)m->lanes + (size_t)i] = lanes[(size_t)(c - 2) * (size_t)m->lanes + (size_t)i];
        }
    }
}

/* Mixed pointwise, last pixel of an odd row: the packed input is read one byte a channel, from where an unpacked one would begin; bytes
 * count as unsigned, but those that do not fill a word of weights as signed where the input is. */
void emu_pulp_pointwise_rest(const emu_node *n, const emu_window *w, int oy, int ox, int16_t *lanes)
{
    const model_op *op = n->op;
    size_t from = ((size_t)oy * (size_t)w->in_w + (size_t)ox) * (size_t)w->in_c;
    int word = emu_weight_bits(n) == 8 ? 4 : 32 / emu_weight_bits(n), whole = w->in_c / word * word;
    for (int c = 0; c < w->in_c; c++) {
        uint8_t byte = from + (size_t)c < op->packed_bytes ? op->packed_input[from + (size_t)c] : 0;
        bool sign = c >= whole && emu_in(n, 0)->dtype == MODEL_I8;
        lanes[c] = (int16_t)(sign && byte > 127 ? byte - 256 : byte);
    }
}

static int bits_of(uint64_t v)
{
    int n = 0;
    for (; v; v >>= 1) n++;
    return n;
}

/* Largest |accumulator| of channel c over the candidates and entries, inputs up to x away from their zero. */
static uint64_t largest_sum(const emu_mac *m, int c, int64_t x)
{
    uint64_t most = 0;
    for (int k = 0; k < m->n_candidates; k++) {
        uint64_t sum = 0;
        for (int i = 0; i < m->lanes; i++) sum += (uint64_t)llabs(m->weights[k][(size_t)c * (size_t)m->lanes + (size_t)i]) * (uint64_t)x;
        if (sum > most) most = sum;
    }
    uint64_t bias = 0;
    for (int i = 0; m->bias && i < m->n_entries; i++) {
        uint64_t b = (uint64_t)llabs(emu_mac_bias(m, i, c));
        if (b > bias) bias = b;
    }
    return most + bias;
}

static bool own_convention(const emu_node *n)
{
    const emu_profile *made_for = n->graph->profile ? emu_profile_find(n->graph->profile) : NULL;
    return made_for && made_for->conv == EMU_SHIFT;
}

status emu_pulp_multiplier(const emu_node *n, emu_mac *m, int64_t x, err *e)
{
    if (m->rule != EMU_SHIFT || !n->op->integer->multiplier || own_convention(n)) return ST_OK;
    for (int k = 0; k < m->n_entries * m->out_c; k++) {
        int32_t kappa = m->multiplier[k];
        int d = 31 - m->shift[k], c = k % m->out_c;
        while (kappa && kappa % 2 == 0 && d > 0) kappa /= 2, d--;
        int need = bits_of((uint64_t)llabs(kappa)) + bits_of(largest_sum(m, c, x)) + 1;
        if (need > 32)
            return emu_fail(n, e, ST_UNSUPPORTED, "channel %d rescales by %d / 2^%d; times its largest sum that takes %d bits, %d more than the 32 of profile %s: state a shorter multiplier", c,
                            (int)kappa, d, need, need - 32, n->profile->name);
        if (d > 31) return emu_fail(n, e, ST_UNSUPPORTED, "channel %d rescales by %d / 2^%d; profile %s shifts by 31 at most", c, (int)kappa, d, n->profile->name);
        m->multiplier[k] = kappa;
        m->shift[k] = -d;
    }
    return ST_OK;
}
