/* SPDX-License-Identifier: Apache-2.0
 * Preparation of the layers of emu/ref/mac.h: weights to lanes, scales or stated integers to tables. emu/ref/mac_run.c computes. */
#include "emu/ref/mac.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "emu/ref/pulp.h"
#include "quant/multiplier.h"

static const model_tensor *weight_tensor(const emu_node *n, int candidate)
{
    const model_weights *w = n->op->weights;
    if (!w) return emu_in(n, 1);
    return &n->sub->tensors[w->tensor[w->nesting == MODEL_SEPARATE ? candidate : 0]];
}

/* Weights of one candidate as lanes: narrowed from the master if nested, zero point subtracted. */
static int16_t *unpack(const emu_node *n, const emu_mac *m, int candidate, bool transposed)
{
    const model_tensor *t = weight_tensor(n, candidate);
    const model_weights *w = n->op->weights;
    int16_t *lanes = arena_alloc(n->mem, (size_t)m->out_c * (size_t)m->lanes, sizeof *lanes);
    int width = w && n->op->choice >= 0 ? n->graph->choices[n->op->choice].candidates[candidate].w_bits : t->bits;
    if (w && !width) width = w->bits; /* skipped: not read */
    bool per_channel = n->op->integer && t->n_scales > 1;
    int32_t tensor_zero = t->n_scales == 1 && !(n->profile->habits & EMU_FC_NO_WEIGHT_ZERO) ? emu_zero(t) : 0;
    bool is_unsigned = model_codes_unsigned(n->op, t);
    for (int c = 0; lanes && c < m->out_c; c++) {
        int32_t zero = per_channel ? (int32_t)t->zero_point[c] : tensor_zero;
        for (int i = 0; i < m->depth; i++) {
            size_t at = transposed ? (size_t)i * (size_t)m->out_c + (size_t)c : (size_t)c * (size_t)m->depth + (size_t)i;
            int32_t code = emu_load(t, t->data, at);
            if (w && w->nesting != MODEL_SEPARATE) code = model_nest(w->nesting, is_unsigned, code, w->bits, width);
            if (m->grid) code = quant_grid_value(&m->grid->weights, width, code);
            lanes[(size_t)c * (size_t)m->lanes + (size_t)i] = (int16_t)(code - zero);
        }
    }
    return lanes;
}

/* Largest |x - zero| over all codes of the input and all entries; -1 if a zero point lies outside what a lane can hold. */
static int64_t largest_input(const emu_node *n, const emu_mac *m)
{
    int32_t low, high;
    int64_t most = 1;
    emu_code_range(emu_in(n, 0), &low, &high);
    for (int i = 0; i < m->n_entries; i++) {
        int64_t down = (int64_t)low - m->in_zero[i], up = (int64_t)high - m->in_zero[i];
        if (down < INT16_MIN || up > INT16_MAX) return -1;
        most = -down > most ? -down : most;
        most = up > most ? up : most;
    }
    return most;
}

/* Longest run of products whose sum fits int32, a multiple of 16; 0 = not even 16 (16-bit weights by 16-bit activations). */
static int safe_chunk(const emu_mac *m, int64_t x)
{
    int64_t w = 1;
    for (int k = 0; k < m->n_candidates; k++) {
        for (size_t i = 0; i < (size_t)m->out_c * (size_t)m->lanes; i++) {
            int64_t a = abs(m->weights[k][i]);
            if (a > w) w = a;
        }
    }
    int64_t run = INT32_MAX / (x * w) / 16 * 16;
    return run > 1 << 20 ? 1 << 20 : (int)run;
}

/* Zero points of weights: fully connected layers and layers that state their integers. The engines ignore a convolution's. */
static bool weight_zero_ok(const emu_node *n, const model_tensor *w, bool is_fc)
{
    bool used = is_fc || n->op->integer;
    for (int i = 0; i < w->n_scales; i++) {
        int64_t zero = w->zero_point[i];
        if (zero && (!used || zero < -128 || zero > 255)) return false;
    }
    return true;
}

