/* SPDX-License-Identifier: Apache-2.0
 * device/kernels/bytes.h - what rows of 8-bit lanes share: gathering, and the depthwise kernel in plain C. */
#ifndef BITEMU_DEVICE_KERNELS_BYTES_H
#define BITEMU_DEVICE_KERNELS_BYTES_H

#include "device/device.h"

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

/* Four channels of a depthwise convolution with one output a channel. */
static inline void bytes_four(const int8_t *x, const int8_t *w, uint16_t taps, uint16_t step, int32_t *acc)
{
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (; taps; taps--, x += step, w += step) {
        a0 += (int16_t)(w[0] * x[0]);
        a1 += (int16_t)(w[1] * x[1]);
        a2 += (int16_t)(w[2] * x[2]);
        a3 += (int16_t)(w[3] * x[3]);
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

static inline void bytes_channels(const dev_channels *t)
{
    uint16_t c = 0, multiplier = (uint16_t)(t->out_c / t->in_c);
    const int8_t *x = (const int8_t *)t->columns;
    for (; multiplier == 1 && c + 4 <= t->out_c; c = (uint16_t)(c + 4)) bytes_four(x + c, t->weights + c, t->taps, t->out_c, t->acc + c);
    for (; c < t->out_c; c++) {
        const int8_t *lane = x + c / multiplier, *w = t->weights + c;
        for (uint16_t tap = 0; tap < t->taps; tap++, lane += t->in_c, w += t->out_c) t->acc[c] += (int16_t)(*w * *lane);
    }
}

#endif
