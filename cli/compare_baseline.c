/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare_baseline.h"

#include <stdio.h>
#include <string.h>

const char *const compare_whats[] = {"equal", "input", "layer", "bits", "decision", "output", "missing"};

enum { SHOWN = 10 };

bool compare_list_create(compare_list *l)
{
    *l = (compare_list){json_array(), json_array(), 0};
    return l->differing && l->layers;
}

void compare_list_free(compare_list *l)
{
    json_decref(l->differing);
    json_decref(l->layers);
}

static json_t *string(const char *s)
{
    json_t *j = json_string(s);
    return j ? j : json_string("?"); /* no UTF-8 */
}

static bool has_layer(const compare_divergence *d) { return d->what == COMPARE_LAYER || d->what == COMPARE_BITS; }

static void count_layer(json_t *layers, const compare_divergence *d)
{
    size_t i;
    json_t *row;
    json_array_foreach(layers, i, row) {
        if (json_integer_value(json_object_get(row, "layer")) != d->layer) continue;
        json_integer_set(json_object_get(row, "inputs"), json_integer_value(json_object_get(row, "inputs")) + 1);
        return;
    }
    row = json_pack("{s:i, s:I}", "layer", d->layer, "inputs", (json_int_t)1);
    json_object_set_new(row, "op", string(d->op));
    json_object_set_new(row, "name", string(d->layer_name));
    json_array_append_new(layers, row);
}

void compare_list_add(void *list, const compare_divergence *d)
{
    compare_list *l = list;
    if (has_layer(d)) count_layer(l->layers, d);
    if (json_array_size(l->differing) >= COMPARE_LISTED) {
        l->left_out++;
        return;
    }
    json_t *j = json_pack("{s:I, s:s}", "input", (json_int_t)d->input, "what", compare_whats[d->what]);
    json_object_set_new(j, "name", string(d->name));
    json_object_set_new(j, "layer", has_layer(d) ? json_integer(d->layer) : json_null());
    json_array_append_new(l->differing, j);
}

status compare_baseline_load(const char *path, const char *kind, json_t **out, err *e)
{
    json_error_t why;
    char where[192];
    json_t *j = json_load_file(path, 0, &why);
    (void)snprintf(where, sizeof where, "%.150s:%d:%d", path, why.line, why.column);
    if (!j) return err_set(e, why.line < 0 ? ST_IO : ST_FORMAT, why.line < 0 ? path : where, "%s", why.text);
    const char *is = json_string_value(json_object_get(j, "kind"));
    if (!is || strcmp(is, kind) != 0) {
        json_decref(j);
        return err_set(e, ST_FORMAT, path, "not a result of bitemu compare --format json of the same kind (%s): %s", kind, is ? is : "it states none");
    }
    *out = j;
    return ST_OK;
}

static long long integer(const json_t *o, const char *key) { return (long long)json_integer_value(json_object_get(o, key)); }

/* Inputs are the same by name, without one by index. */
static const char *key_of(const json_t *d, char *room, size_t n)
{
    const char *name = json_string_value(json_object_get(d, "name"));
    if (name && name[0]) return name;
    (void)snprintf(room, n, "input %lld", integer(d, "input"));
    return room;
}

/* Where along the network an input first differs: missing, input, layers, decisions and outputs. */
static long long place(const json_t *d)
{
    const json_t *layer = json_object_get(d, "layer");
    const char *what = json_string_value(json_object_get(d, "what"));
    if (what && strcmp(what, "missing") == 0) return -2;
    if (what && strcmp(what, "input") == 0) return -1;
    return json_is_integer(layer) ? (long long)json_integer_value(layer) : 1LL << 40;
}

static void print_place(const json_t *d)
{
    const json_t *layer = json_object_get(d, "layer");
    if (json_is_integer(layer)) (void)fprintf(stderr, "layer %lld", (long long)json_integer_value(layer));
    else (void)fprintf(stderr, "%s", json_string_value(json_object_get(d, "what")));
}

/* Inputs that differ now and did not, or did so only further down. */
static long long new_inputs(const json_t *now, const json_t *before)
{
    json_t *known = json_object(), *d;
    size_t i;
    char room[40];
    long long n = 0;
    json_array_foreach(json_object_get(before, "differing"), i, d) json_object_set_nocheck(known, key_of(d, room, sizeof room), d);
    json_array_foreach(json_object_get(now, "differing"), i, d) {
        const char *key = key_of(d, room, sizeof room);
        const json_t *old = json_object_get(known, key);
        if (old && place(old) <= place(d)) continue;
        if (n++ >= SHOWN) continue;
        (void)fprintf(stderr, "bitemu: %s: %s in ", key, old ? "differs earlier now," : "differs now,");
        print_place(d);
        if (old) (void)fprintf(stderr, ", before in ");
        if (old) print_place(old);
        (void)fputc('\n', stderr);
    }
    json_decref(known);
    if (n > SHOWN) (void)fprintf(stderr, "bitemu: and %lld more inputs\n", n - SHOWN);
    return n;
}

/* Counts that may only change in one direction: +1 = more is worse. */
static const struct { const char *key, *text; int worse; } counts[] = {
    {"inputs_compared", "inputs compared", -1}, {"inputs_equal", "inputs equal", -1}, {"inputs_differ", "inputs that differ", 1}, {"only_expected", "inputs only in the first side", 1},
    {"only_got", "inputs only in the second side", 1}, {"inputs_unchecked", "inputs with nothing to check", 1}, {"promised_expected", "inputs missing in the first side", 1},
    {"promised_got", "inputs missing in the second side", 1},
};

void compare_worse(const json_t *now, const json_t *before, bool *worse)
{
    bool listed = integer(now, "differing_left_out") == 0 && integer(before, "differing_left_out") == 0;
    *worse = listed && new_inputs(now, before) > 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        long long is = integer(now, counts[i].key), was = integer(before, counts[i].key);
        if ((is - was) * counts[i].worse <= 0) continue;
        *worse = true;
        (void)fprintf(stderr, "bitemu: %s: %lld, before %lld\n", counts[i].text, is, was);
    }
}
