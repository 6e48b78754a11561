/* SPDX-License-Identifier: Apache-2.0
 * quant/fixedpoint16.h - the same functions in 16-bit fixed point: gemmlowp's with int16_t raw values, whose bits the gates of
 * TFLite's integer LSTM give (tensor_utils ApplySigmoid, ApplyTanh). Freestanding, no float. */
#ifndef BITEMU_QUANT_FIXEDPOINT16_H
#define BITEMU_QUANT_FIXEDPOINT16_H

#include <stdint.h>

/* Logistic function of a in Q<int_bits>.(15-int_bits), 0 <= int_bits <= 5; result Q0.15. */
int16_t quant_logistic16(int16_t a, int int_bits);
/* tanh of a in Q<int_bits>, 0 <= int_bits <= 4; result Q0.15. */
int16_t quant_tanh16(int16_t a, int int_bits);

/* 16-bit logistic and tanh by table, v = x multiplier / 2^shift in steps of 2^-9 / 3 (logistic) or 2^-8 / 3 (tanh); TFLite
 * reference_integer_ops::Logistic, Tanh (int16). table: 256 entries, sigmoid(i / 24) in Q0.16 (quant_sigmoid_table). */
int16_t quant_logistic_lut(int16_t x, int32_t multiplier, int shift, const uint16_t *table);
int16_t quant_tanh_lut(int16_t x, int32_t multiplier, int shift, const uint16_t *table);

#endif
