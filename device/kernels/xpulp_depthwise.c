/* SPDX-License-Identifier: Apache-2.0
 * Depthwise on CV32E40P with Xpulp: a word of a plane holds four neighbours of a row, so a dot product of bytes takes up to four taps at once, at any address (one cycle
 * more where a word spans two). Windows three rows high and up to four wide keep their weights in registers; under stride 1 and three taps one load serves two windows. */
#include "device/kernels/bytes.h"
#include "device/kernels/xpulp.h"


/* Windows two by two: one more than there are if those are odd in number, overwritten by the next row's. */
static void three_by_three(const dev_plane *t)
{
    const uint32_t *w = (const uint32_t *)(const void *)t->weights, pairs = (t->out_w + 1) / 2;
    const int8_t *row = t->lanes;
    int32_t *sum = t->sums;
    const uint32_t v0 = w[0] << 8, v1 = w[1] << 8, v2 = w[2] << 8;
    for (uint32_t rows = t->out_h; rows; rows--, row += t->down, sum -= t->out_w & 1) {
        const int8_t *a = row, *b = a + t->pitch, *c = b + t->pitch;
        int32_t p, q;
        uint32_t x, y, z;
        __asm__ volatile(SIMPLE_LOOP("13", LOAD_ON("%[x]", "%[a]", "2") LOAD_ON("%[y]", "%[b]", "2") LOAD_ON("%[z]", "%[c]", "2") "mv %[p], %[bias]\nmv %[q], %[bias]\n"
                                           DOT("%[p]", "%[x]", "%[w0]") DOT("%[q]", "%[x]", "%[v0]") DOT("%[p]", "%[y]", "%[w1]") DOT("%[q]", "%[y]", "%[v1]")
                                           DOT("%[p]", "%[z]", "%[w2]") DOT("%[q]", "%[z]", "%[v2]") STORE_NEXT("%[p]", "%[sum]") STORE_NEXT("%[q]", "%[sum]"))
                         : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [sum] "+r"(sum), [p] "=&r"(p), [q] "=&r"(q), [x] "=&r"(x), [y] "=&r"(y), [z] "=&r"(z)
                         : [count] "r"(pairs), [bias] "r"(t->bias), [w0] "r"(w[0]), [w1] "r"(w[1]), [w2] "r"(w[2]), [v0] "r"(v0), [v1] "r"(v1), [v2] "r"(v2) : "memory");
    }
}

/* Three rows of up to four taps. */
static void three_rows(const dev_plane *t)
{
    const uint32_t *w = (const uint32_t *)(const void *)t->weights;
    const int8_t *row = t->lanes;
    int32_t *sum = t->sums;
    for (uint32_t rows = t->out_h; rows; rows--, row += t->down) {
        const int8_t *a = row, *b = a + t->pitch, *c = b + t->pitch;
        int32_t p;
        uint32_t x, y, z;
        __asm__ volatile(SIMPLE_LOOP("8", LOAD("%[x]", "%[a]", "%[step]") LOAD("%[y]", "%[b]", "%[step]") LOAD("%[z]", "%[c]", "%[step]") "mv %[p], %[bias]\n"
                                          DOT("%[p]", "%[x]", "%[w0]") DOT("%[p]", "%[y]", "%[w1]") DOT("%[p]", "%[z]", "%[w2]") STORE_NEXT("%[p]", "%[sum]"))
                         : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [sum] "+r"(sum), [p] "=&r"(p), [x] "=&r"(x), [y] "=&r"(y), [z] "=&r"(z)
                         : [count] "r"(t->out_w), [step] "r"(t->stride), [bias] "r"(t->bias), [w0] "r"(w[0]), [w1] "r"(w[1]), [w2] "r"(w[2]) : "memory");
    }
}

/* Windows of any size, one after another. */
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
            for (uint32_t ky = t->k_h; ky; ky--, lanes += t->pitch) {
                const int8_t *from = lanes;
                uint32_t x, w;
                __asm__ volatile(SIMPLE_LOOP("3", LOAD_NEXT("%[x]", "%[from]") LOAD_NEXT("%[w]", "%[weights]") DOT("%[p]", "%[x]", "%[w]"))
                                 : [from] "+r"(from), [weights] "+r"(weights), [p] "+r"(p), [x] "=&r"(x), [w] "=&r"(w) : [count] "r"(words) : "memory");
            }
            *sum++ = p;
        }
    }
}

static void plane(const dev_plane *t)
{
    if (t->k_h == 3 && t->row == 4 && t->k_w < 4 && t->stride == 1) three_by_three(t);
    else if (t->k_h == 3 && t->row == 4) three_rows(t);
    else any(t);
}

