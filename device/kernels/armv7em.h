/* SPDX-License-Identifier: Apache-2.0
 * device/kernels/armv7em.h - sums that are `brief` (device.h) to codes by the DSP extension. Empty without it. */
#ifndef BITEMU_DEVICE_KERNELS_ARMV7EM_H
#define BITEMU_DEVICE_KERNELS_ARMV7EM_H

#include "device/brief.h"

#if defined __ARM_FEATURE_DSP
/* brief_code; all: codes are all of int8. SMMLAR: (2^32 RA + acc m + 2^31) >> 32, m signed: the factor where it is 2^31 or more is m + 2^32. */
static inline __attribute__((always_inline)) uint8_t armv7em_code(int32_t acc, brief_scale s, bool twice, bool all, brief_limits q)
{
    int32_t x;
    if (twice) {
        __asm__("smmlar %0, %1, %2, %3" : "=r"(x) : "r"(acc), "r"(s.factor), "r"(acc & (int32_t)s.factor >> 31));
        x += x >> 31;
    } else __asm__("smmul %0, %1, %2" : "=r"(x) : "r"(acc), "r"(s.factor));
    x = ((x + s.half) >> s.right) + q.zero;
    if (all) __asm__("ssat %0, #8, %1" : "=r"(x) : "r"(x));
    else x = x < q.low ? q.low : x > q.high ? q.high : x;
    return (uint8_t)x;
}
#endif

#endif
