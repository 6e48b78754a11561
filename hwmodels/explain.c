/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/explain.c - the formula behind one operator's price, in words and numbers. */
#include <stdio.h>
#include <string.h>

#include "hwmodels/layer.h"

static const char *const events[] = {"mac", "patch", "output", "window", "call"};

const char *hw_explain_op(const model_graph *g, const hw_board *b, int op, const int *candidate, arena *a)
{
    enum { SIZE = 512 };
    const model_op *o = &g->subgraphs[0].ops[op];
    int w, a_bits;
    hw_op_bits(g, op, candidate, &w, &a_bits);
    char *text = arena_alloc(a, SIZE, 1);
    if (!text) return NULL;
    if (b->arch) {
        hw_arch_explain(g, b, op, w, a_bits, text, SIZE);
        return text;
    }
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
