/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/cost.c - the price list of a graph on a board: every op x every candidate of its own choice, worked out once.
 *   cycles = sum of events x weights (x cycles per instruction);  energy = active power x cycles / clock.
 * Errors are half widths that add up linearly (same build, same board: they are not independent). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hwmodels/board.h"
#include "hwmodels/count.h"
#include "hwmodels/layer.h"

enum { MAX_LINE = 256 };

typedef struct op_row {
    int choice, n;   /* n variants; candidate[choice] picks one, without a choice there is one */
    int widest;      /* variant that is meant when no candidate is given */
    hw_cost *cost;   /* [n] */
} op_row;

struct hw_table {
    int n_ops;
    op_row *rows;
    const char **missing; /* NULL-terminated */
    int *missing_op;      /* [of them] the op, or -1 */
};

static void set_cycles(const hw_board *b, double cycles, double error_pct, hw_cost *c)
{
    c->cycles = cycles;
    c->cycles_error_pct = error_pct;
    if (!b->power_mw.known) return;
    c->energy_uj = b->power_mw.value * cycles / b->clock_hz.value * 1e3; /* mW x s = mJ */
    c->energy_error_pct = error_pct < 0 || b->power_mw.error_pct < 0 ? -1 : hypot(error_pct, b->power_mw.error_pct); /* independent */
}

static void price(const hw_board *b, hw_class class, const hw_entry *x, const double count[HW_N_EVENTS], hw_cost *c)
{
    const hw_figure *cpi = &b->factor[class];
    double cycles = 0, slack = 0;
    bool bounded = true;
    for (int i = 0; i < HW_N_EVENTS; i++) {
        if (!x->per[i].known) continue;
        double part = count[i] * x->per[i].value * (x->instructions[i] ? cpi->value : 1), pct = x->per[i].error_pct;
        if (pct >= 0 && x->instructions[i]) pct = cpi->error_pct >= 0 ? pct + cpi->error_pct : -1;
        if (pct < 0 && part > 0) bounded = false;
        cycles += part;
        slack += part * pct / 100;
    }
    c->cycles = cycles;
    set_cycles(b, cycles, !bounded ? -1 : cycles > 0 ? 100 * slack / cycles : 0, c);
}

/* Cycles of these trips and half the width of their error, < 0 = unknown. false: the cycles of one of them are not known. */
static bool add_trips(const hw_figure *per, const double *trips, double *cycles, double *slack)
{
    *cycles = *slack = 0;
    for (int i = 0; i < HW_N_TRIPS; i++) {
        if (trips[i] <= 0) continue;
        if (!per[i].known) return false;
        *cycles += trips[i] * per[i].value;
        *slack = per[i].error_pct < 0 || *slack < 0 ? -1 : *slack + trips[i] * per[i].value * per[i].error_pct / 100;
    }
    return true;
}

/* By the trips of its loops; where other widths before the layer make it take other loops, the error reaches to their cycles. false: not known. */
static bool price_trips(const model_graph *g, const hw_board *b, const model_op *op, int w_bits, hw_cost *c)
{
    double trips[HW_N_TRIPS], cycles, slack, other, none;
    const hw_figure *per = hw_trip_figures(b);
    if (!per || !hw_trips_count(g, op, w_bits, b->kernels->row, trips) || !add_trips(per, trips, &cycles, &slack)) return false;
    if (hw_trips_count_other(g, op, w_bits, b->kernels->row, trips)) {
        if (!add_trips(per, trips, &other, &none)) slack = -1;
        else if (slack >= 0) slack += fabs(other - cycles);
    }
    set_cycles(b, cycles, slack < 0 ? -1 : cycles > 0 ? 100 * slack / cycles : 0, c);
    return true;
}

static status note(hw_table *t, arena *a, int *n, int cap, int op, const char *line, err *e)
{
    if (*n >= cap) return ST_OK; /* cap counts every line that can occur */
    t->missing_op[*n] = op;
    t->missing[*n] = arena_strdup(a, line, strlen(line));
    if (!t->missing[*n]) return err_set(e, ST_NOMEM, "cost table", "out of memory");
    (*n)++;
    return ST_OK;
}

