/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/locate.h"
#include "traces/names.h"

typedef struct comparison {
    const compare_options *o;
    compare_result *r;
    grouped a, b;
    compare_divergence now;   /* of the current input; what is COMPARE_EQUAL while there is none */
} comparison;

/* Where the current input's divergence goes; NULL: nobody wants it any more. */
static compare_divergence *open_first(comparison *c, compare_what what, const group *g)
{
    compare_divergence *d = &c->now;
    if (c->r->first.what != COMPARE_EQUAL && !c->o->each) return NULL;
    *d = (compare_divergence){.what = what, .input = g->input, .element = -1};
    (void)snprintf(d->name, sizeof d->name, "%s", g->name);
    return d;
}

/* The first of all is kept, each is told. */
static void close_input(comparison *c)
{
    if (c->now.what == COMPARE_EQUAL) return;
    if (c->r->first.what == COMPARE_EQUAL) c->r->first = c->now;
    if (c->o->each) c->o->each(c->o->each_to, &c->now);
    c->now.what = COMPARE_EQUAL;
}

static void name_layer(compare_divergence *d, const group *g, int layer)
{
    d->layer = layer;
    for (int i = 0; i < g->n; i++) {
        if (g->items[i].rec.layer != layer) continue;
        if (g->items[i].name[0]) (void)snprintf(d->layer_name, sizeof d->layer_name, "%s", g->items[i].name);
        if (g->items[i].op[0]) (void)snprintf(d->op, sizeof d->op, "%s", g->items[i].op);
    }
}

static int64_t gap(int64_t x, int64_t y) { return x > y ? x - y : y - x; }

/* Output codes of both sides; counts and places the differences. */
static bool same_codes(comparison *c, const group *g, const int64_t *x, size_t nx, const int64_t *y, size_t ny)
{
    int64_t first = -1, differ = 0, largest = 0;
    bool by_one = true;
    if (nx == 0 || ny == 0) return true; /* one side does not state them */
    for (size_t i = 0; i < nx && i < ny; i++) {
        int64_t d = gap(x[i], y[i]);
        if (d == 0) continue;
        if (d <= c->o->tolerance) continue;
        if (first < 0) first = (int64_t)i;
        differ++;
        largest = d > largest ? d : largest;
        by_one = by_one && d == 1;
    }
    if (differ == 0 && nx == ny) return true;
    compare_divergence *d = open_first(c, COMPARE_OUTPUT, g);
    if (!d) return false;
    d->has_values = first >= 0;
    d->element = first;
    d->expected = first >= 0 ? x[first] : (int64_t)nx;
    d->got = first >= 0 ? y[first] : (int64_t)ny;
    d->differ = differ;
    d->total = (int64_t)(nx < ny ? nx : ny);
    d->largest = largest;
    d->hint = nx != ny ? "the two sides have different numbers of output codes: another network?"
              : by_one ? "every difference is 1: a rounding rule" : NULL;
    return false;
}

static bool same_bits(comparison *c, const group *a, const group *b, const trace_record *x, const trace_record *y)
{
    bool w = x->w_bits && y->w_bits && x->w_bits != y->w_bits, act = x->a_bits && y->a_bits && x->a_bits != y->a_bits;
    if (!w && !act) return true;
    compare_divergence *d = open_first(c, COMPARE_BITS, a);
    if (!d) return false;
    name_layer(d, b, x->layer);
    name_layer(d, a, x->layer);
    d->expected = w ? x->w_bits : x->a_bits;
    d->got = w ? y->w_bits : y->a_bits;
    d->hint = "the two runs took other bit widths here: compare the controller's layers before it";
    return false;
}

static bool same_crc(comparison *c, const group *a, const group *b, const trace_record *x, const trace_record *y)
{
    c->r->records++;
    if (!x->has_crc || !y->has_crc || x->crc == y->crc) return true;
    compare_divergence *d = open_first(c, x->layer == TRACE_INPUT ? COMPARE_INPUT : COMPARE_LAYER, a);
    if (!d) return false;
    name_layer(d, b, x->layer);
    name_layer(d, a, x->layer);
    d->expected = x->crc;
    d->got = y->crc;
    if (x->layer == TRACE_INPUT) d->hint = "the inputs themselves differ: preprocessing, zero point or order of the inputs";
    return false;
}

static bool same_decisions(comparison *c, const group *g, const trace_record *x, const trace_record *y)
{
    size_t n = x->n_decisions < y->n_decisions ? x->n_decisions : y->n_decisions;
    for (size_t i = 0; i < n; i++) {
        if (x->decisions[i] == y->decisions[i]) continue;
        compare_divergence *d = open_first(c, COMPARE_DECISION, g);
        if (!d) return false;
        d->element = (int64_t)i;
        d->expected = x->decisions[i];
        d->got = y->decisions[i];
        return false;
    }
    return true;
}

static bool comparable(const trace_record *x, const trace_record *y)
{
    return (x->has_crc && y->has_crc) || (x->n_codes && y->n_codes) || (x->n_decisions && y->n_decisions);
}

