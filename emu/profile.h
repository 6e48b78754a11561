/* SPDX-License-Identifier: Apache-2.0
 * emu/profile.h - whose bits: a named, versioned row of arithmetic rules. Rules are data; kernels read them. */
#ifndef BITEMU_EMU_PROFILE_H
#define BITEMU_EMU_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How an accumulator becomes a code (before the zero point and the clamp). acc: 32 bits unless it says wide. */
typedef enum emu_rule {
    EMU_RAW,           /* it does not: int32 output (native logits) */
    EMU_TWICE,         /* quant_requant_twice: gemmlowp, half up, then half away from zero */
    EMU_ONCE,          /* quant_requant_once: one rounding, half up */
    EMU_UP,            /* quant_requant_up: half up twice (ruy) */
    EMU_MVE,           /* quant_requant_mve: CMSIS-NN's MVE build with single rounding */
    EMU_MVE_REST,      /* quant_requant_mve_predicated: the same build's predicated lanes */
    EMU_HALF_AWAY,     /* m 2^(s-31) exact, half away from zero: what EMU_REAL becomes when a layer states multiplier and shift */
    EMU_REAL,          /* round half away(double(acc) * double scale), 32 or 64 bits: LiteRT's reference fully connected */
    EMU_FLOAT_EVEN,    /* rint(float(acc) * float scale): XNNPACK */
    EMU_FLOAT_TRUNC,   /* truncate(float(acc) * float scale), saturating: TinyEngine's fp kernels (VCVT) */
    EMU_FLOAT_AWAY,    /* round half away(float(2 acc clamped) * float scale + float bias): Larq on a C++ host */
    EMU_FLOOR,         /* quant_requant_floor: CMix-NN */
    EMU_SHIFT,         /* wrap32(wrap32(m acc) + addend) >> d, floor: PULP-NN */
    EMU_WIDE,          /* 64-bit accumulator, quant_requant_wide: TFLM */
    EMU_WIDE_HALVED,   /* 64-bit accumulator, quant_requant_wide_halved: CMSIS-NN */
    EMU_EXACT,         /* quant_requant_exact: any accumulator, addend, two sums; one rounding, half up: ours */
    EMU_ROUND_SHIFT,   /* quant_requant_shift: no multiplier, half up: ours */
    EMU_THRESHOLD      /* acc >= threshold: Larq, ours */
} emu_rule;

