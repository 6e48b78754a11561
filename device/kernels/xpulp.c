/* SPDX-License-Identifier: Apache-2.0
 * CV32E40P with Xpulp: cv.sdotsp.b multiplies four pairs of 8-bit lanes and adds them up. Four channels by four pixels keep 16 sums in registers: 8 loads
 * and 16 products of four lanes for 64 MACs, in a hardware loop. Weights that are not bytes are unpacked to bytes, four rows a tile. */
#include "device/kernels/bytes.h"
#include "device/kernels/rows.h"
#include "device/kernels/xpulp.h"
#include "device/weights.h"

#define BINARY(NAME, OPCODE, FUNCT3, FUNCT7)                                                                                             \
    static inline uint32_t NAME(uint32_t a, uint32_t b)                                                                                  \
    {                                                                                                                                    \
        uint32_t y;                                                                                                                      \
        __asm__(".insn r " #OPCODE ", " #FUNCT3 ", " #FUNCT7 ", %0, %1, %2" : "=r"(y) : "r"(a), "r"(b));                                 \
        return y;                                                                                                                        \
    }
BINARY(minimum, 0x2b, 3, 0x2b)
BINARY(maximum, 0x2b, 3, 0x2d)

static inline int32_t clip8(int32_t x)
{
    int32_t y;
    __asm__(".insn r 0x2b, 3, 0x38, %0, %1, x8" : "=r"(y) : "r"(x));
    return y;
}

/* (x + y + 2^(n-1)) >> n */
static inline int32_t add_round_shift(int32_t x, int32_t y, int32_t n)
{
    __asm__(".insn r 0x2b, 3, 0x42, %0, %1, %2" : "+r"(x) : "r"(y), "r"(n));
    return x;
}

static inline int32_t mulhsu(int32_t a, uint32_t b)
{
    int32_t y;
    __asm__("mulhsu %0, %1, %2" : "=r"(y) : "r"(a), "r"(b));
    return y;
}

typedef struct block { /* four rows by four columns (or one); the assembler code below knows the offsets */
    const uint8_t *x;
    int32_t x_step, x_back;     /* from a column's word to the next column's; from the last one's to the first one's next */
    int32_t w_step, w_back;
    uint32_t words, skip, runs; /* words of a run, bytes between runs */
    int32_t sum[16];            /* [channel][pixel] */
} block;

#define DOTS(A, B, C, D, W) DOT(A, "t0", W) DOT(B, "t1", W) DOT(C, "t2", W) DOT(D, "t3", W)
#define BYTES(FUNCT7, FUNCT3, D, A, B) ".insn r 0x7b, " FUNCT3 ", " FUNCT7 ", " D ", " A ", " B "\n" /* on each byte; funct3 5: with the lowest byte of B */
#define SHIFT_LEFT(D, A, N) ".insn i 0x7b, 7, " D ", " A ", 0x500 | (" #N " & 1) << 5 | " #N " >> 1\n"
#define SHIFT_RIGHT(D, A, N) ".insn i 0x7b, 7, " D ", " A ", 0x480 | (" #N " & 1) << 5 | " #N " >> 1\n"
#define SAVED(OP)                                                                                                                        \
    OP " ra, 0(sp)\n" OP " s0, 4(sp)\n" OP " s1, 8(sp)\n" OP " s2, 12(sp)\n" OP " s3, 16(sp)\n" OP " s4, 20(sp)\n" OP " s5, 24(sp)\n"     \
    OP " s6, 28(sp)\n" OP " s7, 32(sp)\n" OP " s8, 36(sp)\n" OP " s9, 40(sp)\n" OP " s10, 44(sp)\n" OP " s11, 48(sp)\n"

/* sum[c][p] = bias[c] + dot: all 28 registers that a program has are in use. */
void xpulp_multiply16(block *b, const uint8_t *w, const int32_t *bias);
__asm__(".section .text.xpulp_multiply16, \"ax\"\n.balign 4\n.option push\n.option norvc\n.type xpulp_multiply16, @function\nxpulp_multiply16:\n"
        "addi sp, sp, -64\n" SAVED("sw") "sw a0, 52(sp)\n"
        "lw t1, 20(a0)\nlw t0, 24(a0)\nlw t4, 28(a0)\nsw t1, 56(sp)\nsw t0, 60(sp)\n"
        "lw s0, 0(a2)\nlw s4, 4(a2)\nlw s8, 8(a2)\nlw a6, 12(a2)\n"
        "lw a2, 4(a0)\nlw a4, 8(a0)\nlw a3, 12(a0)\nlw a5, 16(a0)\nlw a0, 0(a0)\n"
        "mv s1, s0\nmv s2, s0\nmv s3, s0\nmv s5, s4\nmv s6, s4\nmv s7, s4\nmv s9, s8\nmv s10, s8\nmv s11, s8\nmv a7, a6\nmv ra, a6\nmv t6, a6\n"
        LOOP("15", "t4", "28")
        LOOP("14", "t1", "24")
        LOAD("t0", "a0", "a2") LOAD("t1", "a0", "a2") LOAD("t2", "a0", "a2") LOAD("t3", "a0", "a4") LOAD("t4", "a1", "a3") LOAD("t5", "a1", "a3")
        DOTS("s0", "s1", "s2", "s3", "t4") LOAD("t4", "a1", "a3") DOTS("s4", "s5", "s6", "s7", "t5") LOAD("t5", "a1", "a5")
        DOTS("s8", "s9", "s10", "s11", "t4") DOTS("a6", "a7", "ra", "t6", "t5")
        "lw t0, 60(sp)\nlw t1, 56(sp)\nadd a0, a0, t0\n"
        "lw a0, 52(sp)\n"
        "sw s0, 32(a0)\nsw s1, 36(a0)\nsw s2, 40(a0)\nsw s3, 44(a0)\nsw s4, 48(a0)\nsw s5, 52(a0)\nsw s6, 56(a0)\nsw s7, 60(a0)\n"
        "sw s8, 64(a0)\nsw s9, 68(a0)\nsw s10, 72(a0)\nsw s11, 76(a0)\nsw a6, 80(a0)\nsw a7, 84(a0)\nsw ra, 88(a0)\nsw t6, 92(a0)\n"
        SAVED("lw") "addi sp, sp, 64\nret\n.option pop\n.text\n");

/* The same for one column: s[0], s[4] ... */
static void multiply4(const block *b, const uint8_t *w, const int32_t *bias, int32_t *s)
{
    int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
    const uint8_t *x = b->x;
    for (uint32_t run = b->runs; run; run--, x += b->skip) {
        uint32_t lanes, even, odd;
        __asm__ volatile(SIMPLE_LOOP("9",
                         LOAD_NEXT("%[lanes]", "%[x]") LOAD("%[even]", "%[w]", "%[step]") LOAD("%[odd]", "%[w]", "%[step]") DOT("%[s0]", "%[lanes]", "%[even]")
                         LOAD("%[even]", "%[w]", "%[step]") DOT("%[s1]", "%[lanes]", "%[odd]") LOAD("%[odd]", "%[w]", "%[back]")
                         DOT("%[s2]", "%[lanes]", "%[even]") DOT("%[s3]", "%[lanes]", "%[odd]"))
                         : [x] "+r"(x), [w] "+r"(w), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [lanes] "=&r"(lanes), [even] "=&r"(even), [odd] "=&r"(odd)
                         : [count] "r"(b->words), [step] "r"(b->w_step), [back] "r"(b->w_back)
                         : "memory");
    }
    s[0] = s0, s[4] = s1, s[8] = s2, s[12] = s3;
}

/* Lanes that need not be aligned, two words a trip. */
static void gather(const uint8_t *codes, uint32_t n, int16_t lane_zero, void *lanes)
{
    uint8_t *to = lanes;
    uint32_t turn = lane_zero ? 0x80808080u : 0, a, b;
#define GATHER(LENGTH, TURN)                                                                                                             \
    __asm__ volatile(SIMPLE_LOOP(LENGTH, LOAD_NEXT("%[a]", "%[from]") LOAD_NEXT("%[b]", "%[from]") TURN STORE_NEXT("%[a]", "%[to]") STORE_NEXT("%[b]", "%[to]"))  \
                     : [from] "+r"(codes), [to] "+r"(to), [a] "=&r"(a), [b] "=&r"(b) : [count] "r"(n / 8), [turn] "r"(turn) : "memory")
    if (n >= 8 && turn) GATHER("6", "xor %[a], %[a], %[turn]\nxor %[b], %[b], %[turn]\n");
    else if (n >= 8) GATHER("4", "");
    for (n &= 7; n; n--) *to++ = *codes++ ^ (uint8_t)turn;
}

/* `words` words of codes to bytes: codes of c bits are moved to the top of their bytes and back; nested ones are narrowed as dev_weight_narrow does.
 * The least and the greatest master that a rounding takes are a half step apart from the top code, which beyond them it is. */
#define UNPACK(LENGTH, CODE)                                                                                                             \
    __asm__ volatile(SIMPLE_LOOP(LENGTH, LOAD_NEXT("%[a]", "%[from]") CODE)                                                              \
                     : [from] "+r"(from), [to] "+r"(to), [a] "=&r"(a), [b] "=&r"(b)                                                      \
                     : [count] "r"(w->row_bytes / 4), [drop] "r"(w->drop), [half] "r"(half), [less] "r"(half - 1), [top] "r"(127 - half), [ones] "r"(0x01010101) : "memory")
#define PLANE(LEFT, KEEP) SHIFT_LEFT("%[b]", "%[a]", LEFT) SHIFT_RIGHT("%[b]", "%[b]", KEEP) STORE_NEXT("%[b]", "%[to]")
#define LAST(KEEP) SHIFT_RIGHT("%[a]", "%[a]", KEEP) STORE_NEXT("%[a]", "%[to]")
#define CUT BYTES("0x24", "5", "%[a]", "%[a]", "%[drop]") STORE_NEXT("%[a]", "%[to]")
#define AT_MOST_TOP BYTES("0x10", "5", "%[a]", "%[a]", "%[top]")

/* A row as bytes, zeros up to whole words. */
static void unpack(const dev_weights *w, const uint8_t *from, uint32_t depth, uint8_t *bytes)
{
    uint8_t *to = bytes;
    uint32_t half = w->drop ? 1u << (w->drop - 1) : 0, a, b;
    if (w->is_unsigned || (w->drop && w->container != 8)) {
        for (uint32_t i = 0; i < depth; i++) bytes[i] = (uint8_t)dev_weight_value(w, from, i);
        for (; depth % 4; depth++) bytes[depth] = 0;
        return;
    }
    if (w->container == 4) UNPACK("6", PLANE(4, 4) LAST(4));
    else if (w->container == 2) UNPACK("12", PLANE(6, 6) PLANE(4, 6) PLANE(2, 6) LAST(6));
    else if (w->container == 1) UNPACK("24", PLANE(7, 7) PLANE(6, 7) PLANE(5, 7) PLANE(4, 7) PLANE(3, 7) PLANE(2, 7) PLANE(1, 7) LAST(7));
    else if (w->drop == 0 || w->nesting == DEV_FLOOR) UNPACK("3", CUT);
    else if (w->nesting == DEV_HALF_UP) UNPACK("5", AT_MOST_TOP BYTES("0x00", "5", "%[a]", "%[a]", "%[half]") CUT);
    else UNPACK("8", AT_MOST_TOP BYTES("0x24", "5", "%[b]", "%[a]", "%[drop]") "and %[b], %[b], %[ones]\n" BYTES("0x00", "5", "%[a]", "%[a]", "%[less]")
                         BYTES("0x00", "1", "%[a]", "%[a]", "%[b]") CUT);
    for (uint32_t i = 0; w->values && i < depth; i++) bytes[i] = (uint8_t)w->values[bytes[i] & ((1u << w->width) - 1)];
}

static const uint8_t *unpack_rows(const dev_tile *t, const uint8_t *row, uint32_t n, uint32_t step)
{
    uint8_t *bytes = (uint8_t *)(t->acc + (uint32_t)t->channels * t->pixels);
    for (uint32_t i = 0; i < n; i++, row += t->weights->row_bytes) unpack(t->weights, row, t->depth, bytes + i * step);
    return bytes;
}

/* Rows c .. c + n of the weights as bytes, and from one to the next. */
static inline const uint8_t *rows(const dev_tile *t, uint32_t c, uint32_t n, uint32_t *step)
{
    const dev_weights *w = t->weights;
    const uint8_t *row = w->codes + c * w->row_bytes;
    *step = w->row_bytes;
    if (w->container == 8 && !w->drop && !w->is_unsigned && !w->values) return row;
    *step = (t->depth + DEV_UNPACKED - 1) / DEV_UNPACKED * DEV_UNPACKED;
    return unpack_rows(t, row, n, *step);
}

static void plan(block *b, const dev_tile *t, uint32_t runs, uint32_t run, uint32_t pitch)
{
    b->x_step = (int32_t)t->stride, b->x_back = 4 - 3 * (int32_t)t->stride;
    b->words = (run + 3) / 4;
    b->skip = pitch - b->words * 4, b->runs = runs;
}

/* b->sum of n <= 4 channels by `pixels` <= 4 columns. */
static void multiply(block *b, const dev_tile *t, const uint8_t *w, uint32_t step, uint32_t n, const int32_t *bias)
{
    b->w_step = (int32_t)step, b->w_back = 4 - 3 * (int32_t)step;
    b->x = t->columns;
    if (n == 4 && t->pixels == 4) {
        xpulp_multiply16(b, w, bias);
        return;
    }
    for (uint32_t p = 0; p < t->pixels; p++, b->x += t->stride) {
        if (n == 4) multiply4(b, w, bias, b->sum + p);
        for (uint32_t c = 0; c < n && n < 4; c++) { /* the same row four times */
            const int32_t start[4] = {bias[c], 0, 0, 0};
            int32_t s[16];
            b->w_step = 0, b->w_back = 4;
            multiply4(b, w + c * step, start, s);
            b->sum[4 * c + p] = s[0];
        }
    }
}

static void dot(const dev_tile *t)
{
    static const int32_t none[4];
    block b;
    int32_t *acc = t->acc;
    plan(&b, t, 1, t->depth, 0);
    for (uint32_t c = 0; c < t->channels; c += 4) {
        uint32_t n = t->channels - c < 4 ? t->channels - c : 4, step;
        const uint8_t *w = rows(t, c, n, &step);
        multiply(&b, t, w, step, n, none);
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t p = 0; p < t->pixels; p++, acc++) *acc = (int32_t)((uint32_t)*acc + (uint32_t)b.sum[4 * k + p]);
    }
}

