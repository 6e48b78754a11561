/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/emu.h"

#include <stdio.h>
#include <string.h>

#include "emu/kernels.h"
#include "emu/ref/common.h"

struct emu_session {
    const model_graph *graph;
    const model_subgraph *sub;
    emu_kernels kernels;
    emu_node *nodes;  /* [sub->n_ops] */
    void **data;      /* [sub->n_tensors] */
    void **variables; /* [graph->n_variables] */
};

static status nomem(const model_graph *g, err *e) { return err_set(e, ST_NOMEM, g->path, "no memory for the activations"); }

static status make_tensors(emu_session *s, arena *a, err *e)
{
    s->data = arena_alloc(a, (size_t)s->sub->n_tensors, sizeof *s->data);
    s->variables = arena_alloc(a, (size_t)s->graph->n_variables, sizeof *s->variables);
    if (!s->data || !s->variables) return nomem(s->graph, e);
    for (int t = 0; t < s->sub->n_tensors; t++) {
        const model_tensor *x = &s->sub->tensors[t];
        if (x->data)
            s->data[t] = (void *)(uintptr_t)x->data; /* constants are only ever read */
        else if (x->dtype != MODEL_RESOURCE && !(s->data[t] = arena_alloc(a, model_tensor_bytes(x), 1)))
            return nomem(s->graph, e);
    }
    for (int v = 0; v < s->graph->n_variables; v++) {
        if (s->graph->variables[v].tensor < 0) continue; /* never read */
        s->variables[v] = arena_alloc(a, model_tensor_bytes(&s->sub->tensors[s->graph->variables[v].tensor]), 1);
        if (!s->variables[v]) return nomem(s->graph, e);
    }
    return ST_OK;
}

/* Appends one more refusal to *all, "place: message; place: message"; the first keeps its place in where. */
static void collect(err *all, const err *one)
{
    if (all->code == ST_OK) {
        *all = *one;
        return;
    }
    size_t at = strlen(all->msg);
    if (at + 24 < sizeof all->msg) /* a long list is cut, its beginning kept */
        (void)snprintf(all->msg + at, sizeof all->msg - at, "; %.*s: %.*s", 100, one->where, 200, one->msg);
}

static status make_nodes(emu_session *s, const emu_profile *p, const model_accumulator *accumulator, arena *a, err *e)
{
    err all = {0};
    s->nodes = arena_alloc(a, (size_t)s->sub->n_ops, sizeof *s->nodes);
    if (!s->nodes) return nomem(s->graph, e);
    for (int i = 0; i < s->sub->n_ops; i++) {
        emu_node *n = &s->nodes[i];
        err one = {0};
        *n = (emu_node){.graph = s->graph, .sub = s->sub, .op = &s->sub->ops[i], .index = i, .profile = p, .mem = a, .data = s->data,
                        .variables = s->variables, .accumulator = accumulator ? *accumulator : s->sub->ops[i].accumulator};
        status st = n->op->code == MODEL_UNSUPPORTED ? emu_fail(n, &one, ST_UNSUPPORTED, "unsupported operator")
                    : !emu_profile_has(p, n->op->type) ? emu_fail(n, &one, ST_UNSUPPORTED, "profile %s has no such operator", p->name)
                                                      : s->kernels.row[n->op->code].prepare(n, &one);
        if (st == ST_OK) continue;
        if (st != ST_UNSUPPORTED) return err_set(e, st, one.where, "%s", one.msg);
        collect(&all, &one);
    }
    return all.code == ST_OK ? ST_OK : err_set(e, all.code, all.where, "%s", all.msg);
}

status emu_session_create(const model_graph *g, const emu_profile *p, arena *a, emu_session **out, err *e)
{
    return emu_session_create_as(g, p, NULL, a, out, e);
}

status emu_session_create_as(const model_graph *g, const emu_profile *p, const model_accumulator *accumulator, arena *a, emu_session **out,
                             err *e)
{
    emu_session *s = arena_alloc(a, 1, sizeof *s);
    int bits = accumulator ? accumulator->bits : 0;
    *out = NULL;
    if (!s) return nomem(g, e);
    if (bits && bits != 64 && (bits < 2 || bits > 32)) return err_set(e, ST_ARG, "accumulator", "%d bits; 2 to 32, or 64", bits);
    s->graph = g;
    s->sub = &g->subgraphs[0];
    emu_kernels_ref(&s->kernels);
    TRY(make_tensors(s, a, e));
    TRY(make_nodes(s, p, bits ? accumulator : NULL, a, e));
    TRY(emu_session_reset(s, e));
    *out = s;
    return ST_OK;
}

