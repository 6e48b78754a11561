/* SPDX-License-Identifier: Apache-2.0
 * Convolution of binary inputs, fully connected layers too: codes 0, 1 become the lanes -1, +1, with which the row multiplies weights of -1, +1 as any others. */
#include "device/device.h"

static void bytes(const uint8_t *codes, uint32_t n, int16_t lane_zero, void *lanes)
{
    int8_t *to = lanes;
    (void)lane_zero;
    for (; n; n--) *to++ = (int8_t)(2 * *codes++ - 1);
}

static void words(const uint8_t *codes, uint32_t n, int16_t lane_zero, void *lanes)
{
    int16_t *to = lanes;
    (void)lane_zero;
    for (; n; n--) *to++ = (int16_t)(2 * *codes++ - 1);
}

void dev_conv_binary(const dev_layer *l, const dev_run *r) { dev_conv_by(l, r, r->kernels->lane_bytes == 2 ? words : bytes); }
