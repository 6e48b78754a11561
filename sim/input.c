/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/input.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum { MAX_INPUTS = 16 };

struct sim_input {
    int n;
    npy_reader *array[MAX_INPUTS];
    size_t bytes[MAX_INPUTS];
    int64_t count, at;
    npy_type label_type;
    const uint8_t *labels;
    const char **names;
};

static const struct { model_dtype dtype; npy_type type; } types[] = {
    {MODEL_F32, NPY_F32}, {MODEL_I8, NPY_I8},   {MODEL_U8, NPY_U8},     {MODEL_I16, NPY_I16},
    {MODEL_I32, NPY_I32}, {MODEL_I64, NPY_I64}, {MODEL_BOOL, NPY_BOOL},
};

/* "[24, 1, 32, 32, 3]" */
static void shape_text(const int64_t *dims, int n, char *buf, size_t room)
{
    size_t at = (size_t)snprintf(buf, room, "[");
    for (int i = 0; i < n && at + 24 < room; i++) at += (size_t)snprintf(buf + at, room - at, "%s%lld", i ? ", " : "", (long long)dims[i]);
    (void)snprintf(buf + at, room - at, "]");
}

/* Does a row of shape dims[1..] hold one value of tensor t? */
static bool row_fits(const npy_info *a, const model_tensor *t)
{
    if (a->n_dims < 1) return false;
    int rank = a->n_dims - 1;
    const int64_t *row = a->dims + 1;
    if (rank == 1 && row[0] >= 0 && (size_t)row[0] == t->n_elems) return true;
    if (rank == 0 && t->n_elems == 1) return true;
    for (int skip = 0; skip < 2; skip++) {
        if (skip && (t->n_dims == 0 || t->dims[0] != 1)) break;
        if (rank != t->n_dims - skip) continue;
        bool same = true;
        for (int i = 0; i < rank; i++) same = same && row[i] == t->dims[i + skip];
        if (same) return true;
    }
    return false;
}

static status check_array(const npy_info *a, const model_tensor *t, const char *path, const char *member, err *e)
{
    char want[128], got[160];
    int64_t dims[MODEL_MAX_DIMS];
    for (int i = 0; i < t->n_dims; i++) dims[i] = t->dims[i];
    shape_text(dims, t->n_dims, want, sizeof want);
    shape_text(a->dims, a->n_dims, got, sizeof got);
    bool type_ok = false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        type_ok = type_ok || (types[i].dtype == t->dtype && types[i].type == a->type);
    if (!type_ok)
        return err_set(e, ST_FORMAT, path, "%s holds %s, but input '%s' takes %s; convert the array first", member ? member : "array",
                       npy_type_name(a->type), t->name, model_dtype_name(t->dtype));
    if (!row_fits(a, t))
        return err_set(e, ST_FORMAT, path, "%s has shape %s; expected [inputs] followed by %s of input '%s'", member ? member : "array", got,
                       want, t->name);
    return ST_OK;
}

static status open_arrays(sim_input *in, const model_graph *g, const char *path, err *e)
{
    const model_subgraph *sub = &g->subgraphs[0];
    bool zip = npy_is_zip(path);
    if (sub->n_inputs > MAX_INPUTS) return err_set(e, ST_UNSUPPORTED, path, "%d network inputs; at most %d", sub->n_inputs, MAX_INPUTS);
    if (!zip && sub->n_inputs != 1)
        return err_set(e, ST_ARG, path, "the network has %d inputs: give an .npz with in0 ... in%d", sub->n_inputs, sub->n_inputs - 1);
    in->n = sub->n_inputs;
    for (int i = 0; i < in->n; i++) {
        char member[16];
        (void)snprintf(member, sizeof member, "in%d", i);
        TRY(npy_open(path, zip ? member : NULL, &in->array[i], e));
        const npy_info *a = npy_reader_info(in->array[i]);
        TRY(check_array(a, &sub->tensors[sub->inputs[i]], path, zip ? member : NULL, e));
        in->bytes[i] = npy_row_bytes(in->array[i]);
        if (i && a->dims[0] != in->count)
            return err_set(e, ST_FORMAT, path, "%s has %lld inputs, in0 has %lld", member, (long long)a->dims[0], (long long)in->count);
        in->count = a->dims[0];
    }
    return ST_OK;
}

