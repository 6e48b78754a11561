/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/scratch.h - bytes of scratch memory that a library's kernel asks for before it runs one layer.
 * CMSIS-NN: what arm_convolve_wrapper_{s8,s4,s16}_get_buffer_size and arm_depthwise_conv_wrapper_{...} return (commit 99f736a63036),
 * without the variants for Arm's own compiler. K = k_h k_w in_c, k = k_h k_w; dilation 1 wherever a special kernel is meant.
 *   convolution      C, DSP: 4 K, for s8 with K rounded up to 4; Helium: 64 ceil(K / 16), s16 64 ceil(K / 8). s8, s4 1x1 without padding: 0.
 *                    Helium rows (in_h 1, k_h 1, stride_w in_c a multiple of 4): s4 0; s8 in_c max(k_w + pad, k_w - 1 + pad + odd), where
 *                    odd = (2 pad + odd = all columns of padding) in {-1, 0, 1}; the general size if there is no such odd
 *   depthwise        only multiplier 1: s8 DSP 2 out_c k (3x3 with padding <= 1: 0), Helium 496 k; s4 2 out_c k, Helium 496 k;
 *                    s16 DSP 2 out_c k, Helium 8 out_c k + 8. s8 and s4 ask for it with batch 1 only. Helium s8 with one input channel
 *                    runs as a convolution: that one's size + out_c k.
 *   average pool     DSP: 4 bytes a channel; C, Helium: 0 (arm_avgpool_s8_get_buffer_size, and s16's) */
#ifndef BITEMU_HWMODELS_SCRATCH_H
#define BITEMU_HWMODELS_SCRATCH_H

#include <stdbool.h>
#include <stdint.h>

typedef enum hw_build { HW_BUILD_C, HW_BUILD_DSP, HW_BUILD_MVE } hw_build;
typedef enum hw_operands { HW_S8, HW_S4, HW_S16 } hw_operands; /* int8 x int8, int8 x int4 weights, int16 x int8 weights */

typedef struct hw_shape { /* of one layer; NHWC */
    int batch, in_h, in_w, in_c, k_h, k_w, out_w, out_c, pad_top, pad_left, stride_w, dilation_h, dilation_w;
    int multiplier; /* depthwise: out_c / in_c */
} hw_shape;

int64_t hw_scratch_cmsis_conv(const hw_shape *s, hw_operands t, hw_build b);
int64_t hw_scratch_cmsis_depthwise(const hw_shape *s, hw_operands t, hw_build b);
int64_t hw_scratch_cmsis_average_pool(int channels, hw_build b);
/* CMix-NN a97415fd56bb: two columns of int16; depthwise: one column of bytes of every channel. */
int64_t hw_scratch_cmix(const hw_shape *s, bool depthwise);
/* PULP-NN, eight cores: two columns of bytes each (1x1 kernels and square padding alike); depthwise: k_w rows of one padded channel a core,
 * (in_h + padding) bytes each, and the filter's weights unpacked where they are narrower than 8 bits. */
int64_t hw_scratch_pulp(const hw_shape *s, bool depthwise, int w_bits);
/* TinyEngine: 1x1: two columns of int16; wider: that, and for 3 input channels the weights as int16; depthwise: one padded channel in bytes. */
int64_t hw_scratch_tinyengine(const hw_shape *s, bool depthwise);

#endif
