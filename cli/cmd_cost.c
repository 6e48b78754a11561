/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/board_arg.h"
#include "cli/commands.h"
#include "cli/cost_exact.h"
#include "cli/cost_report.h"
#include "model/load.h"
#include "sim/sim.h"

static const cli_usage usage = {
    "bitemu cost MODEL (--board B | --core CORE --clock-hz HZ) [--kernels STACK] [options]",
    "What a network costs, from shapes and widths alone: cycles, latency, energy, SRAM, flash; by layer, with its best and worst case over\n"
    "the bits that its choices allow. Every figure comes from hwmodels/*.yaml with its source; what is unknown is listed, never 0.",
    "  bitemu cost net.tflite --board nucleo-l4r5zi\n"
    "  bitemu cost net.tflite --core cortex-m7 --clock-hz 216e6 --kernels xcubeai\n"
    "  bitemu cost net.bitemu --board nucleo-l4r5zi --policy fixed:4 --explain\n"
    "  bitemu cost net.bitemu --board nucleo-l4r5zi --break-even --layouts fixed:2/fixed:8 --svg break-even.svg\n"
    "  bitemu cost net.tflite --board nucleo-u575zi --period-ms 100\n"
    "  bitemu cost net.tflite --kernels horowitz-45nm\n"
    "  bitemu cost net.bitemu --core cv32e40p --clock-hz 50e6 --exact\n"
    "  bitemu cost net.bitemu --core ibex-maxperf --clock-hz 50e6 --fetch-wait 1\n"
    "  bitemu cost net.bitemu --board nucleo-l4r5zi --baseline last.json --fail-if 'cycles>+3%,sram_bytes>65536'",
    1, 1,
};

typedef struct options {
    cli_board where;
    const char *policy, *baseline, *fail_if, *layouts, *svg, *period, *input;
    int64_t fetch_wait, data_wait;
    bool explain, lut, break_even, exact;
    cli_format format;
} options;

static status check(const options *o, const cost_estimate *c, bool *broken, err *e)
{
    if (!o->fail_if && !o->baseline) return ST_OK;
    if (!o->fail_if) return err_set(e, ST_ARG, "--baseline", "say what must not grow: --fail-if 'cycles>+3%%'");
    json_error_t why;
    json_t *before = o->baseline ? json_load_file(o->baseline, 0, &why) : NULL, *now = cost_json(c);
    status st = ST_OK;
    if (o->baseline && !before) st = err_set(e, ST_FORMAT, o->baseline, "line %d: %s", why.line, why.text);
    if (st == ST_OK) st = cost_fail_if(o->fail_if, now, before, stderr, broken, e);
    json_decref(now);
    json_decref(before);
    return st;
}

static status period(const char *text, double *out, err *e)
{
    char *end = NULL;
    if (!text) return ST_OK;
    *out = strtod(text, &end);
    return end == text || *end || !(*out > 0) || *out > 1e9 ? err_set(e, ST_ARG, "--period-ms", "'%s' is not a time in milliseconds", text) : ST_OK;
}

static void print_json(json_t *j)
{
    (void)json_dumpf(j, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(10));
    putchar('\n');
    json_decref(j);
}

static status break_even(const cost_estimate *c, const options *o, arena *a, err *e)
{
    cost_cascade *list = NULL;
    int n = 0;
    if (hw_board_is_arch(c->board)) return err_set(e, ST_ARG, "--break-even", "%s knows no time", hw_board_name(c->board));
    if (cost_at_widths(c, 8, 8) < 0)
        return err_set(e, ST_INCOMPLETE, "--break-even", "no figure for the whole network at 8x8; %s", hw_table_missing(c->table)[0] ? hw_table_missing(c->table)[0] : "its kernels lack a layer there");
    TRY(cost_cascades(c, o->layouts, a, &list, &n, e));
    if (o->svg) TRY(cost_break_even_svg(c, list, n, o->svg, e));
    if (o->format == CLI_AS_JSON) print_json(cost_break_even_json(c, list, n));
    else cost_break_even_text(c, list, n);
    return ST_OK;
}

/* --exact and wait states are of bitemu's own kernels: their figures are meant, whatever the board's usual software is. */
static status load_board(const options *o, arena *a, hw_board **out, err *e)
{
    const bool waits = o->fetch_wait || o->data_wait;
    TRY(cli_board_load(&o->where, a, out, e));
    if ((o->exact || waits) && !o->where.kernels) {
        cli_board where = o->where;
        char own[80];
        (void)snprintf(own, sizeof own, "bitemu-%.60s", hw_board_core(*out));
        where.kernels = own;
        TRY(cli_board_load(&where, a, out, e));
    }
    if (!waits || o->exact) return ST_OK;
    return o->fetch_wait > 15 || o->data_wait > 15 ? err_set(e, ST_ARG, "wait states", "at most 15") : hw_board_set_waits(*out, (int)o->fetch_wait, (int)o->data_wait, e);
}

