/* SPDX-License-Identifier: Apache-2.0
 * device/kernels/bytes.h - what rows of 8-bit lanes share: gathering, unpacking, and the depthwise kernel for windows of any size in plain C. */
#ifndef BITEMU_DEVICE_KERNELS_BYTES_H
#define BITEMU_DEVICE_KERNELS_BYTES_H

#include "device/device.h"
#include "device/weights.h"

/* code - 0 or code - 128: the same bits, or the top one turned. Words where both sides are aligned. */
static inline void bytes_gather(const uint8_t *codes, uint32_t n, int16_t lane_zero, void *lanes)
{
    int8_t *to = (int8_t *)lanes;
    const uint8_t turn = lane_zero ? 0x80 : 0;
    const uint32_t turns = turn * 0x01010101u;
    if ((((uintptr_t)codes | (uintptr_t)lanes) & 3) == 0) {
        const uint32_t *from = (const uint32_t *)(const void *)codes;
        uint32_t *word = (uint32_t *)(void *)to, words = n / 4;
        codes += words * 4, to += words * 4, n &= 3;
        for (; words >= 4; words -= 4, from += 4, word += 4) {
            uint32_t a = from[0], b = from[1], c = from[2], d = from[3];
            word[0] = a ^ turns, word[1] = b ^ turns, word[2] = c ^ turns, word[3] = d ^ turns;
        }
        for (; words; words--) *word++ = *from++ ^ turns;
    }
    for (uint32_t i = 0; i < n; i++) to[i] = (int8_t)(codes[i] ^ turn);
}

/* Signed codes of two, four or eight a byte, cut by `drop` bits, from whole bytes; how many of n it was. */
static inline uint32_t bytes_unpack_signed(uint8_t bits, uint8_t drop, const DEV_FLASH uint8_t *row, uint32_t n, int8_t *to)
{
    uint32_t i = 0;
    uint8_t right = (uint8_t)(8 - bits + drop);
    if (bits == 8) {
        for (; i < n; i++) to[i] = (int8_t)((int8_t)row[i] >> right);
    } else if (bits == 4) {
        for (; i + 2 <= n; i += 2, row++) {
            to[i] = (int8_t)((int8_t)(uint8_t)(*row << 4) >> right);
            to[i + 1] = (int8_t)((int8_t)*row >> right);
        }
    } else if (bits == 2) {
        for (; i + 4 <= n; i += 4, row++) {
            to[i] = (int8_t)((int8_t)(uint8_t)(*row << 6) >> right);
            to[i + 1] = (int8_t)((int8_t)(uint8_t)(*row << 4) >> right);
            to[i + 2] = (int8_t)((int8_t)(uint8_t)(*row << 2) >> right);
            to[i + 3] = (int8_t)((int8_t)*row >> right);
        }
    } else {
        for (; i + 8 <= n; row++)
            for (uint32_t byte = (uint32_t)*row << 7, k = 0; k < 8; k++, byte >>= 1) to[i++] = (int8_t)-(int8_t)(byte >> 7 & 1u);
    }
    return i;
}

/* Codes from..from + n of a row in flat order, from a multiple of 8. */
static inline void bytes_unpack(const dev_weights *w, const DEV_FLASH uint8_t *row, uint32_t from, uint32_t n, int8_t *to)
{
    uint32_t i = 0;
    bool number = !w->is_unsigned && !w->values;
    if (number && (w->nesting == DEV_FLOOR || w->drop == 0)) {
        i = bytes_unpack_signed(w->container, w->drop, row + from / 8 * w->container, n, to);
    } else if (number && w->nesting == DEV_HALF_UP && w->container == 8) {
        const int half = 1 << (w->drop - 1), top = (1 << (w->width - 1)) - 1, drop = w->drop;
        for (row += from; i < n; i++) {
            const int code = ((int8_t)row[i] + half) >> drop;
            to[i] = (int8_t)(code < top ? code : top);
        }
    }
    for (; i < n; i++) to[i] = dev_weight_value(w, row, from + i);
}

/* One or four sums of a depthwise channel, from lanes `stride` apart. */
static inline __attribute__((always_inline)) void bytes_sums(const dev_plane *t, const int8_t *lanes, uint32_t stride, uint32_t taps, bool four, int32_t *sum)
{
    const int8_t *weights = t->weights;
    const uint32_t down = t->pitch, right = t->row;
    int32_t s0 = t->bias, s1 = s0, s2 = s0, s3 = s0;
    for (uint32_t ky = t->k_h; ky; ky--, lanes += down, weights += right) {
        const int8_t *x = lanes, *b = x + stride, *c = b + stride, *d = c + stride;
#pragma GCC unroll 3
        for (uint32_t kx = 0; kx < taps; kx++) {
            const int8_t w = weights[kx];
            s0 += (int16_t)(w * x[kx]);
            if (!four) continue;
            s1 += (int16_t)(w * b[kx]);
            s2 += (int16_t)(w * c[kx]);
            s3 += (int16_t)(w * d[kx]);
        }
    }
    sum[0] = s0;
    if (four) sum[1] = s1, sum[2] = s2, sum[3] = s3;
}

/* Windows `taps` wide and of any height, four of a row at a time. */
static inline __attribute__((always_inline)) void bytes_plane(const dev_plane *t, uint32_t stride, uint32_t taps)
{
    int32_t *sum = t->sums;
    const int8_t *row = t->lanes;
    for (uint32_t y = t->out_h; y; y--, row += t->down) {
        const int8_t *x = row;
        uint32_t left = t->out_w;
        for (; left >= 4; left -= 4, x += 4 * stride, sum += 4) bytes_sums(t, x, stride, taps, true, sum);
        for (; left; left--, x += stride, sum++) bytes_sums(t, x, stride, taps, false, sum);
    }
}

/* dev_split_fn */
static inline void bytes_split(const uint8_t *from, uint32_t step, uint32_t n, uint8_t turn, uint8_t *a, uint32_t plane)
{
    uint8_t *b = a + plane, *c = b + plane, *d = c + plane;
    const uint32_t turns = turn * 0x01010101u;
    uint32_t word;
#define BYTES_LANES(I) word = *(const uint32_t *)(const void *)from ^ turns, from += step, a[I] = (uint8_t)word, b[I] = (uint8_t)(word >> 8), c[I] = (uint8_t)(word >> 16), d[I] = (uint8_t)(word >> 24)
    for (; n >= 4; n -= 4, a += 4, b += 4, c += 4, d += 4) BYTES_LANES(0), BYTES_LANES(1), BYTES_LANES(2), BYTES_LANES(3);
    for (; n; n--, a++, b++, c++, d++) BYTES_LANES(0);
#undef BYTES_LANES
}

#endif
