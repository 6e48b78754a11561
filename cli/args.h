/* SPDX-License-Identifier: Apache-2.0
 * cli/args.h - command-line options as a table: parsing, --help and tab completion read the same rows. */
#ifndef BITEMU_CLI_ARGS_H
#define BITEMU_CLI_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef enum cli_kind { CLI_FLAG, CLI_TEXT, CLI_COUNT, CLI_FORMAT } cli_kind;
typedef enum cli_format { CLI_AS_TEXT, CLI_AS_JSON, CLI_AS_CSV } cli_format;

typedef struct cli_option {
    const char *name;  /* "--input" */
    const char *value; /* "X.npy" in help; NULL for flags */
    cli_kind kind;
    void *dest;        /* bool *, const char **, int64_t * (>= 0), cli_format * */
    const char *help;
} cli_option;

typedef struct cli_usage {
    const char *synopsis; /* "bitemu run MODEL --input X.npy [options]" */
    const char *about;    /* a paragraph */
    const char *examples; /* lines, may be NULL */
    int min_args, max_args;
} cli_usage;

/* Splits argv (after the subcommand's name) into options and positional arguments. *n_args is the number of the latter.
 * Prints help and sets *help when --help is given. ST_ARG: what is wrong and what is close to it. */
status cli_parse(int argc, char **argv, const cli_usage *u, const cli_option *options, int n_options, const char **args, int *n_args,
                 bool *help, err *e);

/* "bitemu: where: message" on stderr; returns the exit status. */
int cli_fail(const err *e);

#endif
