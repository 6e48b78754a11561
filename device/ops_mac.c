/* SPDX-License-Identifier: Apache-2.0
 * Convolution (fully connected layers too) and depthwise convolution: receptive fields become columns of lanes, a kernel multiplies,
 * accumulators become codes. The loop nest is the same for every instruction set; the kernel row does the work. */
#include "device/device.h"
#include "device/weights.h"
#include "quant/requant.h"

int32_t dev_requant_twice(int32_t acc, int32_t m, int s) { return quant_requant_twice(acc, m, s); }
int32_t dev_requant_once(int32_t acc, int32_t m, int s) { return quant_requant_once(acc, m, s); }

typedef struct field { /* what stays the same for all pixels of a layer */
    const dev_layer *l;
    const dev_run *r;
    const dev_mac *m;
    dev_limits limits;
    const uint8_t *in;
} field;

static void fill(const field *f, uint8_t *lanes, uint16_t n)
{
    int16_t v = (int16_t)(f->limits.in_zero - f->m->lane_zero);
    if (f->r->kernels->lane_bytes == 2) {
        int16_t *to = (int16_t *)(void *)lanes;
        for (uint16_t i = 0; i < n; i++) to[i] = v;
    } else {
        int8_t *to = (int8_t *)lanes;
        for (uint16_t i = 0; i < n; i++) to[i] = (int8_t)v;
    }
}

/* The receptive field of output pixel (oy, ox) as k_h k_w in_c lanes. */
static void gather(const field *f, uint16_t oy, uint16_t ox, uint8_t *lanes)
{
    const dev_mac *m = f->m;
    uint32_t bytes = (uint32_t)m->in_c * f->r->kernels->lane_bytes;
    int32_t y = (int32_t)oy * m->stride_h - m->pad_top, x0 = (int32_t)ox * m->stride_w - m->pad_left;
    bool whole = m->dilation_w == 1 && x0 >= 0 && x0 + m->k_w <= m->in_w;
    uint32_t row = (uint32_t)m->k_w * m->in_c;
    for (uint16_t ky = 0; ky < m->k_h; ky++, y += m->dilation_h) {
        int32_t x = x0;
        if (y >= 0 && y < m->in_h && whole) { /* the row's taps lie side by side */
            f->r->kernels->gather(f->in + ((uint32_t)y * m->in_w + (uint32_t)x) * m->in_c, row, m->lane_zero, lanes);
            lanes += row * f->r->kernels->lane_bytes;
            continue;
        }
        for (uint16_t kx = 0; kx < m->k_w; kx++, x += m->dilation_w, lanes += bytes) {
            if (y < 0 || y >= m->in_h || x < 0 || x >= m->in_w)
                fill(f, lanes, m->in_c);
            else
                f->r->kernels->gather(f->in + ((uint32_t)y * m->in_w + (uint32_t)x) * m->in_c, m->in_c, m->lane_zero, lanes);
        }
    }
}

/* Accumulators of one pixel, acc[0], acc[step] ..., to 8-bit codes at `to`. requant is a constant where this is inlined. */
static inline void finish8(const field *f, const int32_t *acc, uint8_t step, uint8_t *to, dev_requant_fn *requant)
{
    const DEV_FLASH int32_t *multiplier = f->m->multiplier + (uint32_t)f->r->entry * f->m->channels;
    const DEV_FLASH int8_t *shift = f->m->shift + (uint32_t)f->r->entry * f->m->channels;
    int32_t zero = f->limits.out_zero, low = f->limits.low, high = f->limits.high;
    uint32_t next = f->m->channels > 1, step_acc = step;
    for (const uint8_t *end = to + f->m->out_c; to < end; to++, acc += step_acc, multiplier += next, shift += next)
        *to = (uint8_t)quant_clamp(quant_wrap32((int64_t)requant(*acc, *multiplier, *shift) + zero), low, high);
}

