/* SPDX-License-Identifier: Apache-2.0
 * sim/dump.h - a run as arrays, row by row into an .npz:
 *   out0, out1 ...   [inputs, shape...]   the network's outputs
 *   crc              [inputs, ops] uint32 zlib CRC-32 of each operator's output bytes, in execution order
 *   crc_op, crc_tensor [ops] int32        operator and tensor index behind each column
 *   decisions        [inputs, choices] int32, dynamic models only
 *   t<op>            [inputs, shape...]   with keep_tensors: every operator's output */
#ifndef BITEMU_SIM_DUMP_H
#define BITEMU_SIM_DUMP_H

#include "sim/evaluate.h"

typedef struct sim_dump sim_dump;
status sim_dump_create(const sim_setup *s, const char *path, arena *a, sim_dump **out, err *e);
sim_sink sim_dump_sink(sim_dump *d);
status sim_dump_commit(sim_dump *d, err *e); /* the file appears now, whole */
void sim_dump_discard(sim_dump *d);          /* NULL and after commit: harmless */

#endif
