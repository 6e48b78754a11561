/* SPDX-License-Identifier: Apache-2.0
 * device/brief.h - quant_requant_twice and quant_requant_once of accumulators that are `brief` (dev_mac): high words of products are enough, no case is
 * special; then the code. */
#ifndef BITEMU_DEVICE_BRIEF_H
#define BITEMU_DEVICE_BRIEF_H

#include <stdbool.h>
#include <stdint.h>

typedef struct brief_scale { /* of a channel */
    uint32_t factor;        /* twice: the multiplier twofold */
    uint32_t right;
    int32_t half;           /* 2^(right - 1) */
} brief_scale;

typedef struct brief_limits {
    int32_t zero, low, high;
} brief_limits;

static inline brief_scale brief_scale_of(int32_t multiplier, int8_t shift, bool twice)
{
    const uint32_t right = (uint32_t)(twice ? -shift : -1 - shift);
    const brief_scale s = {(uint32_t)multiplier << twice, right, (int32_t)((uint32_t)1 << (right - 1))};
    return s;
}

static inline uint8_t brief_code(int32_t acc, brief_scale s, bool twice, brief_limits q)
{
    int64_t product = (int64_t)acc * s.factor;
    int32_t x = (int32_t)(product >> 32);
    if (twice) x += (int32_t)((uint32_t)product >> 31), x += x >> 31;
    x = ((x + s.half) >> s.right) + q.zero;
    x = x < q.low ? q.low : x;
    return (uint8_t)(x > q.high ? q.high : x);
}

#endif
