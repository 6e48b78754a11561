/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D and DEPTHWISE_CONV_2D on integer codes. TFLite reference_integer_ops::ConvPerChannel and DepthwiseConvPerChannel:
 *   acc[oy,ox,co] = bias[co] + sum over ky, kx, ci of (in[oy s + ky d - pad, ox s + kx d - pad, ci] - in_zero) w[co,ky,kx,ci]
 * Taps outside the image add 0. An accumulator that wraps does not mind the order of summation; one that saturates does (emu/ref/mac.h). */
#include <string.h>

#include "emu/ref/float32.h"
#include "emu/ref/helium.h"
#include "emu/ref/mac.h"
#include "emu/ref/pulp.h"
#include "emu/ref/rows.h"

typedef struct conv_state {
    emu_window w;
    int groups;            /* convolution: in_c / weights' in_c; depthwise: in_c */
    emu_mac mac;
    bool nibbles;          /* depthwise: emu_depthwise_nibbles */
    bool by_channel;       /* depthwise: one channel at a time, as a convolution of one channel */
    bool columns;          /* depthwise: emu_pulp_column */
    int *source;           /* depthwise, EMU_CMIX below 8 bits: input channel that output channel c reads; else NULL */
    int16_t *depth_lanes;  /* depthwise: [k_h k_w][out_c] weights of each candidate, taps first */
    int32_t *sums;         /* depthwise: [out_c] */
    emu_tap *taps;         /* depthwise, saturating: [k_h k_w] of one output element, */
    int16_t *steps;        /* and their weights' lanes */
    bool float32;
} conv_state;

static status conv_prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *w = emu_in(n, 1);
    conv_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    emu_window_init(&s->w, in, emu_out(n, 0), w->dims[1], w->dims[2], &n->op->attrs);
    s->groups = in->dims[3] / w->dims[3];
    s->float32 = in->dtype == MODEL_F32;
    if (s->float32) return emu_float32_check(n, e);
    return emu_mac_prepare(n, w->dims[0], w->dims[1] * w->dims[2] * w->dims[3], false, false, &s->mac, e);
}

/* The receptive field of output (oy, ox), channels [c0, c0 + depth_c), as lanes: im2col of one pixel. */
static void gather(const conv_state *s, const emu_node *n, size_t image, int oy, int ox, int c0, int depth_c)
{
    const emu_window *w = &s->w;
    const model_tensor *in = emu_in(n, 0);
    int16_t *to = s->mac.column;
    int32_t zero = s->mac.in_zero[n->entry];
    to[s->mac.lanes] = 0;
    for (int ky = 0; ky < w->k_h; ky++) {
        int iy = oy * w->stride_h + ky * w->dilation_h - w->pad_top;
        for (int kx = 0; kx < w->k_w; kx++, to += depth_c) {
            int ix = ox * w->stride_w + kx * w->dilation_w - w->pad_left;
            if (iy < 0 || iy >= w->in_h || ix < 0 || ix >= w->in_w) {
                emu_grid_pad(n, &s->mac, to, depth_c);
                continue;
            }
            size_t from = ((image + (size_t)iy) * (size_t)w->in_w + (size_t)ix) * (size_t)w->in_c + (size_t)c0;
            emu_mac_lanes(in, emu_in_data(n, 0), from, (size_t)depth_c, zero, to);
            emu_grid_input(&s->mac, to, depth_c);
        }
    }
}

/* Kernels work on 2 pixels at a time (Helium: 4); is this one of those that remain at the end? Of a row (PULP-NN) or of the image. */
static bool left_over(const conv_state *s, int oy, int ox)
{
    const emu_window *w = &s->w;
    if (s->mac.rests) return emu_helium_rest(w, oy, ox);
    bool by_row = s->mac.unsigned_pairs;
    int count = by_row ? w->out_w : w->out_h * w->out_w, at = by_row ? ox : oy * w->out_w + ox;
    return at >= count / 2 * 2;
}

/* Output channels of a group that a pixel stores. */
static int stored(const conv_state *s, const emu_node *n, bool last)
{
    int group_c = s->w.out_c / s->groups;
    return last && n->profile->habits & EMU_CMIX && s->mac.high[n->entry] == 3 && group_c > 4 ? 4 : group_c;
}

