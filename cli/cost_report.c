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
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:o}", "cycles", figure(x.cycles), "latency_ms", figure(latency_ms(c, &x)), "energy_uj", figure(x.energy_uj), "sram_bytes",
                     (json_int_t)c->most.sram_bytes, "flash_bytes", (json_int_t)c->most.flash_bytes, "bits", bits);
}

static json_t *events_json(const hw_events *v)
{
    json_t *j = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "macs", (json_int_t)v->counted.macs, "outputs", (json_int_t)v->counted.outputs, "requants", (json_int_t)v->counted.requants,
                          "rows", (json_int_t)v->rows, "calls", (json_int_t)v->calls, "weight_bytes", (json_int_t)v->weight_bytes, "repacked_values", (json_int_t)v->repacked);
    bool none = !v->weight_bytes;
    json_object_set_new(j, "im2col_bytes", v->columns_known || none ? json_integer((json_int_t)v->im2col_bytes) : json_null());
    json_object_set_new(j, "streamed_weight_bytes", v->columns_known || none ? json_integer((json_int_t)v->streamed_bytes) : json_null());
    json_object_set_new(j, "unpacked_words", v->columns_known || none ? json_integer((json_int_t)v->unpacked_words) : json_null());
    return j;
}

static void add_trips(void *to, const char *name, double trips) { json_object_set_new(to, name, json_real(trips)); }

static json_t *layers_json(const cost_estimate *c)
{
    json_t *list = json_array();
    const model_subgraph *s = &c->graph->subgraphs[0];
    for (int i = 0; i < s->n_ops; i++) {
        hw_cost x = hw_table_op(c->table, i, c->candidate);
        int w, a;
        hw_op_bits(c->graph, i, c->candidate, &w, &a);
        hw_events v;
        hw_op_events(c->graph, c->board, i, c->candidate, &v);
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:i, s:i, s:I, s:f, s:o, s:o, s:o, s:b, s:o}", "index", i, "name", s->ops[i].name, "type", s->ops[i].type, "w_bits", w,
                                              "a_bits", a, "macs", (json_int_t)x.macs, "bitops", x.bitops, "cycles", figure(x.cycles), "cycles_error_pct",
                                              figure(x.cycles_error_pct), "energy_uj", figure(x.energy_uj), "controller", c->control[i], "events", events_json(&v)));
        json_t *trips = json_object();
        hw_op_trips(c->graph, c->board, i, c->candidate, add_trips, trips);
        if (json_object_size(trips)) json_object_set(json_array_get(list, json_array_size(list) - 1), "trips", trips);
        json_decref(trips);
    }
    return list;
}

static void append(void *to, const char *line) { json_array_append_new(to, json_string(line)); }

static json_t *widths_json(const cost_estimate *c)
{
    cost_pair pair[64];
    json_t *list = json_array();
    int n = cost_pairs(c, pair);
    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:i, s:i, s:f, s:b}", "w", pair[i].w, "a", pair[i].a, "cycles_over_8x8", pair[i].cycles / pair[i].at_8x8, "costs_more", pair[i].cycles > pair[i].at_8x8));
    return list;
}

/* Half width of the SRAM figure: what is planned is exact, the stack's own data is not. */
static double sram_error(const cost_estimate *c)
{
    const hw_figure *r = &c->memory.runtime_bytes;
    if (!c->memory.scratch_known || (r->known && r->error_pct < 0)) return -1;
    return r->known && c->memory.sram_bytes ? r->value * r->error_pct / (double)c->memory.sram_bytes : 0;
}

static double control_cycles(const cost_estimate *c)
{
    double sum = 0;
    for (int i = 0; i < c->graph->subgraphs[0].n_ops; i++) {
        hw_cost x = hw_table_op(c->table, i, c->candidate);
        if (c->control[i]) sum = sum < 0 || x.cycles < 0 ? -1 : sum + x.cycles;
    }
    return sum;
}

