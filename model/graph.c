/* SPDX-License-Identifier: Apache-2.0 */
#include "model/graph.h"

size_t model_dtype_bytes(model_dtype t)
{
    switch (t) {
    case MODEL_I8: case MODEL_U8: case MODEL_BOOL: return 1;
    case MODEL_I16: return 2;
    case MODEL_F32: case MODEL_I32: return 4;
    case MODEL_I64: return 8;
    case MODEL_RESOURCE: break;
    }
    return 0;
}

const char *model_dtype_name(model_dtype t)
{
    switch (t) {
    case MODEL_F32: return "float32";
    case MODEL_I8: return "int8";
    case MODEL_U8: return "uint8";
    case MODEL_I16: return "int16";
    case MODEL_I32: return "int32";
    case MODEL_I64: return "int64";
    case MODEL_BOOL: return "bool";
    case MODEL_RESOURCE: break;
    }
    return "resource";
}

const char *model_opcode_name(model_opcode c)
{
    static const char *const names[MODEL_N_OPCODES] = {
        [MODEL_ADD] = "ADD", [MODEL_ARG_MAX] = "ARG_MAX", [MODEL_ASSIGN_VARIABLE] = "ASSIGN_VARIABLE",
        [MODEL_AVERAGE_POOL_2D] = "AVERAGE_POOL_2D", [MODEL_CALL_ONCE] = "CALL_ONCE", [MODEL_CONCATENATION] = "CONCATENATION",
        [MODEL_CONV_2D] = "CONV_2D", [MODEL_DEPTHWISE_CONV_2D] = "DEPTHWISE_CONV_2D", [MODEL_DEQUANTIZE] = "DEQUANTIZE",
        [MODEL_FULLY_CONNECTED] = "FULLY_CONNECTED", [MODEL_HARD_SWISH] = "HARD_SWISH", [MODEL_LEAKY_RELU] = "LEAKY_RELU", [MODEL_LOG_SOFTMAX] = "LOG_SOFTMAX",
        [MODEL_LOGISTIC] = "LOGISTIC", [MODEL_MAX_POOL_2D] = "MAX_POOL_2D", [MODEL_MEAN] = "MEAN", [MODEL_MUL] = "MUL",
        [MODEL_PACK] = "PACK", [MODEL_PAD] = "PAD", [MODEL_QUANTIZE] = "QUANTIZE", [MODEL_READ_VARIABLE] = "READ_VARIABLE",
        [MODEL_RESHAPE] = "RESHAPE", [MODEL_RESIZE_BILINEAR] = "RESIZE_BILINEAR", [MODEL_SHAPE] = "SHAPE",
        [MODEL_SOFTMAX] = "SOFTMAX", [MODEL_STRIDED_SLICE] = "STRIDED_SLICE", [MODEL_SVDF] = "SVDF", [MODEL_TANH_OP] = "TANH", [MODEL_TILE] = "TILE",
        [MODEL_TRANSPOSE] = "TRANSPOSE", [MODEL_TRANSPOSE_CONV] = "TRANSPOSE_CONV",
        [MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM] = "UNIDIRECTIONAL_SEQUENCE_LSTM", [MODEL_VAR_HANDLE] = "VAR_HANDLE",
    };
    return c < MODEL_N_OPCODES ? names[c] : "UNSUPPORTED";
}

size_t model_tensor_bytes(const model_tensor *t) { return t->n_elems * model_dtype_bytes(t->dtype); }

int model_nest(model_nesting rule, int master, int bits, int w)
{
    int drop = bits - w;
    if (rule == MODEL_SEPARATE || drop == 0) return master;
    if (rule == MODEL_NESTED_FLOOR) return master >> drop;
    int q = (master + (1 << (drop - 1))) >> drop, top = (1 << (w - 1)) - 1;
    return q < top ? q : top;
}
