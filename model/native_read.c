/* SPDX-License-Identifier: Apache-2.0
 * Reader of the native format (docs/FORMAT.md): zip in memory, model.yaml by base/yaml.h, arrays by base/npy.h. Errors stand as
 * "model.yaml:line:column" or name the member. */
#include <stdio.h>
#include <string.h>
#include <zip.h>

#include "base/npy.h"
#include "base/yaml.h"
#include "model/load.h"
#include "model/native.h"
#include "model/tflite_ops.h"

static const uint64_t MAX_MEMBER = (uint64_t)1 << 30, MAX_ARCHIVE = (uint64_t)1 << 31;

typedef struct loader {
    zip_t *zip;
    arena *a;
    model_graph *g;
    uint64_t unpacked; /* bytes taken out so far: bounds a zip bomb */
    err *e;
} loader;

static status nomem(loader *l) { return err_set(l->e, ST_NOMEM, "", "no memory for the model"); }

static status member(loader *l, const char *name, const uint8_t **data, size_t *len)
{
    zip_stat_t st;
    zip_int64_t i = zip_name_locate(l->zip, name, 0);
    if (i < 0) return err_set(l->e, ST_FORMAT, "", "the archive has no member '%s'", name);
    if (zip_stat_index(l->zip, (zip_uint64_t)i, 0, &st) != 0 || !(st.valid & ZIP_STAT_SIZE) || st.size > MAX_MEMBER || (l->unpacked += st.size) > MAX_ARCHIVE)
        return err_set(l->e, ST_FORMAT, "", "member '%s' does not state a size below 1 GiB", name);
    if ((st.valid & ZIP_STAT_COMP_SIZE) && st.size / 1100 > st.comp_size) /* deflate cannot do better than 1032:1 */
        return err_set(l->e, ST_FORMAT, "", "member '%s' claims to unpack to %llu bytes from %llu", name, (unsigned long long)st.size,
                       (unsigned long long)st.comp_size);
    uint8_t *p = arena_alloc(l->a, (size_t)st.size + 1, 1);
    zip_file_t *f = p ? zip_fopen_index(l->zip, (zip_uint64_t)i, 0) : NULL;
    if (!p) return nomem(l);
    zip_int64_t got = f ? zip_fread(f, p, st.size) : -1;
    char extra;
    bool whole = f && got == (zip_int64_t)st.size && zip_fread(f, &extra, 1) == 0; /* reading past the end checks the CRC */
    if (f) (void)zip_fclose(f);
    if (!whole) return err_set(l->e, ST_FORMAT, "", "member '%s' cannot be unpacked; the archive is damaged", name);
    *data = p;
    *len = (size_t)st.size;
    return ST_OK;
}

static status array(loader *l, const yaml_node *n, npy_type type, npy_info *info, const void **data)
{
    const char *name;
    const uint8_t *bytes;
    size_t len;
    TRY(yaml_text(n, n->key ? n->key : "array", &name, l->e));
    status s = member(l, name, &bytes, &len);
    const uint8_t *p = NULL;
    if (s == ST_OK) {
        s = npy_parse(bytes, len, info, &p, l->e);
        if (s != ST_OK) {
            err_at(l->e, "%s", name);
            return s;
        }
    }
    if (s != ST_OK) { /* no member: the place is in model.yaml */
        err_at(l->e, "%d:%d", n->line, n->column);
        return s;
    }
    if (info->type != type) return yaml_fail(n, l->e, ST_FORMAT, "'%s' holds %s, expected %s", name, npy_type_name(info->type), npy_type_name(type));
    void *copy = arena_alloc(l->a, info->bytes, 1); /* aligned */
    if (!copy) return nomem(l);
    memcpy(copy, p, info->bytes);
    *data = copy;
    return ST_OK;
}

static npy_type npy_of(model_dtype t)
{
    static const npy_type map[] = {NPY_F32, NPY_I8, NPY_U8, NPY_I16, NPY_I32, NPY_I64, NPY_BOOL, NPY_BOOL};
    return map[t];
}

