/* SPDX-License-Identifier: Apache-2.0
 * RESHAPE, PAD, CONCATENATION, ARG_MAX: codes are moved or compared, not computed with. */
#include "device/device.h"

static void copy(uint8_t *to, const uint8_t *from, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) to[i] = from[i];
}

void dev_reshape(const dev_layer *l, const dev_run *r)
{
    copy(r->arena + l->out.at, r->arena + l->in[0].at, l->out.n * dev_type_bytes(l->out.type));
}

void dev_pad(const dev_layer *l, const dev_run *r)
{
    const dev_pointwise p = *(const DEV_FLASH dev_pointwise *)l->params;
    const dev_tensor *in = &l->in[0];
    uint16_t at[DEV_MAX_DIMS] = {0};
    for (uint32_t i = 0; i < l->out.n; i++) {
        uint32_t from = 0;
        bool inside = true;
        for (uint8_t d = 0; d < in->n_dims; d++) {
            int32_t x = (int32_t)at[d] - p.pads[d];
            inside = inside && x >= 0 && x < in->dims[d];
            from = from * in->dims[d] + (uint32_t)x;
        }
        dev_store(r->arena + l->out.at, l->out.type, i, inside ? dev_load(r->arena + in->at, in->type, from) : p.limit);
        for (int8_t d = (int8_t)(l->out.n_dims - 1); d >= 0 && ++at[d] == l->out.dims[d]; d--) at[d] = 0;
    }
}

/* Elements from dimension `from` on. */
static uint32_t inner(const dev_tensor *t, uint8_t from)
{
    uint32_t n = 1;
    for (uint8_t d = from; d < t->n_dims; d++) n *= t->dims[d];
    return n;
}

void dev_concatenation(const dev_layer *l, const dev_run *r)
{
    const dev_pointwise p = *(const DEV_FLASH dev_pointwise *)l->params;
    uint8_t *to = r->arena + l->out.at;
    uint32_t whole = inner(&l->out, p.axis), outer = whole ? l->out.n / whole : 0;
    for (uint32_t o = 0; o < outer; o++) {
        for (uint8_t i = 0; i < l->n_inputs; i++) {
            uint32_t bytes = inner(&l->in[i], p.axis) * dev_type_bytes(l->in[i].type);
            copy(to, r->arena + l->in[i].at + o * bytes, bytes);
            to += bytes;
        }
    }
}

/* The first largest along the axis. */
void dev_arg_max(const dev_layer *l, const dev_run *r)
{
    const dev_pointwise p = *(const DEV_FLASH dev_pointwise *)l->params;
    const dev_tensor *in = &l->in[0];
    uint32_t depth = in->dims[p.axis], step = inner(in, (uint8_t)(p.axis + 1)), outer = in->n / (depth * step);
    for (uint32_t o = 0; o < outer; o++) {
        for (uint32_t i = 0; i < step; i++) {
            uint32_t best = 0, base = o * depth * step + i;
            int32_t most = dev_load(r->arena + in->at, in->type, base);
            for (uint32_t k = 1; k < depth; k++) {
                int32_t v = dev_load(r->arena + in->at, in->type, base + k * step);
                if (v > most) most = v, best = k;
            }
            dev_store(r->arena + l->out.at, l->out.type, o * step + i, (int32_t)best);
        }
    }
}