static status prepare_weights(emu_node *n, bool transposed, bool is_fc, emu_mac *m, err *e)
{
    int64_t x = largest_input(n, m);
    if (x < 0) return emu_fail(n, e, ST_UNSUPPORTED, "a zero point of the input is too far from its codes");
    m->n_candidates = n->op->choice >= 0 ? n->graph->choices[n->op->choice].n_candidates : 1;
    m->lanes = (m->depth + 15) / 16 * 16;
    m->column = arena_alloc(n->mem, (size_t)m->lanes + 1, sizeof *m->column);
    if (!m->column) return emu_no_memory(n, e);
    for (int k = 0; k < m->n_candidates; k++) {
        if (!weight_zero_ok(n, weight_tensor(n, k), is_fc)) return emu_fail(n, e, ST_UNSUPPORTED, "the weights have a zero point that no engine uses");
        bool same = k > 0 && !n->op->weights; /* a choice that only changes activations */
        m->weights[k] = same ? m->weights[0] : unpack(n, m, k, transposed);
        if (!m->weights[k]) return emu_no_memory(n, e);
        if (is_fc && n->profile->habits & EMU_PULP_MIXED) emu_pulp_linear_rows(n, m, m->weights[k]);
    }
    m->chunk = safe_chunk(m, x);
    TRY(emu_pulp_multiplier(n, m, x, e));
    return emu_grid_prepare(n, m, e);
}

static status alloc_tables(emu_node *n, emu_mac *m, err *e)
{
    size_t entries = (size_t)m->n_entries, all = entries * (size_t)m->out_c;
    m->multiplier = arena_alloc(n->mem, all, sizeof *m->multiplier);
    m->shift = arena_alloc(n->mem, all, sizeof *m->shift);
    m->real = arena_alloc(n->mem, all, sizeof *m->real);
    m->in_zero = arena_alloc(n->mem, entries, sizeof *m->in_zero);
    m->out_zero = arena_alloc(n->mem, entries, sizeof *m->out_zero);
    m->low = arena_alloc(n->mem, entries, sizeof *m->low);
    m->high = arena_alloc(n->mem, entries, sizeof *m->high);
    bool ok = m->multiplier && m->shift && m->real && m->in_zero && m->out_zero && m->low && m->high;
    return ok ? ST_OK : emu_no_memory(n, e);
}

static bool is_float(emu_rule r) { return r == EMU_REAL || r == EMU_FLOAT_EVEN || r == EMU_FLOAT_TRUNC || r == EMU_FLOAT_AWAY; }

/* XNNPACK refuses scales from 2^8 on; the layer falls to ruy. */
static bool beyond_xnn(const emu_node *n)
{
    const model_tensor *w = emu_in(n, 1);
    for (int i = 0; i < w->n_scales; i++) {
        if (emu_scale(emu_in(n, 0)) * w->scale[i] / emu_scale(emu_out(n, 0)) >= 256) return true;
    }
    return false;
}

static emu_rule rule_of(const emu_node *n, const emu_mac *m, bool is_fc)
{
    bool narrow = emu_weight_bits(n) == 4;
    bool even = is_fc && m->depth % 2 == 0; /* XNNPACK takes 4-bit rows of whole bytes only */
    if (narrow && n->profile->habits & EMU_W4_BUILTIN && !even) return EMU_UP;
    if (narrow && is_fc && n->profile->fc == EMU_MVE) return EMU_ONCE; /* its 4-bit kernel requantizes one by one */
    if (n->profile->conv == EMU_FLOAT_EVEN && !m->acc64 && emu_in(n, 0)->dtype == MODEL_I16) return EMU_UP; /* not XNNPACK's */
    if (n->profile->conv == EMU_FLOAT_EVEN && !m->acc64 && !n->op->integer && beyond_xnn(n)) return EMU_UP;
    if (m->acc64) return is_fc ? n->profile->fc_wide : n->profile->wide;
    return is_fc ? n->profile->fc : n->profile->conv;
}