static status integers(loader *l, const yaml_node *list, const char *what, int64_t min, int64_t max, int32_t **out, int *n)
{
    TRY(yaml_expect(list, YAML_LIST, what, l->e));
    *n = list->n;
    *out = arena_alloc(l->a, (size_t)list->n, sizeof **out);
    if (!*out) return nomem(l);
    for (int i = 0; i < list->n; i++) {
        int64_t v;
        TRY(yaml_int(&list->items[i], what, min, max, &v, l->e));
        (*out)[i] = (int32_t)v;
    }
    return ST_OK;
}

static status read_shape(loader *l, const yaml_node *n, model_tensor *t)
{
    const yaml_node *shape = yaml_get(n, "shape");
    int32_t *dims;
    t->n_elems = t->dtype == MODEL_RESOURCE ? 0 : 1;
    if (!shape) return t->dtype == MODEL_RESOURCE ? ST_OK : yaml_fail(n, l->e, ST_FORMAT, "tensor '%s' has no shape", t->name);
    TRY(integers(l, shape, "shape", 0, INT32_MAX, &dims, &t->n_dims));
    if (t->n_dims > MODEL_MAX_DIMS) return yaml_fail(shape, l->e, ST_UNSUPPORTED, "more than %d dimensions", MODEL_MAX_DIMS);
    for (int d = 0; d < t->n_dims; d++) {
        if (dims[d] && t->n_elems > ((size_t)1 << 30) / (size_t)dims[d]) return yaml_fail(shape, l->e, ST_FORMAT, "more than 2^30 elements");
        t->dims[d] = dims[d];
        t->n_elems *= (size_t)dims[d];
    }
    return ST_OK;
}

static status read_scales(loader *l, const yaml_node *n, model_tensor *t)
{
    const yaml_node *scale = yaml_get(n, "scale"), *zero = yaml_get(n, "zero_point"), *axis = yaml_get(n, "axis");
    int64_t v = 0;
    if (!scale) return ST_OK;
    TRY(yaml_expect(scale, YAML_LIST, "scale", l->e));
    if (axis) TRY(yaml_int(axis, "axis", 0, MODEL_MAX_DIMS - 1, &v, l->e));
    t->axis = (int)v;
    if (scale->n > 1 && (t->axis >= t->n_dims || t->dims[t->axis] != scale->n)) return yaml_fail(scale, l->e, ST_FORMAT, "%d scales do not fit dimension %d", scale->n, t->axis);
    if (zero) TRY(yaml_expect(zero, YAML_LIST, "zero_point", l->e));
    if (zero && zero->n != scale->n) return yaml_fail(zero, l->e, ST_FORMAT, "%d zero points for %d scales", zero->n, scale->n);
    float *s = arena_alloc(l->a, (size_t)scale->n, sizeof *s);
    int64_t *z = arena_alloc(l->a, (size_t)scale->n, sizeof *z);
    if (!s || !z) return nomem(l);
    for (int i = 0; i < scale->n; i++) {
        double real;
        TRY(yaml_real(&scale->items[i], "scale", -3.4e38, 3.4e38, &real, l->e));
        s[i] = (float)real;
        if (zero) TRY(yaml_int(&zero->items[i], "zero_point", INT32_MIN, INT32_MAX, &z[i], l->e));
    }
    t->n_scales = scale->n;
    t->scale = s;
    t->zero_point = z;
    return ST_OK;
}

static status read_data(loader *l, const yaml_node *n, model_tensor *t)
{
    const yaml_node *data = yaml_get(n, "data");
    npy_info info;
    if (!data) return ST_OK;
    if (t->dtype == MODEL_RESOURCE) return yaml_fail(data, l->e, ST_FORMAT, "a resource has no data");
    TRY(array(l, data, npy_of(t->dtype), &info, &t->data));
    bool same = info.n_dims == t->n_dims;
    for (int d = 0; same && d < t->n_dims; d++) same = info.dims[d] == t->dims[d];
    return same ? ST_OK : yaml_fail(data, l->e, ST_FORMAT, "the array's shape is not the tensor's");
}

