/* SPDX-License-Identifier: Apache-2.0
 * model/check.h - between model/check.c (the graph) and model/check_ops.c (one operator). Inside model/ only. */
#ifndef BITEMU_MODEL_CHECK_H
#define BITEMU_MODEL_CHECK_H

#include "model/graph.h"

/* Operand counts, types and shapes of one operator, as its kernel relies on them. err without where. */
status model_check_op(const model_graph *g, const model_subgraph *sub, const model_op *op, err *e);

/* Weight codes and tables of a convolution or fully connected layer against its grid. err without where. */
status model_check_grid(const model_graph *g, const model_subgraph *sub, const model_op *op, err *e);

#endif
