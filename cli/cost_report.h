/* SPDX-License-Identifier: Apache-2.0
 * cli/cost_report.h - what `bitemu cost` found, as text and as JSON. Unknown is "-" in text, null in JSON. */
#ifndef BITEMU_CLI_COST_REPORT_H
#define BITEMU_CLI_COST_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "hwmodels/hw.h"

typedef struct cost_estimate {
    const model_graph *graph;
    const hw_board *board;
    const hw_table *table;
    hw_board_memory memory;     /* of the policy, or of all reachable bits where it is none */
    hw_board_memory most;       /* of all reachable bits */
    const char *policy;         /* as asked, or "widest" */
    const int *candidate;       /* of each choice */
    int *best, *worst;          /* bit vectors, valid if ranged */
    bool ranged;
    double period_ms;           /* of one inference; 0 = not asked */
    bool *control;              /* [n_ops] hw_control_ops */
} cost_estimate;

json_t *cost_json(const cost_estimate *c);            /* totals, worst_case, best_case, layers, widths, missing; caller frees */
void cost_text(const cost_estimate *c, bool explain, arena *a);
json_t *cost_lut(const cost_estimate *c);             /* every layer at every width pair that the board's kernels have */

/* What is not known: the table's list, then memory, code and idle power as far as they were asked for. Calls note for each. */
void cost_missing(const cost_estimate *c, void (*note)(void *to, const char *line), void *to);
bool cost_complete(const cost_estimate *c);           /* is the figure that the board can state there (cycles; energy where it knows no time; a period's energy)? */

/* One inference every period_ms: active power x latency + idle power x the rest. Unknown parts are -1. */
typedef struct cost_period {
    double duty;                /* latency / period; above 1 the period is missed */
    double energy_uj, energy_error_pct, average_mw;
} cost_period;
cost_period cost_in_period(const cost_estimate *c);

enum { COST_WIDTHS = 4 };
extern const int cost_widths[COST_WIDTHS];            /* 1, 2, 4, 8 */
/* Layers with weights whose widths, or whose candidates' widths, are (w, a): their cycles there and at 8x8. */
typedef struct cost_pair {
    int w, a;
    double cycles, at_8x8;
} cost_pair;
int cost_pairs(const cost_estimate *c, cost_pair out[64]); /* pairs below 8x8 that have a price, widest first */
/* Cycles with every layer that has weights of up to 8 bits at (w, a); -1: a layer has no price there. */
double cost_at_widths(const cost_estimate *c, int w, int a);

/* A first pass, and a second one for the inputs that need it: first + (1 - easy) x second < second from easy = first / second on. */
typedef struct cost_cascade {
    const char *first, *second; /* layouts: policies, or w2a2 */
    double first_cycles, second_cycles;
} cost_cascade;
/* layouts: "fixed:2/fixed:8", '/' between them; NULL = every width that all choices have, or the square pairs that the kernels have.
 * Every pair of which the first has fewer bit operations; it never pays where the first does not cost less. ST_ARG: not a layout. */
status cost_cascades(const cost_estimate *c, const char *layouts, arena *a, cost_cascade **out, int *n, err *e);
void cost_break_even_text(const cost_estimate *c, const cost_cascade *list, int n);
json_t *cost_break_even_json(const cost_estimate *c, const cost_cascade *list, int n);
status cost_break_even_svg(const cost_estimate *c, const cost_cascade *list, int n, const char *path, err *e);

/* "cycles>+3%", "sram_bytes>65536", "layers.cycles>+5%", several separated by ',': which of them `now` breaks against `before` (both with totals and
 * layers as in cost_json; before may be NULL if no condition is relative). *broken is set and each is printed to `said`. ST_ARG: not such a condition;
 * ST_FORMAT: a figure is missing. */
status cost_fail_if(const char *conditions, const json_t *now, const json_t *before, FILE *said, bool *broken, err *e);

#endif
