/* SPDX-License-Identifier: Apache-2.0
 * RV32IMC: a product costs a multiplication and an addition, so what can be saved is loads. Four streams of bytes by two: eight sums in registers, 6 loads and
 * 16 operations for 8 MACs. The four are columns, or rows of weights where fewer pixels are left. Weights that are not bytes are unpacked, four rows at
 * a time, to the top of their bytes; the sum is shifted back once, exact while depth 2^14 < 2^31. */
#include "device/kernels/bytes.h"
#include "device/kernels/rows.h"
#include "device/weights.h"

enum { MAX_SHIFTED_DEPTH = 1 << 16 };

typedef struct streams {
    const int8_t *four[4], *two[2];
    uint32_t four_skip, two_skip; /* bytes between runs */
    uint32_t runs, lanes;         /* of a run: a multiple of 4 */
} streams;

/* Lane I of all streams; each value is loaded two instructions before its use. (Left to itself, gcc 12 loads all of them first, and spills.) */
#define LOAD(D, I, P) "lb %[" #D "], " #I "(%[" #P "])\n"
#define ADD(S, T) "add %[" #S "], %[" #S "], %[" #T "]\n"
#define BOTH(X, P, Q) "mul %[t], %[" #X "], %[w]\n" ADD(P, t) "mul %[" #X "], %[" #X "], %[v]\n" ADD(Q, X)
#define BY_TWO(I) LOAD(w, I, p) LOAD(v, I, q) LOAD(x, I, a) LOAD(y, I, b) BOTH(x, pa, qa) LOAD(x, I, c) BOTH(y, pb, qb) LOAD(y, I, d) BOTH(x, pc, qc) BOTH(y, pd, qd)
#define ONE(X, P) "mul %[" #X "], %[" #X "], %[w]\n" ADD(P, X)
#define BY_ONE(I) LOAD(w, I, p) LOAD(x, I, a) LOAD(y, I, b) ONE(x, pa) LOAD(x, I, c) ONE(y, pb) LOAD(y, I, d) ONE(x, pc) ONE(y, pd)

#define LANES_BY_TWO(LANES)                                                                                                              \
    __asm__ volatile(LANES                                                                                                               \
                     : [pa] "+r"(pa), [pb] "+r"(pb), [pc] "+r"(pc), [pd] "+r"(pd), [qa] "+r"(qa), [qb] "+r"(qb), [qc] "+r"(qc), [qd] "+r"(qd), [t] "=&r"(t), \
                       [v] "=&r"(v), [w] "=&r"(w), [x] "=&r"(x), [y] "=&r"(y)                                                            \
                     : [a] "r"(a), [b] "r"(b), [c] "r"(c), [d] "r"(d), [p] "r"(p), [q] "r"(q)                                            \
                     : "memory")
#define LANES_BY_ONE(LANES)                                                                                                              \
    __asm__ volatile(LANES                                                                                                               \
                     : [pa] "+r"(pa), [pb] "+r"(pb), [pc] "+r"(pc), [pd] "+r"(pd), [w] "=&r"(w), [x] "=&r"(x), [y] "=&r"(y)              \
                     : [a] "r"(a), [b] "r"(b), [c] "r"(c), [d] "r"(d), [p] "r"(p)                                                        \
                     : "memory")
#define MOVE(N, M) a += N, b += N, c += N, d += N, p += M

/* sum[i * i_step + k * k_step] of four[i] and two[k]. */
static void by_two(const streams *s, int32_t *sum, uint32_t i_step, uint32_t k_step)
{
    const int8_t *a = s->four[0], *b = s->four[1], *c = s->four[2], *d = s->four[3], *p = s->two[0], *q = s->two[1];
    int32_t pa = 0, pb = 0, pc = 0, pd = 0, qa = 0, qb = 0, qc = 0, qd = 0, t, v, w, x, y;
    for (uint32_t run = s->runs; run; run--) {
        for (const int8_t *end = a + (s->lanes & ~7u); a < end; MOVE(8, 8), q += 8)
            LANES_BY_TWO(BY_TWO(0) BY_TWO(1) BY_TWO(2) BY_TWO(3) BY_TWO(4) BY_TWO(5) BY_TWO(6) BY_TWO(7));
        if (s->lanes & 4) {
            LANES_BY_TWO(BY_TWO(0) BY_TWO(1) BY_TWO(2) BY_TWO(3));
            MOVE(4, 4), q += 4;
        }
        MOVE(s->four_skip, s->two_skip), q += s->two_skip;
    }
    int32_t *other = sum + k_step;
    sum[0] = pa, sum[i_step] = pb, sum[2 * i_step] = pc, sum[3 * i_step] = pd;
    other[0] = qa, other[i_step] = qb, other[2 * i_step] = qc, other[3 * i_step] = qd;
}

