/* SPDX-License-Identifier: Apache-2.0
 * emu/ref/pulp.h - PULP-NN's own ways through memory; see pulp.c. Only under profiles with EMU_PULP_COLUMNS or EMU_PULP_MIXED. */
#ifndef BITEMU_EMU_REF_PULP_H
#define BITEMU_EMU_REF_PULP_H

#include "emu/ref/mac.h"

typedef struct emu_pulp_column { /* of a depthwise output column: taps [first, end) read x0 + tap, the others are 0 */
    int x0, first, end;
} emu_pulp_column;

emu_pulp_column emu_pulp_column_at(const emu_node *n, const emu_window *w, int ox);
/* Code `at` places after the first of channel c's plane, beyond its end too. */
int32_t emu_pulp_plane(const emu_node *n, const emu_window *w, int c, int at);
status emu_pulp_bias(emu_node *n, emu_mac *m, err *e);                                /* rewrites m->bias */
void emu_pulp_linear_rows(const emu_node *n, const emu_mac *m, int16_t *lanes);       /* rewrites unpacked weights */
void emu_pulp_pointwise_rest(const emu_node *n, const emu_window *w, int oy, int ox, int16_t *lanes); /* op->packed_input is known */
/* A multiplier that another library's model states, m 2^(s-31), as kappa / 2^d, exactly; inputs are at most x away from their zero. Models made
 * for PULP-NN state kappa and -d themselves. ST_UNSUPPORTED: the product with the largest sum does not fit 32 bits, and by how much. */
status emu_pulp_multiplier(const emu_node *n, emu_mac *m, int64_t x, err *e);

#endif
