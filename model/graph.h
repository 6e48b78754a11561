/* SPDX-License-Identifier: Apache-2.0
 * model/graph.h - a quantized network as plain data: tensors, operators in execution order, choices.
 * Importers fill it, everything else reads it. All pointers live in one arena; nothing is changed after model_check. */
#ifndef BITEMU_MODEL_GRAPH_H
#define BITEMU_MODEL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "quant/grid.h"

enum { MODEL_MAX_DIMS = 6, MODEL_MAX_CANDIDATES = 16, MODEL_MAX_KEYS = 2 };

/* Element type in memory. Codes narrower than a byte sit one per int8/uint8; model_tensor.bits says how many count. */
typedef enum model_dtype {
    MODEL_F32, MODEL_I8, MODEL_U8, MODEL_I16, MODEL_I32, MODEL_I64, MODEL_BOOL,
    MODEL_RESOURCE /* handle of a streaming variable; no bytes */
} model_dtype;

typedef struct model_tensor {
    const char *name;             /* the file's, never NULL */
    model_dtype dtype;
    int bits;                     /* significant bits of a code: 1..8, 16, 32, 64; I8 with bits 4 = a TFLite INT4 tensor */
    int n_dims;                   /* 0 = scalar */
    int32_t dims[MODEL_MAX_DIMS]; /* each >= 0 */
    size_t n_elems;               /* product of dims */
    int n_scales;                 /* 0 = not quantized, 1 = per tensor, else dims[axis] */
    int axis;                     /* quantized dimension */
    const float *scale;           /* [n_scales] */
    const int64_t *zero_point;    /* [n_scales] */
    const void *data;             /* constant: n_elems unpacked elements, 16-byte aligned; NULL = computed at run time */
    bool is_variable;             /* keeps its value from input to input (LSTM state) */
} model_tensor;

typedef enum model_opcode {
    MODEL_ADD, MODEL_ARG_MAX, MODEL_ASSIGN_VARIABLE, MODEL_AVERAGE_POOL_2D, MODEL_CALL_ONCE, MODEL_CONCATENATION, MODEL_CONV_2D,
    MODEL_DEPTHWISE_CONV_2D, MODEL_DEQUANTIZE, MODEL_FULLY_CONNECTED, MODEL_HARD_SWISH, MODEL_LEAKY_RELU, MODEL_LOG_SOFTMAX, MODEL_LOGISTIC,
    MODEL_MAX_POOL_2D, MODEL_MEAN, MODEL_MUL, MODEL_PACK, MODEL_PAD, MODEL_QUANTIZE, MODEL_READ_VARIABLE, MODEL_RESHAPE,
    MODEL_RESIZE_BILINEAR, MODEL_SHAPE, MODEL_SOFTMAX, MODEL_STRIDED_SLICE, MODEL_SVDF, MODEL_TANH_OP, MODEL_TILE, MODEL_TRANSPOSE,
    MODEL_TRANSPOSE_CONV, MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM, MODEL_VAR_HANDLE,
    MODEL_UNSUPPORTED, /* keeps its place and name; model_check lists all of them */
    MODEL_N_OPCODES = MODEL_UNSUPPORTED
} model_opcode;

typedef enum model_padding { MODEL_SAME, MODEL_VALID, MODEL_EXPLICIT /* pad_top, pad_left stated; the rest follows from the output */ } model_padding;
typedef enum model_activation { MODEL_NONE, MODEL_RELU, MODEL_RELU_N1_TO_1, MODEL_RELU6, MODEL_TANH } model_activation;

/* Options of every operator, flat, named as in the TFLite schema; an operator ignores what is not its own. */
typedef struct model_attrs {
    model_padding padding;
    model_activation activation;
    int pad_top, pad_left;                          /* padding explicit */
    int pad_right;                                  /* recorded cases: stated, since some kernels read it; else 0 */
    int stride_h, stride_w, dilation_h, dilation_w; /* >= 1 where used */
    int filter_h, filter_w;                         /* pools */
    int depth_multiplier;                           /* depthwise; out_c / in_c if the file leaves it out */
    int axis;                                       /* concatenation, pack, arg_max */
    int keep_dims;                                  /* mean */
    int begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask; /* strided_slice */
    int align_corners, half_pixel_centers;          /* resize */
    int rank;                                       /* svdf */
    int time_major;                                 /* lstm */
    float beta;                                     /* softmax */
    float alpha;                                    /* leaky_relu */
    float cell_clip, proj_clip;                     /* lstm; 0 = none */
    int pot_scale_int16;                            /* add: int16 with power-of-two scales */
    int init_subgraph;                              /* call_once */
    int variable;                                   /* var_handle: index into model_graph.variables */
} model_attrs;

