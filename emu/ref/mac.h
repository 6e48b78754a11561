/* SPDX-License-Identifier: Apache-2.0
 * emu/ref/mac.h - the common middle of convolution, depthwise convolution and fully connected layers:
 *   weights of any width unpacked once to int16 lanes, dot products accumulated exactly, accumulators requantized to codes.
 * The accumulator of output channel c holds sum_i (x_i - x_zero) (w_i - w_zero) + bias[c], i over filter row, filter column, channel.
 * It has m->bits bits. Wrapping, it is summed exactly and reduced modulo 2^bits once, which equals wrapping at every addition. Saturating, it
 * is summed product by product in that order, the bias first or last (emu_profile_bias_first), and cut at every addition; taps outside the
 * image add 0. Libraries whose kernels add several products at once, or fold x_zero into the bias, have the same final
 * sum but other partial sums: the order here is the formula's.
 * Operands: |x - zero| <= 2^15, |w - zero| <= 383 (checked by prepare), so lanes fit int16 and a product is at most 2^23. */
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
    int16_t *weights[MODEL_MAX_CANDIDATES]; /* [out_c][lanes], zero point subtracted */
    int chunk;                  /* products that surely fit an int32 sum, multiple of 16 */
    int16_t *column;            /* [lanes] one receptive field, zero point subtracted */
    bool rests;                 /* 4-bit weights on Helium: pixels beyond the last four of a matrix product take EMU_MVE_REST */
    bool short_sums;            /* EMU_S16_SHORT_SUMS applies */
    const void *bias;           /* [entries][out_c] int32 or int64, or NULL */
    bool bias64;
    int n_entries;
    int32_t *multiplier;        /* [entries][out_c] */
    int *shift;                 /* [entries][out_c] */
    double *real;               /* [entries][out_c], rules in floating point */
    bool short_cut;             /* EMU_SHORT_CUT applies */
    bool unsigned_pairs;        /* EMU_UNSIGNED_PAIRS applies */
    const int64_t *addend;      /* [entries][out_c] EMU_SHIFT, or NULL */
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

/* The same for a saturating accumulator: n products x[i] w[i], each addition cut. */
int32_t emu_mac_finish_steps(const emu_mac *m, int entry, int c, const int16_t *x, const int16_t *w, int n, emu_events *ev);

/* All output channels [first, first + count) of one receptive field in m->column; codes go to elements at, at + 1, ... of out.
 * last: a left-over pixel (short_sums, unsigned_pairs, rests). */
void emu_mac_column(const emu_mac *m, const emu_node *n, int first, int count, void *out, size_t at, bool last, emu_events *ev);

/* Does the library's 4-bit depthwise kernel for odd input channels apply (EMU_W4_NIBBLES)? Then sums[out_c] of one pixel come from it. */
bool emu_depthwise_nibbles_apply(const emu_node *n, const emu_window *w);
int emu_depthwise_nibbles_taps(const emu_node *n, const emu_window *w, size_t image, int oy, int ox, int channel, emu_tap *taps);
void emu_depthwise_nibbles(const emu_node *n, const emu_window *w, size_t image, int oy, int ox, int32_t zero, int32_t *sums);

/* x - zero of n elements of tensor t from element `from`, as lanes. */
void emu_mac_lanes(const model_tensor *t, const void *data, size_t from, size_t n, int32_t zero, int16_t *lanes);

#endif
