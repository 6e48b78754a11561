/* SPDX-License-Identifier: Apache-2.0
 * Convolution (fully connected layers too) and depthwise convolution: receptive fields become columns of lanes, a kernel multiplies,
 * accumulators become codes. The loop nest is the same for every instruction set; the kernel row does the work. */
#include "device/device.h"
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
    for (uint16_t ky = 0; ky < m->k_h; ky++, y += m->dilation_h) {
        int32_t x = x0;
        for (uint16_t kx = 0; kx < m->k_w; kx++, x += m->dilation_w, lanes += bytes) {
            if (y < 0 || y >= m->in_h || x < 0 || x >= m->in_w)
                fill(f, lanes, m->in_c);
            else
                f->r->kernels->gather(f->in + ((uint32_t)y * m->in_w + (uint32_t)x) * m->in_c, m->in_c, m->lane_zero, lanes);
        }
    }
}

/* Accumulators of one pixel, acc[0], acc[step] ..., to codes at element `at` of the output. */
static void finish(const field *f, const int32_t *acc, uint8_t step, uint32_t at)
{
    const dev_mac *m = f->m;
    const dev_limits *q = &f->limits;
    uint8_t *out = f->r->arena + f->l->out.at;
    const DEV_FLASH int32_t *multiplier = m->multiplier + (uint32_t)f->r->entry * m->channels;
    const DEV_FLASH int8_t *shift = m->shift + (uint32_t)f->r->entry * m->channels;
    for (uint16_t c = 0; c < m->out_c; c++, acc += step) {
        int32_t v = *acc;
        if (m->requant) {
            v = quant_wrap32((int64_t)m->requant(v, *multiplier, *shift) + q->out_zero);
            v = quant_clamp(v, q->low, q->high);
            if (m->channels > 1) multiplier++, shift++;
        }
        dev_store(out, f->l->out.type, at + c, v);
    }
}

static uint8_t log2_of(uint8_t container) { return container == 8 ? 3 : container == 4 ? 2 : container == 2 ? 1 : 0; }

static uint32_t padded(uint32_t depth) { return (depth + DEV_LANES - 1) / DEV_LANES * DEV_LANES; }

void dev_conv(const dev_layer *l, const dev_run *r)
{
    const dev_mac m = *(const DEV_FLASH dev_mac *)l->params;
    const dev_weights w = m.weights[r->own];
    const dev_kernels *k = r->kernels;
    field f = {.l = l, .r = r, .m = &m, .limits = l->limits[r->entry], .in = r->arena + l->in[0].at};
    const DEV_FLASH int32_t *bias = m.bias + (uint32_t)r->entry * m.out_c;
    uint32_t stride = padded(m.depth) * k->lane_bytes, pixels = (uint32_t)m.out_h * m.out_w;
    uint8_t *columns = r->arena + m.scratch;
    int32_t *acc = (int32_t *)(void *)(columns + k->pixels * stride);
    bool direct = k->lane_bytes == 1 && m.lane_zero == 0 && m.k_h == 1 && m.k_w == 1 && m.stride_h == 1 && m.stride_w == 1 && m.pad_top == 0 &&
                  m.pad_left == 0 && m.depth % DEV_LANES == 0; /* columns are the codes as they lie */
    for (uint32_t i = 0; i < k->pixels * stride && !direct; i++) columns[i] = 0;
    uint16_t oy = 0, ox = 0;
    for (uint32_t at = 0; at < pixels;) {
        uint8_t n = (uint8_t)(pixels - at < k->pixels ? pixels - at : k->pixels);
        for (uint8_t p = 0; p < n && !direct; p++) {
            gather(&f, oy, ox, columns + p * stride);
            if (++ox == m.out_w) ox = 0, oy++;
        }
        for (uint16_t c = 0; c < m.out_c; c++)
            for (uint8_t p = 0; p < n; p++) acc[(uint32_t)c * n + p] = bias[c];
        k->dot[log2_of(w.container)](&(dev_tile){&w, m.depth, m.out_c, n, direct ? f.in + at * m.depth : columns, direct ? m.depth : stride, acc});
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
    int32_t *acc = (int32_t *)(void *)(columns + padded(m.depth * m.in_c) * k->lane_bytes);
    uint32_t at = 0;
    for (uint16_t oy = 0; oy < m.out_h; oy++) {
        for (uint16_t ox = 0; ox < m.out_w; ox++, at += m.out_c) {
            gather(&f, oy, ox, columns);
            for (uint16_t c = 0; c < m.out_c; c++) acc[c] = bias[c];
            k->channels[log2_of(w.container)](&(dev_channels){&w, (uint16_t)m.depth, m.in_c, m.out_c, columns, acc});
            finish(&f, acc, 1, at);
        }
    }
}
