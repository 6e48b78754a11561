/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/layer.h - an operator as the cost model sees it. Internal to hwmodels. */
#ifndef BITEMU_HWMODELS_LAYER_H
#define BITEMU_HWMODELS_LAYER_H

#include "hwmodels/board.h"

/* Tensors that hold the weights and the input activations; -1 = none. */
void hw_layer_operands(const model_op *op, int *weights, int *activations);
const model_tensor *hw_layer_tensor(const model_subgraph *s, int t); /* NULL: no such tensor */
const model_choice *hw_layer_choice(const model_graph *g, const model_op *op); /* NULL: it is bound to none */
/* Widths under candidate `variant` of its choice. */
/* 0 bits: the layer is not run, so it does nothing and costs nothing. */
bool hw_layer_skipped(const model_graph *g, const model_op *op, int variant);
void hw_layer_bits(const model_graph *g, const model_op *op, int variant, int *w_bits, int *a_bits);
hw_class hw_layer_class(const model_subgraph *s, const model_op *op);
void hw_layer_events(const model_subgraph *s, const model_op *op, hw_class c, const emu_events *ev, double count[HW_N_EVENTS]);
/* Takes channels that give a constant off the counts of op: filters of weights 0, what depthwise layers and pools make of them, and inputs from them. */
void hw_layer_live(const model_subgraph *s, const model_op *op, hw_class c, double count[HW_N_EVENTS]);
/* hw_layer_events of op as b's stack runs it (removes_constant_channels). */
void hw_layer_counts(const model_graph *g, const hw_board *b, const model_op *op, double count[HW_N_EVENTS]);
/* Zeros before the first row or column, as TFLite computes them; stated: if the padding is explicit. */
int hw_layer_padding(const model_attrs *a, int stated, int in, int out, int k, int stride, int dilation);
bool hw_layer_real(const model_subgraph *s, const model_op *op); /* float32 activations */
bool hw_layer_plain(const model_op *op); /* weight codes are numbers, as kernels multiply them: no grid, or ternary */
/* Weights that price the operator on b, NULL if b's kernels have none. */
const hw_entry *hw_layer_entry(const model_graph *g, const hw_board *b, const model_op *op, int w_bits, int a_bits);

#endif
