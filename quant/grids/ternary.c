/* SPDX-License-Identifier: Apache-2.0
 * ternary: -1, 0, 1 under one scale (TWN, ADMM's smallest set). Two bits a code. */
#include <stddef.h>

#include "quant/grids/rows.h"

const quant_grid_row quant_grid_ternary = {2, 2, NULL, quant_codes_sign, quant_value_sign, quant_shifts_sign};
