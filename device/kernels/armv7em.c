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
static inline sums four_lanes(sums s, uint32_t wa, uint32_t wb, uint64_t x0, uint64_t x1)
{
    uint32_t a = bytes02(wa), b = bytes02(wb), p = (uint32_t)x0, q = (uint32_t)x1;
    s.a00 = smlad(a, p, s.a00);
    s.a01 = smlad(a, q, s.a01);
    s.a10 = smlad(b, p, s.a10);
    s.a11 = smlad(b, q, s.a11);
    a = bytes13(wa), b = bytes13(wb), p = (uint32_t)(x0 >> 32), q = (uint32_t)(x1 >> 32);
    s.a00 = smlad(a, p, s.a00);
    s.a01 = smlad(a, q, s.a01);
    s.a10 = smlad(b, p, s.a10);
    s.a11 = smlad(b, q, s.a11);
    return s;
}

/* Two rows, two columns, and how the rows' words are cut. */
typedef struct run {
    const dev_tile *t;
    const uint8_t *r0, *r1;
    const uint64_t *x0, *x1;
    uint32_t words, mask, half;
} run;
typedef sums variant(const run *r);

/* The codes at the top of every byte, which mask keeps. */
static inline __attribute__((always_inline)) sums plane(sums s, uint32_t a, uint32_t b, const uint64_t **x0, const uint64_t **x1, uint32_t mask)
{
    return four_lanes(s, a & mask, b & mask, *(*x0)++, *(*x1)++);
}

/* All words of two rows; code gets the words a, b and adds to s. A function each, so that each has the registers to itself. */
#define VARIANT(NAME, CODE)                                                                                                              \
    static sums NAME(const run *r)                                                                                                       \
    {                                                                                                                                    \
        const uint32_t *r0 = (const uint32_t *)(const void *)r->r0, *r1 = (const uint32_t *)(const void *)r->r1;                         \
        const uint64_t *x0 = r->x0, *x1 = r->x1;                                                                                         \
        sums s = {0, 0, 0, 0};                                                                                                           \
        for (const uint32_t *end = r0 + r->words; r0 < end;) {                                                                           \
            uint32_t a = *r0++, b = *r1++;                                                                                               \
            CODE                                                                                                                         \
        }                                                                                                                                \
        return s;                                                                                                                        \
    }
#define PLANE(LEFT, MASK) s = plane(s, a << (LEFT), b << (LEFT), &x0, &x1, MASK);
VARIANT(words8, PLANE(0, 0xFFFFFFFF))
VARIANT(words8_floor, PLANE(0, r->mask))
VARIANT(words8_up, a = qadd8(a, r->half); b = qadd8(b, r->half); PLANE(0, r->mask))
VARIANT(words4, PLANE(4, 0xF0F0F0F0) PLANE(0, 0xF0F0F0F0))
VARIANT(words2, PLANE(6, 0xC0C0C0C0) PLANE(4, 0xC0C0C0C0) PLANE(2, 0xC0C0C0C0) PLANE(0, 0xC0C0C0C0))
VARIANT(words1, PLANE(7, 0x80808080) PLANE(6, 0x80808080) PLANE(5, 0x80808080) PLANE(4, 0x80808080) PLANE(3, 0x80808080) PLANE(2, 0x80808080)
        PLANE(1, 0x80808080) PLANE(0, 0x80808080))

/* Any other weights: 32 at a time, unpacked to bytes in the order of pairs. */
static sums by_chunks(const run *r)
{
    static const uint8_t place[4] = {0, 2, 1, 3};
    const dev_weights *weights = r->t->weights;
    uint32_t depth = r->t->depth;
    const uint64_t *x0 = r->x0, *x1 = r->x1;
    sums s = {0, 0, 0, 0};
    for (uint32_t at = 0; at < depth; at += CHUNK) {
        uint32_t w[2][CHUNK / 4] = {{0}};
        for (uint32_t i = 0; i < CHUNK && at + i < depth; i++) {
            uint32_t shift = place[i % 4] * 8u;
            w[0][i / 4] |= (uint32_t)(uint8_t)dev_weight_value(weights, r->r0, at + i) << shift;
            w[1][i / 4] |= (uint32_t)(uint8_t)dev_weight_value(weights, r->r1, at + i) << shift;
        }
        for (int k = 0; k < CHUNK / 4; k++) s = four_lanes(s, w[0][k], w[1][k], *x0++, *x1++);
    }
    return s;
}

/* The variant for w, and what its sums are shifted back by. */
static variant *choose(const dev_weights *w, uint32_t depth, uint32_t *back)
{
    bool up = w->nesting == DEV_HALF_UP && w->drop, cut = w->drop != 0;
    *back = 0;
    if (w->is_unsigned || w->values || (cut && w->nesting == DEV_HALF_EVEN) || (cut && w->container != 8) || depth > MAX_SHIFTED_DEPTH) return by_chunks;
    *back = 8u - w->container + w->drop;
    switch (w->container) {
    case 8: return up ? words8_up : cut ? words8_floor : words8;
    case 4: return words4;
    case 2: return words2;
    default: return words1;
    }
}

static int32_t plus(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); } /* wraps */

static void dot(const dev_tile *t)
{
    const dev_weights *w = t->weights;
    bool second = t->pixels > 1;
    uint32_t back;
    variant *multiply = choose(w, t->depth, &back);
    run r = {.t = t, .x0 = t->columns, .words = w->row_bytes / 4, .mask = (0xFFu << back & 0xFFu) * 0x01010101u, .half = back ? (1u << (back - 1)) * 0x01010101u : 0};
    int32_t *acc = t->acc;
    r.r0 = w->codes;
    r.x1 = r.x0 + (second ? t->stride / 8 : 0);
    for (uint32_t c = t->channels; c;) {
        bool pair = c > 1;
        r.r1 = r.r0 + (pair ? w->row_bytes : 0);
        sums s = multiply(&r);
        *acc = plus(*acc, s.a00 >> back), acc++;
        if (second) *acc = plus(*acc, s.a01 >> back), acc++;
        if (!pair) return;
        *acc = plus(*acc, s.a10 >> back), acc++;
        if (second) *acc = plus(*acc, s.a11 >> back), acc++;
        r.r0 = r.r1 + w->row_bytes;
        c -= 2;
    }
}

const dev_kernels dev_kernels_armv7em = {"armv7em", armv7em_pixels, armv7em_bytes, armv7em_lanes, armv7em_order, armv7em_unpacks, gather, dot, NULL};
