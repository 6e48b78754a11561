/* SPDX-License-Identifier: Apache-2.0
 * sim/export_board.h - boards that programs are built for: device/boards/NAME.yaml, found in the source tree or the installed data folder;
 * else a board of hwmodels, for which the export is a library. */
#ifndef BITEMU_SIM_EXPORT_BOARD_H
#define BITEMU_SIM_EXPORT_BOARD_H

#include "base/yaml.h"
#include "hwmodels/hw.h"

typedef struct export_board {
    const char *name, *title, *compiler, *size, *kernels;
    const char *script;             /* linker script, beside the sources; NULL = none */
    const yaml_node *flags, *link, *sources; /* lists of texts; NULL = none */
    double flash_start, sram_start; /* with a script */
    double flash_bytes, sram_bytes; /* < 0 = not stated */
    int64_t stack;                  /* bytes; 0 = the system's */
    const char *core;               /* of a board of hwmodels, else NULL */
} export_board;

/* ST_ARG: no such board, with the names that there are. ST_FORMAT: file:line:column. */
status export_board_load(const char *name, arena *a, export_board *out, err *e);
/* Path of a file of the source tree ("device/run.c"), in a. */
status export_source(const char *name, arena *a, const char **path, err *e);

#endif
