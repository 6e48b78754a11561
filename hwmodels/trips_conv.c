/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/trips_conv.c - the loop nest of device/ops_mac.c: what dev_conv does for a layer, walked without data. */
#include <math.h>

#include "hwmodels/layer.h"
#include "hwmodels/trips.h"

#define N(NAME) trips[HW_TRIP_##NAME]

enum { PIXELS = 4 };

static void fill(int lanes_at, int n, double *trips)
{
    if (lanes_at % 4 == 0) {
        N(fill_long) += n / 8;
        n %= 8;
    }
    N(fill_byte) += n;
}

/* `from`, `to`: byte addresses of codes and lanes. */
static void copy(hw_row row, int from, int to, int n, double *trips)
{
    N(copy)++;
    if (row == HW_XPULP) {
        N(copy_long) += n / 8;
        N(copy_crooked) += (double)(n / 8) * 2 * ((from % 4 != 0) + (to % 4 != 0));
        N(copy_byte) += n % 8;
    } else if (from % 4 == 0 && to % 4 == 0) {
        N(copy_long) += n / 16;
        N(copy_word) += n % 16 / 4;
        N(copy_byte) += n % 4;
    } else {
        N(copy_byte) += n;
    }
}

/* A pixel's receptive field as lanes at address `lanes`. */
static void gather(const hw_mac_shape *m, hw_row row, int oy, int ox, int lanes, double *trips)
{
    int y = oy * m->stride_h - m->pad_top, x0 = ox * m->stride_w - m->pad_left, side = m->dilation_w == 1 ? m->k_w : 1;
    int at = (y * m->in_w + x0) * m->in_c, pitch = m->dilation_h * m->in_w * m->in_c;
    bool whole = x0 >= 0 && x0 + side <= m->in_w && side == m->k_w;
    N(pixel)++;
    for (int ky = 0; ky < m->k_h; ky++, y += m->dilation_h, at += pitch, lanes += m->k_w * m->in_c) {
        if (y < 0 || y >= m->in_h) {
            N(taps_beside)++;
            fill(lanes, m->k_w * m->in_c, trips);
            continue;
        }
        if (whole) {
            N(taps_inside)++;
            copy(row, at, lanes, m->k_w * m->in_c, trips);
            continue;
        }
        for (int x = x0, left = m->k_w, to_lanes = lanes; left; left -= side, x += m->dilation_w, to_lanes += side * m->in_c) {
            int end = x + side, from = hw_clamp(0, x, end), to = hw_clamp(m->in_w, from, end);
            N(taps_across)++;
            fill(to_lanes, (from - x) * m->in_c, trips);
            if (to > from) copy(row, at + (from - x0) * m->in_c, to_lanes + (from - x) * m->in_c, (to - from) * m->in_c, trips);
            fill(to_lanes + (to - x) * m->in_c, (end - to) * m->in_c, trips);
        }
    }
}

static bool inside(const hw_mac_shape *m, int oy, int ox, int n)
{
    int y = oy * m->stride_h - m->pad_top, x = ox * m->stride_w - m->pad_left;
    return y >= 0 && x >= 0 && y + (m->k_h - 1) * m->dilation_h < m->in_h && x + (n - 1) * m->stride_w + m->k_w <= m->in_w;
}

void hw_trips_conv(hw_mac_shape *m, hw_row row, double *trips)
{
    int stride = (m->depth + 3) / 4 * 4, pixels = m->out_h * m->out_w, oy = 0, ox = 0;
    bool placeable = !m->turned && m->dilation_w == 1 && m->in_c % 4 == 0 && (m->brief || m->k_h == 1);
    if (m->k_h == 1 && m->k_w == 1 && m->stride_h == 1 && m->stride_w == 1 && m->pad_top == 0 && m->pad_left == 0 && pixels <= 65535)
        m->in_w = m->out_w = pixels, m->in_h = m->out_h = 1;
    N(call)++;
    N(pad_byte) += PIXELS * (stride - m->depth);
    for (int at = 0; at < pixels;) {
        int most = placeable ? m->out_w - ox : pixels - at, n = most < PIXELS ? most : PIXELS;
        bool placed = placeable && inside(m, oy, ox, n);
        N(tile)++;
        N(in_place) += placeable;
        N(placed) += placed;
        if (placed) ox += n - 1;
        for (int p = 0; p < (placed ? 1 : n); p++) {
            if (!placed) gather(m, row, oy, ox, p * stride, trips);
            if (++ox == m->out_w) ox = 0, oy++;
        }
        hw_trips_tile(m, row, n, placed && m->brief ? m->k_h : 1, placed && m->brief ? m->k_w * m->in_c : m->depth, trips);
        at += n;
    }
}

/* The entry that a layout of equal widths takes: each key's candidate of w_bits, or else its widest. */
static int entry_of(const model_graph *g, const model_integer *t, int w_bits)
{
    int e = 0;
    for (int k = 0; k < t->n_keys; k++) {
        const model_choice *c = &g->choices[t->key[k]];
        int v = 0;
        while (v < c->n_candidates && c->candidates[v].w_bits != w_bits) v++;
        e = e * c->n_candidates + (v < c->n_candidates ? v : hw_widest_candidate(c));
    }
    return e;
}

static bool whole_range(const model_op *op, int entry, const model_tensor *out)
{
    const model_integer *t = op->integer;
    if (out->dtype != MODEL_I8) return false;
    if (t && (!t->out_min || !t->out_max)) return true;
    if (t) return t->out_min[entry] == -128 && t->out_max[entry] == 127;
    if (op->attrs.activation == MODEL_NONE || !out->n_scales) return true;
    bool up = op->attrs.activation == MODEL_RELU || (op->attrs.activation == MODEL_RELU6 && 6 / (double)out->scale[0] + (double)out->zero_point[0] >= 127);
    return up && out->zero_point[0] == -128;
}