static void conv_run(emu_node *n, emu_events *ev)
{
    const conv_state *s = n->state;
    const emu_window *w = &s->w;
    if (s->float32) {
        emu_float32_conv(n, w, s->groups, ev);
        return;
    }
    int depth_c = w->in_c / s->groups, group_c = w->out_c / s->groups;
    size_t at = 0;
    for (int b = 0; b < w->batches; b++) {
        for (int oy = 0; oy < w->out_h; oy++) {
            for (int ox = 0; ox < w->out_w; ox++) {
                bool last = left_over(s, oy, ox);
                for (int g = 0; g < s->groups; g++, at += (size_t)group_c) {
                    if (n->op->packed_input && w->out_w % 2 && ox == w->out_w - 1) emu_pulp_pointwise_rest(n, w, oy, ox, s->mac.column);
                    else gather(s, n, (size_t)b * (size_t)w->in_h, oy, ox, g * depth_c, depth_c);
                    if (n->profile->habits & EMU_HELIUM && s->groups == 1 && emu_helium_row(n, w, &s->mac, ox, emu_out_data(n, 0), at, ev)) continue;
                    emu_mac_column(&s->mac, n, g * group_c, stored(s, n, last), emu_out_data(n, 0), at, last, ev);
                }
            }
        }
    }
}

static const emu_mac *mac(const emu_node *n)
{
    const conv_state *s = n->state;
    return s->float32 || emu_grid_special(&s->mac) ? NULL : &s->mac;
}

typedef struct place { /* of an output element */
    size_t image;      /* rows of input before its image */
    int oy, ox, c;
} place;

static place place_of(const emu_window *w, size_t out)
{
    size_t pixel = out / (size_t)w->out_c, row = pixel / (size_t)w->out_w;
    return (place){row / (size_t)w->out_h * (size_t)w->in_h, (int)(row % (size_t)w->out_h), (int)(pixel % (size_t)w->out_w), (int)(out % (size_t)w->out_c)};
}

/* Element of the input, channel c, under tap (ky, kx); -1 outside the image. */
static int64_t under(const emu_window *w, const place *p, int ky, int kx, int c)
{
    int iy = p->oy * w->stride_h + ky * w->dilation_h - w->pad_top, ix = p->ox * w->stride_w + kx * w->dilation_w - w->pad_left;
    if (iy < 0 || iy >= w->in_h || ix < 0 || ix >= w->in_w) return -1;
    return (((int64_t)p->image + iy) * w->in_w + ix) * w->in_c + c;
}

static int conv_taps(const emu_node *n, size_t out, emu_tap *taps)
{
    const conv_state *s = n->state;
    const emu_window *w = &s->w;
    place p = place_of(w, out);
    int depth_c = w->in_c / s->groups, group_c = w->out_c / s->groups, g = p.c / group_c;
    const int16_t *lane = s->mac.weights[n->candidate] + (size_t)p.c * (size_t)s->mac.lanes;
    if (!taps) return s->mac.depth;
    if (p.c % group_c >= stored(s, n, left_over(s, p.oy, p.ox))) return 0;
    for (int ky = 0; ky < w->k_h; ky++)
        for (int kx = 0; kx < w->k_w; kx++)
            for (int i = 0; i < depth_c; i++) *taps++ = (emu_tap){under(w, &p, ky, kx, g * depth_c + i), 0, *lane++};
    return s->mac.depth;
}

/* Of both convolutions. */
static status integers(emu_node *n, emu_integers *out, err *e)
{
    conv_state *s = n->state;
    if (s->float32) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for float32");
    if (n->op->code == MODEL_CONV_2D && s->groups != 1) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for a grouped convolution");
    if (s->nibbles) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for 4-bit weights in the order of profile %s", n->profile->name);
    return emu_mac_integers(n, &s->mac, out, e);
}

void emu_row_conv_2d(emu_kernel *row)
{
    *row = (emu_kernel){.prepare = conv_prepare, .run = conv_run, .mac = mac, .taps = conv_taps, .integers = integers};
}

/* CMix-NN's depthwise below 8 bits, as it is written: of the packed word of 4 weights, weight q is the word rotated right by q widths,
 * as a signed number saturated to the width (USAT); and the activations advance by 2 (4 bits) or 1 (2 bits) channels a group of 4. */
static status cmix_weights(emu_node *n, conv_state *s, int taps, int out_c, err *e)
{
    const model_tensor *w = emu_in(n, 1);
    int b = w->bits, step = b == 4 ? 2 : 1;
    s->source = arena_alloc(n->mem, (size_t)out_c, sizeof *s->source);
    if (!s->source) return emu_no_memory(n, e);
    for (int t = 0; t < taps; t++) {
        for (int c = 0; c < out_c; c++) {
            uint32_t word = 0;
            int q = c % 4;
            for (int j = 0; j < 4 && c - q + j < out_c; j++) word |= (uint32_t)emu_load(w, w->data, (size_t)(t * out_c + c - q + j)) << (b * j);
            uint32_t turned = q ? word >> (b * q) | word << (32 - b * q) : word;
            int32_t code = turned >> 31 ? 0 : turned < (1u << b) ? (int32_t)turned : (1 << b) - 1;
            s->depth_lanes[t * out_c + c] = (int16_t)(code - (w->n_scales ? w->zero_point[w->n_scales > 1 ? c : 0] : 0));
            s->source[c] = step * (c / 4) + q;
        }
    }
    return ST_OK;
}

