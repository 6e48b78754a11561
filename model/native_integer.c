/* SPDX-License-Identifier: Apache-2.0
 * model/native_integer.c - `integer:` of a layer: its stated tables, keyed by choices. */
#include "model/native_load.h"

/* A table [n_entries, channels]: channels must be `channels`, or is returned there when it is 0. */
static status table(native_loader *l, const yaml_node *n, npy_type type, int n_entries, int *channels, const void **out)
{
    npy_info info;
    TRY(native_array(l, n, type, &info, out));
    if (info.n_dims != 2 || info.dims[0] != n_entries || info.dims[1] < 1 || info.dims[1] > 1 << 20 || (*channels && info.dims[1] != *channels))
        return yaml_fail(n, l->e, ST_FORMAT, "the table must have the shape [%d entries, channels]", n_entries);
    *channels = (int)info.dims[1];
    return ST_OK;
}

static status zero_table(native_loader *l, const yaml_node *n, const char *key, int n_entries, const int32_t **out)
{
    int32_t *v;
    int count;
    const yaml_node *list = yaml_get(n, key);
    if (!list) return ST_OK;
    TRY(native_integers(l, list, key, INT32_MIN, INT32_MAX, &v, &count));
    if (count != n_entries) return yaml_fail(list, l->e, ST_FORMAT, "%d values for %d entries", count, n_entries);
    *out = v;
    return ST_OK;
}

static status read_keys(native_loader *l, const yaml_node *n, model_integer *t)
{
    t->n_entries = 1;
    if (!n) return ST_OK;
    TRY(yaml_expect(n, YAML_LIST, "keys", l->e));
    if (n->n > MODEL_MAX_KEYS) return yaml_fail(n, l->e, ST_UNSUPPORTED, "at most %d keys", MODEL_MAX_KEYS);
    for (int k = 0; k < n->n; k++) {
        TRY(native_find_choice(l, &n->items[k], &t->key[k]));
        t->n_entries *= l->g->choices[t->key[k]].n_candidates;
    }
    t->n_keys = n->n;
    return ST_OK;
}

/* A table under `key`, if it is there. */
static status optional_table(native_loader *l, const yaml_node *n, const char *key, npy_type type, int n_entries, int *channels, const void **out)
{
    return yaml_get(n, key) ? table(l, yaml_get(n, key), type, n_entries, channels, out) : ST_OK;
}

/* All tables with columns; those beside bias have the same number of them. */
static status read_columns(native_loader *l, const yaml_node *n, int out_c, model_integer *t)
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

status native_read_integer(native_loader *l, const yaml_node *n, int out_c, const model_integer **out)
{
    static const char *const allowed[] = {"keys", "bias", "bias64", "multiplier", "multiplier_n", "shift", "scale", "offset", "addend", "threshold", "in_zero",
                                          "in_zero2", "out_zero", "out_min", "out_max", "acc_min", "acc_max", "left_shift", NULL};
    model_integer *t = arena_alloc(l->a, 1, sizeof *t);
    int64_t left = 0;
    if (!t) return native_nomem(l);
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
