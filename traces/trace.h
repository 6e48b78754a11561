/* SPDX-License-Identifier: Apache-2.0
 * traces/trace.h - records of a run as JSON Lines: one header, then one record per input x layer, in order.
 *
 * {"bitemu_trace":1,"tool":"bitemu 0.1.0","profile":"tflm","board":"nucleo-l4r5zi","model":"x.tflite","model_crc":123,"inputs":10,"policy":"fixed:8"}
 * {"input":0,"name":"tst_1.bin","layer":-1,"op":"INPUT","shape":[1,49,10,1],"crc":1}
 * {"input":0,"layer":0,"op":"CONV_2D","name":"conv1","shape":[1,25,5,64],"w_bits":8,"a_bits":8,"crc":4277009102,"wraps":0,"clamps":12,
 *  "acc_min":-5,"acc_max":9,"cycles":123.0}
 * {"input":0,"layer":"output","codes":[-128,127],"decisions":[0,2,1]}
 *
 * layer -1 is the quantized input; crc is zlib's CRC-32 over the output codes in NHWC as stored (one code per element).
 * Keys that a writer does not know are left out, never 0. */
#ifndef BITEMU_TRACES_TRACE_H
#define BITEMU_TRACES_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_VERSION = 1, TRACE_INPUT = -1, TRACE_OUTPUT = -2 };
enum { TRACE_MAX_DIMS = 6 };

typedef struct trace_header {
    const char *tool, *profile, *board, *model, *policy, *accumulator; /* NULL = not stated */
    bool has_model_crc;
    uint32_t model_crc;
    int64_t n_inputs;     /* -1 = not stated */
} trace_header;

typedef struct trace_record {
    int64_t input;        /* >= 0 */
    int layer;            /* operator index, TRACE_INPUT or TRACE_OUTPUT */
    const char *name;     /* layer's name, or the input's file name; may be NULL */
    const char *op;       /* may be NULL */
    int n_dims;           /* 0 = not stated */
    int32_t shape[TRACE_MAX_DIMS];
    int w_bits, a_bits;   /* 0 = not stated */
    bool has_crc, has_events, has_cycles, has_measured;
    uint32_t crc;
    uint64_t wraps, saturations, clamps; /* saturations 0 = none, or not stated */
    int64_t acc_min, acc_max;
    double cycles;          /* estimated */
    double cycles_measured; /* by a board or simulator */
    size_t n_codes;         /* TRACE_OUTPUT: the network's output codes; 0 = not stated */
    const int64_t *codes;
    size_t n_decisions;     /* TRACE_OUTPUT: candidate per choice */
    const int *decisions;
} trace_record;

#endif
