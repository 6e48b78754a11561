/* SPDX-License-Identifier: Apache-2.0
 * Importer of .tflite files (schema version 3). Field numbers are those of schema.fbs. Constant tensors are copied, unpacked and
 * aligned; their size is checked against the file first, so no allocation is larger than a small multiple of the file. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "model/load.h"
#include "model/tflite_ops.h"

enum { MAX_SUBGRAPHS = 64, MAX_ACTIVATION_BYTES = 1 << 30 };

typedef struct importer {
    fb_buffer file;
    fb_vector opcodes, buffers;
    arena *a;
    model_graph *g;
    err *e;
    size_t budget; /* of arena_used: vectors may overlap in a hostile file, so their copies are bounded together */
} importer;

static status nomem(importer *m) { return err_set(m->e, ST_NOMEM, "", "no memory for the model"); }

static status copy_text(importer *m, const fb_table *t, int field, const char **out)
{
    const char *text;
    size_t len;
    TRY(fb_text(t, field, &text, &len, m->e));
    *out = arena_strdup(m->a, text ? text : "", len);
    return *out ? ST_OK : nomem(m);
}

/* A vector of int32 indices, each in [low, n). */
static status indices(importer *m, const fb_table *t, int field, int low, int n, const int **out, int *count, const char *what)
{
    fb_vector v;
    TRY(fb_vec(t, field, 4, &v, m->e));
    int *list = arena_alloc(m->a, v.n, sizeof *list);
    if (!list) return nomem(m);
    for (size_t i = 0; i < v.n; i++) {
        int32_t x = fb_vec_i32(&v, i);
        if (x < low || x >= n) return err_set(m->e, ST_FORMAT, "", "%s names tensor %d of %d; the model file is corrupt", what, x, n);
        list[i] = x;
    }
    *out = list;
    *count = (int)v.n;
    return ST_OK;
}

static const struct { int tflite; model_dtype dtype; int bits; } types[] = {
    {0, MODEL_F32, 32}, {2, MODEL_I32, 32}, {3, MODEL_U8, 8},         {4, MODEL_I64, 64}, {6, MODEL_BOOL, 8},
    {7, MODEL_I16, 16}, {9, MODEL_I8, 8},   {13, MODEL_RESOURCE, 0},  {17, MODEL_I8, 4},
};

static status tensor_type(importer *m, const fb_table *t, model_tensor *x)
{
    uint8_t code;
    TRY(fb_u8(t, 1, 0, &code, m->e));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].tflite != code) continue;
        x->dtype = types[i].dtype;
        x->bits = types[i].bits;
        return ST_OK;
    }
    return err_set(m->e, ST_UNSUPPORTED, "", "tensor '%s' has TFLite type %d, which is not supported", x->name, code);
}

static status tensor_shape(importer *m, const fb_table *t, model_tensor *x)
{
    fb_vector v;
    TRY(fb_vec(t, 0, 4, &v, m->e));
    if (v.n > MODEL_MAX_DIMS) return err_set(m->e, ST_UNSUPPORTED, "", "tensor '%s' has %zu dimensions; at most %d", x->name, v.n, MODEL_MAX_DIMS);
    x->n_dims = (int)v.n;
    x->n_elems = 1;
    for (size_t i = 0; i < v.n; i++) {
        int32_t d = fb_vec_i32(&v, i);
        if (d < 0) return err_set(m->e, ST_UNSUPPORTED, "", "tensor '%s' has a dynamic shape", x->name);
        if (d && x->n_elems > MAX_ACTIVATION_BYTES / (size_t)d)
            return err_set(m->e, ST_FORMAT, "", "tensor '%s' has more than 2^30 elements", x->name);
        x->dims[i] = d;
        x->n_elems *= (size_t)d;
    }
    return ST_OK;
}

