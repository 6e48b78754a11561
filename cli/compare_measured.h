/* SPDX-License-Identifier: Apache-2.0
 * cli/compare_measured.h - an estimate (bitemu cost --format json) against what a board's log says it took. */
#ifndef BITEMU_CLI_COMPARE_MEASURED_H
#define BITEMU_CLI_COMPARE_MEASURED_H

#include <jansson.h>

#include "traces/match.h"

typedef struct measured_options {
    double clock_hz;          /* of the measured board; 0 = as the log says, else the estimate's */
    double cycles_per_tick;   /* 0 = from the log's milliseconds */
    bool subset;              /* operators that only one side has are no difference */
} measured_options;

typedef struct estimate_op {
    const char *name, *type;
    double cycles;            /* -1 = not known */
} estimate_op;

typedef struct compare_measured {
    const char *estimate_path, *log_path;
    const char *board, *title, *kernels, *model; /* "" = not stated */
    double clock_hz;          /* the estimate's; 0 = none */
    double cycles, energy_uj; /* the estimate's totals; -1 = not known */
    estimate_op *ops;
    const char **types;
    int n_ops;
    measured_log *log;
    match_result match;
    measured_scale scale;
    /* in cycles; -1 = not known */
    double measured;          /* one inference: what the log states, else the sum of its rows */
    bool measured_is_sum;
    double both_estimated, both_measured; /* sums over the rows that have both */
    double median_error_pct;  /* of the absolute errors of these rows */
    int n_both, unmeasured;   /* unmeasured: operators of more than 0.1 % of the estimate that the log lacks although it has others */
    const char *unmeasured_name;
} compare_measured;

/* Does this file look like an estimate? */
bool compare_is_estimate(const char *path);
/* ST_FORMAT, ST_IO: a side cannot be read, or the log is of another network. ST_ARG: units that nobody states. All of it lives in a. */
status compare_measured_load(const char *estimate, const char *log, const measured_options *o, arena *a, compare_measured *out, err *e);
/* Are the log's operators the network's? Always true with o->subset. */
bool compare_measured_same(const measured_options *o, const compare_measured *c);

/* Of row i. -1 = not known. */
double compare_estimated_cycles(const compare_measured *c, const match_row *row);
double compare_measured_cycles(const compare_measured *c, const match_row *row);

void compare_measured_text(const compare_measured *c);
void compare_measured_sums(FILE *f, const compare_measured *c); /* of that the totals, and what did not find its other side */
json_t *compare_measured_json(const compare_measured *c, bool same); /* caller frees */

#endif
