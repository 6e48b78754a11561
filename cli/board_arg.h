/* SPDX-License-Identifier: Apache-2.0
 * cli/board_arg.h - the board that --board, --core, --clock-hz and --kernels name. */
#ifndef BITEMU_CLI_BOARD_ARG_H
#define BITEMU_CLI_BOARD_ARG_H

#include "base/arena.h"
#include "hwmodels/hw.h"

typedef struct cli_board {
    const char *board, *core, *clock, *kernels; /* as typed; NULL = not given */
} cli_board;

/* Either a board, or a core and a clock. Kernels are a software stack in any case; "cmsis-nn:mve" is the stack cmsis-nn-mve, "cmsis-nn" the
 * DSP build. Kernels of hwmodels/arch (horowitz-45nm) stand for core and clock too. ST_ARG: what is missing or unknown. */
status cli_board_load(const cli_board *o, arena *a, hw_board **out, err *e);

#endif
