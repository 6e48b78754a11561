/* SPDX-License-Identifier: Apache-2.0
 * emu/emu.h - executes a checked graph, operator by operator, in integers.
 *   session = the graph's tensors in memory + every operator prepared for one profile.
 * Sessions share nothing but the graph (read only): one per thread. */
#ifndef BITEMU_EMU_EMU_H
#define BITEMU_EMU_EMU_H

#include "emu/events.h"
#include "emu/profile.h"
#include "model/graph.h"

typedef struct emu_session emu_session;

/* g must have passed model_check and outlive the session, which lives in a.
 * ST_UNSUPPORTED lists every operator/type the profile has no rule for, at once. */
status emu_session_create(const model_graph *g, const emu_profile *p, arena *a, emu_session **out, err *e);

/* The same with one accumulator for every convolution and fully connected layer, whatever the file says (see emu/ref/mac.h);
 * NULL or bits 0 = as above. bits: 2..32 or 64. Files and users get 8 and more; fewer let a test try every input. ST_ARG: other widths. */
status emu_session_create_as(const model_graph *g, const emu_profile *p, const model_accumulator *accumulator, arena *a, emu_session **out,
                             err *e);

/* Starts streaming state afresh: variables from CALL_ONCE run again, LSTM/SVDF state zeroed. Done once by create. */
status emu_session_reset(emu_session *s, err *e);

/* Bytes of tensor t of subgraph 0 (unpacked elements); inputs are written through it before emu_run_op. */
void *emu_tensor_data(emu_session *s, int tensor);

/* Runs op (index in subgraph 0). candidate[c] = candidate taken by choice c, for every choice of the graph that op's tables or
 * weights are keyed by; NULL when the graph has no choices. Adds to *ev (never NULL).
 * ST_ARG: candidate out of range. Otherwise total. */
status emu_run_op(emu_session *s, int op, const int *candidate, emu_events *ev, err *e);

/* Does op produce bytes that a trace should checksum? False for CALL_ONCE, VAR_HANDLE, ASSIGN_VARIABLE. */
bool emu_op_has_output(const model_op *op);

#endif