/* dev_mac.brief under entry e of stated tables: shifts, and biases as far as they are known without the weights' sums. */
static bool brief_entry(const model_integer *t, int e, int out_c, bool once)
{
    if (!t->multiplier || !t->shift) return false;
    for (int c = 0; c < t->n_channels; c++) {
        int shift = t->shift[e * t->n_channels + c];
        if (shift < (once ? -22 : -29) || shift > (once ? -2 : -1)) return false;
    }
    for (int c = 0; t->bias && c < out_c; c++)
        if (t->bias[e * out_c + c] < -(1 << 30) || t->bias[e * out_c + c] > 1 << 30) return false;
    return true;
}

/* Does entry e belong to an own candidate of w_bits? */
static bool own_entry(const model_graph *g, const model_op *op, int e, int w_bits)
{
    const model_integer *t = op->integer;
    for (int k = t->n_keys - 1; k >= 0; k--) {
        const model_choice *c = &g->choices[t->key[k]];
        if (t->key[k] == op->choice && c->candidates[e % c->n_candidates].w_bits != w_bits) return false;
        e /= c->n_candidates;
    }
    return true;
}

bool hw_trips_mixed(const model_graph *g, const model_op *op, int w_bits, const hw_mac_shape *m)
{
    bool seen[2] = {false, false};
    for (int e = 0; op->integer && m->out_bytes == 1 && e < op->integer->n_entries; e++)
        if (own_entry(g, op, e, w_bits)) seen[brief_entry(op->integer, e, m->out_c, m->once)] = true;
    return seen[0] && seen[1];
}

/* The same of scales: multiplier = in x weights / out = m 2^shift, m in [1/2, 1). */
static bool brief_scales(const model_tensor *in, const model_tensor *w, const model_tensor *out, bool once)
{
    if (!in->n_scales || !w->n_scales || !out->n_scales) return false;
    for (int c = 0; c < w->n_scales; c++) {
        int shift;
        (void)frexp((double)in->scale[0] * (double)w->scale[c] / (double)out->scale[0], &shift);
        if (shift < (once ? -22 : -29) || shift > (once ? -2 : -1)) return false;
    }
    return true;
}

bool hw_trips_shape(const model_graph *g, const model_op *op, int w_bits, hw_mac_shape *m)
{
    const model_subgraph *s = &g->subgraphs[0];
    int weights, activations;
    hw_layer_operands(op, &weights, &activations);
    const model_tensor *in = hw_layer_tensor(s, activations), *w = hw_layer_tensor(s, weights), *out = hw_layer_tensor(s, op->outputs[0]);
    const model_attrs *a = &op->attrs;
    if (!in || !w || !out || (op->grid && op->grid->binary_input) || (in->dtype != MODEL_I8 && in->dtype != MODEL_U8) || w->n_dims < 2) return false;
    *m = (hw_mac_shape){.in_h = 1, .in_w = 1, .out_h = 1, .out_w = 1, .k_h = 1, .k_w = 1, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1};
    if (op->code == MODEL_FULLY_CONNECTED) {
        m->out_c = w->dims[0];
        m->in_c = m->depth = (int)(w->n_elems / (size_t)w->dims[0]);
        m->in_h = m->out_h = (int)(in->n_elems / (size_t)m->depth);
    } else {
        const bool depthwise = op->code == MODEL_DEPTHWISE_CONV_2D;
        if (in->n_dims != 4 || out->n_dims != 4 || w->n_dims != 4 || w->dims[3] != (depthwise ? out : in)->dims[3]) return false;
        *m = (hw_mac_shape){.in_h = in->dims[1], .in_w = in->dims[2], .in_c = in->dims[3], .out_h = out->dims[1], .out_w = out->dims[2], .out_c = out->dims[3], .k_h = w->dims[1], .k_w = w->dims[2],
                            .stride_h = a->stride_h, .stride_w = a->stride_w, .dilation_h = a->dilation_h, .dilation_w = a->dilation_w, .depth = w->dims[1] * w->dims[2] * (depthwise ? 1 : w->dims[3]),
                            .pad_top = hw_layer_padding(a, a->pad_top, in->dims[1], out->dims[1], w->dims[1], a->stride_h, a->dilation_h),
                            .pad_left = hw_layer_padding(a, a->pad_left, in->dims[2], out->dims[2], w->dims[2], a->stride_w, a->dilation_w)};
    }
    int entry = op->integer ? entry_of(g, op->integer, w_bits) : 0;
    bool nested = op->weights && op->weights->nesting != MODEL_SEPARATE;
    const quant_grid *grid = op->grid ? &op->grid->weights : NULL;
    m->stored = nested ? op->weights->bits : w_bits;
    m->container = m->stored <= 1 ? 1 : m->stored <= 2 ? 2 : m->stored <= 4 ? 4 : 8;
    m->drop = m->stored - w_bits;
    m->nesting = nested ? op->weights->nesting : MODEL_SEPARATE;
    m->values = grid && grid->kind != QUANT_AFFINE;
    m->is_unsigned = op->integer && model_codes_unsigned(op, w); /* of a .tflite: less their zero point they are signed */
    m->turned = in->dtype == MODEL_U8 && in->bits > 7;
    m->once = hw_trips_once(g);
    m->out_bytes = out->dtype == MODEL_I16 ? 2 : out->dtype == MODEL_I32 ? 0 : 1;
    m->brief = m->out_bytes == 1 && m->depth <= 1 << 15 && (op->integer ? brief_entry(op->integer, entry, m->out_c, m->once) : brief_scales(in, w, out, m->once));
    m->any = whole_range(op, entry, out);
    return m->depth > 0 && m->drop >= 0;
}
