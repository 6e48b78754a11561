/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/table.h"

static double mean(double sum, const sim_result *r) { return r->inputs ? sum / (double)r->inputs : 0; }

/* A figure that may be unknown (negative, or no board). */
static json_t *figure(double v) { return v < 0 || isnan(v) ? json_null() : json_real(v); }

static const char *text(char *buf, size_t room, const char *fmt, double v)
{
    if (v < 0 || isnan(v)) return "-";
    (void)snprintf(buf, room, fmt, v);
    return buf;
}

typedef struct decisions { /* widths taken, over choices and inputs */
    double mean_bits, mac_weighted_bits; /* sqrt(bitops / macs) of the bound layers */
} decisions;

static decisions summarize(const sim_setup *s, const sim_result *r)
{
    double bits = 0, n = 0, macs = 0, bitops = 0;
    for (int c = 0; c < s->graph->n_choices; c++) {
        for (int k = 0; k < s->choices[c].n_candidates; k++) {
            bits += (double)r->histogram[c][k] * s->choices[c].bits[k];
            n += (double)r->histogram[c][k];
        }
    }
    for (int op = 0; op < s->graph->subgraphs[0].n_ops; op++) {
        if (s->graph->subgraphs[0].ops[op].choice < 0) continue;
        macs += (double)r->layers[op].cost.macs;
        bitops += r->layers[op].cost.bitops;
    }
    return (decisions){n > 0 ? bits / n : 0, macs > 0 ? sqrt(bitops / macs) : 0};
}

static json_t *json_decisions(const sim_setup *s, const sim_result *r)
{
    decisions d = summarize(s, r);
    json_t *histogram = json_object();
    for (int c = 0; c < s->graph->n_choices; c++) {
        json_t *one = json_object();
        for (int k = 0; k < s->choices[c].n_candidates; k++) {
            char bits[48];
            const model_candidate *cand = &s->graph->choices[c].candidates[k];
            if (cand->w_bits == cand->a_bits)
                (void)snprintf(bits, sizeof bits, "%d", cand->w_bits);
            else
                (void)snprintf(bits, sizeof bits, "w%da%d", cand->w_bits, cand->a_bits);
            json_object_set_new(one, bits, json_integer((json_int_t)r->histogram[c][k]));
        }
        json_object_set_new(histogram, s->choices[c].name, one);
    }
    return json_pack("{s:f, s:f, s:o}", "mean_bits", d.mean_bits, "mac_weighted_bits", d.mac_weighted_bits, "histogram", histogram);
}

static json_t *json_layer(const sim_setup *s, const sim_result *r, int op)
{
    const model_op *o = &s->graph->subgraphs[0].ops[op];
    const sim_layer_sum *l = &r->layers[op];
    json_t *j = json_pack("{s:i, s:s, s:s}", "index", op, "name", o->name, "op", o->type);
    if (!j) j = json_pack("{s:i, s:s, s:s}", "index", op, "name", "?", "op", model_opcode_name(o->code)); /* name is not UTF-8 */
    json_object_set_new(j, "w_bits", l->w_bits ? json_real(mean((double)l->w_bits, r)) : json_null());
    json_object_set_new(j, "a_bits", l->a_bits ? json_real(mean((double)l->a_bits, r)) : json_null());
    json_object_set_new(j, "macs", json_real(mean((double)l->cost.macs, r)));
    json_object_set_new(j, "bitops", json_real(mean(l->cost.bitops, r)));
    json_object_set_new(j, "cycles", s->board ? figure(mean(l->cost.cycles, r)) : json_null());
    json_object_set_new(j, "wraps", json_integer((json_int_t)l->events.wraps));
    json_object_set_new(j, "saturations", json_integer((json_int_t)l->events.saturations));
    json_object_set_new(j, "clamps", json_integer((json_int_t)l->events.clamps));
    json_object_set_new(j, "acc_min", l->events.acc_seen ? json_integer(l->events.acc_min) : json_null());
    json_object_set_new(j, "acc_max", l->events.acc_seen ? json_integer(l->events.acc_max) : json_null());
    return j;
}

static emu_events all_events(const sim_setup *s, const sim_result *r)
{
    emu_events sum = {0};
    for (int op = 0; op < s->graph->subgraphs[0].n_ops; op++) emu_events_add(&sum, &r->layers[op].events);
    return sum;
}

