/* SPDX-License-Identifier: Apache-2.0
 * Reader of the native format (docs/FORMAT.md): zip in memory, model.yaml by base/yaml.h, arrays by base/npy.h. Errors stand as
 * "model.yaml:line:column" or name the member. */
#include <stdio.h>
#include <string.h>

#include "model/load.h"
#include "model/native_load.h"
#include "model/tflite_ops.h"

static npy_type npy_of(model_dtype t)
{
    static const npy_type map[] = {NPY_F32, NPY_I8, NPY_U8, NPY_I16, NPY_I32, NPY_I64, NPY_BOOL, NPY_BOOL};
    return map[t];
}

static status read_shape(native_loader *l, const yaml_node *n, model_tensor *t)
{
    const yaml_node *shape = yaml_get(n, "shape");
    int32_t *dims;
    t->n_elems = t->dtype == MODEL_RESOURCE ? 0 : 1;
    if (!shape) return t->dtype == MODEL_RESOURCE ? ST_OK : yaml_fail(n, l->e, ST_FORMAT, "tensor '%s' has no shape", t->name);
    TRY(native_integers(l, shape, "shape", 0, INT32_MAX, &dims, &t->n_dims));
    if (t->n_dims > MODEL_MAX_DIMS) return yaml_fail(shape, l->e, ST_UNSUPPORTED, "more than %d dimensions", MODEL_MAX_DIMS);
    for (int d = 0; d < t->n_dims; d++) {
        if (dims[d] && t->n_elems > ((size_t)1 << 30) / (size_t)dims[d]) return yaml_fail(shape, l->e, ST_FORMAT, "more than 2^30 elements");
        t->dims[d] = dims[d];
        t->n_elems *= (size_t)dims[d];
    }
    return ST_OK;
}

static status read_scales(native_loader *l, const yaml_node *n, model_tensor *t)
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
    if (!s || !z) return native_nomem(l);
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

static status read_data(native_loader *l, const yaml_node *n, model_tensor *t)
{
    const yaml_node *data = yaml_get(n, "data");
    npy_info info;
    if (!data) return ST_OK;
    if (t->dtype == MODEL_RESOURCE) return yaml_fail(data, l->e, ST_FORMAT, "a resource has no data");
    TRY(native_array(l, data, npy_of(t->dtype), &info, &t->data));
    bool same = info.n_dims == t->n_dims;
    for (int d = 0; same && d < t->n_dims; d++) same = info.dims[d] == t->dims[d];
    return same ? ST_OK : yaml_fail(data, l->e, ST_FORMAT, "the array's shape is not the tensor's");
}

static status read_tensor(native_loader *l, const yaml_node *n, model_tensor *t)
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
static status tensor_list(native_loader *l, const model_subgraph *g, const yaml_node *list, const char *what, bool optional, int **out, int *n)
{
    TRY(yaml_expect(list, YAML_LIST, what, l->e));
    *n = list->n;
    *out = arena_alloc(l->a, (size_t)list->n, sizeof **out);
    if (!*out) return native_nomem(l);
    for (int i = 0; i < list->n; i++) {
        const char *name;
        TRY(yaml_text(&list->items[i], what, &name, l->e));
        (*out)[i] = name[0] || !optional ? find_tensor(g, name) : -1;
        if ((*out)[i] < 0 && (name[0] || !optional)) return yaml_fail(&list->items[i], l->e, ST_FORMAT, "no tensor '%s'", name);
    }
    return ST_OK;
}

static status read_attrs(native_loader *l, const yaml_node *n, model_attrs *a)
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

static status read_weights(native_loader *l, const model_subgraph *g, const yaml_node *n, const model_weights **out)
{
    static const char *const allowed[] = {"nesting", "bits", "tensors", NULL}, *const required[] = {"nesting", "tensors", NULL};
    model_weights *w = arena_alloc(l->a, 1, sizeof *w);
    int nesting, *list;
    int64_t bits = 8;
    if (!w) return native_nomem(l);
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

/* Output channels of the layer's weights; 0 = it has none. */
static int out_channels(const model_subgraph *g, const model_op *op)
{
    if (op->n_inputs < 2 || op->inputs[1] < 0) return 0;
    const model_tensor *w = &g->tensors[op->inputs[1]];
    if (w->n_dims == 0) return 0;
    return op->code == MODEL_DEPTHWISE_CONV_2D ? w->dims[w->n_dims - 1] : w->dims[0];
}

static status read_accumulator(native_loader *l, const yaml_node *n, model_accumulator *out)
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

static status read_layer(native_loader *l, const model_subgraph *g, const yaml_node *n, model_op *op)
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
    if (yaml_get(n, "choice")) TRY(native_find_choice(l, yaml_get(n, "choice"), &op->choice));
    if (yaml_get(n, "weights")) TRY(read_weights(l, g, yaml_get(n, "weights"), &op->weights));
    if (yaml_get(n, "grid")) TRY(native_read_grid(yaml_get(n, "grid"), l->a, &op->grid, l->e));
    if (yaml_get(n, "accumulator")) TRY(read_accumulator(l, yaml_get(n, "accumulator"), &op->accumulator));
    return yaml_get(n, "integer") ? native_read_integer(l, yaml_get(n, "integer"), out_channels(g, op), &op->integer) : ST_OK;
}

