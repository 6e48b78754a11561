/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/codes.h"

#include "emu/ref/common.h"

int emu_writer_of(const model_subgraph *sub, int t)
{
    for (int i = 0; i < sub->n_ops; i++) {
        for (int k = 0; k < sub->ops[i].n_outputs; k++) {
            if (sub->ops[i].outputs[k] == t) return i;
        }
    }
    return -1;
}

/* Candidates behind an entry, one a key; the number of keys. */
static int keys_of(const model_graph *g, const model_op *op, int entry, int candidate[MODEL_MAX_KEYS])
{
    const model_integer *t = op->integer;
    for (int k = t ? t->n_keys - 1 : -1; k >= 0; k--) {
        candidate[k] = entry % g->choices[t->key[k]].n_candidates;
        entry /= g->choices[t->key[k]].n_candidates;
    }
    return t ? t->n_keys : 0;
}

bool emu_entry_allowed(const model_graph *g, const model_op *op, int entry, const int *taken)
{
    const model_integer *t = op->integer;
    int candidate[MODEL_MAX_KEYS] = {0}, n = keys_of(g, op, entry, candidate);
    for (int k = 0; k < n; k++) {
        int now = taken ? taken[t->key[k]] : EMU_FREE;
        if (now != EMU_FREE && now != candidate[k]) return false;
        for (int j = 0; j < k; j++) {
            if (t->key[j] == t->key[k] && candidate[j] != candidate[k]) return false;
        }
    }
    return true;
}

void emu_entry_take(const model_graph *g, const model_op *op, int entry, int *taken)
{
    int candidate[MODEL_MAX_KEYS] = {0}, n = keys_of(g, op, entry, candidate);
    for (int k = 0; k < n; k++) taken[op->integer->key[k]] = candidate[k];
}

static void add(emu_codes *out, int *n, emu_codes one)
{
    for (int i = 0; i < *n; i++) {
        if (out[i].low == one.low && out[i].high == one.high) return;
    }
    if (*n < EMU_MAX_CODES) out[(*n)++] = one;
}

static emu_codes hull(emu_codes a, emu_codes b) { return (emu_codes){a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high}; }

static emu_codes type_range(const model_tensor *t)
{
    emu_codes r;
    emu_code_range(t, &r.low, &r.high);
    return r;
}

static emu_codes declared(const model_tensor *t) /* a network input: its significant bits */
{
    emu_codes r = type_range(t);
    if (t->bits >= (int)model_dtype_bytes(t->dtype) * 8) return r;
    if (t->dtype == MODEL_U8) return (emu_codes){0, (1 << t->bits) - 1};
    return (emu_codes){-(1 << (t->bits - 1)), (1 << (t->bits - 1)) - 1};
}

static emu_codes values(const model_tensor *t) /* of a constant */
{
    emu_codes r = {INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < t->n_elems; i++) r = hull(r, (emu_codes){emu_load(t, t->data, i), emu_load(t, t->data, i)});
    return t->n_elems ? r : type_range(t);
}

/* Clamps of the table entries of an operator that states its integers. */
static void stated(const emu_node *n, const int *taken, emu_codes *out, int *count)
{
    const model_integer *t = n->op->integer;
    for (int i = 0; i < t->n_entries; i++) {
        emu_codes r = type_range(emu_out(n, 0));
        if (!emu_entry_allowed(n->graph, n->op, i, taken)) continue;
        if (t->out_min) r.low = t->out_min[i];
        if (t->out_max) r.high = t->out_max[i];
        if (n->profile->habits & EMU_UNSIGNED_PAIRS && -r.high - 1 < r.low) r.low = -r.high - 1; /* low bits of an unsigned clip */
        add(out, count, r);
    }
}

