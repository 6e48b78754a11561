/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/compare_ci.h"

static void print_skips(const char *path, const trace_skips *s)
{
    if (s->lines) printf("skipped in %s: %" PRId64 " lines, the first is line %" PRId64 ": %s\n", path, s->lines, s->first_line, s->reason);
}

static void print_lone(const char *const *sides, const compare_result *r)
{
    if (!r->lone_a && !r->lone_b) return;
    printf("passed over: %" PRId64 " records that only %s has, %" PRId64 " that only %s has; the first is of input %" PRId64 ", ", r->lone_a, sides[0], r->lone_b, sides[1], r->lone_input);
    if (r->lone_layer >= 0) printf("layer %d\n", r->lone_layer);
    else printf("%s\n", r->lone_layer == TRACE_INPUT ? "its input" : "its output");
}

static void print_promised(const char *path, int64_t n)
{
    if (n) printf("cut: %s announces %" PRId64 " inputs more than it holds\n", path, n);
}

void compare_text(const char *const *sides, const compare_result *r, bool same)
{
    printf("%s: %" PRId64 " inputs compared, %" PRId64 " equal, %" PRId64 " differ", same ? "equal" : "different", r->compared, r->equal, r->differ);
    if (r->unchecked) printf(", %" PRId64 " have nothing in common to check", r->unchecked);
    if (r->only_a || r->only_b) printf("; %" PRId64 " only in %s, %" PRId64 " only in %s", r->only_a, sides[0], r->only_b, sides[1]);
    if (r->repeated) printf("; %" PRId64 " repeated", r->repeated);
    if (r->repeated_records) printf("; %" PRId64 " records repeated", r->repeated_records);
    putchar('\n');
    if (r->note[0]) printf("headers differ: %s\n", r->note);
    if (r->first.what != COMPARE_EQUAL) compare_print_divergence(stdout, &r->first);
    print_lone(sides, r);
    print_promised(sides[0], r->promised_a);
    print_promised(sides[1], r->promised_b);
    print_skips(sides[0], &r->skips_a);
    print_skips(sides[1], &r->skips_b);
}

static json_t *string(const char *s)
{
    json_t *j = json_string(s);
    return j ? j : json_string("?"); /* no UTF-8 */
}

static json_t *divergence(const compare_divergence *d)
{
    if (d->what == COMPARE_EQUAL) return json_null();
    json_t *j = json_pack("{s:s, s:I, s:I, s:I}", "what", compare_whats[d->what], "input", (json_int_t)d->input, "expected", (json_int_t)d->expected, "got",
                          (json_int_t)d->got);
    json_t *at = json_array();
    for (int i = 0; i < d->n_dims; i++) json_array_append_new(at, json_integer(d->at[i]));
    json_object_set_new(j, "name", string(d->name));
    bool layer = d->what == COMPARE_LAYER || d->what == COMPARE_BITS;
    json_object_set_new(j, "layer", layer ? json_integer(d->layer) : json_null());
    json_object_set_new(j, "layer_name", layer ? string(d->layer_name) : json_null());
    json_object_set_new(j, "op", layer ? string(d->op) : json_null());
    json_object_set_new(j, "element", d->element >= 0 ? json_integer(d->element) : json_null());
    json_object_set_new(j, "coordinates", at);
    json_object_set_new(j, "differ", d->total ? json_integer(d->differ) : json_null());
    json_object_set_new(j, "total", d->total ? json_integer(d->total) : json_null());
    json_object_set_new(j, "largest", d->has_values ? json_integer(d->largest) : json_null());
    json_object_set_new(j, "hint", d->hint ? json_string(d->hint) : json_null());
    return j;
}

json_t *compare_json(const compare_result *r, const compare_list *list, bool same)
{
    json_t *j = json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "kind", "traces", "equal", same, "inputs_compared", (json_int_t)r->compared, "inputs_equal",
                          (json_int_t)r->equal, "inputs_differ", (json_int_t)r->differ, "only_expected", (json_int_t)r->only_a, "only_got",
                          (json_int_t)r->only_b, "repeated", (json_int_t)r->repeated, "skipped_expected", (json_int_t)r->skips_a.lines,
                          "skipped_got", (json_int_t)r->skips_b.lines);
    json_object_set_new(j, "inputs_unchecked", json_integer(r->unchecked));
    json_object_set_new(j, "promised_expected", json_integer(r->promised_a));
    json_object_set_new(j, "promised_got", json_integer(r->promised_b));
    json_object_set_new(j, "repeated_records", json_integer(r->repeated_records));
    json_object_set_new(j, "records_only_expected", json_integer(r->lone_a));
    json_object_set_new(j, "records_only_got", json_integer(r->lone_b));
    json_object_set_new(j, "headers", string(r->note));
    json_object_set_new(j, "first", divergence(&r->first));
    json_object_set(j, "layers", list->layers);
    json_object_set(j, "differing", list->differing);
    json_object_set_new(j, "differing_left_out", json_integer(list->left_out));
    return j;
}