/* Depthwise: weights [1][k_h][k_w][out_c], output channel = input channel * multiplier + m. Channels run innermost, taps outside. */
static status depthwise_prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *w = emu_in(n, 1);
    conv_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    int taps = w->dims[1] * w->dims[2], out_c = w->dims[3];
    emu_window_init(&s->w, in, emu_out(n, 0), w->dims[1], w->dims[2], &n->op->attrs);
    s->groups = in->dims[3];
    s->float32 = in->dtype == MODEL_F32;
    if (s->float32) return emu_float32_check(n, e);
    TRY(emu_mac_prepare(n, out_c, taps, true, false, &s->mac, e));
    s->sums = arena_alloc(n->mem, (size_t)out_c, sizeof *s->sums);
    s->depth_lanes = arena_alloc(n->mem, (size_t)s->mac.n_candidates * (size_t)taps * (size_t)out_c, sizeof *s->depth_lanes);
    if (s->mac.saturate) {
        s->taps = arena_alloc(n->mem, (size_t)taps, sizeof *s->taps);
        s->steps = arena_alloc(n->mem, (size_t)taps, sizeof *s->steps);
    }
    if (!s->sums || !s->depth_lanes || (s->mac.saturate && (!s->taps || !s->steps))) return emu_no_memory(n, e);
    s->by_channel = taps > s->mac.chunk || emu_grid_special(&s->mac);
    if (n->profile->habits & EMU_CMIX && emu_weight_bits(n) < 8) return cmix_weights(n, s, taps, out_c, e);
    s->nibbles = emu_depthwise_nibbles_apply(n, &s->w);
    s->columns = n->profile->habits & EMU_PULP_COLUMNS && n->op->attrs.pad_right > 0 && s->w.out_c == s->w.in_c && s->w.batches == 1;
    if (n->profile->habits & EMU_PULP_MIXED) TRY(emu_pulp_bias(n, &s->mac, e));
    int16_t *to = s->depth_lanes;
    for (int k = 0; k < s->mac.n_candidates; k++) {
        for (int i = 0; i < taps; i++) {
            for (int c = 0; c < out_c; c++) *to++ = s->mac.weights[k][(size_t)c * (size_t)s->mac.lanes + (size_t)i];
        }
    }
    return ST_OK;
}

/* sums[c] += (x - zero) w[c] over all output channels of one tap. */
static void tap(const model_tensor *in, const void *data, size_t from, int32_t zero, int in_c, int multiplier, const int *source, const int16_t *w, int32_t *sums)
{
    if (source) {
        for (int c = 0; c < in_c; c++) sums[c] += (emu_load(in, data, from + (size_t)source[c]) - zero) * w[c];
        return;
    }
    if (multiplier == 1 && in->dtype == MODEL_I8) {
        const int8_t *x = (const int8_t *)data + from;
        for (int c = 0; c < in_c; c++) sums[c] += (x[c] - zero) * w[c];
        return;
    }
    for (int c = 0; c < in_c; c++) {
        int32_t x = emu_load(in, data, from + (size_t)c) - zero;
        for (int k = 0; k < multiplier; k++) sums[c * multiplier + k] += x * w[c * multiplier + k];
    }
}

/* A tap outside the image where the library pads with code 0. */
static void pad_tap(int32_t zero, int out_c, const int16_t *w, int32_t *sums)
{
    for (int c = 0; c < out_c; c++) sums[c] -= zero * w[c];
}

/* A pixel by PULP-NN's columns; multiplier 1. */
static void pulp_pixel(const conv_state *s, const emu_node *n, int oy, int ox, const int16_t *lanes)
{
    const emu_window *w = &s->w;
    emu_pulp_column col = emu_pulp_column_at(n, w, ox);
    for (int ky = 0; ky < w->k_h; ky++, lanes += w->k_w * w->out_c) {
        int iy = oy * w->stride_h + ky - w->pad_top;
        for (int kx = col.first; iy >= 0 && iy < w->in_h && kx < col.end; kx++) {
            for (int c = 0; c < w->out_c; c++) s->sums[c] += emu_pulp_plane(n, w, c, iy * w->in_w + col.x0 + kx) * lanes[kx * w->out_c + c];
        }
    }
}

