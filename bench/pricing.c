/* SPDX-License-Identifier: Apache-2.0
 * Nanoseconds to price one policy of a model on a board after its table was made, over random bit vectors.
 * usage: pricing MODEL BOARD */
#include <stdio.h>
#include <time.h>

#include "hwmodels/hw.h"
#include "model/load.h"

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    enum { POLICIES = 200000, CHOICES = 256 };
    err e = {0};
    arena *a = arena_create(0);
    model_graph *g = NULL;
    hw_board *b = NULL;
    hw_table *t = NULL;
    if (argc != 3 || !a) return 2;
    if (model_load(argv[1], a, &g, &e) != ST_OK || hw_board_load(argv[2], a, &b, &e) != ST_OK || hw_table_create(g, b, a, &t, &e) != ST_OK) {
        (void)fprintf(stderr, "pricing: %s: %s\n", e.where, e.msg);
        return status_exit(e.code);
    }
    int candidate[CHOICES] = {0};
    unsigned state = 1;
    double sum = 0, start = seconds();
    for (int i = 0; i < POLICIES; i++) {
        for (int k = 0; k < g->n_choices && k < CHOICES; k++) {
            state = state * 1664525u + 1013904223u;
            candidate[k] = (int)((state >> 16) % (unsigned)g->choices[k].n_candidates);
        }
        sum += hw_table_total(g, t, candidate).cycles;
    }
    double each = (seconds() - start) / POLICIES;
    printf("%s on %s: %d operators, %d choices: %.0f ns a policy (mean %.0f cycles)\n", argv[1], argv[2], g->subgraphs[0].n_ops, g->n_choices, each * 1e9, sum / POLICIES);
    arena_destroy(&a);
    return 0;
}
