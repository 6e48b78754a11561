/* SPDX-License-Identifier: Apache-2.0
 * cli/calibrate.h - measurements from files, and what is said about a fit. */
#ifndef BITEMU_CLI_CALIBRATE_H
#define BITEMU_CLI_CALIBRATE_H

#include "cli/args.h"
#include "hwmodels/calibrate.h"

typedef struct calibrate_set {
    arena *mem;
    hw_board *board;
    const hw_kernels *kernels;
    const char *model;              /* --model, for logs that name none; NULL = not given */
    double cycles_per_tick;         /* of logs in ticks; 0 = not given */
    int n, cap;
    hw_sample *samples;
    const char **board_name;        /* [n] as the file writes it, "" = it does not say */
    const char **source;            /* [n] file the sample is from */
    int n_models;
    model_graph **models;
    int other_cores;                /* rows of other cores, left out */
    int left_over;                  /* operators' lines of logs in no complete run, left out */
} calibrate_set;

/* Appends. Same board text = same board. ST_NOMEM. */
status calibrate_add(calibrate_set *s, int model, int op, double cycles, const char *board, const char *source, err *e);
/* Loads path once; *out = its number in s->models. */
status calibrate_model(calibrate_set *s, const char *path, int *out, err *e);

/* CSV with a header: model (path, relative to the file), cycles; may have: op (index; empty = whole network), board, core. Other columns are
 * not read. ST_FORMAT with file:line:column of the cell. */
status calibrate_read_csv(calibrate_set *s, const char *path, err *e);
/* A log with operators' times, as traces/measured.h reads it: TensorFlow Lite Micro's profiler, NNoM ... Complete runs of one file are averaged.
 * ST_FORMAT with file:line: another operator than the model's, no complete run. ST_ARG: ticks without --cycles-per-tick, no --model. */
status calibrate_read_log(calibrate_set *s, const char *path, err *e);

void calibrate_print(const calibrate_set *s, const hw_calibration *c, cli_format format);
/* stacks/NAME.yaml, NAME from the file's name. ST_ARG: the name is none; ST_IO. */
status calibrate_write(const calibrate_set *s, const hw_calibration *c, const char *path, err *e);

#endif