static void by_one(const streams *s, int32_t *sum, uint32_t i_step)
{
    const int8_t *a = s->four[0], *b = s->four[1], *c = s->four[2], *d = s->four[3], *p = s->two[0];
    int32_t pa = 0, pb = 0, pc = 0, pd = 0, w, x, y;
    for (uint32_t run = s->runs; run; run--) {
        for (const int8_t *end = a + s->lanes; a < end; MOVE(4, 4)) LANES_BY_ONE(BY_ONE(0) BY_ONE(1) BY_ONE(2) BY_ONE(3));
        MOVE(s->four_skip, s->two_skip);
    }
    sum[0] = pa, sum[i_step] = pb, sum[2 * i_step] = pc, sum[3 * i_step] = pd;
}

#define PLANE(LEFT, MASK) *to++ = word << (LEFT) & (MASK);
#define EACH_WORD(CODE)                                                                                                                  \
    for (const uint32_t *end = from + w->row_bytes / 4; from < end;) {                                                                   \
        uint32_t word = *from++;                                                                                                         \
        CODE                                                                                                                             \
    }

/* Four signed bytes plus h each (h below 128), at most 127: their top bits turned, the sums are unsigned. */
static inline uint32_t add_at_most(uint32_t bytes, uint32_t h)
{
    uint32_t top = 0x80808080u, u = bytes ^ top, low = (u & ~top) + h * 0x01010101u, over = low & u & top;
    return ((low ^ (u & top)) | (over >> 7) * 0xFFu) ^ top;
}

/* A row as bytes, codes at the top of them, zeros up to whole words; what its sums are shifted back by. */
static uint32_t unpack(const dev_weights *w, const uint8_t *row, uint32_t depth, uint8_t *bytes)
{
    const uint32_t *from = (const uint32_t *)(const void *)row;
    uint32_t *to = (uint32_t *)(void *)bytes, back = 8u - w->container + w->drop;
    bool shifted = depth <= MAX_SHIFTED_DEPTH && (w->drop == 0 ? w->values || !w->is_unsigned : w->nesting != DEV_HALF_EVEN && w->container == 8 && !w->is_unsigned && !w->values);
    if (!shifted) {
        for (uint32_t i = 0; i < depth; i++) bytes[i] = (uint8_t)dev_weight_value(w, row, i);
        for (; depth % 4; depth++) bytes[depth] = 0;
        return 0;
    }
    if (w->container == 8) {
        uint32_t mask = (0xFFu << w->drop & 0xFFu) * 0x01010101u;
        if (w->drop == 0 || w->nesting == DEV_FLOOR) {
            EACH_WORD(PLANE(0, mask))
        } else {
            uint32_t half = 1u << (w->drop - 1);
            EACH_WORD(*to++ = add_at_most(word, half) & mask;)
        }
    } else if (w->container == 4) {
        EACH_WORD(PLANE(4, 0xF0F0F0F0) PLANE(0, 0xF0F0F0F0))
    } else if (w->container == 2) {
        EACH_WORD(PLANE(6, 0xC0C0C0C0) PLANE(4, 0xC0C0C0C0) PLANE(2, 0xC0C0C0C0) PLANE(0, 0xC0C0C0C0))
    } else {
        EACH_WORD(PLANE(7, 0x80808080) PLANE(6, 0x80808080) PLANE(5, 0x80808080) PLANE(4, 0x80808080) PLANE(3, 0x80808080) PLANE(2, 0x80808080) PLANE(1, 0x80808080)
                  PLANE(0, 0x80808080))
    }
    if (!w->values) return back;
    for (uint32_t i = 0; i < depth; i++) bytes[i] = (uint8_t)w->values[bytes[i] >> back];
    return 0;
}

typedef struct rows { /* up to four of the weights, as bytes; beyond `n` the first again */
    const int8_t *row[4];
    uint32_t back;
} rows;

static rows read_rows(const dev_tile *t, uint32_t c, uint32_t n)
{
    const dev_weights *w = t->weights;
    const uint8_t *row = w->codes + c * w->row_bytes;
    bool plain = w->container == 8 && !w->drop && !w->is_unsigned && !w->values;
    uint8_t *bytes = (uint8_t *)(t->acc + (uint32_t)t->channels * t->pixels);
    rows r = {.back = 0};
    for (uint32_t i = 0; i < 4; i++, row += w->row_bytes) {
        r.row[i] = i >= n ? r.row[0] : (const int8_t *)(plain ? row : bytes);
        if (plain || i >= n) continue;
        r.back = unpack(w, row, t->depth, bytes);
        bytes += (t->depth + DEV_UNPACKED - 1) / DEV_UNPACKED * DEV_UNPACKED;
    }
    return r;
}

