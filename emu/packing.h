/* SPDX-License-Identifier: Apache-2.0
 * emu/packing.h - the order in which a profile's library keeps weights and activations; the recorded arrays *_packed prove it. */
#ifndef BITEMU_EMU_PACKING_H
#define BITEMU_EMU_PACKING_H

#include "emu/profile.h"
#include "model/graph.h"
#include "quant/pack.h"

typedef enum emu_role { EMU_WEIGHTS, EMU_ACTIVATIONS } emu_role;

/* Packing of one operand of an operator under p. bits: of its codes; other_bits: of the activations that meet those weights.
 * Rows and length as quant_order tells; where the order is FLAT any split serves. */
quant_packing emu_packing(const emu_profile *p, model_opcode code, emu_role role, int bits, int other_bits);
const char *emu_packing_text(const emu_profile *p); /* the same in words, one line */

#endif
