/* SPDX-License-Identifier: Apache-2.0
 * device/kernels/rows.h - the kernel rows that exist. The planner reads the same numbers as the kernels: a layer's scratch is
 *   convolution  pixels * padded(depth) * lane_bytes + 4 * out_c * pixels
 *   depthwise    padded(taps * in_c) * lane_bytes + 4 * out_c, + taps * out_c unless weights are 8-bit numbers as they lie
 * A new row: its numbers here, device/kernels/NAME.c, and `kernels: NAME` in the boards that have the instructions. */
#ifndef BITEMU_DEVICE_KERNELS_ROWS_H
#define BITEMU_DEVICE_KERNELS_ROWS_H

#include "device/device.h"

/* X(name, pixels, lane_bytes, lanes, order) */
#define DEV_ROWS(X) X(portable, 2, 1, 4, DEV_FLAT) X(armv7em, 2, 2, 32, DEV_PAIRS)

#define DEV_ROW_NUMBERS(NAME, PIXELS, BYTES, LANES, ORDER) enum { NAME##_pixels = PIXELS, NAME##_bytes = BYTES, NAME##_lanes = LANES, NAME##_order = ORDER };
DEV_ROWS(DEV_ROW_NUMBERS) /* portable_pixels ... */

#endif
