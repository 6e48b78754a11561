/* SPDX-License-Identifier: Apache-2.0
 * sim/record.h - a run as a trace (traces/trace.h). */
#ifndef BITEMU_SIM_RECORD_H
#define BITEMU_SIM_RECORD_H

#include "sim/evaluate.h"

typedef struct sim_record sim_record;
status sim_record_create(const sim_setup *s, const char *path, int64_t n_inputs, arena *a, sim_record **out, err *e);
sim_sink sim_record_sink(sim_record *r);
status sim_record_commit(sim_record *r, err *e); /* the file appears now, whole */
void sim_record_discard(sim_record *r);          /* NULL and after commit: harmless */

#endif
