/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/vectors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emu/emu.h"
#include "model/load.h"
#include "sim/vectors_case.h"

bool vec_get(const vec_case *c, const char *role, vec_array *out)
{
    json_t *shape = json_object_get(json_object_get(c->json, "shapes"), role);
    json_t *offset = json_object_get(json_object_get(c->json, "offset"), role);
    if (!shape || !offset) return false;
    for (int r = 0; r < c->file->n_roles; r++) {
        if (strcmp(c->file->role[r], role) != 0) continue;
        *out = (vec_array){.type = c->file->info[r].type, .n_dims = (int)json_array_size(shape), .n = 1};
        for (int d = 0; d < out->n_dims; d++) {
            out->dims[d] = json_integer_value(json_array_get(shape, (size_t)d));
            out->n *= (size_t)out->dims[d];
        }
        out->data = (const char *)c->file->data[r] + (size_t)json_integer_value(offset) * npy_type_bytes(out->type);
        return true;
    }
    return false;
}

static status check_role(const vec_case *c, const char *role, json_t *shape)
{
    json_t *offset = json_object_get(json_object_get(c->json, "offset"), role);
    int64_t n = 1, from = json_is_integer(offset) ? json_integer_value(offset) : -1;
    size_t i;
    json_t *dim;
    if (!json_is_array(shape) || json_array_size(shape) > NPY_MAX_DIMS) return err_set(c->e, ST_FORMAT, "", "role '%s': its shape is no list of at most %d sizes", role, NPY_MAX_DIMS);
    json_array_foreach(shape, i, dim) {
        int64_t d = json_is_integer(dim) ? json_integer_value(dim) : -1;
        if (d < 0 || d > INT32_MAX || (d && n > INT32_MAX / d)) return err_set(c->e, ST_FORMAT, "", "role '%s': a size that is no count", role);
        n *= d;
    }
    for (int r = 0; r < c->file->n_roles; r++) {
        if (strcmp(c->file->role[r], role) != 0) continue;
        if (from < 0 || from > (int64_t)c->file->info[r].n_elems || n > (int64_t)c->file->info[r].n_elems - from)
            return err_set(c->e, ST_FORMAT, "", "role '%s': elements %" PRId64 " to %" PRId64 " of an array of %zu", role, from, from + n, c->file->info[r].n_elems);
        return ST_OK;
    }
    return err_set(c->e, ST_FORMAT, "", "role '%s' is not among the file's arrays", role);
}

status vec_check(const vec_case *c)
{
    const char *role;
    json_t *shape, *shapes = json_object_get(c->json, "shapes");
    if (!json_is_object(shapes)) return err_set(c->e, ST_FORMAT, "", "no 'shapes'");
    json_object_foreach(shapes, role, shape) TRY(check_role(c, role, shape));
    return ST_OK;
}

int64_t vec_value(const vec_array *a, size_t i)
{
    switch (a->type) {
    case NPY_BOOL: case NPY_U8: return ((const uint8_t *)a->data)[i];
    case NPY_I8: return ((const int8_t *)a->data)[i];
    case NPY_I16: return ((const int16_t *)a->data)[i];
    case NPY_U16: return ((const uint16_t *)a->data)[i];
    case NPY_I32: return ((const int32_t *)a->data)[i];
    case NPY_U32: return ((const uint32_t *)a->data)[i];
    case NPY_I64: case NPY_U64: case NPY_F64: return ((const int64_t *)a->data)[i]; /* floats by their bits */
    case NPY_F32: return ((const int32_t *)a->data)[i];
    }
    return 0;
}

int vec_int(const vec_case *c, const char *key, int otherwise)
{
    json_t *v = json_object_get(c->json, key);
    return json_is_integer(v) ? (int)json_integer_value(v) : json_is_real(v) ? (int)json_real_value(v) : otherwise;
}

