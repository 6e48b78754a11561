/* SPDX-License-Identifier: Apache-2.0
 * device/kernels/avr.h - sums that are `brief` (device.h) to codes: products of 16 bits, shifts by bytes first. */
#ifndef BITEMU_DEVICE_KERNELS_AVR_H
#define BITEMU_DEVICE_KERNELS_AVR_H

#include "device/brief.h"

typedef struct avr_scale { /* of a channel: brief_scale, less what half up takes from the bit before the last */
    uint32_t factor;
    uint8_t right;      /* one less */
} avr_scale;

static inline avr_scale avr_scale_of(int32_t multiplier, int8_t shift, bool twice)
{
    const avr_scale s = {(uint32_t)multiplier << twice, (uint8_t)((twice ? -shift : -1 - shift) - 1)};
    return s;
}

/* brief_code */
static inline uint8_t avr_code(int32_t acc, avr_scale s, bool twice, brief_limits q)
{
    const uint16_t a = (uint16_t)acc, b = (uint16_t)((uint32_t)acc >> 16), m = (uint16_t)s.factor, n = (uint16_t)(s.factor >> 16);
    const uint32_t am = (uint32_t)a * m, an = (uint32_t)a * n, bm = (uint32_t)b * m, middle = (am >> 16) + (uint16_t)an + (uint16_t)bm;
    uint32_t high = (uint32_t)b * n + (an >> 16) + (bm >> 16) + (middle >> 16);
    if (acc < 0) high -= s.factor;
    int32_t x = (int32_t)high;
    if (twice) {
        if (middle & 0x8000u) x++;
        if (x < 0) x--;
    }
    uint8_t right = s.right;
    for (; right >= 8; right = (uint8_t)(right - 8)) x >>= 8;
    for (; right; right--) x >>= 1;
    x = ((x + 1) >> 1) + q.zero;
    x = x < q.low ? q.low : x;
    return (uint8_t)(x > q.high ? q.high : x);
}

#endif