/* quant_requant_twice, quant_requant_once of accumulators that are `brief`, and the zero point, before the clamp. Twice: m is twofold,
 * floor((acc m + 2^30) / 2^31), then ties away from 0. Once: zero is scaled up by 2^right and rounds along. */
static inline int32_t rescale(int32_t acc, uint32_t m, int32_t right, int32_t zero, bool twice)
{
    int32_t x = mulhsu(acc, m);
    if (!twice) return add_round_shift(x, zero, right);
    x += (int32_t)((uint32_t)acc * m >> 31);
    return add_round_shift(x, x >> 31, right) + zero;
}

/* n channels from there on. A copy for each rounding, and for clamps that are all of int8. */
static inline __attribute__((always_inline)) void finish(const int32_t *sum, const dev_tile *t, const dev_finish *f, uint32_t from, uint32_t n, uint32_t pixels, bool twice, bool all)
{
    const int32_t *m = f->multiplier + from * f->next;
    const int8_t *s = f->shift + from * f->next;
    const uint32_t next = f->next, channels = t->channels;
    const int32_t out_zero = f->out_zero, low = f->low, high = f->high;
    uint8_t *row = f->to + from;
#define CODE(Y) (uint8_t)(all ? clip8(Y) : (int32_t)minimum(maximum((uint32_t)(Y), (uint32_t)low), (uint32_t)high))
    for (const int32_t *end = sum + 4 * n; sum < end; sum += 4, m += next, s += next, row++) {
        const uint32_t factor = twice ? (uint32_t)*m << 1 : (uint32_t)*m;
        const int32_t right = twice ? -*s : -1 - *s, zero = twice ? out_zero : out_zero * (1 << right), a = sum[0], b = sum[1], c = sum[2], d = sum[3];
        uint8_t *to = row;
        *to = CODE(rescale(a, factor, right, zero, twice));
        if (pixels > 1) *(to += channels) = CODE(rescale(b, factor, right, zero, twice));
        if (pixels > 2) *(to += channels) = CODE(rescale(c, factor, right, zero, twice));
        if (pixels > 3) *(to += channels) = CODE(rescale(d, factor, right, zero, twice));
    }
#undef CODE
}

