/* SPDX-License-Identifier: Apache-2.0
 * emu/ref/common.h - what several operators share: ranges of codes, fused activations, windows over an image. */
#ifndef BITEMU_EMU_REF_COMMON_H
#define BITEMU_EMU_REF_COMMON_H

#include "emu/kernels.h"

/* Smallest and largest code of t's type. */
void emu_code_range(const model_tensor *t, int32_t *low, int32_t *high);

/* Clamp of an operator's output codes: the type's range narrowed by the fused activation, bounds quantized as
 * zero + round(bound / scale) in float32 (TFLite CalculateActivationRangeQuantized). Per-tensor quantization. */
status emu_activation_range(const emu_node *n, const model_tensor *out, int32_t *low, int32_t *high, err *e);
/* The same for float outputs. */
void emu_activation_range_f32(model_activation a, float *low, float *high);

/* rint(float(acc) * scale), XNNPACK's requantization. */
int64_t emu_scale_even(int64_t acc, float scale);

static inline float emu_scale(const model_tensor *t) { return t->scale[0]; }
static inline int32_t emu_zero(const model_tensor *t) { return t->n_scales ? (int32_t)t->zero_point[0] : 0; }

/* Geometry of a sliding window, NHWC. Padding is what stands before the image; the rest follows from the output's size. */
typedef struct emu_window {
    int batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int k_h, k_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
} emu_window;
/* TFLite ComputePaddingHeightWidth: before = max(0, (out - 1) stride + (k - 1) dilation + 1 - in) / 2 under SAME, 0 under VALID. */
void emu_window_init(emu_window *w, const model_tensor *in, const model_tensor *out, int k_h, int k_w, const model_attrs *a);

/* Writes code v (already in range) as element i of t's type. */
static inline void emu_store(const model_tensor *t, void *p, size_t i, int32_t v)
{
    switch (t->dtype) {
    case MODEL_I8: ((int8_t *)p)[i] = (int8_t)v; return;
    case MODEL_U8: ((uint8_t *)p)[i] = (uint8_t)v; return;
    case MODEL_I16: ((int16_t *)p)[i] = (int16_t)v; return;
    case MODEL_I32: ((int32_t *)p)[i] = v; return;
    case MODEL_F32: case MODEL_I64: case MODEL_BOOL: case MODEL_RESOURCE: return;
    }
}

/* Element i of an integer tensor. */
static inline int32_t emu_load(const model_tensor *t, const void *p, size_t i)
{
    switch (t->dtype) {
    case MODEL_I8: return ((const int8_t *)p)[i];
    case MODEL_U8: case MODEL_BOOL: return ((const uint8_t *)p)[i];
    case MODEL_I16: return ((const int16_t *)p)[i];
    case MODEL_I32: return ((const int32_t *)p)[i];
    case MODEL_F32: case MODEL_I64: case MODEL_RESOURCE: break;
    }
    return 0;
}

/* Final clamp of a code, counted. */
static inline int32_t emu_clamp(int64_t v, int32_t low, int32_t high, emu_events *ev)
{
    if (v < low) {
        ev->clamps++;
        return low;
    }
    if (v > high) {
        ev->clamps++;
        return high;
    }
    return (int32_t)v;
}

/* For a row's integers (emu/ref/integers.c): the rule if boards have it; one entry of `columns` multipliers; an operator's stated tables. */
status emu_integers_rule(const emu_node *n, emu_rule rule, emu_rule *out, err *e);
status emu_integers_entry(emu_node *n, emu_integers *out, const int32_t *multiplier, const int *shift, int columns, int32_t in_zero, int32_t in_zero2, int32_t out_zero,
                          int32_t low, int32_t high, err *e);
status emu_integers_stated(emu_node *n, emu_integers *out, err *e);

static inline status emu_no_memory(const emu_node *n, err *e) { return emu_fail(n, e, ST_NOMEM, "no memory"); }
status emu_unsupported_type(const emu_node *n, err *e); /* names the operand types */

#endif