static void width_text(char *out, size_t size, int w, int a)
{
    if (w) snprintf(out, size, "w%da%d", w, a);
    else snprintf(out, size, "a%d", a);
}

static hw_cost unknown_cost(const emu_events *ev, int w, int a)
{
    hw_cost c = {ev->macs, (double)ev->macs * w * a, -1, -1, -1, -1};
    return c;
}

/* Prices variant v of op i; line[0] != 0 afterwards: what is missing. */
static void price_variant(const model_graph *g, const hw_board *b, int i, int v, hw_cost *out, char line[MAX_LINE])
{
    const model_subgraph *s = &g->subgraphs[0];
    const model_op *op = &s->ops[i];
    emu_events ev = hw_count_op(g, op);
    int w, a;
    char asked[24], used[24];
    line[0] = 0;
    hw_layer_bits(g, op, v, &w, &a);
    *out = unknown_cost(&ev, w, a);
    if (hw_layer_skipped(g, op, v)) *out = (hw_cost){0};
    if (!b || hw_layer_skipped(g, op, v)) return;
    if (b->arch) {
        hw_arch_price(g, b, i, w, a, out);
        return;
    }
    hw_class c = hw_layer_class(s, op);
    const hw_kernels *k = b->kernels;
    int kw = w ? hw_container(k->w_container, k->n_w, w) : 0, ka = hw_container(k->a_container, k->n_a, a);
    bool plain = hw_layer_plain(op);
    bool real = hw_layer_real(s, op);
    if (price_trips(g, b, op, w, out)) return;
    const hw_entry *x = hw_layer_entry(g, b, op, w, a);
    if (x) {
        double count[HW_N_EVENTS];
        hw_layer_counts(g, b, op, count);
        price(b, c, x, count, out);
        return;
    }
    width_text(asked, sizeof asked, w, a);
    width_text(used, sizeof used, kw, ka);
    if (c == HW_NO_CLASS) snprintf(line, MAX_LINE, "op %d %s: kernels %s has no weight for this operator", i, op->type, k->name);
    else if (!plain)
        snprintf(line, MAX_LINE, "op %d %s %s: kernels %s has no weight for %s on grid %s", i, op->type, asked, k->name, hw_class_name(c), quant_grid_names[op->grid->weights.kind]);
    else
        snprintf(line, MAX_LINE, "op %d %s %s%s: kernels %s has no weight for %s at %s", i, op->type, asked,
                 real ? " float32" : "", k->name, hw_class_name(c), real ? "float32" : used);
}

bool hw_price_at(const model_graph *g, const hw_board *board, int op, int w_bits, int a_bits, hw_cost *out)
{
    const model_op *o = &g->subgraphs[0].ops[op];
    hw_class c = hw_layer_class(&g->subgraphs[0], o);
    emu_events ev = hw_count_op(g, o);
    double count[HW_N_EVENTS];
    *out = unknown_cost(&ev, w_bits, a_bits);
    if (board->arch) {
        hw_arch_price(g, board, op, w_bits, a_bits, out);
        return true;
    }
    if (price_trips(g, board, o, w_bits, out)) return true;
    const hw_entry *x = hw_layer_entry(g, board, o, w_bits, a_bits);
    if (!x) return false;
    hw_layer_counts(g, board, o, count);
    price(board, c, x, count, out);
    return true;
}

static status fill_row(hw_table *t, const model_graph *g, const hw_board *b, int i, int *n_missing, int cap, arena *a, err *e)
{
    const model_op *op = &g->subgraphs[0].ops[i];
    const model_choice *c = hw_layer_choice(g, op);
    op_row *r = &t->rows[i];
    char line[MAX_LINE];
    r->choice = c ? op->choice : -1;
    r->n = c ? c->n_candidates : 1;
    r->widest = c ? hw_widest_candidate(c) : 0;
    r->cost = arena_alloc(a, (size_t)r->n, sizeof *r->cost);
    if (!r->cost) return err_set(e, ST_NOMEM, "cost table", "out of memory");
    for (int v = 0; v < r->n; v++) {
        price_variant(g, b, i, v, &r->cost[v], line);
        if (line[0]) TRY(note(t, a, n_missing, cap, i, line, e));
    }
    return ST_OK;
}

