/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/range.c - the cheapest and the dearest reachable bit vector. An operator depends on one choice at most, so choices do not
 * meet: each is settled alone. */
#include "hwmodels/hw.h"

static hw_cost of_choice(const model_graph *g, const hw_table *t, int choice, const int *candidate)
{
    hw_cost sum = {0};
    for (int i = 0; i < g->subgraphs[0].n_ops; i++) {
        if (g->subgraphs[0].ops[i].choice != choice) continue;
        hw_cost c = hw_table_op(t, i, candidate);
        hw_cost_add(&sum, &c);
    }
    return sum;
}

hw_cost hw_table_total(const model_graph *g, const hw_table *t, const int *candidate)
{
    hw_cost sum = {0};
    for (int i = 0; i < g->subgraphs[0].n_ops; i++) {
        hw_cost c = hw_table_op(t, i, candidate);
        hw_cost_add(&sum, &c);
    }
    return sum;
}

bool hw_table_range(const model_graph *g, const hw_table *t, int *best, int *worst)
{
    for (int k = 0; k < g->n_choices; k++) best[k] = worst[k] = 0;
    for (int k = 0; k < g->n_choices; k++) {
        double low = 0, high = 0;
        int at[2] = {0, 0};
        for (int c = 0; c < g->choices[k].n_candidates; c++) {
            best[k] = c;
            hw_cost x = of_choice(g, t, k, best);
            double v = x.cycles >= 0 ? x.cycles : -1;
            if (v < 0) return false;
            if (c == 0 || v < low) {
                low = v;
                at[0] = c;
            }
            if (c == 0 || v > high) {
                high = v;
                at[1] = c;
            }
        }
        best[k] = at[0];
        worst[k] = at[1];
    }
    return hw_table_total(g, t, best).cycles >= 0;
}
