/* SPDX-License-Identifier: Apache-2.0
 * UNIDIRECTIONAL_SEQUENCE_LSTM: int8 weights and activations, int16 gates (Q3.12 in, Q0.15 out) and cell. No peephole, projection,
 * layer normalization or coupled gates. Per step:
 *   gate = f(W x + b, requantized to 2^-12, + R h, requantized likewise)     f = logistic, or tanh for the candidate
 *   cell = forget * cell + input * candidate;   h = requant(output * tanh(cell))
 * The two engines differ in f (TFLM: tables; LiteRT: gemmlowp's 16-bit fixed point) and in how products are rescaled (TFLM: multiplier;
 * LiteRT: rounding shift). TFLM: micro/kernels/lstm_eval; LiteRT: lstm_eval EvalInteger8x8_16. */
#include "emu/ref/common.h"
#include "emu/ref/rows.h"
#include "quant/fixedpoint16.h"
#include "quant/multiplier.h"
#include "quant/requant.h"

enum { INPUT, FORGET, CANDIDATE, OUTPUT, GATES }; /* order of the operands: weights 1..4, recurrent 5..8, bias 12..15 */
enum { HIDDEN_STATE = 18, CELL_STATE = 19 };

typedef struct product { /* requantization by multiplier */
    int32_t m;
    int s;
} product;

typedef struct lstm_state {
    int batches, steps, inputs, units;
    product in[GATES], rec[GATES], forget, update, hidden;
    int cell_power; /* cell scale = 2^cell_power */
    int32_t clip;   /* 0 = none */
    int16_t *gates; /* [GATES][units] */
    uint16_t table[256];
} lstm_state;

static bool weights_ok(const emu_node *n)
{
    for (int k = 0; k < GATES; k++) {
        const model_tensor *w = emu_in(n, 1 + k), *r = emu_in(n, 5 + k), *b = emu_in(n, 12 + k);
        if (!w || !r || !b || w->dtype != MODEL_I8 || r->dtype != MODEL_I8 || b->dtype != MODEL_I32) return false;
        if (emu_zero(w) || emu_zero(r)) return false;
    }
    for (int k = 9; k <= 11; k++) { /* peephole */
        if (emu_in(n, k)) return false;
    }
    return !emu_in(n, 16) && !emu_in(n, 17) && !emu_in(n, 20) && !emu_in(n, 21) && !emu_in(n, 22) && !emu_in(n, 23);
}

static product scale_by(double real)
{
    product p;
    quant_multiplier(real, &p.m, &p.s);
    return p;
}

/* power with scale = 2^power; false if it is none. */
static bool log2_of(float scale, int *power)
{
    for (*power = -15; *power <= 0; ++*power) {
        if (scale == 1.0f / (float)(1 << -*power)) return true;
    }
    return false;
}

static status prepare(emu_node *n, err *e)
{
    const model_tensor *x = emu_in(n, 0), *h = emu_in(n, HIDDEN_STATE), *c = emu_in(n, CELL_STATE), *y = emu_out(n, 0);
    lstm_state *s = n->state = arena_alloc(n->mem, 1, sizeof *s);
    if (!s) return emu_no_memory(n, e);
    bool types = x->dtype == MODEL_I8 && h->dtype == MODEL_I8 && c->dtype == MODEL_I16 && y->dtype == MODEL_I8;
    if (!types) return emu_unsupported_type(n, e);
    if (!weights_ok(n) || n->op->attrs.activation != MODEL_TANH || n->op->attrs.proj_clip != 0)
        return emu_fail(n, e, ST_UNSUPPORTED, "only the plain LSTM is covered: no peephole, projection, layer normalization or coupled gates");
    if (!log2_of(emu_scale(c), &s->cell_power) || s->cell_power > -11) return emu_fail(n, e, ST_UNSUPPORTED, "cell scale %g is not 2^-11 to 2^-15", (double)emu_scale(c));
    bool time_major = n->op->attrs.time_major != 0;
    s->batches = x->dims[time_major];
    s->steps = x->dims[!time_major];
    s->inputs = x->dims[2];
    s->units = y->dims[2];
    for (int k = 0; k < GATES; k++) {
        s->in[k] = scale_by((double)(emu_scale(x) * emu_scale(emu_in(n, 1 + k))) / (1.0 / 4096));
        s->rec[k] = scale_by((double)(emu_scale(h) * emu_scale(emu_in(n, 5 + k))) / (1.0 / 4096));
    }
    const double q15 = 1.0 / 32768, cell = (double)emu_scale(c);
    s->forget = scale_by(q15 * cell / cell);
    s->update = scale_by(q15 * q15 / cell);
    s->hidden = scale_by(q15 * q15 / (double)emu_scale(h));
    s->clip = n->op->attrs.cell_clip > 0 ? quant_clamp((int32_t)(n->op->attrs.cell_clip / emu_scale(c)), 0, INT16_MAX) : 0;
    s->gates = arena_alloc(n->mem, (size_t)(GATES * s->units), sizeof *s->gates);
    quant_sigmoid_table(s->table);
    return s->gates ? ST_OK : emu_no_memory(n, e);
}