static status read_tensor(loader *l, const yaml_node *n, model_tensor *t)
{
    static const char *const allowed[] = {"name", "dtype", "bits", "shape", "scale", "zero_point", "axis", "data", "variable", NULL};
    static const char *const required[] = {"name", "dtype", NULL};
    static const char *const truth[] = {"false", "true", NULL};
    int dtype, variable = 0;
    int64_t bits;
    TRY(yaml_check_keys(n, allowed, required, l->e));
    TRY(yaml_text(yaml_get(n, "name"), "name", &t->name, l->e));
    TRY(yaml_enum(yaml_get(n, "dtype"), "dtype", native_dtypes, &dtype, l->e));
    t->dtype = (model_dtype)dtype;
    bits = native_default_bits(t->dtype);
    if (yaml_get(n, "bits")) TRY(yaml_int(yaml_get(n, "bits"), "bits", 1, bits, &bits, l->e));
    t->bits = (int)bits;
    if (yaml_get(n, "variable")) TRY(yaml_enum(yaml_get(n, "variable"), "variable", truth, &variable, l->e));
    t->is_variable = variable != 0;
    TRY(read_shape(l, n, t));
    TRY(read_scales(l, n, t));
    return read_data(l, n, t);
}

static int find_tensor(const model_subgraph *g, const char *name)
{
    for (int t = 0; t < g->n_tensors; t++) {
        if (g->tensors[t].name && strcmp(g->tensors[t].name, name) == 0) return t;
    }
    return -1;
}

/* A list of tensor names as indices; '' is -1 where optional. */
static status tensor_list(loader *l, const model_subgraph *g, const yaml_node *list, const char *what, bool optional, int **out, int *n)
{
    TRY(yaml_expect(list, YAML_LIST, what, l->e));
    *n = list->n;
    *out = arena_alloc(l->a, (size_t)list->n, sizeof **out);
    if (!*out) return nomem(l);
    for (int i = 0; i < list->n; i++) {
        const char *name;
        TRY(yaml_text(&list->items[i], what, &name, l->e));
        (*out)[i] = name[0] || !optional ? find_tensor(g, name) : -1;
        if ((*out)[i] < 0 && (name[0] || !optional)) return yaml_fail(&list->items[i], l->e, ST_FORMAT, "no tensor '%s'", name);
    }
    return ST_OK;
}

static status read_attrs(loader *l, const yaml_node *n, model_attrs *a)
{
    int v;
    if (!n) return ST_OK;
    TRY(yaml_expect(n, YAML_MAP, "attrs", l->e));
    for (int i = 0; i < n->n; i++) {
        const yaml_node *x = &n->items[i];
        const native_attr *attr = native_attrs;
        if (strcmp(x->key, "padding") == 0) {
            TRY(yaml_enum(x, "padding", native_paddings, &v, l->e));
            a->padding = (model_padding)v;
            continue;
        }
        if (strcmp(x->key, "activation") == 0) {
            TRY(yaml_enum(x, "activation", native_activations, &v, l->e));
            a->activation = (model_activation)v;
            continue;
        }
        while (attr->key && strcmp(attr->key, x->key) != 0) attr++;
        if (!attr->key) return yaml_fail(x, l->e, ST_FORMAT, "unknown attribute '%s'", x->key);
        if (attr->real) {
            double real;
            TRY(yaml_real(x, x->key, -3.4e38, 3.4e38, &real, l->e));
            *(float *)(void *)((char *)a + attr->at) = (float)real;
        } else {
            int64_t whole;
            TRY(yaml_int(x, x->key, INT32_MIN, INT32_MAX, &whole, l->e));
            *(int *)(void *)((char *)a + attr->at) = (int)whole;
        }
    }
    return ST_OK;
}

static status find_choice(loader *l, const yaml_node *n, int *out)
{
    const char *name;
    TRY(yaml_text(n, "choice", &name, l->e));
    for (*out = 0; *out < l->g->n_choices; ++*out) {
        if (strcmp(l->g->choices[*out].name, name) == 0) return ST_OK;
    }
    return yaml_fail(n, l->e, ST_FORMAT, "no choice '%s'", name);
}

