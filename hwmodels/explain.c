/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/explain.c - the formula behind one operator's price, in words and numbers. */
#include <stdio.h>
#include <string.h>

#include "hwmodels/layer.h"

static const char *const events[] = {"mac", "patch", "output", "window", "call"};

/* By its loops, where they price it. */
static bool explain_trips(const model_graph *g, const hw_board *b, const model_op *op, int w_bits, char *text, size_t size)
{
    double trips[HW_N_TRIPS], total = 0;
    const hw_figure *per = hw_trip_figures(b);
    if (!per || !hw_trips_count(g, op, w_bits, b->kernels->row, trips)) return false;
    size_t at = 0;
    for (int i = 0; i < HW_N_TRIPS && at < size; i++) {
        if (trips[i] <= 0) continue;
        if (!per[i].known) return false;
        if (per[i].value > 0) at += (size_t)snprintf(text + at, size - at, "%s%.0f %s x %g", at ? " + " : "", trips[i], hw_trip_names[i], per[i].value);
        total += trips[i] * per[i].value;
    }
    if (at < size) (void)snprintf(text + at, size - at, " = %.0f cycles", total);
    return true;
}

const char *hw_explain_op(const model_graph *g, const hw_board *b, int op, const int *candidate, arena *a)
{
    enum { SIZE = 2048 };
    const model_op *o = &g->subgraphs[0].ops[op];
    int w, a_bits;
    hw_op_bits(g, op, candidate, &w, &a_bits);
    char *text = arena_alloc(a, SIZE, 1);
    if (!text) return NULL;
    if (b->arch) {
        hw_arch_explain(g, b, op, w, a_bits, text, SIZE);
        return text;
    }
    if (explain_trips(g, b, o, w, text, SIZE)) return text;
    const hw_entry *x = hw_layer_entry(g, b, o, w, a_bits);
    hw_class c = hw_layer_class(&g->subgraphs[0], o);
    if (!x) {
        (void)snprintf(text, SIZE, "no weights for it in kernels %s", b->kernels->name);
        return text;
    }
    double count[HW_N_EVENTS], total = 0;
    hw_layer_counts(g, b, o, count);
    size_t at = 0;
    for (int i = 0; i < HW_N_EVENTS && at < SIZE; i++) {
        if (!x->per[i].known) continue;
        bool counted = x->instructions[i];
        double factor = counted ? b->factor[c].value : 1;
        at += (size_t)snprintf(text + at, SIZE - at, "%s%.0f %s x %g", at ? " + " : "", count[i], events[i], x->per[i].value);
        if (counted && at < SIZE) at += (size_t)snprintf(text + at, SIZE - at, " instr x %g", factor);
        total += count[i] * x->per[i].value * factor;
    }
    if (at < SIZE) (void)snprintf(text + at, SIZE - at, " = %.0f cycles", total);
    return text;
}