static status moved(emu_session *s, const emu_node *n, const int *taken, emu_codes *out, int *count, err *e)
{
    int inputs = n->op->code == MODEL_CONCATENATION || n->op->code == MODEL_PACK ? n->op->n_inputs : 1;
    TRY(emu_codes_of(s, n->op->inputs[0], taken, out, count, e));
    if (inputs == 1 && n->op->code != MODEL_PAD) return ST_OK;
    if (n->op->code == MODEL_PAD) {
        int32_t zero = emu_zero(emu_out(n, 0));
        for (int i = 0; i < *count; i++) out[i] = hull(out[i], (emu_codes){zero, zero});
        return ST_OK;
    }
    emu_codes all = out[0];
    for (int k = 0; k < inputs; k++) {
        TRY(emu_codes_of(s, n->op->inputs[k], taken, out, count, e));
        for (int i = 0; i < *count; i++) all = hull(all, out[i]);
    }
    out[0] = all;
    *count = 1;
    return ST_OK;
}

static status pooled(emu_session *s, const emu_node *n, const int *taken, emu_codes *out, int *count, err *e)
{
    emu_codes clamp = type_range(emu_out(n, 0));
    if (n->profile->habits & EMU_POOL_FIRST_IMAGE && emu_out(n, 0)->dims[0] > 1) { /* the others keep what was there */
        out[0] = clamp;
        *count = 1;
        return ST_OK;
    }
    TRY(emu_codes_of(s, n->op->inputs[0], taken, out, count, e));
    if (n->op->integer && n->op->integer->out_min) clamp.low = n->op->integer->out_min[0];
    if (n->op->integer && n->op->integer->out_max) clamp.high = n->op->integer->out_max[0];
    if (!n->op->integer && emu_out(n, 0)->n_scales) TRY(emu_activation_range(n, emu_out(n, 0), &clamp.low, &clamp.high, e));
    for (int i = 0; i < *count; i++) {
        out[i].low = out[i].low < clamp.low ? clamp.low : out[i].low > clamp.high ? clamp.high : out[i].low;
        out[i].high = out[i].high > clamp.high ? clamp.high : out[i].high < clamp.low ? clamp.low : out[i].high;
    }
    return ST_OK;
}

status emu_codes_of(emu_session *s, int t, const int *taken, emu_codes *out, int *n, err *e)
{
    const model_subgraph *sub = emu_session_node(s, 0)->sub;
    const model_tensor *x = &sub->tensors[t];
    int op = emu_writer_of(sub, t);
    *n = 0;
    if (x->n_elems == 0) {
        add(out, n, type_range(x));
        return ST_OK;
    }
    if (x->data) {
        add(out, n, values(x));
        return ST_OK;
    }
    for (int i = 0; i < sub->n_inputs; i++) {
        if (sub->inputs[i] != t) continue;
        add(out, n, declared(x));
        return ST_OK;
    }
    const emu_node *w = op >= 0 ? emu_session_node(s, op) : NULL;
    emu_codes clamp = type_range(x);
    switch (w && !x->is_variable ? w->op->code : MODEL_UNSUPPORTED) {
    case MODEL_RESHAPE: case MODEL_TRANSPOSE: case MODEL_STRIDED_SLICE: case MODEL_TILE: case MODEL_PAD: case MODEL_CONCATENATION: case MODEL_PACK:
        return moved(s, w, taken, out, n, e);
    case MODEL_AVERAGE_POOL_2D: case MODEL_MAX_POOL_2D: return pooled(s, w, taken, out, n, e);
    case MODEL_CONV_2D: case MODEL_DEPTHWISE_CONV_2D: case MODEL_FULLY_CONNECTED: case MODEL_ADD: case MODEL_MUL: case MODEL_QUANTIZE:
        if (w->op->integer) {
            stated(w, taken, out, n);
        } else {
            if (x->n_scales) TRY(emu_activation_range(w, x, &clamp.low, &clamp.high, e));
            add(out, n, clamp);
        }
        return ST_OK;
    default: break;
    }
    add(out, n, clamp);
    return ST_OK;
}
