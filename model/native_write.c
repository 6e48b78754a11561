/* SPDX-License-Identifier: Apache-2.0
 * Writer of the native format (docs/FORMAT.md). Any graph, whatever it was imported from; equal graphs give equal bytes. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/npy.h"
#include "model/load.h"
#include "model/native.h"

typedef struct text { /* growing buffer; failed once = failed */
    char *p;
    size_t n, room;
    bool failed;
} text;

typedef struct saver {
    const model_graph *g;
    text yaml;
    zip_member *members; /* [0] is model.yaml */
    int n, room;
    bool failed;
    char ***names;       /* [subgraph][tensor], unique */
} saver;

static void put(text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int need = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (t->failed || need < 0) return;
    if (t->n + (size_t)need + 1 > t->room) {
        size_t room = (t->room + (size_t)need + 1) * 2;
        char *p = realloc(t->p, room);
        t->failed = !p;
        if (!p) return;
        t->p = p;
        t->room = room;
    }
    va_start(ap, fmt);
    (void)vsnprintf(t->p + t->n, t->room - t->n, fmt, ap);
    va_end(ap);
    t->n += (size_t)need;
}

/* A double-quoted YAML scalar. Bytes that are not UTF-8 text become \x escapes of Latin-1. */
static void put_quoted(text *t, const char *s)
{
    put(t, "\"");
    for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
        if (*p == '"' || *p == '\\')
            put(t, "\\%c", *p);
        else if (*p < 32 || *p > 126)
            put(t, "\\x%02X", *p);
        else
            put(t, "%c", *p);
    }
    put(t, "\"");
}

/* Adds an array as a member and writes its name into the text. Takes a copy. */
static void put_array(saver *s, npy_type type, int n_dims, const int64_t *dims, const void *data)
{
    npy_info info = {.type = type, .n_dims = n_dims};
    size_t bytes = npy_type_bytes(type), head;
    char header[256], name[32];
    for (int i = 0; i < n_dims; i++) bytes *= (size_t)(info.dims[i] = dims[i]);
    head = npy_header(&info, header);
    if (s->n == s->room) {
        int room = s->room * 2;
        zip_member *more = realloc(s->members, (size_t)room * sizeof *more);
        s->failed = s->failed || !more;
        if (!more) return;
        s->members = more;
        s->room = room;
    }
    (void)snprintf(name, sizeof name, "a%d.npy", s->n);
    char *copy = malloc(head + bytes), *title = strdup(name);
    if (!copy || !title) {
        free(copy);
        free(title);
        s->failed = true;
        return;
    }
    memcpy(copy, header, head);
    if (bytes) memcpy(copy + head, data, bytes);
    s->members[s->n++] = (zip_member){title, copy, head + bytes};
    put(&s->yaml, "%s", name);
}

/* Names must be unique within a subgraph and not empty. */
static char *unique_name(const model_subgraph *g, char **taken, int t)
{
    const char *name = g->tensors[t].name;
    bool fresh = name[0] != 0;
    for (int i = 0; fresh && i < t; i++) fresh = strcmp(taken[i], name) != 0;
    size_t room = strlen(name) + 24;
    char *out = malloc(room);
    if (out) (void)snprintf(out, room, fresh ? "%s" : "%s#%d", name, t);
    return out;
}

static void put_names(saver *s, int sub, const char *key, const int *list, int n)
{
    put(&s->yaml, "%s: [", key);
    for (int i = 0; i < n; i++) {
        if (i) put(&s->yaml, ", ");
        put_quoted(&s->yaml, list[i] < 0 ? "" : s->names[sub][list[i]]);
    }
    put(&s->yaml, "]");
}

static npy_type npy_of(model_dtype t)
{
    static const npy_type map[] = {NPY_F32, NPY_I8, NPY_U8, NPY_I16, NPY_I32, NPY_I64, NPY_BOOL, NPY_BOOL};
    return map[t];
}