double vec_real(const vec_case *c, const char *key, double otherwise)
{
    json_t *v = json_object_get(c->json, key);
    return json_is_number(v) ? json_number_value(v) : otherwise;
}

const char *vec_text(const vec_case *c, const char *key, const char *otherwise)
{
    json_t *v = json_object_get(c->json, key);
    return json_is_string(v) ? json_string_value(v) : otherwise;
}

/* Outputs that a file of whole operators records, one a runtime. */
static const struct { const char *role, *profile; } sides[] = {
    {"output_tflm", "tflm"}, {"output_litert_ref", "litert-ref"}, {"output_litert_opt", "ruy"}, {"output_litert_xnnpack", "xnnpack"},
};
enum { N_SIDES = sizeof sides / sizeof *sides };

/* The recordings' output buffers held bytes 0xA5 before the call; some kernels leave part of them so. */
static void fill(const model_tensor *t, int bits, void *data)
{
    memset(data, 0xA5, model_tensor_bytes(t));
    for (size_t i = 0; bits && bits < 8 && i < t->n_elems; i++) ((uint8_t *)data)[i] = (uint8_t)(0xA5 >> (i * (size_t)bits % 8) & ((1 << bits) - 1));
}

static status run_graph(const vec_case *c, const emu_profile *p, int64_t **got, size_t *n)
{
    vec_graph *g = arena_alloc(c->mem, 1, sizeof *g);
    emu_session *s = NULL;
    emu_events ev = {0};
    if (!g) return err_set(c->e, ST_NOMEM, "", "no memory");
    TRY(vec_build(c, p, g));
    g->graph.profile = p->name; /* its integers are stated as the library takes them */
    TRY(model_check(&g->graph, c->e));
    TRY(emu_session_create(&g->graph, p, c->mem, &s, c->e));
    for (int i = 0; i < g->n_feeds; i++)
        memcpy(emu_tensor_data(s, g->feeds[i].tensor), g->feeds[i].data, model_tensor_bytes(&g->tensors[g->feeds[i].tensor]));
    const model_tensor *t = &g->tensors[g->outputs[0]];
    fill(t, g->out_bits, emu_tensor_data(s, g->outputs[0]));
    TRY(emu_run_op(s, 0, NULL, &ev, c->e));
    static const npy_type types[] = {NPY_F32, NPY_I8, NPY_U8, NPY_I16, NPY_I32, NPY_I64, NPY_BOOL, NPY_U8};
    vec_array out = {.type = types[t->dtype], .n = t->n_elems, .data = emu_tensor_data(s, g->outputs[0])};
    if (g->packed) {
        *got = vec_binary_pack(c, t, out.data, n);
        return *got ? ST_OK : err_set(c->e, ST_NOMEM, "", "no memory");
    }
    *n = t->n_elems;
    *got = arena_alloc(c->mem, *n, sizeof **got);
    if (!*got) return err_set(c->e, ST_NOMEM, "", "no memory");
    for (size_t i = 0; i < *n; i++) (*got)[i] = vec_value(&out, i);
    return ST_OK;
}

/* Text of the first element that differs; false = equal. */
static bool differs(const vec_array *want, const char *role, const int64_t *got, size_t n, char *text, size_t size)
{
    if (want->n != n) {
        (void)snprintf(text, size, "%s: %zu elements recorded, %zu computed", role, want->n, n);
        return true;
    }
    int64_t wrong = 0, most = 0;
    size_t first = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t d = got[i] - vec_value(want, i);
        if (!d) continue;
        if (!wrong++) first = i;
        most = (d < 0 ? -d : d) > most ? (d < 0 ? -d : d) : most;
    }
    if (!wrong) return false;
    size_t rest = first;
    int64_t at[NPY_MAX_DIMS];
    for (int d = want->n_dims - 1; d >= 0; d--) {
        at[d] = (int64_t)(rest % (size_t)want->dims[d]);
        rest /= (size_t)want->dims[d];
    }
    int len = snprintf(text, size, "%s[", role);
    for (int d = 0; d < want->n_dims && len > 0 && (size_t)len < size; d++) len += snprintf(text + len, size - (size_t)len, "%s%" PRId64, d ? ", " : "", at[d]);
    if (len > 0 && (size_t)len < size)
        (void)snprintf(text + len, size - (size_t)len, "]: recorded %" PRId64 ", computed %" PRId64 "; %" PRId64 " of %zu differ, by at most %" PRId64,
                       vec_value(want, first), got[first], wrong, n, most);
    return true;
}

