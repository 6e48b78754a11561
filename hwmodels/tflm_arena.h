/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/tflm_arena.h - what TensorFlow Lite Micro's interpreter keeps in its arena besides the activations (the "tail" of its recorder):
 *   base + 1 evaluation tensor a tensor + 1 node an operator + a full tensor an input or output of the network (quantized: its scale too)
 *   + per operator: its parameters as parsed + its prepared data, rounded up to 16, + 8 bytes a channel (multiplier and shift) of convolutions
 * Sizes of the structures: tflite_micro 0.dev20261023 for pointers of 8 bytes; for 4 bytes the recorder's log of a Cortex-M55 build
 * (tflite-micro generic_benchmark README) where it states them, else those of 8 with the pointers halved. */
#ifndef BITEMU_HWMODELS_TFLM_ARENA_H
#define BITEMU_HWMODELS_TFLM_ARENA_H

#include "model/graph.h"

typedef enum hw_tflm_kernels { HW_TFLM_REFERENCE, HW_TFLM_CMSIS_NN } hw_tflm_kernels;
/* Bytes of the tail; -1: an operator's data is not in the table. pointer_bytes: 4 or 8. */
int64_t hw_tflm_tail(const model_graph *g, int pointer_bytes, hw_tflm_kernels kernels);

#endif
