/* SPDX-License-Identifier: Apache-2.0
 * emu/ref/float32.h - float32 layers exactly as TFLite's reference kernels order them: one rounding per operation, no contraction. */
#ifndef BITEMU_EMU_REF_FLOAT32_H
#define BITEMU_EMU_REF_FLOAT32_H

#include "emu/ref/common.h"

status emu_float32_check(const emu_node *n, err *e); /* all operands float32, weights constant */
void emu_float32_conv(const emu_node *n, const emu_window *w, int groups, emu_events *ev);
void emu_float32_depthwise(const emu_node *n, const emu_window *w, emu_events *ev);
void emu_float32_fully_connected(const emu_node *n, int rows, emu_events *ev);

#endif