static bool same_record(comparison *c, const group *a, const group *b, const trace_record *x, const trace_record *y)
{
    return same_bits(c, a, b, x, y) && same_crc(c, a, b, x, y) && same_decisions(c, a, x, y) && same_codes(c, a, x->codes, x->n_codes, y->codes, y->n_codes);
}

/* The record of this layer, from the one at *from on and around; NULL: none. *from moves behind it. */
static struct trace_item *partner(const group *g, int *from, int layer)
{
    for (int step = 0; step < g->n; step++) { /* usually the first one */
        struct trace_item *t = &g->items[(*from + step) % g->n];
        if (t->rec.layer != layer) continue;
        *from = (*from + step + 1) % g->n;
        return t;
    }
    return NULL;
}

static void lone(comparison *c, int64_t *count, const group *g, int layer)
{
    if (c->r->lone_a + c->r->lone_b == 0) {
        c->r->lone_input = g->input;
        c->r->lone_layer = layer;
    }
    ++*count;
}

/* Layers that only one side recorded are no difference, as a board may log fewer; they are counted. Records that came again must be the same. */
static void compare_group(comparison *c, const group *a, const group *b)
{
    bool same = true;
    int64_t checked = 0;
    for (int i = 0, k = 0; i < a->n; i++) {
        const trace_record *x = &a->items[i].rec;
        struct trace_item *y = partner(b, &k, x->layer);
        if (!y) {
            lone(c, &c->r->lone_a, a, x->layer);
            continue;
        }
        c->r->repeated_records += y->paired;
        y->paired = true;
        checked += comparable(x, &y->rec);
        same = same && same_record(c, a, b, x, &y->rec);
    }
    for (int i = 0, k = 0; i < b->n; i++) {
        if (b->items[i].paired) continue;
        const trace_record *y = &b->items[i].rec;
        const struct trace_item *x = partner(a, &k, y->layer);
        c->r->repeated_records += x != NULL;
        if (!x) lone(c, &c->r->lone_b, b, y->layer);
        else same = same && same_record(c, a, b, &x->rec, y);
    }
    c->r->compared++;
    c->r->unchecked += same && checked == 0;
    c->r->equal += same && checked > 0;
    c->r->differ += !same;
    close_input(c);
}

static void only(comparison *c, const group *g, int64_t *count)
{
    ++*count;
    if (c->o->subset) return;
    compare_divergence *d = open_first(c, COMPARE_MISSING, g);
    if (d) d->got = count == &c->r->only_a ? 0 : 1; /* which side has it */
    close_input(c);
}

static status by_index(comparison *c, err *e)
{
    group a = {0}, b = {0};
    bool end_a = false, end_b = false;
    status s = grouped_next(&c->a, &a, &end_a, e);
    if (s == ST_OK) s = grouped_next(&c->b, &b, &end_b, e);
    while (s == ST_OK && !(end_a && end_b)) {
        bool take_a = !end_a && (end_b || a.input <= b.input), take_b = !end_b && (end_a || b.input <= a.input);
        if (take_a && take_b)
            compare_group(c, &a, &b);
        else
            only(c, take_a ? &a : &b, take_a ? &c->r->only_a : &c->r->only_b);
        if (take_a) s = grouped_next(&c->a, &a, &end_a, e);
        if (take_b && s == ST_OK) s = grouped_next(&c->b, &b, &end_b, e);
    }
    group_free(&a);
    group_free(&b);
    return s;
}

/* What a trace says about an input's network output as a checksum: that of its last layer. NULL: nothing. */
static const trace_record *last_checksum(const group *g)
{
    const trace_record *last = NULL;
    for (int i = 0; i < g->n; i++) {
        const trace_record *r = &g->items[i].rec;
        if (r->has_crc && r->layer >= 0 && (!last || r->layer > last->layer)) last = r;
    }
    return last;
}

/* Logs with checksums name an input by its own. */
static bool name_by_checksum(group *g)
{
    const trace_record *in = group_find(g, TRACE_INPUT);
    if (in && in->has_crc) (void)snprintf(g->name, sizeof g->name, "crc %08x", in->crc);
    return in && in->has_crc;
}

/* One input of the other side against the log's answer n. */
static void against_log(comparison *c, const group *g, names_entry *n, bool log_is_a)
{
    const trace_record *out = n->has_crc ? last_checksum(g) : group_find(g, TRACE_OUTPUT), answer = {.layer = out->layer, .has_crc = n->has_crc, .crc = n->crc};
    bool same;
    if (n->has_crc) same = log_is_a ? same_crc(c, g, g, &answer, out) : same_crc(c, g, g, out, &answer);
    else same = log_is_a ? same_codes(c, g, n->codes, n->n_codes, out->codes, out->n_codes) : same_codes(c, g, out->codes, out->n_codes, n->codes, n->n_codes);
    c->r->records += !n->has_crc; /* same_crc counts its own */
    n->used = true;
    c->r->compared++;
    c->r->equal += same;
    c->r->differ += !same;
    close_input(c);
}

