/* SPDX-License-Identifier: Apache-2.0
 * device/device.h - the runtime that goes on a board: a network as constant tables, one loop over its layers, one table of kernels.
 * Freestanding C11: no heap, no float, no libc. `bitemu export` writes the tables; nothing here is changed at run time but the arena.
 *
 * Memory: all activations and scratch lie in one arena whose offsets the planner fixed. Activations keep one
 * code per element of their type (int8, uint8: one a byte); weights are packed at 8, 4, 2 or 1 bits.
 * Numbers: the same functions as the emulator's (quant/requant.h, quant/fixedpoint.h); every accumulator has 32 bits and wraps. */
#ifndef BITEMU_DEVICE_DEVICE_H
#define BITEMU_DEVICE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/controller.h"
#include "device/bitemu_log.h"

/* Constants of the model. On AVR flash is an address space of its own; elsewhere it is plain memory. */
#ifdef __AVR__
#define DEV_FLASH __flash
#define DEV_FLASH_IS_MEMORY 0
#else
#define DEV_FLASH
#define DEV_FLASH_IS_MEMORY 1
#endif

enum { DEV_TEXT = 64, DEV_MAX_DIMS = 6, DEV_MAX_KEYS = 3, DEV_MAX_INPUTS = 4, DEV_MAX_CANDIDATES = 16, DEV_UNPACKED = 32 };

/* A text of the model in memory, there or as a copy of what DEV_TEXT holds of it. */
static inline const char *dev_text(const DEV_FLASH char *s, char copy[DEV_TEXT])
{
    uint8_t n = 0;
    if (DEV_FLASH_IS_MEMORY) return (const char *)(uintptr_t)s;
    for (; n < DEV_TEXT - 1 && s[n]; n++) copy[n] = s[n];
    copy[n] = 0;
    return copy;
}

typedef enum dev_type { DEV_I8, DEV_U8, DEV_I16, DEV_I32 } dev_type;

typedef struct dev_tensor {
    uint32_t at;                /* byte offset in the arena, a multiple of 16 */
    uint32_t n;                 /* elements */
    uint8_t type;               /* dev_type */
    uint8_t n_dims;             /* 0..6 */
    uint16_t dims[DEV_MAX_DIMS];/* NHWC */
} dev_tensor;

/* Clamp and zero points under one entry of a layer's tables. */
typedef struct dev_limits {
    int32_t out_zero, low, high;/* y = clamp(requant(acc) + out_zero, low, high) */
    int32_t in_zero;            /* code that means 0 in the first input; taps outside the image have it */
    int32_t in_zero2;           /* second operand of ADD */
} dev_limits;

/* acc 2^(s-31) m, rounded as the profile does: quant_requant_twice (tflm) or quant_requant_once. */
typedef int32_t dev_requant_fn(int32_t acc, int32_t m, int s);
int32_t dev_requant_twice(int32_t acc, int32_t m, int s);
int32_t dev_requant_once(int32_t acc, int32_t m, int s);

/* How a weight's code of width w follows from the stored master, by d = bits - w dropped bits. */
typedef enum dev_nesting {
    DEV_AS_STORED,  /* d = 0 */
    DEV_FLOOR,      /* master >> d */
    DEV_HALF_UP,    /* min((master + 2^(d-1)) >> d, top), top = 2^(w-1) - 1, unsigned 2^w - 1 */
    DEV_HALF_EVEN   /* the same, ties to the even code */
} dev_nesting;

/* Where code i of a row lies. */
typedef enum dev_order {
    DEV_FLAT,       /* first code in the lowest bits of the first byte */
    DEV_PAIRS,      /* rows of whole 32-bit words; in a word of n codes, code i has container bits from bit 8 {0, 2, 1, 3}[i mod 4] + (i mod n) / 4 container:
                       bytes 0 and 2, then 1 and 3, of the word shifted left give pairs of neighbours, as SXTB16 takes them */
    DEV_QUADS       /* the same from bit 8 (i mod 4): the word shifted left gives four neighbours, a byte each */
} dev_order;