/* Variable tensors (LSTM and SVDF state) start at 0 real: their zero point. */
static void clear_tensor(const model_tensor *t, void *data)
{
    int64_t zero = t->n_scales ? t->zero_point[0] : 0;
    if (t->dtype == MODEL_I8 || t->dtype == MODEL_U8) {
        memset(data, (int)(zero & 255), model_tensor_bytes(t));
        return;
    }
    memset(data, 0, model_tensor_bytes(t));
    for (size_t i = 0; zero && t->dtype == MODEL_I16 && i < t->n_elems; i++) ((int16_t *)data)[i] = (int16_t)zero;
}

status emu_session_reset(emu_session *s, err *e)
{
    (void)e;
    for (int t = 0; t < s->sub->n_tensors; t++) {
        if (s->sub->tensors[t].is_variable && !s->sub->tensors[t].data) clear_tensor(&s->sub->tensors[t], s->data[t]);
    }
    for (int v = 0; v < s->graph->n_variables; v++) {
        if (s->variables[v]) memset(s->variables[v], 0, model_tensor_bytes(&s->sub->tensors[s->graph->variables[v].tensor]));
    }
    for (int i = 0; i < s->sub->n_ops; i++) {
        emu_run_fn *reset = s->kernels.row[s->nodes[i].op->code].reset;
        emu_events ignored = {0};
        if (reset) reset(&s->nodes[i], &ignored);
    }
    return ST_OK;
}

emu_node *emu_session_node(emu_session *s, int op) { return &s->nodes[op]; }
const emu_kernel *emu_session_kernel(const emu_session *s, int op) { return &s->kernels.row[s->sub->ops[op].code]; }

void *emu_tensor_data(emu_session *s, int tensor) { return s->data[tensor]; }

static status check_candidate(const emu_session *s, int choice, const int *candidate, int *out, err *e)
{
    int k = candidate ? candidate[choice] : -1;
    if (k < 0 || k >= s->graph->choices[choice].n_candidates)
        return err_set(e, ST_ARG, s->graph->path, "choice '%s': no candidate %d", s->graph->choices[choice].name, k);
    *out = k;
    return ST_OK;
}

/* 0 bits: the layer does not run, every output is its zero point. */
static void skip(emu_session *s, const emu_node *n)
{
    const model_tensor *out = emu_out(n, 0);
    int32_t zero = n->op->integer->out_zero ? n->op->integer->out_zero[n->entry] : 0;
    for (size_t i = 0; i < out->n_elems; i++) emu_store(out, s->data[n->op->outputs[0]], i, zero);
}

status emu_run_op(emu_session *s, int op, const int *candidate, emu_events *ev, err *e)
{
    emu_node *n = &s->nodes[op];
    const model_integer *t = n->op->integer;
    n->entry = n->candidate = 0;
    if (n->op->choice >= 0) TRY(check_candidate(s, n->op->choice, candidate, &n->candidate, e));
    for (int k = 0; t && k < t->n_keys; k++) {
        int c = 0;
        TRY(check_candidate(s, t->key[k], candidate, &c, e));
        n->entry = n->entry * s->graph->choices[t->key[k]].n_candidates + c;
    }
    if (n->op->choice >= 0 && !s->graph->choices[n->op->choice].candidates[n->candidate].w_bits) {
        skip(s, n);
        return ST_OK;
    }
    s->kernels.row[n->op->code].run(n, ev);
    for (int i = 0; i < n->op->n_outputs; i++) ev->outputs += s->sub->tensors[n->op->outputs[i]].n_elems;
    return ST_OK;
}

bool emu_op_has_output(const model_op *op)
{
    return op->code != MODEL_CALL_ONCE && op->code != MODEL_VAR_HANDLE && op->code != MODEL_ASSIGN_VARIABLE && op->n_outputs > 0;
}
