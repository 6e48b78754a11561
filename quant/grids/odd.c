/* SPDX-License-Identifier: Apache-2.0
 * odd: DoReFa's weights (2 q - N) / N, N = 2^k - 1, without the division: odd integers, symmetric, no zero. A board keeps q in k bits and
 * corrects the sum (quant_odd_sum); 2 q - N itself needs k + 1 signed bits. */
#include <stddef.h>

#include "quant/grids/rows.h"

static int32_t value(const quant_grid *g, int k, int code)
{
    (void)g;
    return 2 * code - ((1 << k) - 1);
}

const quant_grid_row quant_grid_odd = {1, 8, NULL, quant_codes_unsigned, value, NULL};
