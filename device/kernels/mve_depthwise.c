/* SPDX-License-Identifier: Apache-2.0
 * Depthwise on Armv8.1-M with Helium: four windows at a time, tap by tap, in 32-bit lanes. Windows follow one another over the ends of rows, so rows of few outputs
 * fill vectors too: their lanes are gathered then, which takes the core longer than lanes side by side. */
#include <arm_mve.h>

#include "device/kernels/bytes.h"
#include "device/kernels/mve.h"

#define INLINE static inline __attribute__((always_inline))

/* k_w, k_h: constants where windows are three by three. beside: windows lie one after another. */
INLINE void windows(const dev_plane *t, uint32_t k_h, uint32_t k_w, bool beside)
{
    const int8_t *const plane = t->lanes, *const weights = t->weights;
    const uint32_t out_w = t->out_w, stride = t->stride, pitch = t->pitch, row = t->row, n = t->out_h * out_w, ends = out_w < 4 ? (3 + out_w) / out_w : 1, back = t->down - out_w * stride;
    const uint32x4_t last = vdupq_n_u32((t->out_h - 1) * t->down + (out_w - 1) * stride); /* no windows lie behind it */
    uint32x4_t x = vidupq_n_u32(0, 1), at = vmulq_n_u32(x, stride); /* columns of the four windows, and where they begin */
    int32_t *sum = t->sums;
    for (uint32_t left = n, first = ends - 1;; first = ends) {
        for (uint32_t i = first; i; i--) { /* a row's end is passed so often at most */
            const mve_pred16_t over = vcmpcsq_n_u32(x, out_w);
            at = vaddq_m_n_u32(at, at, back, over);
            x = vsubq_m_n_u32(x, x, out_w, over);
        }
        const uint32x4_t from = vminq_u32(at, last);
        const int8_t *lanes = beside ? plane + vgetq_lane_u32(at, 0) : plane, *taps = weights;
        int32x4_t s = vdupq_n_s32(t->bias);
#pragma GCC unroll 3
        for (uint32_t ky = 0; ky < k_h; ky++, lanes += pitch, taps += row) {
#pragma GCC unroll 3
            for (uint32_t kx = 0; kx < k_w; kx++) s = vmlaq_n_s32(s, beside ? vldrbq_s32(lanes + kx) : vldrbq_gather_offset_s32(lanes + kx, from), taps[kx]);
        }
        if (left <= 4) {
            vstrwq_p_s32(sum, s, vctp32q(left));
            return;
        }
        vstrwq_s32(sum, s);
        left -= 4, sum += 4, x = vaddq_n_u32(x, 4), at = vaddq_n_u32(at, 4 * stride);
    }
}

static void plane(const dev_plane *t)
{
    const bool beside = t->stride == 1 && t->out_w % 4 == 0, three = t->k_h == 3 && t->k_w == 3;
    if (three && beside) windows(t, 3, 3, true);
    else if (three) windows(t, 3, 3, false);
    else if (beside) windows(t, t->k_h, t->k_w, true);
    else windows(t, t->k_h, t->k_w, false);
}

INLINE void rescale(const dev_column *t, bool twice)
{
    const uint32_t step = t->step;
    const int32_t zero = t->out_zero, low = t->low, high = t->high;
    const int32x4_t m = vdupq_n_s32(t->multiplier), shift = vdupq_n_s32(t->shift);
    const uint32x4_t apart = vmulq_n_u32(vidupq_n_u32(0, 1), step);
    const int32_t *sum = t->sums;
    int8_t *to = (int8_t *)t->to;
    uint32_t left = t->n;
    for (; left >= 4; left -= 4, sum += 4, to += 4 * step) vstrbq_scatter_offset_s32(to, apart, mve_code(vldrwq_s32(sum), m, shift, twice, zero, low, high));
    if (!left) return;
    const mve_pred16_t some = vctp32q(left);
    vstrbq_scatter_offset_p_s32(to, apart, mve_code(vldrwq_z_s32(sum, some), m, shift, twice, zero, low, high), some);
}

static void column(const dev_column *t)
{
    if (t->twice) rescale(t, true);
    else rescale(t, false);
}

/* dev_split_fn: four words at a time; every plane takes the lowest bytes of their lanes. */
static void split(const uint8_t *codes, uint32_t step, uint32_t n, uint8_t turn, uint8_t *to, uint32_t plane)
{
    const uint32x4_t turns = vdupq_n_u32(turn * 0x01010101u), apart = vmulq_n_u32(vidupq_n_u32(0, 1), step);
    for (; n >= 4; n -= 4, to += 4, codes += 4 * step) {
        const uint32x4_t words = veorq_u32(vldrwq_gather_offset_u32((const uint32_t *)(const void *)codes, apart), turns);
        vstrbq_u32(to, words);
        vstrbq_u32(to + plane, vshrq_n_u32(words, 8));
        vstrbq_u32(to + 2 * plane, vshrq_n_u32(words, 16));
        vstrbq_u32(to + 3 * plane, vshrq_n_u32(words, 24));
    }
    if (n) bytes_split(codes, step, n, turn, to, plane);
}

const dev_depthwise_kernels dev_planes = {plane, column, split};