static status tensor_scales(importer *m, const fb_table *t, model_tensor *x)
{
    fb_table q;
    bool present;
    fb_vector scale, zero;
    int32_t axis;
    TRY(fb_sub(t, 4, &q, &present, m->e));
    if (!present) return ST_OK;
    TRY(fb_vec(&q, 2, 4, &scale, m->e));
    TRY(fb_vec(&q, 3, 8, &zero, m->e));
    TRY(fb_i32(&q, 6, 0, &axis, m->e));
    if (scale.n == 0) return ST_OK;
    if (zero.n != scale.n && zero.n > 1)
        return err_set(m->e, ST_FORMAT, "", "tensor '%s' has %zu scales and %zu zero points", x->name, scale.n, zero.n);
    if (x->n_dims == 1) axis = 0; /* some writers copy the weights' axis to the bias */
    if (axis < 0 || (scale.n > 1 && (axis >= x->n_dims || (size_t)x->dims[axis] != scale.n)))
        return err_set(m->e, ST_FORMAT, "", "tensor '%s': %zu scales do not fit dimension %d", x->name, scale.n, axis);
    float *s = arena_alloc(m->a, scale.n, sizeof *s);
    int64_t *z = arena_alloc(m->a, scale.n, sizeof *z);
    if (!s || !z) return nomem(m);
    for (size_t i = 0; i < scale.n; i++) {
        s[i] = fb_vec_f32(&scale, i);
        z[i] = zero.n ? fb_vec_i64(&zero, zero.n == 1 ? 0 : i) : 0;
    }
    x->n_scales = (int)scale.n;
    x->axis = axis;
    x->scale = s;
    x->zero_point = z;
    return ST_OK;
}

/* Bytes of buffer `index`: inside the flatbuffer, or behind it at (offset, size) as files over 2 GiB do. */
static status buffer_bytes(importer *m, uint32_t index, const uint8_t **p, size_t *n)
{
    fb_table b;
    fb_vector data;
    uint64_t offset, size;
    *p = NULL;
    *n = 0;
    if (index >= m->buffers.n) return err_set(m->e, ST_FORMAT, "", "buffer %u of %zu is named; the model file is corrupt", index, m->buffers.n);
    TRY(fb_vec_table(&m->buffers, index, &b, m->e));
    TRY(fb_vec(&b, 0, 1, &data, m->e));
    TRY(fb_u64(&b, 1, 0, &offset, m->e));
    TRY(fb_u64(&b, 2, 0, &size, m->e));
    if (data.n) {
        *p = m->file.bytes + data.at;
        *n = data.n;
    } else if (size) {
        if (offset > m->file.len || size > m->file.len - offset)
            return err_set(m->e, ST_FORMAT, "", "buffer %u lies outside the file", index);
        *p = m->file.bytes + offset;
        *n = (size_t)size;
    }
    return ST_OK;
}

/* INT4: two codes a byte, low nibble first, the whole tensor one stream. */
static void unpack4(const uint8_t *p, size_t n, int8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        int nibble = (p[i / 2] >> (i % 2 ? 4 : 0)) & 15;
        out[i] = (int8_t)(nibble < 8 ? nibble : nibble - 16);
    }
}

static status tensor_data(importer *m, const fb_table *t, model_tensor *x)
{
    int32_t index;
    const uint8_t *p;
    size_t n;
    TRY(fb_i32(t, 2, 0, &index, m->e));
    if (index == 0) return ST_OK; /* buffer 0 is the empty one by convention */
    TRY(buffer_bytes(m, (uint32_t)index, &p, &n));
    if (n == 0) return ST_OK;
    bool packed = x->dtype == MODEL_I8 && x->bits == 4;
    size_t want = packed ? (x->n_elems + 1) / 2 : model_tensor_bytes(x);
    if (x->dtype == MODEL_RESOURCE || n != want)
        return err_set(m->e, ST_FORMAT, "", "tensor '%s' needs %zu bytes of data, the file has %zu", x->name, want, n);
    void *copy = arena_alloc(m->a, model_tensor_bytes(x), 1);
    if (!copy) return nomem(m);
    if (packed)
        unpack4(p, x->n_elems, copy);
    else
        memcpy(copy, p, n);
    x->data = copy;
    return ST_OK;
}

static status read_tensor(importer *m, const fb_table *t, model_tensor *x)
{
    uint8_t variable;
    fb_table sparsity;
    bool sparse;
    TRY(copy_text(m, t, 3, &x->name));
    TRY(tensor_type(m, t, x));
    TRY(tensor_shape(m, t, x));
    TRY(tensor_scales(m, t, x));
    TRY(fb_u8(t, 5, 0, &variable, m->e));
    TRY(fb_sub(t, 6, &sparsity, &sparse, m->e));
    if (sparse) return err_set(m->e, ST_UNSUPPORTED, "", "tensor '%s' is sparse", x->name);
    x->is_variable = variable != 0;
    TRY(tensor_data(m, t, x));
    if (arena_used(m->a) > m->budget) return err_set(m->e, ST_FORMAT, "", "its tensors' data overlap beyond reason; the model file is corrupt");
    return ST_OK;
}

