/* SPDX-License-Identifier: Apache-2.0
 * Cores with the DSP extension (Cortex-M4, M7, M33): SMLAD multiplies two pairs of 16-bit lanes at once. Two channels by two pixels.
 * A pair of weights is cut from their word by one AND, whatever the container: codes of c bits, moved to the top of its halves, are numbers times 2^(16-c), narrowed
 * ones times 2^(16-c+drop). Sums are shifted back by as much, every SAFE lanes: SAFE 2^(c-1) 2^7 2^(16-c) < 2^31. */
#include "device/kernels/armv7em.h"
#include "device/kernels/rows.h"
#include "device/weights.h"

enum { CHUNK = 32, SAFE = 480 };

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

static int32_t plus(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); } /* wraps */

/* Two rows, two columns, and how the rows' words are cut. The assembly below goes by this order. */
typedef struct run {
    const uint32_t *r0, *r1, *x0, *x1;
    uint32_t words, mask, half, back;
    int32_t sum[4];                     /* channel 0: pixel 0, 1; channel 1 */
} run;
typedef void variant(run *r);

/* Adds the products of all words of two rows; CODE takes those in a, b. It takes all registers there are: the one that debuggers want for frames is put aside. */
#define ROWS "r1"
#define OTHERS "r2"
#define MASK "r7"
#define COLUMNS "r8"
#define NEIGHBOURS "r9"
#define A "r10"
#define B "r11"
#define P "r12"
#define Q "lr"
#define W "r0"
#define VARIANT(NAME, CODE)                                                                                                              \
    static __attribute__((noinline)) void NAME(run *r)                                                                                   \
    {                                                                                                                                    \
        register run *at __asm__("r0") = r;                                                                                              \
        __asm__ volatile("push {r0, r7}\n"                                                                                               \
                         "ldrd r3, r7, [r0, #16]\nldr r4, [r0, #24]\nldrd r1, r2, [r0]\nldrd r8, r9, [r0, #8]\nadd r3, r1, r3, lsl #2\npush {r3, r4}\n" /* end, half */      \
                         "movs r3, #0\nmovs r4, #0\nmovs r5, #0\nmovs r6, #0\n" CODE "ldr r0, [sp]\ncmp r1, r0\nbne 0b\n"                 \
                         "add sp, #8\npop {r0, r7}\nldr r1, [r0, #28]\n" SUM("r3", "#32") SUM("r4", "#36") SUM("r5", "#40") SUM("r6", "#44")                            \
                         : "+r"(at) : : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "memory", "cc");      \
    }
#define SUM(S, AT) "ldr r2, [r0, " AT "]\nasr " S ", r1\nadd r2, " S "\nstr r2, [r0, " AT "]\n"
#define WORDS "ldr " A ", [" ROWS "], #4\nldr " B ", [" OTHERS "], #4\n"
#define ROUND "ldr " W ", [sp, #4]\nqadd8 " A ", " A ", " W "\nqadd8 " B ", " B ", " W "\n"
#define PAIR(LEFT)                                                                                                                       \
    "ldr " P ", [" COLUMNS "], #4\nldr " Q ", [" NEIGHBOURS "], #4\nand " W ", " MASK ", " A ", lsl #" LEFT "\nsmlad r3, " W ", " P ", r3\nsmlad r4, " W ", " Q ", r4\n"        \
    "and " W ", " MASK ", " B ", lsl #" LEFT "\nsmlad r5, " W ", " P ", r5\nsmlad r6, " W ", " Q ", r6\n"
#define ONCE(CODE) "0:\n" CODE
#define TWICE(CODE) "ldr r0, [sp]\nsubs r0, r1\ntst r0, #4\nbne 1f\n0:\n" CODE "1:\n" CODE /* an odd number of words: from the middle on */
#define BYTES WORDS PAIR("8") PAIR("0")
#define NIBBLES WORDS PAIR("12") PAIR("4") PAIR("8") PAIR("0")
VARIANT(words8, TWICE(BYTES))
VARIANT(words8_up, ONCE(WORDS ROUND PAIR("8") PAIR("0")))
VARIANT(words4, TWICE(NIBBLES))
VARIANT(words2, ONCE(WORDS PAIR("14") PAIR("6") PAIR("12") PAIR("4") PAIR("10") PAIR("2") PAIR("8") PAIR("0")))
VARIANT(words1, ONCE(WORDS PAIR("15") PAIR("7") PAIR("14") PAIR("6") PAIR("13") PAIR("5") PAIR("12") PAIR("4") PAIR("11") PAIR("3") PAIR("10") PAIR("2") PAIR("9") PAIR("1") PAIR("8") PAIR("0")))

/* How a layer's weights are multiplied. */
typedef struct how {
    const dev_weights *weights;
    variant *multiply;           /* NULL: by chunks */
    uint32_t depth, words, safe; /* of a row; after so many words sums are shifted back */
    const uint32_t *x0, *x1;
} how;

