/* SPDX-License-Identifier: Apache-2.0
 * Depthwise on RV32IMC: windows of 3x3 keep their nine weights in registers and give four neighbours at once, which share lanes: 18 (stride 2: 27) loads and
 * 72 operations for 36 MACs. Other windows in C. */
#include "device/brief.h"
#include "device/kernels/bytes.h"

#define LOAD(D, I) "lb %[" #D "], " #I "(%[p])\n"
#define MAC(S, X, W) "mul %[t], %[" #X "], %[" #W "]\n add %[" #S "], %[" #S "], %[t]\n"
/* A row of four windows, whose lanes are loaded three instructions or more before their use. */
#define FOUR_1                                                                                                                           \
    LOAD(x, 0) LOAD(y, 1) LOAD(z, 2) MAC(a, x, u) LOAD(x, 3) MAC(a, y, v) MAC(b, y, u) LOAD(y, 4) MAC(a, z, w) MAC(b, z, v) MAC(c, z, u) LOAD(z, 5)                            \
    MAC(b, x, w) MAC(c, x, v) MAC(d, x, u) MAC(c, y, w) MAC(d, y, v) MAC(d, z, w)
#define FOUR_2                                                                                                                           \
    LOAD(x, 0) LOAD(y, 1) LOAD(z, 2) MAC(a, x, u) LOAD(x, 3) MAC(a, y, v) LOAD(y, 4) MAC(a, z, w) MAC(b, z, u) LOAD(z, 5) MAC(b, x, v) LOAD(x, 6)                               \
    MAC(b, y, w) MAC(c, y, u) LOAD(y, 7) MAC(c, z, v) LOAD(z, 8) MAC(c, x, w) MAC(d, x, u) MAC(d, y, v) MAC(d, z, w)
#define ONE LOAD(x, 0) LOAD(y, 1) LOAD(z, 2) MAC(a, x, u) MAC(a, y, v) MAC(a, z, w)
#define ROW(CODE, ADVANCE, P, U)                                                                                                         \
    __asm__ volatile(CODE "addi %[p], %[p], " ADVANCE "\n"                                                                              \
                     : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [p] "+r"(P), [t] "=&r"(t), [x] "=&r"(x), [y] "=&r"(y), [z] "=&r"(z) \
                     : [u] "r"(w[U]), [v] "r"(w[U + 1]), [w] "r"(w[U + 2]) : "memory")
#define ROW_OF_ONE(ADVANCE, P, U)                                                                                                        \
    __asm__ volatile(ONE "addi %[p], %[p], " ADVANCE "\n" : [a] "+r"(a), [p] "+r"(P), [t] "=&r"(t), [x] "=&r"(x), [y] "=&r"(y), [z] "=&r"(z) \
                     : [u] "r"(w[U]), [v] "r"(w[U + 1]), [w] "r"(w[U + 2]) : "memory")
#define ROWS_OF_ONE(ADVANCE) ROW_OF_ONE(ADVANCE, first, 0); ROW_OF_ONE(ADVANCE, second, 3); ROW_OF_ONE(ADVANCE, third, 6);
#define ROWS(CODE, ADVANCE) ROW(CODE, ADVANCE, first, 0); ROW(CODE, ADVANCE, second, 3); ROW(CODE, ADVANCE, third, 6);

/* A copy for each stride. */
static inline __attribute__((always_inline)) void three_by_three(const dev_plane *plane, uint32_t stride)
{
    const int8_t *from = plane->weights, *row = plane->lanes;
    const uint32_t right = plane->row, pitch = plane->pitch, down = plane->down, width = plane->out_w;
    const int32_t w[9] = {from[0], from[1], from[2], from[right], from[right + 1], from[right + 2], from[2 * right], from[2 * right + 1], from[2 * right + 2]}, bias = plane->bias;
    int32_t *sum = plane->sums, a, b, c, d, t, x, y, z;
    for (uint32_t rows = plane->out_h; rows; rows--, row += down) {
        const int8_t *first = row, *second = row + pitch, *third = second + pitch;
        uint32_t left = width;
        for (; left >= 4; left -= 4, sum += 4) {
            a = bias, b = bias, c = bias, d = bias;
            if (stride == 1) { ROWS(FOUR_1, "4") }
            else { ROWS(FOUR_2, "8") }
            sum[0] = a, sum[1] = b, sum[2] = c, sum[3] = d;
        }
        for (; left; left--, sum++) {
            a = bias;
            if (stride == 1) { ROWS_OF_ONE("1") }
            else { ROWS_OF_ONE("2") }
            *sum = a;
        }
    }
}

static void plane(const dev_plane *t)
{
    const bool three = t->k_h == 3 && t->k_w == 3;
    if (three && t->stride == 1) three_by_three(t, 1);
    else if (three && t->stride == 2) three_by_three(t, 2);
    else bytes_plane(t, t->stride, t->k_w);
}

/* Two sums a trip, without compressed instructions: a jump to one that spans two words takes a cycle more. */
#define HIGH_WORD(X) "mulhsu %[" #X "], %[" #X "], %[m]\n"
#define HIGH_WORD_ROUNDED(X) "mul %[t], %[" #X "], %[m]\nmulhsu %[" #X "], %[" #X "], %[m]\nsrli %[t], %[t], 31\nadd %[" #X "], %[" #X "], %[t]\nsrai %[t], %[" #X "], 31\nadd %[" #X "], %[" #X "], %[t]\n"
#define STORE(X)                                                                                                                         \
    "add %[" #X "], %[" #X "], %[half]\nsra %[" #X "], %[" #X "], %[right]\nadd %[" #X "], %[" #X "], %[zero]\n"                       \
    "bge %[" #X "], %[low], 2f\nmv %[" #X "], %[low]\n2: bge %[high], %[" #X "], 3f\nmv %[" #X "], %[high]\n3: sb %[" #X "], 0(%[to])\nadd %[to], %[to], %[step]\n"
#define PAIRS(HIGH)                                                                                                                      \
    __asm__ volatile(".balign 4\n.option push\n.option norvc\n1: lw %[x], 0(%[sum])\nlw %[y], 4(%[sum])\naddi %[sum], %[sum], 8\n"     \
                     HIGH(x) STORE(x) HIGH(y) STORE(y) "bltu %[sum], %[end], 1b\n.option pop\n"                                         \
                     : [sum] "+r"(sum), [to] "+r"(to), [x] "=&r"(x), [y] "=&r"(y), [t] "=&r"(u)                                           \
                     : [end] "r"(end), [m] "r"(s.factor), [half] "r"(s.half), [right] "r"(s.right), [zero] "r"(q.zero), [low] "r"(q.low), [high] "r"(q.high), [step] "r"(t->step) : "memory")

static void column(const dev_column *t)
{
    const brief_scale s = brief_scale_of(t->multiplier, t->shift, t->twice);
    const brief_limits q = {t->out_zero, t->low, t->high};
    const int32_t *sum = t->sums, *end = sum + (t->n & ~1u);
    uint8_t *to = t->to;
    int32_t x, y, u;
    if (sum < end && t->twice) PAIRS(HIGH_WORD_ROUNDED);
    else if (sum < end) PAIRS(HIGH_WORD);
    if (t->n & 1) *to = brief_code(*sum, s, t->twice, q);
}

const dev_depthwise_kernels dev_planes = {plane, column, bytes_split};
