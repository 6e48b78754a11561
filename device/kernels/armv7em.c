/* SPDX-License-Identifier: Apache-2.0
 * Cores with the DSP extension (Cortex-M4, M7, M33, M55): SMLAD multiplies two pairs of 16-bit lanes at once. A word of weights gives its pairs by
 * SXTB16, whatever the container: codes of c bits are moved to the top of their bytes and cut there, which multiplies them by 2^(8-c+drop);
 * the sum is shifted back once. It is exact while depth 2^14 < 2^31. Two channels by two pixels. */
#include "device/kernels/rows.h"
#include "device/weights.h"

enum { CHUNK = 32, MAX_SHIFTED_DEPTH = 1 << 16 };

static inline uint32_t bytes02(uint32_t x)
{
    uint32_t y;
    __asm__("sxtb16 %0, %1" : "=r"(y) : "r"(x));
    return y;
}

static inline uint32_t bytes13(uint32_t x)
{
    uint32_t y;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(y) : "r"(x));
    return y;
}

static inline int32_t smlad(uint32_t a, uint32_t b, int32_t sum)
{
    int32_t y;
    __asm__("smlad %0, %1, %2, %3" : "=r"(y) : "r"(a), "r"(b), "r"(sum));
    return y;
}

static inline uint32_t qadd8(uint32_t a, uint32_t b)
{
    uint32_t y;
    __asm__("qadd8 %0, %1, %2" : "=r"(y) : "r"(a), "r"(b));
    return y;
}

static void gather(const uint8_t *codes, uint32_t n, int16_t lane_zero, void *lanes)
{
    int16_t *to = lanes;
    if ((((uintptr_t)codes | (uintptr_t)lanes) & 3) == 0) {
        uint32_t turn = lane_zero ? 0x80808080u : 0;
        for (; n >= 4; n -= 4, codes += 4, to += 4) {
            uint32_t w = *(const uint32_t *)(const void *)codes ^ turn, even = bytes02(w), odd = bytes13(w);
            uint32_t *pair = (uint32_t *)(void *)to;
            pair[0] = (even & 0xFFFFu) | odd << 16;
            pair[1] = even >> 16 | (odd & 0xFFFF0000u);
        }
    }
    for (uint32_t i = 0; i < n; i++) to[i] = (int8_t)(codes[i] ^ (lane_zero ? 0x80 : 0));
}

typedef struct sums { /* [channel][pixel] */
    int32_t a00, a01, a10, a11;
} sums;

/* Four lanes: wa, wb hold a weight a byte. */
static inline sums four_lanes(sums s, uint32_t wa, uint32_t wb, const uint32_t *x0, const uint32_t *x1)
{
    uint32_t a = bytes02(wa), b = bytes02(wb), p = x0[0], q = x1[0];
    s.a00 = smlad(a, p, s.a00);
    s.a01 = smlad(a, q, s.a01);
    s.a10 = smlad(b, p, s.a10);
    s.a11 = smlad(b, q, s.a11);
    a = bytes13(wa), b = bytes13(wb), p = x0[1], q = x1[1];
    s.a00 = smlad(a, p, s.a00);
    s.a01 = smlad(a, q, s.a01);
    s.a10 = smlad(b, p, s.a10);
    s.a11 = smlad(b, q, s.a11);
    return s;
}

/* All words of two rows. container, cut, up are constants where this is inlined. */
static inline __attribute__((always_inline)) sums all_words(const uint32_t *r0, const uint32_t *r1, const uint32_t *x0, const uint32_t *x1, uint32_t words, int container, bool cut,
                                                            bool up, uint32_t mask, uint32_t half)
{
    sums s = {0, 0, 0, 0};
    for (const uint32_t *end = r0 + words; r0 < end; r0++, r1++) {
        for (int left = 8 - container; left >= 0; left -= container, x0 += 2, x1 += 2) {
            uint32_t wa = *r0 << left, wb = *r1 << left;
            if (up) wa = qadd8(wa, half), wb = qadd8(wb, half);
            if (cut) wa &= mask, wb &= mask;
            s = four_lanes(s, wa, wb, x0, x1);
        }
    }
    return s;
}