json_t *cost_json(const cost_estimate *c)
{
    hw_cost x = hw_table_total(c->graph, c->table, c->candidate);
    hw_events v;
    json_t *missing = json_array();
    cost_missing(c, append, missing);
    hw_graph_events(c->graph, c->board, c->candidate, &v);
    json_t *events = events_json(&v);
    json_object_set_new(events, "switches", json_integer((json_int_t)v.switches));
    json_t *totals = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:f, s:o, s:o, s:I, s:f, s:o, s:o}", "cycles", figure(x.cycles), "cycles_error_pct", figure(x.cycles_error_pct),
                               "latency_ms", figure(latency_ms(c, &x)), "latency_ms_error_pct", figure(x.cycles_error_pct), "energy_uj", figure(x.energy_uj), "energy_uj_error_pct",
                               figure(x.energy_error_pct), "sram_bytes", (json_int_t)c->memory.sram_bytes, "sram_bytes_error_pct", figure(sram_error(c)), "flash_bytes",
                               (json_int_t)c->memory.flash_bytes, "flash_bytes_error_pct", 0.0, "code_bytes", c->memory.code_bytes.known ? json_real(c->memory.code_bytes.value) : json_null(),
                               "code_bytes_error_pct", c->memory.code_bytes.known ? figure(c->memory.code_bytes.error_pct) : json_null(), "macs", (json_int_t)x.macs, "bitops", x.bitops,
                               "controller_cycles", figure(control_cycles(c)), "events", events);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "model", c->graph->path, "board", hw_board_name(c->board), "title", hw_board_title(c->board),
                          "kernels", hw_board_kernels(c->board), "clock_hz", hw_board_is_arch(c->board) ? json_null() : json_real(hw_board_clock_hz(c->board)), "policy", c->policy, "totals", totals,
                          "worst_case", case_json(c, c->worst), "best_case", case_json(c, c->best), "layers", layers_json(c), "widths", widths_json(c), "missing", missing);
    json_object_set_new(j, "measured_below_8_bits", json_boolean(hw_board_narrow(c->board)));
    if (hw_board_estimated(c->board)) json_object_set_new(j, "estimated_from", json_string(hw_board_estimated(c->board)));
    if (c->period_ms > 0) {
        cost_period p = cost_in_period(c);
        json_object_set_new(j, "period", json_pack("{s:f, s:o, s:o, s:o, s:o}", "period_ms", c->period_ms, "duty_pct", figure(p.duty < 0 ? -1 : 100 * p.duty), "energy_uj", figure(p.energy_uj),
                                                   "energy_uj_error_pct", figure(p.energy_error_pct), "average_power_mw", figure(p.average_mw)));
    }
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
    if (x.cycles < 0 && x.energy_uj >= 0) printf("%-10s %.4g uJ +-%.0f%%\n", what, x.energy_uj, x.energy_error_pct);
    if (x.cycles < 0) return;
    printf("%-10s %.0f cycles, %.3f ms", what, x.cycles, ms);
    if (x.cycles_error_pct >= 0) printf(" +-%.0f%%", x.cycles_error_pct);
    if (x.energy_uj >= 0) printf(", %.1f uJ", x.energy_uj);
    if (x.energy_uj >= 0 && x.energy_error_pct >= 0) printf(" +-%.0f%%", x.energy_error_pct);
    putchar('\n');
}

static void memory_text(const cost_estimate *c)
{
    const hw_board_memory *m = &c->memory;
    printf("%-10s %zu bytes (arena %zu%s, state %zu", "SRAM", m->sram_bytes, m->plan->arena_bytes, m->scratch_known ? " with scratch" : "", m->plan->state_bytes);
    if (m->runtime_bytes.known) printf(", the stack's own data %.0f", m->runtime_bytes.value);
    printf(")\n");
    if (c->most.sram_bytes != m->sram_bytes) printf("%-10s %zu bytes for every reachable choice of bits\n", "", c->most.sram_bytes);
    printf("%-10s %zu bytes (weights %zu, tables %zu", "flash", m->flash_bytes, m->plan->weight_bytes, m->plan->table_bytes);
    if (m->code_bytes.known) printf("); code %.0f bytes +-%.0f%%\n", m->code_bytes.value, m->code_bytes.error_pct);
    else printf("; code not counted)\n");
    if (c->period_ms <= 0) return;
    cost_period p = cost_in_period(c);
    printf("%-10s every %g ms", "period", c->period_ms);
    if (p.duty >= 0) printf(", duty %.1f %%%s", 100 * p.duty, p.duty > 1 ? ": the period is missed" : "");
    if (p.energy_uj >= 0) printf(", %.1f uJ, %.2f mW on average", p.energy_uj, p.average_mw);
    putchar('\n');
}

static void print_missing(void *to, const char *text)
{
    (void)to;
    printf("missing: %s\n", text);
}

