/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/pack.h"

/* LANES: a word of `bits`-wide codes is expanded to 16 / bits pairs; pair t of the row takes lane 0 from the lower half of its word and
 * lane 1 from the upper. With w and a the two widths, the code that activations of width a need in lane L of pair t is number
 * at(a, t, L), and weights of width w must hold it at at(w, t, L). */
static size_t pair_of(int bits, size_t i, size_t *lane)
{
    size_t half = (size_t)(16 / bits), word = i / (2 * half), in = i % (2 * half);
    *lane = in / half;
    return word * half + in % half;
}

static size_t at(int bits, size_t pair, size_t lane)
{
    size_t half = (size_t)(16 / bits);
    return pair / half * 2 * half + pair % half + lane * half;
}

size_t quant_position(const quant_packing *p, size_t length, size_t r, size_t i)
{
    size_t group, lane, pair;
    switch (p->order) {
    case QUANT_WORDS: return r * ((length * (size_t)p->bits + 31) / 32 * 32 / (size_t)p->bits) + i;
    case QUANT_PLANES:
        group = (size_t)(8 / p->bits);
        return (r / group * length + i) * group + r % group;
    case QUANT_LANES:
        pair = pair_of(p->other_bits, i, &lane);
        return r * length + at(p->bits, pair, lane);
    case QUANT_FLAT: break;
    }
    return r * length + i;
}

size_t quant_packed_bytes(const quant_packing *p, size_t rows, size_t length)
{
    if (p->order == QUANT_WORDS) return rows * ((length * (size_t)p->bits + 31) / 32 * 4);
    return (rows * length * (size_t)p->bits + 7) / 8;
}

static bool flipped(const quant_packing *p) { return p->inverted && p->bits == 1; }

void quant_pack(const quant_packing *p, size_t rows, size_t length, const int32_t *codes, uint8_t *bytes)
{
    size_t n = quant_packed_bytes(p, rows, length);
    for (size_t i = 0; i < n; i++) bytes[i] = 0;
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < length; i++) {
            uint32_t code = (uint32_t)codes[r * length + i] ^ (uint32_t)flipped(p);
            size_t bit = quant_position(p, length, r, i) * (size_t)p->bits;
            for (int b = 0; b < p->bits; b++, bit++) bytes[bit / 8] |= (uint8_t)((code >> b & 1) << bit % 8);
        }
    }
}

void quant_unpack(const quant_packing *p, size_t rows, size_t length, bool sign, const uint8_t *bytes, int32_t *codes)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < length; i++) {
            int32_t code = 0;
            size_t bit = quant_position(p, length, r, i) * (size_t)p->bits;
            for (int b = 0; b < p->bits; b++, bit++) code |= (bytes[bit / 8] >> bit % 8 & 1) << b;
            code ^= flipped(p);
            codes[r * length + i] = sign && code >> (p->bits - 1) ? code - (1 << p->bits) : code;
        }
    }
}
