/* SPDX-License-Identifier: Apache-2.0
 * cli/cost_figures.c - what follows from an estimate: widths against 8x8, energy of a period, what is missing. */
#include <stdio.h>
#include <string.h>

#include "cli/cost_report.h"

double cost_at_widths(const cost_estimate *c, int w, int a)
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

static void add_pair(const cost_estimate *c, int op, int w, int a, cost_pair *list, int *n)
{
    hw_cost here, whole;
    int i = 0;
    if (w <= 0 || a <= 0 || w > 8 || a > 8 || (w == 8 && a == 8) || *n >= 64) return;
    if (!hw_price_at(c->graph, c->board, op, w, a, &here) || !hw_price_at(c->graph, c->board, op, 8, 8, &whole) || here.cycles < 0 || whole.cycles <= 0) return;
    while (i < *n && (list[i].w != w || list[i].a != a)) i++;
    if (i == *n) list[(*n)++] = (cost_pair){w, a, 0, 0};
    list[i].cycles += here.cycles;
    list[i].at_8x8 += whole.cycles;
}

int cost_pairs(const cost_estimate *c, cost_pair out[64])
{
    int n = 0;
    for (int i = 0; i < c->graph->subgraphs[0].n_ops; i++) {
        int w, a, choice = c->graph->subgraphs[0].ops[i].choice;
        hw_op_bits(c->graph, i, c->candidate, &w, &a);
        if (choice < 0) add_pair(c, i, w, a, out, &n);
        for (int k = 0; choice >= 0 && w && k < c->graph->choices[choice].n_candidates; k++)
            add_pair(c, i, c->graph->choices[choice].candidates[k].w_bits, c->graph->choices[choice].candidates[k].a_bits, out, &n);
    }
    for (int i = 1; i < n; i++) { /* widest first */
        cost_pair x = out[i];
        int k = i;
        for (; k > 0 && out[k - 1].w * 16 + out[k - 1].a < x.w * 16 + x.a; k--) out[k] = out[k - 1];
        out[k] = x;
    }
    return n;
}

cost_period cost_in_period(const cost_estimate *c)
{
    hw_cost x = hw_table_total(c->graph, c->table, c->candidate);
    hw_figure idle = hw_board_idle_power(c->board);
    cost_period p = {-1, -1, -1, -1};
    if (x.cycles < 0) return p;
    double ms = x.cycles / hw_board_clock_hz(c->board) * 1e3, rest = ms < c->period_ms ? c->period_ms - ms : 0;
    p.duty = ms / c->period_ms;
    if (x.energy_uj < 0 || (!idle.known && rest > 0)) return p;
    double idle_uj = idle.value * rest; /* mW x ms = uJ */
    p.energy_uj = x.energy_uj + idle_uj;
    p.average_mw = p.energy_uj / (ms + rest);
    if (x.energy_error_pct >= 0 && idle.error_pct >= 0) p.energy_error_pct = (x.energy_uj * x.energy_error_pct + idle_uj * idle.error_pct) / p.energy_uj;
    return p;
}

void cost_missing(const cost_estimate *c, void (*note)(void *to, const char *line), void *to)
{
    char line[256];
    const char *stack = strrchr(hw_board_kernels(c->board), '/');
    for (const char *const *m = hw_table_missing(c->table); *m; m++) note(to, *m);
    if (hw_board_is_arch(c->board)) return;
    stack = stack ? stack + 1 : hw_board_kernels(c->board);
    if (!c->memory.scratch_known) {
        (void)snprintf(line, sizeof line, "sram: no formula for the scratch of stack %s", stack);
        note(to, line);
    }
    if (!c->memory.code_bytes.known) {
        (void)snprintf(line, sizeof line, "code size: no figure for stack %s", stack);
        note(to, line);
    }
    if (c->period_ms > 0 && !hw_board_idle_power(c->board).known) {
        (void)snprintf(line, sizeof line, "idle power: board %s states none", hw_board_name(c->board));
        note(to, line);
    }
}

bool cost_complete(const cost_estimate *c)
{
    hw_cost x = hw_table_total(c->graph, c->table, c->candidate);
    if (hw_board_is_arch(c->board)) return x.energy_uj >= 0;
    return x.cycles >= 0 && (c->period_ms <= 0 || cost_in_period(c).energy_uj >= 0);
}
