/* SPDX-License-Identifier: Apache-2.0
 * emu/ref/mac.h - the common middle of convolution, depthwise convolution and fully connected layers:
 *   weights of any width unpacked once to int16 lanes, dot products accumulated exactly, accumulators requantized to codes.
 * The accumulator of output channel c holds sum_i (x_i - x_zero) (w_i - w_zero) + bias[c], i over filter row, filter column, channel.
 * It has m->bits bits. Wrapping, it is summed exactly and reduced modulo 2^bits once, which equals wrapping at every addition. Saturating, it
 * is summed product by product in that order, the bias first or last (emu_profile_bias_first), and cut at every addition; taps outside the
 * image add 0. Libraries whose kernels add several products at once, or fold x_zero into the bias, have the same final
 * sum but other partial sums: the order here is the formula's.
 * Operands: |x - zero| <= 2^15, |w - zero| <= 2^15 (checked by prepare), so lanes fit int16 and a product is at most 2^30. */
#ifndef BITEMU_EMU_REF_MAC_H
#define BITEMU_EMU_REF_MAC_H

#include "emu/ref/common.h"

typedef struct emu_mac {
    emu_rule rule;
    bool acc64;                 /* the library accumulates in 64 bits and requantizes 64; else 32 */
    int bits;                   /* of the accumulator: 2..32 or 64 */
    bool saturate;              /* else wraps */
    bool bias_first;            /* of a saturating accumulator */
    int out_c, depth;           /* depth: products per output */
    int lanes;                  /* depth rounded up to a multiple of 16, the rest 0 */
    int n_candidates;
    int16_t *weights[MODEL_MAX_CANDIDATES]; /* [out_c][lanes], values of the grid, zero point subtracted */
    int chunk;                  /* products that surely fit an int32 sum, multiple of 16; 0 = sum in 64 bits */
    int16_t *column;            /* [lanes + 1] one receptive field, zero point subtracted; binary input: last = what padding adds (larq) */
    const model_grid *grid;     /* of the layer, NULL = affine */
    int16_t *negative[MODEL_MAX_CANDIDATES]; /* grid ternary2: [out_c][lanes] 1 where the code is -1; weights then hold the +1 */
    uint32_t *signs[MODEL_MAX_CANDIDATES];   /* binary input: [out_c][lanes / 16] weights, bit 1 = +1 */
    uint32_t *column_bits;      /* binary input: [lanes / 16] signs, then [lanes / 16] mask of the column */
    bool rests;                 /* 4-bit weights on Helium: emu_helium_rest pixels take EMU_MVE_REST */
    bool short_sums;            /* EMU_S16_SHORT_SUMS applies */
    const void *bias;           /* [entries][out_c] int32 or int64, or NULL */
    bool bias64;
    int n_entries;
    int32_t *multiplier;        /* [entries][out_c] */
    int *shift;                 /* [entries][out_c] */
    double *real;               /* [entries][out_c], rules in floating point */
    int tail;                   /* channels from here on take EMU_TWICE: what LiteRT's vectors leave over, or all of a grouped convolution */
    bool cut28;                 /* XNNPACK's 4-bit fully connected: sums are kept 16-fold in 32 bits, so wrap at 2^27 */
    bool short_cut;             /* EMU_SHORT_CUT applies */
    bool unsigned_pairs;        /* EMU_UNSIGNED_PAIRS applies */
    const int64_t *addend;      /* [entries][n_channels] EMU_SHIFT, EMU_EXACT, EMU_ROUND_SHIFT, or NULL */
    int n_addends;              /* 1 = one for all channels */
    int32_t *in_zero, *out_zero, *low, *high; /* [entries] */
} emu_mac;

/* Prepares from inputs 0 (activations), 1 (weights), 2 (bias) and output 0. depth and out_c describe the weights as
 * [out_c][depth]; transposed: stored as [depth][out_c] (depthwise). is_fc selects the profile's rule for fully connected. */
status emu_mac_prepare(emu_node *n, int out_c, int depth, bool transposed, bool is_fc, emu_mac *m, err *e);

/* sum over i < lanes of x[i] w[i], exact. */
int64_t emu_mac_dot(const emu_mac *m, const int16_t *x, const int16_t *w);
/* Four rows of weights at once, w, w + lanes, ... */
void emu_mac_dot4(const emu_mac *m, const int16_t *x, const int16_t *w, int64_t sum[4]);

/* Bias of channel c in a table entry; 0 without. */
int64_t emu_mac_bias(const emu_mac *m, int entry, int c);

/* Adds the bias of channel c, records the accumulator, wraps it, requantizes, clamps. */
int32_t emu_mac_finish(const emu_mac *m, int entry, int c, int64_t sum, emu_events *ev);

/* What is added after the multiplication; 0 without addends. */
static inline int64_t emu_mac_addend(const emu_mac *m, int entry, int c)
{
    return m->addend ? m->addend[m->n_addends == 1 ? entry : entry * m->out_c + c] : 0;
}
/* The same for a saturating accumulator: n products x[i] w[i], each addition cut. */
int32_t emu_mac_finish_steps(const emu_mac *m, int entry, int c, const int16_t *x, const int16_t *w, int n, emu_events *ev);

/* All output channels [first, first + count) of one receptive field in m->column; codes go to elements at, at + 1, ... of out.
 * last: a left-over pixel (short_sums, unsigned_pairs, rests). */
void emu_mac_column(const emu_mac *m, const emu_node *n, int first, int count, void *out, size_t at, bool last, emu_events *ev);

/* Width of the weights that the library's kernel sees: a grid's codes are expanded to 8 bits before it. */
static inline int emu_weight_bits(const emu_node *n) { return n->op->grid ? 8 : emu_in(n, 1)->bits; }

/* Weight grids (emu/ref/grids.c). Once unpacked most are ordinary lanes; special: a binary input or two accumulators. */
status emu_grid_supported(const emu_node *n, const emu_mac *m, err *e);
status emu_grid_prepare(emu_node *n, emu_mac *m, err *e);
static inline bool emu_grid_special(const emu_mac *m) { return m->grid && (m->grid->binary_input || m->grid->weights.kind == QUANT_TERNARY2); }
/* Binary input: n codes in lanes become -1, +1; n lanes of padding. */
void emu_grid_input(const emu_mac *m, int16_t *lanes, int n);
void emu_grid_pad(const emu_node *n, const emu_mac *m, int16_t *lanes, int count);
/* emu_mac_column where emu_grid_special. */
void emu_grid_column(const emu_mac *m, const emu_node *n, int first, int count, void *out, size_t at, emu_events *ev);

/* Does the library's 4-bit depthwise kernel for odd input channels apply (EMU_W4_NIBBLES)? Then sums[out_c] of one pixel come from it. */
bool emu_depthwise_nibbles_apply(const emu_node *n, const emu_window *w);
int emu_depthwise_nibbles_taps(const emu_node *n, const emu_window *w, size_t image, int oy, int ox, int channel, emu_tap *taps);
void emu_depthwise_nibbles(const emu_node *n, const emu_window *w, size_t image, int oy, int ox, int32_t zero, int32_t *sums);

/* x - zero of n elements of tensor t from element `from`, as lanes. */
void emu_mac_lanes(const model_tensor *t, const void *data, size_t from, size_t n, int32_t zero, int16_t *lanes);

/* For a row's integers: of a layer with weights. ST_UNSUPPORTED where acc is not the plain 32-bit sum, or the rule no board's. */
status emu_mac_integers(emu_node *n, const emu_mac *m, emu_integers *out, err *e);

#endif
