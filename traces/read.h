/* SPDX-License-Identifier: Apache-2.0
 * traces/read.h - records out of a trace, a board's log or a dump, told apart by content; gzip is seen through.
 *   trace    JSON Lines (traces/trace.h); boot noise, prefixes, ANSI colours and cut lines are skipped and counted
 *   log      EEMBC EnergyRunner / MLPerf Tiny accuracy log: one TRACE_OUTPUT record per m-results line, named after the loaded file
 *   checksums  TFLM's generic benchmark: one TRACE_OUTPUT record per inference, named "crc " and the input's checksum in hex
 *   dump     .npz with out0, crc [inputs, ops], crc_op (bitemu run --dump)
 * Streaming: memory is one record. */
#ifndef BITEMU_TRACES_READ_H
#define BITEMU_TRACES_READ_H

#include "base/status.h"
#include "traces/trace.h"

typedef enum trace_kind { TRACE_KIND_JSON, TRACE_KIND_LOG, TRACE_KIND_CRC, TRACE_KIND_DUMP } trace_kind;

typedef struct trace_skips { /* what was not understood */
    int64_t lines;
    int64_t first_line;      /* of the first one skipped; 0 = none */
    char reason[160];        /* of the first one */
} trace_skips;

typedef struct trace_reader trace_reader;
/* ST_IO: cannot be opened. ST_FORMAT: none of these, or empty. */
status trace_open(const char *path, trace_reader **out, err *e);
/* Next record, borrowed until the next call. *end = true after the last. ST_FORMAT: a damaged archive or gzip stream. */
status trace_next(trace_reader *r, trace_record *rec, bool *end, err *e);
trace_kind trace_reader_kind(const trace_reader *r);
/* What the header said; fields not stated are NULL / false / -1. Valid after the first trace_next. */
const trace_header *trace_reader_header(const trace_reader *r);
const trace_skips *trace_reader_skips(const trace_reader *r);
void trace_close(trace_reader **r);

#endif
