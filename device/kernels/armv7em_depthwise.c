/* SPDX-License-Identifier: Apache-2.0
 * Depthwise on cores with the DSP extension: a word of a plane holds four neighbours of a row, lanes 0 and 2, 1 and 3 of which SXTB16 makes two pairs. Windows of
 * three by three keep their weights in five registers: pairs of the outer weights for SMLAD, single ones of the middle for SMLABB. Under stride 1 a word serves two windows.
 * Words are read at any address. */
#include "device/kernels/armv7em.h"
#include "device/kernels/bytes.h"

/* One row: X and E become its lanes 1 and 3, 0 and 2. MIDDLE: half of the register that holds the middle weight. */
#define LANES "sxtb16 %[e], %[x]\nsxtb16 %[x], %[x], ror #8\n"
#define FIRST(OUTER, MIDDLE, HALF) "smlad %[p], %[e], %[" #OUTER "], %[p]\nsmlab" #HALF " %[p], %[x], %[" #MIDDLE "], %[p]\n"
#define SECOND(OUTER, MIDDLE, HALF) "smlad %[q], %[x], %[" #OUTER "], %[q]\nsmlat" #HALF " %[q], %[e], %[" #MIDDLE "], %[q]\n"
#define ROWS(EACH)                                                                                                                       \
    "ldr %[x], [%[a]]\n" LANES EACH(u, uv, b) "ldr %[x], [%[a], %[pitch]]\n" LANES EACH(v, uv, t) "ldr %[x], [%[a], %[pitch], lsl #1]\n" LANES EACH(w, ww, b)
#define ONE(OUTER, MIDDLE, HALF) FIRST(OUTER, MIDDLE, HALF)
#define TWO(OUTER, MIDDLE, HALF) FIRST(OUTER, MIDDLE, HALF) SECOND(OUTER, MIDDLE, HALF)
#define WEIGHTS [u] "r"(u), [v] "r"(v), [w] "r"(w), [uv] "r"(uv), [ww] "r"(ww)

static inline uint32_t pair(int8_t low, int8_t high) { return (uint16_t)low | (uint32_t)(uint16_t)high << 16; }

static void three_by_three(const dev_plane *t)
{
    const int8_t *from = t->weights, *second = from + t->row, *third = second + t->row, *row = t->lanes;
    const uint32_t u = pair(from[0], from[2]), v = pair(second[0], second[2]), w = pair(third[0], third[2]), uv = pair(from[1], second[1]), ww = pair(third[1], 0), pitch = t->pitch, stride = t->stride;
    const int32_t bias = t->bias;
    int32_t *sum = t->sums, p, q;
    uint32_t x, e;
    for (uint32_t rows = t->out_h; rows; rows--, row += t->down) {
        const int8_t *a = row;
        int32_t *end = sum + t->out_w;
        for (; stride == 1 && sum + 1 < end; a += 2, sum += 2) {
            __asm__("ldr %[p], %[bias]\nmov %[q], %[p]\n" ROWS(TWO) : [p] "=&r"(p), [q] "=&r"(q), [x] "=&r"(x), [e] "=&r"(e) : [a] "r"(a), [pitch] "r"(pitch), [bias] "m"(bias), WEIGHTS : "memory");
            sum[0] = p, sum[1] = q;
        }
        for (; sum < end; a += stride) {
            __asm__("ldr %[p], %[bias]\n" ROWS(ONE) : [p] "=&r"(p), [x] "=&r"(x), [e] "=&r"(e) : [a] "r"(a), [pitch] "r"(pitch), [bias] "m"(bias), WEIGHTS : "memory");
            *sum++ = p;
        }
    }
}

/* Windows of any size: four taps at a time. */
static void any(const dev_plane *t)
{
    const uint32_t words = t->row / 4;
    const int8_t *row = t->lanes;
    int32_t *sum = t->sums;
    for (uint32_t rows = t->out_h; rows; rows--, row += t->down) {
        const int8_t *window = row;
        for (uint32_t left = t->out_w; left; left--, window += t->stride) {
            const int8_t *lanes = window, *weights = t->weights;
            int32_t p = t->bias;
            for (uint32_t ky = t->k_h; ky; ky--, lanes += t->pitch - 4 * words) {
                for (uint32_t i = words; i; i--, lanes += 4, weights += 4) {
                    uint32_t x, y, e, f;
                    __asm__("ldr %[x], [%[lanes]]\nldr %[y], [%[weights]]\n" LANES "sxtb16 %[f], %[y]\nsxtb16 %[y], %[y], ror #8\nsmlad %[p], %[e], %[f], %[p]\nsmlad %[p], %[x], %[y], %[p]\n"
                            : [p] "+r"(p), [x] "=&r"(x), [y] "=&r"(y), [e] "=&r"(e), [f] "=&r"(f) : [lanes] "r"(lanes), [weights] "r"(weights) : "memory");
                }
            }
            *sum++ = p;
        }
    }
}

static void plane(const dev_plane *t)
{
    if (t->k_h == 3 && t->k_w == 3) three_by_three(t);
    else any(t);
}

static inline __attribute__((always_inline)) void rescale(const dev_column *t, bool twice, bool all)
{
    const brief_scale s = brief_scale_of(t->multiplier, t->shift, twice);
    const brief_limits limits = {t->out_zero, t->low, t->high};
    uint8_t *to = t->to;
    for (const int32_t *sum = t->sums, *end = sum + t->n; sum < end; to += t->step) *to = armv7em_code(*sum++, s, twice, all, limits);
}

static void column(const dev_column *t)
{
    const bool all = t->low == INT8_MIN && t->high == INT8_MAX;
    if (t->twice && all) rescale(t, true, true);
    else if (t->twice) rescale(t, true, false);
    else if (all) rescale(t, false, true);
    else rescale(t, false, false);
}

const dev_depthwise_kernels dev_planes = {plane, column, bytes_split};
