/* SPDX-License-Identifier: Apache-2.0
 * Convolution, fully connected layers too: receptive fields become columns of lanes, a kernel multiplies,
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
    dev_gather_fn *copy;
    dev_limits limits;
    const uint8_t *in;
} field;

static void fill(const field *f, uint8_t *lanes, uint32_t n)
{
    int16_t v = (int16_t)(f->limits.in_zero - f->m->lane_zero);
    if (f->r->kernels->lane_bytes == 2) {
        int16_t *to = (int16_t *)(void *)lanes;
        for (uint32_t i = 0; i < n; i++) to[i] = v;
    } else {
        int8_t *to = (int8_t *)lanes;
        const uint32_t word = (uint8_t)v * 0x01010101u;
        if (((uintptr_t)to & 3) == 0)
            for (; n >= 8; n -= 8, to += 8) ((uint32_t *)(void *)to)[0] = word, ((uint32_t *)(void *)to)[1] = word;
        for (uint32_t i = 0; i < n; i++) to[i] = (int8_t)v;
    }
}

/* The receptive field of output pixel (oy, ox) as k_h k_w in_c lanes. */
static void gather(const field *f, uint16_t oy, uint16_t ox, uint8_t *lanes)
{
    const dev_mac *m = f->m;
    uint32_t in_c = m->in_c, bytes = in_c * f->r->kernels->lane_bytes;
    int32_t y = (int32_t)oy * m->stride_h - m->pad_top, x0 = (int32_t)ox * m->stride_w - m->pad_left;
    int32_t side_by_side = m->dilation_w == 1 ? m->k_w : 1; /* taps that are neighbours in the input */
    int32_t at = (y * m->in_w + x0) * m->in_c, pitch = m->dilation_h * m->in_w * m->in_c; /* of the first tap in the row */
    dev_gather_fn *copy = f->copy;
    bool whole = x0 >= 0 && x0 + side_by_side <= m->in_w && side_by_side == m->k_w;
    for (uint16_t ky = 0; ky < m->k_h; ky++, y += m->dilation_h, at += pitch) {
        if (y < 0 || y >= m->in_h) {
            fill(f, lanes, m->k_w * in_c);
            lanes += m->k_w * bytes;
            continue;
        }
        if (whole) {
            copy(f->in + at, m->k_w * in_c, m->lane_zero, lanes);
            lanes += m->k_w * bytes;
            continue;
        }
        for (int32_t x = x0, left = m->k_w; left; left -= side_by_side, x += m->dilation_w) {
            int32_t end = x + side_by_side, from = quant_clamp(0, x, end), to = quant_clamp(m->in_w, from, end);
            fill(f, lanes, (uint32_t)(from - x) * in_c);
            lanes += (uint32_t)(from - x) * bytes;
            if (to > from) copy(f->in + at + (from - x0) * m->in_c, (uint32_t)(to - from) * in_c, m->lane_zero, lanes);
            lanes += (uint32_t)(to - from) * bytes;
            fill(f, lanes, (uint32_t)(end - to) * in_c);
            lanes += (uint32_t)(end - to) * bytes;
        }
    }
}

/* Pixels (oy, ox) .. n on, if all their taps lie inside the input: the first one's, else NULL. */
static const uint8_t *inside(const field *f, uint16_t oy, uint16_t ox, uint8_t n)
{
    const dev_mac *m = f->m;
    int32_t y = (int32_t)oy * m->stride_h - m->pad_top, x = (int32_t)ox * m->stride_w - m->pad_left;
    if (y < 0 || x < 0 || y + (m->k_h - 1) * m->dilation_h >= m->in_h || x + (n - 1) * m->stride_w + m->k_w > m->in_w) return NULL;
    return f->in + ((uint32_t)y * m->in_w + (uint32_t)x) * m->in_c;
}

/* Accumulators of one pixel, acc[0], acc[step] ..., to codes at `to`, of 8 or (wide) 16 bits. wide and requant are constants where this is inlined. */
static inline void rescale(const field *f, const int32_t *acc, uint8_t step, uint8_t *to, bool wide, dev_requant_fn *requant)
{
    const DEV_FLASH int32_t *multiplier = f->m->multiplier + (uint32_t)f->r->entry * f->m->channels;
    const DEV_FLASH int8_t *shift = f->m->shift + (uint32_t)f->r->entry * f->m->channels;
    int32_t zero = f->limits.out_zero, low = f->limits.low, high = f->limits.high;
    uint32_t next = f->m->channels > 1, step_acc = step;
    int16_t *words = (int16_t *)(void *)to;
    for (uint32_t left = f->m->out_c; left; left--, acc += step_acc, multiplier += next, shift += next) {
        int32_t code = quant_clamp(quant_wrap32((int64_t)requant(*acc, *multiplier, *shift) + zero), low, high);
        if (wide) *words++ = (int16_t)code;
        else *to++ = (uint8_t)code;
    }
}

