/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/profile.h"

#include <string.h>

static const emu_profile profiles[] = {
    {"tflm", "tflite-micro 0.dev20261023", "TensorFlow Lite Micro, reference kernels", EMU_FC_TFLM, EMU_LSTM_TFLM},
    {"litert-ref", "ai-edge-litert 2.3.0", "LiteRT (TensorFlow Lite), reference resolver", EMU_FC_LITERT_REF, EMU_LSTM_LITERT_REF},
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
