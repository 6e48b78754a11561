/* SPDX-License-Identifier: Apache-2.0
 * ternary2: {-Wn, 0, +Wp} of TTQ. Code +1 adds its input to one accumulator, code -1 to another; each has its own multiplier
 * (quant/exact.h), so the value here is only the code's sign. */
#include <stddef.h>

#include "quant/grids/rows.h"

const quant_grid_row quant_grid_ternary2 = {2, 2, NULL, quant_codes_sign, quant_value_sign, quant_shifts_sign};
