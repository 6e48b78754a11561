/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/packing.h"

#include <string.h>

/* Profiles that are not listed keep everything FLAT. */
static const struct {
    const char *profile;
    quant_order weights, depthwise_weights, activations, depthwise_activations;
    bool inverted;
    const char *text;
} rows[] = {
    {"cmix-nn", QUANT_LANES, QUANT_FLAT, QUANT_FLAT, QUANT_FLAT, false, "low bits first; convolution weights shuffled to the lanes that activations expand to"},
    {"pulp-nn", QUANT_FLAT, QUANT_PLANES, QUANT_FLAT, QUANT_PLANES, false, "low bits first; depthwise in channel planes"},
    {"pulp-nn-mixed", QUANT_FLAT, QUANT_PLANES, QUANT_FLAT, QUANT_PLANES, false, "low bits first; depthwise in planes of the channels that share a byte"},
    {"larq", QUANT_WORDS, QUANT_WORDS, QUANT_WORDS, QUANT_WORDS, true, "32 channels a word, first channel in bit 0, bit 1 = -1, rows padded with 0"},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

quant_packing emu_packing(const emu_profile *p, model_opcode code, emu_role role, int bits, int other_bits)
{
    bool dw = code == MODEL_DEPTHWISE_CONV_2D;
    quant_packing q = {QUANT_FLAT, bits, other_bits, false};
    for (int i = 0; i < N_ROWS; i++) {
        if (strcmp(rows[i].profile, p->name) != 0) continue;
        if (role == EMU_WEIGHTS) q.order = dw ? rows[i].depthwise_weights : rows[i].weights;
        if (role == EMU_ACTIVATIONS) q.order = dw ? rows[i].depthwise_activations : rows[i].activations;
        q.inverted = rows[i].inverted;
    }
    return q;
}

const char *emu_packing_text(const emu_profile *p)
{
    for (int i = 0; i < N_ROWS; i++) {
        if (strcmp(rows[i].profile, p->name) == 0) return rows[i].text;
    }
    return "low bits first, rows not aligned";
}
