/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/ref/common.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "quant/multiplier.h"

void emu_code_range(const model_tensor *t, int32_t *low, int32_t *high)
{
    switch (t->dtype) {
    case MODEL_I8: *low = INT8_MIN; *high = INT8_MAX; return;
    case MODEL_U8: case MODEL_BOOL: *low = 0; *high = UINT8_MAX; return;
    case MODEL_I16: *low = INT16_MIN; *high = INT16_MAX; return;
    case MODEL_F32: case MODEL_I32: case MODEL_I64: case MODEL_RESOURCE: break;
    }
    *low = INT32_MIN;
    *high = INT32_MAX;
}

status emu_activation_range(const emu_node *n, const model_tensor *out, int32_t *low, int32_t *high, err *e)
{
    emu_code_range(out, low, high);
    int32_t min = *low, max = *high, zero = emu_zero(out);
    switch (n->op->attrs.activation) {
    case MODEL_NONE: return ST_OK;
    case MODEL_RELU: *low = quant_affine(0, emu_scale(out), zero, min, max); return ST_OK;
    case MODEL_RELU6:
        *low = quant_affine(0, emu_scale(out), zero, min, max);
        *high = quant_affine(6, emu_scale(out), zero, min, max);
        return ST_OK;
    case MODEL_RELU_N1_TO_1:
        *low = quant_affine(-1, emu_scale(out), zero, min, max);
        *high = quant_affine(1, emu_scale(out), zero, min, max);
        return ST_OK;
    case MODEL_TANH: break;
    }
    return emu_fail(n, e, ST_UNSUPPORTED, "fused tanh");
}

void emu_activation_range_f32(model_activation a, float *low, float *high)
{
    *low = a == MODEL_RELU || a == MODEL_RELU6 ? 0 : a == MODEL_RELU_N1_TO_1 ? -1 : -FLT_MAX;
    *high = a == MODEL_RELU6 ? 6 : a == MODEL_RELU_N1_TO_1 ? 1 : FLT_MAX;
}

/* float(acc) * scale, to nearest even: XNNPACK's conversion to int32, which saturates low on overflow as x86's does (the clamp that
 * XNNPACK applies first keeps large values at the top). */
int64_t emu_scale_even(int64_t acc, float scale)
{
    float v = (float)acc * scale;
    return v >= 2147483648.0f ? INT32_MAX : v > -2147483648.0f ? (int64_t)rintf(v) : INT32_MIN;
}

static int padding_before(model_padding p, int in, int out, int k, int stride, int dilation)
{
    int need = (out - 1) * stride + (k - 1) * dilation + 1 - in;
    return p == MODEL_VALID || need <= 0 ? 0 : need / 2;
}

void emu_window_init(emu_window *w, const model_tensor *in, const model_tensor *out, int k_h, int k_w, const model_attrs *a)
{
    int dh = a->dilation_h > 0 ? a->dilation_h : 1, dw = a->dilation_w > 0 ? a->dilation_w : 1;
    *w = (emu_window){
        in->dims[0],  in->dims[1], in->dims[2], in->dims[3],  out->dims[1], out->dims[2], out->dims[3], k_h, k_w, a->stride_h,
        a->stride_w, dh,          dw,
        padding_before(a->padding, in->dims[1], out->dims[1], k_h, a->stride_h, dh),
        padding_before(a->padding, in->dims[2], out->dims[2], k_w, a->stride_w, dw),
    };
    if (a->padding != MODEL_EXPLICIT) return;
    w->pad_top = a->pad_top;
    w->pad_left = a->pad_left;
}

status emu_unsupported_type(const emu_node *n, err *e)
{
    char types[160] = "";
    size_t at = 0;
    for (int i = 0; i < n->op->n_inputs && at + 24 < sizeof types; i++) {
        const model_tensor *t = emu_in(n, i);
        at += (size_t)snprintf(types + at, sizeof types - at, "%s%s", i ? ", " : "", t ? model_dtype_name(t->dtype) : "-");
    }
    return emu_fail(n, e, ST_UNSUPPORTED, "no kernel for inputs (%s) -> %s under profile %s", types,
                    n->op->n_outputs ? model_dtype_name(emu_out(n, 0)->dtype) : "-", n->profile->name);
}
