/* SPDX-License-Identifier: Apache-2.0
 * device/kernels/mve.h - four sums that are `brief` (device.h) to codes, before they are stored. Empty without Helium. */
#ifndef BITEMU_DEVICE_KERNELS_MVE_H
#define BITEMU_DEVICE_KERNELS_MVE_H

#if defined __ARM_FEATURE_MVE
#include <arm_mve.h>
#include <stdbool.h>

/* quant_requant_twice: VQRDMULH is floor((acc m + 2^30) / 2^31), then ties away from 0 over 2^-shift; quant_requant_once: the high word, then half up over 2^(-1 - shift). */
static inline int32x4_t mve_code(int32x4_t acc, int32x4_t m, int32x4_t shift, bool twice, int32_t zero, int32_t low, int32_t high)
{
    int32x4_t x;
    if (twice) {
        x = vqrdmulhq_s32(acc, m);
        x = vrshlq_s32(vaddq_s32(x, vshrq_n_s32(x, 31)), shift);
    } else {
        x = vrshlq_s32(vmulhq_s32(acc, m), vaddq_n_s32(shift, 1));
    }
    return vminq_s32(vmaxq_s32(vaddq_n_s32(x, zero), vdupq_n_s32(low)), vdupq_n_s32(high));
}
#endif

#endif