static json_t *json_totals(const sim_setup *s, const sim_result *r)
{
    emu_events ev = all_events(s, r);
    bool priced = s->board != NULL;
    json_t *t = json_object();
    json_object_set_new(t, "macs", json_real(mean((double)r->total.macs, r)));
    json_object_set_new(t, "bitops", json_real(mean(r->total.bitops, r)));
    json_object_set_new(t, "cycles", priced ? figure(mean(r->total.cycles, r)) : json_null());
    json_object_set_new(t, "cycles_error_pct", priced ? figure(r->total.cycles_error_pct) : json_null());
    json_object_set_new(t, "cycles_min", priced ? figure(r->cycles_min) : json_null());
    json_object_set_new(t, "cycles_max", priced ? figure(r->cycles_max) : json_null());
    json_object_set_new(t, "latency_ms", priced ? figure(mean(r->total.cycles, r) / hw_board_clock_hz(s->board) * 1e3) : json_null());
    json_object_set_new(t, "energy_uj", priced ? figure(mean(r->total.energy_uj, r)) : json_null());
    json_object_set_new(t, "energy_error_pct", priced ? figure(r->total.energy_error_pct) : json_null());
    json_object_set_new(t, "sram_bytes", json_integer((json_int_t)s->plan->sram_bytes));
    json_object_set_new(t, "flash_bytes", json_integer((json_int_t)s->plan->flash_bytes));
    json_object_set_new(t, "wraps", json_integer((json_int_t)ev.wraps));
    json_object_set_new(t, "saturations", json_integer((json_int_t)ev.saturations));
    json_object_set_new(t, "clamps", json_integer((json_int_t)ev.clamps));
    return t;
}

static void report_json(const sim_setup *s, const sim_result *r)
{
    json_t *j = json_object(), *layers = json_array(), *missing = json_array();
    json_object_set_new(j, "model", json_string(s->graph->path));
    json_object_set_new(j, "inputs", json_integer(r->inputs));
    if (r->labelled) json_object_set_new(j, "top1", json_real((double)r->top1 / (double)r->labelled));
    json_object_set_new(j, "profile", json_string(s->profile->name));
    json_object_set_new(j, "profile_version", json_string(s->profile->version));
    json_object_set_new(j, "policy", json_string(s->policy_text));
    json_object_set_new(j, "accumulator", s->accumulator_text ? json_string(s->accumulator_text) : json_null());
    json_object_set_new(j, "board", s->board ? json_string(hw_board_name(s->board)) : json_null());
    json_object_set_new(j, "kernels", s->board ? json_string(hw_board_kernels(s->board)) : json_null());
    json_object_set_new(j, "totals", json_totals(s, r));
    if (s->dynamic) json_object_set_new(j, "decisions", json_decisions(s, r));
    for (int op = 0; op < s->graph->subgraphs[0].n_ops; op++) json_array_append_new(layers, json_layer(s, r, op));
    json_object_set_new(j, "layers", layers);
    for (const char *const *m = hw_table_missing(s->table); s->board && *m; m++) json_array_append_new(missing, json_string(*m));
    json_object_set_new(j, "missing", missing);
    (void)json_dumpf(j, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
    putchar('\n');
    json_decref(j);
}

static void csv_field(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"') putchar('"');
        putchar(*s);
    }
    putchar('"');
}

static void report_csv(const sim_setup *s, const sim_result *r)
{
    puts("index,name,op,w_bits,a_bits,macs,bitops,cycles,wraps,clamps,acc_min,acc_max,saturations");
    for (int op = 0; op < s->graph->subgraphs[0].n_ops; op++) {
        const model_op *o = &s->graph->subgraphs[0].ops[op];
        const sim_layer_sum *l = &r->layers[op];
        printf("%d,", op);
        csv_field(o->name);
        printf(",%s,", o->type);
        if (l->w_bits) printf("%g", mean((double)l->w_bits, r));
        putchar(',');
        if (l->a_bits) printf("%g", mean((double)l->a_bits, r));
        printf(",%.17g,%.17g,", mean((double)l->cost.macs, r), mean(l->cost.bitops, r));
        if (s->board && l->cost.cycles >= 0) printf("%.17g", mean(l->cost.cycles, r));
        printf(",%" PRIu64 ",%" PRIu64 ",", l->events.wraps, l->events.clamps);
        if (l->events.acc_seen) printf("%" PRId64 ",%" PRId64, l->events.acc_min, l->events.acc_max);
        else putchar(',');
        printf(",%" PRIu64 "\n", l->events.saturations);
    }
}