static status cost(const char *path, const options *o, arena *a, int *code, err *e)
{
    model_graph *g;
    hw_board *board = NULL;
    hw_table *table;
    TRY(model_load(path, a, &g, e));
    TRY(model_check(g, e));
    TRY(load_board(o, a, &board, e));
    int *candidate = arena_alloc(a, (size_t)g->n_choices + 1, sizeof *candidate), *best = arena_alloc(a, (size_t)g->n_choices + 1, sizeof *best),
        *worst = arena_alloc(a, (size_t)g->n_choices + 1, sizeof *worst);
    bool *control = arena_alloc(a, (size_t)g->subgraphs[0].n_ops + 1, sizeof *control);
    if (!candidate || !best || !worst || !control) return err_set(e, ST_NOMEM, "", "no memory");
    TRY(sim_static_policy(g, o->policy, a, candidate, e));
    TRY(hw_table_create(g, board, a, &table, e));
    if (o->exact) TRY(cost_exact(&(cost_exact_config){path, o->policy, o->input, o->fetch_wait, o->data_wait}, g, board, table, a, e));
    cost_estimate c = {.graph = g, .board = board, .table = table, .policy = o->policy ? o->policy : g->n_choices ? "widest" : "static", .candidate = candidate, .best = best, .worst = worst,
                       .control = control};
    TRY(period(o->period, &c.period_ms, e));
    TRY(hw_board_plan(g, board, o->policy && g->n_choices ? candidate : NULL, a, &c.memory, e));
    TRY(hw_board_plan(g, board, NULL, a, &c.most, e));
    hw_control_ops(g, control);
    c.ranged = hw_table_range(g, table, best, worst);
    if (o->break_even || o->layouts) {
        TRY(break_even(&c, o, a, e));
    } else if (o->lut || o->format == CLI_AS_JSON) {
        print_json(o->lut ? cost_lut(&c) : cost_json(&c));
    } else {
        cost_text(&c, o->explain, a);
    }
    bool broken = false;
    TRY(check(o, &c, &broken, e));
    *code = broken ? 1 : cost_complete(&c) ? 0 : status_exit(ST_INCOMPLETE);
    return ST_OK;
}

int cmd_cost(int argc, char **argv)
{
    options o = {0};
    const cli_option table[] = {
        {"--board", "NAME|FILE", CLI_TEXT, &o.where.board, "board (bitemu boards lists them), NAME:STACK for another of its stacks, NAME@POINT for another operating point"},
        {"--core", "CORE", CLI_TEXT, &o.where.core, "a board that is none: core, as in cortex-m7"},
        {"--clock-hz", "HZ", CLI_TEXT, &o.where.clock, "and its clock"},
        {"--kernels", "STACK", CLI_TEXT, &o.where.kernels, "software stack: tflm_cmsisnn, xcubeai-8.1, cmsis-nn:mve, cmix-nn ... (hwmodels/stacks)"},
        {"--policy", "P", CLI_TEXT, &o.policy, "bits of the layers: fixed:8, layers:8,4,2 (default: the widest)"},
        {"--explain", NULL, CLI_FLAG, &o.explain, "print the formula of every layer with its numbers"},
        {"--lut", NULL, CLI_FLAG, &o.lut, "per-layer table of every candidate width as JSON, for searches and trainings"},
        {"--break-even", NULL, CLI_FLAG, &o.break_even, "which width pairs beat 8x8 on this board, and when a second pass pays"},
        {"--layouts", "L/L...", CLI_TEXT, &o.layouts, "for --break-even: layouts a cascade may take, as fixed:2/fixed:8 or w2a2/w8a8"},
        {"--svg", "OUT.svg", CLI_TEXT, &o.svg, "with --break-even: the same as a picture"},
        {"--period-ms", "T", CLI_TEXT, &o.period, "one inference every T ms: duty, and energy with the board's idle share"},
        {"--exact", NULL, CLI_FLAG, &o.exact, "cycles by running the exported program in the simulator of ibex-small, ibex-maxperf or cv32e40p: equal to their RTL's"},
        {"--input", "X.npy|X.npz", CLI_TEXT, &o.input, "for --exact: its first input is run (default: random codes)"},
        {"--fetch-wait", "N", CLI_COUNT, &o.fetch_wait, "wait states of instruction memory, for bitemu's own kernels (default: 0)"},
        {"--data-wait", "N", CLI_COUNT, &o.data_wait, "wait states of data memory (default: 0)"},
        {"--baseline", "PREV.json", CLI_TEXT, &o.baseline, "an earlier --format json"},
        {"--fail-if", "COND", CLI_TEXT, &o.fail_if, "exit 1 if so: cycles>+3%, energy_uj>+5%, sram_bytes>65536 ..."},
        {"--format", "text|json", CLI_FORMAT, &o.format, "how to print"},
    };
    const char *args[1];
    int n, code = 0;
    bool help;
    err e = {0};
    status st = cli_parse(argc, argv, &usage, table, (int)(sizeof table / sizeof *table), args, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    if (st == ST_OK && o.svg && !o.break_even && !o.layouts) st = err_set(&e, ST_ARG, "--svg", "is the picture of --break-even");
    if (st == ST_OK && o.format == CLI_AS_CSV) st = err_set(&e, ST_ARG, "--format", "cost prints text or json");
    if (st == ST_OK && !o.exact && o.input) st = err_set(&e, ST_ARG, "--input", "is for --exact");
    arena *a = arena_create(0);
    if (st == ST_OK && !a) st = err_set(&e, ST_NOMEM, "", "no memory");
    if (st == ST_OK) st = cost(args[0], &o, a, &code, &e);
    arena_destroy(&a);
    return st == ST_OK ? code : cli_fail(&e);
}
