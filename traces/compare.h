/* SPDX-License-Identifier: Apache-2.0
 * traces/compare.h - two runs of the same inputs: equal, or the first divergence.
 * Order of checks within an input: its checksum, the layers in order (decision widths, then CRC), decisions, output codes.
 * Inputs are matched by index; by name when one side is a board's log. Equal means equal: tolerance is 0 unless given. */
#ifndef BITEMU_TRACES_COMPARE_H
#define BITEMU_TRACES_COMPARE_H

#include "base/arena.h"
#include "base/status.h"
#include "traces/read.h"

typedef enum compare_what { COMPARE_EQUAL, COMPARE_INPUT, COMPARE_LAYER, COMPARE_BITS, COMPARE_DECISION, COMPARE_OUTPUT, COMPARE_MISSING } compare_what;

typedef struct compare_divergence {
    compare_what what;
    int64_t input;
    char name[256];           /* of the input, "" = unknown */
    int layer;                /* COMPARE_LAYER, COMPARE_BITS */
    char layer_name[256], op[64];
    bool has_values;          /* expected, got, element are codes; else they are checksums (or widths, candidates) */
    int64_t expected, got;
    int64_t element;          /* flat index of the first differing code; -1 = unknown */
    int n_dims;               /* with a shape: coordinates of that element */
    int32_t at[TRACE_MAX_DIMS + 2];
    int64_t differ, total;    /* codes of this layer or output; total 0 = unknown */
    int64_t largest;          /* difference, in codes */
    const char *hint;         /* likely cause, NULL = none */
} compare_divergence;

typedef struct compare_options {
    bool subset;              /* inputs that only one side has are reported but do not count as a difference */
    int64_t tolerance;        /* largest difference of output codes that still counts as equal, >= 0 */
    const char *dump_a, *dump_b; /* .npz of bitemu run --dump --dump-tensors, to find coordinates; NULL = none */
    void (*each)(void *to, const compare_divergence *d); /* called for every input that differs or is missing, with its first divergence; may be NULL */
    void *each_to;
} compare_options;

typedef struct compare_result {
    int64_t compared, equal, differ;    /* inputs on both sides */
    int64_t only_a, only_b;             /* inputs */
    int64_t repeated;                   /* inputs that came again: passed over */
    int64_t repeated_records;           /* records of a layer that came again within an input: compared as well */
    int64_t unchecked;                  /* inputs on both sides whose records have no checksum, code or decision in common */
    int64_t records;                    /* compared one to one */
    int64_t lone_a, lone_b;             /* records of compared inputs that only one side has: passed over */
    int64_t lone_input;                 /* the first of them */
    int lone_layer;
    int64_t promised_a, promised_b;     /* inputs that a header announces and that did not come; 0 = all came */
    compare_divergence first;
    char note[512];                     /* differences between the headers, "" = none */
    trace_skips skips_a, skips_b;
} compare_result;

/* ST_OK: compared (look at r->differ and only_*); ST_FORMAT, ST_IO: a side cannot be read, or the two have no input in common. */
status compare_files(const char *expected, const char *got, const compare_options *o, compare_result *r, err *e);
/* Same by the options' rules? */
bool compare_same(const compare_options *o, const compare_result *r);

#endif
