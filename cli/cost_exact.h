/* SPDX-License-Identifier: Apache-2.0
 * cli/cost_exact.h - cycles of a network's layers by running its exported program in the instruction-set simulator (hwmodels/iss/iss.h). */
#ifndef BITEMU_CLI_COST_EXACT_H
#define BITEMU_CLI_COST_EXACT_H

#include "hwmodels/hw.h"

/* Exports the network for board CORE-iss, builds it with that board's compiler and runs it, once for every width (all choices at their first candidate,
 * at their second ...) and once for policy if it is given; t's cycles become what the layers took, error 0. input: .npy, of which the first row is run;
 * NULL: codes drawn by a fixed seed. ST_UNSUPPORTED: no simulator of that core, no compiler, or a network that the board's kernels lack. */
status cost_exact(const char *path, const model_graph *g, const hw_board *board, const char *policy, const char *input, hw_table *t, arena *a, err *e);

#endif