/* How stated integers are requantized, and whether the profile can. */
static status stated_rule(const emu_node *n, bool is_fc, emu_mac *m, err *e)
{
    const model_integer *t = n->op->integer;
    bool ours = n->profile->habits & EMU_ANY_GRID;
    m->rule = rule_of(n, m, is_fc);
    bool real = is_float(m->rule) && m->rule != EMU_REAL;
    if (m->rule == EMU_REAL) m->rule = m->acc64 ? EMU_WIDE : EMU_HALF_AWAY;
    if (!t->multiplier && !t->scale && !t->shift && !t->threshold) m->rule = EMU_RAW;
    if (t->scale && !real) return emu_fail(n, e, ST_UNSUPPORTED, "profile %s does not scale in floating point; state multiplier and shift", n->profile->name);
    if (t->threshold) m->rule = EMU_THRESHOLD;
    if (m->rule == EMU_THRESHOLD && !ours && n->profile->conv != EMU_FLOAT_AWAY) return emu_fail(n, e, ST_UNSUPPORTED, "profile %s has no thresholds", n->profile->name);
    if (t->shift && !t->multiplier && m->rule != EMU_SHIFT) {
        if (!ours) return emu_fail(n, e, ST_UNSUPPORTED, "profile %s has no requantization by shift alone", n->profile->name);
        m->rule = EMU_ROUND_SHIFT;
    }
    if (t->addend && m->rule != EMU_SHIFT && !ours) return emu_fail(n, e, ST_UNSUPPORTED, "profile %s has no addend", n->profile->name);
    if (m->rule == EMU_ONCE && ours && (t->addend || t->multiplier_n)) m->rule = EMU_EXACT;
    if (m->rule == EMU_FLOAT_TRUNC && !t->scale) m->rule = EMU_TWICE; /* TinyEngine's integer kernels */
    return ST_OK;
}

/* What the shift of a multiplier may be; above it the engines' own shifts are undefined. */
static int largest_shift(emu_rule rule)
{
    if (is_float(rule)) return INT_MAX;
    return rule == EMU_WIDE || rule == EMU_WIDE_HALVED ? 14 : 30;
}

/* Native layers: the file states the integers. */
static status stated_tables(emu_node *n, bool is_fc, emu_mac *m, err *e)
{
    const model_integer *t = n->op->integer;
    m->n_entries = t->n_entries;
    TRY(alloc_tables(n, m, e));
    m->bias64 = t->bias64 != NULL;
    m->bias = m->bias64 ? (const void *)t->bias64 : t->bias;
    m->acc64 = emu_in(n, 0)->dtype == MODEL_I16 && (!t->bias || n->profile->habits & EMU_S16_BIAS32_WIDE);
    m->addend = t->addend;
    m->n_addends = t->n_channels;
    m->short_cut = n->profile->habits & EMU_SHORT_CUT && t->multiplier && !t->addend;
    m->unsigned_pairs = n->profile->habits & EMU_UNSIGNED_PAIRS && n->op->code == MODEL_CONV_2D && t->shift && !t->multiplier && emu_out(n, 0)->dtype == MODEL_I8;
    TRY(stated_rule(n, is_fc, m, e));
    for (int i = 0; i < t->n_entries; i++) {
        m->in_zero[i] = t->in_zero ? t->in_zero[i] : 0;
        m->out_zero[i] = t->out_zero ? t->out_zero[i] : 0;
        emu_code_range(emu_out(n, 0), &m->low[i], &m->high[i]);
        if (t->threshold) m->low[i] = 0, m->high[i] = 1;
        if (t->out_min) m->low[i] = t->out_min[i];
        if (t->out_max) m->high[i] = t->out_max[i];
        for (int c = 0; m->rule != EMU_RAW && c < m->out_c; c++) {
            int from = i * t->n_channels + (t->n_channels == 1 ? 0 : c), to = i * m->out_c + c;
            m->multiplier[to] = t->threshold ? t->threshold[from] : t->multiplier ? t->multiplier[from] : 1;
            m->shift[to] = t->shift ? t->shift[from] : 0;
            m->real[to] = t->scale ? (double)t->scale[from] : ldexp(m->multiplier[to], m->shift[to] - 31);
            if (m->shift[to] > largest_shift(m->rule)) return emu_fail(n, e, ST_UNSUPPORTED, "channel %d shifts by %d, beyond what the kernel can", c, m->shift[to]);
            if (m->multiplier[to] < 0 && m->rule != EMU_FLOOR && m->rule != EMU_SHIFT && m->rule != EMU_THRESHOLD) return emu_fail(n, e, ST_FORMAT, "channel %d has a negative multiplier", c);
        }
    }
    return ST_OK;
}

