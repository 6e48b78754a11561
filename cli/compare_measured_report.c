/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/compare_measured.h"
#include "cli/table.h"

static json_t *figure(double v) { return v < 0 ? json_null() : json_real(v); }

/* How far the estimate is off, in percent of what was measured. */
static bool off(double estimated, double measured, double *pct)
{
    *pct = measured > 0 ? 100 * (estimated / measured - 1) : 0;
    return estimated >= 0 && measured > 0;
}

static void cycles_cell(cli_table *t, double v)
{
    if (v < 0) cli_table_cell(t, "-");
    else cli_table_cell(t, "%.0f", v);
}

static void error_cell(cli_table *t, double estimated, double measured)
{
    double pct;
    if (off(estimated, measured, &pct)) cli_table_cell(t, "%+.1f %%", pct);
    else cli_table_cell(t, "-");
}

static void row_cells(const compare_measured *c, const match_row *row, cli_table *t)
{
    double estimated = compare_estimated_cycles(c, row), measured = compare_measured_cycles(c, row);
    bool other = row->tag && (!row->n_ops || strcmp(row->tag, c->types[row->op]) != 0);
    cli_table_row(t);
    if (!row->n_ops) cli_table_cell(t, "-");
    else if (c->match.by_type) cli_table_cell(t, "%d of", row->n_ops);
    else if (row->n_ops > 1) cli_table_cell(t, "%d-%d", row->op, row->op + row->n_ops - 1);
    else cli_table_cell(t, "%d", row->op);
    cli_table_cell(t, "%.48s", row->n_ops && !c->match.by_type ? c->ops[row->op].name : "");
    cli_table_cell(t, "%s%s", row->n_ops ? c->types[row->op] : "", row->n_ops > 1 && !c->match.by_type ? " ..." : "");
    if (other) cli_table_cell(t, "%.40s", row->tag);
    else cli_table_cell(t, "%s", row->tag ? "" : "not in the log");
    cycles_cell(t, estimated);
    cycles_cell(t, measured);
    error_cell(t, estimated, measured);
}

static void table(const compare_measured *c)
{
    static const char *const columns[] = {">op", "layer", "type", "in the log", ">estimated cycles", ">measured cycles", ">error", NULL};
    cli_table *t = cli_table_create(columns);
    for (int i = 0; t && i < c->match.n_rows; i++) row_cells(c, &c->match.rows[i], t);
    if (t) cli_table_print(&t);
    putchar('\n');
}

static void pair(FILE *f, const char *what, double estimated, double measured, const char *unit, const char *more)
{
    double pct;
    (void)fprintf(f, "%-10s ", what);
    if (estimated >= 0) (void)fprintf(f, "estimated %.*f %s", strcmp(unit, "cycles") ? 3 : 0, estimated, unit);
    else (void)fprintf(f, "estimated -");
    if (measured >= 0) (void)fprintf(f, ", measured %.*f %s", strcmp(unit, "cycles") ? 3 : 0, measured, unit);
    else (void)fprintf(f, ", measured -");
    if (off(estimated, measured, &pct)) (void)fprintf(f, ", %+.1f %%", pct);
    (void)fprintf(f, "%s\n", more);
}

static void totals(FILE *f, const compare_measured *c)
{
    const measured_log *m = c->log;
    char windows[96] = "";
    double clock = c->scale.clock_hz;
    for (int u = 0; u < MEASURED_UNITS && !windows[0]; u++) {
        const measured_series *s = &m->whole[u];
        if (s->n > 1) (void)snprintf(windows, sizeof windows, " (median of %d: %.0f to %.0f)", s->n, s->v[0] * c->scale.cycles[u], s->v[s->n - 1] * c->scale.cycles[u]);
    }
    if (c->n_both) pair(f, "layers", c->both_estimated, c->both_measured, "cycles", c->n_both == c->match.n_rows ? "" : " (those that both sides have)");
    if (c->measured >= 0 || c->cycles >= 0) pair(f, "total", c->cycles, c->measured, "cycles", c->measured_is_sum ? " (measured: sum of the log's rows)" : windows);
    if (clock > 0 && c->measured >= 0) pair(f, "latency", c->cycles < 0 || c->clock_hz <= 0 ? -1 : c->cycles / c->clock_hz * 1e3, c->measured / clock * 1e3, "ms", "");
    if (m->energy_uj.n) {
        (void)snprintf(windows, sizeof windows, " (median of %d: %.3f to %.3f)", m->energy_uj.n, m->energy_uj.v[0], m->energy_uj.v[m->energy_uj.n - 1]);
        pair(f, "energy", c->energy_uj, measured_median(&m->energy_uj), "uJ", windows);
    }
    if (c->median_error_pct >= 0) (void)fprintf(f, "%-10s median of the layers' absolute errors %.1f %%\n", "", c->median_error_pct);
}