static status op_type(importer *m, const fb_table *t, model_op *op)
{
    int32_t index, code, version;
    uint8_t old;
    fb_table c;
    TRY(fb_i32(t, 0, 0, &index, m->e));
    if (index < 0 || (size_t)index >= m->opcodes.n) return err_set(m->e, ST_FORMAT, "", "operator code %d of %zu is named", index, m->opcodes.n);
    TRY(fb_vec_table(&m->opcodes, (size_t)index, &c, m->e));
    TRY(fb_u8(&c, 0, 0, &old, m->e));
    TRY(fb_i32(&c, 3, 0, &code, m->e));
    TRY(fb_i32(&c, 2, 1, &version, m->e));
    if (code < old) code = old; /* old files only have the byte */
    op->version = version;
    op->code = MODEL_UNSUPPORTED;
    op->type = tflite_builtin_name(code);
    if (op->type && strcmp(op->type, "CUSTOM") == 0) {
        TRY(copy_text(m, &c, 1, &op->type));
        if (!op->type[0]) op->type = "CUSTOM";
        return ST_OK;
    }
    if (!op->type) {
        char text[32];
        op->type = arena_strdup(m->a, text, (size_t)snprintf(text, sizeof text, "BUILTIN_%d", code));
        return op->type ? ST_OK : nomem(m);
    }
    op->code = tflite_opcode(op->type);
    return ST_OK;
}

/* Options that have no attribute but change what is computed. */
static status refuse_options(importer *m, const model_op *op, const fb_table *options, bool present)
{
    uint8_t format = 0;
    if (op->code == MODEL_FULLY_CONNECTED && present) TRY(fb_u8(options, 1, 0, &format, m->e));
    if (format) return err_set(m->e, ST_UNSUPPORTED, "", "shuffled weights (weights_format %d) are not supported", format);
    return ST_OK;
}

static status variable_index(importer *m, const fb_table *options, bool present, int *index)
{
    const char *container = "", *shared = "";
    if (present) {
        TRY(copy_text(m, options, 0, &container));
        TRY(copy_text(m, options, 1, &shared));
    }
    size_t room = strlen(container) + strlen(shared) + 2;
    char *name = arena_alloc(m->a, room, 1);
    if (!name) return nomem(m);
    (void)snprintf(name, room, "%s/%s", container, shared);
    for (*index = 0; *index < m->g->n_variables; ++*index) {
        if (strcmp(m->g->variables[*index].name, name) == 0) return ST_OK;
    }
    model_variable *more = arena_alloc(m->a, (size_t)m->g->n_variables + 1, sizeof *more);
    if (!more) return nomem(m);
    if (m->g->n_variables) memcpy(more, m->g->variables, (size_t)m->g->n_variables * sizeof *more);
    more[m->g->n_variables++] = (model_variable){name, -1};
    m->g->variables = more;
    return ST_OK;
}

static status read_op(importer *m, const fb_table *t, const model_subgraph *g, model_op *op)
{
    fb_table options;
    bool present;
    op->choice = -1;
    TRY(op_type(m, t, op));
    TRY(indices(m, t, 1, -1, g->n_tensors, &op->inputs, &op->n_inputs, "an operator's input"));
    TRY(indices(m, t, 2, 0, g->n_tensors, &op->outputs, &op->n_outputs, "an operator's output"));
    TRY(indices(m, t, 8, 0, g->n_tensors, &op->intermediates, &op->n_intermediates, "an operator's intermediate"));
    op->name = op->n_outputs ? g->tensors[op->outputs[0]].name : op->type;
    TRY(fb_sub(t, 4, &options, &present, m->e));
    if (op->code == MODEL_UNSUPPORTED) return ST_OK;
    TRY(refuse_options(m, op, &options, present));
    if (op->code == MODEL_VAR_HANDLE) TRY(variable_index(m, &options, present, &op->attrs.variable));
    return tflite_attrs(op->code, &options, present, &op->attrs, m->e);
}