/* Weights under one candidate. Rows begin at whole bytes. */
typedef struct dev_weights {
    const DEV_FLASH uint8_t *codes;
    uint32_t row_bytes;         /* from one row to the next */
    uint8_t container;          /* bits of a stored code: 1, 2, 4, 8 */
    uint8_t nesting, drop;      /* dev_nesting, d */
    uint8_t is_unsigned;        /* codes are not two's complement */
    const DEV_FLASH int8_t *values; /* [2^w] number that a code (its low w bits) means, or NULL = the code itself */
    uint8_t width;              /* w */
    uint8_t order;              /* dev_order */
} dev_weights;

/* Convolutions and fully connected layers (a 1x1 convolution over their rows).
 *   acc[c] = bias'[e][c] + sum over taps of lane * weight,  lane = code - lane_zero (an int8),
 *   bias'[e][c] = bias[e][c] - (in_zero[e] - lane_zero) * sum of the row's weights, folded in by the exporter, modulo 2^32
 *   y = clamp(requant(acc, multiplier[e][c], shift[e][c]) + out_zero[e], low[e], high[e]); without requant y = acc
 * dev_conv_binary: codes 0, 1 of the input are the lanes -1, +1; a lane outside the image is in_zero, and folds into nothing.
 * Rows of weights: convolution, fully connected [out_c] of depth codes; depthwise [k_h k_w] of out_c codes. */
typedef struct dev_mac {
    uint16_t in_h, in_w, in_c, out_h, out_w, out_c;
    uint16_t k_h, k_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    uint32_t depth;             /* products of an output: k_h k_w in_c; depthwise k_h k_w */
    uint32_t scratch;           /* offset in the arena */
    int16_t lane_zero;          /* 128 for uint8 codes that need all 8 bits, else 0 */
    const DEV_FLASH dev_weights *weights;  /* [candidates of the layer's choice], 1 without */
    const DEV_FLASH int32_t *bias;         /* [entries][out_c] bias', never NULL */
    const DEV_FLASH int32_t *multiplier;   /* [entries][channels] */
    const DEV_FLASH int8_t *shift;         /* [entries][channels] */
    uint16_t channels;          /* out_c or 1 */
    dev_requant_fn *requant;    /* NULL: int32 output, the accumulator itself */
    const DEV_FLASH uint8_t *brief;        /* [entries] 1: every |bias'| <= 2^30, depth <= 2^15, every shift in [-29, -1], under dev_requant_once in
                                              [-22, -2]: high words of products are enough. NULL without requant */
} dev_mac;

/* Pools, QUANTIZE, ADD, SOFTMAX, MEAN, ARG_MAX, PAD, CONCATENATION: what they need beyond tensors. */
typedef struct dev_pointwise {
    uint16_t k_h, k_w, stride_h, stride_w, pad_top, pad_left; /* pools */
    int16_t pads[DEV_MAX_DIMS]; /* PAD: before each dimension */
    uint8_t axis;               /* ARG_MAX, CONCATENATION; MEAN: bit mask of the axes */
    uint8_t columns;            /* ADD: 2 = operands apart, 3 = TFLite's */
    uint8_t left_shift;         /* ADD, 3 columns */
    uint32_t scratch;           /* offset in the arena: SOFTMAX, MEAN int32 */
    int32_t limit;              /* SOFTMAX: differences below give 0; MEAN: elements averaged; PAD: the code filled in */
    const DEV_FLASH int32_t *multiplier; /* [entries][columns] */
    const DEV_FLASH int8_t *shift;       /* [entries][columns] */
    dev_requant_fn *requant;
} dev_pointwise;

struct dev_layer;
struct dev_run;
typedef void dev_op_fn(const struct dev_layer *l, const struct dev_run *r);

