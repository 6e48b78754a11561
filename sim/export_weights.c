/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "device/weights.h"
#include "emu/kernels.h"
#include "sim/export_internal.h"

typedef struct shape { /* of the packed weights */
    size_t rows, length;
} shape;

static shape shape_of(const export_layer *l)
{
    size_t c = (size_t)l->q.out_c, d = (size_t)l->q.depth;
    return l->depthwise ? (shape){d, c} : (shape){c, d};
}

/* What the emulator multiplies by. */
static int number(const export_layer *l, int k, size_t row, size_t i)
{
    size_t c = l->depthwise ? i : row, tap = l->depthwise ? row : i;
    return l->q.weights[k][c * (size_t)l->q.lanes + tap];
}

static int container_of(int bits) { return bits <= 1 ? 1 : bits <= 2 ? 2 : bits <= 4 ? 4 : 8; }

static int element(const model_tensor *t, size_t i) { return t->dtype == MODEL_U8 ? ((const uint8_t *)t->data)[i] : ((const int8_t *)t->data)[i]; }

/* Low `container` bits of every code, in the row's order. t NULL: the numbers themselves. */
static status pack(const exporter *x, export_layer *l, int k, const model_tensor *t, err *e)
{
    dev_weights *w = &l->weights[k];
    shape s = shape_of(l);
    unsigned mask = (1u << w->container) - 1, unit = w->order == DEV_FLAT ? 8 : 32;
    w->row_bytes = (uint32_t)((s.length * w->container + unit - 1) / unit * (unit / 8));
    l->code_bytes[k] = s.rows * w->row_bytes;
    uint8_t *bytes = arena_alloc(x->a, l->code_bytes[k], 1);
    if (!bytes) return err_set(e, ST_NOMEM, l->op->name, "no memory");
    for (size_t r = 0; r < s.rows; r++) {
        for (size_t i = 0; i < s.length; i++) {
            unsigned code = (unsigned)(t ? element(t, r * s.length + i) : number(l, k, r, i)) & mask;
            uint32_t bit = dev_weight_bit(w->container, w->order, (uint32_t)i);
            bytes[r * w->row_bytes + bit / 8] |= (uint8_t)(code << bit % 8);
        }
    }
    w->codes = bytes;
    return ST_OK;
}

static bool proven(const export_layer *l, int k)
{
    const dev_weights *w = &l->weights[k];
    shape s = shape_of(l);
    for (size_t r = 0; r < s.rows; r++) {
        for (size_t i = 0; i < s.length; i++) {
            if (dev_weight_value(w, w->codes + r * w->row_bytes, (uint32_t)i) != number(l, k, r, i)) return false;
        }
    }
    return true;
}

static status values(const exporter *x, export_layer *l, int k, int width, err *e)
{
    if (!l->op->grid || l->op->grid->weights.kind == QUANT_AFFINE) return ST_OK;
    const quant_grid *g = &l->op->grid->weights;
    int8_t *v = arena_alloc(x->a, (size_t)1 << width, 1);
    int low, high;
    if (!v) return err_set(e, ST_NOMEM, l->op->name, "no memory");
    quant_grid_codes(g, l->weights[k].is_unsigned, width, &low, &high);
    for (int c = low; c <= high; c++) v[c & ((1 << width) - 1)] = (int8_t)quant_grid_value(g, width, c);
    l->weights[k].values = v;
    return ST_OK;
}

static status candidate(const exporter *x, export_layer *l, int k, err *e)
{
    static const uint8_t rules[] = {[MODEL_SEPARATE] = DEV_AS_STORED, [MODEL_NESTED_FLOOR] = DEV_FLOOR, [MODEL_NESTED_HALF_UP] = DEV_HALF_UP, [MODEL_NESTED_HALF_EVEN] = DEV_HALF_EVEN};
    const model_weights *mw = l->op->weights;
    bool nested = mw && mw->nesting != MODEL_SEPARATE;
    const model_tensor *t = &x->g->tensors[mw ? mw->tensor[nested ? 0 : k] : l->op->inputs[1]];
    int width = mw ? x->s->graph->choices[l->op->choice].candidates[k].w_bits : t->bits, stored = nested ? mw->bits : width;
    if (!width) width = stored; /* skipped: not read */
    uint8_t order = l->depthwise ? DEV_FLAT : x->row.order;
    dev_weights *w = &l->weights[k];
    if (t->dtype != MODEL_I8 && t->dtype != MODEL_U8) return err_set(e, ST_UNSUPPORTED, l->op->name, "weights of type %s", model_dtype_name(t->dtype));
    *w = (dev_weights){.container = (uint8_t)container_of(stored), .nesting = nested ? rules[mw->nesting] : DEV_AS_STORED, .drop = (uint8_t)(stored - width),
                       .is_unsigned = model_codes_unsigned(l->op, t), .width = (uint8_t)width, .order = order};
    TRY(values(x, l, k, width, e));
    TRY(pack(x, l, k, t, e));
    if (proven(l, k)) return ST_OK;
    *w = (dev_weights){.container = 8, .width = 8, .order = order}; /* weights with a zero point: the numbers themselves, if a byte holds them */
    TRY(pack(x, l, k, NULL, e));
    return proven(l, k) ? ST_OK : err_set(e, ST_UNSUPPORTED, l->op->name, "weights less their zero point do not fit a byte");
}

status export_weights_pack(const exporter *x, export_layer *l, err *e)
{
    for (int k = 0; k < l->n_candidates; k++) {
        TRY(candidate(x, l, k, e));
        l->same_codes[k] = k;
        for (int j = k - 1; j >= 0; j--) {
            if (l->code_bytes[j] == l->code_bytes[k] && memcmp(l->weights[j].codes, l->weights[k].codes, l->code_bytes[k]) == 0) l->same_codes[k] = l->same_codes[j];
        }
    }
    return ST_OK;
}

size_t export_weight_bytes(const export_layer *l)
{
    size_t sum = 0;
    for (int k = 0; k < l->n_candidates; k++)
        sum += (l->same_codes[k] == k ? l->code_bytes[k] : 0) + (l->weights[k].values ? (size_t)1 << l->weights[k].width : 0);
    return sum;
}
