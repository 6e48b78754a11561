/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/profile.h"

#include <string.h>

#include "quant/exact.h"
#include "quant/requant.h"

#define MACS "CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED "
#define POOLS "AVERAGE_POOL_2D MAX_POOL_2D "
#define MORE "MEAN ADD MUL SOFTMAX LOGISTIC TANH LEAKY_RELU HARD_SWISH RESIZE_BILINEAR TRANSPOSE_CONV SVDF"
#define LITERT_X86 EMU_FLOAT_LUT | EMU_OPTIMIZED | EMU_FLOAT_MUL | EMU_FLOAT_RATIO | EMU_LITERT

static const emu_profile profiles[] = {
    {"tflm", "tflite-micro 0.dev20261023", "TensorFlow Lite Micro, reference kernels", "tflm_ref", NULL,
     EMU_TWICE, EMU_TWICE, EMU_WIDE, EMU_WIDE, EMU_TWICE, EMU_FC_FLOAT_PRODUCT, EMU_LSTM_TFLM},
    {"litert-ref", "ai-edge-litert 2.3.0", "LiteRT (TensorFlow Lite), reference resolver", NULL, NULL,
     EMU_TWICE, EMU_REAL, EMU_WIDE, EMU_REAL, EMU_TWICE, EMU_FLOAT_LUT | EMU_FLOAT_MUL | EMU_FLOAT_RATIO | EMU_LITERT, EMU_LSTM_LITERT_REF},
    {"ruy", "ai-edge-litert 2.3.0", "LiteRT on x86 without delegate: optimized kernels on ruy", NULL,
     MACS POOLS MORE,
     EMU_UP, EMU_UP, EMU_WIDE, EMU_REAL, EMU_TWICE, EMU_FC_FLOAT_PRODUCT | EMU_OPTIMIZED_MEAN | EMU_GEMMLOWP16 | EMU_W4_BUILTIN | LITERT_X86, EMU_LSTM_LITERT_REF},
    {"xnnpack", "ai-edge-litert 2.3.0", "LiteRT with the XNNPACK delegate", NULL, MACS POOLS MORE,
     EMU_FLOAT_EVEN, EMU_FLOAT_EVEN, EMU_WIDE, EMU_REAL, EMU_TWICE, EMU_XNN_POINTWISE | EMU_GEMMLOWP16 | EMU_W4_BUILTIN | LITERT_X86, EMU_LSTM_LITERT_REF},
    {"tflite-single-round", "tflite-micro 90b983c2b3f1", "TensorFlow Lite kernels built with TFLITE_SINGLE_ROUNDING", "tflm_ref_single", NULL,
     EMU_ONCE, EMU_ONCE, EMU_WIDE, EMU_WIDE, EMU_ONCE, EMU_FC_FLOAT_PRODUCT, EMU_LSTM_TFLM},
    {"cmsis-nn", "CMSIS-NN 99f736a63036", "Arm CMSIS-NN, C and DSP builds", "cmsisnn", MACS POOLS "ADD MUL SOFTMAX LOGISTIC TANH",
     EMU_TWICE, EMU_TWICE, EMU_WIDE_HALVED, EMU_WIDE_HALVED, EMU_TWICE, EMU_FC_FLOAT_PRODUCT | EMU_S16_SHORT_SUMS | EMU_SOFTMAX16_WRAPS | EMU_W4_NIBBLES, EMU_LSTM_TFLM},
    {"cmsis-nn-single", "CMSIS-NN 99f736a63036", "Arm CMSIS-NN built with CMSIS_NN_USE_SINGLE_ROUNDING", "cmsisnn_single", MACS POOLS "ADD MUL SOFTMAX LOGISTIC TANH",
     EMU_ONCE, EMU_ONCE, EMU_WIDE_HALVED, EMU_WIDE_HALVED, EMU_ONCE, EMU_FC_FLOAT_PRODUCT | EMU_S16_SHORT_SUMS | EMU_SOFTMAX16_WRAPS | EMU_W4_NIBBLES, EMU_LSTM_TFLM},
    {"cmsis-nn-mve-single", "CMSIS-NN 99f736a63036", "Arm CMSIS-NN, Helium build with single rounding", "cmsisnn_mve_single", MACS POOLS "ADD MUL SOFTMAX LOGISTIC TANH",
     EMU_MVE, EMU_MVE, EMU_WIDE_HALVED, EMU_WIDE_HALVED, EMU_MVE, EMU_FC_FLOAT_PRODUCT | EMU_W4_NIBBLES | EMU_HELIUM, EMU_LSTM_TFLM},
    {"esp-nn", "esp-nn d45b843ca5f8", "Espressif ESP-NN, ansi C and generic optimized kernels", "espnn",
     MACS POOLS "ADD MUL MEAN SOFTMAX LOGISTIC HARD_SWISH",
     EMU_TWICE, EMU_TWICE, EMU_WIDE, EMU_WIDE, EMU_TWICE, EMU_FC_FLOAT_PRODUCT | EMU_FLOAT_LUT, EMU_LSTM_TFLM},
    {"muriscv-nn", "muriscv-nn 4eb6a1f63274", "muRISCV-NN, scalar build", "muriscvnn", MACS POOLS "ADD MUL SOFTMAX LOGISTIC TANH",
     EMU_TWICE, EMU_TWICE, EMU_WIDE_HALVED, EMU_WIDE_HALVED, EMU_TWICE,
     EMU_FC_FLOAT_PRODUCT | EMU_FC_NO_WEIGHT_ZERO | EMU_S16_BIAS32_WIDE | EMU_SOFTMAX16_WRAPS | EMU_POOL_FIRST_IMAGE | EMU_W4_NIBBLES, EMU_LSTM_TFLM},
    {"tflm-rx", "tflite-micro of MLPerf Tiny 0.7", "TFLM on Renesas RX, whose compiler takes double for float32", NULL, MACS "ADD AVERAGE_POOL_2D SOFTMAX",
     EMU_TWICE, EMU_TWICE, EMU_WIDE, EMU_WIDE, EMU_TWICE, EMU_FLOAT_SCALE, EMU_LSTM_TFLM},
    {"x-cube-ai", "X-CUBE-AI 7.1.0 to 8.1.0", "STMicroelectronics X-CUBE-AI, as its published logs answer", NULL, MACS "ADD AVERAGE_POOL_2D SOFTMAX",
     EMU_ONCE, EMU_ONCE, EMU_WIDE, EMU_WIDE, EMU_ONCE, EMU_FLOAT_SCALE, EMU_LSTM_TFLM},
    {"plumerai", "Plumerai Inference Engine 2023.05", "Plumerai Inference Engine, as its published logs answer", NULL, MACS "ADD AVERAGE_POOL_2D SOFTMAX",
     EMU_ONCE, EMU_ONCE, EMU_WIDE, EMU_WIDE, EMU_ONCE, EMU_FLOAT_SCALE | EMU_ADD_Q16, EMU_LSTM_TFLM},
    {"microtvm-native", "microTVM of MLPerf Tiny 1.0 and 1.1, LEIP 1.9.3", "TVM's own schedules, as published logs answer", NULL, MACS "ADD AVERAGE_POOL_2D SOFTMAX",
     EMU_ONCE, EMU_ONCE, EMU_WIDE, EMU_WIDE, EMU_ONCE, EMU_FLOAT_PRODUCT | EMU_ADD_APART | EMU_POOL_TRUNC, EMU_LSTM_TFLM},
    {"tinyengine", "TinyEngine 47bb283ce9d7", "MIT TinyEngine, float requantization (Cortex-M4F)", "tinyengine", MACS POOLS "ADD",
     EMU_FLOAT_TRUNC, EMU_FLOAT_TRUNC, EMU_WIDE, EMU_WIDE, EMU_TWICE, EMU_FLOAT_ADD, EMU_LSTM_TFLM},
    {"cmix-nn", "CMix-NN a97415fd56bb", "CMix-NN, u8/u4/u2 with integer channel normalization (Cortex-M DSP)", "cmixnn", "CONV_2D DEPTHWISE_CONV_2D",
     EMU_FLOOR, EMU_FLOOR, EMU_WIDE, EMU_WIDE, EMU_TWICE, EMU_PAD_RAW_ZERO | EMU_CMIX, EMU_LSTM_TFLM},
    {"pulp-nn", "pulp-nn 288d06b7e36e", "PULP-NN, u8 x i8, shift and clip (XpulpV2)", "pulpnn", MACS POOLS,
     EMU_SHIFT, EMU_SHIFT, EMU_WIDE, EMU_WIDE, EMU_TWICE, EMU_SHORT_CUT | EMU_PULP_COLUMNS | EMU_POOL_TRUNC | EMU_POOL_WHOLE, EMU_LSTM_TFLM},
    {"pulp-nn-mixed", "pulp-nn-mixed b69ec23ec815", "PULP-NN mixed, u8..i2 x i8..i2, shift and clip (XpulpV2)", "pulpnn_mixed", MACS POOLS,
     EMU_SHIFT, EMU_SHIFT, EMU_WIDE, EMU_WIDE, EMU_TWICE, EMU_UNSIGNED_PAIRS | EMU_PULP_COLUMNS | EMU_PULP_MIXED | EMU_POOL_TRUNC | EMU_POOL_WHOLE, EMU_LSTM_TFLM},
    {"larq", "compute-engine e6860fcfda03", "Larq Compute Engine, binary reference kernel on a C++ host", "larq_ce", "CONV_2D MAX_POOL_2D",
     EMU_FLOAT_AWAY, EMU_FLOAT_AWAY, EMU_WIDE, EMU_WIDE, EMU_TWICE, 0, EMU_LSTM_TFLM},
    {"bitemu", "1", "bitemu's own arithmetic: every width and grid, one exact rounding, half up", NULL, NULL,
     EMU_ONCE, EMU_ONCE, EMU_EXACT, EMU_EXACT, EMU_ONCE, EMU_S16_BIAS32_WIDE | EMU_ANY_GRID, EMU_LSTM_TFLM},
};

