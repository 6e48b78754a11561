/* SPDX-License-Identifier: Apache-2.0 */
#include "model/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/load.h"

static const size_t MAX_ACTIVATIONS = (size_t)1 << 30; /* bytes of all computed tensors */

static status at_op(const model_graph *g, int sub, int i, status s, err *e)
{
    const model_op *op = &g->subgraphs[sub].ops[i];
    if (s == ST_OK) return s;
    if (sub)
        err_at(e, "%.80s:subgraph %d op %d %s", g->path, sub, i, op->type);
    else
        err_at(e, "%.80s:op %d %s (%.40s)", g->path, i, op->type, op->name);
    return s;
}

/* Every unsupported operator of the file, each type once with its count and first place. */
static status unsupported(const model_graph *g, err *e)
{
    char list[640] = "";
    size_t at = 0;
    int total = 0;
    for (int s = 0; s < g->n_subgraphs; s++) {
        const model_subgraph *sub = &g->subgraphs[s];
        for (int i = 0; i < sub->n_ops; i++) {
            if (sub->ops[i].code != MODEL_UNSUPPORTED) continue;
            int count = 0, first = i;
            for (int k = 0; k < sub->n_ops; k++) {
                if (sub->ops[k].code != MODEL_UNSUPPORTED || strcmp(sub->ops[k].type, sub->ops[i].type) != 0) continue;
                if (count++ == 0) first = k;
            }
            total++;
            if (first == i && at + 80 < sizeof list)
                at += (size_t)snprintf(list + at, sizeof list - at, "%s%.40s x%d (first at op %d)", at ? ", " : "", sub->ops[i].type, count, i);
        }
    }
    return total ? err_set(e, ST_UNSUPPORTED, g->path, "%d unsupported operators: %s", total, list) : ST_OK;
}

/* Inputs are constants, network inputs, variables, or produced before; nothing is produced twice, no constant overwritten. */
static status check_order(const model_graph *g, int s, err *e)
{
    const model_subgraph *sub = &g->subgraphs[s];
    unsigned char *ready = calloc((size_t)sub->n_tensors + 1, 1);
    status st = ready ? ST_OK : err_set(e, ST_NOMEM, g->path, "no memory");
    for (int t = 0; ready && t < sub->n_tensors; t++) ready[t] = sub->tensors[t].data || sub->tensors[t].is_variable;
    for (int i = 0; ready && i < sub->n_inputs; i++) {
        if (sub->tensors[sub->inputs[i]].data) st = err_set(e, ST_FORMAT, g->path, "network input '%s' is a constant", sub->tensors[sub->inputs[i]].name);
        ready[sub->inputs[i]] = 1;
    }
    for (int i = 0; st == ST_OK && i < sub->n_ops; i++) {
        const model_op *op = &sub->ops[i];
        for (int k = 0; st == ST_OK && k < op->n_inputs; k++) {
            if (op->inputs[k] >= 0 && !ready[op->inputs[k]])
                st = err_set(e, ST_FORMAT, "", "its input '%s' has not been computed yet", sub->tensors[op->inputs[k]].name);
        }
        for (int k = 0; st == ST_OK && k < op->n_outputs; k++) {
            if (ready[op->outputs[k]]) st = err_set(e, ST_FORMAT, "", "its output '%s' already has a value", sub->tensors[op->outputs[k]].name);
            ready[op->outputs[k]] = 1;
        }
        if (st != ST_OK) st = at_op(g, s, i, st, e);
    }
    for (int i = 0; st == ST_OK && i < sub->n_outputs; i++) {
        if (!ready[sub->outputs[i]]) st = err_set(e, ST_FORMAT, g->path, "network output '%s' is never computed", sub->tensors[sub->outputs[i]].name);
    }
    free(ready);
    return st;
}

static status check_size(const model_graph *g, err *e)
{
    size_t sum = 0;
    const model_subgraph *sub = &g->subgraphs[0];
    for (int t = 0; t < sub->n_tensors; t++) {
        size_t n = sub->tensors[t].data ? 0 : model_tensor_bytes(&sub->tensors[t]);
        if (n > MAX_ACTIVATIONS - sum) return err_set(e, ST_UNSUPPORTED, g->path, "the activations need more than 1 GiB");
        sum += n;
    }
    return ST_OK;
}

static status check_choice(const model_graph *g, const model_choice *ch, err *e)
{
    const model_subgraph *sub = &g->subgraphs[0];
    bool any = false;
    if (ch->n_candidates < 1 || ch->n_candidates > MODEL_MAX_CANDIDATES)
        return err_set(e, ST_FORMAT, g->path, "choice '%s' has %d candidates; 1 to %d", ch->name, ch->n_candidates, MODEL_MAX_CANDIDATES);
    for (int k = 0; k < ch->n_candidates; k++) {
        const model_candidate *c = &ch->candidates[k];
        if (c->w_bits < 0 || c->w_bits > 8 || c->a_bits < 0 || c->a_bits > 8 || (c->w_bits == 0) != (c->a_bits == 0))
            return err_set(e, ST_FORMAT, g->path, "choice '%s', candidate %d: widths are 1 to 8 bits, or 0 of both: the layer is skipped", ch->name, k);
        any = any || c->w_bits;
    }
    if (!any) return err_set(e, ST_FORMAT, g->path, "choice '%s' skips its layers whatever is decided", ch->name);
    if (ch->tensor < 0) return ST_OK;
    const model_tensor *t = &sub->tensors[ch->tensor];
    bool integer = t->dtype == MODEL_I8 || t->dtype == MODEL_U8 || t->dtype == MODEL_I16 || t->dtype == MODEL_I32 || t->dtype == MODEL_I64;
    if (!integer || ch->element < 0 || (size_t)ch->element >= t->n_elems)
        return err_set(e, ST_FORMAT, g->path, "choice '%s': its decision must be an element of an integer tensor", ch->name);
    return ST_OK;
}

