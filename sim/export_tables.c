/* SPDX-License-Identifier: Apache-2.0
 * network.c: the network as constants of the runtime (device/device.h). */
#include <inttypes.h>
#include <string.h>

#include "emu/ref/common.h"
#include "sim/export_internal.h"

static const char *c_type(const model_tensor *t)
{
    switch (t->dtype) {
    case MODEL_I8: return "DEV_I8";
    case MODEL_U8: return "DEV_U8";
    case MODEL_I16: return "DEV_I16";
    default: return "DEV_I32";
    }
}

/* Text inside a C literal; what is not plain ASCII as octal. */
static void literal(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '?') fputc(c, f);
        else (void)fprintf(f, "\\%03o", c);
    }
    fputc('"', f);
}

void export_bytes(FILE *f, const char *name, const uint8_t *bytes, size_t n)
{
    (void)fprintf(f, "const DEV_FLASH uint8_t %s[] = {", name);
    for (size_t i = 0; i < n; i++) (void)fprintf(f, "%s%u,", i % 32 ? "" : "\n    ", bytes[i]);
    (void)fprintf(f, "%s};\n", n ? "\n" : "0");
}

static void print_number(FILE *f, int32_t v)
{
    if (v == INT32_MIN) (void)fprintf(f, "INT32_MIN"); /* -2147483648 is an expression of a wider type */
    else (void)fprintf(f, "%" PRId32, v);
}

static void print_tensor(const exporter *x, FILE *f, int i)
{
    const model_tensor *t = &x->g->tensors[i];
    (void)fprintf(f, "{%d, %zu, %s, %d, {", export_offset(x, i), t->n_elems, c_type(t), t->n_dims);
    for (int d = 0; d < t->n_dims; d++) (void)fprintf(f, "%s%d", d ? ", " : "", t->dims[d]);
    (void)fprintf(f, "%s}}", t->n_dims ? "" : "0");
}

/* Entry of the emulator's tables, candidate of the own choice, under entry i of the board's. */
static void split(const exporter *x, const export_layer *l, int i, int *entry, int *candidate)
{
    *entry = l->own_key ? i / l->n_candidates : i;
    *candidate = 0;
    if (l->op->choice < 0) return;
    for (int k = l->n_keys - 1; k >= 0; k--) {
        int n = x->s->graph->choices[l->key[k]].n_candidates;
        if (l->key[k] == l->op->choice) *candidate = i % n;
        i /= n;
    }
}

static int32_t folded_bias(const export_layer *l, int entry, int k, int c)
{
    uint32_t sum = 0;
    const int16_t *w = l->q.weights[k] + (size_t)c * (size_t)l->q.lanes;
    for (int i = 0; i < l->q.depth; i++) sum += (uint32_t)(int32_t)w[i];
    uint32_t bias = (uint32_t)l->q.bias[entry * l->q.out_c + c] - (uint32_t)(l->q.in_zero[entry] - l->lane_zero) * sum;
    return bias <= INT32_MAX ? (int32_t)bias : (int32_t)(bias - 0x80000000u) + INT32_MIN;
}

static void print_limits(const exporter *x, FILE *f, const export_layer *l)
{
    bool apart = l->op->code == MODEL_ADD && l->q.n_channels == 2; /* reads codes as they are */
    (void)fprintf(f, "static const DEV_FLASH dev_limits limits_%d[] = {", l->index);
    for (int i = 0; i < l->n_entries; i++) {
        int e, k;
        split(x, l, i, &e, &k);
        (void)fprintf(f, "%s{", i ? ", " : "");
        const int32_t v[] = {l->q.out_zero[e], l->q.low[e], l->q.high[e], apart ? 0 : l->q.pad_one ? 1 : l->q.in_zero[e], apart || !l->q.in_zero2 ? 0 : l->q.in_zero2[e]};
        for (int j = 0; j < 5; j++) {
            print_number(f, v[j]);
            (void)fprintf(f, j < 4 ? ", " : "}");
        }
    }
    (void)fprintf(f, "};\n");
}

static void print_requant(const exporter *x, FILE *f, const export_layer *l)
{
    int columns = l->mac ? l->q.out_c : l->q.n_channels;
    if (l->q.rule == EMU_RAW || columns == 0) return;
    (void)fprintf(f, "static const DEV_FLASH int32_t multiplier_%d[] = {", l->index);
    for (int i = 0; i < l->n_entries; i++) {
        int e, k;
        split(x, l, i, &e, &k);
        for (int c = 0; c < columns; c++) (void)fprintf(f, "%s%" PRId32 ",", (i * columns + c) % 16 ? "" : "\n    ", l->q.multiplier[e * columns + c]);
    }
    (void)fprintf(f, "\n};\nstatic const DEV_FLASH int8_t shift_%d[] = {", l->index);
    for (int i = 0; i < l->n_entries; i++) {
        int e, k;
        split(x, l, i, &e, &k);
        for (int c = 0; c < columns; c++) (void)fprintf(f, "%s%d,", (i * columns + c) % 32 ? "" : "\n    ", l->q.shift[e * columns + c]);
    }
    (void)fprintf(f, "\n};\n");
}

