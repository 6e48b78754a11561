/* SPDX-License-Identifier: Apache-2.0
 * sim/export.h - a network as C sources for a board: tables, runtime, main loop, build files. The tables hold the integers of the emulator's
 * own session (emu/integers.h), so a board that computes otherwise is a board that is wrong. */
#ifndef BITEMU_SIM_EXPORT_H
#define BITEMU_SIM_EXPORT_H

#include "sim/sim.h"

typedef struct sim_export_config {
    const char *model, *profile, *policy; /* as in sim_config */
    const char *board;  /* device/boards/NAME.yaml, or a board of `bitemu boards`; required */
    const char *out;    /* folder, which must not exist or be empty; required */
    const char *input;  /* .npy or .npz, NULL = no inputs: the program has none to run */
    int64_t limit;      /* inputs, < 0 = all */
    bool known;         /* every layer's codes for every input go into the program, which compares them */
} sim_export_config;

typedef struct sim_export_report {
    const char *board, *title;      /* in the arena */
    bool complete;                  /* start-up code is there: `make` gives a program; else a library */
    int64_t inputs;
    size_t arena_bytes, sram_bytes; /* activations and scratch; + stack and what the log needs */
    size_t weight_bytes, table_bytes, input_bytes, known_bytes, flash_bytes; /* flash = their sum, without code */
    double board_sram_bytes, board_flash_bytes; /* < 0 = not stated */
    int peak_op;                    /* at which the arena is fullest */
} sim_export_report;

/* ST_UNSUPPORTED: an operator, type or rule that the board's kernels lack (all of them are named), or the network does not fit (the message
 * says what it needs and by how many bytes). ST_ARG: no such board; out is there already. */
status sim_export(const sim_export_config *c, arena *a, sim_export_report *r, err *e);

#endif
