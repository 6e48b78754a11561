/* SPDX-License-Identifier: Apache-2.0
 * quant/grids/rows.h - one row a grid (quant/grid.h); inside quant/ only. */
#ifndef BITEMU_QUANT_GRIDS_ROWS_H
#define BITEMU_QUANT_GRIDS_ROWS_H

#include "quant/grid.h"

typedef struct quant_grid_row {
    int least, most; /* widths */
    int (*width)(const quant_grid *g); /* that the table gives; NULL = any in [least, most] */
    void (*codes)(bool is_unsigned, int k, int *low, int *high);
    int32_t (*value)(const quant_grid *g, int k, int code);
    int (*shifts)(const quant_grid *g, int k, int code); /* NULL = a multiplication */
} quant_grid_row;

extern const quant_grid_row quant_grid_affine, quant_grid_odd, quant_grid_binary, quant_grid_ternary, quant_grid_ternary2, quant_grid_pow2,
    quant_grid_apot, quant_grid_codebook;

/* -1, 0, 1, each its own number; what the two ternary grids share. */
static inline void quant_codes_sign(bool is_unsigned, int k, int *low, int *high)
{
    (void)is_unsigned;
    (void)k;
    *low = -1;
    *high = 1;
}

static inline int32_t quant_value_sign(const quant_grid *g, int k, int code)
{
    (void)g;
    (void)k;
    return code;
}

static inline int quant_shifts_sign(const quant_grid *g, int k, int code)
{
    (void)g;
    (void)k;
    return code != 0;
}

/* 0 .. 2^k-1 */
static inline void quant_codes_unsigned(bool is_unsigned, int k, int *low, int *high)
{
    (void)is_unsigned;
    *low = 0;
    *high = (1 << k) - 1;
}

#endif