/* Habits of one library. Each is arithmetic that its outputs show, not an error of ours. */
enum {
    EMU_FC_FLOAT_PRODUCT = 1 << 0,  /* per-tensor fully connected: s_in s_w multiplied in float32 */
    EMU_FC_NO_WEIGHT_ZERO = 1 << 1, /* fully connected ignores the weights' zero point */
    EMU_S16_SHORT_SUMS = 1 << 2,    /* 16-bit convolution: the first 512 products, and all of a left-over last pixel, sum in int32 */
    EMU_S16_BIAS32_WIDE = 1 << 3,   /* 16-bit convolution with int32 bias still accumulates in 64 bits */
    EMU_SOFTMAX16_WRAPS = 1 << 4,   /* 16-bit softmax: table index and result are cut to int16, not saturated */
    EMU_POOL_FIRST_IMAGE = 1 << 5,  /* pools write the first image of a batch only; the others stay as they were */
    EMU_OPTIMIZED_MEAN = 1 << 6,    /* MEAN over height and width: LiteRT's optimized kernel (1/count inside a double scale) */
    EMU_GEMMLOWP16 = 1 << 7,        /* 16-bit logistic and tanh by gemmlowp's 16-bit fixed point */
    EMU_FLOAT_LUT = 1 << 8,         /* 8-bit logistic and tanh by a table made in float32 */
    EMU_XNN_POINTWISE = 1 << 9,     /* ADD, MUL, MEAN, LEAKY_RELU, QUANTIZE, RESIZE_BILINEAR as XNNPACK's qs8 kernels */
    EMU_FLOAT_ADD = 1 << 10,        /* ADD in float32, half away from zero */
    EMU_PAD_RAW_ZERO = 1 << 11,     /* depthwise pads with code 0, not with the zero point */
    EMU_CMIX = 1 << 12,             /* sub-byte depthwise: weights by USAT of a rotated word, activations two or one apart; 2-bit
                                       outputs of an odd number of pixels: the last one stores 4 channels only */
    EMU_HELIUM = 1 << 13,           /* convolution: pixels computed apart as emu/ref/helium.c tells */
    EMU_PULP_COLUMNS = 1 << 14,     /* depthwise by columns as emu/ref/pulp.c tells */
    EMU_PULP_MIXED = 1 << 15,       /* the mixed library's variants of that, of depthwise bias, 2-bit linear layers and pointwise rests */
    EMU_W4_NIBBLES = 1 << 16,       /* 4-bit depthwise, odd input channels: nibbles in the order of emu/ref/depthwise_nibbles.c */
    EMU_UNSIGNED_PAIRS = 1 << 17,   /* signed outputs without ReLU: four channels of a pixel pair are clipped as unsigned, low bits kept */
    EMU_SHORT_CUT = 1 << 18,        /* EMU_SHIFT without addend: the shifted value is cut to int16 before the clamp */
    EMU_FLOAT_PRODUCT = 1 << 19,    /* every layer: s_in s_w multiplied in float32, the quotient by s_out in double */
    EMU_FLOAT_SCALE = 1 << 20,      /* every layer: s_in s_w / s_out in float32 throughout */
    EMU_ADD_APART = 1 << 21,        /* 8-bit ADD: each operand requantized onto the output's scale alone, the integers added */
    EMU_ADD_Q16 = 1 << 22,          /* 8-bit ADD: codes times rint(s / so 2^16), zero points in one constant, one rounding half up */
    EMU_POOL_TRUNC = 1 << 23,       /* average pool: the sum of codes over their number, cut towards zero */
    EMU_POOL_WHOLE = 1 << 30,       /* average pool: divides by the whole window, padding too */
    EMU_ANY_GRID = 1 << 24,         /* every weight grid and width, shift-only requantization, addends: ours */
    EMU_OPTIMIZED = 1 << 25,        /* LiteRT's optimized kernels: vectors round half up twice, what is left over as the reference does
                                       (depthwise and transposed convolution: channels beyond the last 8; QUANTIZE: codes beyond the last 16); DEQUANTIZE as
                                       x s - z s in float32, 8 at a time */
    EMU_FLOAT_MUL = 1 << 26,        /* MUL multiplies and divides its scales in float32 */
    EMU_FLOAT_RATIO = 1 << 27,      /* LEAKY_RELU divides its scales in float32 */
    EMU_LITERT = 1 << 28,           /* SVDF keeps its state in 16 bits only; 16-bit transposed convolution with int32 bias sums in 32 bits */
    EMU_W4_BUILTIN = 1 << 29        /* 4-bit weights of convolutions go to LiteRT's built-in kernels, ruy */
};

/* UNIDIRECTIONAL_SEQUENCE_LSTM: gates by table (TFLM) or by gemmlowp's 16-bit fixed point (LiteRT); see emu/ref/lstm.c. */
typedef enum emu_lstm_rule { EMU_LSTM_TFLM, EMU_LSTM_LITERT_REF } emu_lstm_rule;

typedef struct emu_profile {
    const char *name;      /* "tflm", "litert-ref" */
    const char *version;   /* release or commit whose output the tests compare with */
    const char *source;    /* library, in words */
    const char *library;   /* the same in files of recorded vectors; NULL = recorded as a role of whole-operator files */
    const char *operators; /* TFLite names, space separated, that the library has; NULL = every operator here */
    emu_rule conv, fc;     /* 32-bit accumulator */
    emu_rule wide, fc_wide;/* 64-bit accumulator */
    emu_rule pointwise;    /* every other 32-bit rescaling: ADD, MUL, MEAN ... */
    unsigned habits;
    emu_lstm_rule lstm;
} emu_profile;

const emu_profile *emu_profile_find(const char *name); /* NULL = no such profile */
const emu_profile *emu_profile_list(size_t *n);
/* Does p's library have the operator (TFLite's name)? Operators that only move data belong to every profile. */
bool emu_profile_has(const emu_profile *p, const char *op);

/* Does p's library start a 32-bit accumulator at the bias? Else, and in 64 bits, it adds the bias last. Matters to accumulators that
 * saturate. Read in CMSIS-NN (16 bit); for the others as their reference kernels are commonly written, not proven: no oracle saturates. */
bool emu_profile_bias_first(const emu_profile *p);

/* wrap32-safe dispatch of the rules with a Q0.31 multiplier and shift (TWICE, ONCE, UP, MVE, MVE_REST, HALF_AWAY, FLOOR). */
int32_t emu_requant32(emu_rule rule, int32_t acc, int32_t m, int s);
int32_t emu_requant64(emu_rule rule, int64_t acc, int32_t m, int s); /* WIDE, WIDE_HALVED, EXACT */

#endif
