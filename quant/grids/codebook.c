/* SPDX-License-Identifier: Apache-2.0
 * codebook: the code is an index into the layer's table of values. */
#include <stddef.h>

#include "quant/grids/rows.h"

static int width(const quant_grid *g)
{
    int k = 0;
    while (1 << k < g->n_table) k++;
    return k;
}

static int32_t value(const quant_grid *g, int k, int code)
{
    (void)k;
    return g->table[code];
}

const quant_grid_row quant_grid_codebook = {1, 8, width, quant_codes_unsigned, value, NULL};
