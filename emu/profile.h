/* SPDX-License-Identifier: Apache-2.0
 * emu/profile.h - whose bits: a named, versioned row of arithmetic rules. Rules are data; kernels read them. */
#ifndef BITEMU_EMU_PROFILE_H
#define BITEMU_EMU_PROFILE_H

#include <stddef.h>

/* FULLY_CONNECTED, the operator where the two TFLite engines differ. */
typedef enum emu_fc_rule {
    EMU_FC_TFLM,       /* Q31 multiplier from float32(s_in * s_w), double rounding; int16: reduced multiplier */
    EMU_FC_LITERT_REF  /* round half away from zero(double(acc) * double scale); int16: full 31-bit multiplier */
} emu_fc_rule;

/* UNIDIRECTIONAL_SEQUENCE_LSTM: gates by table (TFLM) or by gemmlowp's 16-bit fixed point (LiteRT); see emu/ref/lstm.c. */
typedef enum emu_lstm_rule { EMU_LSTM_TFLM, EMU_LSTM_LITERT_REF } emu_lstm_rule;

typedef struct emu_profile {
    const char *name;    /* "tflm", "litert-ref" */
    const char *version; /* release whose output the tests compare with */
    const char *source;  /* library, in words */
    emu_fc_rule fc;
    emu_lstm_rule lstm;
} emu_profile;

const emu_profile *emu_profile_find(const char *name); /* NULL = no such profile */
const emu_profile *emu_profile_list(size_t *n);

#endif