typedef struct dev_layer {
    dev_op_fn *run;             /* only what a model uses is linked */
    const DEV_FLASH char *op, *name;
    uint16_t index;             /* of the operator in the model file: the trace's layer */
    uint8_t n_inputs;
    dev_tensor in[DEV_MAX_INPUTS], out;
    int16_t choice;             /* that selects the weights, -1 = none */
    uint8_t n_keys;             /* entry = ((k0 n1) + k1) n2 + k2 */
    int16_t key[DEV_MAX_KEYS];  /* choices */
    uint8_t w_bits, a_bits;     /* as in the trace, of layers without a choice; 0 = none */
    const DEV_FLASH dev_limits *limits;  /* [entries], or NULL */
    const DEV_FLASH void *params;        /* dev_mac, dev_pointwise or NULL, as run expects */
} dev_layer;

typedef struct dev_choice {
    uint8_t n_candidates;
    uint16_t decide_at;         /* layer (position in the table) before which it is decided */
    uint8_t w_bits[DEV_MAX_CANDIDATES], a_bits[DEV_MAX_CANDIDATES];
    int32_t decision_at;        /* byte offset in the arena of the model's own decision, -1 = it has none */
    uint8_t decision_type;      /* dev_type */
} dev_choice;

typedef struct dev_model {
    const DEV_FLASH char *name, *profile, *policy_text;
    uint32_t crc;               /* of the model file */
    uint16_t n_layers, n_choices;
    const DEV_FLASH dev_layer *layers;
    const DEV_FLASH dev_choice *choices;
    const controller *policy;   /* NULL without choices */
    dev_tensor in, out;
    uint32_t arena_bytes;
} dev_model;

/* ---- kernels: a row per instruction set (device/kernels/) ----
 * A dot kernel takes `pixels` columns of `depth` lanes and all rows of weights, and writes acc[c * pixels + p] += sum lane * weight. It unpacks
 * codes of any container, narrows them, and runs one register-blocked loop. A column is followed by what lies in memory up to the next multiple of
 * the row's `lanes`, codes there are 0. */

typedef struct dev_tile {
    const dev_weights *weights;
    uint32_t depth;
    uint16_t channels;
    uint8_t pixels;             /* 1..row's pixels */
    const void *columns;        /* [pixels][stride] */
    uint32_t stride;            /* bytes from one column to the next */
    int32_t *acc;               /* [channels][pixels], holds the bias; behind it room for the row's `unpacks` rows of weights as bytes */
} dev_tile;
typedef void dev_dot_fn(const dev_tile *t);

/* The same, and 8-bit codes at once: y = clamp(requant(bias + dot) + out_zero, low, high). Only for layers that are `brief`.
 * Columns may lie in the input itself: then each is `runs` runs of `run` lanes, `pitch` bytes apart, all of them whole words. */
typedef struct dev_finish {
    uint32_t runs, run, pitch;  /* one run: the whole column */
    const DEV_FLASH int32_t *bias, *multiplier;
    const DEV_FLASH int8_t *shift;
    uint8_t next;               /* from one channel's multiplier to the next's: 1, or 0 */
    bool twice;                 /* dev_requant_twice, else dev_requant_once */
    int32_t out_zero, low, high;
    uint8_t *to;                /* [pixels][channels] */
} dev_finish;
typedef void dev_codes_fn(const dev_tile *t, const dev_finish *f);

/* Depthwise: sums[y][x] = bias + sum over ky, kx of lanes[y down + ky pitch + x stride + kx] * weights[ky row + kx], of one channel. */
typedef struct dev_plane {
    const int8_t *lanes;        /* borders filled in (device/depthwise.h); what lies up to 8 bytes beyond may be read */
    uint32_t pitch, down;       /* bytes, multiples of 4 */
    const int8_t *weights;      /* at a multiple of 4, rows of k_w numbers and zeros, `row` in all, a multiple of 4 */
    uint32_t row, k_h, k_w, stride, out_h, out_w;
    int32_t bias;
    int32_t *sums;              /* [out_h][out_w], room for one more */
} dev_plane;
typedef void dev_plane_fn(const dev_plane *t);

