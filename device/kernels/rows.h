/* SPDX-License-Identifier: Apache-2.0
 * device/kernels/rows.h - the kernel rows that exist. The planner reads the same numbers as the kernels: a layer's scratch is
 *   convolution  pixels * padded(depth) * lane_bytes + 4 * out_c * pixels;  depthwise  padded(taps * in_c) * lane_bytes + 4 * out_c
 * A new row: its two numbers here, DEV_ROWS, device/kernels/NAME.c, and `kernels: NAME` in the boards that have the instructions. */
#ifndef BITEMU_DEVICE_KERNELS_ROWS_H
#define BITEMU_DEVICE_KERNELS_ROWS_H

#include "device/device.h"

enum { DEV_PORTABLE_PIXELS = 2, DEV_PORTABLE_LANE_BYTES = 1 };

/* X(name, pixels, lane_bytes) */
#define DEV_ROWS(X) X(portable, DEV_PORTABLE_PIXELS, DEV_PORTABLE_LANE_BYTES)

#endif
