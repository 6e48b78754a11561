/* SPDX-License-Identifier: Apache-2.0
 * Depthwise convolution: one channel after another is a convolution of a plane. Planes of four channels are made band by band (device/depthwise.h); the
 * kernel row multiplies; a channel's sums become codes at once, with its multiplier in a register. */
#include "device/depthwise.h"
#include "device/weights.h"
#include "quant/requant.h"

typedef struct layer { /* what stays the same for all channels */
    const dev_layer *l;
    const dev_run *r;
    const dev_mac *m;
    dev_limits limits;
    dev_weights w;
    dev_bands b;
    const uint8_t *in;
    uint8_t *planes;            /* lanes beside the image are filled in once */
    uint32_t plane;             /* bytes of one */
    int8_t *weights;            /* of as many channels */
    int32_t *sums;
    uint8_t *out;
    uint32_t table;             /* of multipliers and shifts: this entry's first */
    bool plain, brief;          /* weights are bytes; sums are brief and outputs bytes */
    uint8_t zero;               /* lane beside the image */
} layer;

#define APART static __attribute__((noinline)) /* has the registers to itself */

APART void fill(uint8_t *to, uint32_t n, uint8_t lane)
{
    for (; n && ((uintptr_t)to & 3); n--) *to++ = lane;
    for (const uint32_t word = lane * 0x01010101u; n >= 4; n -= 4, to += 4) *(uint32_t *)(void *)to = word;
    for (; n; n--) *to++ = lane;
}

/* n codes, `step` apart, of `channels` neighbours to as many planes. */
APART void split(const uint8_t *from, uint32_t step, uint32_t n, uint32_t channels, uint8_t turn, uint8_t *to, uint32_t plane)
{
    if (channels == DEV_PLANES && (((uintptr_t)from | step) & 3) == 0) {
        dev_planes.split(from, step, n, turn, to, plane);
        return;
    }
    for (; channels; channels--, from++, to += plane) {
        const uint8_t *code = from;
        for (uint32_t i = 0; i < n; i++, code += step) to[i] = *code ^ turn;
    }
}

/* Rows first .. end of the planes: channels c .. c + n of the input's rows from y (of row `first`) on. */
APART void read_rows(const layer *d, uint32_t c, uint32_t n, int32_t y, uint32_t first, uint32_t end)
{
    const dev_mac *m = d->m;
    const uint32_t width = d->b.width, left = m->pad_left < width ? m->pad_left : width, room = width - left, copied = m->in_w < room ? m->in_w : room;
    const uint8_t turn = m->lane_zero ? 0x80 : 0;
    uint8_t *to = d->planes + first * width;
    for (uint32_t row = first; row < end; row++, y++, to += width) {
        if (y >= 0 && y < m->in_h) split(d->in + (uint32_t)y * m->in_w * m->in_c + c, m->in_c, copied, n, turn, to + left, d->plane);
        else for (uint32_t p = 0; p < n; p++) fill(to + p * d->plane, width, d->zero);
    }
}

/* The last rows of a band are the first of the next. */
APART void keep_rows(const layer *d, uint32_t n, uint32_t from, uint32_t rows)
{
    for (uint32_t p = 0; p < n; p++) {
        uint32_t *to = (uint32_t *)(void *)(d->planes + p * d->plane);
        const uint32_t *word = to + from * d->b.width / 4;
        for (uint32_t i = rows * d->b.width / 4; i; i--) *to++ = *word++;
    }
}

/* Weights of n channels from c on as bytes; between dilated taps and behind rows stand zeros. */
APART void read_weights(const layer *d, uint32_t c, uint32_t n)
{
    const dev_mac *m = d->m;
    const uint32_t row_bytes = d->w.row_bytes, next = m->dilation_w, wide = d->b.wide, k_w = m->k_w, apart = m->k_h * wide;
    const DEV_FLASH uint8_t *row = d->w.codes;
    int8_t *to = d->weights;
    for (uint32_t ky = m->k_h; ky; ky--, to += wide, row += k_w * row_bytes) {
        if (DEV_FLASH_IS_MEMORY && d->plain && next == 1) {
            split((const uint8_t *)(uintptr_t)row + c, row_bytes, k_w, n, 0, (uint8_t *)to, apart);
            continue;
        }
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t kx = 0; kx < k_w; kx++) to[k * apart + kx * next] = dev_weight_value(&d->w, row + kx * row_bytes, c + k);
    }
}