/* Any weights: 32 at a time, unpacked to bytes in the order of pairs. */
static __attribute__((noinline)) void by_chunks(const how *h, run *r)
{
    static const uint8_t place[4] = {0, 2, 1, 3};
    const uint8_t *r0 = (const uint8_t *)r->r0, *r1 = (const uint8_t *)r->r1;
    uint32_t w[2][CHUNK / 4];
    r->words = CHUNK / 4, r->mask = 0xFF00FF00u, r->back = 8;
    for (uint32_t at = 0; at < h->depth; at += CHUNK, r->x0 += CHUNK / 2, r->x1 += CHUNK / 2) {
        for (uint32_t i = 0; i < CHUNK / 4; i++) w[0][i] = w[1][i] = 0;
        for (uint32_t i = 0; i < CHUNK && at + i < h->depth; i++) {
            uint32_t shift = place[i % 4] * 8u;
            w[0][i / 4] |= (uint32_t)(uint8_t)dev_weight_value(h->weights, r0, at + i) << shift;
            w[1][i / 4] |= (uint32_t)(uint8_t)dev_weight_value(h->weights, r1, at + i) << shift;
        }
        r->r0 = w[0], r->r1 = w[1];
        words8(r);
    }
}

static how choose(const dev_tile *t, run *r)
{
    static variant *const by_container[] = {[1] = words1, [2] = words2, [4] = words4, [8] = words8};
    const dev_weights *w = t->weights;
    how h = {w, by_container[w->container], t->depth, w->row_bytes / 4, SAFE * w->container / 32u, t->columns, (const uint32_t *)t->columns + (t->pixels > 1 ? t->stride / 4 : 0)};
    if (w->nesting == DEV_HALF_UP && w->drop) h.multiply = words8_up;
    if (w->is_unsigned || w->values || (w->drop && (w->nesting == DEV_HALF_EVEN || w->container != 8))) h.multiply = NULL;
    r->back = 16u - w->container + w->drop;
    r->mask = (0xFFFFu << r->back & 0xFFFFu) * 0x00010001u;
    r->half = w->drop ? (1u << (w->drop - 1)) * 0x01010101u : 0;
    return h;
}

/* Adds products of the rows c and, if there is one, c + 1. */
static __attribute__((noinline)) void multiply(const how *h, run *r, uint32_t c, bool pair)
{
    r->r0 = (const uint32_t *)(const void *)(h->weights->codes + c * h->weights->row_bytes);
    r->r1 = r->r0 + (pair ? h->words : 0);
    r->x0 = h->x0, r->x1 = h->x1;
    if (!h->multiply) {
        by_chunks(h, r);
        return;
    }
    for (uint32_t left = h->words; left; left -= r->words, r->r0 += r->words, r->r1 += r->words, r->x0 += SAFE / 2, r->x1 += SAFE / 2) {
        r->words = left < h->safe ? left : h->safe;
        h->multiply(r);
    }
}

static void dot(const dev_tile *t)
{
    run r;
    const how h = choose(t, &r);
    int32_t *acc = t->acc;
    for (uint32_t c = 0; c < t->channels; c += 2) {
        const bool pair = c + 1 < t->channels;
        for (int i = 0; i < 4; i++) r.sum[i] = 0;
        multiply(&h, &r, c, pair);
        for (uint32_t k = 0; k <= pair; k++)
            for (uint32_t p = 0; p < t->pixels; p++, acc++) *acc = plus(*acc, r.sum[2 * k + p]);
    }
}

static inline __attribute__((always_inline)) void rescale(const dev_tile *t, const dev_finish *f, bool twice)
{
    const bool second = t->pixels > 1, all = f->low == INT8_MIN && f->high == INT8_MAX;
    const brief_limits limits = {f->out_zero, f->low, f->high};
    const uint32_t channels = t->channels, next = f->next;
    const int32_t *bias = f->bias, *multiplier = f->multiplier;
    const int8_t *shift = f->shift;
    uint8_t *to = f->to;
    run r;
    const how h = choose(t, &r);
    for (uint32_t c = 0; c < channels; c += 2) {
        const bool pair = c + 1 < channels;
        r.sum[0] = r.sum[1] = bias[0], r.sum[2] = r.sum[3] = pair ? bias[1] : 0, bias += 2;
        multiply(&h, &r, c, pair);
        for (const int32_t *sum = r.sum, *end = sum + (pair ? 4 : 2); sum < end; sum += 2, to++, multiplier += next, shift += next) {
            const brief_scale scale = brief_scale_of(*multiplier, *shift, twice);
            to[0] = armv7em_code(sum[0], scale, twice, all, limits);
            if (second) to[channels] = armv7em_code(sum[1], scale, twice, all, limits);
        }
    }
}

static void codes(const dev_tile *t, const dev_finish *f)
{
    if (f->twice) rescale(t, f, true);
    else rescale(t, f, false);
}

const dev_kernels dev_kernels_armv7em = {"armv7em", armv7em_pixels, armv7em_bytes, armv7em_lanes, armv7em_order, armv7em_unpacks, gather, dot, codes};