/* The decision of every choice that op needs must be computed before op. */
static status check_decided(const model_graph *g, int op_index, int choice, err *e)
{
    const model_subgraph *sub = &g->subgraphs[0];
    if (choice < 0 || choice >= g->n_choices) return err_set(e, ST_FORMAT, "", "it is bound to choice %d of %d", choice, g->n_choices);
    int t = g->choices[choice].tensor;
    if (t < 0 || sub->tensors[t].data) return ST_OK;
    for (int i = 0; i < op_index; i++) {
        for (int k = 0; k < sub->ops[i].n_outputs; k++) {
            if (sub->ops[i].outputs[k] == t) return ST_OK;
        }
    }
    return err_set(e, ST_FORMAT, "", "the decision for choice '%s' is not computed before it", g->choices[choice].name);
}

static status check_binding(const model_graph *g, int i, err *e)
{
    const model_op *op = &g->subgraphs[0].ops[i];
    const model_integer *t = op->integer;
    const model_weights *w = op->weights;
    int64_t entries = 1;
    bool mac = op->code == MODEL_CONV_2D || op->code == MODEL_DEPTHWISE_CONV_2D || op->code == MODEL_FULLY_CONNECTED;
    if ((w || op->choice >= 0) && !mac) return err_set(e, ST_UNSUPPORTED, "", "choices belong to convolutions and fully connected layers");
    if (t && t->n_keys && !mac && op->code != MODEL_QUANTIZE && op->code != MODEL_ADD)
        return err_set(e, ST_UNSUPPORTED, "", "integer tables by choice belong to convolutions, fully connected layers, QUANTIZE and ADD");
    if (op->accumulator.bits && !mac) return err_set(e, ST_UNSUPPORTED, "", "accumulators are stated for convolutions and fully connected layers");
    if (op->accumulator.bits && !model_accumulator_bits_ok(op->accumulator.bits))
        return err_set(e, ST_FORMAT, "", "an accumulator of %d bits; 8 to 32, or 64", op->accumulator.bits);
    if (op->choice >= 0) TRY(check_decided(g, i, op->choice, e));
    for (int k = 0; t && k < t->n_keys; k++) {
        TRY(check_decided(g, i, t->key[k], e));
        entries *= g->choices[t->key[k]].n_candidates;
    }
    if (t && (t->n_keys > MODEL_MAX_KEYS || entries != t->n_entries)) return err_set(e, ST_FORMAT, "", "its tables have %d entries, its keys give %lld", t->n_entries, (long long)entries);
    for (int k = 0; op->choice >= 0 && k < g->choices[op->choice].n_candidates; k++) {
        if (g->choices[op->choice].candidates[k].w_bits) continue;
        if (!t) return err_set(e, ST_FORMAT, "", "a layer that may be skipped (0 bits) states its arithmetic in `integer`");
        if (w && w->nesting == MODEL_SEPARATE) return err_set(e, ST_UNSUPPORTED, "", "a layer that may be skipped (0 bits) with separate weights; nest them");
    }
    if (!w) return ST_OK;
    if (op->choice < 0) return err_set(e, ST_FORMAT, "", "weights by candidate need a choice");
    const model_choice *ch = &g->choices[op->choice];
    if (w->n != (w->nesting == MODEL_SEPARATE ? ch->n_candidates : 1)) return err_set(e, ST_FORMAT, "", "%d weight arrays for %d candidates", w->n, ch->n_candidates);
    for (int k = 0; k < ch->n_candidates; k++) {
        if (w->nesting != MODEL_SEPARATE && (w->bits < ch->candidates[k].w_bits || w->bits > 8)) return err_set(e, ST_FORMAT, "", "a candidate of %d bits from a master of %d", ch->candidates[k].w_bits, w->bits);
    }
    return ST_OK;
}

status model_check(const model_graph *g, err *e)
{
    TRY(unsupported(g, e));
    for (int c = 0; c < g->n_choices; c++) TRY(check_choice(g, &g->choices[c], e));
    for (int s = 0; s < g->n_subgraphs; s++) {
        for (int i = 0; i < g->subgraphs[s].n_ops; i++) {
            TRY(at_op(g, s, i, model_check_op(g, &g->subgraphs[s], &g->subgraphs[s].ops[i], e), e));
            if (s == 0) TRY(at_op(g, s, i, check_binding(g, i, e), e));
        }
        TRY(check_order(g, s, e));
    }
    if (g->subgraphs[0].n_outputs < 1) return err_set(e, ST_FORMAT, g->path, "the network has no outputs");
    return check_size(g, e);
}