/* sum[channel][pixel] of n channels from c on by all columns of the tile; what they are shifted back by. */
static uint32_t multiply(const dev_tile *t, uint32_t c, uint32_t n, uint32_t runs, uint32_t run, uint32_t pitch, int32_t sum[16])
{
    const rows r = read_rows(t, c, n);
    const int8_t *x = t->columns;
    uint32_t lanes = (run + 3) / 4 * 4, skip = pitch - lanes, stride = t->stride;
    if (t->pixels == 4) {
        streams s = {.four = {x, x + stride, x + 2 * stride, x + 3 * stride}, .four_skip = skip, .runs = runs, .lanes = lanes};
        for (uint32_t k = 0; k < n; k += 2) {
            s.two[0] = r.row[k], s.two[1] = r.row[k + 1];
            by_two(&s, sum + 4 * k, 1, 4);
        }
    } else {
        streams s = {.four = {r.row[0], r.row[1], r.row[2], r.row[3]}, .two = {x, x + stride}, .two_skip = skip, .runs = runs, .lanes = lanes};
        if (t->pixels > 1) by_two(&s, sum, 4, 1);
        if (t->pixels > 1) s.two[0] += 2 * stride, sum += 2;
        if (t->pixels & 1) by_one(&s, sum, 4);
    }
    return r.back;
}

static void dot(const dev_tile *t)
{
    int32_t *acc = t->acc, sum[16];
    for (uint32_t c = 0; c < t->channels; c += 4) {
        uint32_t n = t->channels - c < 4 ? t->channels - c : 4, back = multiply(t, c, n, 1, t->depth, 0, sum);
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t p = 0; p < t->pixels; p++, acc++) *acc = (int32_t)((uint32_t)*acc + (uint32_t)(sum[4 * k + p] >> back));
    }
}

typedef struct limits {
    int32_t zero, low, high;
} limits;

/* quant_requant_twice, quant_requant_once of accumulators that are `brief`; then the code. */
static inline uint8_t code(int32_t acc, uint32_t m, uint32_t right, int32_t half, bool twice, limits q)
{
    int64_t product = (int64_t)acc * m; /* twice: m is twofold */
    int32_t x = (int32_t)(product >> 32);
    if (twice) x += (int32_t)((uint32_t)product >> 31), x += x >> 31;
    x = ((x + half) >> right) + q.zero;
    return (uint8_t)(x < q.low ? q.low : x > q.high ? q.high : x);
}

static inline __attribute__((always_inline)) void finish(const int32_t *sum, uint32_t back, const dev_tile *t, const dev_finish *f, uint32_t c, uint32_t n, bool twice)
{
    const limits q = {f->out_zero, f->low, f->high};
    const int32_t *m = f->multiplier + c * f->next, *bias = f->bias + c;
    const int8_t *s = f->shift + c * f->next;
    const uint32_t next = f->next, channels = t->channels, pixels = t->pixels;
    uint8_t *row = f->to + c;
    for (const int32_t *end = sum + 4 * n; sum < end; sum += 4, m += next, s += next, row++, bias++) {
        const uint32_t factor = (uint32_t)*m << twice, right = (uint32_t)(twice ? -*s : -1 - *s);
        const int32_t half = (int32_t)(1u << (right - 1)), start = *bias;
        uint8_t *to = row;
        *to = code((sum[0] >> back) + start, factor, right, half, twice, q);
        if (pixels > 1) *(to += channels) = code((sum[1] >> back) + start, factor, right, half, twice, q);
        if (pixels > 2) *(to += channels) = code((sum[2] >> back) + start, factor, right, half, twice, q);
        if (pixels > 3) *(to += channels) = code((sum[3] >> back) + start, factor, right, half, twice, q);
    }
}

static void codes(const dev_tile *t, const dev_finish *f)
{
    int32_t sum[16];
    for (uint32_t c = 0; c < t->channels; c += 4) {
        uint32_t n = t->channels - c < 4 ? t->channels - c : 4, back = multiply(t, c, n, f->runs, f->run, f->pitch, sum);
        if (f->twice) finish(sum, back, t, f, c, n, true);
        else finish(sum, back, t, f, c, n, false);
    }
}

const dev_kernels dev_kernels_rv32 = {"rv32", rv32_pixels, rv32_bytes, rv32_lanes, rv32_order, rv32_unpacks, bytes_gather, dot, codes};
