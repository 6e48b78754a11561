/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sim/sim.h"

status sim_static_policy(const model_graph *g, const char *policy, arena *a, int *candidate, err *e)
{
    int n = g->n_choices;
    if (policy && n == 0) return err_set(e, ST_ARG, "--policy", "this model has no choices");
    controller_choice *choices = arena_alloc(a, (size_t)n + 1, sizeof *choices);
    if (!choices) return err_set(e, ST_NOMEM, "", "no memory");
    for (int c = 0; c < n; c++) {
        const model_choice *ch = &g->choices[c];
        int *bits = arena_alloc(a, (size_t)ch->n_candidates, sizeof *bits), widest = 0;
        if (!bits) return err_set(e, ST_NOMEM, "", "no memory");
        for (int k = 0; k < ch->n_candidates; k++) {
            const model_candidate *m = &ch->candidates[k], *w = &ch->candidates[widest];
            bits[k] = m->w_bits > m->a_bits ? m->w_bits : m->a_bits;
            if (m->w_bits * m->a_bits > w->w_bits * w->a_bits) widest = k;
        }
        choices[c] = (controller_choice){ch->name, ch->n_candidates, bits, ch->tensor >= 0};
        candidate[c] = widest;
    }
    if (!policy) return ST_OK;
    controller chosen;
    TRY(controller_parse(&chosen, policy, choices, n, e));
    if (chosen.kind != CONTROLLER_FIXED && chosen.kind != CONTROLLER_LAYERS)
        return err_set(e, ST_ARG, "--policy", "'%s' depends on the input: price it with `bitemu run --board`; here: fixed:8 or layers:8,4,...", policy);
    memcpy(candidate, chosen.candidate, (size_t)n * sizeof *candidate);
    return ST_OK;
}
