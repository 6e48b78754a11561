/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/kernels.c - kernels/NAME.yaml: what a kernel library executes per event, for every operator class and width pair. */
#include <string.h>

#include "hwmodels/board.h"

static const char *const class_names[] = {"conv", "pointwise", "depthwise", "depthwise_multiplier", "transposed", "recurrent", "fully_connected", "add",
                                          "mul", "average_pool", "max_pool", "softmax", "arg_max", "requantize", "move", "mean", "function", "convert", NULL};
static const char *const event_keys[] = {"per_mac", "per_patch", "per_output", "per_window", "per_call"};
/* for each event: a figure in instructions (index 0) or in cycles (index 1) */
static const hw_unit event_units[][3] = {
    {{"instructions/mac", 1}, {"cycles/mac", 1}, {NULL, 0}},       {{"instructions/patch", 1}, {"cycles/patch", 1}, {NULL, 0}},
    {{"instructions/output", 1}, {"cycles/output", 1}, {NULL, 0}}, {{"instructions/window", 1}, {"cycles/window", 1}, {NULL, 0}},
    {{"instructions/call", 1}, {"cycles/call", 1}, {NULL, 0}},
};
_Static_assert(sizeof event_keys / sizeof *event_keys == HW_N_EVENTS, "one key per event");
_Static_assert(sizeof event_units / sizeof *event_units == HW_N_EVENTS, "one unit list per event");
_Static_assert(sizeof class_names / sizeof *class_names == HW_N_CLASSES + 1, "one name per class");

const char *hw_class_name(hw_class c)
{
    return c < HW_N_CLASSES ? class_names[c] : "unknown";
}

int hw_container(const int *containers, int n, int bits)
{
    for (int i = 0; i < n; i++)
        if (bits <= containers[i]) return containers[i];
    return bits;
}

const hw_entry *hw_kernels_find(const hw_kernels *k, hw_class c, int w_bits, int a_bits)
{
    if (c >= HW_N_CLASSES) return NULL;
    for (int i = 0; i < k->n[c]; i++)
        if (k->entries[c][i].w_bits == w_bits && k->entries[c][i].a_bits == a_bits) return &k->entries[c][i];
    return NULL;
}

static status load_containers(const yaml_node *n, const char *what, int *out, int *count, err *e)
{
    TRY(yaml_expect(n, YAML_LIST, what, e));
    if (n->n < 1 || n->n > HW_MAX_CONTAINERS)
        return yaml_fail(n, e, ST_FORMAT, "%s needs 1 to %d widths", what, HW_MAX_CONTAINERS);
    for (int i = 0; i < n->n; i++) {
        int64_t bits = 0;
        TRY(yaml_int(&n->items[i], what, i ? out[i - 1] + 1 : 1, 64, &bits, e)); /* ascending */
        out[i] = (int)bits;
    }
    *count = n->n;
    return ST_OK;
}

static bool digits(const char **p, int *out)
{
    int v = 0, n = 0;
    for (; **p >= '0' && **p <= '9' && n < 3; (*p)++, n++) v = v * 10 + (**p - '0');
    *out = v;
    return n > 0 && v >= 1 && v <= 64;
}

/* "w4a8" or, for operators without weights, "a8" */
static status parse_widths(const yaml_node *n, bool weights, hw_entry *out, err *e)
{
    const char *text = NULL;
    TRY(yaml_text(n, "widths", &text, e));
    const char *p = text;
    bool ok = true;
    out->w_bits = 0;
    if (weights) ok = *p++ == 'w' && digits(&p, &out->w_bits);
    ok = ok && *p++ == 'a' && digits(&p, &out->a_bits) && *p == 0;
    if (!ok) return yaml_fail(n, e, ST_FORMAT, "'%s' is not a width %s", text, weights ? "pair such as w8a8" : "such as a8");
    return ST_OK;
}

/* One item of an operator's list: `widths` (one or more) and the weights they share. Appends to k. */
static status load_item(hw_kernels *k, hw_class c, const yaml_node *item, const yaml_node *sources, err *e)
{
    static const char *const keys[] = {"widths", "per_mac", "per_patch", "per_output", "per_window", "per_call", NULL};
    static const char *const required[] = {"widths", NULL};
    TRY(yaml_expect(item, YAML_MAP, class_names[c], e));
    TRY(yaml_check_keys(item, keys, required, e));
    hw_entry x = {0};
    int stated = 0;
    for (int i = 0; i < HW_N_EVENTS; i++) {
        const yaml_node *f = yaml_get(item, event_keys[i]);
        int unit = 0;
        if (!f) continue;
        TRY(hw_yaml_figure(f, event_keys[i], sources, event_units[i], &x.per[i], &unit, e));
        x.instructions[i] = unit == 0;
        stated++;
    }
    if (!stated) return yaml_fail(item, e, ST_FORMAT, "no weight is stated; leave the entry out if it is not known");
    const yaml_node *widths = yaml_get(item, "widths");
    TRY(yaml_expect(widths, YAML_LIST, "widths", e));
    for (int i = 0; i < widths->n; i++) {
        TRY(parse_widths(&widths->items[i], c <= HW_FULLY_CONNECTED, &x, e));
        if (hw_kernels_find(k, c, x.w_bits, x.a_bits))
            return yaml_fail(&widths->items[i], e, ST_FORMAT, "%s has these widths twice", class_names[c]);
        k->entries[c][k->n[c]++] = x;
    }
    return ST_OK;
}

