/* SPDX-License-Identifier: Apache-2.0
 * sim/input.h - the data set of a run: network inputs, labels and names, streamed row by row from .npy / .npz. */
#ifndef BITEMU_SIM_INPUT_H
#define BITEMU_SIM_INPUT_H

#include "base/npy.h"
#include "model/graph.h"

typedef struct sim_input sim_input;

/* path: one array (.npy) for a network of one input, or an .npz with in0, in1 ... Leading axis = inputs; a row has the tensor's
 * shape, with or without its leading 1, or is flat with the right number of elements. Types must equal the tensors'.
 * labels: .npy (or .npz member labels) of integers, one a row, or NULL. names: text, one a line, or NULL. limit < 0 = all.
 * ST_FORMAT / ST_ARG say which array and what was expected. */
status sim_input_open(const model_graph *g, const char *path, const char *labels, const char *names, int64_t limit, arena *a,
                      sim_input **out, err *e);
int64_t sim_input_count(const sim_input *in);
size_t sim_input_row_bytes(const sim_input *in); /* of all network inputs, one after the other */
/* Next row; label -1 and name NULL when not given. name is valid for the run. */
status sim_input_next(sim_input *in, void *row, int64_t *label, const char **name, err *e);
void sim_input_close(sim_input **in);

#endif
