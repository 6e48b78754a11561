/* SPDX-License-Identifier: Apache-2.0
 * affine: the code is the value; a zero point, if any, is subtracted by the layer. */
#include <stddef.h>

#include "quant/grids/rows.h"

static void codes(bool is_unsigned, int k, int *low, int *high)
{
    *low = is_unsigned ? 0 : -(1 << (k - 1));
    *high = is_unsigned ? (1 << k) - 1 : (1 << (k - 1)) - 1;
}

static int32_t value(const quant_grid *g, int k, int code)
{
    (void)g;
    (void)k;
    return code;
}

const quant_grid_row quant_grid_affine = {1, 16, NULL, codes, value, NULL};
