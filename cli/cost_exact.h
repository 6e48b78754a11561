/* SPDX-License-Identifier: Apache-2.0
 * cli/cost_exact.h - cycles of a network's layers by running its exported program in the instruction-set simulator (hwmodels/iss/iss.h). */
#ifndef BITEMU_CLI_COST_EXACT_H
#define BITEMU_CLI_COST_EXACT_H

#include "hwmodels/hw.h"

/* Exports the network for board CORE-iss, builds it with that board's compiler and runs it, once for every width (all choices at their first candidate,
 * at their second ...) and once for policy if it is given; t's cycles become what the layers took, error 0. input: .npy, of which the first row is run;
 * NULL: codes drawn by a fixed seed. fetch_wait, data_wait: wait states of instruction and data memory, 0 to 15. ST_UNSUPPORTED: no simulator of that core, no compiler, or a network that the board's kernels lack. */
typedef struct cost_exact_config {
    const char *path, *policy, *input;
    int64_t fetch_wait, data_wait;
} cost_exact_config;
status cost_exact(const cost_exact_config *c, const model_graph *g, const hw_board *board, hw_table *t, arena *a, err *e);

#endif
