/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/count.h - events of an operator from shapes alone. A test holds that they equal what the kernels count. */
#ifndef BITEMU_HWMODELS_COUNT_H
#define BITEMU_HWMODELS_COUNT_H

#include "emu/events.h"
#include "model/graph.h"

/* macs, outputs and requants of op (others stay 0).
 *   CONV_2D         macs = out_h out_w out_c k_h k_w in_c        DEPTHWISE  out_h out_w out_c k_h k_w
 *   FULLY_CONNECTED rows out_c in_c                              TRANSPOSE_CONV in_h in_w in_c k_h k_w out_c (clipped too)
 *   AVERAGE_POOL_2D, MEAN, ADD, MUL and data movement: 0 macs    SVDF, LSTM: their matrix products (see count.c)
 * outputs = elements of all outputs; requants = outputs of MAC ops whose output is not a raw int32 accumulator (SVDF: and
 * its new state; LSTM: two per gate, cell and step), else 0. */
emu_events hw_count_op(const model_graph *g, const model_op *op);

#endif