static int32_t saturate(int32_t v, emu_events *ev) { return emu_clamp(v, INT16_MIN, INT16_MAX, ev); }

static int32_t rescale(int64_t acc, product p, emu_events *ev)
{
    emu_events_acc(ev, acc);
    ev->requants++;
    ev->wraps += quant_wrap32(acc) != acc;
    return quant_requant_twice(quant_wrap32(acc), p.m, p.s);
}

/* Input of gate k, unit u in Q3.12. LiteRT adds the two halves before it saturates, TFLM saturates each. */
static int32_t gate_input(const emu_node *n, const lstm_state *s, int k, int u, const int8_t *x, const int8_t *h, emu_events *ev)
{
    const int8_t *w = emu_in(n, 1 + k)->data, *r = emu_in(n, 5 + k)->data;
    int64_t acc = ((const int32_t *)emu_in(n, 12 + k)->data)[u], rec = 0;
    for (int i = 0; i < s->inputs; i++) acc += (int64_t)w[u * s->inputs + i] * (x[i] - emu_zero(emu_in(n, 0)));
    for (int i = 0; i < s->units; i++) rec += (int64_t)r[u * s->units + i] * (h[i] - emu_zero(emu_in(n, HIDDEN_STATE)));
    int32_t a = saturate(rescale(acc, s->in[k], ev), ev), b = rescale(rec, s->rec[k], ev);
    return saturate(a + (n->profile->lstm == EMU_LSTM_LITERT_REF ? b : saturate(b, ev)), ev);
}

static int16_t squash(const emu_node *n, const lstm_state *s, int k, int16_t v)
{
    if (n->profile->lstm == EMU_LSTM_LITERT_REF) return k == CANDIDATE ? quant_tanh16(v, 3) : quant_logistic16(v, 3);
    return k == CANDIDATE ? quant_tanh_lut(v, 3, 0, s->table) : quant_logistic_lut(v, 3, 0, s->table);
}

static int16_t squash_cell(const emu_node *n, const lstm_state *s, int16_t c)
{
    int left = 15 + s->cell_power - 3;
    if (n->profile->lstm == EMU_LSTM_LITERT_REF) return quant_tanh16(c, 15 + s->cell_power);
    return left < 0 ? quant_tanh_lut(c, 3, -left, s->table) : quant_tanh_lut(c, 3 << left, 0, s->table);
}

static int16_t next_cell(const emu_node *n, const lstm_state *s, int16_t c, int u, emu_events *ev)
{
    const int16_t *g = s->gates;
    int32_t keep = g[FORGET * s->units + u] * c, add = g[INPUT * s->units + u] * g[CANDIDATE * s->units + u];
    if (n->profile->lstm == EMU_LSTM_LITERT_REF) {
        keep = quant_divide_pot(keep, 15);
        add = quant_divide_pot(add, 30 + s->cell_power);
    } else {
        keep = saturate(quant_requant_twice(keep, s->forget.m, s->forget.s), ev);
        add = saturate(quant_requant_twice(add, s->update.m, s->update.s), ev);
    }
    int32_t next = saturate(keep + add, ev);
    return (int16_t)(s->clip ? quant_clamp(next, -s->clip, s->clip) : next);
}

static void step(const emu_node *n, const lstm_state *s, const int8_t *x, int8_t *h, int16_t *c, int8_t *y, emu_events *ev)
{
    const model_tensor *hidden = emu_in(n, HIDDEN_STATE);
    for (int k = 0; k < GATES; k++)
        for (int u = 0; u < s->units; u++) s->gates[k * s->units + u] = squash(n, s, k, (int16_t)gate_input(n, s, k, u, x, h, ev));
    for (int u = 0; u < s->units; u++) {
        c[u] = next_cell(n, s, c[u], u, ev);
        int32_t v = s->gates[OUTPUT * s->units + u] * squash_cell(n, s, c[u]);
        h[u] = (int8_t)emu_clamp((int64_t)quant_requant_twice(v, s->hidden.m, s->hidden.s) + emu_zero(hidden), INT8_MIN, INT8_MAX, ev);
        y[u] = h[u];
    }
    ev->macs += (uint64_t)GATES * (uint64_t)s->units * (uint64_t)(s->inputs + s->units);
}

static void run(emu_node *n, emu_events *ev)
{
    const lstm_state *s = n->state;
    const int8_t *x = emu_in_data(n, 0);
    int8_t *h = emu_in_data(n, HIDDEN_STATE), *y = emu_out_data(n, 0);
    int16_t *c = emu_in_data(n, CELL_STATE);
    bool time_major = n->op->attrs.time_major != 0;
    for (int b = 0; b < s->batches; b++)
        for (int t = 0; t < s->steps; t++) {
            size_t row = time_major ? (size_t)t * (size_t)s->batches + (size_t)b : (size_t)b * (size_t)s->steps + (size_t)t;
            step(n, s, x + row * (size_t)s->inputs, h + (size_t)b * (size_t)s->units, c + (size_t)b * (size_t)s->units, y + row * (size_t)s->units, ev);
        }
}

void emu_row_unidirectional_sequence_lstm(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
