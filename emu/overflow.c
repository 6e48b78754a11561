/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/overflow.h"

#include <inttypes.h>

#include "emu/ref/mac.h"
#include "quant/accumulator.h"

typedef struct prover {
    emu_session *s;
    emu_node *n;
    const emu_kernel *row;
    const emu_mac *m;
    emu_overflow *o;
    emu_tap *taps;
    int *taken;         /* [n_choices], EMU_FREE where this layer does not care */
    size_t *places;     /* output elements (channel 0) whose taps differ */
    int n_places;
    bool beyond;        /* some value left 64 bits */
} prover;

typedef struct bound { /* of one output element */
    int64_t final_low, final_high, step_low, step_high;
} bound;

static int64_t less(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t more(int64_t a, int64_t b) { return a > b ? a : b; }

static void add(prover *p, bound *b, int64_t low, int64_t high, bool *any)
{
    b->final_low = quant_acc_add(b->final_low, low, 64, &p->beyond);
    b->final_high = quant_acc_add(b->final_high, high, 64, &p->beyond);
    b->step_low = *any ? less(b->step_low, b->final_low) : b->final_low;
    b->step_high = *any ? more(b->step_high, b->final_high) : b->final_high;
    *any = true;
}

/* The lanes x - zero lie in [low, high]. False: the library leaves this element out. */
static bool bound_of(prover *p, size_t out, int64_t low, int64_t high, bound *b)
{
    int n = p->row->taps(p->n, out, p->taps);
    int64_t bias = emu_mac_bias(p->m, p->n->entry, (int)(out % (size_t)p->m->out_c));
    bool any = false, has_bias = p->m->bias != NULL;
    *b = (bound){0};
    if (n == 0 && p->n->op->code == MODEL_CONV_2D) return false;
    if (has_bias && p->m->bias_first) add(p, b, bias, bias, &any);
    for (int i = 0; i < n; i++) {
        const emu_tap *t = &p->taps[i];
        int64_t w = t->weight, from = (t->element < 0 ? t->pad : low) * w, to = (t->element < 0 ? t->pad : high) * w;
        add(p, b, less(from, to), more(from, to), &any);
    }
    if (has_bias && !p->m->bias_first) add(p, b, bias, bias, &any);
    return true;
}

static void keep(prover *p, const bound *b, size_t out, emu_codes codes, emu_overflow_case *c, bool first_of_case)
{
    emu_overflow *o = p->o;
    bool steps = o->accumulator.overflow == MODEL_SATURATE, first = first_of_case && o->n_cases == 0;
    emu_extreme x = {0, out, p->n->candidate, p->n->entry, codes};
    c->final_low = first_of_case ? b->final_low : less(c->final_low, b->final_low);
    c->final_high = first_of_case ? b->final_high : more(c->final_high, b->final_high);
    c->step_low = first_of_case ? b->step_low : less(c->step_low, b->step_low);
    c->step_high = first_of_case ? b->step_high : more(c->step_high, b->step_high);
    x.value = steps ? b->step_low : b->final_low;
    if (first || x.value < o->low.value) o->low = x;
    x.value = steps ? b->step_high : b->final_high;
    if (first || x.value > o->high.value) o->high = x;
}

/* One candidate and table entry: all channels at all places, for every range of codes. */
static status prove_case(prover *p, err *e)
{
    emu_codes codes[EMU_MAX_CODES];
    int n_codes;
    bool first = true;
    emu_overflow_case *c = &p->o->cases[p->o->n_cases];
    const model_graph *g = p->n->graph;
    *c = (emu_overflow_case){.candidate = p->n->candidate, .entry = p->n->entry};
    TRY(emu_codes_of(p->s, p->n->op->inputs[0], p->taken, codes, &n_codes, e));
    bool network_input = emu_writer_of(p->n->sub, p->n->op->inputs[0]) < 0;
    for (int i = 0; i < n_codes; i++) {
        int32_t zero = p->m->in_zero[p->n->entry];
        int a_bits = p->n->op->choice >= 0 ? g->choices[p->n->op->choice].candidates[p->n->candidate].a_bits : 0;
        if (network_input && a_bits) { /* nothing but the candidate says how wide its codes are */
            bool sign = emu_in(p->n, 0)->dtype != MODEL_U8;
            int32_t low = sign ? -(1 << (a_bits - 1)) : 0, high = sign ? (1 << (a_bits - 1)) - 1 : (1 << a_bits) - 1;
            codes[i].low = codes[i].low > low ? codes[i].low : low;
            codes[i].high = codes[i].high < high ? codes[i].high : high;
        }
        for (int k = 0; k < p->n_places; k++) {
            for (int ch = 0; ch < p->m->out_c; ch++) {
                bound b;
                size_t out = p->places[k] + (size_t)ch;
                if (!bound_of(p, out, (int64_t)codes[i].low - zero, (int64_t)codes[i].high - zero, &b)) continue;
                keep(p, &b, out, codes[i], c, first);
                first = false;
            }
        }
    }
    p->o->n_cases += !first;
    return ST_OK;
}

/* Taps of an axis that lie inside the image at output position at: first and last, first > last = none. */
static void inside(int at, int stride, int dilation, int pad, int k, int size, int *from, int *to)
{
    *from = k;
    *to = -1;
    for (int i = 0; i < k; i++) {
        int x = at * stride + i * dilation - pad;
        if (x < 0 || x >= size) continue;
        if (*to < 0) *from = i;
        *to = i;
    }
}

/* Positions of one axis, each with other taps inside than those before; their number. */
static int distinct(int n, int stride, int dilation, int pad, int k, int size, int *at)
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        int from, to, other_from, other_to, same = 0;
        inside(i, stride, dilation, pad, k, size, &from, &to);
        for (int j = 0; j < count && !same; j++) {
            inside(at[j], stride, dilation, pad, k, size, &other_from, &other_to);
            same = from == other_from && to == other_to;
        }
        if (!same) at[count++] = i;
    }
    return count;
}