static status read_weights(loader *l, const model_subgraph *g, const yaml_node *n, const model_weights **out)
{
    static const char *const allowed[] = {"nesting", "bits", "tensors", NULL}, *const required[] = {"nesting", "tensors", NULL};
    model_weights *w = arena_alloc(l->a, 1, sizeof *w);
    int nesting, *list;
    int64_t bits = 8;
    if (!w) return nomem(l);
    TRY(yaml_check_keys(n, allowed, required, l->e));
    TRY(yaml_enum(yaml_get(n, "nesting"), "nesting", native_nestings, &nesting, l->e));
    if (yaml_get(n, "bits")) TRY(yaml_int(yaml_get(n, "bits"), "bits", 1, 8, &bits, l->e));
    TRY(tensor_list(l, g, yaml_get(n, "tensors"), "tensors", false, &list, &w->n));
    if (w->n < 1 || w->n > MODEL_MAX_CANDIDATES) return yaml_fail(n, l->e, ST_FORMAT, "%d weight arrays; 1 to %d", w->n, MODEL_MAX_CANDIDATES);
    w->nesting = (model_nesting)nesting;
    w->bits = (int)bits;
    for (int i = 0; i < w->n; i++) w->tensor[i] = list[i];
    *out = w;
    return ST_OK;
}

/* A table [n_entries, channels]: channels must be `channels`, or is returned there when it is 0. */
static status table(loader *l, const yaml_node *n, npy_type type, int n_entries, int *channels, const void **out)
{
    npy_info info;
    TRY(array(l, n, type, &info, out));
    if (info.n_dims != 2 || info.dims[0] != n_entries || info.dims[1] < 1 || info.dims[1] > 1 << 20 || (*channels && info.dims[1] != *channels))
        return yaml_fail(n, l->e, ST_FORMAT, "the table must have the shape [%d entries, channels]", n_entries);
    *channels = (int)info.dims[1];
    return ST_OK;
}

static status zero_table(loader *l, const yaml_node *n, const char *key, int n_entries, const int32_t **out)
{
    int32_t *v;
    int count;
    const yaml_node *list = yaml_get(n, key);
    if (!list) return ST_OK;
    TRY(integers(l, list, key, INT32_MIN, INT32_MAX, &v, &count));
    if (count != n_entries) return yaml_fail(list, l->e, ST_FORMAT, "%d values for %d entries", count, n_entries);
    *out = v;
    return ST_OK;
}

static status read_keys(loader *l, const yaml_node *n, model_integer *t)
{
    t->n_entries = 1;
    if (!n) return ST_OK;
    TRY(yaml_expect(n, YAML_LIST, "keys", l->e));
    if (n->n > MODEL_MAX_KEYS) return yaml_fail(n, l->e, ST_UNSUPPORTED, "at most %d keys", MODEL_MAX_KEYS);
    for (int k = 0; k < n->n; k++) {
        TRY(find_choice(l, &n->items[k], &t->key[k]));
        t->n_entries *= l->g->choices[t->key[k]].n_candidates;
    }
    t->n_keys = n->n;
    return ST_OK;
}

/* A table under `key`, if it is there. */
static status optional_table(loader *l, const yaml_node *n, const char *key, npy_type type, int n_entries, int *channels, const void **out)
{
    return yaml_get(n, key) ? table(l, yaml_get(n, key), type, n_entries, channels, out) : ST_OK;
}

