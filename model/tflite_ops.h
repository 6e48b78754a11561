/* SPDX-License-Identifier: Apache-2.0
 * model/tflite_ops.h - operators of a .tflite file: names and options. Inside model/ only. */
#ifndef BITEMU_MODEL_TFLITE_OPS_H
#define BITEMU_MODEL_TFLITE_OPS_H

#include "model/flatbuffer.h"
#include "model/graph.h"

const char *tflite_builtin_name(int32_t code); /* NULL = not in the schema known here */
model_opcode tflite_opcode(const char *name);  /* MODEL_UNSUPPORTED = none of ours */

/* Fills the attrs of operator c from its builtin_options table, or from the schema's defaults when present is false.
 * CALL_ONCE's init_subgraph and VAR_HANDLE's variable are left to the importer. */
status tflite_attrs(model_opcode c, const fb_table *options, bool present, model_attrs *a, err *e);

#endif