static status choose_places(prover *p, arena *a, err *e)
{
    const emu_node *n = p->n;
    const model_tensor *in = emu_in(n, 0), *w = emu_in(n, 1), *out = emu_out(n, 0);
    if (n->op->code == MODEL_FULLY_CONNECTED) {
        p->n_places = 1;
        p->places = arena_alloc(a, 1, sizeof *p->places);
        return p->places ? ST_OK : emu_no_memory(n, e);
    }
    emu_window g;
    emu_window_init(&g, in, out, w->dims[1], w->dims[2], &n->op->attrs);
    int *ys = arena_alloc(a, (size_t)g.out_h, sizeof *ys), *xs = arena_alloc(a, (size_t)g.out_w, sizeof *xs);
    if (!ys || !xs) return emu_no_memory(n, e);
    int rows = distinct(g.out_h, g.stride_h, g.dilation_h, g.pad_top, g.k_h, g.in_h, ys);
    int columns = distinct(g.out_w, g.stride_w, g.dilation_w, g.pad_left, g.k_w, g.in_w, xs);
    p->places = arena_alloc(a, (size_t)rows * (size_t)columns, sizeof *p->places);
    if (!p->places) return emu_no_memory(n, e);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < columns; x++) p->places[p->n_places++] = ((size_t)ys[y] * (size_t)g.out_w + (size_t)xs[x]) * (size_t)g.out_c;
    return ST_OK;
}

/* CMSIS-NN sums the first products of 16-bit convolutions in 32 bits: only where those cannot wrap is the sum exact. */
static bool short_sums_fit(const emu_mac *m)
{
    int64_t most = 0;
    for (int k = 0; k < m->n_candidates; k++) {
        for (int c = 0; c < m->out_c; c++) {
            int64_t sum = 0;
            for (int i = 0; i < m->depth; i++) {
                int64_t w = m->weights[k][(size_t)c * (size_t)m->lanes + (size_t)i];
                sum += 32768 * (w < 0 ? -w : w);
            }
            most = more(most, sum);
        }
    }
    return most <= INT32_MAX;
}