/* Effective scale of channel c. Some engines multiply s_in s_w of a per-tensor fully connected layer in float32 first; XNNPACK works
 * in float32 throughout. */
static double effective_scale(const emu_node *n, const emu_mac *m, bool is_fc, int c)
{
    const model_tensor *in = emu_in(n, 0), *w = emu_in(n, 1), *out = emu_out(n, 0);
    float s_w = w->scale[w->n_scales > 1 ? c : 0];
    if (m->rule == EMU_FLOAT_EVEN || m->rule == EMU_FLOAT_TRUNC) return (double)(emu_scale(in) * s_w / emu_scale(out));
    if (n->profile->habits & EMU_FLOAT_SCALE) return (double)(emu_scale(in) * s_w / emu_scale(out));
    if (n->profile->habits & EMU_FLOAT_PRODUCT) return (double)(emu_scale(in) * s_w) / (double)emu_scale(out);
    if (is_fc && w->n_scales == 1 && n->profile->habits & EMU_FC_FLOAT_PRODUCT) return (double)(emu_scale(in) * s_w) / (double)emu_scale(out);
    return (double)emu_scale(in) * (double)s_w / (double)emu_scale(out);
}

static status scale_tables(emu_node *n, bool is_fc, emu_mac *m, err *e)
{
    const model_tensor *in = emu_in(n, 0), *out = emu_out(n, 0), *bias = emu_in(n, 2);
    m->n_entries = 1;
    TRY(alloc_tables(n, m, e));
    /* 16-bit activations accumulate in 64 bits; with a 32-bit bias in 32, and the multiplier stays whole. LiteRT does so only when the
     * operator's quantized_bias_type says int32, as its converter writes then. */
    m->acc64 = in->dtype == MODEL_I16 && (!(bias && bias->dtype == MODEL_I32) || n->profile->habits & EMU_S16_BIAS32_WIDE);
    m->rule = rule_of(n, m, is_fc);
    if (m->rule == EMU_FLOOR || m->rule == EMU_SHIFT || m->rule == EMU_FLOAT_AWAY)
        return emu_fail(n, e, ST_UNSUPPORTED, "profile %s works on stated integers, not on scales", n->profile->name);
    m->bias = bias ? emu_in_data(n, 2) : NULL;
    m->bias64 = bias && bias->dtype == MODEL_I64;
    m->in_zero[0] = emu_zero(in);
    m->out_zero[0] = emu_zero(out);
    for (int c = 0; c < m->out_c; c++) {
        m->real[c] = effective_scale(n, m, is_fc, c);
        quant_multiplier(m->real[c], &m->multiplier[c], &m->shift[c]);
        if (m->shift[c] > largest_shift(m->rule))
            return emu_fail(n, e, ST_UNSUPPORTED, "channel %d rescales by %g, beyond what the kernel can shift", c, m->real[c]);
    }
    return emu_activation_range(n, out, &m->low[0], &m->high[0], e);
}

