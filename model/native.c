/* SPDX-License-Identifier: Apache-2.0 */
#include "model/native.h"

#define INT(name) {#name, offsetof(model_attrs, name), false}
#define REAL(name) {#name, offsetof(model_attrs, name), true}
const native_attr native_attrs[] = {
    INT(stride_h), INT(stride_w), INT(dilation_h), INT(dilation_w), INT(filter_h), INT(filter_w), INT(depth_multiplier), INT(axis),
    INT(keep_dims), INT(begin_mask), INT(end_mask), INT(ellipsis_mask), INT(new_axis_mask), INT(shrink_axis_mask), INT(align_corners),
    INT(half_pixel_centers), INT(rank), INT(time_major), REAL(beta), REAL(alpha), REAL(cell_clip), REAL(proj_clip),
    INT(pot_scale_int16), INT(init_subgraph), INT(variable), {NULL, 0, false},
};

const char *const native_dtypes[] = {"float32", "int8", "uint8", "int16", "int32", "int64", "bool", "resource", NULL};
const char *const native_paddings[] = {"same", "valid", NULL};
const char *const native_activations[] = {"none", "relu", "relu_n1_to_1", "relu6", "tanh", NULL};
const char *const native_nestings[] = {"separate", "floor", "half_up", "half_even", NULL};

const char *const native_overflows[] = {"wrap", "saturate", NULL};
const char *const native_grid_inputs[] = {"affine", "binary", NULL};
const char *const native_grid_pads[] = {"zero", "one", NULL};

_Static_assert(MODEL_F32 == 0 && MODEL_RESOURCE == 7 && MODEL_SEPARATE == 0 && MODEL_NESTED_HALF_EVEN == 3 && MODEL_SATURATE == 1, "the lists above follow the enums");

int native_default_bits(model_dtype t) { return (int)model_dtype_bytes(t) * 8; }