/* Answers of the log that nobody asked for. */
static void unused(comparison *c, const names *t, int64_t *only_log)
{
    for (size_t i = 0; i < t->room; i++) {
        if (!t->slots[i].name || t->slots[i].used) continue;
        group lost = {.input = -1};
        (void)snprintf(lost.name, sizeof lost.name, "%s", t->slots[i].name);
        only(c, &lost, only_log);
    }
    c->r->repeated += t->repeated;
}

/* A log's answers are read whole, the other side streams past them. log_is_a says which one the log is. */
static status by_name(comparison *c, bool log_is_a, err *e)
{
    names t = {0};
    group g = {0};
    bool end = false, by_crc = trace_reader_kind(log_is_a ? c->a.r : c->b.r) == TRACE_KIND_CRC;
    const char *other = log_is_a ? c->b.path : c->a.path;
    status s = names_read(log_is_a ? &c->a : &c->b, &t, e);
    while (s == ST_OK) {
        s = grouped_next(log_is_a ? &c->b : &c->a, &g, &end, e);
        if (s != ST_OK || end) break;
        bool named = by_crc ? name_by_checksum(&g) : g.name[0] != 0;
        names_entry *n = named ? names_find(&t, g.name) : NULL;
        if (!named)
            s = err_set(e, ST_FORMAT, other, by_crc ? "input %lld has no checksum to find it in the log (layer -1)" : "input %lld has no name to find it in the log; run with --names", (long long)g.input);
        else if (!n || !(n->has_crc ? last_checksum(&g) : group_find(&g, TRACE_OUTPUT)))
            only(c, &g, log_is_a ? &c->r->only_b : &c->r->only_a);
        else
            against_log(c, &g, n, log_is_a);
    }
    unused(c, &t, log_is_a ? &c->r->only_a : &c->r->only_b);
    names_free(&t);
    group_free(&g);
    return s;
}

static void note(compare_result *r, const char *what, const char *a, const char *b)
{
    if (!a || !b || strcmp(a, b) == 0) return;
    size_t at = strlen(r->note);
    (void)snprintf(r->note + at, sizeof r->note - at, "%s%s: %.80s | %.80s", at ? "; " : "", what, a, b);
}

static void compare_headers(comparison *c)
{
    const trace_header *a = trace_reader_header(c->a.r), *b = trace_reader_header(c->b.r);
    char crc[2][16];
    note(c->r, "profile", a->profile, b->profile);
    note(c->r, "policy", a->policy, b->policy);
    const char *own = a->profile && b->profile ? "the layers' own" : NULL; /* a bitemu trace without one */
    note(c->r, "accumulator", a->accumulator ? a->accumulator : own, b->accumulator ? b->accumulator : own);
    note(c->r, "board", a->board, b->board);
    (void)snprintf(crc[0], sizeof crc[0], "%08x", a->model_crc);
    (void)snprintf(crc[1], sizeof crc[1], "%08x", b->model_crc);
    if (a->has_model_crc && b->has_model_crc) note(c->r, "model file", crc[0], crc[1]);
}

/* Inputs that the header announces and that are not there: a trace that is cut. */
static int64_t promised(const grouped *g)
{
    int64_t n = trace_reader_header(g->r)->n_inputs;
    return n > g->inputs ? n - g->inputs : 0;
}

static bool is_log(const trace_reader *r) { return trace_reader_kind(r) == TRACE_KIND_LOG || trace_reader_kind(r) == TRACE_KIND_CRC; }

static status run(comparison *c, err *e)
{
    bool log_a = is_log(c->a.r), log_b = is_log(c->b.r);
    compare_headers(c);
    TRY(log_a || log_b ? by_name(c, log_a, e) : by_index(c, e));
    c->r->repeated += c->a.repeated + c->b.repeated;
    c->r->skips_a = *trace_reader_skips(c->a.r);
    c->r->skips_b = *trace_reader_skips(c->b.r);
    c->r->promised_a = promised(&c->a);
    c->r->promised_b = promised(&c->b);
    if (c->r->compared == 0) return err_set(e, ST_FORMAT, c->b.path, "has no input in common with %s", c->a.path);
    if (c->r->records == 0) return err_set(e, ST_FORMAT, c->b.path, "has no record in common with %s", c->a.path);
    if (c->r->first.what == COMPARE_LAYER && c->o->dump_a && c->o->dump_b) return compare_locate(c->o->dump_a, c->o->dump_b, &c->r->first, e);
    return ST_OK;
}

status compare_files(const char *expected, const char *got, const compare_options *o, compare_result *r, err *e)
{
    comparison c = {.o = o, .r = r};
    *r = (compare_result){0};
    TRY(grouped_open(expected, &c.a, e));
    status s = grouped_open(got, &c.b, e);
    if (s == ST_OK) s = run(&c, e);
    grouped_close(&c.a);
    grouped_close(&c.b);
    return s;
}

bool compare_same(const compare_options *o, const compare_result *r)
{
    return r->differ == 0 && r->unchecked == 0 && (o->subset || (r->only_a == 0 && r->only_b == 0 && r->promised_a == 0 && r->promised_b == 0));
}
