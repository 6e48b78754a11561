/* SPDX-License-Identifier: Apache-2.0
 * cli/compare_ci.h - what continuous integration reads of a comparison. */
#ifndef BITEMU_CLI_COMPARE_CI_H
#define BITEMU_CLI_COMPARE_CI_H

#include <stdio.h>

#include "base/status.h"
#include "traces/compare.h"

/* "first divergence: input 3, layer 2 CONV_2D (conv1), at [0, 1, 2, 3]: expected 4, got 5; ..." and its likely cause, a line each. */
void compare_print_divergence(FILE *f, const compare_divergence *d);
/* That, or how many inputs were compared. */
void compare_print_verdict(FILE *f, const compare_result *r);

typedef struct compare_verdict {
    const char *const *sides;
    bool same;
    const char *message; /* why not, in a few words */
    const char *details; /* lines */
} compare_verdict;
/* A JUnit XML file at path, one test case. Replaces path whole or not at all. */
status compare_junit(const char *path, const compare_verdict *v, err *e);
/* An annotation of GitHub Actions on standard output: ::error or ::notice. */
void compare_github(const compare_verdict *v);

#endif
