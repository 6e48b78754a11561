/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/plan.c - memory: which buffers live when, what constants take. Where buffers lie: place.c; scratch of kernels: plan_scratch.c.
 * Sizes are rounded up to 16 as TensorFlow Lite Micro's; inputs live from the start, outputs to the end, RESHAPE copies. */
#include <string.h>

#include "hwmodels/huffman.h"
#include "hwmodels/layer.h"
#include "hwmodels/place.h"
#include "hwmodels/plan_scratch.h"
#include "hwmodels/tflm_arena.h"

/* Multipliers int32; shifts int8 where the model states them (native), else int32 as TFLM keeps them; zero points and clamps
 * int32 (in_zero, out_zero, out_min, out_max). */
enum { MULTIPLIER_BYTES = 4, SHIFT_BYTES = 1, TFLM_SHIFT_BYTES = 4, BIAS_BYTES = 4, LIMITS_BYTES = 16 };

static status packed_bytes(const model_tensor *t, int bits, size_t *out, err *e)
{
    if (t->dtype == MODEL_RESOURCE) {
        *out = 0;
        return ST_OK;
    }
    if (bits <= 0) bits = t->bits > 0 ? t->bits : (int)(8 * model_dtype_bytes(t->dtype));
    if (t->n_elems > SIZE_MAX / 256)
        return err_set(e, ST_UNSUPPORTED, t->name, "tensor is too large for any board: %zu elements", t->n_elems);
    *out = (t->n_elems * (size_t)bits + 7) / 8;
    return ST_OK;
}

static status add_bytes(size_t *sum, size_t x, err *e)
{
    if (x > SIZE_MAX / 4 || *sum > SIZE_MAX / 4)
        return err_set(e, ST_UNSUPPORTED, "memory plan", "sizes add up to more than any board has");
    *sum += x;
    return ST_OK;
}

static bool planned(const model_subgraph *s, int t)
{
    return t >= 0 && t < s->n_tensors && !s->tensors[t].data && !s->tensors[t].is_variable &&
           s->tensors[t].dtype != MODEL_RESOURCE;
}

typedef struct life {
    int first, last; /* -1 = not used */
} life;

static void touch(const model_subgraph *s, life *lives, int t, int op)
{
    if (!planned(s, t)) return;
    if (lives[t].first < 0) lives[t].first = op;
    if (lives[t].last < op) lives[t].last = op;
}

static void find_lives(const model_subgraph *s, life *lives)
{
    for (int i = 0; i < s->n_tensors; i++) lives[i].first = lives[i].last = -1;
    for (int i = 0; i < s->n_inputs; i++) touch(s, lives, s->inputs[i], 0);
    for (int i = 0; i < s->n_ops; i++) {
        const model_op *op = &s->ops[i];
        for (int k = 0; k < op->n_inputs; k++) touch(s, lives, op->inputs[k], i);
        for (int k = 0; k < op->n_outputs; k++) touch(s, lives, op->outputs[k], i);
    }
    for (int i = 0; i < s->n_outputs; i++) touch(s, lives, s->outputs[i], s->n_ops ? s->n_ops - 1 : 0);
}

static status add_scratch(const model_graph *g, const hw_plan_config *c, const hw_library *lib, hw_plan *p, size_t *sum, arena *a, err *e)
{
    p->kernels = lib->name;
    for (int i = 0; i < g->subgraphs[0].n_ops; i++) {
        hw_buffer *b = &p->buffers[p->n_buffers];
        TRY(hw_scratch_buffer(g, lib, i, c->candidate, b, a, e));
        if (!b->bytes) continue;
        TRY(add_bytes(sum, hw_align(b->bytes), e));
        p->n_buffers++;
    }
    return ST_OK;
}

/* Widest that any reader takes tensor t at under fixed candidates; 0: as the tensor says. */
static int read_bits(const model_graph *g, const int *candidate, int t)
{
    const model_subgraph *s = &g->subgraphs[0];
    int widest = 0;
    if (!candidate || s->tensors[t].bits > 8) return 0; /* sums wider than codes stay as they are */
    for (int i = 0; i < s->n_ops; i++) {
        for (int k = 0; k < s->ops[i].n_inputs; k++) {
            int w, a;
            if (s->ops[i].inputs[k] != t) continue;
            if (s->ops[i].choice < 0) return 0;
            hw_op_bits(g, i, candidate, &w, &a);
            if (a > widest) widest = a;
        }
    }
    return widest < s->tensors[t].bits ? widest : 0;
}