static status load_operator(hw_kernels *k, const yaml_node *n, const yaml_node *sources, arena *a, err *e)
{
    int c = 0;
    size_t total = 0;
    while (class_names[c] && strcmp(class_names[c], n->key) != 0) c++; /* yaml_check_keys saw to it that one matches */
    TRY(yaml_expect(n, YAML_LIST, n->key, e));
    for (int i = 0; i < n->n; i++) {
        const yaml_node *w = yaml_get(&n->items[i], "widths");
        total += w && w->kind == YAML_LIST ? (size_t)w->n : 0;
    }
    k->entries[c] = arena_alloc(a, total, sizeof *k->entries[c]);
    if (!k->entries[c]) return err_set(e, ST_NOMEM, "", "out of memory");
    for (int i = 0; i < n->n; i++) TRY(load_item(k, (hw_class)c, &n->items[i], sources, e));
    return ST_OK;
}

/* columns: {pixels, bytes, source} */
static status load_columns(hw_kernels *k, const yaml_node *n, const yaml_node *sources, err *e)
{
    static const char *const keys[] = {"pixels", "bytes", "source", NULL};
    int64_t v = 0;
    const char *source = NULL;
    if (!n) return ST_OK;
    TRY(yaml_expect(n, YAML_MAP, "columns", e));
    TRY(yaml_check_keys(n, keys, keys, e));
    TRY(yaml_int(yaml_get(n, "pixels"), "pixels", 1, 64, &v, e));
    k->column_pixels = (int)v;
    TRY(yaml_int(yaml_get(n, "bytes"), "bytes", 1, 8, &v, e));
    k->column_bytes = (int)v;
    TRY(yaml_text(yaml_get(n, "source"), "source", &source, e));
    if (!yaml_get(sources, source)) return yaml_fail(yaml_get(n, "source"), e, ST_FORMAT, "source '%s' is not in this file's `sources`; add it there", source);
    return ST_OK;
}

static status load_fields(hw_kernels *k, const yaml_node *root, arena *a, err *e)
{
    static const char *const keys[] = {"bitemu_kernels",        "name",      "title",   "weight_containers",
                                       "activation_containers", "operators", "sources", "columns", "row",     "waits",   "trips", NULL};
    static const char *const required[] = {"bitemu_kernels", "name", "title", "weight_containers", "activation_containers", "operators", "sources", NULL};
    TRY(hw_yaml_header(root, "bitemu_kernels", keys, required, e));
    static const char *const rows[] = {"none", "rv32", "xpulp", NULL}; /* hw_row */
    int row = 0;
    TRY(load_columns(k, yaml_get(root, "columns"), yaml_get(root, "sources"), e));
    if (yaml_get(root, "row")) TRY(yaml_enum(yaml_get(root, "row"), "row", rows, &row, e));
    k->row = (hw_row)row;
    TRY(hw_trips_load(k, root, a, e));
    TRY(hw_yaml_name(yaml_get(root, "name"), "name", a, &k->name, e));
    TRY(hw_yaml_string(yaml_get(root, "title"), "title", a, &k->title, e));
    TRY(load_containers(yaml_get(root, "weight_containers"), "weight_containers", k->w_container, &k->n_w, e));
    TRY(load_containers(yaml_get(root, "activation_containers"), "activation_containers", k->a_container, &k->n_a, e));
    const yaml_node *ops = yaml_get(root, "operators");
    TRY(yaml_expect(ops, YAML_MAP, "operators", e));
    TRY(yaml_check_keys(ops, class_names, NULL, e));
    for (int i = 0; i < ops->n; i++) TRY(load_operator(k, &ops->items[i], yaml_get(root, "sources"), a, e));
    return ST_OK;
}

status hw_kernels_load(const char *board_path, const char *name, arena *a, const hw_kernels **out, err *e)
{
    yaml_node *root = NULL;
    hw_kernels *k = arena_alloc(a, 1, sizeof *k);
    if (!k) return err_set(e, ST_NOMEM, name, "out of memory");
    TRY(hw_data_read(board_path, "kernels", name, a, &k->path, &root, e));
    status s = load_fields(k, root, a, e);
    if (s != ST_OK) {
        err_at(e, "%s", k->path);
        return s;
    }
    *out = k;
    return ST_OK;
}
