/* SPDX-License-Identifier: Apache-2.0
 * Depthwise on Armv8.1-M with Helium: four windows of a row at a time, tap by tap, in 32-bit lanes. */
#include <arm_mve.h>

#include "device/kernels/bytes.h"
#include "device/kernels/mve.h"

static void plane(const dev_plane *t)
{
    const int8_t *row = t->lanes;
    int32_t *sum = t->sums;
    const uint32x4_t apart = vmulq_n_u32(vidupq_n_u32(0, 1), t->stride);
    for (uint32_t y = t->out_h; y; y--, row += t->down) {
        const int8_t *windows = row;
        for (uint32_t at = 0; at < t->out_w; at += 4, windows += 4 * t->stride) {
            const mve_pred16_t some = vctp32q(t->out_w - at);
            const int8_t *lanes = windows, *weights = t->weights;
            int32x4_t s = vdupq_n_s32(t->bias);
            for (uint32_t ky = t->k_h; ky; ky--, lanes += t->pitch, weights += t->row)
                for (uint32_t kx = 0; kx < t->k_w; kx++) {
                    const int32x4_t x = t->stride == 1 ? vldrbq_z_s32(lanes + kx, some) : vldrbq_gather_offset_z_s32(lanes + kx, apart, some);
                    s = vmlaq_n_s32(s, x, weights[kx]);
                }
            vstrwq_p_s32(sum + at, s, some);
        }
        sum += t->out_w;
    }
}

static void column(const dev_column *t)
{
    const int32x4_t m = vdupq_n_s32(t->multiplier), shift = vdupq_n_s32(t->shift);
    const uint32x4_t apart = vmulq_n_u32(vidupq_n_u32(0, 1), t->step);
    uint8_t *to = t->to;
    for (uint32_t at = 0; at < t->n; at += 4, to += 4 * t->step) {
        const mve_pred16_t some = vctp32q(t->n - at);
        const int32x4_t code = mve_code(vldrwq_z_s32(t->sums + at, some), m, shift, t->twice, t->out_zero, t->low, t->high);
        vstrbq_scatter_offset_p_s32((int8_t *)to, apart, code, some);
    }
}

const dev_depthwise_kernels dev_planes = {plane, column, bytes_split};
