/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sim/sim.h"

status sim_choices(const model_graph *g, arena *a, controller_choice **out, err *e)
{
    controller_choice *choices = arena_alloc(a, (size_t)g->n_choices, sizeof *choices);
    if (!choices) return err_set(e, ST_NOMEM, g->path, "no memory");
    for (int c = 0; c < g->n_choices; c++) {
        const model_choice *ch = &g->choices[c];
        int *bits = arena_alloc(a, (size_t)ch->n_candidates, sizeof *bits);
        if (!bits) return err_set(e, ST_NOMEM, g->path, "no memory");
        for (int k = 0; k < ch->n_candidates; k++)
            bits[k] = ch->candidates[k].w_bits > ch->candidates[k].a_bits ? ch->candidates[k].w_bits : ch->candidates[k].a_bits;
        choices[c] = (controller_choice){ch->name, ch->n_candidates, bits, ch->tensor >= 0};
    }
    *out = choices;
    return ST_OK;
}

status sim_static_policy(const model_graph *g, const char *policy, arena *a, int *candidate, err *e)
{
    int n = g->n_choices;
    controller_choice *choices;
    controller chosen;
    if (policy && n == 0) return err_set(e, ST_ARG, "--policy", "this model has no choices");
    for (int c = 0; c < n; c++) candidate[c] = hw_widest_candidate(&g->choices[c]);
    if (!policy) return ST_OK;
    TRY(sim_choices(g, a, &choices, e));
    TRY(controller_parse(&chosen, policy, choices, n, e));
    if (chosen.kind != CONTROLLER_FIXED && chosen.kind != CONTROLLER_LAYERS)
        return err_set(e, ST_ARG, "--policy", "'%s' depends on the input: price it with `bitemu run --board`; here: fixed:8 or layers:8,4,...", policy);
    memcpy(candidate, chosen.candidate, (size_t)n * sizeof *candidate);
    return ST_OK;
}