static void print_weights(FILE *f, const export_layer *l)
{
    char name[64];
    for (int k = 0; k < l->n_candidates; k++) {
        const dev_weights *w = &l->weights[k];
        if (l->same_codes[k] == k) {
            (void)snprintf(name, sizeof name, "codes_%d_%d", l->index, k);
            (void)fprintf(f, "static _Alignas(4) ");
            export_bytes(f, name, w->codes, l->code_bytes[k]);
        }
        if (!w->values) continue;
        (void)fprintf(f, "static const DEV_FLASH int8_t values_%d_%d[] = {", l->index, k);
        for (int i = 0; i < 1 << w->width; i++) (void)fprintf(f, "%s%d", i ? ", " : "", w->values[i]);
        (void)fprintf(f, "};\n");
    }
    (void)fprintf(f, "static const DEV_FLASH dev_weights weights_%d[] = {\n", l->index);
    for (int k = 0; k < l->n_candidates; k++) {
        const dev_weights *w = &l->weights[k];
        (void)fprintf(f, "    {codes_%d_%d, %" PRIu32 ", %d, %d, %d, %d, ", l->index, l->same_codes[k], w->row_bytes, w->container, w->nesting, w->drop, w->is_unsigned);
        if (w->values) (void)fprintf(f, "values_%d_%d, ", l->index, k);
        else (void)fprintf(f, "NULL, ");
        (void)fprintf(f, "%d, %d},\n", w->width, w->order);
    }
    (void)fprintf(f, "};\n");
}

/* dev_mac.brief under entry i */
static bool brief(const exporter *x, const export_layer *l, int i)
{
    const bool twice = l->q.rule == EMU_TWICE;
    int e, k;
    split(x, l, i, &e, &k);
    for (int c = 0; c < l->q.out_c; c++) {
        int32_t bias = folded_bias(l, e, k, c), shift = l->q.shift[e * l->q.out_c + c];
        if (bias < -(1 << 30) || bias > 1 << 30 || shift < (twice ? -29 : -22) || shift > (twice ? -1 : -2)) return false;
    }
    return l->q.depth <= 1 << 15;
}

static const char *requant_name(const export_layer *l) { return l->q.rule == EMU_TWICE ? "dev_requant_twice" : "dev_requant_once"; }

static void print_mac(const exporter *x, FILE *f, const export_layer *l)
{
    const model_tensor *in = &x->g->tensors[l->op->inputs[0]], *w = &x->g->tensors[l->op->inputs[1]], *out = &x->g->tensors[l->op->outputs[0]];
    emu_window v = {.in_h = (int)(in->n_elems / (size_t)l->q.depth), .in_w = 1, .in_c = l->q.depth, .out_w = 1, .out_c = l->q.out_c, .k_h = 1, .k_w = 1, .stride_h = 1, .stride_w = 1,
                    .dilation_h = 1, .dilation_w = 1};
    v.out_h = v.in_h;
    if (l->op->code != MODEL_FULLY_CONNECTED) emu_window_init(&v, in, out, w->dims[1], w->dims[2], &l->op->attrs);
    print_weights(f, l);
    (void)fprintf(f, "static const DEV_FLASH int32_t bias_%d[] = {", l->index);
    for (int i = 0; i < l->n_entries; i++) {
        int e, k;
        split(x, l, i, &e, &k);
        for (int c = 0; c < l->q.out_c; c++) {
            if ((i * l->q.out_c + c) % 16 == 0) (void)fprintf(f, "\n    ");
            print_number(f, folded_bias(l, e, k, c));
            fputc(',', f);
        }
    }
    (void)fprintf(f, "\n};\n");
    if (l->q.rule != EMU_RAW) {
        (void)fprintf(f, "static const DEV_FLASH uint8_t brief_%d[] = {", l->index);
        for (int i = 0; i < l->n_entries; i++) (void)fprintf(f, "%d,", brief(x, l, i));
        (void)fprintf(f, "};\n");
    }
    (void)fprintf(f, "static const DEV_FLASH dev_mac params_%d = {\n", l->index);
    (void)fprintf(f, "    %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, weights_%d, bias_%d, ", v.in_h, v.in_w, v.in_c, v.out_h, v.out_w, v.out_c, v.k_h, v.k_w,
                  v.stride_h, v.stride_w, v.dilation_h, v.dilation_w, v.pad_top, v.pad_left, l->q.depth, export_scratch(x, l->index), l->lane_zero, l->index, l->index);
    if (l->q.rule == EMU_RAW) (void)fprintf(f, "NULL, NULL, %d, NULL, NULL};\n", l->q.out_c);
    else (void)fprintf(f, "multiplier_%d, shift_%d, %d, %s, brief_%d};\n", l->index, l->index, l->q.out_c, requant_name(l), l->index);
}

