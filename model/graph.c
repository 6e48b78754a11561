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

int model_nest(model_nesting rule, bool is_unsigned, int master, int bits, int w)
{
    int drop = bits - w;
    if (rule == MODEL_SEPARATE || drop == 0) return master;
    if (rule == MODEL_NESTED_FLOOR) return master >> drop;
    int half = 1 << (drop - 1), top = (1 << (is_unsigned ? w : w - 1)) - 1;
    if (rule == MODEL_NESTED_HALF_EVEN) half -= 1 - (master >> drop & 1); /* a tie goes up from an odd code only */
    int q = (master + half) >> drop;
    return q < top ? q : top;
}

bool model_codes_unsigned(const model_op *op, const model_tensor *t)
{
    quant_grid_kind k = op->grid ? op->grid->weights.kind : QUANT_AFFINE;
    return k == QUANT_AFFINE ? t->dtype == MODEL_U8 : k != QUANT_TERNARY && k != QUANT_TERNARY2;
}