static const char *unexamined(const emu_node *n, const emu_mac *m)
{
    switch (n->op->code) {
    case MODEL_TRANSPOSE_CONV: case MODEL_SVDF: case MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM: {
        const model_tensor *x = emu_in(n, n->op->code == MODEL_TRANSPOSE_CONV ? 2 : 0);
        return x->dtype == MODEL_F32 ? NULL : "no proof for this operator";
    }
    default: break;
    }
    if (m && emu_in(n, 0)->data) return "its input is a constant";
    if (m && m->short_sums && !short_sums_fit(m)) return "the library sums its first products in 32 bits, which may wrap";
    return NULL;
}

static void judge(prover *p)
{
    emu_overflow *o = p->o;
    bound b = {0};
    for (int i = 0; i < o->n_cases; i++) {
        const emu_overflow_case *c = &o->cases[i];
        b.final_low = i ? less(b.final_low, c->final_low) : c->final_low;
        b.final_high = i ? more(b.final_high, c->final_high) : c->final_high;
        b.step_low = i ? less(b.step_low, c->step_low) : c->step_low;
        b.step_high = i ? more(b.step_high, c->step_high) : c->step_high;
    }
    o->bits_final = p->beyond ? 65 : quant_acc_bits(b.final_low, b.final_high);
    o->bits_steps = p->beyond ? 65 : quant_acc_bits(b.step_low, b.step_high);
    o->bits_needed = o->accumulator.overflow == MODEL_SATURATE ? o->bits_steps : o->bits_final;
    o->verdict = o->bits_needed > o->accumulator.bits ? EMU_OVERFLOWS : EMU_CANNOT_OVERFLOW;
}

status emu_overflow_prove(emu_session *s, int op, arena *a, emu_overflow *out, err *e)
{
    prover p = {.s = s, .n = emu_session_node(s, op), .row = emu_session_kernel(s, op), .o = out};
    const model_graph *g = p.n->graph;
    *out = (emu_overflow){.verdict = EMU_NO_ACCUMULATOR};
    p.m = p.row->mac ? p.row->mac(p.n) : NULL;
    out->why = unexamined(p.n, p.m);
    if (p.m) out->accumulator = (model_accumulator){p.m->bits, p.m->saturate ? MODEL_SATURATE : MODEL_WRAP};
    if (out->why) out->verdict = EMU_NOT_EXAMINED;
    if (out->why || !p.m) return ST_OK;
    out->channels = p.m->out_c;
    out->taps = p.row->taps(p.n, 0, NULL);
    p.taps = arena_alloc(a, (size_t)out->taps, sizeof *p.taps);
    p.taken = arena_alloc(a, (size_t)g->n_choices, sizeof *p.taken);
    out->cases = arena_alloc(a, (size_t)p.m->n_entries * (size_t)p.m->n_candidates, sizeof *out->cases);
    if (!p.taps || !p.taken || !out->cases) return emu_no_memory(p.n, e);
    TRY(choose_places(&p, a, e));
    for (int k = 0; k < p.m->n_candidates; k++) {
        for (int entry = 0; entry < p.m->n_entries; entry++) {
            for (int c = 0; c < g->n_choices; c++) p.taken[c] = EMU_FREE;
            if (p.n->op->choice >= 0) p.taken[p.n->op->choice] = k;
            if (!emu_entry_allowed(g, p.n->op, entry, p.taken)) continue;
            emu_entry_take(g, p.n->op, entry, p.taken);
            p.n->candidate = k;
            p.n->entry = entry;
            TRY(prove_case(&p, e));
        }
    }
    judge(&p);
    return ST_OK;
}

