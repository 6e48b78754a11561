/* SPDX-License-Identifier: Apache-2.0
 * AVERAGE_POOL_2D (half away from zero), MAX_POOL_2D, MEAN: as emu/ref/pool.c and emu/ref/mean.c. */
#include "device/device.h"
#include "quant/requant.h"

typedef struct extent { /* part of a window inside the image */
    int32_t y0, y1, x0, x1;
} extent;

static extent inside(const dev_pointwise *p, const dev_tensor *in, uint16_t oy, uint16_t ox)
{
    int32_t y = (int32_t)oy * p->stride_h - p->pad_top, x = (int32_t)ox * p->stride_w - p->pad_left;
    extent e = {y > 0 ? y : 0, y + p->k_h, x > 0 ? x : 0, x + p->k_w};
    if (e.y1 > in->dims[1]) e.y1 = in->dims[1];
    if (e.x1 > in->dims[2]) e.x1 = in->dims[2];
    return e;
}

static int32_t average(const dev_tensor *t, const void *codes, extent e, uint16_t c)
{
    int32_t sum = 0, count = (e.y1 - e.y0) * (e.x1 - e.x0);
    for (int32_t y = e.y0; y < e.y1; y++)
        for (int32_t x = e.x0; x < e.x1; x++) sum += dev_load(codes, t->type, ((uint32_t)y * t->dims[2] + (uint32_t)x) * t->dims[3] + c);
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

static int32_t largest(const dev_tensor *t, const void *codes, extent e, uint16_t c)
{
    int32_t most = INT32_MIN;
    for (int32_t y = e.y0; y < e.y1; y++) {
        for (int32_t x = e.x0; x < e.x1; x++) {
            int32_t v = dev_load(codes, t->type, ((uint32_t)y * t->dims[2] + (uint32_t)x) * t->dims[3] + c);
            if (v > most) most = v;
        }
    }
    return most;
}

static void pool(const dev_layer *l, const dev_run *r, int32_t (*of)(const dev_tensor *, const void *, extent, uint16_t))
{
    const dev_pointwise p = *(const DEV_FLASH dev_pointwise *)l->params;
    const dev_limits q = l->limits[0];
    uint32_t at = 0;
    for (uint16_t oy = 0; oy < l->out.dims[1]; oy++) {
        for (uint16_t ox = 0; ox < l->out.dims[2]; ox++) {
            extent e = inside(&p, &l->in[0], oy, ox);
            for (uint16_t c = 0; c < l->out.dims[3]; c++, at++)
                dev_store(r->arena + l->out.at, l->out.type, at, quant_clamp(of(&l->in[0], r->arena + l->in[0].at, e, c), q.low, q.high));
        }
    }
}

void dev_average_pool(const dev_layer *l, const dev_run *r) { pool(l, r, average); }
void dev_max_pool(const dev_layer *l, const dev_run *r) { pool(l, r, largest); }

void dev_mean(const dev_layer *l, const dev_run *r)
{
    const dev_pointwise p = *(const DEV_FLASH dev_pointwise *)l->params;
    const dev_limits q = l->limits[0];
    const dev_tensor *in = &l->in[0];
    int32_t *sums = (int32_t *)(void *)(r->arena + p.scratch);
    uint16_t at[DEV_MAX_DIMS] = {0};
    for (uint32_t i = 0; i < l->out.n; i++) sums[i] = 0;
    for (uint32_t i = 0; i < in->n; i++) {
        uint32_t to = 0;
        for (uint8_t d = 0; d < in->n_dims; d++) {
            if (!(p.axis >> d & 1)) to = to * in->dims[d] + at[d];
        }
        sums[to] += dev_load(r->arena + in->at, in->type, i);
        for (int8_t d = (int8_t)(in->n_dims - 1); d >= 0 && ++at[d] == in->dims[d]; d--) at[d] = 0;
    }
    for (uint32_t i = 0; i < l->out.n; i++) {
        int32_t v = p.requant(quant_wrap32(sums[i] - (int64_t)q.in_zero * p.limit), p.multiplier[0], p.shift[0]);
        dev_store(r->arena + l->out.at, l->out.type, i, quant_clamp(quant_wrap32((int64_t)v + q.out_zero), q.low, q.high));
    }
}
