/* SPDX-License-Identifier: Apache-2.0
 * The one loop: for each layer the policy decides what must be decided, the layer's entry and weights follow, its operator runs. */
#include "device/device.h"

uint8_t dev_type_bytes(uint8_t type) { return type == DEV_I32 ? 4 : type == DEV_I16 ? 2 : 1; }

int32_t dev_load(const void *p, uint8_t type, uint32_t i)
{
    switch (type) {
    case DEV_I8: return ((const int8_t *)p)[i];
    case DEV_U8: return ((const uint8_t *)p)[i];
    case DEV_I16: return ((const int16_t *)p)[i];
    default: return ((const int32_t *)p)[i];
    }
}

void dev_store(void *p, uint8_t type, uint32_t i, int32_t v)
{
    switch (type) {
    case DEV_I8: case DEV_U8: ((uint8_t *)p)[i] = (uint8_t)v; return;
    case DEV_I16: ((int16_t *)p)[i] = (int16_t)v; return;
    default: ((int32_t *)p)[i] = v; return;
    }
}

/* Decides every choice whose first layer is number `at`; the choice that cannot be, or -1. */
static int decide(const dev_model *m, uint16_t at, const uint8_t *arena, int64_t index, uint8_t *candidate)
{
    for (uint16_t c = 0; c < m->n_choices; c++) {
        if (m->choices[c].decide_at != at) continue;
        const dev_choice choice = m->choices[c];
        controller_observation o = {.input = index, .choice = c};
        if (choice.decision_at >= 0) o.learned = dev_load(arena + choice.decision_at, choice.decision_type, 0);
        int k = controller_decide(m->policy, &(controller_choice){.n_candidates = choice.n_candidates}, &o);
        if (k < 0) return c;
        candidate[c] = (uint8_t)k;
    }
    return -1;
}

/* 0 bits: every output is its zero point. */
static void skip(const dev_layer *l, const dev_run *r)
{
    int32_t zero = l->limits ? l->limits[r->entry].out_zero : 0;
    for (uint32_t i = 0; i < l->out.n; i++) dev_store(r->arena + l->out.at, l->out.type, i, zero);
}

int dev_run_model(const dev_model *m, const dev_kernels *k, uint8_t *arena, int64_t index, uint8_t *candidate, const dev_observer *o)
{
    dev_run r = {.model = m, .kernels = k, .arena = arena, .candidate = candidate};
    for (uint16_t i = 0; i < m->n_layers; i++) {
        const dev_layer l = m->layers[i];
        int undecided = decide(m, i, arena, index, candidate);
        if (undecided >= 0) return undecided;
        r.entry = 0;
        for (uint8_t key = 0; key < l.n_keys; key++)
            r.entry = (uint16_t)(r.entry * m->choices[l.key[key]].n_candidates + candidate[l.key[key]]);
        r.own = l.choice >= 0 ? candidate[l.choice] : 0;
        bool skipped = l.choice >= 0 && !m->choices[l.choice].w_bits[r.own];
        if (o && o->begin) o->begin(o->ctx);
        if (skipped) skip(&l, &r);
        else l.run(&l, &r);
        if (o && o->end) o->end(o->ctx);
        if (!o || !o->layer) continue;
        bool chosen = l.choice >= 0;
        o->layer(o->ctx, &l, arena + l.out.at, chosen ? m->choices[l.choice].w_bits[r.own] : l.w_bits,
                 chosen ? m->choices[l.choice].a_bits[r.own] : l.a_bits);
    }
    return -1;
}