static status plan_activations(const model_graph *g, const hw_plan_config *c, arena *a, hw_plan *p, err *e)
{
    const model_subgraph *s = &g->subgraphs[0];
    life *lives = arena_alloc(a, (size_t)s->n_tensors, sizeof *lives);
    p->buffers = arena_alloc(a, (size_t)s->n_tensors + (size_t)s->n_ops, sizeof *p->buffers);
    if (!lives || !p->buffers) return err_set(e, ST_NOMEM, "memory plan", "out of memory");
    hw_library lib = {0};
    if (c->kernels) TRY(hw_library_parse(c->kernels, &lib, e));
    find_lives(s, lives);
    size_t sum = 0;
    for (int i = 0; i < s->n_tensors; i++) {
        size_t size = 0;
        if (lives[i].first < 0) continue;
        int bits = lib.family == HW_BITEMU ? (int)(8 * model_dtype_bytes(s->tensors[i].dtype)) : read_bits(g, c->candidate, i);
        TRY(packed_bytes(&s->tensors[i], bits, &size, e));
        if (!size) continue;
        TRY(add_bytes(&sum, hw_align(size), e));
        hw_buffer *b = &p->buffers[p->n_buffers++];
        *b = (hw_buffer){i, s->tensors[i].name, lives[i].first, lives[i].last, size, 0};
    }
    if (c->kernels) TRY(add_scratch(g, c, &lib, p, &sum, a, e));
    return hw_place(p, s->n_ops, c->planner, a, e);
}

/* State that outlives an input: variable tensors (LSTM, SVDF) and streaming variables. */
static status plan_state(const model_graph *g, hw_plan *p, err *e)
{
    const model_subgraph *s = &g->subgraphs[0];
    size_t size = 0;
    for (int i = 0; i < s->n_tensors; i++) {
        if (!s->tensors[i].is_variable || s->tensors[i].data) continue;
        TRY(packed_bytes(&s->tensors[i], 0, &size, e));
        TRY(add_bytes(&p->state_bytes, hw_align(size), e));
    }
    for (int i = 0; i < g->n_variables; i++) {
        int t = g->variables[i].tensor;
        if (t < 0 || t >= s->n_tensors || s->tensors[t].is_variable) continue;
        TRY(packed_bytes(&s->tensors[t], 0, &size, e));
        TRY(add_bytes(&p->state_bytes, hw_align(size), e));
    }
    return ST_OK;
}

static void widen(const model_subgraph *s, int *bits, int t, int width)
{
    if (t < 0 || t >= s->n_tensors || !s->tensors[t].data) return;
    if (width <= 0) width = s->tensors[t].bits > 0 ? s->tensors[t].bits : (int)(8 * model_dtype_bytes(s->tensors[t].dtype));
    if (width > bits[t]) bits[t] = width;
}

/* Widths at which op's constants are stored: nested weights once at the master's, separate ones each at its candidate's. */
static void constant_bits(const model_graph *g, const model_subgraph *s, const model_op *op, int *bits)
{
    const model_weights *w = op->weights;
    const model_choice *c = op->choice >= 0 && op->choice < g->n_choices ? &g->choices[op->choice] : NULL;
    for (int i = 0; i < op->n_inputs; i++) {
        bool master = false;
        for (int k = 0; w && k < w->n; k++) master = master || w->tensor[k] == op->inputs[i];
        if (!master) widen(s, bits, op->inputs[i], 0);
    }
    for (int k = 0; w && k < w->n; k++) {
        int own = c && k < c->n_candidates ? c->candidates[k].w_bits : 0;
        widen(s, bits, w->tensor[k], w->nesting == MODEL_SEPARATE ? own : w->bits);
    }
}

/* A constant of bytes Huffman coded on its own, or packed where that is smaller (hwmodels/huffman.h). */
static size_t coded_bytes(const model_tensor *t, int bits, size_t packed)
{
    uint64_t count[HW_HUFFMAN_CODES] = {0};
    if ((t->dtype != MODEL_I8 && t->dtype != MODEL_U8) || bits > 8) return packed;
    for (size_t i = 0; i < t->n_elems; i++) count[((const uint8_t *)t->data)[i]]++;
    uint64_t coded = (hw_huffman_bits(count, HW_HUFFMAN_CODES) + 7) / 8 + ((uint64_t)1 << bits);
    return coded < packed ? (size_t)coded : packed;
}