/* The same at element `at` of the output, of any type. */
static void finish(const field *f, const int32_t *acc, uint8_t step, uint32_t at)
{
    const dev_mac *m = f->m;
    const dev_limits *q = &f->limits;
    uint8_t *out = f->r->arena + f->l->out.at, bytes = dev_type_bytes(f->l->out.type);
    bool twice = m->requant == dev_requant_twice;
    if (m->requant && bytes == 1) {
        if (twice) rescale(f, acc, step, out + at, false, quant_requant_twice);
        else rescale(f, acc, step, out + at, false, quant_requant_once);
        return;
    }
    if (m->requant && bytes == 2) {
        if (twice) rescale(f, acc, step, out + 2 * at, true, quant_requant_twice);
        else rescale(f, acc, step, out + 2 * at, true, quant_requant_once);
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

void dev_conv_by(const dev_layer *l, const dev_run *r, dev_gather_fn *copy)
{
    dev_mac m = *(const DEV_FLASH dev_mac *)l->params;
    const dev_weights w = m.weights[r->own];
    const dev_kernels *k = r->kernels;
    field f = {.l = l, .r = r, .m = &m, .copy = copy, .limits = l->limits[r->entry], .in = r->arena + l->in[0].at};
    const DEV_FLASH int32_t *bias = m.bias + (uint32_t)r->entry * m.out_c;
    const uint32_t table = (uint32_t)r->entry * m.channels, row = (uint32_t)m.k_w * m.in_c;
    uint32_t stride = padded(k, m.depth) * k->lane_bytes, pixels = (uint32_t)m.out_h * m.out_w;
    uint8_t *columns = r->arena + m.scratch, *out = r->arena + l->out.at;
    int32_t *acc = (int32_t *)(void *)(columns + k->pixels * stride);
    bool codes = k->codes && m.brief && m.brief[r->entry] && dev_type_bytes(l->out.type) == 1, whole = k->order == DEV_FLAT || m.in_c % k->lanes == 0;
    bool in_place = copy == k->gather && k->lane_bytes == 1 && m.lane_zero == 0 && m.dilation_w == 1 && whole && (codes || m.k_h == 1); /* inside the image lanes are the codes as they lie */
    if (m.k_h == 1 && m.k_w == 1 && m.stride_h == 1 && m.stride_w == 1 && m.pad_top == 0 && m.pad_left == 0 && pixels <= UINT16_MAX)
        m.in_w = m.out_w = (uint16_t)pixels, m.in_h = m.out_h = 1;
    for (uint32_t p = 0; p < k->pixels; p++)
        for (uint32_t i = m.depth * k->lane_bytes; i < stride; i++) columns[p * stride + i] = 0;
    dev_finish end = {.pitch = (uint32_t)m.dilation_h * m.in_w * m.in_c, .next = m.channels > 1, .twice = m.requant == dev_requant_twice, .out_zero = f.limits.out_zero, .low = f.limits.low, .high = f.limits.high};
    if (codes) end.bias = bias, end.multiplier = m.multiplier + table, end.shift = m.shift + table;
    uint16_t oy = 0, ox = 0;
    for (uint32_t at = 0; at < pixels;) {
        uint32_t most = in_place ? (uint32_t)(m.out_w - ox) : pixels - at;
        uint8_t n = (uint8_t)(most < k->pixels ? most : k->pixels);
        const uint8_t *direct = in_place ? inside(&f, oy, ox, n) : NULL;
        const dev_tile t = {&w, m.depth, m.out_c, n, direct ? direct : columns, direct ? (uint32_t)m.stride_w * m.in_c : stride, acc};
        if (direct) ox = (uint16_t)(ox + n - 1);
        for (uint8_t p = 0; p < (direct ? 1 : n); p++) {
            if (!direct) gather(&f, oy, ox, columns + p * stride);
            if (++ox == m.out_w) ox = 0, oy++;
        }
        if (codes) {
            end.runs = direct ? m.k_h : 1, end.run = direct ? row : m.depth, end.to = out + at * m.out_c;
            k->codes(&t, &end);
            at += n;
            continue;
        }
        int32_t *start = acc;
        for (uint32_t c = 0; c < m.out_c; c++)
            for (uint32_t p = n, b = (uint32_t)bias[c]; p; p--) *start++ = (int32_t)b;
        k->dot(&t);
        for (uint8_t p = 0; p < n; p++, at++) finish(&f, acc + p, n, at * m.out_c);
    }
}

void dev_conv(const dev_layer *l, const dev_run *r) { dev_conv_by(l, r, r->kernels->gather); }
