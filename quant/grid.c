/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/grid.h"

#include <stddef.h>

#include "quant/grids/rows.h"

static const quant_grid_row *const rows[QUANT_N_GRIDS] = {
    [QUANT_AFFINE] = &quant_grid_affine, [QUANT_ODD] = &quant_grid_odd, [QUANT_BINARY] = &quant_grid_binary, [QUANT_TERNARY] = &quant_grid_ternary,
    [QUANT_TERNARY2] = &quant_grid_ternary2, [QUANT_POW2] = &quant_grid_pow2, [QUANT_APOT] = &quant_grid_apot, [QUANT_CODEBOOK] = &quant_grid_codebook,
};

const char *const quant_grid_names[] = {"affine", "odd", "binary", "ternary", "ternary2", "pow2", "apot", "codebook", NULL};
_Static_assert(sizeof quant_grid_names / sizeof *quant_grid_names == QUANT_N_GRIDS + 1, "one name a grid");

void quant_grid_widths(const quant_grid *g, int *least, int *most)
{
    const quant_grid_row *r = rows[g->kind];
    *least = r->width ? r->width(g) : r->least;
    *most = r->width ? r->width(g) : r->most;
}

void quant_grid_codes(const quant_grid *g, bool is_unsigned, int k, int *low, int *high) { rows[g->kind]->codes(is_unsigned, k, low, high); }

int32_t quant_grid_value(const quant_grid *g, int k, int code) { return rows[g->kind]->value(g, k, code); }

int quant_grid_shifts(const quant_grid *g, int k, int code) { return rows[g->kind]->shifts ? rows[g->kind]->shifts(g, k, code) : -1; }
