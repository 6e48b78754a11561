/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/board_arg.h"
#include "cli/commands.h"
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
    "  bitemu cost net.bitemu --board nucleo-l4r5zi --baseline last.json --fail-if 'cycles>+3%,sram_bytes>65536'",
    1, 1,
};

typedef struct options {
    cli_board where;
    const char *policy, *baseline, *fail_if;
    bool explain, lut, break_even;
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
    if (st == ST_OK) st = cost_fail_if(o->fail_if, now, before, broken, e);
    json_decref(now);
    json_decref(before);
    return st;
}

static status cost(const char *path, const options *o, arena *a, int *code, err *e)
{
    model_graph *g;
    hw_board *board = NULL;
    hw_table *table;
    hw_plan *plan;
    TRY(model_load(path, a, &g, e));
    TRY(model_check(g, e));
    TRY(cli_board_load(&o->where, a, &board, e));
    int *candidate = arena_alloc(a, (size_t)g->n_choices + 1, sizeof *candidate), *best = arena_alloc(a, (size_t)g->n_choices + 1, sizeof *best),
        *worst = arena_alloc(a, (size_t)g->n_choices + 1, sizeof *worst);
    if (!candidate || !best || !worst) return err_set(e, ST_NOMEM, "", "no memory");
    TRY(sim_static_policy(g, o->policy, a, candidate, e));
    TRY(hw_table_create(g, board, a, &table, e));
    TRY(hw_plan_create(g, a, &plan, e));
    cost_estimate c = {g, board, table, plan, o->policy ? o->policy : g->n_choices ? "widest" : "static", candidate, best, worst, false};
    c.ranged = hw_table_range(g, table, best, worst);
    if (o->lut || o->format == CLI_AS_JSON) {
        json_t *j = o->lut ? cost_lut(&c) : cost_json(&c);
        (void)json_dumpf(j, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(10));
        putchar('\n');
        json_decref(j);
    } else if (o->break_even) {
        cost_break_even(&c);
    } else {
        cost_text(&c, o->explain, a);
    }
    bool broken = false;
    TRY(check(o, &c, &broken, e));
    *code = broken ? 1 : hw_table_total(g, table, candidate).cycles < 0 ? status_exit(ST_INCOMPLETE) : 0;
    return ST_OK;
}

int cmd_cost(int argc, char **argv)
{
    options o = {0};
    const cli_option table[] = {
        {"--board", "NAME|FILE", CLI_TEXT, &o.where.board, "board (bitemu boards lists them), NAME:STACK for another of its stacks"},
        {"--core", "CORE", CLI_TEXT, &o.where.core, "a board that is none: core, as in cortex-m7"},
        {"--clock-hz", "HZ", CLI_TEXT, &o.where.clock, "and its clock"},
        {"--kernels", "STACK", CLI_TEXT, &o.where.kernels, "software stack: tflm_cmsisnn, xcubeai-8.1, cmsis-nn:mve, cmix-nn ... (hwmodels/stacks)"},
        {"--policy", "P", CLI_TEXT, &o.policy, "bits of the layers: fixed:8, layers:8,4,2 (default: the widest)"},
        {"--explain", NULL, CLI_FLAG, &o.explain, "print the formula of every layer with its numbers"},
        {"--lut", NULL, CLI_FLAG, &o.lut, "per-layer table of every candidate width as JSON, for searches and trainings"},
        {"--break-even", NULL, CLI_FLAG, &o.break_even, "which width pairs are faster than 8x8 on this board"},
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
    if (st == ST_OK && o.format == CLI_AS_CSV) st = err_set(&e, ST_ARG, "--format", "cost prints text or json");
    arena *a = arena_create(0);
    if (st == ST_OK && !a) st = err_set(&e, ST_NOMEM, "", "no memory");
    if (st == ST_OK) st = cost(args[0], &o, a, &code, &e);
    arena_destroy(&a);
    return st == ST_OK ? code : cli_fail(&e);
}