/* Everything that did not find its other side. */
static void unmatched(FILE *f, const compare_measured *c)
{
    const match_result *r = &c->match;
    if (r->by_type) (void)fprintf(f, "the log has sums by type only\n");
    else if (c->log->n_rows && r->complete_runs) (void)fprintf(f, "averaged over %" PRId64 " complete run%s of %d operators\n", r->complete_runs, r->complete_runs == 1 ? "" : "s", c->n_ops);
    else if (c->log->n_rows) (void)fprintf(f, "no run in the log has all %d operators in order: aligned as far as they agree, neighbours of one type may be exchanged\n", c->n_ops);
    if (r->left_over)
        (void)fprintf(f, "not matched: %" PRId64 " operator rows of the log, the first is line %" PRId64 ": %s\n", r->left_over, r->left_over_line, r->left_over_tag);
    if (c->unmeasured) (void)fprintf(f, "not measured: %d operators of more than 0.1 %% of the estimate, the first is %s\n", c->unmeasured, c->unmeasured_name);
    for (int i = 0; i < c->log->n_crcs; i++)
        (void)fprintf(f, "%s CRC-32 %08" PRIx32 " in line %" PRId64 ": compare a trace of bitemu run with this log to check it\n", c->log->crcs[i].input ? "input" : "output", c->log->crcs[i].crc, c->log->crcs[i].line);
}

void compare_measured_sums(FILE *f, const compare_measured *c)
{
    totals(f, c);
    unmatched(f, c);
}

void compare_measured_text(const compare_measured *c)
{
    const measured_log *m = c->log;
    printf("%s: %s on %s, %s; measured: %s (%s)\n\n", c->estimate_path, c->model, c->title, c->kernels, c->log_path, m->format);
    if (m->n_rows || m->n_sums) table(c);
    compare_measured_sums(stdout, c);
    if (c->scale.why[0]) printf("%s\n", c->scale.why);
    if (c->scale.clock_hz > 0 && c->clock_hz > 0 && (c->scale.clock_hz > c->clock_hz * 1.001 || c->scale.clock_hz < c->clock_hz * 0.999))
        printf("the board was measured at %.6g MHz, the estimate is for %.6g MHz: memories may need other wait states\n", c->scale.clock_hz / 1e6, c->clock_hz / 1e6);
    for (int i = 0; i < m->n_remarks; i++) printf("note: %s\n", m->remarks[i]);
    if (m->skips.lines) printf("skipped in %s: %" PRId64 " lines, the first is line %" PRId64 ": %s\n", c->log_path, m->skips.lines, m->skips.first_line, m->skips.reason);
    if (m->others.lines) printf("without a figure in %s: %" PRId64 " lines, the first is line %" PRId64 "\n", c->log_path, m->others.lines, m->others.first_line);
}

static json_t *signed_error(double estimated, double measured)
{
    double pct;
    return off(estimated, measured, &pct) ? json_real(pct) : json_null();
}

static json_t *layers(const compare_measured *c)
{
    json_t *list = json_array();
    for (int i = 0; i < c->match.n_rows; i++) {
        const match_row *row = &c->match.rows[i];
        double estimated = compare_estimated_cycles(c, row), is = compare_measured_cycles(c, row), scale = c->scale.cycles[row->unit];
        json_t *j = json_pack("{s:i, s:i, s:s, s:s}", "index", row->op, "operators", row->n_ops, "name", row->n_ops ? c->ops[row->op].name : "", "type", row->n_ops ? c->types[row->op] : "");
        json_object_set_new(j, "tag", row->tag ? json_string(row->tag) : json_null());
        json_object_set_new(j, "line", row->line > 0 ? json_integer(row->line) : json_null());
        json_object_set_new(j, "estimated_cycles", figure(estimated));
        json_object_set_new(j, "measured_cycles", figure(is));
        json_object_set_new(j, "measured_least", figure(row->runs ? row->least * scale : -1));
        json_object_set_new(j, "measured_most", figure(row->runs ? row->most * scale : -1));
        json_object_set_new(j, "runs", json_integer(row->runs));
        json_object_set_new(j, "error_pct", signed_error(estimated, is));
        json_array_append_new(list, j);
    }
    return list;
}