static int axis_of(int axis, int rank) { return axis < 0 ? axis + rank : axis; }

static int axes(const exporter *x, const export_layer *l)
{
    int rank = x->g->tensors[l->op->inputs[0]].n_dims, mask = 0;
    if (l->op->code == MODEL_CONCATENATION) return axis_of(l->op->attrs.axis, x->g->tensors[l->op->outputs[0]].n_dims);
    if (l->op->code != MODEL_ARG_MAX && l->op->code != MODEL_MEAN) return 0;
    const model_tensor *t = &x->g->tensors[l->op->inputs[1]];
    const int32_t *a = t->data;
    if (l->op->code == MODEL_ARG_MAX) return axis_of(a[0], rank);
    for (size_t i = 0; i < t->n_elems; i++) mask |= 1 << axis_of(a[i], rank);
    return mask;
}

static void print_pointwise(const exporter *x, FILE *f, const export_layer *l)
{
    const model_tensor *in = &x->g->tensors[l->op->inputs[0]], *out = &x->g->tensors[l->op->outputs[0]];
    const model_attrs *a = &l->op->attrs;
    emu_window v = {0};
    bool pool = l->op->code == MODEL_AVERAGE_POOL_2D || l->op->code == MODEL_MAX_POOL_2D, pad = l->op->code == MODEL_PAD;
    bool scaled = l->q.rule != EMU_RAW && l->q.n_channels > 0;
    if (pool) emu_window_init(&v, in, out, a->filter_h, a->filter_w, a);
    (void)fprintf(f, "static const DEV_FLASH dev_pointwise params_%d = {%d, %d, %d, %d, %d, %d, {", l->index, v.k_h, v.k_w, v.stride_h, v.stride_w, v.pad_top, v.pad_left);
    const int32_t *pads = pad ? x->g->tensors[l->op->inputs[1]].data : NULL;
    for (int d = 0; d < (pad ? in->n_dims : 1); d++) (void)fprintf(f, "%s%d", d ? ", " : "", pad ? pads[2 * d] : 0);
    (void)fprintf(f, "}, %d, %d, %d, %d, %d, ", axes(x, l), scaled ? l->q.n_channels : 0, l->q.left_shift, export_scratch(x, l->index), pad ? emu_zero(out) : l->q.limit);
    if (scaled) (void)fprintf(f, "multiplier_%d, shift_%d, %s};\n", l->index, l->index, requant_name(l));
    else (void)fprintf(f, "NULL, NULL, NULL};\n");
}

static void print_layer(const exporter *x, FILE *f, const export_layer *l)
{
    int w_bits, a_bits, n = l->op->code == MODEL_ADD ? 2 : l->op->code == MODEL_CONCATENATION ? l->op->n_inputs : 1;
    hw_op_bits(x->s->graph, l->index, NULL, &w_bits, &a_bits);
    (void)fprintf(f, "    {%s, op_%s, name_%d, %d, %d,\n     {", l->run, l->op->type, l->index, l->index, n);
    for (int i = 0; i < n; i++) {
        if (i) (void)fprintf(f, ", ");
        print_tensor(x, f, l->op->inputs[i]);
    }
    (void)fprintf(f, "},\n     ");
    print_tensor(x, f, l->op->outputs[0]);
    (void)fprintf(f, ",\n     %d, %d, {", l->op->choice, l->n_keys);
    for (int k = 0; k < l->n_keys; k++) (void)fprintf(f, "%s%d", k ? ", " : "", l->key[k]);
    (void)fprintf(f, "%s}, %d, %d, ", l->n_keys ? "" : "0", w_bits, a_bits);
    if (l->q.low) (void)fprintf(f, "limits_%d, ", l->index);
    else (void)fprintf(f, "NULL, ");
    (void)fprintf(f, "&params_%d},\n", l->index);
}

/* A learned decision is taken as soon as it is there: its tensor need not live until the first layer that asks. */
static int decided_before(const exporter *x, int c)
{
    int t = x->s->graph->choices[c].tensor;
    if (x->s->policy.kind != CONTROLLER_LEARNED || t < 0) return 0;
    for (int i = 0; i < x->g->n_ops; i++) {
        for (int k = 0; k < x->g->ops[i].n_outputs; k++) {
            if (x->g->ops[i].outputs[k] == t) return i + 1;
        }
    }
    return 0; /* an input of the network */
}

