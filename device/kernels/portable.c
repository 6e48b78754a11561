/* SPDX-License-Identifier: Apache-2.0
 * The portable row: any C compiler, any width, 8-bit lanes. Weights of two channels are unpacked in chunks to bytes, then two channels by two
 * pixels are multiplied in one loop. It is what every other row must equal. */
#include "device/kernels/bytes.h"
#include "device/kernels/rows.h"
#include "device/weights.h"

enum { CHUNK = 32 };

/* a[0..3] += w0 x0, w0 x1, w1 x0, w1 x1 */
static void block(const int8_t *w0, const int8_t *w1, const int8_t *x0, const int8_t *x1, uint32_t n, int32_t a[4])
{
    int32_t a00 = a[0], a01 = a[1], a10 = a[2], a11 = a[3];
#define STEP(I)                                                                                                                          \
    a00 += (int16_t)(w0[I] * x0[I]);                                                                                                     \
    a01 += (int16_t)(w0[I] * x1[I]);                                                                                                     \
    a10 += (int16_t)(w1[I] * x0[I]);                                                                                                     \
    a11 += (int16_t)(w1[I] * x1[I]);
    for (; n >= 4; n -= 4, w0 += 4, w1 += 4, x0 += 4, x1 += 4) {
        STEP(0)
        STEP(1)
        STEP(2)
        STEP(3)
    }
    for (uint32_t i = 0; i < n; i++) { STEP(i) }
#undef STEP
    a[0] = a00;
    a[1] = a01;
    a[2] = a10;
    a[3] = a11;
}

static void rows(const dev_tile *t, const DEV_FLASH uint8_t *r0, const DEV_FLASH uint8_t *r1, const int8_t *x0, const int8_t *x1, int32_t a[4])
{
    int8_t w[2][CHUNK];
    if (DEV_FLASH_IS_MEMORY && dev_weights_plain(t->weights)) {
        block((const int8_t *)(uintptr_t)r0, (const int8_t *)(uintptr_t)r1, x0, x1, t->depth, a);
        return;
    }
    for (uint32_t at = 0; at < t->depth; at += CHUNK) {
        uint32_t n = t->depth - at < CHUNK ? t->depth - at : CHUNK;
        bytes_unpack(t->weights, r0, at, n, w[0]);
        bytes_unpack(t->weights, r1, at, n, w[1]);
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

const dev_kernels dev_kernels_portable = {"portable", portable_pixels, portable_bytes, portable_lanes, portable_order, portable_unpacks, bytes_gather, dot, NULL};