/* All tables with columns; those beside bias have the same number of them. */
static status read_columns(loader *l, const yaml_node *n, int out_c, model_integer *t)
{
    enum { BIAS, BIAS64, MULTIPLIER, MULTIPLIER_N, SHIFT, SCALE, OFFSET, ADDEND, THRESHOLD, N_TABLES };
    static const struct { const char *key; npy_type type; } tables[N_TABLES] = {
        [BIAS] = {"bias", NPY_I32}, [BIAS64] = {"bias64", NPY_I64}, [MULTIPLIER] = {"multiplier", NPY_I32}, [MULTIPLIER_N] = {"multiplier_n", NPY_I32},
        [SHIFT] = {"shift", NPY_I8}, [SCALE] = {"scale", NPY_F32}, [OFFSET] = {"offset", NPY_F32}, [ADDEND] = {"addend", NPY_I64},
        [THRESHOLD] = {"threshold", NPY_I32},
    };
    const void *p[N_TABLES] = {NULL};
    int channels = 0, bias_c = out_c;
    for (int i = 0; i < N_TABLES; i++) TRY(optional_table(l, n, tables[i].key, tables[i].type, t->n_entries, i <= BIAS64 ? &bias_c : &channels, &p[i]));
    t->n_channels = channels ? channels : 1;
    t->bias = p[BIAS];
    t->bias64 = p[BIAS64];
    t->multiplier = p[MULTIPLIER];
    t->multiplier_n = p[MULTIPLIER_N];
    t->shift = p[SHIFT];
    t->scale = p[SCALE];
    t->offset = p[OFFSET];
    t->addend = p[ADDEND];
    t->threshold = p[THRESHOLD];
    if (t->bias && t->bias64) return yaml_fail(n, l->e, ST_FORMAT, "bias and bias64: one of them");
    if (t->multiplier && !t->shift) return yaml_fail(n, l->e, ST_FORMAT, "multiplier without shift");
    if ((t->scale != NULL) + (t->shift != NULL) + (t->threshold != NULL) > 1) return yaml_fail(n, l->e, ST_FORMAT, "one of shift, scale and threshold");
    if (t->multiplier_n && !t->multiplier) return yaml_fail(n, l->e, ST_FORMAT, "multiplier_n without multiplier");
    if (t->offset && !t->scale) return yaml_fail(n, l->e, ST_FORMAT, "offset without scale");
    if (t->addend && !t->shift) return yaml_fail(n, l->e, ST_FORMAT, "addend without shift");
    return ST_OK;
}

static status read_integer(loader *l, const yaml_node *n, int out_c, const model_integer **out)
{
    static const char *const allowed[] = {"keys", "bias", "bias64", "multiplier", "multiplier_n", "shift", "scale", "offset", "addend", "threshold", "in_zero",
                                          "in_zero2", "out_zero", "out_min", "out_max", "acc_min", "acc_max", "left_shift", NULL};
    model_integer *t = arena_alloc(l->a, 1, sizeof *t);
    int64_t left = 0;
    if (!t) return nomem(l);
    TRY(yaml_check_keys(n, allowed, NULL, l->e));
    TRY(read_keys(l, yaml_get(n, "keys"), t));
    TRY(read_columns(l, n, out_c, t));
    if (yaml_get(n, "left_shift")) TRY(yaml_int(yaml_get(n, "left_shift"), "left_shift", 0, 30, &left, l->e));
    t->left_shift = (int)left;
    TRY(zero_table(l, n, "in_zero2", t->n_entries, &t->in_zero2));
    TRY(zero_table(l, n, "acc_min", t->n_entries, &t->acc_min));
    TRY(zero_table(l, n, "acc_max", t->n_entries, &t->acc_max));
    TRY(zero_table(l, n, "in_zero", t->n_entries, &t->in_zero));
    TRY(zero_table(l, n, "out_zero", t->n_entries, &t->out_zero));
    TRY(zero_table(l, n, "out_min", t->n_entries, &t->out_min));
    TRY(zero_table(l, n, "out_max", t->n_entries, &t->out_max));
    *out = t;
    return ST_OK;
}

/* Output channels of the layer's weights; 0 = it has none. */
static int out_channels(const model_subgraph *g, const model_op *op)
{
    if (op->n_inputs < 2 || op->inputs[1] < 0) return 0;
    const model_tensor *w = &g->tensors[op->inputs[1]];
    if (w->n_dims == 0) return 0;
    return op->code == MODEL_DEPTHWISE_CONV_2D ? w->dims[w->n_dims - 1] : w->dims[0];
}

