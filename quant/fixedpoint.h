/* SPDX-License-Identifier: Apache-2.0
 * quant/fixedpoint.h - transcendental functions in 32-bit fixed point: gemmlowp's, whose bits TFLite's softmax, logistic and tanh give.
 * Freestanding, no float. Qi.f = i integer bits, f fraction bits, sign apart. */
#ifndef BITEMU_QUANT_FIXEDPOINT_H
#define BITEMU_QUANT_FIXEDPOINT_H

#include <stdint.h>

/* e^a for a <= 0, a in Q<int_bits>.(31-int_bits), 0 <= int_bits <= 5, result Q0.31. gemmlowp exp_on_negative_values. */
int32_t quant_exp_negative(int32_t a, int int_bits);
/* 1 / (1 + a) for a in [0, 1], Q0.31 to Q0.31. gemmlowp one_over_one_plus_x_for_x_in_0_1. */
int32_t quant_one_over_one_plus(int32_t a);
/* Logistic function of a in Q<int_bits>, result Q0.31. gemmlowp logistic. */
int32_t quant_logistic(int32_t a, int int_bits);
/* tanh of a in Q<int_bits>, result Q0.31. gemmlowp tanh. */
int32_t quant_tanh(int32_t a, int int_bits);
/* x 2^e, e >= 0, saturating to int32. gemmlowp SaturatingRoundingMultiplyByPOT. */
int32_t quant_shift_saturating(int32_t x, int e);
/* Leading zero bits; 32 for 0. */
int quant_clz32(uint32_t x);

#endif
