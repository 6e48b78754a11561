/* SPDX-License-Identifier: Apache-2.0
 * binary: one bit, 0 = -1, 1 = +1. (Larq packs the other way round: its bit 1 is -1.) */
#include <stddef.h>

#include "quant/grids/rows.h"

static int32_t value(const quant_grid *g, int k, int code)
{
    (void)g;
    (void)k;
    return code ? 1 : -1;
}

static int shifts(const quant_grid *g, int k, int code)
{
    (void)g;
    (void)k;
    (void)code;
    return 1;
}

const quant_grid_row quant_grid_binary = {1, 1, NULL, quant_codes_unsigned, value, shifts};

static int ones(uint32_t x)
{
    x -= x >> 1 & 0x55555555u;
    x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
    x = (x + (x >> 4)) & 0x0F0F0F0Fu;
    return (int)(x * 0x01010101u >> 24);
}

int32_t quant_xnor_dot(const uint32_t *a, const uint32_t *mask, const uint32_t *b, int words)
{
    int32_t sum = 0;
    for (int i = 0; i < words; i++) sum += ones(mask[i]) - 2 * ones((a[i] ^ b[i]) & mask[i]);
    return sum;
}
