/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/integers.h"

#include "emu/ref/mac.h"

/* Habits that change what a convolution adds up, or where. */
enum { OTHER_SUMS = EMU_PAD_RAW_ZERO | EMU_CMIX | EMU_HELIUM | EMU_PULP_COLUMNS | EMU_PULP_MIXED };

status emu_integers_rule(const emu_node *n, emu_rule rule, emu_rule *out, err *e)
{
    *out = rule;
    if (rule == EMU_TWICE || rule == EMU_ONCE || rule == EMU_RAW) return ST_OK;
    return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel rescales as profile %s does here", n->profile->name);
}

status emu_mac_integers(emu_node *n, const emu_mac *m, emu_integers *out, err *e)
{
    if (m->grid && m->grid->weights.kind == QUANT_TERNARY2) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for two accumulators");
    if (m->acc64 && m->rule != EMU_RAW) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for 64-bit accumulators (16-bit activations)");
    if (m->saturate || m->bits != 32) return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for a %d-bit %s accumulator", m->bits, m->saturate ? "saturating" : "wrapping");
    if (n->profile->habits & OTHER_SUMS || m->rests || m->cut28 || m->short_sums || m->unsigned_pairs || m->short_cut || m->tail < m->out_c || m->addend || m->bias64)
        return emu_fail(n, e, ST_UNSUPPORTED, "no board kernel computes as profile %s does here", n->profile->name);
    /* with a 32-bit accumulator and nothing added the exact rule is one rounding */
    TRY(emu_integers_rule(n, m->rule == EMU_EXACT ? EMU_ONCE : m->rule, &out->rule, e));
    size_t all = (size_t)m->n_entries * (size_t)m->out_c;
    out->bias = arena_alloc(n->mem, all, sizeof *out->bias);
    if (!out->bias) return emu_no_memory(n, e);
    for (size_t i = 0; i < all; i++) out->bias[i] = (int32_t)emu_mac_bias(m, (int)(i / (size_t)m->out_c), (int)(i % (size_t)m->out_c));
    out->n_entries = m->n_entries;
    out->n_channels = out->out_c = m->out_c;
    out->depth = m->depth;
    out->multiplier = m->multiplier;
    out->shift = m->shift;
    out->in_zero = m->in_zero;
    out->out_zero = m->out_zero;
    out->low = m->low;
    out->high = m->high;
    out->n_candidates = m->n_candidates;
    out->weights = (const int16_t *const *)m->weights;
    out->lanes = m->lanes;
    out->binary = m->grid && m->grid->binary_input;
    out->pad_one = out->binary && m->grid->pad_one;
    return ST_OK;
}

status emu_op_integers(emu_session *s, int op, emu_integers *out, err *e)
{
    emu_node *n = emu_session_node(s, op);
    const emu_kernel *k = emu_session_kernel(s, op);
    *out = (emu_integers){.rule = EMU_RAW, .n_entries = 1, .n_channels = 1};
    return k->integers ? k->integers(n, out, e) : emu_fail(n, e, ST_UNSUPPORTED, "no board kernel for this operator");
}

/* One entry's numbers in the session's arena. */
status emu_integers_entry(emu_node *n, emu_integers *out, const int32_t *multiplier, const int *shift, int columns, int32_t in_zero, int32_t in_zero2, int32_t out_zero,
                          int32_t low, int32_t high, err *e)
{
    int32_t *limits = arena_alloc(n->mem, 5, sizeof *limits), *m = arena_alloc(n->mem, (size_t)columns, sizeof *m);
    int *s = arena_alloc(n->mem, (size_t)columns, sizeof *s);
    if (!limits || !m || !s) return emu_no_memory(n, e);
    for (int i = 0; i < columns; i++) m[i] = multiplier[i], s[i] = shift[i];
    limits[0] = in_zero, limits[1] = in_zero2, limits[2] = out_zero, limits[3] = low, limits[4] = high;
    out->n_channels = columns;
    out->multiplier = m;
    out->shift = s;
    out->in_zero = &limits[0];
    out->in_zero2 = &limits[1];
    out->out_zero = &limits[2];
    out->low = &limits[3];
    out->high = &limits[4];
    return ST_OK;
}

/* Stated tables of several entries (QUANTIZE, ADD with two columns). */
status emu_integers_stated(emu_node *n, emu_integers *out, err *e)
{
    const model_integer *t = n->op->integer;
    size_t entries = (size_t)t->n_entries, all = entries * (size_t)t->n_channels;
    int32_t *in_zero = arena_alloc(n->mem, entries, sizeof *in_zero), *out_zero = arena_alloc(n->mem, entries, sizeof *out_zero);
    int32_t *low = arena_alloc(n->mem, entries, sizeof *low), *high = arena_alloc(n->mem, entries, sizeof *high);
    int *shift = arena_alloc(n->mem, all, sizeof *shift);
    if (!in_zero || !out_zero || !low || !high || !shift) return emu_no_memory(n, e);
    for (size_t i = 0; i < all; i++) shift[i] = t->shift[i];
    for (size_t i = 0; i < entries; i++) {
        in_zero[i] = t->in_zero ? t->in_zero[i] : 0;
        out_zero[i] = t->out_zero ? t->out_zero[i] : 0;
        emu_code_range(emu_out(n, 0), &low[i], &high[i]);
        if (t->out_min) low[i] = t->out_min[i];
        if (t->out_max) high[i] = t->out_max[i];
    }
    *out = (emu_integers){.rule = EMU_TWICE, .n_entries = t->n_entries, .n_channels = t->n_channels, .multiplier = t->multiplier, .shift = shift,
                          .in_zero = in_zero, .out_zero = out_zero, .low = low, .high = high};
    return ST_OK;
}
