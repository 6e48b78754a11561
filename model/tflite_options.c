/* SPDX-License-Identifier: Apache-2.0
 * Options of each operator as rows: which field of which table goes to which attribute (schema.fbs). */
#include <stddef.h>

#include "model/tflite_ops.h"

typedef enum kind { I32, U8, F32 } kind;
typedef struct option {
    model_opcode op;
    int field;
    kind kind;
    int dflt;
    size_t attr; /* offset in model_attrs; int for I32 and U8, float for F32 */
} option;

#define AT(name) offsetof(model_attrs, name)
static const option options[] = {
    {MODEL_CONV_2D, 0, U8, 0, AT(padding)},
    {MODEL_CONV_2D, 1, I32, 0, AT(stride_w)},
    {MODEL_CONV_2D, 2, I32, 0, AT(stride_h)},
    {MODEL_CONV_2D, 3, U8, 0, AT(activation)},
    {MODEL_CONV_2D, 4, I32, 1, AT(dilation_w)},
    {MODEL_CONV_2D, 5, I32, 1, AT(dilation_h)},
    {MODEL_DEPTHWISE_CONV_2D, 0, U8, 0, AT(padding)},
    {MODEL_DEPTHWISE_CONV_2D, 1, I32, 0, AT(stride_w)},
    {MODEL_DEPTHWISE_CONV_2D, 2, I32, 0, AT(stride_h)},
    {MODEL_DEPTHWISE_CONV_2D, 3, I32, 0, AT(depth_multiplier)},
    {MODEL_DEPTHWISE_CONV_2D, 4, U8, 0, AT(activation)},
    {MODEL_DEPTHWISE_CONV_2D, 5, I32, 1, AT(dilation_w)},
    {MODEL_DEPTHWISE_CONV_2D, 6, I32, 1, AT(dilation_h)},
    {MODEL_AVERAGE_POOL_2D, 0, U8, 0, AT(padding)},
    {MODEL_AVERAGE_POOL_2D, 1, I32, 0, AT(stride_w)},
    {MODEL_AVERAGE_POOL_2D, 2, I32, 0, AT(stride_h)},
    {MODEL_AVERAGE_POOL_2D, 3, I32, 0, AT(filter_w)},
    {MODEL_AVERAGE_POOL_2D, 4, I32, 0, AT(filter_h)},
    {MODEL_AVERAGE_POOL_2D, 5, U8, 0, AT(activation)},
    {MODEL_MAX_POOL_2D, 0, U8, 0, AT(padding)},
    {MODEL_MAX_POOL_2D, 1, I32, 0, AT(stride_w)},
    {MODEL_MAX_POOL_2D, 2, I32, 0, AT(stride_h)},
    {MODEL_MAX_POOL_2D, 3, I32, 0, AT(filter_w)},
    {MODEL_MAX_POOL_2D, 4, I32, 0, AT(filter_h)},
    {MODEL_MAX_POOL_2D, 5, U8, 0, AT(activation)},
    {MODEL_FULLY_CONNECTED, 0, U8, 0, AT(activation)},
    {MODEL_SOFTMAX, 0, F32, 0, AT(beta)},
    {MODEL_CONCATENATION, 0, I32, 0, AT(axis)},
    {MODEL_CONCATENATION, 1, U8, 0, AT(activation)},
    {MODEL_ADD, 0, U8, 0, AT(activation)},
    {MODEL_ADD, 1, U8, 1, AT(pot_scale_int16)},
    {MODEL_MUL, 0, U8, 0, AT(activation)},
    {MODEL_STRIDED_SLICE, 0, I32, 0, AT(begin_mask)},
    {MODEL_STRIDED_SLICE, 1, I32, 0, AT(end_mask)},
    {MODEL_STRIDED_SLICE, 2, I32, 0, AT(ellipsis_mask)},
    {MODEL_STRIDED_SLICE, 3, I32, 0, AT(new_axis_mask)},
    {MODEL_STRIDED_SLICE, 4, I32, 0, AT(shrink_axis_mask)},
    {MODEL_MEAN, 0, U8, 0, AT(keep_dims)},
    {MODEL_RESIZE_BILINEAR, 2, U8, 0, AT(align_corners)},
    {MODEL_RESIZE_BILINEAR, 3, U8, 0, AT(half_pixel_centers)},
    {MODEL_PACK, 1, I32, 0, AT(axis)},
    {MODEL_LEAKY_RELU, 0, F32, 0, AT(alpha)},
    {MODEL_TRANSPOSE_CONV, 0, U8, 0, AT(padding)},
    {MODEL_TRANSPOSE_CONV, 1, I32, 0, AT(stride_w)},
    {MODEL_TRANSPOSE_CONV, 2, I32, 0, AT(stride_h)},
    {MODEL_TRANSPOSE_CONV, 3, U8, 0, AT(activation)},
    {MODEL_SVDF, 0, I32, 0, AT(rank)},
    {MODEL_SVDF, 1, U8, 0, AT(activation)},
    {MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM, 0, U8, 0, AT(activation)},
    {MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM, 1, F32, 0, AT(cell_clip)},
    {MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM, 2, F32, 0, AT(proj_clip)},
    {MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM, 3, U8, 0, AT(time_major)},
    {MODEL_CALL_ONCE, 0, I32, 0, AT(init_subgraph)},
};

/* The schema's ActivationFunctionType: NONE, RELU, RELU_N1_TO_1, RELU6, TANH, SIGN_BIT; its Padding: SAME, VALID. */
_Static_assert(MODEL_NONE == 0 && MODEL_RELU == 1 && MODEL_RELU_N1_TO_1 == 2 && MODEL_RELU6 == 3 && MODEL_TANH == 4, "as in the schema");
_Static_assert(MODEL_SAME == 0 && MODEL_VALID == 1, "as in the schema");

status tflite_attrs(model_opcode c, const fb_table *t, bool present, model_attrs *a, err *e)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const option *o = &options[i];
        char *attr = (char *)a + o->attr;
        if (o->op != c) continue;
        if (o->kind == F32) {
            float v = (float)o->dflt;
            if (present) TRY(fb_f32(t, o->field, v, &v, e));
            *(float *)(void *)attr = v;
            continue;
        }
        int32_t v = o->dflt;
        uint8_t b = (uint8_t)o->dflt;
        if (present && o->kind == I32) TRY(fb_i32(t, o->field, v, &v, e));
        if (present && o->kind == U8) {
            TRY(fb_u8(t, o->field, b, &b, e));
            v = b;
        }
        if (o->attr == AT(padding)) {
            if (v > MODEL_VALID) return err_set(e, ST_FORMAT, "", "padding %d is not SAME or VALID", v);
            a->padding = (model_padding)v;
        } else if (o->attr == AT(activation)) {
            if (v > MODEL_TANH) return err_set(e, ST_UNSUPPORTED, "", "fused activation %d is not supported", v);
            a->activation = (model_activation)v;
        } else {
            *(int *)(void *)attr = v;
        }
    }
    return ST_OK;
}
