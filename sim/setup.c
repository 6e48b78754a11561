/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/load.h"
#include "sim/sim.h"

static status find_profile(sim_setup *s, const char *name, err *e)
{
    if (!name) name = s->graph->profile ? s->graph->profile : "tflm";
    s->profile = emu_profile_find(name);
    if (s->profile) return ST_OK;
    char known[256] = "";
    size_t n, at = 0;
    const emu_profile *all = emu_profile_list(&n);
    for (size_t i = 0; i < n && at + strlen(all[i].name) + 3 < sizeof known; i++) {
        if (i) at = strlen(strcat(known, ", "));
        strcat(known, all[i].name);
    }
    return err_set(e, ST_ARG, "--profile", "no profile '%s'; there are: %s", name, known);
}

static bool op_needs_choice(const model_op *op, int choice)
{
    if (op->choice == choice) return true;
    for (int k = 0; op->integer && k < op->integer->n_keys; k++) {
        if (op->integer->key[k] == choice) return true;
    }
    return false;
}

static status describe_choices(sim_setup *s, err *e)
{
    const model_graph *g = s->graph;
    size_t n = (size_t)g->n_choices;
    TRY(sim_choices(g, s->mem, &s->choices, e));
    s->decide_at = arena_alloc(s->mem, n, sizeof *s->decide_at);
    if (!s->decide_at) return err_set(e, ST_NOMEM, g->path, "no memory");
    for (int c = 0; c < g->n_choices; c++) {
        s->decide_at[c] = -1;
        for (int op = g->subgraphs[0].n_ops - 1; op >= 0; op--) {
            if (op_needs_choice(&g->subgraphs[0].ops[op], c)) s->decide_at[c] = op;
        }
        if (s->decide_at[c] < 0) return err_set(e, ST_FORMAT, g->path, "choice '%s' has no layer", g->choices[c].name);
    }
    return ST_OK;
}

/* A network without choices runs at its own widths; "fixed:B" is accepted as a claim about them, and checked. */
static status check_static(const sim_setup *s, const char *policy, err *e)
{
    const model_subgraph *sub = &s->graph->subgraphs[0];
    if (!policy) return ST_OK;
    char *end = NULL;
    long bits = strncmp(policy, "fixed:", 6) == 0 && policy[6] ? strtol(policy + 6, &end, 10) : -1;
    if (bits < 0 || *end) return err_set(e, ST_ARG, "--policy", "'%s': this model has no choices; leave --policy out", policy);
    for (int op = 0; op < sub->n_ops; op++) {
        int w, a;
        hw_op_bits(s->graph, op, NULL, &w, &a);
        if (w && w != bits)
            return err_set(e, ST_ARG, "--policy", "'%s': this model has no choices and its layer '%s' has %d-bit weights", policy,
                           sub->ops[op].name, w);
    }
    return ST_OK;
}

static status choose_policy(sim_setup *s, const char *policy, err *e)
{
    int n = s->graph->n_choices;
    s->dynamic = n > 0;
    s->policy_text = "static";
    if (n == 0) return check_static(s, policy, e);
    if (!policy) {
        for (int c = 0; c < n; c++) {
            if (!s->choices[c].learned)
                return err_set(e, ST_ARG, "--policy", "choice '%s' has no decision layer: say which widths, as in --policy fixed:%d",
                               s->choices[c].name, s->choices[c].bits[s->choices[c].n_candidates - 1]);
        }
        policy = "controller";
    }
    s->policy_text = arena_strdup(s->mem, policy, strlen(policy));
    if (!s->policy_text) return err_set(e, ST_NOMEM, "", "no memory");
    return controller_parse(&s->policy, policy, s->choices, n, e);
}

static bool has_state(const model_graph *g)
{
    if (g->n_variables) return true;
    for (int t = 0; t < g->subgraphs[0].n_tensors; t++) {
        if (g->subgraphs[0].tensors[t].is_variable) return true;
    }
    return false;
}

static status choose_accumulator(sim_setup *s, const char *text, err *e)
{
    const model_subgraph *sub = &s->graph->subgraphs[0];
    for (int op = 0; op < sub->n_ops; op++) s->saturates |= sub->ops[op].accumulator.overflow == MODEL_SATURATE;
    if (!text) return ST_OK;
    TRY(model_accumulator_parse(text, &s->accumulator, e));
    s->saturates = s->accumulator.overflow == MODEL_SATURATE;
    char full[24];
    (void)snprintf(full, sizeof full, "%d:%s", s->accumulator.bits, model_overflow_name(s->accumulator.overflow));
    s->accumulator_text = arena_strdup(s->mem, full, strlen(full));
    return s->accumulator_text ? ST_OK : err_set(e, ST_NOMEM, "", "no memory");
}

static status fill(sim_setup *s, const sim_config *c, err *e)
{
    TRY(model_load(c->model, s->mem, &s->graph, e));
    TRY(model_check(s->graph, e));
    TRY(find_profile(s, c->profile, e));
    TRY(choose_accumulator(s, c->accumulator, e));
    TRY(describe_choices(s, e));
    TRY(choose_policy(s, c->policy, e));
    if (c->board) TRY(hw_board_load(c->board, s->mem, &s->board, e));
    TRY(hw_table_create(s->graph, s->board, s->mem, &s->table, e));
    TRY(hw_plan_create(s->graph, s->mem, &s->plan, e));
    s->stateful = has_state(s->graph);
    s->reset_each = c->reset_each && s->stateful;
    s->keep_tensors = c->keep_tensors;
    return ST_OK;
}

status sim_setup_open(const sim_config *c, sim_setup **out, err *e)
{
    arena *a = arena_create(0);
    sim_setup *s = a ? arena_alloc(a, 1, sizeof *s) : NULL;
    *out = NULL;
    if (!s) {
        arena_destroy(&a);
        return err_set(e, ST_NOMEM, c->model, "no memory");
    }
    s->mem = a;
    status st = fill(s, c, e);
    if (st == ST_OK)
        *out = s;
    else
        arena_destroy(&a);
    return st;
}

void sim_setup_close(sim_setup **s)
{
    if (!s || !*s) return;
    arena *a = (*s)->mem;
    *s = NULL;
    arena_destroy(&a);
}