static void explain_board(const cost_estimate *c)
{
    const hw_board *b = c->board;
    hw_figure active = hw_board_active_power(b), idle = hw_board_idle_power(b), icache = hw_board_icache(b), dcache = hw_board_dcache(b);
    if (hw_board_is_arch(b)) {
        printf("\nenergy = sum of operations and bytes moved x energy of one\n");
        return;
    }
    printf("\ncycles = sum of events x instructions per event x cycles per instruction; energy = active power x cycles / clock\n");
    if (active.known) printf("active power %g mW at %g MHz (%s)\n", active.value, hw_board_clock_hz(b) / 1e6, active.source);
    if (hw_board_point(b)) printf("operating point %s of: %s\n", hw_board_point(b), hw_board_points(b));
    if (c->period_ms > 0) {
        printf("energy of a period = active power x latency + idle power x (period - latency)\n");
        if (idle.known) printf("idle power %g mW (%s)\n", idle.value, idle.source);
    }
    int n = 0;
    const hw_memory *m = hw_board_memories(b, &n);
    for (int i = 0; i < n; i++) {
        printf("memory %s at 0x%08lx: %.0f bytes", m[i].name, (unsigned long)m[i].start, m[i].bytes.value);
        if (m[i].wait_states.known) printf(", %g wait states (inside what was measured on this board)", m[i].wait_states.value);
        putchar('\n');
    }
    if (icache.known) printf("instruction cache %.0f bytes\n", icache.value);
    if (dcache.known) printf("data cache %.0f bytes\n", dcache.value);
}

/* What a reader must know to use the figures rightly. */
static void notes(const cost_estimate *c)
{
    cost_pair pair[64];
    double control = control_cycles(c), all = hw_table_total(c->graph, c->table, c->candidate).cycles;
    int n = cost_pairs(c, pair);
    if (control > 0 && all > 0) printf("%-10s %.0f cycles, %.1f %% of the total\n", "controller", control, 100 * control / all);
    if (n && !hw_board_narrow(c->board)) printf("\nnote: this software was measured at 8 bits only; narrower layers are priced by the counts of its kernel table\n");
    if (hw_board_estimated(c->board)) printf("\nnever measured with this stack; taken from %s\n", hw_board_estimated(c->board));
    for (int i = 0; i < n; i++)
        if (pair[i].cycles > pair[i].at_8x8)
            printf("note: w%da%d costs more than w8a8 here: %.2f times the cycles, since narrow operands are unpacked first\n", pair[i].w, pair[i].a, pair[i].cycles / pair[i].at_8x8);
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
    memory_text(c);
    notes(c);
    cost_missing(c, print_missing, NULL);
    if (!explain) return;
    explain_board(c);
    for (int i = 0; i < s->n_ops; i++) {
        const char *why = hw_explain_op(c->graph, c->board, i, c->candidate, a);
        hw_events v;
        printf("op %d %s: %s\n", i, s->ops[i].type, why ? why : "no memory");
        hw_op_events(c->graph, c->board, i, c->candidate, &v);
        if (v.columns_known)
            printf("     %llu weight bytes, read %llu; im2col %llu bytes; %llu words unpacked\n", (unsigned long long)v.weight_bytes, (unsigned long long)v.streamed_bytes,
                   (unsigned long long)v.im2col_bytes, (unsigned long long)v.unpacked_words);
    }
}

const int cost_widths[COST_WIDTHS] = {1, 2, 4, 8};

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
        for (int k = 0; op->choice < 0 && w && w <= 8 && k < COST_WIDTHS * COST_WIDTHS; k++) {
            if ((one = priced(c, i, cost_widths[k / COST_WIDTHS], cost_widths[k % COST_WIDTHS]))) json_array_append_new(list, one);
        }
        if (op->choice < 0 && !w && (one = priced(c, i, 0, a))) json_array_append_new(list, one);
        json_t *row = json_pack("{s:i, s:s, s:s, s:o}", "index", i, "name", op->name, "type", op->type, "candidates", list);
        json_object_set_new(row, "choice", op->choice >= 0 ? json_string(c->graph->choices[op->choice].name) : json_null());
        json_array_append_new(layers, row);
    }
    return json_pack("{s:s, s:s, s:s, s:f, s:o}", "model", c->graph->path, "board", hw_board_name(c->board), "kernels", hw_board_kernels(c->board), "clock_hz",
                     hw_board_clock_hz(c->board), "layers", layers);
}