status hw_table_create(const model_graph *g, const hw_board *board, arena *a, hw_table **out, err *e)
{
    hw_table *t = arena_alloc(a, 1, sizeof *t);
    const int n = g->subgraphs[0].n_ops;
    int cap = 1, missing = 0;
    for (int i = 0; i < n; i++) {
        const model_choice *c = hw_layer_choice(g, &g->subgraphs[0].ops[i]);
        cap += c ? c->n_candidates : 1;
    }
    if (!t) return err_set(e, ST_NOMEM, "cost table", "out of memory");
    t->n_ops = n;
    t->rows = arena_alloc(a, (size_t)n, sizeof *t->rows);
    t->missing = arena_alloc(a, (size_t)cap + 1, sizeof *t->missing);
    t->missing_op = arena_alloc(a, (size_t)cap + 1, sizeof *t->missing_op);
    if (!t->rows || !t->missing || !t->missing_op) return err_set(e, ST_NOMEM, "cost table", "out of memory");
    for (int i = 0; i < n; i++) TRY(fill_row(t, g, board, i, &missing, cap, a, e));
    if (board && !board->power_mw.known) {
        char line[MAX_LINE];
        if (board->arch) snprintf(line, sizeof line, "cycles: %s states energies, no time", board->name);
        else snprintf(line, sizeof line, "energy: board %s states no active power for stack %s", board->name, board->stack);
        TRY(note(t, a, &missing, cap, -1, line, e));
    }
    t->missing[missing] = NULL;
    *out = t;
    return ST_OK;
}

hw_cost hw_table_op(const hw_table *t, int op, const int *candidate)
{
    static const hw_cost none = {0, 0, -1, -1, -1, -1};
    if (op < 0 || op >= t->n_ops) return none;
    const op_row *r = &t->rows[op];
    int v = r->choice < 0 ? 0 : candidate ? candidate[r->choice] : r->widest;
    return v >= 0 && v < r->n ? r->cost[v] : none;
}

void hw_table_measured(hw_table *t, const hw_board *board, int op, const int *candidate, double cycles)
{
    const op_row *r = &t->rows[op];
    set_cycles(board, cycles, 0, &r->cost[r->choice < 0 ? 0 : candidate ? candidate[r->choice] : r->widest]);
    for (int v = 0; v < r->n; v++)
        if (r->cost[v].cycles < 0) return;
    int kept = 0;
    for (int i = 0; t->missing[i]; i++) {
        if (t->missing_op[i] == op) continue;
        t->missing[kept] = t->missing[i];
        t->missing_op[kept++] = t->missing_op[i];
    }
    t->missing[kept] = NULL;
}

const char *const *hw_table_missing(const hw_table *t)
{
    return t->missing;
}

/* Half widths add: the same board and build sits behind all of them. Unknown + anything = unknown. */
static void add_part(double *sum, double *sum_pct, double x, double x_pct)
{
    if (*sum < 0 || x < 0) {
        *sum = *sum_pct = -1;
        return;
    }
    double total = *sum + x;
    bool bounded = (*sum_pct >= 0 || *sum == 0) && (x_pct >= 0 || x == 0);
    double slack = (*sum > 0 ? *sum * *sum_pct : 0) + (x > 0 ? x * x_pct : 0);
    *sum_pct = !bounded ? -1 : total > 0 ? slack / total : 0;
    *sum = total;
}

void hw_cost_add(hw_cost *sum, const hw_cost *x)
{
    sum->macs += x->macs;
    sum->bitops += x->bitops;
    add_part(&sum->cycles, &sum->cycles_error_pct, x->cycles, x->cycles_error_pct);
    add_part(&sum->energy_uj, &sum->energy_error_pct, x->energy_uj, x->energy_error_pct);
}