static void put_tensor(saver *s, const model_tensor *t, const char *name, const char *indent)
{
    text *y = &s->yaml;
    int64_t dims[MODEL_MAX_DIMS];
    put(y, "%s- {name: ", indent);
    put_quoted(y, name);
    put(y, ", dtype: %s", native_dtypes[t->dtype]);
    if (t->bits && t->bits != native_default_bits(t->dtype)) put(y, ", bits: %d", t->bits);
    if (t->dtype != MODEL_RESOURCE) {
        put(y, ", shape: [");
        for (int d = 0; d < t->n_dims; d++) put(y, "%s%d", d ? ", " : "", (int)(dims[d] = t->dims[d]));
        put(y, "]");
    }
    if (t->n_scales) {
        put(y, ", scale: [");
        for (int i = 0; i < t->n_scales; i++) put(y, "%s%.9g", i ? ", " : "", (double)t->scale[i]);
        put(y, "], zero_point: [");
        for (int i = 0; i < t->n_scales; i++) put(y, "%s%" PRId64, i ? ", " : "", t->zero_point[i]);
        put(y, "]");
        if (t->axis) put(y, ", axis: %d", t->axis);
    }
    if (t->data) {
        put(y, ", data: ");
        put_array(s, npy_of(t->dtype), t->n_dims, dims, t->data);
    }
    put(y, t->is_variable ? ", variable: true}\n" : "}\n");
}

static void put_attrs(saver *s, const model_op *op, const char *indent)
{
    text *y = &s->yaml;
    put(y, "%s  attrs: {padding: %s, activation: %s", indent, native_paddings[op->attrs.padding], native_activations[op->attrs.activation]);
    for (const native_attr *a = native_attrs; a->key; a++) {
        const char *at = (const char *)&op->attrs + a->at;
        if (a->real && *(const float *)(const void *)at != 0) put(y, ", %s: %.9g", a->key, (double)*(const float *)(const void *)at);
        if (!a->real && *(const int *)(const void *)at != 0) put(y, ", %s: %d", a->key, *(const int *)(const void *)at);
    }
    put(y, "}\n");
}

static void put_list(text *y, const char *key, const int32_t *v, int n)
{
    if (!v) return;
    put(y, ", %s: [", key);
    for (int i = 0; i < n; i++) put(y, "%s%d", i ? ", " : "", v[i]);
    put(y, "]");
}

static void put_table(saver *s, const char *key, npy_type type, const int64_t *dims, const void *data)
{
    if (!data) return;
    put(&s->yaml, ", %s: ", key);
    put_array(s, type, 2, dims, data);
}

static void put_integer(saver *s, const model_op *op, int out_c, const char *indent)
{
    const model_integer *t = op->integer;
    text *y = &s->yaml;
    int64_t dims[2] = {t->n_entries, out_c};
    put(y, "%s  integer: {keys: [", indent);
    for (int k = 0; k < t->n_keys; k++) {
        if (k) put(y, ", ");
        put_quoted(y, s->g->choices[t->key[k]].name);
    }
    put(y, "]");
    put_table(s, "bias", NPY_I32, dims, t->bias);
    put_table(s, "bias64", NPY_I64, dims, t->bias64);
    dims[1] = t->n_channels;
    put_table(s, "multiplier", NPY_I32, dims, t->multiplier);
    put_table(s, "multiplier_n", NPY_I32, dims, t->multiplier_n);
    put_table(s, "shift", NPY_I8, dims, t->shift);
    put_table(s, "scale", NPY_F32, dims, t->scale);
    put_table(s, "offset", NPY_F32, dims, t->offset);
    put_table(s, "addend", NPY_I64, dims, t->addend);
    put_table(s, "threshold", NPY_I32, dims, t->threshold);
    put_list(y, "in_zero", t->in_zero, t->n_entries);
    put_list(y, "out_zero", t->out_zero, t->n_entries);
    put_list(y, "out_min", t->out_min, t->n_entries);
    put_list(y, "out_max", t->out_max, t->n_entries);
    put_list(y, "in_zero2", t->in_zero2, t->n_entries);
    put_list(y, "acc_min", t->acc_min, t->n_entries);
    put_list(y, "acc_max", t->acc_max, t->n_entries);
    if (t->left_shift) put(y, ", left_shift: %d", t->left_shift);
    put(y, "}\n");
}

