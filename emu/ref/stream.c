/* SPDX-License-Identifier: Apache-2.0
 * Streaming state: VAR_HANDLE names a variable, READ_VARIABLE copies it out, ASSIGN_VARIABLE in, CALL_ONCE runs the subgraph that
 * initializes variables, once after every reset. Initializing subgraphs assign constants; anything else there is refused. */
#include <string.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"

static status any(emu_node *n, err *e)
{
    (void)n;
    (void)e;
    return ST_OK;
}

static void nothing(emu_node *n, emu_events *ev)
{
    (void)n;
    (void)ev;
}

void emu_row_var_handle(emu_kernel *row) { *row = (emu_kernel){.prepare = any, .run = nothing}; }

/* The variable behind resource tensor t: that of the VAR_HANDLE which produces it. */
static int variable_of(const model_subgraph *g, int t)
{
    for (int i = 0; i < g->n_ops; i++) {
        if (g->ops[i].code == MODEL_VAR_HANDLE && g->ops[i].outputs[0] == t) return g->ops[i].attrs.variable;
    }
    return -1;
}

/* Finds the variable and checks that `value` has its type and size. */
static status bind(emu_node *n, const model_tensor *value, err *e)
{
    int *v = n->state = arena_alloc(n->mem, 1, sizeof *v);
    if (!v) return emu_no_memory(n, e);
    *v = variable_of(n->sub, n->op->inputs[0]);
    if (*v < 0 || !n->variables[*v]) return emu_fail(n, e, ST_FORMAT, "its handle comes from no VAR_HANDLE");
    const model_tensor *t = &n->sub->tensors[n->graph->variables[*v].tensor];
    if (t->dtype != value->dtype || t->n_elems != value->n_elems)
        return emu_fail(n, e, ST_FORMAT, "variable %s is used with two types or sizes", n->graph->variables[*v].name);
    return ST_OK;
}

static status prepare_read(emu_node *n, err *e) { return bind(n, emu_out(n, 0), e); }

static void run_read(emu_node *n, emu_events *ev)
{
    (void)ev;
    memcpy(emu_out_data(n, 0), n->variables[*(const int *)n->state], model_tensor_bytes(emu_out(n, 0)));
}

void emu_row_read_variable(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_read, .run = run_read}; }

static status prepare_assign(emu_node *n, err *e) { return bind(n, emu_in(n, 1), e); }

static void run_assign(emu_node *n, emu_events *ev)
{
    (void)ev;
    memcpy(n->variables[*(const int *)n->state], emu_in_data(n, 1), model_tensor_bytes(emu_in(n, 1)));
}

void emu_row_assign_variable(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_assign, .run = run_assign}; }

typedef struct once_state {
    bool done;
} once_state;

/* The constant that op, an ASSIGN_VARIABLE of subgraph g, writes into variable *v; NULL if it is none. */
static const model_tensor *assigned(const model_subgraph *g, const model_op *op, int *v)
{
    if (op->code != MODEL_ASSIGN_VARIABLE || op->n_inputs != 2 || op->inputs[0] < 0 || op->inputs[1] < 0) return NULL;
    *v = variable_of(g, op->inputs[0]);
    return *v >= 0 && g->tensors[op->inputs[1]].data ? &g->tensors[op->inputs[1]] : NULL;
}

static status prepare_once(emu_node *n, err *e)
{
    const model_subgraph *init = &n->graph->subgraphs[n->op->attrs.init_subgraph];
    n->state = arena_alloc(n->mem, 1, sizeof(once_state));
    if (!n->state) return emu_no_memory(n, e);
    for (int i = 0; i < init->n_ops; i++) {
        int v;
        if (init->ops[i].code == MODEL_VAR_HANDLE) continue;
        const model_tensor *value = assigned(init, &init->ops[i], &v);
        if (!value) return emu_fail(n, e, ST_UNSUPPORTED, "subgraph %d does more than assign constants (%s)", n->op->attrs.init_subgraph, init->ops[i].type);
        int t = n->graph->variables[v].tensor;
        if (t >= 0 && model_tensor_bytes(&n->sub->tensors[t]) != model_tensor_bytes(value))
            return emu_fail(n, e, ST_FORMAT, "variable %s is initialized with another size", n->graph->variables[v].name);
    }
    return ST_OK;
}

static void run_once(emu_node *n, emu_events *ev)
{
    const model_subgraph *init = &n->graph->subgraphs[n->op->attrs.init_subgraph];
    once_state *s = n->state;
    (void)ev;
    for (int i = 0; i < init->n_ops && !s->done; i++) {
        int v;
        const model_tensor *value = assigned(init, &init->ops[i], &v);
        if (value && n->variables[v]) memcpy(n->variables[v], value->data, model_tensor_bytes(value));
    }
    s->done = true;
}

static void reset_once(emu_node *n, emu_events *ev)
{
    (void)ev;
    ((once_state *)n->state)->done = false;
}

void emu_row_call_once(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare_once, .run = run_once, .reset = reset_once}; }