static json_t *totals_json(const compare_measured *c)
{
    double clock = c->scale.clock_hz, energy = c->log->energy_uj.n ? measured_median(&c->log->energy_uj) : -1;
    json_t *j = json_object();
    json_object_set_new(j, "estimated_cycles", figure(c->cycles));
    json_object_set_new(j, "measured_cycles", figure(c->measured));
    json_object_set_new(j, "error_pct", signed_error(c->cycles, c->measured));
    json_object_set_new(j, "layers_estimated_cycles", figure(c->n_both ? c->both_estimated : -1));
    json_object_set_new(j, "layers_measured_cycles", figure(c->n_both ? c->both_measured : -1));
    json_object_set_new(j, "layers_error_pct", signed_error(c->both_estimated, c->both_measured));
    json_object_set_new(j, "median_abs_error_pct", figure(c->median_error_pct));
    json_object_set_new(j, "estimated_latency_ms", figure(c->cycles < 0 || c->clock_hz <= 0 ? -1 : c->cycles / c->clock_hz * 1e3));
    json_object_set_new(j, "measured_latency_ms", figure(c->measured < 0 || clock <= 0 ? -1 : c->measured / clock * 1e3));
    json_object_set_new(j, "estimated_energy_uj", figure(c->energy_uj));
    json_object_set_new(j, "measured_energy_uj", figure(energy));
    json_object_set_new(j, "energy_error_pct", signed_error(c->energy_uj, energy));
    json_object_set_new(j, "unmatched_rows", json_integer(c->match.left_over));
    json_object_set_new(j, "unmeasured_layers", json_integer(c->unmeasured));
    json_object_set_new(j, "skipped_lines", json_integer(c->log->skips.lines));
    return j;
}

json_t *compare_measured_json(const compare_measured *c, bool same)
{
    const measured_log *m = c->log;
    int windows = 0;
    for (int u = 0; u < MEASURED_UNITS; u++) windows = m->whole[u].n > windows ? m->whole[u].n : windows;
    json_t *remarks = json_array(), *crcs = json_array();
    for (int i = 0; i < m->n_remarks; i++) json_array_append_new(remarks, json_string(m->remarks[i]));
    for (int i = 0; i < m->n_crcs; i++)
        json_array_append_new(crcs, json_pack("{s:s, s:I, s:I}", "of", m->crcs[i].input ? "input" : "output", "crc", (json_int_t)m->crcs[i].crc, "line", (json_int_t)m->crcs[i].line));
    json_t *j = json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s}", "kind", "measured", "matched", same, "estimate", c->estimate_path, "log", c->log_path, "format", m->format, "model", c->model,
                          "board", c->board, "kernels", c->kernels);
    if (!j) j = json_pack("{s:s, s:b, s:s}", "kind", "measured", "matched", same, "format", m->format); /* a path that is no UTF-8 */
    json_object_set_new(j, "clock_hz", c->scale.clock_hz > 0 ? json_real(c->scale.clock_hz) : json_null());
    json_object_set_new(j, "cycles_per_tick", c->scale.cycles[MEASURED_TICKS] > 0 ? json_real(c->scale.cycles[MEASURED_TICKS]) : json_null());
    json_object_set_new(j, "unmatched", c->match.left_over ? json_pack("{s:I, s:I, s:s}", "rows", (json_int_t)c->match.left_over, "line", (json_int_t)c->match.left_over_line, "tag", c->match.left_over_tag) : json_null());
    json_object_set_new(j, "complete_runs", json_integer(c->match.complete_runs));
    json_object_set_new(j, "windows", json_integer(windows));
    json_object_set_new(j, "totals", totals_json(c));
    json_object_set_new(j, "layers", layers(c));
    json_object_set_new(j, "checksums", crcs);
    json_object_set_new(j, "notes", remarks);
    json_object_set_new(j, "lines_without_figure", json_integer(m->others.lines));
    return j;
}
