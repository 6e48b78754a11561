/* SPDX-License-Identifier: Apache-2.0
 * cli/cost_report.h - what `bitemu cost` found, as text and as JSON. Unknown is "-" in text, null in JSON. */
#ifndef BITEMU_CLI_COST_REPORT_H
#define BITEMU_CLI_COST_REPORT_H

#include <jansson.h>

#include "hwmodels/hw.h"

typedef struct cost_estimate {
    const model_graph *graph;
    const hw_board *board;
    const hw_table *table;
    const hw_plan *plan;
    const char *policy;         /* as asked, or "widest" */
    const int *candidate;       /* of each choice */
    int *best, *worst;          /* bit vectors, valid if ranged */
    bool ranged;
} cost_estimate;

json_t *cost_json(const cost_estimate *c);            /* totals, worst_case, best_case, layers, missing; caller frees */
void cost_text(const cost_estimate *c, bool explain, arena *a);
json_t *cost_lut(const cost_estimate *c);             /* every layer at every width pair that the board's kernels have */
void cost_break_even(const cost_estimate *c);         /* table of width pairs: cycles over those of 8x8 */

/* "cycles>+3%", "sram_bytes>65536", several separated by ',': which of them `now` breaks against `before` (both as cost_json; before may be
 * NULL if no condition is relative). *broken is set and each is printed. ST_ARG: not such a condition; ST_FORMAT: a figure is missing. */
status cost_fail_if(const char *conditions, const json_t *now, const json_t *before, bool *broken, err *e);

#endif