static status load_labels(sim_input *in, const char *path, int64_t rows, arena *a, err *e)
{
    npy_info info;
    const void *data;
    TRY(npy_load(path, npy_is_zip(path) ? "labels" : NULL, a, &info, &data, e));
    if (info.type == NPY_F32 || info.type == NPY_F64 || info.type == NPY_BOOL)
        return err_set(e, ST_FORMAT, path, "labels must be integers, not %s", npy_type_name(info.type));
    if (info.n_elems != (size_t)rows)
        return err_set(e, ST_FORMAT, path, "%zu labels for %lld inputs", info.n_elems, (long long)rows);
    in->labels = data;
    in->label_type = info.type;
    return ST_OK;
}

static status load_names(sim_input *in, const char *path, int64_t rows, arena *a, err *e)
{
    const uint8_t *text;
    size_t len;
    TRY(file_read(path, (size_t)1 << 30, a, &text, &len, e));
    in->names = arena_alloc(a, (size_t)rows, sizeof *in->names);
    if (!in->names) return err_set(e, ST_NOMEM, path, "no memory for names");
    int64_t n = 0;
    for (size_t at = 0; at < len; n++) {
        const uint8_t *end = memchr(text + at, '\n', len - at);
        size_t line = end ? (size_t)(end - (text + at)) : len - at, next = at + line + 1;
        if (line && text[at + line - 1] == '\r') line--;
        if (n < rows && !(in->names[n] = arena_strdup(a, (const char *)text + at, line))) return err_set(e, ST_NOMEM, path, "no memory for names");
        at = next;
    }
    if (n != rows) return err_set(e, ST_FORMAT, path, "%lld names for %lld inputs", (long long)n, (long long)rows);
    return ST_OK;
}

status sim_input_open(const model_graph *g, const char *path, const char *labels, const char *names, int64_t limit, arena *a,
                      sim_input **out, err *e)
{
    sim_input *in = arena_alloc(a, 1, sizeof *in);
    *out = NULL;
    if (!in) return err_set(e, ST_NOMEM, path, "no memory");
    status s = open_arrays(in, g, path, e);
    if (s == ST_OK && labels) s = load_labels(in, labels, in->count, a, e);
    if (s == ST_OK && names) s = load_names(in, names, in->count, a, e);
    if (s != ST_OK) {
        sim_input_close(&in);
        return s;
    }
    if (limit >= 0 && limit < in->count) in->count = limit;
    *out = in;
    return ST_OK;
}

int64_t sim_input_count(const sim_input *in) { return in->count; }

size_t sim_input_row_bytes(const sim_input *in)
{
    size_t sum = 0;
    for (int i = 0; i < in->n; i++) sum += in->bytes[i];
    return sum;
}

static int64_t label_at(const sim_input *in, int64_t row)
{
    const uint8_t *p = in->labels + (size_t)row * npy_type_bytes(in->label_type);
    switch (in->label_type) {
    case NPY_I8: return (int8_t)*p;
    case NPY_U8: return *p;
    case NPY_I16: { int16_t v; memcpy(&v, p, sizeof v); return v; }
    case NPY_U16: { uint16_t v; memcpy(&v, p, sizeof v); return v; }
    case NPY_I32: { int32_t v; memcpy(&v, p, sizeof v); return v; }
    case NPY_U32: { uint32_t v; memcpy(&v, p, sizeof v); return v; }
    case NPY_I64: case NPY_U64: { int64_t v; memcpy(&v, p, sizeof v); return v; }
    case NPY_BOOL: case NPY_F32: case NPY_F64: break;
    }
    return -1;
}

status sim_input_next(sim_input *in, void *row, int64_t *label, const char **name, err *e)
{
    uint8_t *p = row;
    for (int i = 0; i < in->n; i++) {
        TRY(npy_read_row(in->array[i], p, e));
        p += in->bytes[i];
    }
    *label = in->labels ? label_at(in, in->at) : -1;
    *name = in->names ? in->names[in->at] : NULL;
    in->at++;
    return ST_OK;
}

void sim_input_close(sim_input **in)
{
    if (!in || !*in) return;
    for (int i = 0; i < (*in)->n; i++) npy_close(&(*in)->array[i]);
    *in = NULL;
}
