/* SPDX-License-Identifier: Apache-2.0
 * pow2: sign and exponent. The top bit is the sign, the field f of the k - 1 bits below it means 0 (f = 0) or 2^(f-1); both zeros are 0.
 * k = 2 is ternary, k = 3 ADMM's {0, +-1, +-2, +-4}, k = 5 reaches 2^14, the last that fits int16. */
#include <stddef.h>

#include "quant/grids/rows.h"

static int32_t value(const quant_grid *g, int k, int code)
{
    int field = code & ((1 << (k - 1)) - 1);
    int32_t size = field ? (int32_t)1 << (field - 1) : 0;
    (void)g;
    return code >> (k - 1) ? -size : size;
}

static int shifts(const quant_grid *g, int k, int code) { return value(g, k, code) != 0; }

const quant_grid_row quant_grid_pow2 = {2, 5, NULL, quant_codes_unsigned, value, shifts};
