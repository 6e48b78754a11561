/* SPDX-License-Identifier: Apache-2.0
 * Native model reader and graph checks: any bytes end in a status; what passes the checks can be prepared and run. */
#include "base/arena.h"
#include "emu/emu.h"
#include "model/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void execute(const model_graph *g, const char *profile, arena *a)
{
    const emu_profile *p = emu_profile_find(profile);
    emu_session *s;
    int candidate[256] = {0};
    err e = {0};
    if (g->n_choices > 256) return;
    if (emu_session_create(g, p, a, &s, &e) != ST_OK) return;
    for (int op = 0; op < g->subgraphs[0].n_ops; op++) {
        emu_events ev = {0};
        if (emu_run_op(s, op, candidate, &ev, &e) != ST_OK) return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *a = arena_create((size_t)64 << 20);
    model_graph *g;
    err e = {0};
    if (a && model_load_native(data, size, a, &g, &e) == ST_OK && model_check(g, &e) == ST_OK) {
        execute(g, "tflm", a);
        execute(g, "bitemu", a);
        execute(g, "larq", a);
    }
    arena_destroy(&a);
    return 0;
}