/* What xpulp.c's rescale does, of sums in a row; each is loaded while the one before it is rescaled. */
#define ROUND_TWICE                                                                                                                      \
    "mul %[y], %[x], %[m]\nmulhsu %[x], %[x], %[m]\nsrli %[y], %[y], 31\nadd %[y], %[y], %[x]\n" LOAD_NEXT("%[x]", "%[sum]")              \
    "srai %[z], %[y], 31\n" ADD_ROUND_SHIFT("%[y]", "%[z]", "%[right]") "add %[y], %[y], %[zero]\n"
#define ROUND_ONCE "mulhsu %[y], %[x], %[m]\n" LOAD_NEXT("%[x]", "%[sum]") ADD_ROUND_SHIFT("%[y]", "%[zero]", "%[right]")
#define CLAMP MAXIMUM("%[y]", "%[y]", "%[low]") MINIMUM("%[y]", "%[y]", "%[high]")
#define CODES(LENGTH, CODE)                                                                                                              \
    __asm__ volatile(SIMPLE_LOOP(LENGTH, CODE STORE_BYTE("%[y]", "%[to]", "%[step]"))                                                    \
                     : [sum] "+r"(sum), [to] "+r"(to), [x] "+r"(x), [y] "=&r"(y), [z] "=&r"(z)                                           \
                     : [count] "r"(t->n), [m] "r"(m), [right] "r"(right), [zero] "r"(zero), [low] "r"(t->low), [high] "r"(t->high), [step] "r"(t->step) : "memory")

static void column(const dev_column *t)
{
    const bool all = t->low == INT8_MIN && t->high == INT8_MAX, twice = t->twice;
    const uint32_t m = (uint32_t)t->multiplier << twice;
    const int32_t right = twice ? -t->shift : -1 - t->shift, zero = twice ? t->out_zero : t->out_zero * (1 << right), *sum = t->sums;
    uint8_t *to = t->to;
    int32_t x = *sum++, y, z;
    if (twice && all) CODES("10", ROUND_TWICE CLIP_8("%[y]"));
    else if (twice) CODES("11", ROUND_TWICE CLAMP);
    else if (all) CODES("5", ROUND_ONCE CLIP_8("%[y]"));
    else CODES("6", ROUND_ONCE CLAMP);
}

/* Four by four bytes at a time: pairs of words to pairs of neighbours, pairs of those to whole planes. */
static void split(const uint8_t *codes, uint32_t step, uint32_t n, uint8_t turn, uint8_t *to, uint32_t plane)
{
    const uint32_t turns = turn * 0x01010101u, low = 0x05010400, high = 0x07030602;
    uint8_t *first = to, *second = first + plane, *third = second + plane, *fourth = third + plane;
    uint32_t a, b, c, d, e, f;
#define NEIGHBOURS(E, A, B) "mv " E ", " A "\n" SHUFFLE(E, B, "%[low]") SHUFFLE(A, B, "%[high]")
    if (n >= 4)
        __asm__ volatile(SIMPLE_LOOP("22", LOAD("%[a]", "%[codes]", "%[step]") LOAD("%[b]", "%[codes]", "%[step]") LOAD("%[c]", "%[codes]", "%[step]") LOAD("%[d]", "%[codes]", "%[step]")
                                           "xor %[a], %[a], %[turns]\nxor %[b], %[b], %[turns]\nxor %[c], %[c], %[turns]\nxor %[d], %[d], %[turns]\n"
                                           NEIGHBOURS("%[e]", "%[a]", "%[b]") NEIGHBOURS("%[f]", "%[c]", "%[d]")
                                           PACK_LOW("%[b]", "%[f]", "%[e]") PACK_HIGH("%[d]", "%[f]", "%[e]") PACK_LOW("%[e]", "%[c]", "%[a]") PACK_HIGH("%[f]", "%[c]", "%[a]")
                                           STORE_NEXT("%[b]", "%[first]") STORE_NEXT("%[d]", "%[second]") STORE_NEXT("%[e]", "%[third]") STORE_NEXT("%[f]", "%[fourth]"))
                         : [codes] "+r"(codes), [first] "+r"(first), [second] "+r"(second), [third] "+r"(third), [fourth] "+r"(fourth), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d),
                           [e] "=&r"(e), [f] "=&r"(f)
                         : [count] "r"(n / 4), [step] "r"(step), [turns] "r"(turns), [low] "r"(low), [high] "r"(high) : "memory");
    for (n &= 3; n; n--, codes += step) {
        a = *(const uint32_t *)(const void *)codes ^ turns;
        *first++ = (uint8_t)a, *second++ = (uint8_t)(a >> 8), *third++ = (uint8_t)(a >> 16), *fourth++ = (uint8_t)(a >> 24);
    }
}

const dev_depthwise_kernels dev_planes = {plane, column, split};