/* Any other weights: 32 at a time, unpacked to bytes in the order of pairs. */
static sums by_chunks(const dev_tile *t, const uint8_t *r0, const uint8_t *r1, const uint32_t *x0, const uint32_t *x1)
{
    static const uint8_t place[4] = {0, 2, 1, 3};
    sums s = {0, 0, 0, 0};
    for (uint32_t at = 0; at < t->depth; at += CHUNK, x0 += CHUNK / 2, x1 += CHUNK / 2) {
        uint32_t w[2][CHUNK / 4] = {{0}};
        for (uint32_t i = 0; i < CHUNK && at + i < t->depth; i++) {
            uint32_t shift = place[i % 4] * 8u;
            w[0][i / 4] |= (uint32_t)(uint8_t)dev_weight_value(t->weights, r0, at + i) << shift;
            w[1][i / 4] |= (uint32_t)(uint8_t)dev_weight_value(t->weights, r1, at + i) << shift;
        }
        for (int k = 0; k < CHUNK / 4; k++) s = four_lanes(s, w[0][k], w[1][k], x0 + 2 * k, x1 + 2 * k);
    }
    return s;
}

static sums two_rows(const dev_tile *t, const uint8_t *r0, const uint8_t *r1, const uint32_t *x0, const uint32_t *x1)
{
    const dev_weights *w = t->weights;
    bool up = w->nesting == DEV_HALF_UP && w->drop, cut = w->drop != 0;
    if (w->is_unsigned || w->values || (cut && w->nesting == DEV_HALF_EVEN) || (up && w->container != 8) || t->depth > MAX_SHIFTED_DEPTH) return by_chunks(t, r0, r1, x0, x1);
    const uint32_t *a = (const uint32_t *)(const void *)r0, *b = (const uint32_t *)(const void *)r1;
    uint32_t words = w->row_bytes / 4, back = 8u - w->container + w->drop, mask = (0xFFu << back & 0xFFu) * 0x01010101u, half = up ? (1u << (back - 1)) * 0x01010101u : 0;
    sums s;
    switch (w->container) {
    case 8:
        s = up    ? all_words(a, b, x0, x1, words, 8, true, true, mask, half)
            : cut ? all_words(a, b, x0, x1, words, 8, true, false, mask, half)
                  : all_words(a, b, x0, x1, words, 8, false, false, mask, half);
        break;
    case 4: s = all_words(a, b, x0, x1, words, 4, true, false, mask, half); break;
    case 2: s = all_words(a, b, x0, x1, words, 2, true, false, mask, half); break;
    default: s = all_words(a, b, x0, x1, words, 1, true, false, mask, half); break;
    }
    return (sums){s.a00 >> back, s.a01 >> back, s.a10 >> back, s.a11 >> back};
}

static int32_t wrapping(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

static void dot(const dev_tile *t)
{
    bool second = t->pixels > 1;
    const uint32_t *x0 = t->columns, *x1 = x0 + (second ? t->stride / 4 : 0);
    int32_t *acc = t->acc;
    for (uint16_t c = 0; c < t->channels; c = (uint16_t)(c + 2)) {
        bool pair = c + 1 < t->channels;
        const uint8_t *r0 = t->weights->codes + c * t->weights->row_bytes, *r1 = r0 + (pair ? t->weights->row_bytes : 0);
        sums s = two_rows(t, r0, r1, x0, x1);
        *acc = wrapping(*acc, s.a00), acc++;
        if (second) *acc = wrapping(*acc, s.a01), acc++;
        if (pair) *acc = wrapping(*acc, s.a10), acc++;
        if (pair && second) *acc = wrapping(*acc, s.a11), acc++;
    }
}

static void channels(const dev_channels *t)
{
    uint16_t c = 0, multiplier = (uint16_t)(t->out_c / t->in_c);
    const int16_t *x = t->columns;
    for (; multiplier == 1 && c + 4 <= t->out_c; c = (uint16_t)(c + 4)) {
        const int16_t *lane = x + c;
        const int8_t *w = t->weights + c;
        int32_t a0 = t->acc[c], a1 = t->acc[c + 1], a2 = t->acc[c + 2], a3 = t->acc[c + 3];
        for (uint16_t tap = 0; tap < t->taps; tap++, lane += t->in_c, w += t->out_c) {
            a0 += w[0] * lane[0];
            a1 += w[1] * lane[1];
            a2 += w[2] * lane[2];
            a3 += w[3] * lane[3];
        }
        t->acc[c] = a0, t->acc[c + 1] = a1, t->acc[c + 2] = a2, t->acc[c + 3] = a3;
    }
    for (; c < t->out_c; c++) {
        const int16_t *lane = x + c / multiplier;
        const int8_t *w = t->weights + c;
        for (uint16_t tap = 0; tap < t->taps; tap++, lane += t->in_c, w += t->out_c) t->acc[c] += *w * *lane;
    }
}

const dev_kernels dev_kernels_armv7em = {"armv7em", armv7em_pixels, armv7em_bytes, armv7em_lanes, armv7em_order, gather, dot, channels};