/* n >= 1 sums of one channel, one more readable, to 8-bit codes at to, to + step ...: y = clamp(requant(sum) + out_zero, low, high). Only for layers that are `brief`. */
typedef struct dev_column {
    const int32_t *sums;
    uint32_t n;
    int32_t multiplier;
    int8_t shift;
    bool twice;                 /* dev_requant_twice, else dev_requant_once */
    int32_t out_zero, low, high;
    uint8_t *to;
    uint32_t step;
} dev_column;
typedef void dev_column_fn(const dev_column *t);

/* n words of four codes, `step` bytes apart, to four planes, `plane` bytes apart: byte i of each to plane i, every byte xor turn. */
typedef void dev_split_fn(const uint8_t *codes, uint32_t step, uint32_t n, uint8_t turn, uint8_t *to, uint32_t plane);

/* n codes (int8 or uint8) to lanes: code - lane_zero. */
typedef void dev_gather_fn(const uint8_t *codes, uint32_t n, int16_t lane_zero, void *lanes);

typedef struct dev_kernels {
    const char *name;           /* "portable" */
    uint8_t pixels;             /* columns that a dot takes at once */
    uint8_t lane_bytes;         /* of a lane in a column: 1 (int8) or 2 (int16) */
    uint8_t lanes;              /* columns are padded to a multiple of so many */
    uint8_t order;              /* dev_order of a convolution's rows; depthwise: DEV_FLAT */
    uint8_t unpacks;            /* rows of weights that a dot unpacks to bytes in scratch, each padded to DEV_UNPACKED lanes */
    dev_gather_fn *gather;
    dev_dot_fn *dot;
    dev_codes_fn *codes;        /* NULL: none */
} dev_kernels;

/* What dev_depthwise calls, of the one row that a program is built with (device/kernels/NAME_depthwise.c): linked only where such layers are. */
typedef struct dev_depthwise_kernels {
    dev_plane_fn *plane;
    dev_column_fn *column;
    dev_split_fn *split;
} dev_depthwise_kernels;
extern const dev_depthwise_kernels dev_planes;

extern const dev_kernels dev_kernels_portable, dev_kernels_armv7em, dev_kernels_rv32, dev_kernels_xpulp, dev_kernels_mve, dev_kernels_avr;

/* What a layer sees of the run. */
typedef struct dev_run {
    const dev_model *model;
    const dev_kernels *kernels;
    uint8_t *arena;             /* [model->arena_bytes], aligned to 16 */
    const uint8_t *candidate;   /* [n_choices] */
    uint16_t entry;             /* of the layer's tables */
    uint8_t own;                /* candidate of the layer's own choice, 0 without */
} dev_run;

/* Operators (device/ops_*.c). Types are checked by the exporter; here they are total. */
dev_op_fn dev_conv, dev_conv_binary, dev_depthwise, dev_average_pool, dev_max_pool, dev_add, dev_quantize, dev_softmax, dev_mean, dev_reshape,
    dev_pad, dev_arg_max, dev_concatenation;
void dev_conv_by(const dev_layer *l, const dev_run *r, dev_gather_fn *gather); /* dev_conv with other lanes */

/* Observer of a run: after every layer, and once for the input (layer NULL). ctx is the caller's. */
typedef struct dev_observer {
    void (*begin)(void *ctx);   /* right before a layer runs; NULL = nothing */
    void (*end)(void *ctx);     /* right after it */
    void (*layer)(void *ctx, const dev_layer *l, const void *out, int w_bits, int a_bits);
    void *ctx;
} dev_observer;

/* Runs one input that lies in the arena at model->in.at; the output lies at model->out.at afterwards. index: of the input, for the policy.
 * candidate: [n_choices], filled. -1 = done; else the choice whose decision is none of its candidates. o may be NULL. */
int dev_run_model(const dev_model *m, const dev_kernels *k, uint8_t *arena, int64_t index, uint8_t *candidate, const dev_observer *o);

uint8_t dev_type_bytes(uint8_t type);
int32_t dev_load(const void *p, uint8_t type, uint32_t i);
void dev_store(void *p, uint8_t type, uint32_t i, int32_t v);

#endif