const emu_profile *emu_profile_list(size_t *n)
{
    *n = sizeof profiles / sizeof *profiles;
    return profiles;
}

const emu_profile *emu_profile_find(const char *name)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        if (strcmp(profiles[i].name, name) == 0) return &profiles[i];
    }
    return NULL;
}

static bool listed(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += n) {
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || !at[n])) return true;
    }
    return false;
}

bool emu_profile_has(const emu_profile *p, const char *op)
{
    static const char moving[] = "ARG_MAX ASSIGN_VARIABLE CALL_ONCE CONCATENATION DEQUANTIZE PACK PAD QUANTIZE READ_VARIABLE RESHAPE SHAPE "
                                 "STRIDED_SLICE TILE TRANSPOSE VAR_HANDLE";
    return !p->operators || listed(moving, op) || listed(p->operators, op);
}

bool emu_profile_bias_first(const emu_profile *p)
{
    return listed("cmsis-nn cmsis-nn-single cmsis-nn-mve-single muriscv-nn tinyengine cmix-nn pulp-nn pulp-nn-mixed ruy xnnpack", p->name);
}

/* round half away from zero(v m 2^(s-31)), exact. |v| < 2^31, m < 2^31, s in [-31, 30]. */
static int32_t half_away(int64_t v, int32_t m, int s)
{
    int64_t p = v * m, shift = 31 - s, half = (int64_t)1 << (shift - 1);
    return quant_wrap32(p >= 0 ? (p + half) >> shift : -((-p + half) >> shift));
}

