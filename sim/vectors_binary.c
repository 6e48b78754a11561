/* SPDX-License-Identifier: Apache-2.0
 * Larq Compute Engine's binary convolution and pool (BConv2DReference, BMaxPool) as graphs of one operator. Recorded codes are +1 and -1,
 * packed with bit 1 = -1; ours are 1 and 0. Recorded arithmetic in popcounts p, ours in sums acc = K - 2p of +-1 products, K their number:
 *   bits:          p > t              = not acc >= K - 2t
 *   float, int8:   clamp(2p) m + b    the same with acc clamped to [K - clamp_max, K - clamp_min] */
#include <string.h>

#include "sim/vectors_case.h"

static status nomem(const vec_case *c) { return err_set(c->e, ST_NOMEM, "", "no memory"); }

/* +1 and -1 as codes 1 and 0. */
static uint8_t *codes(const vec_case *c, const vec_array *a)
{
    uint8_t *p = arena_alloc(c->mem, a->n, 1);
    for (size_t i = 0; p && i < a->n; i++) p[i] = vec_value(a, i) > 0;
    return p;
}

static const int32_t *thresholds(const vec_case *c, const vec_array *t, int out_c, int depth)
{
    int32_t *p = t->n < (size_t)out_c ? NULL : vec_ints(c, out_c, 0);
    for (int i = 0; p && i < out_c; i++) {
        int64_t v = depth - 2 * vec_value(t, (size_t)i);
        p[i] = v < INT32_MIN ? INT32_MIN : v > INT32_MAX ? INT32_MAX : (int32_t)v;
    }
    return p;
}

static status requant(const vec_case *c, vec_graph *g, int out_c, int depth)
{
    vec_array t, m, b;
    model_integer *q = &g->integer;
    q->n_entries = 1;
    q->n_channels = out_c;
    g->op.integer = q;
    if (vec_get(c, "thresholds", &t)) {
        q->threshold = thresholds(c, &t, out_c, depth);
        g->packed = true;
        return q->threshold ? ST_OK : err_set(c->e, ST_FORMAT, "", "too few thresholds");
    }
    if (!vec_get(c, "multiplier", &m) || !vec_get(c, "bias", &b) || m.type != NPY_F32 || b.type != NPY_F32 || m.n < (size_t)out_c || b.n < (size_t)out_c)
        return err_set(c->e, ST_FORMAT, "", "neither thresholds nor multiplier and bias of every channel");
    q->scale = m.data;
    q->offset = b.data;
    q->acc_min = vec_ints(c, 1, depth - vec_int(c, "clamp_max", 2 * depth));
    q->acc_max = vec_ints(c, 1, depth - vec_int(c, "clamp_min", 0));
    return q->acc_min && q->acc_max ? ST_OK : nomem(c);
}

status vec_binary_conv(const vec_case *c, const emu_profile *p, vec_graph *g)
{
    vec_array x, w, y, t;
    (void)p;
    if (!vec_get(c, "input", &x) || !vec_get(c, "weights", &w) || !vec_get(c, "output", &y) || x.n_dims != 4 || w.n_dims != 4)
        return err_set(c->e, ST_FORMAT, "", "input or weights are no images");
    const uint8_t *xd = codes(c, &x), *wd = codes(c, &w);
    if (!xd || !wd) return nomem(c);
    bool bits = vec_get(c, "thresholds", &t);
    int64_t ydims[4] = {1, vec_int(c, "out_h", 0), vec_int(c, "out_w", 0), w.dims[0]};
    int out_c = (int)w.dims[0], depth = (int)(w.dims[1] * w.dims[2] * w.dims[3]);
    g->inputs[0] = vec_tensor(g, "input", MODEL_U8, 4, x.dims, NULL);
    g->inputs[1] = vec_tensor(g, "weights", MODEL_U8, 4, w.dims, wd);
    g->tensors[0].bits = g->tensors[1].bits = 1;
    int out = vec_tensor(g, "output", bits ? MODEL_U8 : y.type == NPY_F32 ? MODEL_F32 : MODEL_I8, 4, ydims, NULL);
    vec_feed(g, g->inputs[0], xd);
    g->op.attrs = (model_attrs){.padding = MODEL_EXPLICIT, .pad_top = vec_int(c, "pad_top", 0), .pad_left = vec_int(c, "pad_left", 0),
                                .stride_h = vec_int(c, "stride_h", 1), .stride_w = vec_int(c, "stride_w", 1),
                                .dilation_h = vec_int(c, "dil_h", 1), .dilation_w = vec_int(c, "dil_w", 1)};
    vec_finish(g, MODEL_CONV_2D, 2, out);
    g->grid = (model_grid){.weights.kind = QUANT_BINARY, .binary_input = true, .pad_one = vec_int(c, "pad_value", 0) == 1};
    g->op.grid = &g->grid;
    return requant(c, g, out_c, depth);
}

/* Largest of +1 and -1: of codes 1 and 0. The recorded input is packed; every bit of its words is taken as a channel. */
status vec_binary_pool(const vec_case *c, const emu_profile *p, vec_graph *g)
{
    vec_array x;
    (void)p;
    if (!vec_get(c, "input_packed", &x) || x.n_dims != 4) return err_set(c->e, ST_FORMAT, "", "no packed input");
    uint8_t *xd = arena_alloc(c->mem, x.n, 32);
    if (!xd) return nomem(c);
    for (size_t i = 0; i < x.n * 32; i++) xd[i] = !((uint64_t)vec_value(&x, i / 32) >> (i % 32) & 1);
    int64_t xdims[4] = {x.dims[0], x.dims[1], x.dims[2], 32 * x.dims[3]}, ydims[4] = {x.dims[0], vec_int(c, "out_h", 0), vec_int(c, "out_w", 0), 32 * x.dims[3]};
    int stride = vec_int(c, "stride", 1);
    g->inputs[0] = vec_tensor(g, "input", MODEL_U8, 4, xdims, NULL);
    int out = vec_tensor(g, "output", MODEL_U8, 4, ydims, NULL);
    vec_feed(g, g->inputs[0], xd);
    g->op.attrs = (model_attrs){.padding = MODEL_EXPLICIT, .pad_top = vec_int(c, "pad_top", 0), .pad_left = vec_int(c, "pad_left", 0),
                                .stride_h = vec_int(c, "stride_h", stride), .stride_w = vec_int(c, "stride_w", stride),
                                .filter_h = vec_int(c, "k_h", 1), .filter_w = vec_int(c, "k_w", 1)};
    vec_finish(g, MODEL_MAX_POOL_2D, 1, out);
    g->packed = true;
    return ST_OK;
}

int64_t *vec_binary_pack(const vec_case *c, const model_tensor *t, const void *data, size_t *n)
{
    size_t channels = (size_t)t->dims[t->n_dims - 1], words = (channels + 31) / 32, rows = channels ? t->n_elems / channels : 0;
    const uint8_t *p = data;
    int64_t *got = arena_alloc(c->mem, rows * words, sizeof *got);
    *n = rows * words;
    for (size_t r = 0; got && r < rows; r++) {
        uint32_t word = 0;
        for (size_t k = 0; k < channels; k++) {
            word |= (uint32_t)!p[r * channels + k] << k % 32;
            if (k % 32 < 31 && k + 1 < channels) continue;
            got[r * words + k / 32] = word <= INT32_MAX ? word : (int64_t)word - ((int64_t)1 << 32);
            word = 0;
        }
    }
    return got;
}
