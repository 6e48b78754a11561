/* SPDX-License-Identifier: Apache-2.0
 * apot: additive powers of two. The top bit is the sign; the bits below it split into fields, lowest first, each an index into its own
 * table of 0 and powers of two; the size is the sum of what the fields name. */
#include <stddef.h>

#include "quant/grids/rows.h"

static int width(const quant_grid *g)
{
    int k = 1;
    for (int i = 0; i < g->n_terms; i++) k += g->term_bits[i];
    return k;
}

/* Sum of the named terms; *terms = how many are not 0. */
static int32_t size_of(const quant_grid *g, int code, int *terms)
{
    const int16_t *table = g->table;
    int32_t size = 0;
    *terms = 0;
    for (int i = 0; i < g->n_terms; i++) {
        int n = 1 << g->term_bits[i], term = table[code & (n - 1)];
        size += term;
        *terms += term != 0;
        table += n;
        code >>= g->term_bits[i];
    }
    return size;
}

static int32_t value(const quant_grid *g, int k, int code)
{
    int terms;
    int32_t size = size_of(g, code, &terms);
    return code >> (k - 1) ? -size : size;
}

static int shifts(const quant_grid *g, int k, int code)
{
    int terms;
    (void)k;
    (void)size_of(g, code, &terms);
    return terms;
}

const quant_grid_row quant_grid_apot = {2, 8, width, quant_codes_unsigned, value, shifts};
