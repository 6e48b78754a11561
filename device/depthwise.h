/* SPDX-License-Identifier: Apache-2.0
 * device/depthwise.h - how a depthwise layer goes through its scratch; the exporter reserves by the same function.
 * Four channels at a time lie as planes of 8-bit lanes, border filled in, so that a kernel sees neighbours side by side and no edge of the image. Planes hold a band
 * of the image: what DEV_BAND bytes take, one row of outputs at least. */
#ifndef BITEMU_DEVICE_DEPTHWISE_H
#define BITEMU_DEVICE_DEPTHWISE_H

#include "device/device.h"

enum { DEV_PLANES = 4, DEV_BAND = 1024, DEV_SUMS = 128 };

typedef struct dev_bands {
    uint32_t wide, tall;        /* lanes that a window spans; wide in whole words */
    uint32_t width, rows;       /* of a plane; width in whole words */
    uint32_t out_rows;          /* of a band */
    uint32_t sum_rows;          /* rows of outputs that a kernel computes at once: DEV_SUMS sums, one row at least */
    uint64_t bytes;             /* of scratch: planes and a word pair that kernels may read behind them, their channels' weights, sums and one more */
} dev_bands;

static inline dev_bands dev_bands_of(const dev_mac *m)
{
    dev_bands b;
    b.wide = ((m->k_w - 1u) * m->dilation_w + 4) & ~3u;
    b.tall = (m->k_h - 1u) * m->dilation_h + 1;
    b.width = ((m->out_w - 1u) * m->stride_w + (m->k_w - 1u) * m->dilation_w + 4) & ~3u;
    const uint32_t most = DEV_BAND / DEV_PLANES / b.width;
    b.out_rows = 1;
    if (most > b.tall) b.out_rows = (most - b.tall) / m->stride_h + 1;
    if (b.out_rows > m->out_h) b.out_rows = m->out_h;
    b.rows = (b.out_rows - 1) * m->stride_h + b.tall;
    b.sum_rows = DEV_SUMS / m->out_w;
    if (b.sum_rows < 1) b.sum_rows = 1;
    if (b.sum_rows > b.out_rows) b.sum_rows = b.out_rows;
    b.bytes = (uint64_t)b.rows * b.width * DEV_PLANES + 8 + (uint64_t)m->k_h * b.wide * DEV_PLANES + (uint64_t)b.sum_rows * m->out_w * 4 + 4;
    return b;
}

#endif
