/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cost_report.h"

#include <stdio.h>

#include "cli/table.h"

static double latency_ms(const cost_estimate *c, const hw_cost *x) { return x->cycles < 0 ? -1 : x->cycles / hw_board_clock_hz(c->board) * 1e3; }
static json_t *figure(double v) { return v < 0 ? json_null() : json_real(v); }

static json_t *case_json(const cost_estimate *c, const int *candidate)
{
    if (!c->ranged) return json_null();
    hw_cost x = hw_table_total(c->graph, c->table, candidate);
    json_t *bits = json_array();
    for (int k = 0; k < c->graph->n_choices; k++) {
        const model_candidate *m = &c->graph->choices[k].candidates[candidate[k]];
        json_array_append_new(bits, json_pack("{s:s, s:i, s:i}", "choice", c->graph->choices[k].name, "w", m->w_bits, "a", m->a_bits));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "cycles", figure(x.cycles), "latency_ms", figure(latency_ms(c, &x)), "energy_uj", figure(x.energy_uj), "bits", bits);
}

static json_t *layers_json(const cost_estimate *c)
{
    json_t *list = json_array();
    const model_subgraph *s = &c->graph->subgraphs[0];
    for (int i = 0; i < s->n_ops; i++) {
        hw_cost x = hw_table_op(c->table, i, c->candidate);
        int w, a;
        hw_op_bits(c->graph, i, c->candidate, &w, &a);
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:i, s:i, s:I, s:f, s:o, s:o, s:o}", "index", i, "name", s->ops[i].name, "type", s->ops[i].type, "w_bits", w,
                                              "a_bits", a, "macs", (json_int_t)x.macs, "bitops", x.bitops, "cycles", figure(x.cycles), "cycles_error_pct",
                                              figure(x.cycles_error_pct), "energy_uj", figure(x.energy_uj)));
    }
    return list;
}

json_t *cost_json(const cost_estimate *c)
{
    hw_cost x = hw_table_total(c->graph, c->table, c->candidate);
    json_t *missing = json_array();
    for (const char *const *m = hw_table_missing(c->table); *m; m++) json_array_append_new(missing, json_string(*m));
    json_t *totals = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:f}", "cycles", figure(x.cycles), "cycles_error_pct", figure(x.cycles_error_pct), "latency_ms",
                               figure(latency_ms(c, &x)), "latency_ms_error_pct", figure(x.cycles_error_pct), "energy_uj", figure(x.energy_uj), "energy_uj_error_pct",
                               figure(x.energy_error_pct), "sram_bytes", (json_int_t)c->plan->sram_bytes, "flash_bytes", (json_int_t)c->plan->flash_bytes, "macs",
                               (json_int_t)x.macs, "bitops", x.bitops);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:f, s:s, s:o, s:o, s:o, s:o, s:o}", "model", c->graph->path, "board", hw_board_name(c->board), "title", hw_board_title(c->board),
                          "kernels", hw_board_kernels(c->board), "clock_hz", hw_board_clock_hz(c->board), "policy", c->policy, "totals", totals, "worst_case",
                          case_json(c, c->worst), "best_case", case_json(c, c->best), "layers", layers_json(c), "missing", missing);
    if (hw_board_estimated(c->board)) json_object_set_new(j, "estimated_from", json_string(hw_board_estimated(c->board)));
    return j;
}

static void cell(cli_table *t, double v, double pct, const char *fmt)
{
    char number[48];
    if (v < 0) {
        cli_table_cell(t, "-");
        return;
    }
    (void)snprintf(number, sizeof number, fmt, v); /* NOLINT: one of two constant formats */
    if (pct < 0) cli_table_cell(t, "%s", number);
    else cli_table_cell(t, "%s +-%.0f%%", number, pct);
}

static void line(const cost_estimate *c, const char *what, const int *candidate)
{
    hw_cost x = hw_table_total(c->graph, c->table, candidate);
    double ms = latency_ms(c, &x);
    if (x.cycles < 0) return;
    printf("%-10s %.0f cycles, %.3f ms", what, x.cycles, ms);
    if (x.cycles_error_pct >= 0) printf(" +-%.0f%%", x.cycles_error_pct);
    if (x.energy_uj >= 0) printf(", %.1f uJ", x.energy_uj);
    if (x.energy_uj >= 0 && x.energy_error_pct >= 0) printf(" +-%.0f%%", x.energy_error_pct);
    putchar('\n');
}