/* How a low-width weight code follows from the stored master code of `bits`, width w: */
typedef enum model_nesting {
    MODEL_SEPARATE,      /* it does not: every candidate has its own array */
    MODEL_NESTED_FLOOR,  /* master >> (bits - w), arithmetic shift (AdaBits) */
    MODEL_NESTED_HALF_UP,/* min((master + (1 << (bits - w - 1))) >> (bits - w), top); shift 0 = master; top = 2^(w-1) - 1, unsigned 2^w - 1 */
    MODEL_NESTED_HALF_EVEN /* the same, ties to the even code (torch.round; Double Rounding 2024) */
} model_nesting;

/* Integer parameters that the file states outright (native models) instead of float scales. A table is keyed by up to two
 * choices: entry [k0 * n1 + k1], where k0, k1 are the candidates taken by choice key[0], key[1] and n1 is key[1]'s candidate count.
 * Channels: a convolution's output channels; ADD has three (operand 0, operand 1, sum), every other operator one.
 * A layer with weights has one of: multiplier and shift; shift alone (a rounding shift); scale (float rules); threshold; none (raw sums). */
typedef struct model_integer {
    int n_keys;                   /* 0..2 */
    int key[MODEL_MAX_KEYS];      /* choice indices */
    int n_entries;                /* product of the keys' candidate counts, 1 without keys */
    int n_channels;               /* out_c, or 1 = per tensor */
    const int32_t *bias;          /* [n_entries][out_c], or NULL */
    const int64_t *bias64;        /* the same in 64 bits (16-bit activations), or NULL; not both */
    const int32_t *multiplier;    /* [n_entries][n_channels], Q0.31, >= 0 */
    const int8_t *shift;          /* [n_entries][n_channels], power of two, [-31, 30] */
    const float *scale;           /* [n_entries][n_channels] instead of multiplier and shift, where the profile's rule is float; or NULL */
    const int64_t *addend;        /* [n_entries][n_channels] added after the multiplication (PULP-NN's lambda), or NULL */
    const int32_t *in_zero;       /* [n_entries] code that means 0.0 in the input */
    const int32_t *out_zero;      /* [n_entries] */
    const int32_t *out_min;       /* [n_entries] clamp of the output code */
    const int32_t *out_max;       /* [n_entries] */
    const int32_t *in_zero2;      /* [n_entries] of the second operand (ADD, MUL), or NULL */
    int left_shift;               /* ADD: bits by which both operands are shifted first */
    const int32_t *multiplier_n;  /* [n_entries][n_channels] of the negative sum (grid ternary2), >= 0, or NULL */
    const int32_t *threshold;     /* [n_entries][n_channels] code = accumulator >= threshold ? out_max : out_min (1 and 0 if not stated) */
    const float *offset;          /* [n_entries][n_channels] added to the scaled accumulator (profile larq), or NULL */
    const int32_t *acc_min, *acc_max; /* [n_entries] clamp of the accumulator before scale (profile larq), or NULL */
} model_integer;

/* What the codes of a layer's operands mean, where it is not the affine grid. */
typedef struct model_grid {
    quant_grid weights;
    bool binary_input;            /* input codes 0, 1 mean -1, +1 */
    bool pad_one;                 /* binary input: taps outside the image are +1 (Larq's same_one); else they add 0 */
} model_grid;

/* The sum of products of a layer with weights, two's complement. */
typedef enum model_overflow {
    MODEL_WRAP,    /* modulo 2^bits; the order of the additions does not matter */
    MODEL_SATURATE /* every addition, the bias's included, is cut to the limits; the order matters (emu/ref/mac.h) */
} model_overflow;
typedef struct model_accumulator {
    int bits;                     /* 8..32 or 64; 0 = as the library keeps it */
    model_overflow overflow;
} model_accumulator;

