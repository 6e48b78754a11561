/* SPDX-License-Identifier: Apache-2.0
 * ternary: -1, 0, 1 under one scale (TWN, ADMM's smallest set). Two bits a code. */
#include <stddef.h>

#include "quant/grids/rows.h"

static void codes(bool is_unsigned, int k, int *low, int *high)
{
    (void)is_unsigned;
    (void)k;
    *low = -1;
    *high = 1;
}

static int32_t value(const quant_grid *g, int k, int code)
{
    (void)g;
    (void)k;
    return code;
}

static int shifts(const quant_grid *g, int k, int code)
{
    (void)g;
    (void)k;
    return code != 0;
}

const quant_grid_row quant_grid_ternary = {2, 2, NULL, codes, value, shifts};
