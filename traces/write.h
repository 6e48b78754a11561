/* SPDX-License-Identifier: Apache-2.0
 * traces/write.h - writes a trace (traces/trace.h), record by record, constant memory. Same records, same bytes. */
#ifndef BITEMU_TRACES_WRITE_H
#define BITEMU_TRACES_WRITE_H

#include "base/status.h"
#include "traces/trace.h"

typedef struct trace_writer trace_writer;

/* The file appears under path when trace_writer_commit succeeds, and not before. */
status trace_writer_create(const char *path, trace_writer **out, err *e);
status trace_write_header(trace_writer *w, const trace_header *h, err *e);
status trace_write_record(trace_writer *w, const trace_record *r, err *e);
status trace_writer_commit(trace_writer **w, err *e); /* destroys w in any case */
void trace_writer_discard(trace_writer **w);

#endif
