/* SPDX-License-Identifier: Apache-2.0
 * FULLY_CONNECTED: out[row, o] = sum over i of (in[row, i] - in_zero) (w[o, i] - w_zero) + bias[o]. TFLite
 * reference_integer_ops::FullyConnected and FullyConnectedPerChannel; the profile says how the sum is requantized. */
#include "emu/ref/float32.h"
#include "emu/ref/mac.h"
#include "emu/ref/rows.h"

typedef struct fc_state {
    emu_mac mac;
    int rows;
    bool float32;
} fc_state;

static status prepare(emu_node *n, err *e)
{
    const model_tensor *in = emu_in(n, 0), *w = emu_in(n, 1);
    fc_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    s->rows = w->dims[1] ? (int)(in->n_elems / (size_t)w->dims[1]) : 0;
    s->float32 = in->dtype == MODEL_F32;
    if (s->float32) return emu_float32_check(n, e);
    return emu_mac_prepare(n, w->dims[0], w->dims[1], false, true, &s->mac, e);
}

static void run(emu_node *n, emu_events *ev)
{
    const fc_state *s = n->state;
    if (s->float32) {
        emu_float32_fully_connected(n, s->rows, ev);
        return;
    }
    for (int r = 0; r < s->rows; r++) {
        emu_mac_lanes(emu_in(n, 0), emu_in_data(n, 0), (size_t)r * (size_t)s->mac.depth, (size_t)s->mac.depth, s->mac.in_zero[n->entry], s->mac.column);
        emu_grid_input(&s->mac, s->mac.column, s->mac.depth);
        emu_mac_column(&s->mac, n, 0, s->mac.out_c, emu_out_data(n, 0), (size_t)r * (size_t)s->mac.out_c, false, ev);
    }
}

static const emu_mac *mac(const emu_node *n)
{
    const fc_state *s = n->state;
    return s->float32 || emu_grid_special(&s->mac) ? NULL : &s->mac;
}

static int taps(const emu_node *n, size_t out, emu_tap *taps)
{
    const fc_state *s = n->state;
    size_t row = out / (size_t)s->mac.out_c, c = out % (size_t)s->mac.out_c;
    const int16_t *w = s->mac.weights[n->candidate] + c * (size_t)s->mac.lanes;
    for (int i = 0; taps && i < s->mac.depth; i++) taps[i] = (emu_tap){(int64_t)row * s->mac.depth + i, 0, w[i]};
    return s->mac.depth;
}

static status integers(emu_node *n, emu_integers *out, err *e)
{
    fc_state *s = n->state;
    return s->float32 ? emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for float32") : emu_mac_integers(n, &s->mac, out, e);
}

void emu_row_fully_connected(emu_kernel *row)
{
    *row = (emu_kernel){.prepare = prepare, .run = run, .mac = mac, .taps = taps, .integers = integers};
}
