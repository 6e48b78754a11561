/* SPDX-License-Identifier: Apache-2.0
 * emu/integers.h - the integers that a prepared operator computes with, as data: for code that computes the same elsewhere (a board).
 * Convolutions, depthwise convolutions, fully connected layers: acc = bias[e][c] + sum (x - in_zero[e]) w, 32 bits, wrapping;
 *   y = clamp(rescale(acc, multiplier[e][c], shift[e][c]) + out_zero[e], low[e], high[e]); EMU_RAW: y = acc.
 * Pools: low, high. QUANTIZE, ADD, SOFTMAX, MEAN: as their rows in emu/ref state, with the fields named there. */
#ifndef BITEMU_EMU_INTEGERS_H
#define BITEMU_EMU_INTEGERS_H

#include "emu/emu.h"

typedef struct emu_integers {
    emu_rule rule;               /* EMU_TWICE, EMU_ONCE, or EMU_RAW = no rescaling */
    int n_entries, n_channels;
    const int32_t *multiplier;   /* [n_entries][n_channels] */
    const int *shift;            /* [n_entries][n_channels] */
    const int32_t *in_zero, *out_zero, *low, *high; /* [n_entries] */
    const int32_t *in_zero2;     /* [n_entries] ADD, or NULL */
    int left_shift;              /* ADD */
    int32_t limit;               /* SOFTMAX: smallest difference that counts; MEAN: elements averaged */
    int32_t *bias;               /* [n_entries][out_c], layers with weights */
    int out_c, depth;            /* layers with weights */
    int n_candidates;
    const int16_t *const *weights; /* [n_candidates] -> [out_c][lanes], the number that each code means */
    int lanes;
    bool binary, pad_one;        /* codes 0, 1 of the input mean -1, +1; taps outside the image are +1, else they add nothing */
} emu_integers;

/* The integers of op (index in subgraph 0). What lies behind pointers lives as long as the session.
 * ST_UNSUPPORTED: op's arithmetic is of another kind (float, saturating or 64-bit accumulators, habits of one library). */
status emu_op_integers(emu_session *s, int op, emu_integers *out, err *e);

#endif