static status read_accumulator(loader *l, const yaml_node *n, model_accumulator *out)
{
    static const char *const allowed[] = {"bits", "overflow", NULL}, *const required[] = {"bits", NULL};
    int64_t bits;
    int overflow = MODEL_WRAP;
    TRY(yaml_check_keys(n, allowed, required, l->e));
    TRY(yaml_int(yaml_get(n, "bits"), "bits", 8, 64, &bits, l->e));
    if (!model_accumulator_bits_ok(bits)) return yaml_fail(yaml_get(n, "bits"), l->e, ST_FORMAT, "an accumulator has 8 to 32 bits, or 64");
    if (yaml_get(n, "overflow")) TRY(yaml_enum(yaml_get(n, "overflow"), "overflow", native_overflows, &overflow, l->e));
    *out = (model_accumulator){(int)bits, (model_overflow)overflow};
    return ST_OK;
}

static status read_layer(loader *l, const model_subgraph *g, const yaml_node *n, model_op *op)
{
    static const char *const allowed[] = {"name", "op", "version", "inputs", "outputs", "intermediates", "attrs", "choice", "weights", "grid", "accumulator", "integer", NULL};
    static const char *const required[] = {"name", "op", "inputs", "outputs", NULL};
    int *list;
    int64_t version = 1;
    op->choice = -1;
    TRY(yaml_check_keys(n, allowed, required, l->e));
    TRY(yaml_text(yaml_get(n, "name"), "name", &op->name, l->e));
    TRY(yaml_text(yaml_get(n, "op"), "op", &op->type, l->e));
    op->code = tflite_opcode(op->type);
    if (yaml_get(n, "version")) TRY(yaml_int(yaml_get(n, "version"), "version", 1, 1000, &version, l->e));
    op->version = (int)version;
    TRY(tensor_list(l, g, yaml_get(n, "inputs"), "inputs", true, &list, &op->n_inputs));
    op->inputs = list;
    TRY(tensor_list(l, g, yaml_get(n, "outputs"), "outputs", false, &list, &op->n_outputs));
    op->outputs = list;
    if (yaml_get(n, "intermediates")) {
        TRY(tensor_list(l, g, yaml_get(n, "intermediates"), "intermediates", false, &list, &op->n_intermediates));
        op->intermediates = list;
    }
    TRY(read_attrs(l, yaml_get(n, "attrs"), &op->attrs));
    if (yaml_get(n, "choice")) TRY(find_choice(l, yaml_get(n, "choice"), &op->choice));
    if (yaml_get(n, "weights")) TRY(read_weights(l, g, yaml_get(n, "weights"), &op->weights));
    if (yaml_get(n, "grid")) TRY(native_read_grid(yaml_get(n, "grid"), l->a, &op->grid, l->e));
    if (yaml_get(n, "accumulator")) TRY(read_accumulator(l, yaml_get(n, "accumulator"), &op->accumulator));
    return yaml_get(n, "integer") ? read_integer(l, yaml_get(n, "integer"), out_channels(g, op), &op->integer) : ST_OK;
}

/* A map of tensor name -> index would be faster; models have hundreds of tensors. Duplicates are refused. */
static status read_tensors(loader *l, const yaml_node *list, model_subgraph *g)
{
    TRY(yaml_expect(list, YAML_LIST, "tensors", l->e));
    if (list->n > 20000) return yaml_fail(list, l->e, ST_UNSUPPORTED, "more than 20000 tensors");
    g->n_tensors = list->n;
    g->tensors = arena_alloc(l->a, (size_t)list->n, sizeof *g->tensors);
    if (!g->tensors) return nomem(l);
    for (int i = 0; i < list->n; i++) {
        TRY(read_tensor(l, &list->items[i], &g->tensors[i]));
        if (find_tensor(g, g->tensors[i].name) < i) return yaml_fail(&list->items[i], l->e, ST_FORMAT, "two tensors are called '%s'", g->tensors[i].name);
    }
    return ST_OK;
}