static void codes(const dev_tile *t, const dev_finish *f)
{
    const bool all = f->low == INT8_MIN && f->high == INT8_MAX, twice = f->twice;
    block b;
    plan(&b, t, f->runs, f->run, f->pitch);
    for (uint32_t c = 0; c < t->channels; c += 4) {
        uint32_t n = t->channels - c < 4 ? t->channels - c : 4, step;
        const uint8_t *w = rows(t, c, n, &step);
        if (n < 4 || t->pixels < 4) {
            multiply(&b, t, w, step, n, f->bias + c);
            if (twice) finish(b.sum, t, f, c, n, t->pixels, true, false);
            else finish(b.sum, t, f, c, n, t->pixels, false, false);
            continue;
        }
        b.x = t->columns, b.w_step = (int32_t)step, b.w_back = 4 - 3 * (int32_t)step;
        xpulp_multiply16(&b, w, f->bias + c);
        if (twice && all) finish(b.sum, t, f, c, 4, 4, true, true);
        else if (twice) finish(b.sum, t, f, c, 4, 4, true, false);
        else if (all) finish(b.sum, t, f, c, 4, 4, false, true);
        else finish(b.sum, t, f, c, 4, 4, false, false);
    }
}

const dev_kernels dev_kernels_xpulp = {"xpulp", xpulp_pixels, xpulp_bytes, xpulp_lanes, xpulp_order, xpulp_unpacks, gather, dot, codes};
