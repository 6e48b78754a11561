/* SPDX-License-Identifier: Apache-2.0
 * quant/exact.h - requantization of profile bitemu: sums of products kept whole (96 bits), then ONE rounding, half up. Freestanding,
 * total. With a 32-bit accumulator and no addend it equals quant_requant_once. */
#ifndef BITEMU_QUANT_EXACT_H
#define BITEMU_QUANT_EXACT_H

#include <stdint.h>

#include "quant/requant.h"

typedef struct quant_sum96 { /* high 2^32 + low modulo 2^96; low holds a few carries above 2^32 */
    uint64_t high, low;
} quant_sum96;

static inline void quant_sum96_add(quant_sum96 *s, int64_t v)
{
    s->low += (uint64_t)v & 0xFFFFFFFFu;
    s->high += (uint64_t)(v >> 32);
}

static inline void quant_sum96_add_product(quant_sum96 *s, int64_t acc, int32_t m)
{
    quant_sum96_add(s, (int64_t)((uint64_t)acc & 0xFFFFFFFFu) * m);
    s->high += (uint64_t)(acc >> 32) * (uint64_t)(int64_t)m;
}

/* floor(s / 2^shift) modulo 2^32, shift in [1, 62]: bits that lie below 2^96. */
static inline int32_t quant_sum96_shift(quant_sum96 s, int shift)
{
    uint64_t high = s.high + (s.low >> 32), low = s.low & 0xFFFFFFFFu;
    if (shift >= 32) return quant_wrap32((int64_t)(high >> (shift - 32)));
    return quant_wrap32((int64_t)(high << (32 - shift) | low >> shift));
}

/* wrap32(floor((acc m - acc_n m_n + addend + 2^(30-s)) / 2^(31-s))), exact for every argument; m, m_n in [0, 2^31), s in [-31, 30]. */
static inline int32_t quant_requant_exact(int64_t acc, int32_t m, int64_t acc_n, int32_t m_n, int64_t addend, int s)
{
    quant_sum96 sum = {0, 0};
    quant_sum96_add_product(&sum, acc, m);
    quant_sum96_add_product(&sum, acc_n, -m_n);
    quant_sum96_add(&sum, addend);
    quant_sum96_add(&sum, (int64_t)1 << (30 - s));
    return quant_sum96_shift(sum, 31 - s);
}

/* Shift only: floor((acc + addend + 2^(r-1)) / 2^r), r = -s > 0; acc 2^s + addend for s >= 0. Modulo 2^64; s in [-31, 30]. */
static inline int64_t quant_requant_shift(int64_t acc, int64_t addend, int s)
{
    uint64_t v = (uint64_t)acc << (s > 0 ? s : 0);
    return (int64_t)(v + (uint64_t)addend + (s < 0 ? (uint64_t)1 << (-s - 1) : 0)) >> (s < 0 ? -s : 0);
}

#endif