static status read_graph(loader *l, const yaml_node *n, model_subgraph *g)
{
    const yaml_node *layers = yaml_get(n, "layers");
    TRY(yaml_expect(layers, YAML_LIST, "layers", l->e));
    TRY(tensor_list(l, g, yaml_get(n, "inputs"), "inputs", false, &g->inputs, &g->n_inputs));
    TRY(tensor_list(l, g, yaml_get(n, "outputs"), "outputs", false, &g->outputs, &g->n_outputs));
    g->n_ops = layers->n;
    g->ops = arena_alloc(l->a, (size_t)layers->n, sizeof *g->ops);
    if (!g->ops) return nomem(l);
    for (int i = 0; i < layers->n; i++) TRY(read_layer(l, g, &layers->items[i], &g->ops[i]));
    return ST_OK;
}

static status read_candidates(loader *l, const yaml_node *list, model_choice *ch)
{
    static const char *const keys[] = {"w", "a", NULL};
    int64_t v;
    TRY(yaml_expect(list, YAML_LIST, "candidates", l->e));
    if (list->n < 1 || list->n > MODEL_MAX_CANDIDATES) return yaml_fail(list, l->e, ST_FORMAT, "%d candidates; 1 to %d", list->n, MODEL_MAX_CANDIDATES);
    ch->n_candidates = list->n;
    for (int k = 0; k < list->n; k++) {
        TRY(yaml_check_keys(&list->items[k], keys, keys, l->e));
        TRY(yaml_int(yaml_get(&list->items[k], "w"), "w", 0, 8, &v, l->e));
        ch->candidates[k].w_bits = (int)v;
        TRY(yaml_int(yaml_get(&list->items[k], "a"), "a", 0, 8, &v, l->e));
        ch->candidates[k].a_bits = (int)v;
    }
    return ST_OK;
}

static status read_choice(loader *l, const yaml_node *n, model_choice *ch)
{
    static const char *const allowed[] = {"name", "candidates", "decision", NULL}, *const required[] = {"name", "candidates", NULL};
    static const char *const decision[] = {"tensor", "element", NULL};
    const char *name;
    int64_t element;
    ch->tensor = -1;
    TRY(yaml_check_keys(n, allowed, required, l->e));
    TRY(yaml_text(yaml_get(n, "name"), "name", &ch->name, l->e));
    TRY(read_candidates(l, yaml_get(n, "candidates"), ch));
    n = yaml_get(n, "decision");
    if (!n) return ST_OK;
    TRY(yaml_check_keys(n, decision, decision, l->e));
    TRY(yaml_text(yaml_get(n, "tensor"), "tensor", &name, l->e));
    TRY(yaml_int(yaml_get(n, "element"), "element", 0, 1 << 20, &element, l->e));
    ch->tensor = find_tensor(&l->g->subgraphs[0], name);
    ch->element = (int)element;
    return ch->tensor >= 0 ? ST_OK : yaml_fail(yaml_get(n, "tensor"), l->e, ST_FORMAT, "no tensor '%s'", name);
}

static status read_choices(loader *l, const yaml_node *list)
{
    if (!list) return ST_OK;
    TRY(yaml_expect(list, YAML_LIST, "choices", l->e));
    l->g->choices = arena_alloc(l->a, (size_t)list->n, sizeof *l->g->choices);
    if (!l->g->choices) return nomem(l);
    for (int i = 0; i < list->n; i++) {
        TRY(read_choice(l, &list->items[i], &l->g->choices[i]));
        l->g->n_choices = i + 1;
    }
    return ST_OK;
}

static status read_variables(loader *l, const yaml_node *list)
{
    static const char *const keys[] = {"name", "tensor", NULL}, *const required[] = {"name", NULL};
    if (!list) return ST_OK;
    TRY(yaml_expect(list, YAML_LIST, "variables", l->e));
    l->g->n_variables = list->n;
    l->g->variables = arena_alloc(l->a, (size_t)list->n, sizeof *l->g->variables);
    if (!l->g->variables) return nomem(l);
    for (int i = 0; i < list->n; i++) {
        model_variable *v = &l->g->variables[i];
        const yaml_node *t = yaml_get(&list->items[i], "tensor");
        const char *name;
        v->tensor = -1;
        TRY(yaml_check_keys(&list->items[i], keys, required, l->e));
        TRY(yaml_text(yaml_get(&list->items[i], "name"), "name", &v->name, l->e));
        if (!t) continue; /* never read in the network */
        TRY(yaml_text(t, "tensor", &name, l->e));
        v->tensor = find_tensor(&l->g->subgraphs[0], name);
        if (v->tensor < 0) return yaml_fail(t, l->e, ST_FORMAT, "no tensor '%s'", name);
    }
    return ST_OK;
}