static void print_choices(const exporter *x, FILE *f)
{
    const model_graph *g = x->s->graph;
    (void)fprintf(f, "static const DEV_FLASH dev_choice choices[] = {\n");
    for (int c = 0; c < g->n_choices; c++) {
        const model_choice *ch = &g->choices[c];
        bool learned = x->s->policy.kind == CONTROLLER_LEARNED && ch->tensor >= 0;
        const model_tensor *t = learned ? &x->g->tensors[ch->tensor] : NULL;
        (void)fprintf(f, "    {%d, %d, {", ch->n_candidates, decided_before(x, c));
        for (int k = 0; k < ch->n_candidates; k++) (void)fprintf(f, "%s%d", k ? ", " : "", ch->candidates[k].w_bits);
        (void)fprintf(f, "}, {");
        for (int k = 0; k < ch->n_candidates; k++) (void)fprintf(f, "%s%d", k ? ", " : "", ch->candidates[k].a_bits);
        (void)fprintf(f, "}, %d, %s},\n", t ? export_offset(x, ch->tensor) + ch->element * (int)model_dtype_bytes(t->dtype) : -1, t ? c_type(t) : "DEV_I8");
    }
    (void)fprintf(f, "};\nstatic const controller policy = {%d, %d, {", (int)x->s->policy.kind, g->n_choices);
    for (int c = 0; c < g->n_choices; c++) (void)fprintf(f, "%s%d", c ? ", " : "", x->s->policy.candidate[c]);
    (void)fprintf(f, "}, %" PRIu64 "u};\n", x->s->policy.seed);
}

/* Texts are constants of the model as its tables are: a literal would lie in memory. number < 0: none. */
static void print_text(FILE *f, const char *name, int number, const char *text)
{
    (void)fprintf(f, "static const DEV_FLASH char %s", name);
    if (number >= 0) (void)fprintf(f, "%d", number);
    (void)fprintf(f, "[] = ");
    literal(f, text);
    (void)fprintf(f, ";\n");
}

static void print_texts(const exporter *x, FILE *f)
{
    char name[96];
    for (int i = 0; i < x->g->n_ops; i++) {
        const char *type = x->layers[i].op->type;
        bool again = false;
        for (int k = 0; k < i; k++) again = again || strcmp(x->layers[k].op->type, type) == 0;
        (void)snprintf(name, sizeof name, "op_%.80s", type);
        if (!again) print_text(f, name, -1, type);
        print_text(f, "name_", i, x->layers[i].op->name);
    }
}

static void print_model(const exporter *x, FILE *f)
{
    const model_graph *g = x->s->graph;
    const char *slash = strrchr(g->path, '/');
    print_text(f, "file", -1, slash ? slash + 1 : g->path);
    print_text(f, "profile", -1, x->s->profile->name);
    print_text(f, "policy_text", -1, x->s->policy_text);
    (void)fprintf(f, "const dev_model network = {file, profile, policy_text, %" PRIu32 "u, %d, %d, layers, %s, %s,\n    ", g->crc32, x->g->n_ops, g->n_choices, g->n_choices ? "choices" : "NULL", g->n_choices ? "&policy" : "NULL");
    print_tensor(x, f, x->g->inputs[0]);
    (void)fprintf(f, ",\n    ");
    print_tensor(x, f, x->g->outputs[0]);
    (void)fprintf(f, ",\n    NETWORK_ARENA_BYTES};\nconst dev_kernels *const network_kernels = &dev_kernels_%s;\n", x->board.kernels);
}

status export_tables(const exporter *x, FILE *f, err *e)
{
    (void)fprintf(f, "/* Written by bitemu %s. */\n#include \"network.h\"\n\n", BITEMU_VERSION);
    for (int i = 0; i < x->g->n_ops; i++) {
        const export_layer *l = &x->layers[i];
        if (l->q.low) print_limits(x, f, l);
        print_requant(x, f, l);
        if (l->mac) print_mac(x, f, l);
        else print_pointwise(x, f, l);
    }
    print_texts(x, f);
    (void)fprintf(f, "static const DEV_FLASH dev_layer layers[] = {\n");
    for (int i = 0; i < x->g->n_ops; i++) print_layer(x, f, &x->layers[i]);
    (void)fprintf(f, "};\n");
    if (x->s->graph->n_choices) print_choices(x, f);
    print_model(x, f);
    return ferror(f) ? err_set(e, ST_IO, "network.c", "cannot be written") : ST_OK;
}