/* The same at element `at` of the output, of any type. */
static void finish(const field *f, const int32_t *acc, uint8_t step, uint32_t at)
{
    const dev_mac *m = f->m;
    const dev_limits *q = &f->limits;
    uint8_t *out = f->r->arena + f->l->out.at;
    if (m->requant && dev_type_bytes(f->l->out.type) == 1) {
        if (m->requant == dev_requant_twice) finish8(f, acc, step, out + at, quant_requant_twice);
        else finish8(f, acc, step, out + at, quant_requant_once);
        return;
    }
    for (uint16_t c = 0; c < m->out_c; c++, acc += step) {
        uint32_t i = (uint32_t)f->r->entry * m->channels + (m->channels > 1 ? c : 0);
        int32_t v = *acc;
        if (m->requant) v = quant_clamp(quant_wrap32((int64_t)m->requant(v, m->multiplier[i], m->shift[i]) + q->out_zero), q->low, q->high);
        dev_store(out, f->l->out.type, at + c, v);
    }
}

static uint32_t padded(const dev_kernels *k, uint32_t depth) { return (depth + k->lanes - 1) / k->lanes * k->lanes; }

void dev_conv(const dev_layer *l, const dev_run *r)
{
    const dev_mac m = *(const DEV_FLASH dev_mac *)l->params;
    const dev_weights w = m.weights[r->own];
    const dev_kernels *k = r->kernels;
    field f = {.l = l, .r = r, .m = &m, .limits = l->limits[r->entry], .in = r->arena + l->in[0].at};
    const DEV_FLASH int32_t *bias = m.bias + (uint32_t)r->entry * m.out_c;
    uint32_t stride = padded(k, m.depth) * k->lane_bytes, pixels = (uint32_t)m.out_h * m.out_w;
    uint8_t *columns = r->arena + m.scratch;
    int32_t *acc = (int32_t *)(void *)(columns + k->pixels * stride);
    bool direct = k->lane_bytes == 1 && m.lane_zero == 0 && m.k_h == 1 && m.k_w == 1 && m.stride_h == 1 && m.stride_w == 1 && m.pad_top == 0 &&
                  m.pad_left == 0; /* columns are the codes as they lie */
    for (uint32_t i = 0; i < k->pixels * stride && !direct; i++) columns[i] = 0;
    uint16_t oy = 0, ox = 0;
    for (uint32_t at = 0; at < pixels;) {
        uint8_t n = (uint8_t)(pixels - at < k->pixels ? pixels - at : k->pixels);
        for (uint8_t p = 0; p < n && !direct; p++) {
            gather(&f, oy, ox, columns + p * stride);
            if (++ox == m.out_w) ox = 0, oy++;
        }
        int32_t *start = acc;
        for (uint32_t c = 0; c < m.out_c; c++)
            for (uint32_t p = n, b = (uint32_t)bias[c]; p; p--) *start++ = (int32_t)b;
        k->dot(&(dev_tile){&w, m.depth, m.out_c, n, direct ? f.in + at * m.depth : columns, direct ? m.depth : stride, acc});
        for (uint8_t p = 0; p < n; p++, at++) finish(&f, acc + p, n, at * m.out_c);
    }
}

void dev_depthwise(const dev_layer *l, const dev_run *r)
{
    const dev_mac m = *(const DEV_FLASH dev_mac *)l->params;
    const dev_weights w = m.weights[r->own];
    const dev_kernels *k = r->kernels;
    field f = {.l = l, .r = r, .m = &m, .limits = l->limits[r->entry], .in = r->arena + l->in[0].at};
    const DEV_FLASH int32_t *bias = m.bias + (uint32_t)r->entry * m.out_c;
    uint8_t *columns = r->arena + m.scratch;
    int32_t *acc = (int32_t *)(void *)(columns + padded(k, m.depth * m.in_c) * k->lane_bytes);
    int8_t *unpacked = (int8_t *)(acc + m.out_c);
    uint32_t at = 0;
    bool plain = DEV_FLASH_IS_MEMORY && dev_weights_plain(&w);
    for (uint32_t tap = 0; tap < m.depth && !plain; tap++)
        for (uint16_t c = 0; c < m.out_c; c++) unpacked[tap * m.out_c + c] = dev_weight_value(&w, w.codes + tap * w.row_bytes, c);
    const dev_channels t = {plain ? (const int8_t *)(uintptr_t)w.codes : unpacked, (uint16_t)m.depth, m.in_c, m.out_c, columns, acc};
    for (uint16_t oy = 0; oy < m.out_h; oy++) {
        for (uint16_t ox = 0; ox < m.out_w; ox++, at += m.out_c) {
            gather(&f, oy, ox, columns);
            for (uint16_t c = 0; c < m.out_c; c++) acc[c] = bias[c];
            k->channels(&t);
            finish(&f, acc, 1, at);
        }
    }
}
