/* SPDX-License-Identifier: Apache-2.0
 * The portable row: any C compiler, any width, 8-bit lanes. Weights of two channels are unpacked in chunks to bytes, then two channels by two
 * pixels are multiplied in one loop. It is what every other row must equal. */
#include "device/kernels/rows.h"
#include "device/weights.h"

enum { CHUNK = 32 };

static void gather(const uint8_t *codes, uint32_t n, int16_t lane_zero, void *lanes)
{
    int8_t *to = lanes;
    uint8_t zero = (uint8_t)lane_zero;
    for (uint32_t i = 0; i < n; i++) to[i] = (int8_t)(uint8_t)(codes[i] - zero);
}

/* a[0..3] += w0 x0, w0 x1, w1 x0, w1 x1 */
static void block(const int8_t *w0, const int8_t *w1, const int8_t *x0, const int8_t *x1, uint32_t n, int32_t a[4])
{
    int32_t a00 = a[0], a01 = a[1], a10 = a[2], a11 = a[3];
    for (uint32_t i = 0; i < n; i++) {
        a00 += (int16_t)(w0[i] * x0[i]);
        a01 += (int16_t)(w0[i] * x1[i]);
        a10 += (int16_t)(w1[i] * x0[i]);
        a11 += (int16_t)(w1[i] * x1[i]);
    }
    a[0] = a00;
    a[1] = a01;
    a[2] = a10;
    a[3] = a11;
}

#ifndef __AVR__ /* there flash is no memory for block */
static bool plain(const dev_weights *w) { return w->container == 8 && !w->is_unsigned && !w->values && (w->nesting == DEV_AS_STORED || !w->drop); }
#endif

static void unpack(const dev_weights *w, const DEV_FLASH uint8_t *row, uint32_t from, uint32_t n, int8_t *to)
{
    for (uint32_t i = 0; i < n; i++) to[i] = dev_weight_value(w, row, from + i);
}

static void rows(const dev_tile *t, const DEV_FLASH uint8_t *r0, const DEV_FLASH uint8_t *r1, const int8_t *x0, const int8_t *x1, int32_t a[4])
{
    int8_t w[2][CHUNK];
#ifndef __AVR__
    if (plain(t->weights)) {
        block((const int8_t *)r0, (const int8_t *)r1, x0, x1, t->depth, a);
        return;
    }
#endif
    for (uint32_t at = 0; at < t->depth; at += CHUNK) {
        uint32_t n = t->depth - at < CHUNK ? t->depth - at : CHUNK;
        unpack(t->weights, r0, at, n, w[0]);
        unpack(t->weights, r1, at, n, w[1]);
        block(w[0], w[1], x0 + at, x1 + at, n, a);
    }
}

static void dot(const dev_tile *t)
{
    uint8_t second = t->pixels > 1;
    const int8_t *x0 = t->columns, *x1 = x0 + (second ? t->stride : 0);
    int32_t *acc = t->acc;
    for (uint16_t c = 0; c < t->channels; c = (uint16_t)(c + 2)) {
        bool pair = c + 1 < t->channels;
        const DEV_FLASH uint8_t *r0 = t->weights->codes + c * t->weights->row_bytes, *r1 = r0 + (pair ? t->weights->row_bytes : 0);
        int32_t a[4] = {0};
        rows(t, r0, r1, x0, x1, a);
        *acc++ += a[0];
        if (second) *acc++ += a[1];
        if (pair) *acc++ += a[2];
        if (pair && second) *acc++ += a[3];
    }
}

static void channels(const dev_channels *t)
{
    const int8_t *x = t->columns;
    uint16_t multiplier = (uint16_t)(t->out_c / t->in_c);
    for (uint16_t tap = 0; tap < t->taps; tap++) {
        const DEV_FLASH uint8_t *row = t->weights->codes + tap * t->weights->row_bytes;
        for (uint16_t c = 0, i = 0; c < t->in_c; c++, x++)
            for (uint16_t k = 0; k < multiplier; k++, i++) t->acc[i] += (int16_t)(*x * dev_weight_value(t->weights, row, i));
    }
}

const dev_kernels dev_kernels_portable = {"portable", DEV_PORTABLE_PIXELS, DEV_PORTABLE_LANE_BYTES, gather, {dot, dot, dot, dot},
                                          {channels, channels, channels, channels}};
