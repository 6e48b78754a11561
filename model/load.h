/* SPDX-License-Identifier: Apache-2.0
 * model/load.h - files to graphs. */
#ifndef BITEMU_MODEL_LOAD_H
#define BITEMU_MODEL_LOAD_H

#include "model/graph.h"

/* Reads a .tflite flatbuffer (identifier "TFL3") or a native model (zip with model.yaml), told apart by content, into a.
 * Every offset is verified before use; sizes are bounded by the file's own length. Unsupported operators are kept as
 * MODEL_UNSUPPORTED so that inspect can list them all; run model_check before executing.
 * ST_FORMAT: corrupt (where = byte offset or model.yaml:line:column). ST_UNSUPPORTED: legal but beyond the graph (dynamic
 * shapes, types). ST_IO, ST_NOMEM. */
status model_load(const char *path, arena *a, model_graph **out, err *e);
status model_load_tflite(const uint8_t *bytes, size_t len, arena *a, model_graph **out, err *e);
status model_load_native(const uint8_t *bytes, size_t len, arena *a, model_graph **out, err *e);

/* Everything an executor relies on: tensor indices, operand counts, types and shapes per operator, tables' ranges, choices.
 * ST_UNSUPPORTED names every unsupported operator at once; ST_FORMAT the first broken rule with its op. */
status model_check(const model_graph *g, err *e);

/* Writes g as a native model (.bitemu); a reader gets back a graph that computes the same bits. */
status model_save_native(const model_graph *g, const char *path, err *e);

#endif
