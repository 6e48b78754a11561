/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/fixedpoint.h"

#include "quant/requant.h"

int quant_clz32(uint32_t x)
{
    int n = 0;
    for (uint32_t bit = 0x80000000u; bit && !(x & bit); bit >>= 1) n++;
    return n;
}

int32_t quant_shift_saturating(int32_t x, int e)
{
    int64_t v = (int64_t)x * ((int64_t)1 << e);
    return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

/* e^a on [-1/4, 0), a in Q0.31: Taylor around -1/8. */
static int32_t exp_quarter(int32_t a)
{
    const int32_t e_eighth = 1895147668, third = 715827883; /* e^-1/8, 1/3 */
    int32_t x = a + ((int32_t)1 << 28);
    int32_t x2 = quant_doubling_high_mul(x, x), x3 = quant_doubling_high_mul(x2, x), x4 = quant_doubling_high_mul(x2, x2);
    int32_t t = quant_divide_pot(quant_doubling_high_mul(quant_divide_pot(x4, 2) + x3, third) + x2, 1);
    return e_eighth + quant_doubling_high_mul(e_eighth, x + t);
}

int32_t quant_exp_negative(int32_t a, int int_bits)
{
    /* e^-(2^k), k = -2 .. 4 */
    static const int32_t factor[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int fraction = 31 - int_bits;
    if (a == 0) return INT32_MAX;
    int32_t quarter = (int32_t)1 << (fraction - 2);
    int32_t rest = (a & (quarter - 1)) - quarter; /* in [-1/4, 0) */
    int32_t y = exp_quarter(quant_shift_saturating(rest, int_bits));
    int32_t whole = quant_wrap32((int64_t)rest - a);
    for (int k = -2; k < int_bits; k++) {
        if (k <= 4 && (whole & ((int32_t)1 << (fraction + k)))) y = quant_doubling_high_mul(y, factor[k + 2]);
    }
    return y;
}

static int32_t half_sum(int32_t a, int32_t b) /* (a + b) / 2, ties away from zero: gemmlowp RoundingHalfSum */
{
    int64_t sum = (int64_t)a + b;
    return (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
}

/* Newton-Raphson for 2 / (1 + a) in Q2.29, start 48/17 - 32/17 d. */
static int32_t reciprocal(int32_t a)
{
    int32_t d = half_sum(a, INT32_MAX);
    int32_t x = quant_wrap32((int64_t)1515870810 + quant_doubling_high_mul(d, -1010580540));
    for (int i = 0; i < 3; i++) {
        int32_t miss = quant_wrap32(((int64_t)1 << 29) - quant_doubling_high_mul(d, x));
        x = quant_wrap32((int64_t)x + quant_shift_saturating(quant_doubling_high_mul(x, miss), 2));
    }
    return x;
}

int32_t quant_one_over_one_plus(int32_t a) { return quant_shift_saturating(reciprocal(a), 1); }

int32_t quant_logistic(int32_t a, int int_bits)
{
    if (a == 0) return (int32_t)1 << 30;
    int32_t negative = a > 0 ? -a : a; /* a is never INT32_MIN here: callers rescale from int8 */
    int32_t y = quant_one_over_one_plus(quant_exp_negative(negative, int_bits));
    return a > 0 ? y : INT32_MAX - y;
}

int32_t quant_tanh(int32_t a, int int_bits)
{
    if (a == 0) return 0;
    int32_t negative = a > 0 ? -a : a;
    /* tanh(|a|) = (1 - e) / (1 + e) with e = e^(-2|a|): doubling is one more integer bit */
    int32_t e = quant_exp_negative(negative, int_bits + 1);
    /* (1 - e) / (1 + e) = 2 / (1 + e) - 1, from Q2.29 (saturating) to Q0.31 */
    int32_t y = quant_shift_saturating(quant_wrap32((int64_t)reciprocal(e) - ((int32_t)1 << 29)), 2);
    return a > 0 ? y : -y;
}