static status one_role(const vec_case *c, const emu_profile *p, const char *role, bool *differ, char *text, size_t size)
{
    vec_array want;
    int64_t *got = NULL;
    size_t n = 0;
    if (!vec_get(c, role, &want)) return ST_OK;
    status st = vec_primitive(c, p, role, &got, &n);
    if (st == ST_UNSUPPORTED) st = run_graph(c, p, &got, &n);
    if (st != ST_OK) return st;
    *differ = differs(&want, role, got, n, text, size);
    return ST_OK;
}

static status one_case(const vec_case *c, const emu_profile *p, const char *asked, bool *differ, char *text, size_t size)
{
    static const char *const plain[] = {"output", "output_predicated", "mult", "shift", "host", "m4", "m55"};
    bool whole = strcmp(c->file->library, "tflite_interp") == 0;
    bool parameters = strcmp(c->file->op, "quantize_multiplier") == 0;
    for (int i = 0; whole && i < N_SIDES && !*differ; i++) {
        if (asked && strcmp(asked, sides[i].profile) != 0) continue;
        TRY(one_role(c, emu_profile_find(sides[i].profile), sides[i].role, differ, text, size));
    }
    for (size_t i = 0; !whole && i < sizeof plain / sizeof *plain && !*differ; i++) {
        if ((i == 2 || i == 3) && !parameters) continue; /* elsewhere they are operands */
        TRY(one_role(c, p, plain[i], differ, text, size));
    }
    if (!*differ) TRY(vec_packing(c, p, differ, text, size));
    return ST_OK;
}

static void note(char *to, size_t size, const char *text)
{
    if (!*to) (void)snprintf(to, size, "%s", text);
}

static status replay_cases(const vec_file *f, const emu_profile *p, const char *asked, vectors_result *out, err *e)
{
    size_t i;
    json_t *json;
    json_array_foreach(f->cases, i, json) {
        err mine = {0};
        arena *mem = arena_create(0);
        vec_case c = {f, json, mem, &mine};
        char text[320] = "";
        bool differ = false;
        int64_t id = json_integer_value(json_object_get(json, "id"));
        status st = mem ? vec_check(&c) : ST_NOMEM;
        if (st == ST_OK) st = p || strcmp(f->library, "tflite_interp") == 0 || strcmp(f->library, "gemmlowp") == 0
                                  ? one_case(&c, p, asked, &differ, text, sizeof text)
                                  : err_set(&mine, ST_UNSUPPORTED, "", "no profile for library '%s'", f->library);
        out->cases++;
        if (st == ST_UNSUPPORTED && vec_defect(&c)) {
            out->defect++;
            out->rule = vec_defect(&c);
        } else if (st == ST_UNSUPPORTED) {
            char why[320];
            (void)snprintf(why, sizeof why, "case %" PRId64 ": %.200s", id, mine.msg);
            out->unsupported++;
            note(out->reason, sizeof out->reason, why);
        } else if (st == ST_OK && differ && vec_defect(&c)) {
            out->defect++;
            out->rule = vec_defect(&c);
        } else if (st == ST_OK && differ) {
            out->differ++;
            if (out->first < 0) out->first = id;
            note(out->first_text, sizeof out->first_text, text);
        } else if (st == ST_OK) {
            out->equal++;
        }
        arena_destroy(&mem);
        if (st != ST_OK && st != ST_UNSUPPORTED) {
            char place[192];
            (void)snprintf(place, sizeof place, "%.120s, case %" PRId64, f->path, id);
            return err_set(e, st, place, "%s", mine.msg[0] ? mine.msg : "no memory");
        }
    }
    return ST_OK;
}

