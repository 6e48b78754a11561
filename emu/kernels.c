/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/kernels.h"

#include <stdarg.h>
#include <stdio.h>

#include "emu/ref/rows.h"

void emu_kernels_ref(emu_kernels *k)
{
    static void (*const rows[MODEL_N_OPCODES])(emu_kernel *) = {
        [MODEL_ADD] = emu_row_add, [MODEL_ARG_MAX] = emu_row_arg_max, [MODEL_ASSIGN_VARIABLE] = emu_row_assign_variable,
        [MODEL_AVERAGE_POOL_2D] = emu_row_average_pool_2d, [MODEL_CALL_ONCE] = emu_row_call_once,
        [MODEL_CONCATENATION] = emu_row_concatenation, [MODEL_CONV_2D] = emu_row_conv_2d,
        [MODEL_DEPTHWISE_CONV_2D] = emu_row_depthwise_conv_2d, [MODEL_DEQUANTIZE] = emu_row_dequantize,
        [MODEL_FULLY_CONNECTED] = emu_row_fully_connected, [MODEL_HARD_SWISH] = emu_row_hard_swish,
        [MODEL_LEAKY_RELU] = emu_row_leaky_relu,
        [MODEL_LOG_SOFTMAX] = emu_row_log_softmax, [MODEL_LOGISTIC] = emu_row_logistic, [MODEL_MAX_POOL_2D] = emu_row_max_pool_2d,
        [MODEL_MEAN] = emu_row_mean, [MODEL_MUL] = emu_row_mul, [MODEL_PACK] = emu_row_pack, [MODEL_PAD] = emu_row_pad,
        [MODEL_QUANTIZE] = emu_row_quantize, [MODEL_READ_VARIABLE] = emu_row_read_variable, [MODEL_RESHAPE] = emu_row_reshape,
        [MODEL_RESIZE_BILINEAR] = emu_row_resize_bilinear, [MODEL_SHAPE] = emu_row_shape, [MODEL_SOFTMAX] = emu_row_softmax,
        [MODEL_STRIDED_SLICE] = emu_row_strided_slice, [MODEL_SVDF] = emu_row_svdf, [MODEL_TANH_OP] = emu_row_tanh,
        [MODEL_TILE] = emu_row_tile,
        [MODEL_TRANSPOSE] = emu_row_transpose, [MODEL_TRANSPOSE_CONV] = emu_row_transpose_conv,
        [MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM] = emu_row_unidirectional_sequence_lstm, [MODEL_VAR_HANDLE] = emu_row_var_handle,
    };
    for (int c = 0; c < MODEL_N_OPCODES; c++) {
        k->row[c] = (emu_kernel){0};
        rows[c](&k->row[c]);
    }
}

const model_tensor *emu_in(const emu_node *n, int i)
{
    return i < n->op->n_inputs && n->op->inputs[i] >= 0 ? &n->sub->tensors[n->op->inputs[i]] : NULL;
}

const model_tensor *emu_out(const emu_node *n, int i) { return i < n->op->n_outputs ? &n->sub->tensors[n->op->outputs[i]] : NULL; }

void *emu_in_data(const emu_node *n, int i) { return i < n->op->n_inputs && n->op->inputs[i] >= 0 ? n->data[n->op->inputs[i]] : NULL; }

void *emu_out_data(const emu_node *n, int i) { return n->data[n->op->outputs[i]]; }

status emu_fail(const emu_node *n, err *e, status code, const char *fmt, ...)
{
    char where[128], msg[400];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    (void)snprintf(where, sizeof where, "op %d %s (%.60s)", n->index, n->op->type, n->op->name);
    return err_set(e, code, where, "%s", msg);
}
