/* SPDX-License-Identifier: Apache-2.0
 * traces/source.h - what the three kinds of input share. Inside traces/ only. */
#ifndef BITEMU_TRACES_SOURCE_H
#define BITEMU_TRACES_SOURCE_H

#include "base/npy.h"
#include "traces/lines.h"
#include "traces/read.h"

enum { SOURCE_MAX_NAME = 512 };

typedef struct source_format {
    const char *name;
    bool (*probe)(const char *text); /* does a file that begins with this text look like it? */
    status (*next)(trace_reader *r, trace_record *rec, bool *end, err *e);
} source_format;

struct trace_reader {
    const source_format *format;
    trace_kind kind;
    char path[512];
    lines in;                        /* of texts */
    trace_header header;
    char text[6][SOURCE_MAX_NAME];   /* behind the header's pointers */
    trace_skips skips;
    char name[SOURCE_MAX_NAME], layer_name[SOURCE_MAX_NAME], op[64]; /* behind the record's pointers */
    int64_t *codes;
    size_t codes_room;
    int *decisions;
    size_t decisions_room;
    int64_t records;                 /* delivered so far */
    /* dumps */
    npy_reader *out0, *crc;
    int32_t *crc_op;
    size_t n_ops;
    int64_t row, rows;
    size_t column;
    void *out_row, *crc_row;
    arena *arena;
};

/* Counts the current line as not understood. */
void source_skip(trace_reader *r, const char *reason);
/* Room for n codes / decisions; false = out of memory. */
bool source_codes(trace_reader *r, size_t n);
bool source_decisions(trace_reader *r, size_t n);

extern const source_format source_benchmark, source_energyrunner, source_json;
status source_dump_open(trace_reader *r, err *e);
status source_dump_next(trace_reader *r, trace_record *rec, bool *end, err *e);

#endif
