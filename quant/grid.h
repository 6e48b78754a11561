/* SPDX-License-Identifier: Apache-2.0
 * quant/grid.h - from a weight's code to the integer that it means. One row a grid; k is the width of a code in bits.
 *
 *   grid      code                          value                                             source
 *   affine    any k bits, two's complement  code                                              (a zero point is the layer's)
 *             or unsigned, k 1..16
 *   odd       0 .. 2^k-1, k 1..8            2 code - (2^k - 1)                                DoReFa-Net (Zhou et al. 2016, eq. 9), AdaBits
 *                                                                                             "centered" (Jin et al. 2020)
 *   binary    0, 1                          -1, +1                                            XNOR-Net (Rastegari et al. 2016)
 *   ternary   -1, 0, 1                      code                                              TWN (Li et al. 2016), ADMM (Leng et al. 2018)
 *   ternary2  -1, 0, 1                      code; positive and negative sums are kept apart   TTQ (Zhu et al. 2017)
 *   pow2      sign bit k-1, field f below   f = 0: 0, else +-2^(f-1), k 2..5                  INQ; Uhlich et al. 2020 (power of two); ADMM at k = 3
 *   apot      sign bit k-1, n fields below  +- sum of table_i[field_i], each 0 or 2^e, k 2..8 APoT (Li et al. 2020, eq. 3)
 *   codebook  0 .. 2^k-1, k 1..8            table[code]                                       Deep Compression (Han et al. 2016, sec. 3)
 *
 * Every value fits int16. Freestanding, total for codes in range. */
#ifndef BITEMU_QUANT_GRID_H
#define BITEMU_QUANT_GRID_H

#include <stdbool.h>
#include <stdint.h>

typedef enum quant_grid_kind {
    QUANT_AFFINE, QUANT_ODD, QUANT_BINARY, QUANT_TERNARY, QUANT_TERNARY2, QUANT_POW2, QUANT_APOT, QUANT_CODEBOOK, QUANT_N_GRIDS
} quant_grid_kind;

enum { QUANT_MAX_TERMS = 7, QUANT_MAX_TABLE = 256 };

typedef struct quant_grid {
    quant_grid_kind kind;
    int n_terms;                    /* apot: 1..7 */
    int term_bits[QUANT_MAX_TERMS]; /* apot: width of field i, low fields first; 1 + their sum = k */
    int n_table;                    /* codebook: 2^k; apot: sum of 2^term_bits[i]; else 0 */
    const int16_t *table;           /* codebook: the values; apot: the fields' tables one after another */
} quant_grid;

extern const char *const quant_grid_names[]; /* by quant_grid_kind, NULL-terminated */

/* Widths that a code may have. apot and codebook: as its table says. */
void quant_grid_widths(const quant_grid *g, int *least, int *most);
/* Smallest and largest code of width k; is_unsigned: how affine codes are stored. */
void quant_grid_codes(const quant_grid *g, bool is_unsigned, int k, int *low, int *high);
int32_t quant_grid_value(const quant_grid *g, int k, int code);
/* Shift-and-adds that the product x * value takes: 0 for a zero weight; -1 = it takes a multiplication. */
int quant_grid_shifts(const quant_grid *g, int k, int code);

/* The odd grid's sum correction: sum of x (2 q - (2^k - 1)) from sum of x q and sum of x. */
static inline int64_t quant_odd_sum(int64_t sum_xq, int64_t sum_x, int k) { return 2 * sum_xq - (((int64_t)1 << k) - 1) * sum_x; }

/* Dot product of +-1 vectors by XNOR and popcount: bit 1 = +1, mask = elements that count; sum over words of
 * popcount(mask) - 2 popcount((a xor b) and mask). */
int32_t quant_xnor_dot(const uint32_t *a, const uint32_t *mask, const uint32_t *b, int words);

#endif