const emu_extreme *emu_overflow_worst(const emu_overflow *o)
{
    int64_t low = quant_acc_min(o->accumulator.bits), high = quant_acc_max(o->accumulator.bits);
    uint64_t under = o->low.value < low ? (uint64_t)low - (uint64_t)o->low.value : 0;
    uint64_t over = o->high.value > high ? (uint64_t)o->high.value - (uint64_t)high : 0;
    return under > over ? &o->low : &o->high;
}

static void fill(const model_tensor *t, void *data, int32_t code)
{
    for (size_t i = 0; i < t->n_elems; i++) emu_store(t, data, i, code);
}

status emu_overflow_witness(emu_session *s, int op, const emu_extreme *x, bool largest, int *candidate, arena *a, err *e)
{
    emu_node *n = emu_session_node(s, op);
    const emu_kernel *row = emu_session_kernel(s, op);
    const emu_mac *m = row->mac(n);
    const model_tensor *in = emu_in(n, 0);
    int32_t zero = m->in_zero[x->entry];
    n->candidate = x->candidate;
    n->entry = x->entry;
    for (int c = 0; c < n->graph->n_choices; c++) candidate[c] = 0;
    if (n->op->choice >= 0) candidate[n->op->choice] = x->candidate;
    emu_entry_take(n->graph, n->op, x->entry, candidate);
    fill(in, emu_in_data(n, 0), zero < x->codes.low ? x->codes.low : zero > x->codes.high ? x->codes.high : zero);
    int taps = row->taps(n, x->out, NULL);
    emu_tap *list = arena_alloc(a, (size_t)taps, sizeof *list);
    if (!list) return emu_no_memory(n, e);
    taps = row->taps(n, x->out, list);
    for (int i = 0; i < taps; i++) {
        if (list[i].element < 0) continue;
        bool top = (list[i].weight > 0) == largest;
        emu_store(in, emu_in_data(n, 0), (size_t)list[i].element, top ? x->codes.high : x->codes.low);
    }
    return ST_OK;
}

static status confirm(emu_session *s, int op, const emu_overflow *o, bool largest, int *candidate, arena *a, err *e)
{
    const emu_extreme *x = largest ? &o->high : &o->low;
    bool leaves = largest ? x->value > quant_acc_max(o->accumulator.bits) : x->value < quant_acc_min(o->accumulator.bits);
    emu_events ev = {0};
    TRY(emu_overflow_witness(s, op, x, largest, candidate, a, e));
    TRY(emu_run_op(s, op, candidate, &ev, e));
    bool saturate = o->accumulator.overflow == MODEL_SATURATE;
    int64_t got = largest ? ev.acc_max : ev.acc_min;
    if (leaves && !(saturate ? ev.saturations : ev.wraps)) return emu_fail(emu_session_node(s, op), e, ST_MISMATCH, "%" PRId64 " was to overflow and did not", x->value);
    /* A cut falsifies what comes after it, and a value beyond 64 bits is not kept. */
    bool exact = saturate ? o->verdict == EMU_CANNOT_OVERFLOW : o->bits_final <= 64;
    if (exact && got != x->value) return emu_fail(emu_session_node(s, op), e, ST_MISMATCH, "an accumulator of %" PRId64 " where %" PRId64 " was proven", got, x->value);
    return ST_OK;
}

status emu_overflow_confirm(emu_session *s, int op, const emu_overflow *o, arena *a, err *e)
{
    const emu_node *n = emu_session_node(s, op);
    int *candidate = arena_alloc(a, (size_t)n->graph->n_choices + 1, sizeof *candidate);
    if (!candidate) return emu_no_memory(n, e);
    if (o->verdict != EMU_CANNOT_OVERFLOW && o->verdict != EMU_OVERFLOWS) return ST_OK;
    TRY(confirm(s, op, o, true, candidate, a, e));
    return confirm(s, op, o, false, candidate, a, e);
}
