/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/fixedpoint16.h"

#include "quant/requant.h"

static int32_t saturate(int32_t x) { return x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x; }

/* floor((a b + 2^14) / 2^15), saturating. */
static int32_t high_mul(int32_t a, int32_t b) { return saturate((a * b + (1 << 14)) >> 15); }

static int32_t shift_left(int32_t x, int e) { return saturate(x * (1 << e)); }

static int32_t exp_quarter(int32_t a) /* on [-1/4, 0), Q0.15 */
{
    const int32_t e_eighth = 28918, third = 10923;
    int32_t x = a + (1 << 12);
    int32_t x2 = high_mul(x, x), x3 = high_mul(x2, x), x4 = high_mul(x2, x2);
    int32_t t = quant_divide_pot(high_mul(quant_divide_pot(x4, 2) + x3, third) + x2, 1);
    return saturate(e_eighth + high_mul(e_eighth, x + t));
}

static int32_t exp_negative(int32_t a, int int_bits)
{
    /* e^-(2^k), k = -2 .. 4, in Q0.31, rounded to Q0.15 where used */
    static const int32_t factor[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int fraction = 15 - int_bits;
    if (a == 0) return INT16_MAX;
    int32_t quarter = 1 << (fraction - 2), rest = (a & (quarter - 1)) - quarter;
    int32_t y = exp_quarter(shift_left(rest, int_bits)), whole = rest - a;
    for (int k = -2; k < int_bits && k <= 4; k++) {
        if (whole & (1 << (fraction + k))) y = high_mul(y, quant_divide_pot(factor[k + 2], 16));
    }
    return y;
}

static int32_t reciprocal(int32_t a) /* 2 / (1 + a) in Q2.13 */
{
    int32_t sum = a + INT16_MAX, d = (sum + (sum >= 0 ? 1 : -1)) / 2;
    int32_t x = 23130 + high_mul(d, -15420);
    for (int i = 0; i < 3; i++) x = saturate(x + shift_left(high_mul(x, (1 << 13) - high_mul(d, x)), 2));
    return x;
}

int16_t quant_logistic16(int16_t a, int int_bits)
{
    if (a == 0) return 1 << 14;
    int32_t y = shift_left(reciprocal(exp_negative(a > 0 ? -a : a, int_bits)), 1);
    return (int16_t)(a > 0 ? y : INT16_MAX - y);
}

int16_t quant_tanh16(int16_t a, int int_bits)
{
    if (a == 0) return 0;
    int32_t y = shift_left(reciprocal(exp_negative(a > 0 ? -a : a, int_bits + 1)) - (1 << 13), 2);
    return (int16_t)(a > 0 ? y : -y);
}

/* Interpolated table value at |v| = index 2^bits + rest; the saturated end when past it. */
static int32_t interpolate(int32_t v, int bits, int32_t end, const uint16_t *table)
{
    uint32_t a = (uint32_t)(v < 0 ? -v : v), i = a >> bits;
    if (i >= 255) return end;
    return (int32_t)(((uint32_t)table[i] << bits) + (a & ((1u << bits) - 1)) * (uint32_t)(table[i + 1] - table[i]));
}

static int32_t scaled(int16_t x, int32_t multiplier, int shift) { return (x * multiplier + (shift > 0 ? 1 << (shift - 1) : 0)) >> shift; }

int16_t quant_logistic_lut(int16_t x, int32_t multiplier, int shift, const uint16_t *table)
{
    int32_t v = scaled(x, multiplier, shift), r = interpolate(v, 9, 0x7FFF << 10, table);
    return (int16_t)((v >= 0 ? r + (1 << 9) : (1 << 25) - r + (1 << 9) - 1) >> 10);
}

int16_t quant_tanh_lut(int16_t x, int32_t multiplier, int shift, const uint16_t *table)
{
    int32_t v = scaled(x, multiplier, shift), r = interpolate(v, 8, 0xFFFF << 8, table);
    return (int16_t)((v >= 0 ? r - (1 << 23) + (1 << 7) : -r + (1 << 23) + (1 << 7) - 1) >> 8);
}