static bool type_ok(const emu_node *n)
{
    const model_tensor *in = emu_in(n, 0), *w = emu_in(n, 1), *bias = emu_in(n, 2), *out = emu_out(n, 0);
    bool weights = w->data && (w->dtype == MODEL_I8 || w->dtype == MODEL_U8);
    if (n->op->integer) {
        bool wide = w->dtype == MODEL_I16 && n->profile->habits & EMU_ANY_GRID, real = out->dtype == MODEL_F32 && n->profile->conv == EMU_FLOAT_AWAY;
        bool codes = out->dtype == MODEL_I8 || out->dtype == MODEL_U8 || out->dtype == MODEL_I16 || out->dtype == MODEL_I32;
        return (weights || wide) && (in->dtype == MODEL_I8 || in->dtype == MODEL_U8 || in->dtype == MODEL_I16) && (codes || real);
    }
    if (!weights || w->dtype != MODEL_I8 || in->dtype != out->dtype || (bias && !bias->data)) return false;
    if (in->dtype == MODEL_I8) return !bias || bias->dtype == MODEL_I32;
    if (bias && bias->dtype == MODEL_I32 && n->op->code == MODEL_DEPTHWISE_CONV_2D) return false; /* LiteRT refuses, TFLM misreads it */
    return in->dtype == MODEL_I16 && (!bias || bias->dtype == MODEL_I32 || bias->dtype == MODEL_I64) && emu_zero(in) == 0 && emu_zero(out) == 0;
}

/* LiteRT's optimized kernels: vectors of 8 channels of a depthwise convolution round half up twice, the channels left over as the
 * reference; a grouped convolution is the reference's altogether. */
static int channels_of_vectors(const emu_node *n, emu_rule rule, int out_c, bool is_fc)
{
    const model_tensor *in = emu_in(n, 0), *w = emu_in(n, 1);
    if (!(n->profile->habits & EMU_OPTIMIZED) || rule != EMU_UP || n->op->integer || is_fc) return out_c;
    if (n->op->code == MODEL_DEPTHWISE_CONV_2D) return out_c / 8 * 8;
    return in->dims[3] == w->dims[3] ? out_c : 0;
}

/* 64 bits are cut to the 32 that the library requantizes: for those layers the same as 32 and wrapping. */
static void choose_accumulator(const emu_node *n, emu_mac *m)
{
    int own = m->acc64 && m->rule != EMU_RAW ? 64 : 32, bits = n->accumulator.bits;
    bool given = bits && bits <= own;
    m->bits = given ? bits : own;
    m->saturate = given && n->accumulator.overflow == MODEL_SATURATE;
    m->bias_first = !m->acc64 && emu_profile_bias_first(n->profile);
}

status emu_mac_prepare(emu_node *n, int out_c, int depth, bool transposed, bool is_fc, emu_mac *m, err *e)
{
    if (!type_ok(n)) return emu_unsupported_type(n, e);
    m->out_c = out_c;
    m->depth = depth;
    m->grid = n->op->grid;
    TRY(n->op->integer ? stated_tables(n, is_fc, m, e) : scale_tables(n, is_fc, m, e));
    TRY(emu_grid_supported(n, m, e));
    choose_accumulator(n, m);
    if (m->saturate && emu_grid_special(m)) return emu_fail(n, e, ST_UNSUPPORTED, "a saturating accumulator of two sums or of binary inputs");
    m->rests = m->rule == EMU_MVE && emu_weight_bits(n) == 4 && n->op->code == MODEL_CONV_2D;
    m->tail = channels_of_vectors(n, m->rule, out_c, is_fc);
    m->cut28 = m->rule == EMU_FLOAT_EVEN && is_fc && emu_weight_bits(n) == 4;
    m->short_sums = m->acc64 && !n->accumulator.bits && n->op->code == MODEL_CONV_2D && n->profile->habits & EMU_S16_SHORT_SUMS;
    return prepare_weights(n, transposed, is_fc, m, e);
}
