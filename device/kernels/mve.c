/* SPDX-License-Identifier: Apache-2.0
 * Armv8.1-M with Helium (Cortex-M55, M85): VMLADAVA multiplies sixteen bytes by sixteen and adds up. Two channels by two pixels: four loads for 64 MACs. Weights that
 * are not bytes are unpacked, four rows at a time; codes leave by vectors of four channels. Predicates come from VCTP only. */
#include <arm_mve.h>

#include "device/kernels/bytes.h"
#include "device/kernels/mve.h"
#include "device/kernels/rows.h"
#include "device/weights.h"

enum { VECTOR = 16 };

typedef struct columns { /* one stretch of lanes after another */
    uint32_t runs, run, skip; /* lanes of a run, from its end to the next one's begin */
} columns;

/* sum[0], sum[4]: two channels of the first pixel and of the second. Beyond a run's end lanes are taken as 0, whatever the weights there. */
static void two_by_two(const int8_t *w0, const int8_t *w1, const int8_t *x0, const int8_t *x1, columns r, int32_t *sum)
{
    int32_t a = 0, b = 0, c = 0, d = 0;
    for (; r.runs; r.runs--, x0 += r.skip, x1 += r.skip) {
        uint32_t n = r.run;
        for (; n >= VECTOR; n -= VECTOR, w0 += VECTOR, w1 += VECTOR, x0 += VECTOR, x1 += VECTOR) {
            const int8x16_t v = vldrbq_s8(w0), w = vldrbq_s8(w1), x = vldrbq_s8(x0), y = vldrbq_s8(x1);
            a = vmladavaq_s8(a, v, x), b = vmladavaq_s8(b, w, x), c = vmladavaq_s8(c, v, y), d = vmladavaq_s8(d, w, y);
        }
        if (!n) continue;
        const mve_pred16_t left = vctp8q(n);
        const int8x16_t x = vldrbq_z_s8(x0, left), y = vldrbq_z_s8(x1, left), v = vldrbq_z_s8(w0, left), w = vldrbq_z_s8(w1, left);
        a = vmladavaq_s8(a, v, x), b = vmladavaq_s8(b, w, x), c = vmladavaq_s8(c, v, y), d = vmladavaq_s8(d, w, y);
        w0 += n, w1 += n, x0 += n, x1 += n;
    }
    sum[0] = a, sum[1] = b, sum[4] = c, sum[5] = d;
}

/* How a master becomes a code of fewer bits (dev_nesting). */
typedef struct rule {
    int32_t drop;
    int8x16_t top, one, half, rest;
} rule;

static inline __attribute__((always_inline)) int8x16_t narrow(int8x16_t x, rule k, uint8_t nesting)
{
    if (nesting == DEV_FLOOR) return vshlq_r_s8(x, -k.drop);
    int8x16_t code = vrshlq_n_s8(x, -k.drop);
    if (nesting == DEV_HALF_EVEN) code = vsubq_m_s8(code, code, vandq_s8(code, k.one), vcmpeqq_s8(vandq_s8(x, k.rest), k.half));
    return vminq_s8(code, k.top);
}

static inline __attribute__((always_inline)) void narrow_row(const int8_t *row, uint32_t n, rule k, uint8_t nesting, int8_t *to)
{
    for (; n >= VECTOR; n -= VECTOR, row += VECTOR, to += VECTOR) vstrbq_s8(to, narrow(vldrbq_s8(row), k, nesting));
    if (n) vstrbq_s8(to, narrow(vldrbq_z_s8(row, vctp8q(n)), k, nesting));
}

/* Four words of codes, those of `some`, as bytes. A word holds the codes i .. i + 3 in the lowest bits of its bytes, the next four above them (DEV_QUADS): every
 * plane is a vector of words, scattered. */
static inline __attribute__((always_inline)) void spread(int8x16_t codes, int32_t container, uint32x4_t apart, bool all, mve_pred16_t some, int8_t *to)
{
    for (int32_t up = 8 - container; up >= 0; up -= container, to += 4) {
        const int32x4_t plane = vreinterpretq_s32_s8(vshlq_r_s8(vshlq_r_s8(codes, up), container - 8));
        if (all) vstrwq_scatter_offset_s32((int32_t *)(void *)to, apart, plane);
        else vstrwq_scatter_offset_p_s32((int32_t *)(void *)to, apart, plane, some);
    }
}

static void spread_row(const uint8_t *row, uint32_t words, int32_t container, int8_t *to)
{
    const uint32_t planes = 8u / (uint32_t)container;
    const uint32x4_t apart = vmulq_n_u32(vidupq_n_u32(0, 4), planes);
    for (; words >= 4; words -= 4, row += VECTOR, to += VECTOR * planes) spread(vldrbq_s8((const int8_t *)row), container, apart, true, 0, to);
    if (words) spread(vldrbq_z_s8((const int8_t *)row, vctp32q(words)), container, apart, false, vctp32q(words), to);
}

