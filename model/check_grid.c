/* SPDX-License-Identifier: Apache-2.0
 * What a layer's weight codes mean: widths that the grid has, codes in its range, tables that go with it. */
#include "model/check.h"

static status bad(err *e, const char *what) { return err_set(e, ST_FORMAT, "", "%s", what); }

static int32_t code_at(const model_tensor *t, size_t i)
{
    if (t->dtype == MODEL_I16) return ((const int16_t *)t->data)[i];
    return t->dtype == MODEL_U8 ? ((const uint8_t *)t->data)[i] : ((const int8_t *)t->data)[i];
}

/* Every code of t, as one of width k. */
static status codes(const model_op *op, const quant_grid *g, const model_tensor *t, int k, err *e)
{
    int low, high, least, most;
    quant_grid_widths(g, &least, &most);
    if (k < least || k > most) {
        if (least == most) return err_set(e, ST_FORMAT, "", "weights '%s' have %d bits; grid %s has %d", t->name, k, quant_grid_names[g->kind], least);
        return err_set(e, ST_FORMAT, "", "weights '%s' have %d bits; grid %s has %d to %d", t->name, k, quant_grid_names[g->kind], least, most);
    }
    quant_grid_codes(g, model_codes_unsigned(op, t), k, &low, &high);
    for (size_t i = 0; i < t->n_elems; i++) {
        int32_t c = code_at(t, i);
        if (c < low || c > high)
            return err_set(e, ST_FORMAT, "", "weights '%s', element %zu: code %d; %d bits of grid %s are %d to %d", t->name, i, c, k, quant_grid_names[g->kind], low, high);
    }
    for (int i = 0; g->kind != QUANT_AFFINE && i < t->n_scales; i++) {
        if (t->zero_point[i]) return err_set(e, ST_FORMAT, "", "weights '%s' have a zero point; grid %s has none", t->name, quant_grid_names[g->kind]);
    }
    return ST_OK;
}

/* The arrays that hold weights, each at the width it is stored in. */
static status stored(const model_graph *g, const model_subgraph *sub, const model_op *op, const quant_grid *grid, err *e)
{
    const model_weights *m = op->weights;
    const model_choice *ch = op->choice >= 0 && op->choice < g->n_choices ? &g->choices[op->choice] : NULL;
    if (!m || !ch) return codes(op, grid, &sub->tensors[op->inputs[1]], sub->tensors[op->inputs[1]].bits, e);
    bool nested = m->nesting != MODEL_SEPARATE;
    if (nested && grid->kind != QUANT_AFFINE && grid->kind != QUANT_ODD) return err_set(e, ST_FORMAT, "", "codes of grid %s do not nest; store them separately", quant_grid_names[grid->kind]);
    for (int i = 0; i < m->n; i++) {
        int k = nested ? m->bits : i < ch->n_candidates ? ch->candidates[i].w_bits : 0;
        if (k) TRY(codes(op, grid, &sub->tensors[m->tensor[i]], k, e)); /* how many there are is check.c's */
    }
    return ST_OK;
}

static status binary_input(const model_subgraph *sub, const model_op *op, err *e)
{
    const model_tensor *x = &sub->tensors[op->inputs[0]];
    if (op->grid->weights.kind != QUANT_BINARY) return bad(e, "a binary input goes with binary weights");
    if (x->bits != 1 || x->dtype == MODEL_I16) return err_set(e, ST_FORMAT, "", "input '%s' has %d bits; a binary one has 1", x->name, x->bits);
    for (int i = 0; op->integer->in_zero && i < op->integer->n_entries; i++) {
        if (op->integer->in_zero[i]) return bad(e, "a binary input has no zero point");
    }
    return ST_OK;
}

status model_check_grid(const model_graph *g, const model_subgraph *sub, const model_op *op, err *e)
{
    static const quant_grid affine = {.kind = QUANT_AFFINE};
    const model_integer *t = op->integer;
    const quant_grid *grid = op->grid ? &op->grid->weights : &affine;
    if (op->grid && !t) return bad(e, "a layer with a grid states its integers");
    if (!t) return ST_OK;
    bool two = grid->kind == QUANT_TERNARY2;
    if (two != (t->multiplier_n != NULL)) return bad(e, two ? "grid ternary2 needs multiplier, multiplier_n and shift" : "multiplier_n belongs to grid ternary2");
    if (two && (t->bias || t->bias64)) return bad(e, "grid ternary2 has no bias; state it as addend, at the scale of the products");
    for (int i = 0; two && i < t->n_entries * t->n_channels; i++) {
        if (t->multiplier[i] < 0 || t->multiplier_n[i] < 0) return bad(e, "a negative multiplier");
    }
    if (op->grid && op->grid->binary_input) TRY(binary_input(sub, op, e));
    return stored(g, sub, op, grid, e);
}