static status read_subgraphs(loader *l, const yaml_node *root)
{
    static const char *const keys[] = {"name", "inputs", "outputs", "tensors", "layers", NULL};
    const yaml_node *more = yaml_get(root, "subgraphs");
    if (more) TRY(yaml_expect(more, YAML_LIST, "subgraphs", l->e));
    l->g->n_subgraphs = 1 + (more ? more->n : 0);
    l->g->subgraphs = arena_alloc(l->a, (size_t)l->g->n_subgraphs, sizeof *l->g->subgraphs);
    if (!l->g->subgraphs) return nomem(l);
    l->g->subgraphs[0].name = "";
    TRY(read_tensors(l, yaml_get(root, "tensors"), &l->g->subgraphs[0]));
    TRY(read_choices(l, yaml_get(root, "choices")));
    TRY(read_variables(l, yaml_get(root, "variables")));
    TRY(read_graph(l, root, &l->g->subgraphs[0]));
    for (int i = 0; more && i < more->n; i++) {
        model_subgraph *g = &l->g->subgraphs[i + 1];
        TRY(yaml_check_keys(&more->items[i], keys, keys, l->e));
        TRY(yaml_text(yaml_get(&more->items[i], "name"), "name", &g->name, l->e));
        TRY(read_tensors(l, yaml_get(&more->items[i], "tensors"), g));
        TRY(read_graph(l, &more->items[i], g));
    }
    return ST_OK;
}

static status read_root(loader *l, const yaml_node *root)
{
    static const char *const allowed[] = {"bitemu_model", "name", "profile", "inputs", "outputs", "tensors", "variables", "choices", "layers", "subgraphs", NULL};
    static const char *const required[] = {"bitemu_model", "inputs", "outputs", "tensors", "layers", NULL};
    int64_t version;
    TRY(yaml_check_keys(root, allowed, required, l->e));
    TRY(yaml_int(yaml_get(root, "bitemu_model"), "bitemu_model", 1, INT32_MAX, &version, l->e));
    if (version != NATIVE_VERSION) return yaml_fail(yaml_get(root, "bitemu_model"), l->e, ST_UNSUPPORTED, "format version %lld; this program reads %d", (long long)version, NATIVE_VERSION);
    if (yaml_get(root, "profile")) TRY(yaml_text(yaml_get(root, "profile"), "profile", &l->g->profile, l->e));
    return read_subgraphs(l, root);
}

static status read_archive(loader *l)
{
    const uint8_t *text;
    size_t len;
    yaml_node *root;
    TRY(member(l, "model.yaml", &text, &len));
    status s = yaml_parse(text, len, l->a, &root, l->e);
    if (s == ST_OK) s = read_root(l, root);
    if (s != ST_OK) err_at(l->e, "model.yaml");
    return s;
}

status model_load_native(const uint8_t *bytes, size_t len, arena *a, model_graph **out, err *e)
{
    zip_error_t why;
    *out = NULL;
    model_graph *g = arena_alloc(a, 1, sizeof *g);
    if (!g) return err_set(e, ST_NOMEM, "", "no memory for the model");
    zip_error_init(&why);
    zip_source_t *source = zip_source_buffer_create(bytes, len, 0, &why);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, &why) : NULL;
    if (!zip) {
        zip_source_free(source);
        (void)err_set(e, ST_FORMAT, "", "not a readable zip archive: %s", zip_error_strerror(&why));
        zip_error_fini(&why);
        return ST_FORMAT;
    }
    zip_error_fini(&why);
    g->path = "";
    g->format = "bitemu";
    loader l = {zip, a, g, 0, e};
    status s = read_archive(&l);
    zip_discard(zip);
    if (s == ST_OK) *out = g;
    return s;
}