static const emu_profile *of_library(const char *library)
{
    size_t n, len = strlen(library);
    const emu_profile *all = emu_profile_list(&n);
    for (size_t i = 0; i < n; i++) {
        const char *at = all[i].library ? strstr(all[i].library, library) : NULL;
        if (at && (at[len] == ' ' || !at[len]) && (at == all[i].library || at[-1] == ' ')) return &all[i];
    }
    return NULL;
}

static status load(const char *stem, arena *a, vec_file *f, err *e)
{
    json_error_t je;
    json_t *meta, *arrays, *type;
    const char *role;
    size_t len = strlen(stem);
    char *path = arena_alloc(a, len + 6, 1), *npz = arena_alloc(a, len + 6, 1);
    if (!path || !npz) return err_set(e, ST_NOMEM, stem, "no memory");
    (void)snprintf(path, len + 6, "%s.json", stem);
    (void)snprintf(npz, len + 6, "%s.npz", stem);
    f->path = path;
    f->root = json_load_file(path, 0, &je);
    if (!f->root) return err_set(e, je.line > 0 ? ST_FORMAT : ST_IO, path, "line %d: %s", je.line, je.text);
    meta = json_object_get(f->root, "meta");
    f->cases = json_object_get(f->root, "cases");
    arrays = json_object_get(f->root, "arrays");
    f->library = json_string_value(json_object_get(meta, "library"));
    f->op = json_string_value(json_object_get(meta, "op"));
    f->bits = json_string_value(json_object_get(meta, "bits"));
    if (!f->library || !f->op || !json_is_array(f->cases) || !json_is_object(arrays))
        return err_set(e, ST_FORMAT, path, "not a vector file: needs meta.library, meta.op, arrays and cases");
    json_object_foreach(arrays, role, type) {
        int r = f->n_roles;
        if (r == VEC_MAX_ROLES) return err_set(e, ST_FORMAT, path, "more than %d arrays", VEC_MAX_ROLES);
        f->role[r] = role;
        TRY(npy_load(npz, role, a, &f->info[r], &f->data[r], e));
        if (!json_is_string(type) || strcmp(json_string_value(type), npy_type_name(f->info[r].type)) != 0)
            return err_set(e, ST_FORMAT, path, "array '%s' is %s, the file says %s", role, npy_type_name(f->info[r].type), json_is_string(type) ? json_string_value(type) : "nothing");
        f->n_roles++;
    }
    return ST_OK;
}

status vectors_replay(const char *path, const char *profile, arena *a, vectors_result *out, err *e)
{
    size_t len = strlen(path);
    const emu_profile *p = NULL;
    vec_file f = {0};
    if (len > 5 && strcmp(path + len - 5, ".json") == 0) len -= 5;
    else if (len > 4 && strcmp(path + len - 4, ".npz") == 0) len -= 4;
    char *stem = arena_strdup(a, path, len);
    *out = (vectors_result){.first = -1};
    if (!stem) return err_set(e, ST_NOMEM, path, "no memory");
    status st = load(stem, a, &f, e);
    if (st == ST_OK) {
        p = profile ? emu_profile_find(profile) : of_library(f.library);
        if (profile && !p) st = err_set(e, ST_ARG, "--profile", "no profile '%s'; bitemu profiles lists them", profile);
    }
    if (st == ST_OK) {
        out->file = f.path;
        out->library = arena_strdup(a, f.library, strlen(f.library));
        out->op = arena_strdup(a, f.op, strlen(f.op));
        out->profile = p ? p->name : NULL;
        st = replay_cases(&f, p, profile, out, e);
    }
    json_decref(f.root);
    return st;
}
