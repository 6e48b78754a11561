/* SPDX-License-Identifier: Apache-2.0
 * quant/multiplier.h - real scales to integer multipliers; runs once per model, the only float in quant/. */
#ifndef BITEMU_QUANT_MULTIPLIER_H
#define BITEMU_QUANT_MULTIPLIER_H

#include <stdint.h>

/* real >= 0 as m 2^(s-31): (q, s) = frexp(real), m = round_half_away(q 2^31), renormalized when it reaches 2^31; 0 for real 0 or
 * s < -31. TFLite QuantizeMultiplier (without TFLITE_EMULATE_FLOAT). */
void quant_multiplier(double real, int32_t *m, int *s);

/* x rounded half away from zero (TfLiteRound = std::round). */
float quant_round_f32(float x);

/* Code of a real value: zero + round_half_away(v / scale) in float32, clamped to [low, high]; NaN gives low.
 * TFLite Quantize (activation bounds) and reference_ops::AffineQuantize. */
int32_t quant_affine(float v, float scale, int32_t zero, int32_t low, int32_t high);

/* Sigmoid(i / 24) in Q0.16 as TFLite's 16-bit logistic and tanh have it (sigmoid_table_uint16), i < 256. */
void quant_sigmoid_table(uint16_t table[256]);

#endif
