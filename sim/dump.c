/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/dump.h"

#include <stdio.h>

struct sim_dump {
    const sim_setup *s;
    npz_writer *zip;
    int crc, decisions;  /* member handles */
    int *outputs;        /* [n_outputs] */
    int *tensors;        /* [n_ops] */
};

static npy_type npy_of(model_dtype t)
{
    switch (t) {
    case MODEL_F32: return NPY_F32;
    case MODEL_I8: return NPY_I8;
    case MODEL_U8: return NPY_U8;
    case MODEL_I16: return NPY_I16;
    case MODEL_I32: return NPY_I32;
    case MODEL_I64: return NPY_I64;
    case MODEL_BOOL: case MODEL_RESOURCE: break;
    }
    return NPY_BOOL;
}

/* A member of one row per input; a row has the tensor's shape. */
static status add_tensor(sim_dump *d, const char *name, const model_tensor *t, int *member, err *e)
{
    npy_info info = {.type = npy_of(t->dtype), .n_dims = t->n_dims + 1};
    info.dims[0] = -1;
    for (int i = 0; i < t->n_dims; i++) info.dims[i + 1] = t->dims[i];
    return npz_add(d->zip, name, &info, member, e);
}

static status add_columns(sim_dump *d, err *e)
{
    const model_subgraph *g = &d->s->graph->subgraphs[0];
    int op_member, tensor_member;
    npy_info info = {.type = NPY_I32, .n_dims = 1};
    info.dims[0] = -1;
    TRY(npz_add(d->zip, "crc_op", &info, &op_member, e));
    TRY(npz_add(d->zip, "crc_tensor", &info, &tensor_member, e));
    int64_t n = 0;
    for (int32_t op = 0; op < g->n_ops; op++) {
        if (!sim_op_traced(d->s, op)) continue;
        int32_t tensor = g->ops[op].outputs[0];
        TRY(npz_put(d->zip, op_member, &op, sizeof op, e));
        TRY(npz_put(d->zip, tensor_member, &tensor, sizeof tensor, e));
        n++;
    }
    info = (npy_info){.type = NPY_U32, .n_dims = 2};
    info.dims[0] = -1;
    info.dims[1] = n;
    TRY(npz_add(d->zip, "crc", &info, &d->crc, e));
    if (!d->s->dynamic) return ST_OK;
    info = (npy_info){.type = NPY_I32, .n_dims = 2};
    info.dims[0] = -1;
    info.dims[1] = d->s->graph->n_choices;
    return npz_add(d->zip, "decisions", &info, &d->decisions, e);
}

static status add_members(sim_dump *d, arena *a, err *e)
{
    const model_subgraph *g = &d->s->graph->subgraphs[0];
    char name[32];
    d->outputs = arena_alloc(a, (size_t)g->n_outputs, sizeof *d->outputs);
    d->tensors = arena_alloc(a, (size_t)g->n_ops, sizeof *d->tensors);
    if (!d->outputs || !d->tensors) return err_set(e, ST_NOMEM, "", "no memory");
    for (int i = 0; i < g->n_outputs; i++) {
        (void)snprintf(name, sizeof name, "out%d", i);
        TRY(add_tensor(d, name, &g->tensors[g->outputs[i]], &d->outputs[i], e));
    }
    TRY(add_columns(d, e));
    for (int op = 0; d->s->keep_tensors && op < g->n_ops; op++) {
        if (!sim_op_traced(d->s, op)) continue;
        (void)snprintf(name, sizeof name, "t%d", op);
        TRY(add_tensor(d, name, &g->tensors[g->ops[op].outputs[0]], &d->tensors[op], e));
    }
    return ST_OK;
}

status sim_dump_create(const sim_setup *s, const char *path, arena *a, sim_dump **out, err *e)
{
    sim_dump *d = arena_alloc(a, 1, sizeof *d);
    *out = NULL;
    if (!d) return err_set(e, ST_NOMEM, path, "no memory");
    d->s = s;
    TRY(npz_create(path, &d->zip, e));
    status st = add_members(d, a, e);
    if (st != ST_OK)
        npz_discard(&d->zip);
    else
        *out = d;
    return st;
}

static status put_row(void *ctx, int64_t index, const char *name, const sim_row *row, err *e)
{
    sim_dump *d = ctx;
    const model_subgraph *g = &d->s->graph->subgraphs[0];
    size_t at = 0, kept = 0;
    (void)index;
    (void)name;
    for (int i = 0; i < g->n_outputs; i++) {
        size_t n = model_tensor_bytes(&g->tensors[g->outputs[i]]);
        TRY(npz_put(d->zip, d->outputs[i], row->output + at, n, e));
        at += n;
    }
    for (int op = 0; op < g->n_ops; op++) {
        if (!sim_op_traced(d->s, op)) continue;
        TRY(npz_put(d->zip, d->crc, &row->layers[op].crc, sizeof row->layers[op].crc, e));
        if (!d->s->keep_tensors) continue;
        size_t n = model_tensor_bytes(&g->tensors[g->ops[op].outputs[0]]);
        TRY(npz_put(d->zip, d->tensors[op], row->tensors + kept, n, e));
        kept += n;
    }
    for (int32_t c = 0; c < d->s->graph->n_choices; c++) {
        int32_t k = row->candidate[c];
        TRY(npz_put(d->zip, d->decisions, &k, sizeof k, e));
    }
    return ST_OK;
}

sim_sink sim_dump_sink(sim_dump *d) { return (sim_sink){d, put_row}; }
status sim_dump_commit(sim_dump *d, err *e) { return npz_commit(&d->zip, e); }

void sim_dump_discard(sim_dump *d)
{
    if (d && d->zip) npz_discard(&d->zip);
}
