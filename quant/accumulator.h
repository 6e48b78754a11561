/* SPDX-License-Identifier: Apache-2.0
 * quant/accumulator.h - two's complement accumulators of any width: their limits, one addition, the width a range needs.
 * Freestanding, total. bits in [2, 64] throughout. */
#ifndef BITEMU_QUANT_ACCUMULATOR_H
#define BITEMU_QUANT_ACCUMULATOR_H

#include <stdbool.h>
#include <stdint.h>

/* -2^(bits-1) and 2^(bits-1) - 1. */
static inline int64_t quant_acc_min(int bits) { return bits < 64 ? -((int64_t)1 << (bits - 1)) : INT64_MIN; }
static inline int64_t quant_acc_max(int bits) { return -(quant_acc_min(bits) + 1); }

/* x reduced modulo 2^bits to two's complement. */
static inline int64_t quant_acc_wrap(int64_t x, int bits)
{
    if (bits >= 64) return x;
    uint64_t half = (uint64_t)1 << (bits - 1);
    return (int64_t)(((uint64_t)x & (2 * half - 1)) ^ half) - (int64_t)half;
}

/* a + b, cut to the accumulator's limits; *cut becomes true when it was (never false). */
static inline int64_t quant_acc_add(int64_t a, int64_t b, int bits, bool *cut)
{
    int64_t low = quant_acc_min(bits), high = quant_acc_max(bits);
    if (b > 0 ? a > high - b : a < low - b) {
        *cut = true;
        return b > 0 ? high : low;
    }
    return a + b;
}

/* Fewest bits, at least 2, of an accumulator that holds every value in [low, high]. */
static inline int quant_acc_bits(int64_t low, int64_t high)
{
    int bits = 2;
    while (bits < 64 && (low < quant_acc_min(bits) || high > quant_acc_max(bits))) bits++;
    return bits;
}

#endif
