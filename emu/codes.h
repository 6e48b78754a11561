/* SPDX-License-Identifier: Apache-2.0
 * emu/codes.h - which codes can a tensor hold? From the clamp of the operator that writes it, operator by operator: every code inside the
 * clamp counts as possible, whether or not some input of the network reaches it. */
#ifndef BITEMU_EMU_CODES_H
#define BITEMU_EMU_CODES_H

#include "emu/emu.h"

typedef struct emu_codes {
    int32_t low, high; /* both ends possible */
} emu_codes;

enum { EMU_MAX_CODES = 256, EMU_FREE = -1 }; /* 256 = two choices of 16 candidates */

/* Ranges of integer tensor t of subgraph 0, one for each way in which it can have been written, when choice c takes candidate taken[c]
 * or, EMU_FREE, any. taken: NULL without choices. *out holds EMU_MAX_CODES; *n >= 1.
 *   network input: the range of its `bits`   constant: its own values   streaming state and operators not listed: the type's range
 *   convolution, fully connected, ADD, MUL, QUANTIZE: out_min and out_max of every table entry that `taken` allows, or the fused
 *   activation on the output's scale   RESHAPE, TRANSPOSE, STRIDED_SLICE, TILE, pools: as their input   PAD: and the padding
 *   CONCATENATION, PACK: the hull of their inputs
 * ST_UNSUPPORTED, ST_NOMEM from the activation. */
status emu_codes_of(emu_session *s, int t, const int *taken, emu_codes *out, int *n, err *e);

/* Does `taken` allow entry of op's integer tables? An operator without tables has entry 0. */
bool emu_entry_allowed(const model_graph *g, const model_op *op, int entry, const int *taken);
/* Sets the choices that the entry is keyed by. */
void emu_entry_take(const model_graph *g, const model_op *op, int entry, int *taken);

/* The operator that writes t in subgraph 0; -1 = none. */
int emu_writer_of(const model_subgraph *sub, int t);

#endif
