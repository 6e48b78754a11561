/* SPDX-License-Identifier: Apache-2.0
 * device/kernels/rows.h - the kernel rows that exist. The planner reads the same numbers as the kernels: a layer's scratch is
 *   convolution  pixels * padded(depth) * lane_bytes + 4 * out_c * pixels, + unpacks * (depth padded to DEV_UNPACKED)
 *   depthwise    device/depthwise.h, for all rows alike
 * A new row: its numbers here, device/kernels/NAME.c, and `kernels: NAME` in the boards that have the instructions. */
#ifndef BITEMU_DEVICE_KERNELS_ROWS_H
#define BITEMU_DEVICE_KERNELS_ROWS_H

#include "device/device.h"

/* X(name, pixels, lane_bytes, lanes, order, unpacks) */
#define DEV_ROWS(X) X(portable, 2, 1, 4, DEV_FLAT, 0) X(armv7em, 2, 2, 32, DEV_PAIRS, 0) X(rv32, 4, 1, 4, DEV_QUADS, 4) X(xpulp, 4, 1, 4, DEV_QUADS, 4) X(mve, 4, 1, 4, DEV_QUADS, 4) X(avr, 2, 1, 4, DEV_FLAT, 0)

#define DEV_ROW_NUMBERS(NAME, PIXELS, BYTES, LANES, ORDER, UNPACKS) \
    enum { NAME##_pixels = PIXELS, NAME##_bytes = BYTES, NAME##_lanes = LANES, NAME##_order = ORDER, NAME##_unpacks = UNPACKS };
DEV_ROWS(DEV_ROW_NUMBERS) /* portable_pixels ... */

#endif
