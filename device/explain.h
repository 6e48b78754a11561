/* SPDX-License-Identifier: Apache-2.0
 * device/explain.h - known answers: where a layer's codes first leave the expected ones, said on the board itself. */
#ifndef BITEMU_DEVICE_EXPLAIN_H
#define BITEMU_DEVICE_EXPLAIN_H

#include "device/device.h"

/* Compares out, the codes of layer l for one input, with the known ones. true: equal; else a line
 *   MISMATCH input 0, layer 3 CONV_2D (stem) at [0,4,7,12]: got -3, expected -4; 17 of 4096 codes differ, by 2 at most
 * goes to the log's channel. */
bool dev_explain(const struct bitemu_log *log, int32_t input, const dev_layer *l, const void *out, const DEV_FLASH uint8_t *known);

#endif