int32_t emu_requant32(emu_rule rule, int32_t acc, int32_t m, int s)
{
    switch (rule) {
    case EMU_ONCE: return quant_requant_once(acc, m, s);
    case EMU_UP: return quant_requant_up(acc, m, s);
    case EMU_MVE: return quant_requant_mve(acc, m, s);
    case EMU_MVE_REST: return quant_requant_mve_predicated(acc, m, s);
    case EMU_FLOOR: return quant_requant_floor(acc, m, s);
    case EMU_HALF_AWAY: case EMU_REAL: return half_away(acc, m, s);
    case EMU_RAW: case EMU_TWICE: case EMU_FLOAT_EVEN: case EMU_FLOAT_TRUNC: case EMU_FLOAT_AWAY: case EMU_SHIFT: case EMU_WIDE:
    case EMU_WIDE_HALVED: case EMU_EXACT: case EMU_ROUND_SHIFT: case EMU_THRESHOLD: break;
    }
    return quant_requant_twice(acc, m, s);
}

int32_t emu_requant64(emu_rule rule, int64_t acc, int32_t m, int s)
{
    if (rule == EMU_EXACT) return quant_requant_exact(acc, m, 0, 0, 0, s);
    return rule == EMU_WIDE_HALVED ? quant_requant_wide_halved(acc, m, s) : quant_requant_wide(acc, m, s);
}
