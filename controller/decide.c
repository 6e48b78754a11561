/* SPDX-License-Identifier: Apache-2.0
 * The decision alone: freestanding, the same on a workstation and on a board. */
#include "controller/controller.h"

/* splitmix64 (Steele, Lea, Flood 2014): one hash per (seed, input, choice), so that inputs can be run in any order. */
static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

int controller_decide(const controller *c, const controller_choice *ch, const controller_observation *o)
{
    switch (c->kind) {
    case CONTROLLER_LEARNED:
        return o->learned >= 0 && o->learned < ch->n_candidates ? (int)o->learned : -1;
    case CONTROLLER_RANDOM:
        return (int)(mix(mix(c->seed ^ mix((uint64_t)o->input)) + (uint64_t)o->choice) % (uint64_t)ch->n_candidates);
    case CONTROLLER_FIXED:
    case CONTROLLER_LAYERS: break;
    }
    return c->candidate[o->choice];
}
