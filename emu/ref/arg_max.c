/* SPDX-License-Identifier: Apache-2.0
 * ARG_MAX: index of the first largest element along a constant axis, of integers or float32. */
#include "emu/ref/common.h"
#include "emu/ref/rows.h"

static status prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *axis = emu_in(n, 1), *out = emu_out(n, 0);
    bool known = in->dtype == MODEL_I8 || in->dtype == MODEL_U8 || in->dtype == MODEL_I16 || in->dtype == MODEL_I32 || in->dtype == MODEL_F32;
    if (!known || (out->dtype != MODEL_I32 && out->dtype != MODEL_I64)) return emu_unsupported_type(n, e);
    int a = *(const int32_t *)axis->data;
    n->state = arena_alloc(n->mem, 1, sizeof(int));
    if (!n->state) return emu_no_memory(n, e);
    *(int *)n->state = a < 0 ? a + in->n_dims : a;
    return ST_OK;
}

static bool larger(const model_tensor *t, const void *x, size_t a, size_t b)
{
    return t->dtype == MODEL_F32 ? ((const float *)x)[a] > ((const float *)x)[b] : emu_load(t, x, a) > emu_load(t, x, b);
}

static void run(emu_node *n, emu_events *ev)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0);
    const void *x = emu_in_data(n, 0);
    int axis = *(const int *)n->state;
    size_t outer = 1, inner = 1, depth = (size_t)in->dims[axis];
    (void)ev;
    for (int d = 0; d < axis; d++) outer *= (size_t)in->dims[d];
    for (int d = axis + 1; d < in->n_dims; d++) inner *= (size_t)in->dims[d];
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < inner; i++) {
            size_t best = 0, base = o * depth * inner + i;
            for (size_t k = 1; k < depth; k++) {
                if (larger(in, x, base + k * inner, base + best * inner)) best = k;
            }
            if (out->dtype == MODEL_I32)
                ((int32_t *)emu_out_data(n, 0))[o * inner + i] = (int32_t)best;
            else
                ((int64_t *)emu_out_data(n, 0))[o * inner + i] = (int64_t)best;
        }
}

void emu_row_arg_max(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
