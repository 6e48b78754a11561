/* SPDX-License-Identifier: Apache-2.0
 * ternary2: {-Wn, 0, +Wp} of TTQ. Code +1 adds its input to one accumulator, code -1 to another; each has its own multiplier
 * (quant/exact.h), so the value here is only the code's sign. */
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

const quant_grid_row quant_grid_ternary2 = {2, 2, NULL, codes, value, shifts};
