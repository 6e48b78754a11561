/* SPDX-License-Identifier: Apache-2.0
 * cli/compare_baseline.h - today's comparison of traces against an earlier one, for continuous integration. */
#ifndef BITEMU_CLI_COMPARE_BASELINE_H
#define BITEMU_CLI_COMPARE_BASELINE_H

#include <jansson.h>

#include "traces/compare.h"

/* Inputs that differ, as they come; the first ones by name, all of them by layer. */
typedef struct compare_list {
    json_t *differing; /* [{input, name, what, layer}], at most COMPARE_LISTED */
    json_t *layers;    /* [{layer, op, name, inputs}], by first divergence */
    int64_t left_out;  /* of differing */
} compare_list;
enum { COMPARE_LISTED = 10000 };

bool compare_list_create(compare_list *l); /* false: no memory */
void compare_list_add(void *list, const compare_divergence *d); /* compare_options.each */
void compare_list_free(compare_list *l);

extern const char *const compare_whats[]; /* "equal", "input", "layer" ... by compare_what */

/* ST_FORMAT: not a result of bitemu compare --format json. Caller frees *out. */
status compare_baseline_load(const char *path, const char *kind, json_t **out, err *e);
/* What got worse between two results as compare prints them: inputs that differ now, that differ in an earlier layer, that are not there any more.
 * *worse is set, and each is printed to stderr. */
void compare_worse(const json_t *now, const json_t *before, bool *worse);

#endif
