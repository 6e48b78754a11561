/* SPDX-License-Identifier: Apache-2.0
 * AVR with MULS: one weight by two pixels. MULS leaves the product's sign in the carry, which SBC spreads over the sum's upper half. Plain weights come from flash by LPM as
 * they are multiplied, others are unpacked to bytes in chunks. */
#include "device/kernels/avr.h"
#include "device/kernels/bytes.h"
#include "device/kernels/rows.h"

enum { CHUNK = 32 };

typedef struct sums { /* of two pixels */
    int32_t a, b;
} sums;

/* n >= 1 products. LOAD: what gets the next weight from z. */
#define ADD(SUM) "muls %[w], %[x]\nsbc %[sign], %[sign]\nadd %A[" SUM "], r0\nadc %B[" SUM "], r1\nadc %C[" SUM "], %[sign]\nadc %D[" SUM "], %[sign]\n"
#define PRODUCTS(LOAD)                                                                                                                   \
    int32_t a = s->a, b = s->b;                                                                                                          \
    uint8_t w, x, sign;                                                                                                                  \
    __asm__ volatile("0:\n" LOAD " %[w], Z+\nld %[x], X+\n" ADD("a") "ld %[x], Y+\n" ADD("b") "dec %[n]\nbrne 0b\nclr __zero_reg__\n"     \
                     : [a] "+r"(a), [b] "+r"(b), "+z"(weights), "+x"(x0), "+y"(x1), [n] "+r"(n), [w] "=&d"(w), [x] "=&d"(x), [sign] "=&r"(sign) : : "r0", "memory");       \
    s->a = a, s->b = b
#define APART static __attribute__((noinline, optimize("O2"))) /* no frame: all three pointers are taken */
APART void products(const int8_t *weights, const int8_t *x0, const int8_t *x1, uint8_t n, sums *s) { PRODUCTS("ld"); }
APART void products_flash(const DEV_FLASH uint8_t *weights, const int8_t *x0, const int8_t *x1, uint8_t n, sums *s) { PRODUCTS("lpm"); }

/* Codes from .. from + n of a row, from a multiple of CHUNK; up to a whole byte of codes more. >> d of a byte is the upper byte of its product with 2^(8-d). */
static void unpack(const dev_weights *w, const DEV_FLASH uint8_t *row, uint16_t from, uint8_t n, int8_t *to)
{
    const uint8_t bits = w->container, drop = w->drop, sign = (uint8_t)(1u << (bits - 1)), mask = (uint8_t)(2u * sign - 1u);
    if (w->is_unsigned || w->values || (drop && (bits != 8 || w->nesting == DEV_HALF_EVEN))) {
        bytes_unpack(w, row, from, n, to);
    } else if (drop) {
        const int8_t top = (int8_t)((1 << (w->width - 1)) - 1);
        const uint8_t scale = (uint8_t)(1u << (8 - drop)), half = w->nesting == DEV_HALF_UP ? 0x80 : 0;
        for (row += from; n; n--) {
            const int8_t code = (int8_t)(((int8_t)*row++ * scale + half) >> 8);
            *to++ = code < top ? code : top;
        }
    } else {
        row += from / 8 * bits;
        for (int8_t *end = to + n; to < end;)
            for (uint8_t byte = *row++, left = (uint8_t)(8 / bits); left; left--, byte = (uint8_t)(bits == 4 ? byte >> 4 : bits == 2 ? byte >> 2 : byte >> 1)) *to++ = (int8_t)(((byte & mask) ^ sign) - sign);
    }
}

/* Adds the products of a row of weights with columns of runs, `skip` bytes apart. */
static void multiply(const dev_tile *t, const DEV_FLASH uint8_t *row, uint16_t run, uint16_t skip, sums *s)
{
    const bool plain = dev_weights_plain(t->weights);
    const int8_t *x0 = t->columns, *x1 = x0 + (t->pixels > 1 ? (uint16_t)t->stride : 0);
    const uint16_t depth = (uint16_t)t->depth;
    int8_t bytes[CHUNK];
    for (uint16_t at = 0, left = run; at < depth;) {
        uint8_t n = (uint8_t)(depth - at < CHUNK ? depth - at : CHUNK);
        const int8_t *from = bytes;
        if (!plain) unpack(t->weights, row, at, n, bytes);
        for (at = (uint16_t)(at + n); n;) {
            const uint8_t some = (uint8_t)(left < n ? left : n);
            if (plain) products_flash(row, x0, x1, some, s), row += some;
            else products(from, x0, x1, some, s), from += some;
            n = (uint8_t)(n - some), left = (uint16_t)(left - some), x0 += some, x1 += some;
            if (!left) left = run, x0 += skip, x1 += skip;
        }
    }
}

static void dot(const dev_tile *t)
{
    const DEV_FLASH uint8_t *row = t->weights->codes;
    int32_t *acc = t->acc;
    for (uint16_t c = t->channels; c; c--, row += t->weights->row_bytes) {
        sums s = {acc[0], 0};
        if (t->pixels > 1) s.b = acc[1];
        multiply(t, row, (uint16_t)t->depth, 0, &s);
        *acc++ = s.a;
        if (t->pixels > 1) *acc++ = s.b;
    }
}

static void codes(const dev_tile *t, const dev_finish *f)
{
    const brief_limits limits = {f->out_zero, f->low, f->high};
    const DEV_FLASH uint8_t *row = t->weights->codes;
    const DEV_FLASH int32_t *multiplier = f->multiplier;
    const DEV_FLASH int8_t *shift = f->shift;
    uint8_t *to = f->to;
    for (uint16_t c = 0; c < t->channels; c++, row += t->weights->row_bytes, multiplier += f->next, shift += f->next, to++) {
        const avr_scale scale = avr_scale_of(*multiplier, *shift, f->twice);
        sums s = {f->bias[c], f->bias[c]};
        multiply(t, row, (uint16_t)f->run, (uint16_t)(f->pitch - f->run), &s);
        to[0] = avr_code(s.a, scale, f->twice, limits);
        if (t->pixels > 1) to[t->channels] = avr_code(s.b, scale, f->twice, limits);
    }
}

const dev_kernels dev_kernels_avr = {"avr", avr_pixels, avr_bytes, avr_lanes, avr_order, avr_unpacks, bytes_gather, dot, codes};
