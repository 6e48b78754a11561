/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/board_arg.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "CMSIS-NN:mve" -> "cmsis-nn-mve" */
static status stack_name(const char *kernels, arena *a, const char **out, err *e)
{
    *out = NULL;
    if (!kernels) return ST_OK;
    char *name = arena_strdup(a, strcmp(kernels, "cmsis-nn") == 0 ? "cmsis-nn-dsp" : kernels, strcmp(kernels, "cmsis-nn") == 0 ? 12 : strlen(kernels));
    if (!name) return err_set(e, ST_NOMEM, "", "no memory");
    for (char *p = name; *p; p++) *p = *p == ':' ? '-' : (char)tolower((unsigned char)*p);
    *out = name;
    return ST_OK;
}

status cli_board_load(const cli_board *o, arena *a, hw_board **out, err *e)
{
    const char *stack;
    TRY(stack_name(o->kernels, a, &stack, e));
    if (stack && hw_arch_exists(stack)) {
        if (o->board) return err_set(e, ST_ARG, "--kernels", "%s is no software of a board; leave --board out", stack);
        return hw_board_arch(stack, a, out, e);
    }
    if (!o->board == !o->core) return err_set(e, ST_ARG, "board", "say where: --board NAME, or --core CORE --clock-hz HZ");
    if (o->board) {
        size_t size = strlen(o->board) + (stack ? strlen(stack) : 0) + 2;
        char *name = arena_alloc(a, size, 1);
        if (!name) return err_set(e, ST_NOMEM, "", "no memory");
        (void)snprintf(name, size, "%s%s%s", o->board, stack ? ":" : "", stack ? stack : "");
        return hw_board_load(name, a, out, e);
    }
    char *end = NULL;
    double hz = o->clock ? strtod(o->clock, &end) : 0;
    if (!o->clock || *end || end == o->clock) return err_set(e, ST_ARG, "--clock-hz", "--core needs a clock in Hz, as in --clock-hz 120e6");
    return hw_board_what_if(o->core, hz, stack, a, out, e);
}