static status plan_weights(const model_graph *g, const model_subgraph *s, arena *a, hw_plan *p, err *e)
{
    int *bits = arena_alloc(a, (size_t)s->n_tensors, sizeof *bits);
    if (!bits) return err_set(e, ST_NOMEM, "memory plan", "out of memory");
    for (int i = 0; i < s->n_ops; i++) constant_bits(g, s, &s->ops[i], bits);
    for (int i = 0; i < s->n_tensors; i++) {
        size_t size = 0;
        if (!bits[i]) continue;
        TRY(packed_bytes(&s->tensors[i], bits[i], &size, e));
        TRY(add_bytes(&p->weight_bytes, size, e));
        TRY(add_bytes(&p->huffman_bytes, coded_bytes(&s->tensors[i], bits[i], size), e));
    }
    return ST_OK;
}

/* Output channels: bias length, and the dimension that per-channel scales run along. */
static size_t out_channels(const model_subgraph *s, const model_op *op)
{
    int t = op->weights && op->weights->n > 0 ? op->weights->tensor[0] : op->n_inputs > 1 ? op->inputs[1] : -1;
    if (t < 0 || t >= s->n_tensors) return 0;
    const model_tensor *w = &s->tensors[t];
    int axis = op->code == MODEL_DEPTHWISE_CONV_2D ? 3 : 0;
    return axis < w->n_dims ? (size_t)w->dims[axis] : 0;
}

/* A codebook's values, at one byte each if all fit int8. The terms of apot are shifts in the code, not data. */
static size_t grid_table_bytes(const model_op *op)
{
    const quant_grid *g = op->grid ? &op->grid->weights : NULL;
    size_t each = 1;
    if (!g || g->kind != QUANT_CODEBOOK) return 0;
    for (int i = 0; i < g->n_table; i++) {
        if (g->table[i] < INT8_MIN || g->table[i] > INT8_MAX) each = 2;
    }
    return (size_t)g->n_table * each;
}

static size_t op_table_bytes(const model_subgraph *s, const model_op *op)
{
    const model_integer *q = op->integer;
    if (q) {
        size_t per_entry = LIMITS_BYTES, channel = 0;
        if (q->multiplier) channel += MULTIPLIER_BYTES;
        if (q->multiplier_n) channel += MULTIPLIER_BYTES;
        if (q->shift) channel += SHIFT_BYTES;
        if (q->addend) channel += sizeof *q->addend;
        if (q->scale) channel += sizeof *q->scale;
        if (q->offset) channel += sizeof *q->offset;
        if (q->threshold) channel += sizeof *q->threshold;
        per_entry += (size_t)q->n_channels * channel;
        if (q->bias) per_entry += out_channels(s, op) * BIAS_BYTES;
        if (q->bias64) per_entry += out_channels(s, op) * sizeof *q->bias64;
        return (size_t)q->n_entries * per_entry + grid_table_bytes(op);
    }
    bool channels = op->code == MODEL_CONV_2D || op->code == MODEL_DEPTHWISE_CONV_2D || op->code == MODEL_FULLY_CONNECTED;
    int t = op->n_inputs > 1 ? op->inputs[1] : -1;
    if (!channels || t < 0 || t >= s->n_tensors || s->tensors[t].n_scales == 0) return 0;
    size_t n = op->code == MODEL_FULLY_CONNECTED ? (size_t)s->tensors[t].n_scales : out_channels(s, op);
    return n * (MULTIPLIER_BYTES + TFLM_SHIFT_BYTES);
}

status hw_plan_create(const model_graph *g, arena *a, hw_plan **out, err *e)
{
    return hw_plan_make(g, &(hw_plan_config){.planner = HW_GREEDY}, a, out, e);
}

status hw_plan_make(const model_graph *g, const hw_plan_config *c, arena *a, hw_plan **out, err *e)
{
    hw_plan *p = arena_alloc(a, 1, sizeof *p);
    if (!p) return err_set(e, ST_NOMEM, "memory plan", "out of memory");
    TRY(plan_activations(g, c, a, p, e));
    TRY(plan_state(g, p, e));
    for (int i = 0; i < g->n_subgraphs; i++) {
        const model_subgraph *s = &g->subgraphs[i];
        TRY(plan_weights(g, s, a, p, e));
        for (int k = 0; k < s->n_ops; k++) TRY(add_bytes(&p->table_bytes, op_table_bytes(s, &s->ops[k]), e));
    }
    p->tflm_tail_bytes = hw_tflm_tail(g, 4, c->kernels && strncmp(c->kernels, "cmsis-nn", 8) == 0 ? HW_TFLM_CMSIS_NN : HW_TFLM_REFERENCE);
    p->tflm_tail64_bytes = hw_tflm_tail(g, 8, HW_TFLM_REFERENCE);
    p->sram_bytes = p->arena_bytes + p->state_bytes;
    p->flash_bytes = p->weight_bytes + p->table_bytes;
    *out = p;
    return ST_OK;
}