void cost_text(const cost_estimate *c, bool explain, arena *a)
{
    static const char *const columns[] = {">op", "layer", "type", ">bits", ">MACs", ">cycles", ">energy uJ", NULL};
    const model_subgraph *s = &c->graph->subgraphs[0];
    cli_table *t = cli_table_create(columns);
    printf("%s on %s, %s, policy %s\n\n", c->graph->path, hw_board_title(c->board), hw_board_kernels(c->board), c->policy);
    for (int i = 0; t && i < s->n_ops; i++) {
        hw_cost x = hw_table_op(c->table, i, c->candidate);
        int w, act;
        hw_op_bits(c->graph, i, c->candidate, &w, &act);
        cli_table_row(t);
        cli_table_cell(t, "%d", i);
        cli_table_cell(t, "%.48s", s->ops[i].name);
        cli_table_cell(t, "%s", s->ops[i].type);
        if (w) cli_table_cell(t, "w%da%d", w, act);
        else cli_table_cell(t, "a%d", act);
        cli_table_cell(t, "%llu", (unsigned long long)x.macs);
        cell(t, x.cycles, x.cycles_error_pct, "%.0f");
        cell(t, x.energy_uj, -1, "%.2f");
    }
    if (t) cli_table_print(&t);
    putchar('\n');
    line(c, "total", c->candidate);
    if (c->graph->n_choices && c->ranged) {
        line(c, "best case", c->best);
        line(c, "worst case", c->worst);
    }
    printf("%-10s %zu bytes (arena %zu, state %zu)\n%-10s %zu bytes (weights %zu, tables %zu; code not counted)\n", "SRAM", c->plan->sram_bytes, c->plan->arena_bytes,
           c->plan->state_bytes, "flash", c->plan->flash_bytes, c->plan->weight_bytes, c->plan->table_bytes);
    if (hw_board_estimated(c->board)) printf("\nnever measured with this stack; taken from %s\n", hw_board_estimated(c->board));
    for (const char *const *m = hw_table_missing(c->table); *m; m++) printf("missing: %s\n", *m);
    if (!explain) return;
    printf("\ncycles = sum of events x instructions per event x cycles per instruction; energy = active power x cycles / clock\n");
    for (int i = 0; i < s->n_ops; i++) {
        const char *why = hw_explain_op(c->graph, c->board, i, c->candidate, a);
        printf("op %d %s: %s\n", i, s->ops[i].type, why ? why : "no memory");
    }
}

enum { N_WIDTHS = 4 };
static const int widths[N_WIDTHS] = {1, 2, 4, 8};

static json_t *priced(const cost_estimate *c, int op, int w, int a)
{
    hw_cost x;
    if (!hw_price_at(c->graph, c->board, op, w, a, &x)) return NULL;
    return json_pack("{s:i, s:i, s:o, s:o, s:I, s:f}", "w", w, "a", a, "cycles", figure(x.cycles), "energy_uj", figure(x.energy_uj), "macs", (json_int_t)x.macs, "bitops", x.bitops);
}

json_t *cost_lut(const cost_estimate *c)
{
    json_t *layers = json_array();
    const model_subgraph *s = &c->graph->subgraphs[0];
    for (int i = 0; i < s->n_ops; i++) {
        const model_op *op = &s->ops[i];
        json_t *list = json_array(), *one;
        int w, a;
        hw_op_bits(c->graph, i, NULL, &w, &a);
        for (int k = 0; op->choice >= 0 && k < c->graph->choices[op->choice].n_candidates; k++) {
            const model_candidate *m = &c->graph->choices[op->choice].candidates[k];
            if ((one = priced(c, i, m->w_bits, m->a_bits))) json_array_append_new(list, one);
        }
        for (int k = 0; op->choice < 0 && w && w <= 8 && k < N_WIDTHS * N_WIDTHS; k++) {
            if ((one = priced(c, i, widths[k / N_WIDTHS], widths[k % N_WIDTHS]))) json_array_append_new(list, one);
        }
        if (op->choice < 0 && !w && (one = priced(c, i, 0, a))) json_array_append_new(list, one);
        json_t *row = json_pack("{s:i, s:s, s:s, s:o}", "index", i, "name", op->name, "type", op->type, "candidates", list);
        json_object_set_new(row, "choice", op->choice >= 0 ? json_string(c->graph->choices[op->choice].name) : json_null());
        json_array_append_new(layers, row);
    }
    return json_pack("{s:s, s:s, s:s, s:f, s:o}", "model", c->graph->path, "board", hw_board_name(c->board), "kernels", hw_board_kernels(c->board), "clock_hz",
                     hw_board_clock_hz(c->board), "layers", layers);
}

/* Cycles of the network with every layer that has weights of up to 8 bits at (w, a); -1: a layer has no figure there. */
static double at_widths(const cost_estimate *c, int w, int a)
{
    double sum = 0;
    for (int i = 0; i < c->graph->subgraphs[0].n_ops; i++) {
        int has_w, has_a;
        hw_cost x = hw_table_op(c->table, i, c->candidate);
        hw_op_bits(c->graph, i, c->candidate, &has_w, &has_a);
        if (has_w && has_w <= 8 && has_a <= 8 && !hw_price_at(c->graph, c->board, i, w, a, &x)) return -1;
        if (x.cycles < 0) return -1;
        sum += x.cycles;
    }
    return sum;
}

void cost_break_even(const cost_estimate *c)
{
    static const char *const columns[] = {"weights \\ activations", ">8", ">4", ">2", ">1", NULL};
    double whole = at_widths(c, 8, 8);
    if (whole < 0) {
        printf("no figures for 8x8\n");
        return;
    }
    printf("%s on %s: cycles with all weights and activations at a width, over those of 8x8 (%.0f); below 1 is faster\n\n", c->graph->path, hw_board_title(c->board), whole);
    cli_table *t = cli_table_create(columns);
    int faster = 0;
    for (int i = N_WIDTHS - 1; t && i >= 0; i--) {
        cli_table_row(t);
        cli_table_cell(t, "%d bit", widths[i]);
        for (int k = N_WIDTHS - 1; k >= 0; k--) {
            double v = at_widths(c, widths[i], widths[k]);
            faster += v >= 0 && v < whole;
            if (v < 0) cli_table_cell(t, "-");
            else cli_table_cell(t, "%.3f", v / whole);
        }
    }
    if (t) cli_table_print(&t);
    if (!faster) printf("\nno narrower pair is faster than 8x8 on this board: fewer bits save memory there, not time\n");
}