/* A map of tensor name -> index would be faster; models have hundreds of tensors. Duplicates are refused. */
static status read_tensors(native_loader *l, const yaml_node *list, model_subgraph *g)
{
    TRY(yaml_expect(list, YAML_LIST, "tensors", l->e));
    if (list->n > 20000) return yaml_fail(list, l->e, ST_UNSUPPORTED, "more than 20000 tensors");
    g->n_tensors = list->n;
    g->tensors = arena_alloc(l->a, (size_t)list->n, sizeof *g->tensors);
    if (!g->tensors) return native_nomem(l);
    for (int i = 0; i < list->n; i++) {
        TRY(read_tensor(l, &list->items[i], &g->tensors[i]));
        if (find_tensor(g, g->tensors[i].name) < i) return yaml_fail(&list->items[i], l->e, ST_FORMAT, "two tensors are called '%s'", g->tensors[i].name);
    }
    return ST_OK;
}

static status read_graph(native_loader *l, const yaml_node *n, model_subgraph *g)
{
    const yaml_node *layers = yaml_get(n, "layers");
    TRY(yaml_expect(layers, YAML_LIST, "layers", l->e));
    TRY(tensor_list(l, g, yaml_get(n, "inputs"), "inputs", false, &g->inputs, &g->n_inputs));
    TRY(tensor_list(l, g, yaml_get(n, "outputs"), "outputs", false, &g->outputs, &g->n_outputs));
    g->n_ops = layers->n;
    g->ops = arena_alloc(l->a, (size_t)layers->n, sizeof *g->ops);
    if (!g->ops) return native_nomem(l);
    for (int i = 0; i < layers->n; i++) TRY(read_layer(l, g, &layers->items[i], &g->ops[i]));
    return ST_OK;
}

static status read_candidates(native_loader *l, const yaml_node *list, model_choice *ch)
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

static status read_choice(native_loader *l, const yaml_node *n, model_choice *ch)
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

static status read_choices(native_loader *l, const yaml_node *list)
{
    if (!list) return ST_OK;
    TRY(yaml_expect(list, YAML_LIST, "choices", l->e));
    l->g->choices = arena_alloc(l->a, (size_t)list->n, sizeof *l->g->choices);
    if (!l->g->choices) return native_nomem(l);
    for (int i = 0; i < list->n; i++) {
        TRY(read_choice(l, &list->items[i], &l->g->choices[i]));
        l->g->n_choices = i + 1;
    }
    return ST_OK;
}

static status read_variables(native_loader *l, const yaml_node *list)
{
    static const char *const keys[] = {"name", "tensor", NULL}, *const required[] = {"name", NULL};
    if (!list) return ST_OK;
    TRY(yaml_expect(list, YAML_LIST, "variables", l->e));
    l->g->n_variables = list->n;
    l->g->variables = arena_alloc(l->a, (size_t)list->n, sizeof *l->g->variables);
    if (!l->g->variables) return native_nomem(l);
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

static status read_subgraphs(native_loader *l, const yaml_node *root)
{
    static const char *const keys[] = {"name", "inputs", "outputs", "tensors", "layers", NULL};
    const yaml_node *more = yaml_get(root, "subgraphs");
    if (more) TRY(yaml_expect(more, YAML_LIST, "subgraphs", l->e));
    l->g->n_subgraphs = 1 + (more ? more->n : 0);
    l->g->subgraphs = arena_alloc(l->a, (size_t)l->g->n_subgraphs, sizeof *l->g->subgraphs);
    if (!l->g->subgraphs) return native_nomem(l);
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

static status read_root(native_loader *l, const yaml_node *root)
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

static status read_archive(native_loader *l)
{
    const uint8_t *text;
    size_t len;
    yaml_node *root;
    TRY(native_member(l, "model.yaml", &text, &len));
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
    native_loader l = {zip, a, g, 0, e};
    status s = read_archive(&l);
    zip_discard(zip);
    if (s == ST_OK) *out = g;
    return s;
}