/* n sums of channel c to outputs of any type, from `at` on. */
APART void finish(const layer *d, uint32_t c, uint32_t n, uint32_t at)
{
    const dev_mac *m = d->m;
    const uint32_t i = d->table + (m->channels > 1 ? c : 0);
    at = at * m->out_c + c;
    for (uint32_t k = 0; k < n; k++, at += m->out_c) {
        int32_t v = d->sums[k];
        if (m->requant) v = quant_clamp(quant_wrap32((int64_t)m->requant(v, m->multiplier[i], m->shift[i]) + d->limits.out_zero), d->limits.low, d->limits.high);
        dev_store(d->out, d->l->out.type, at, v);
    }
}

/* Channel c, whose weights are number k of those read, of `rows` rows of outputs from oy on, whose lanes begin at `lanes`. */
APART void channel(const layer *d, uint32_t c, uint32_t k, const uint8_t *lanes, uint32_t oy, uint32_t rows)
{
    const dev_mac *m = d->m;
    const uint32_t width = d->b.width, step = d->b.sum_rows, i = d->table + (m->channels > 1 ? c : 0);
    dev_plane t = {(const int8_t *)lanes, m->dilation_h * width, m->stride_h * width, d->weights + k * m->k_h * d->b.wide, d->b.wide, m->k_h, (m->k_w - 1u) * m->dilation_w + 1,
                   m->stride_w, 0, m->out_w, m->bias[(uint32_t)d->r->entry * m->out_c + c], d->sums};
    dev_column q = {d->sums, 0, 0, 0, m->requant == dev_requant_twice, d->limits.out_zero, d->limits.low, d->limits.high, d->out + oy * m->out_w * m->out_c + c, m->out_c};
    if (d->brief) q.multiplier = m->multiplier[i], q.shift = m->shift[i];
    for (uint32_t y = 0; y < rows; y += step, t.lanes += step * t.down, q.to += q.n * m->out_c) {
        t.out_h = rows - y < step ? rows - y : step;
        q.n = t.out_h * m->out_w;
        dev_planes.plane(&t);
        if (d->brief) dev_planes.column(&q);
        else finish(d, c, q.n, (oy + y) * m->out_w);
    }
}

void dev_depthwise(const dev_layer *l, const dev_run *r)
{
    const dev_mac m = *(const DEV_FLASH dev_mac *)l->params;
    layer d = {.l = l, .r = r, .m = &m, .limits = l->limits[r->entry], .w = m.weights[r->own], .b = dev_bands_of(&m), .in = r->arena + l->in[0].at, .planes = r->arena + m.scratch};
    d.plane = d.b.rows * d.b.width;
    d.weights = (int8_t *)(d.planes + DEV_PLANES * d.plane + 8);
    d.sums = (int32_t *)(void *)(d.weights + DEV_PLANES * m.k_h * d.b.wide);
    d.out = r->arena + l->out.at;
    d.table = (uint32_t)r->entry * m.channels;
    d.brief = m.brief && m.brief[r->entry] && dev_type_bytes(l->out.type) == 1;
    d.plain = dev_weights_plain(&d.w);
    d.zero = (uint8_t)(d.limits.in_zero - m.lane_zero);
    fill(d.planes, DEV_PLANES * d.plane, d.zero);
    fill((uint8_t *)d.weights, DEV_PLANES * m.k_h * d.b.wide, 0);
    const uint32_t multiplier = m.out_c / m.in_c, kept = d.b.tall > m.stride_h ? d.b.tall - m.stride_h : 0;
    for (uint32_t c = 0; c < m.in_c; c += DEV_PLANES) {
        const uint32_t n = m.in_c - c < DEV_PLANES ? m.in_c - c : DEV_PLANES;
        if (multiplier == 1) read_weights(&d, c, n);
        for (uint32_t oy = 0, have = 0; oy < m.out_h; oy += d.b.out_rows) {
            const uint32_t rows = m.out_h - oy < d.b.out_rows ? m.out_h - oy : d.b.out_rows, need = (rows - 1) * m.stride_h + d.b.tall;
            if (have) keep_rows(&d, n, d.b.out_rows * m.stride_h, have);
            read_rows(&d, c, n, (int32_t)(oy * m.stride_h + have) - m.pad_top, have, need);
            for (uint32_t k = 0; k < n * multiplier; k++) {
                if (multiplier > 1) read_weights(&d, c * multiplier + k, 1);
                channel(&d, c * multiplier + k, multiplier > 1 ? 0 : k, d.planes + k / multiplier * d.plane, oy, rows);
            }
            have = kept;
        }
    }
}