static void depthwise_pixel(const conv_state *s, const emu_node *n, size_t image, int oy, int ox)
{
    const emu_window *w = &s->w;
    int multiplier = w->out_c / w->in_c;
    const int16_t *lanes = s->depth_lanes + (size_t)n->candidate * (size_t)(w->k_h * w->k_w) * (size_t)w->out_c;
    if (s->nibbles) {
        emu_depthwise_nibbles(n, w, image, oy, ox, s->mac.in_zero[n->entry], s->sums);
        return;
    }
    memset(s->sums, 0, (size_t)w->out_c * sizeof *s->sums);
    if (s->columns) {
        pulp_pixel(s, n, oy, ox, lanes);
        return;
    }
    for (int ky = 0; ky < w->k_h; ky++) {
        int iy = oy * w->stride_h + ky * w->dilation_h - w->pad_top;
        for (int kx = 0; kx < w->k_w; kx++, lanes += w->out_c) {
            int ix = ox * w->stride_w + kx * w->dilation_w - w->pad_left;
            if (iy < 0 || iy >= w->in_h || ix < 0 || ix >= w->in_w) {
                if (n->profile->habits & EMU_PAD_RAW_ZERO) pad_tap(s->mac.in_zero[n->entry], w->out_c, lanes, s->sums);
                continue;
            }
            size_t from = ((image + (size_t)iy) * (size_t)w->in_w + (size_t)ix) * (size_t)w->in_c;
            tap(emu_in(n, 0), emu_in_data(n, 0), from, s->mac.in_zero[n->entry], w->in_c, multiplier, s->source, lanes, s->sums);
        }
    }
}

static int depthwise_taps(const emu_node *n, size_t out, emu_tap *taps)
{
    const conv_state *s = n->state;
    const emu_window *w = &s->w;
    place p = place_of(w, out);
    int n_taps = w->k_h * w->k_w, from = s->source ? s->source[p.c] : p.c / (w->out_c / w->in_c);
    int32_t pad = n->profile->habits & EMU_PAD_RAW_ZERO ? -s->mac.in_zero[n->entry] : 0;
    if (!taps) return n_taps;
    if (s->nibbles) return emu_depthwise_nibbles_taps(n, w, p.image, p.oy, p.ox, p.c, taps);
    const int16_t *lane = s->depth_lanes + (size_t)n->candidate * (size_t)n_taps * (size_t)w->out_c + p.c;
    for (int i = 0; i < n_taps; i++) taps[i] = (emu_tap){under(w, &p, i / w->k_w, i % w->k_w, from), pad, lane[(size_t)i * (size_t)w->out_c]};
    return n_taps;
}

/* One output element with a saturating accumulator, product by product. */
static int32_t depthwise_steps(const conv_state *s, const emu_node *n, size_t out, int c, emu_events *ev)
{
    int n_taps = depthwise_taps(n, out, s->taps);
    for (int i = 0; i < n_taps; i++) {
        const emu_tap *t = &s->taps[i];
        s->mac.column[i] = (int16_t)(t->element < 0 ? t->pad : emu_load(emu_in(n, 0), emu_in_data(n, 0), (size_t)t->element) - s->mac.in_zero[n->entry]);
        s->steps[i] = (int16_t)t->weight;
    }
    return emu_mac_finish_steps(&s->mac, n->entry, c, s->mac.column, s->steps, n_taps, ev);
}

static void depthwise_run(emu_node *n, emu_events *ev)
{
    const conv_state *s = n->state;
    const emu_window *w = &s->w;
    if (s->float32) {
        emu_float32_depthwise(n, w, ev);
        return;
    }
    const model_tensor *out = emu_out(n, 0);
    size_t at = 0;
    for (int b = 0; b < w->batches; b++) {
        for (int oy = 0; oy < w->out_h; oy++) {
            for (int ox = 0; ox < w->out_w; ox++) {
                if (s->by_channel) {
                    for (int c = 0; c < w->out_c; c++, at++) {
                        gather(s, n, (size_t)b * (size_t)w->in_h, oy, ox, c / (w->out_c / w->in_c), 1);
                        emu_mac_column(&s->mac, n, c, 1, emu_out_data(n, 0), at, false, ev);
                    }
                    continue;
                }
                if (!s->mac.saturate) depthwise_pixel(s, n, (size_t)b * (size_t)w->in_h, oy, ox);
                for (int c = 0; c < w->out_c; c++, at++) {
                    int32_t code = s->mac.saturate ? depthwise_steps(s, n, at, c, ev) : emu_mac_finish(&s->mac, n->entry, c, s->sums[c], ev);
                    emu_store(out, emu_out_data(n, 0), at, code);
                }
                ev->macs += (uint64_t)w->out_c * (uint64_t)(w->k_h * w->k_w);
            }
        }
    }
}

void emu_row_depthwise_conv_2d(emu_kernel *row)
{
    *row = (emu_kernel){.prepare = depthwise_prepare, .run = depthwise_run, .mac = mac, .taps = depthwise_taps, .integers = integers};
}