typedef struct model_weights {    /* of an op bound to a choice */
    model_nesting nesting;
    int bits;                     /* of the master (nested) */
    int n;                        /* separate: one per candidate; nested: 1 */
    int tensor[MODEL_MAX_CANDIDATES]; /* tensor indices, each of the same shape */
} model_weights;

typedef struct model_op {
    model_opcode code;
    const char *name;             /* native: the layer's name; .tflite: name of output 0 */
    const char *type;             /* "CONV_2D", or the custom code of an unsupported one */
    int version;                  /* of the operator in the file */
    int n_inputs, n_outputs;
    const int *inputs, *outputs;  /* tensor indices; -1 = optional input left out */
    int n_intermediates;
    const int *intermediates;     /* lstm: tensors that only carry scales */
    model_attrs attrs;
    int choice;                   /* choice that selects this op's bits, -1 = none */
    const model_integer *integer; /* NULL = arithmetic follows from the tensors' scales */
    const model_weights *weights; /* NULL = inputs[1] as it is */
    const model_grid *grid;       /* NULL = affine weights and input */
    const uint8_t *packed_input;  /* recorded cases: memory from the packed input's first byte on, for kernels that read it by byte; else NULL */
    size_t packed_bytes;
    model_accumulator accumulator;/* convolutions and fully connected layers; bits 0 elsewhere */
} model_op;

typedef struct model_candidate {
    int w_bits, a_bits;           /* weights and input activations of the bound ops, 1..8; 0, 0: they are skipped, every output is its zero point */
} model_candidate;

typedef struct model_choice {
    const char *name;
    int n_candidates;             /* 1..16 */
    model_candidate candidates[MODEL_MAX_CANDIDATES];
    int tensor, element;          /* the decision that the model's own controller computes: element of an integer tensor holding a
                                     candidate index; tensor -1 = the model has none */
} model_choice;

typedef struct model_variable {   /* streaming state behind VAR_HANDLE */
    const char *name;             /* "container/shared_name" */
    int tensor;                   /* of subgraph 0, with the state's type and shape (from its READ or ASSIGN); -1 = never used there */
} model_variable;

typedef struct model_subgraph {
    const char *name;
    int n_tensors, n_ops, n_inputs, n_outputs;
    model_tensor *tensors;
    model_op *ops;                /* in execution order */
    int *inputs, *outputs;        /* tensor indices */
} model_subgraph;

typedef struct model_graph {
    const char *path;             /* as given */
    const char *format;           /* "tflite" or "bitemu" */
    const char *profile;          /* profile that the file was made for, NULL = it does not say */
    uint32_t crc32;               /* zlib CRC-32 of the file's bytes */
    size_t file_bytes;
    int n_subgraphs;              /* >= 1; [0] is the network, others are run by CALL_ONCE */
    model_subgraph *subgraphs;
    int n_choices;
    model_choice *choices;
    int n_variables;
    model_variable *variables;
} model_graph;

size_t model_dtype_bytes(model_dtype t);               /* bytes of one element; 0 for MODEL_RESOURCE */
const char *model_dtype_name(model_dtype t);           /* numpy's name: "int8", "float32" ... */
const char *model_opcode_name(model_opcode c);         /* TFLite's name: "CONV_2D" */
size_t model_tensor_bytes(const model_tensor *t);
/* Weight code of width w from a master code (see model_nesting); bits and w in 1..8, w <= bits. */
int model_nest(model_nesting rule, bool is_unsigned, int master, int bits, int w);
/* Are the weight codes of op in tensor t unsigned? */
bool model_codes_unsigned(const model_op *op, const model_tensor *t);
bool model_accumulator_bits_ok(int64_t bits);          /* 8..32 or 64 */
const char *model_overflow_name(model_overflow o);     /* "wrap", "saturate" */
/* "16", "16:wrap" (the same) or "16:saturate". ST_ARG (where "--accumulator"): anything else, other widths. */
status model_accumulator_parse(const char *text, model_accumulator *out, err *e);

#endif