static status read_subgraph(importer *m, const fb_table *t, model_subgraph *g)
{
    fb_vector tensors, ops;
    fb_table x;
    const int *list;
    TRY(copy_text(m, t, 4, &g->name));
    TRY(fb_vec(t, 0, 4, &tensors, m->e));
    TRY(fb_vec(t, 3, 4, &ops, m->e));
    if (tensors.n > INT_MAX / 2 || ops.n > INT_MAX / 2) return err_set(m->e, ST_FORMAT, "", "too many tensors or operators");
    g->n_tensors = (int)tensors.n;
    g->n_ops = (int)ops.n;
    g->tensors = arena_alloc(m->a, tensors.n, sizeof *g->tensors);
    g->ops = arena_alloc(m->a, ops.n, sizeof *g->ops);
    if (!g->tensors || !g->ops) return nomem(m);
    for (size_t i = 0; i < tensors.n; i++) {
        TRY(fb_vec_table(&tensors, i, &x, m->e));
        status s = read_tensor(m, &x, &g->tensors[i]);
        if (s != ST_OK) {
            err_at(m->e, "tensor %zu", i);
            return s;
        }
    }
    TRY(indices(m, t, 1, 0, g->n_tensors, &list, &g->n_inputs, "the network's input"));
    g->inputs = (int *)list;
    TRY(indices(m, t, 2, 0, g->n_tensors, &list, &g->n_outputs, "the network's output"));
    g->outputs = (int *)list;
    for (size_t i = 0; i < ops.n; i++) {
        TRY(fb_vec_table(&ops, i, &x, m->e));
        status s = read_op(m, &x, g, &g->ops[i]);
        if (s != ST_OK) {
            err_at(m->e, "op %zu%s%s", i, g->ops[i].type ? " " : "", g->ops[i].type ? g->ops[i].type : "");
            return s;
        }
    }
    return ST_OK;
}

/* Variable behind resource tensor t of g: the VAR_HANDLE that produces it; -1 = none. */
static int variable_of(const model_subgraph *g, int t)
{
    for (int i = 0; i < g->n_ops; i++) {
        if (g->ops[i].code == MODEL_VAR_HANDLE && g->ops[i].n_outputs == 1 && g->ops[i].outputs[0] == t) return g->ops[i].attrs.variable;
    }
    return -1;
}

/* A variable has the type and shape of what is read from it, or written to it, in subgraph 0. */
static void type_variables(model_graph *g)
{
    const model_subgraph *sub = &g->subgraphs[0];
    for (int i = 0; i < sub->n_ops; i++) {
        const model_op *op = &sub->ops[i];
        bool read = op->code == MODEL_READ_VARIABLE && op->n_inputs == 1 && op->n_outputs == 1;
        bool assign = op->code == MODEL_ASSIGN_VARIABLE && op->n_inputs == 2;
        int v = read || assign ? variable_of(sub, op->inputs[0]) : -1;
        if (v >= 0 && g->variables[v].tensor < 0) g->variables[v].tensor = read ? op->outputs[0] : op->inputs[1];
    }
}

static status import(importer *m)
{
    fb_table root, t;
    fb_vector subgraphs;
    int32_t version;
    TRY(fb_root(&m->file, &root, m->e));
    TRY(fb_i32(&root, 0, 0, &version, m->e));
    if (version != 3) return err_set(m->e, ST_UNSUPPORTED, "", "TFLite schema version %d; only 3 is read", version);
    TRY(fb_vec(&root, 1, 4, &m->opcodes, m->e));
    TRY(fb_vec(&root, 2, 4, &subgraphs, m->e));
    TRY(fb_vec(&root, 4, 4, &m->buffers, m->e));
    if (subgraphs.n < 1 || subgraphs.n > MAX_SUBGRAPHS) return err_set(m->e, ST_FORMAT, "", "%zu subgraphs; expected 1 to %d", subgraphs.n, MAX_SUBGRAPHS);
    m->g->n_subgraphs = (int)subgraphs.n;
    m->g->subgraphs = arena_alloc(m->a, subgraphs.n, sizeof *m->g->subgraphs);
    if (!m->g->subgraphs) return nomem(m);
    for (size_t i = 0; i < subgraphs.n; i++) {
        TRY(fb_vec_table(&subgraphs, i, &t, m->e));
        status s = read_subgraph(m, &t, &m->g->subgraphs[i]);
        if (s != ST_OK) {
            if (i) err_at(m->e, "subgraph %zu", i);
            return s;
        }
    }
    type_variables(m->g);
    return ST_OK;
}

status model_load_tflite(const uint8_t *bytes, size_t len, arena *a, model_graph **out, err *e)
{
    model_graph *g = arena_alloc(a, 1, sizeof *g);
    *out = NULL;
    if (!g) return err_set(e, ST_NOMEM, "", "no memory for the model");
    if (len < 8 || memcmp(bytes + 4, "TFL3", 4) != 0) return err_set(e, ST_FORMAT, "byte 4", "not a .tflite model (identifier TFL3 is missing)");
    importer m = {.file = {bytes, len}, .a = a, .g = g, .e = e, .budget = arena_used(a) + 64 * len + ((size_t)16 << 20)};
    g->path = "";
    g->format = "tflite";
    TRY(import(&m));
    *out = g;
    return ST_OK;
}
