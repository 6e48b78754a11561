/* SPDX-License-Identifier: Apache-2.0
 * quant/requant.h - accumulator to output scale: multiply by a Q0.31 multiplier and a power of two, each rule with its own rounding.
 * Freestanding, total: every argument in the stated ranges has a result. >> is an arithmetic shift (floor). */
#ifndef BITEMU_QUANT_REQUANT_H
#define BITEMU_QUANT_REQUANT_H

#include <stdint.h>

/* x reduced modulo 2^32 to two's complement. */
static inline int32_t quant_wrap32(int64_t x)
{
    uint32_t u = (uint32_t)((uint64_t)x & 0xFFFFFFFFu);
    return u <= INT32_MAX ? (int32_t)u : (int32_t)(u - 0x80000000u) + INT32_MIN;
}

/* floor((a b + 2^30) / 2^31), INT32_MIN * INT32_MIN = INT32_MAX: gemmlowp SaturatingRoundingDoublingHighMul. Its stated nudge for
 * negative products and truncating division give the same number for every input. */
static inline int32_t quant_doubling_high_mul(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* x / 2^e, e in [0, 31], ties away from zero: gemmlowp RoundingDivideByPOT. */
static inline int32_t quant_divide_pot(int32_t x, int e)
{
    int32_t mask = (int32_t)(((int64_t)1 << e) - 1), rest = x & mask, half = (mask >> 1) + (x < 0);
    return (x >> e) + (rest > half);
}

/* Double rounding: divide_pot(doubling_high_mul(wrap32(acc 2^max(s,0)), m), max(-s,0)). m Q0.31 >= 0, s in [-31, 30].
 * TFLite MultiplyByQuantizedMultiplier without TFLITE_SINGLE_ROUNDING. */
static inline int32_t quant_requant_twice(int32_t acc, int32_t m, int s)
{
    int left = s > 0 ? s : 0, right = s > 0 ? 0 : -s;
    return quant_divide_pot(quant_doubling_high_mul(quant_wrap32((int64_t)((uint64_t)acc << left)), m), right);
}

/* Single rounding, half up: floor((acc m + 2^(30-s)) / 2^(31-s)), s in [-31, 30]. TFLite with TFLITE_SINGLE_ROUNDING. */
static inline int32_t quant_requant_once(int32_t acc, int32_t m, int s)
{
    int shift = 31 - s;
    return (int32_t)(((int64_t)acc * m + ((int64_t)1 << (shift - 1))) >> shift);
}

/* The 15-bit multiplier that 16-bit kernels use: (m + 2^15) >> 16, 0x7FFF at the top. */
static inline int32_t quant_reduce_multiplier(int32_t m) { return m < 0x7FFF0000 ? (m + (1 << 15)) >> 16 : 0x7FFF; }

/* 64-bit accumulator: wrap32(floor((acc reduce(m) + 2^(14-s)) / 2^(15-s))), s in [-31, 14]; the product modulo 2^64, so exact for
 * |acc| < 2^47. TFLite MultiplyByQuantizedMultiplier(int64_t, ...), which asks for s <= 7 but means the same up to 14. */
static inline int32_t quant_requant_wide(int64_t acc, int32_t m, int s)
{
    int shift = 15 - s;
    uint64_t product = (uint64_t)acc * (uint64_t)quant_reduce_multiplier(m) + ((uint64_t)1 << (shift - 1));
    return quant_wrap32((int64_t)product >> shift);
}

/* 64-bit accumulator, CMSIS-NN's arm_nn_requantize_s64: the bit before the last is cut to 32 bits, then rounded half up. Equals
 * quant_requant_wide while that value fits. s in [-31, 14]. */
static inline int32_t quant_requant_wide_halved(int64_t acc, int32_t m, int s)
{
    int64_t product = (int64_t)((uint64_t)acc * (uint64_t)quant_reduce_multiplier(m));
    return quant_wrap32((int64_t)quant_wrap32(product >> (14 - s)) + 1) >> 1;
}

/* Double rounding, half up both times: floor((x + 2^(r-1)) / 2^r), x = floor((wrap32(acc 2^max(s,0)) m + 2^30) / 2^31), r = max(-s,0).
 * ruy on x86 (LiteRT's optimized kernels). */
static inline int32_t quant_requant_up(int32_t acc, int32_t m, int s)
{
    int left = s > 0 ? s : 0, right = s > 0 ? 0 : -s;
    int64_t x = quant_doubling_high_mul(quant_wrap32((int64_t)((uint64_t)acc << left)), m);
    return (int32_t)(right ? (x + ((int64_t)1 << (right - 1))) >> right : x);
}

/* CMSIS-NN's arm_requantize_mve with single rounding: r = max(-s, 1), x = floor(wrap32(acc 2^(s+r)) m / 2^31) (VQDMULH truncates and
 * saturates), then half up over 2^r. Equals quant_requant_once while the left shift does not overflow. */
static inline int32_t quant_requant_mve(int32_t acc, int32_t m, int s)
{
    int right = s < -1 ? -s : 1, left = s + right;
    int32_t v = quant_wrap32((int64_t)((uint64_t)acc << left));
    int64_t x = v == INT32_MIN && m == INT32_MIN ? INT32_MAX : ((int64_t)v * m) >> 31;
    return (int32_t)((x + ((int64_t)1 << (right - 1))) >> right);
}

/* The same in predicated lanes: VQRDMULH rounds half up where VQDMULH truncates. */
static inline int32_t quant_requant_mve_predicated(int32_t acc, int32_t m, int s)
{
    int right = s < -1 ? -s : 1, left = s + right;
    int64_t x = quant_doubling_high_mul(quant_wrap32((int64_t)((uint64_t)acc << left)), m);
    return (int32_t)((x + ((int64_t)1 << (right - 1))) >> right);
}

/* CMix-NN: floor throughout, no rounding. n < 0 shifts the accumulator left by -n first, else the result right by n:
 * ((wrap32(acc 2^max(-n,0)) m) >> 32) >> max(n,0). m may be negative. */
static inline int32_t quant_requant_floor(int32_t acc, int32_t m, int n)
{
    int32_t v = quant_wrap32((int64_t)((uint64_t)acc << (n < 0 ? -n : 0)));
    return (int32_t)((((int64_t)v * m) >> 32) >> (n > 0 ? n : 0));
}

static inline int32_t quant_clamp(int32_t x, int32_t low, int32_t high) { return x < low ? low : x > high ? high : x; }

#endif
