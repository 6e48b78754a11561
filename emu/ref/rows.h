/* SPDX-License-Identifier: Apache-2.0
 * emu/ref/rows.h - one function per operator, filling its row of the kernel table. */
#ifndef BITEMU_EMU_REF_ROWS_H
#define BITEMU_EMU_REF_ROWS_H

#include "emu/kernels.h"

void emu_row_add(emu_kernel *row);
void emu_row_arg_max(emu_kernel *row);
void emu_row_assign_variable(emu_kernel *row);
void emu_row_average_pool_2d(emu_kernel *row);
void emu_row_call_once(emu_kernel *row);
void emu_row_concatenation(emu_kernel *row);
void emu_row_conv_2d(emu_kernel *row);
void emu_row_depthwise_conv_2d(emu_kernel *row);
void emu_row_dequantize(emu_kernel *row);
void emu_row_fully_connected(emu_kernel *row);
void emu_row_hard_swish(emu_kernel *row);
void emu_row_leaky_relu(emu_kernel *row);
void emu_row_log_softmax(emu_kernel *row);
void emu_row_logistic(emu_kernel *row);
void emu_row_max_pool_2d(emu_kernel *row);
void emu_row_mean(emu_kernel *row);
void emu_row_mul(emu_kernel *row);
void emu_row_pack(emu_kernel *row);
void emu_row_pad(emu_kernel *row);
void emu_row_quantize(emu_kernel *row);
void emu_row_read_variable(emu_kernel *row);
void emu_row_reshape(emu_kernel *row);
void emu_row_resize_bilinear(emu_kernel *row);
void emu_row_shape(emu_kernel *row);
void emu_row_softmax(emu_kernel *row);
void emu_row_strided_slice(emu_kernel *row);
void emu_row_svdf(emu_kernel *row);
void emu_row_tanh(emu_kernel *row);
void emu_row_tile(emu_kernel *row);
void emu_row_transpose(emu_kernel *row);
void emu_row_transpose_conv(emu_kernel *row);
void emu_row_unidirectional_sequence_lstm(emu_kernel *row);
void emu_row_var_handle(emu_kernel *row);

#endif
