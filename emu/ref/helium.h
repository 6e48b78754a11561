/* SPDX-License-Identifier: Apache-2.0
 * emu/ref/helium.h - which pixels CMSIS-NN's Helium convolutions compute apart from the others, and how; see helium.c. Only under EMU_HELIUM. */
#ifndef BITEMU_EMU_REF_HELIUM_H
#define BITEMU_EMU_REF_HELIUM_H

#include "emu/ref/mac.h"

/* 4-bit weights: does pixel (oy, ox) take the predicated rounding (EMU_MVE_REST)? */
bool emu_helium_rest(const emu_window *w, int oy, int ox);
/* Called with the receptive field of output column ox in m->column: drops what the row kernel does not read. true: the row kernel reads
 * the weights elsewhere, and the pixel's codes are already written to elements at, at + 1 ... of out. */
bool emu_helium_row(const emu_node *n, const emu_window *w, const emu_mac *m, int ox, void *out, size_t at, emu_events *ev);

#endif