/* A row as bytes. */
static void unpack(const dev_weights *w, const uint8_t *row, uint32_t depth, int8_t *to)
{
    const int8_t *bytes = (const int8_t *)row;
    if (w->is_unsigned || w->values || (w->drop && w->container != 8)) {
        for (uint32_t i = 0; i < depth; i++) to[i] = dev_weight_value(w, row, i);
    } else if (!w->drop) {
        spread_row(row, w->row_bytes / 4, w->container, to);
    } else {
        const rule k = {w->drop, vdupq_n_s8((int8_t)((1 << (w->width - 1)) - 1)), vdupq_n_s8(1), vdupq_n_s8((int8_t)(1 << (w->drop - 1))), vdupq_n_s8((int8_t)((1 << w->drop) - 1))};
        if (w->nesting == DEV_FLOOR) narrow_row(bytes, depth, k, DEV_FLOOR, to);
        else if (w->nesting == DEV_HALF_UP) narrow_row(bytes, depth, k, DEV_HALF_UP, to);
        else narrow_row(bytes, depth, k, DEV_HALF_EVEN, to);
    }
}

/* Rows c .. c + 3 of the weights as bytes; beyond n the last again. */
static void read_rows(const dev_tile *t, uint32_t c, uint32_t n, const int8_t *row[4])
{
    const dev_weights *w = t->weights;
    const bool plain = w->container == 8 && !w->drop && !w->is_unsigned && !w->values;
    int8_t *bytes = (int8_t *)(t->acc + (uint32_t)t->channels * t->pixels);
    for (uint32_t i = 0; i < 4; i++, bytes += (t->depth + DEV_UNPACKED - 1) / DEV_UNPACKED * DEV_UNPACKED) {
        const uint8_t *from = w->codes + (c + (i < n ? i : n - 1)) * w->row_bytes;
        if (i >= n) row[i] = row[i - 1];
        else if (plain) row[i] = (const int8_t *)from;
        else unpack(w, from, t->depth, bytes), row[i] = bytes;
    }
}

/* sum[pixel][channel] of the n channels from c on. */
static void multiply(const dev_tile *t, uint32_t c, uint32_t n, columns r, int32_t sum[16])
{
    const int8_t *row[4], *x = t->columns;
    read_rows(t, c, n, row);
    for (uint32_t p = 0; p < t->pixels; p += 2, x += 2 * t->stride) {
        const int8_t *y = p + 1 < t->pixels ? x + t->stride : x;
        two_by_two(row[0], row[1], x, y, r, sum + 4 * p);
        if (n > 2) two_by_two(row[2], row[3], x, y, r, sum + 4 * p + 2);
    }
}

static void dot(const dev_tile *t)
{
    int32_t *acc = t->acc, sum[16];
    for (uint32_t c = 0; c < t->channels; c += 4) {
        const uint32_t n = t->channels - c < 4 ? t->channels - c : 4;
        multiply(t, c, n, (columns){1, t->depth, 0}, sum);
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t p = 0; p < t->pixels; p++, acc++) *acc = (int32_t)((uint32_t)*acc + (uint32_t)sum[4 * p + k]);
    }
}

static void codes(const dev_tile *t, const dev_finish *f)
{
    const columns r = {f->runs, f->run, f->pitch - f->run};
    int32_t sum[16];
    for (uint32_t c = 0; c < t->channels; c += 4) {
        const uint32_t n = t->channels - c < 4 ? t->channels - c : 4;
        const mve_pred16_t some = vctp32q(n);
        const int32x4_t bias = vldrwq_z_s32(f->bias + c, some), m = f->next ? vldrwq_z_s32(f->multiplier + c, some) : vdupq_n_s32(*f->multiplier),
                        shift = f->next ? vldrbq_z_s32(f->shift + c, some) : vdupq_n_s32(*f->shift);
        multiply(t, c, n, r, sum);
        for (uint32_t p = 0; p < t->pixels; p++) {
            const int32x4_t code = mve_code(vaddq_s32(vldrwq_s32(sum + 4 * p), bias), m, shift, f->twice, f->out_zero, f->low, f->high);
            vstrbq_p_s32((int8_t *)f->to + p * t->channels + c, code, some);
        }
    }
}

const dev_kernels dev_kernels_mve = {"mve", mve_pixels, mve_bytes, mve_lanes, mve_order, mve_unpacks, bytes_gather, dot, codes};