static void put_values(text *y, const int16_t *v, int n)
{
    put(y, "[");
    for (int i = 0; i < n; i++) put(y, "%s%d", i ? ", " : "", v[i]);
    put(y, "]");
}

static void put_grid(text *y, const model_grid *g, const char *indent)
{
    const quant_grid *w = &g->weights;
    put(y, "%s  grid: {weights: %s", indent, quant_grid_names[w->kind]);
    if (w->kind == QUANT_CODEBOOK) {
        put(y, ", table: ");
        put_values(y, w->table, w->n_table);
    }
    if (w->kind == QUANT_APOT) {
        const int16_t *v = w->table;
        put(y, ", terms: [");
        for (int i = 0; i < w->n_terms; v += 1 << w->term_bits[i++]) {
            if (i) put(y, ", ");
            put_values(y, v, 1 << w->term_bits[i]);
        }
        put(y, "]");
    }
    if (g->binary_input) put(y, ", input: %s, pad: %s", native_grid_inputs[1], native_grid_pads[g->pad_one]);
    put(y, "}\n");
}

static void put_layer(saver *s, int sub, const model_op *op, const char *indent)
{
    text *y = &s->yaml;
    put(y, "%s- name: ", indent);
    put_quoted(y, op->name);
    put(y, "\n%s  op: ", indent);
    put_quoted(y, op->type);
    put(y, "\n%s  version: %d\n%s  ", indent, op->version > 0 ? op->version : 1, indent);
    put_names(s, sub, "inputs", op->inputs, op->n_inputs);
    put(y, "\n%s  ", indent);
    put_names(s, sub, "outputs", op->outputs, op->n_outputs);
    put(y, "\n");
    if (op->n_intermediates) {
        put(y, "%s  ", indent);
        put_names(s, sub, "intermediates", op->intermediates, op->n_intermediates);
        put(y, "\n");
    }
    put_attrs(s, op, indent);
    if (op->choice >= 0) {
        put(y, "%s  choice: ", indent);
        put_quoted(y, s->g->choices[op->choice].name);
        put(y, "\n");
    }
    if (op->weights) {
        put(y, "%s  weights: {nesting: %s, bits: %d, ", indent, native_nestings[op->weights->nesting], op->weights->bits);
        put_names(s, sub, "tensors", op->weights->tensor, op->weights->n);
        put(y, "}\n");
    }
    if (op->grid) put_grid(y, op->grid, indent);
    if (op->accumulator.bits)
        put(y, "%s  accumulator: {bits: %d, overflow: %s}\n", indent, op->accumulator.bits, native_overflows[op->accumulator.overflow]);
    if (op->integer) {
        const model_tensor *w = &s->g->subgraphs[sub].tensors[op->inputs[op->n_inputs > 1]]; /* counts only where there is a bias */
        put_integer(s, op, w->dims[op->code == MODEL_DEPTHWISE_CONV_2D ? w->n_dims - 1 : 0], indent);
    }
}

static void put_graph(saver *s, int sub, const char *indent)
{
    const model_subgraph *g = &s->g->subgraphs[sub];
    text *y = &s->yaml;
    put(y, "%s", indent);
    put_names(s, sub, "inputs", g->inputs, g->n_inputs);
    put(y, "\n%s", indent);
    put_names(s, sub, "outputs", g->outputs, g->n_outputs);
    put(y, "\n%stensors:%s\n", indent, g->n_tensors ? "" : " []");
    for (int t = 0; t < g->n_tensors; t++) put_tensor(s, &g->tensors[t], s->names[sub][t], indent);
    put(y, "%slayers:%s\n", indent, g->n_ops ? "" : " []");
    for (int i = 0; i < g->n_ops; i++) put_layer(s, sub, &g->ops[i], indent);
}

