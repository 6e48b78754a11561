/* SPDX-License-Identifier: Apache-2.0
 * Depthwise on AVR, in C. Four windows of a row at a time; those of three taps a row, under stride 1 and 2, share the lanes that they load. */
#include "device/kernels/avr.h"
#include "device/kernels/bytes.h"

static void plane(const dev_plane *t)
{
    if (t->k_w == 3 && t->stride == 1) bytes_plane(t, 1, 3);
    else if (t->k_w == 3 && t->stride == 2) bytes_plane(t, 2, 3);
    else bytes_plane(t, t->stride, t->k_w);
}

/* A copy for each rounding. */
static inline __attribute__((always_inline)) void rescale(const dev_column *t, bool twice)
{
    const avr_scale s = avr_scale_of(t->multiplier, t->shift, twice);
    const brief_limits q = {t->out_zero, t->low, t->high};
    const uint32_t step = t->step;
    uint8_t *to = t->to;
    for (const int32_t *sum = t->sums, *end = sum + t->n; sum < end; sum++, to += step) *to = avr_code(*sum, s, twice, q);
}

static void column(const dev_column *t)
{
    if (t->twice) rescale(t, true);
    else rescale(t, false);
}

const dev_depthwise_kernels dev_planes = {plane, column, bytes_split};