static void text_layers(const sim_setup *s, const sim_result *r)
{
    static const char *const columns[] = {">#", "op", "name", ">w", ">a", ">MACs", ">cycles", ">wraps", ">clamps", ">acc min", ">acc max",
                                          ">saturations", NULL};
    const char *shown[sizeof columns / sizeof *columns];
    memcpy(shown, columns, sizeof columns);
    if (!s->saturates) shown[sizeof columns / sizeof *columns - 2] = NULL;
    cli_table *t = cli_table_create(shown);
    if (!t) return;
    for (int op = 0; op < s->graph->subgraphs[0].n_ops; op++) {
        const model_op *o = &s->graph->subgraphs[0].ops[op];
        const sim_layer_sum *l = &r->layers[op];
        char buf[48];
        cli_table_row(t);
        cli_table_cell(t, "%d", op);
        cli_table_cell(t, "%s", o->type);
        cli_table_cell(t, "%.40s", o->name);
        cli_table_cell(t, "%s", text(buf, sizeof buf, "%.3g", l->w_bits ? mean((double)l->w_bits, r) : -1));
        cli_table_cell(t, "%s", text(buf, sizeof buf, "%.3g", l->a_bits ? mean((double)l->a_bits, r) : -1));
        cli_table_cell(t, "%.0f", mean((double)l->cost.macs, r));
        cli_table_cell(t, "%s", text(buf, sizeof buf, "%.0f", s->board ? mean(l->cost.cycles, r) : -1));
        cli_table_cell(t, "%" PRIu64, l->events.wraps);
        cli_table_cell(t, "%" PRIu64, l->events.clamps);
        if (l->events.acc_seen) {
            cli_table_cell(t, "%" PRId64, l->events.acc_min);
            cli_table_cell(t, "%" PRId64, l->events.acc_max);
        } else {
            cli_table_cell(t, "-");
            cli_table_cell(t, "-");
        }
        if (s->saturates) cli_table_cell(t, "%" PRIu64, l->events.saturations);
    }
    cli_table_print(&t);
}

static void text_decisions(const sim_setup *s, const sim_result *r)
{
    decisions d = summarize(s, r);
    printf("\ndecisions: mean %.3f bits, MAC-weighted %.3f bits\n", d.mean_bits, d.mac_weighted_bits);
    for (int c = 0; c < s->graph->n_choices; c++) {
        printf("  %-16s", s->choices[c].name);
        for (int k = 0; k < s->choices[c].n_candidates; k++)
            printf("  %d bit %5.1f %%", s->choices[c].bits[k], 100 * mean((double)r->histogram[c][k], r));
        putchar('\n');
    }
}

static void text_error(double pct)
{
    if (pct >= 0) printf(" +-%.0f %%", pct);
}

static void text_costs(const sim_setup *s, const sim_result *r)
{
    char buf[64];
    printf("\nper input: %.0f MACs, %.0f BitOps", mean((double)r->total.macs, r), mean(r->total.bitops, r));
    if (s->board) {
        printf("\non %s, %s kernels (estimates):\n", hw_board_title(s->board), hw_board_kernels(s->board));
        printf("  cycles  %s", text(buf, sizeof buf, "%.0f", mean(r->total.cycles, r)));
        text_error(r->total.cycles_error_pct);
        if (s->dynamic) {
            printf(", from %s", text(buf, sizeof buf, "%.0f", r->cycles_min));
            printf(" to %s (input %" PRId64 ")", text(buf, sizeof buf, "%.0f", r->cycles_max), r->cycles_max_input);
        }
        printf("\n  latency %s ms\n", text(buf, sizeof buf, "%.3f", mean(r->total.cycles, r) / hw_board_clock_hz(s->board) * 1e3));
        printf("  energy  %s uJ", text(buf, sizeof buf, "%.2f", mean(r->total.energy_uj, r)));
        text_error(r->total.energy_error_pct);
    }
    printf("\n  SRAM    %zu bytes (activations and state; bitemu plan shows where)\n", s->plan->sram_bytes);
    printf("  flash   %zu bytes (weights and tables; code not counted)\n", s->plan->flash_bytes);
    for (const char *const *m = hw_table_missing(s->table); s->board && *m; m++) printf("  missing: %s\n", *m);
}

static void report_text(const sim_setup *s, const sim_result *r)
{
    printf("%s: %" PRId64 " inputs, profile %s (%s), %s%s%spolicy %s\n\n", s->graph->path, r->inputs, s->profile->name, s->profile->version,
           s->accumulator_text ? "accumulator " : "", s->accumulator_text ? s->accumulator_text : "", s->accumulator_text ? ", " : "", s->policy_text);
    text_layers(s, r);
    if (s->dynamic) text_decisions(s, r);
    text_costs(s, r);
    if (r->labelled) {
        printf("\ntop-1: %.2f %% (%" PRId64 " of %" PRId64 ")\n", 100 * (double)r->top1 / (double)r->labelled, r->top1, r->labelled);
    }
}

void report_run(const sim_setup *s, const sim_result *r, cli_format format)
{
    if (format == CLI_AS_JSON)
        report_json(s, r);
    else if (format == CLI_AS_CSV)
        report_csv(s, r);
    else
        report_text(s, r);
}