static void put_choices(saver *s)
{
    text *y = &s->yaml;
    put(y, "choices:%s\n", s->g->n_choices ? "" : " []");
    for (int c = 0; c < s->g->n_choices; c++) {
        const model_choice *ch = &s->g->choices[c];
        put(y, "- name: ");
        put_quoted(y, ch->name);
        put(y, "\n  candidates: [");
        for (int k = 0; k < ch->n_candidates; k++) put(y, "%s{w: %d, a: %d}", k ? ", " : "", ch->candidates[k].w_bits, ch->candidates[k].a_bits);
        put(y, "]\n");
        if (ch->tensor < 0) continue;
        put(y, "  decision: {tensor: ");
        put_quoted(y, s->names[0][ch->tensor]);
        put(y, ", element: %d}\n", ch->element);
    }
}

static void put_variables(saver *s)
{
    text *y = &s->yaml;
    put(y, "variables:%s\n", s->g->n_variables ? "" : " []");
    for (int v = 0; v < s->g->n_variables; v++) {
        put(y, "- {name: ");
        put_quoted(y, s->g->variables[v].name);
        if (s->g->variables[v].tensor >= 0) {
            put(y, ", tensor: ");
            put_quoted(y, s->names[0][s->g->variables[v].tensor]);
        }
        put(y, "}\n");
    }
}

static void put_model(saver *s)
{
    text *y = &s->yaml;
    put(y, "bitemu_model: %d\n", NATIVE_VERSION);
    if (s->g->profile) {
        put(y, "profile: ");
        put_quoted(y, s->g->profile);
        put(y, "\n");
    }
    put_choices(s);
    put_variables(s);
    put_graph(s, 0, "");
    put(y, "subgraphs:%s\n", s->g->n_subgraphs > 1 ? "" : " []");
    for (int i = 1; i < s->g->n_subgraphs; i++) {
        put(y, "- name: ");
        put_quoted(y, s->g->subgraphs[i].name);
        put(y, "\n");
        put_graph(s, i, "  ");
    }
}

static bool make_names(saver *s)
{
    s->names = calloc((size_t)s->g->n_subgraphs, sizeof *s->names);
    for (int i = 0; s->names && i < s->g->n_subgraphs; i++) {
        const model_subgraph *g = &s->g->subgraphs[i];
        s->names[i] = calloc((size_t)g->n_tensors + 1, sizeof **s->names);
        for (int t = 0; s->names[i] && t < g->n_tensors; t++) {
            s->names[i][t] = unique_name(g, s->names[i], t);
            if (!s->names[i][t]) return false;
        }
        if (!s->names[i]) return false;
    }
    return s->names != NULL;
}

static void release(saver *s)
{
    for (int i = 0; s->names && i < s->g->n_subgraphs; i++) {
        for (int t = 0; s->names[i] && t < s->g->subgraphs[i].n_tensors; t++) free(s->names[i][t]);
        free(s->names[i]);
    }
    for (int i = 1; s->members && i < s->n; i++) {
        free((void *)(uintptr_t)s->members[i].name);
        free((void *)(uintptr_t)s->members[i].data);
    }
    free(s->names);
    free(s->members);
    free(s->yaml.p);
}

status model_save_native(const model_graph *g, const char *path, err *e)
{
    saver s = {.g = g, .n = 1, .room = 64};
    for (int i = 0; i < g->n_subgraphs; i++) {
        for (int k = 0; k < g->subgraphs[i].n_ops; k++) {
            if (g->subgraphs[i].ops[k].code == MODEL_UNSUPPORTED)
                return err_set(e, ST_UNSUPPORTED, path, "op %d %s: unsupported operators cannot be saved, their options are not known", k, g->subgraphs[i].ops[k].type);
        }
    }
    s.members = calloc((size_t)s.room, sizeof *s.members);
    s.failed = !s.members || !make_names(&s);
    if (!s.failed) put_model(&s);
    status st;
    if (s.failed || s.yaml.failed) {
        st = err_set(e, ST_NOMEM, path, "no memory to write the model");
    } else {
        s.members[0] = (zip_member){"model.yaml", s.yaml.p, s.yaml.n};
        st = zip_write(path, s.members, s.n, e);
    }
    release(&s);
    return st;
}
