/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/board_arg.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "hwmodels/hw.h"
#include "model/load.h"
#include "sim/sim.h"

static const cli_usage usage = {
    "bitemu boards [MODEL] [--policy P] [--kernels STACK] [--format text|json]",
    "Boards that bitemu run --board and bitemu cost --board can price; with MODEL also whether it fits: activations with the scratch and own data\n"
    "of the board's software against SRAM, constants and code against flash, as far as they are known (stack and what else runs there not counted).\n"
    "A policy that never changes takes the memory of its widths, else that of every choice of bits counts. Further boards: folders of YAML files\n"
    "in BITEMU_BOARDS, or --board FILE.",
    "  bitemu boards net.bitemu --policy fixed:4\n  bitemu boards net.tflite --kernels cmsis-nn:dsp", 0, 1,
};

typedef struct options {
    const char *policy, *kernels;
    cli_format format;
} options;

typedef struct row {
    hw_board *board;          /* NULL: left out, the stack asked for has no figures for its core */
    const char *name, *why;
    hw_board_memory need;
} row;

static const char *verdict(const row *r)
{
    double sram = hw_board_sram_bytes(r->board), flash = hw_board_flash_bytes(r->board);
    if (sram >= 0 && (double)r->need.sram_bytes > sram) return "no: SRAM";
    if (flash >= 0 && r->need.flash_needed > flash) return "no: flash";
    return sram < 0 || flash < 0 ? "unknown" : "fits";
}

static void kibibytes(cli_table *t, double bytes)
{
    if (bytes < 0) cli_table_cell(t, "-");
    else cli_table_cell(t, "%.0f", bytes / 1024);
}

static void print_text(const row *r, int n, bool model)
{
    const char *const columns[] = {"board", "what", ">clock MHz", ">SRAM KiB", ">flash KiB", "kernels", model ? ">needs SRAM" : NULL, ">needs flash", "model", NULL};
    cli_table *t = cli_table_create(columns);
    bool partly = false;
    int left_out = 0;
    for (int i = 0; t && i < n; i++) {
        left_out += !r[i].board;
        if (!r[i].board) continue;
        cli_table_row(t);
        cli_table_cell(t, "%s", r[i].name);
        cli_table_cell(t, "%s", hw_board_title(r[i].board));
        cli_table_cell(t, "%.0f", hw_board_clock_hz(r[i].board) / 1e6);
        kibibytes(t, hw_board_sram_bytes(r[i].board));
        kibibytes(t, hw_board_flash_bytes(r[i].board));
        cli_table_cell(t, "%s", hw_board_kernels(r[i].board));
        if (!model) continue;
        bool sure = r[i].need.scratch_known && r[i].need.code_bytes.known;
        cli_table_cell(t, "%.1f%s", (double)r[i].need.sram_bytes / 1024, r[i].need.scratch_known ? "" : "*");
        cli_table_cell(t, "%.1f%s", r[i].need.flash_needed / 1024, r[i].need.code_bytes.known ? "" : "*");
        cli_table_cell(t, "%s", verdict(&r[i]));
        partly = partly || !sure;
    }
    if (t) cli_table_print(&t);
    if (model) printf("\nneeds in KiB%s\n", partly ? "; *: not all is known, SRAM is without the software's scratch, flash without its code" : "");
    if (left_out) printf("%d boards are left out: the software has no figures for their cores\n", left_out);
}

static json_t *bytes_json(double bytes) { return bytes < 0 ? json_null() : json_real(bytes); }

static void print_json(const row *r, int n, bool model)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        if (!r[i].board) continue;
        hw_board *b = r[i].board;
        json_t *one = json_pack("{s:s, s:s, s:s, s:f, s:o, s:o, s:s}", "name", r[i].name, "title", hw_board_title(b), "core", hw_board_core(b), "clock_hz", hw_board_clock_hz(b), "sram_bytes",
                                bytes_json(hw_board_sram_bytes(b)), "flash_bytes", bytes_json(hw_board_flash_bytes(b)), "kernels", hw_board_kernels(b));
        if (hw_board_points(b)) json_object_set_new(one, "operating_points", json_string(hw_board_points(b)));
        json_t *memories = json_array();
        int count = 0;
        const hw_memory *m = hw_board_memories(b, &count);
        for (int k = 0; k < count; k++)
            json_array_append_new(memories, json_pack("{s:s, s:s, s:f, s:f, s:o}", "name", m[k].name, "kind", m[k].flash ? "flash" : "sram", "start", m[k].start, "bytes", m[k].bytes.value, "wait_states",
                                                      m[k].wait_states.known ? json_real(m[k].wait_states.value) : json_null()));
        json_object_set_new(one, "memories", memories);
        if (model) {
            json_object_set_new(one, "needs_sram_bytes", json_integer((json_int_t)r[i].need.sram_bytes));
            json_object_set_new(one, "needs_flash_bytes", json_real(r[i].need.flash_needed));
            json_object_set_new(one, "complete", json_boolean(r[i].need.scratch_known && r[i].need.code_bytes.known));
            json_object_set_new(one, "model", json_string(verdict(&r[i])));
        }
        json_array_append_new(list, one);
    }
    (void)json_dumpf(list, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(list);
}

/* r->board stays NULL, with the reason in r->why, where the asked stack has no figures for the board's core. */
static status load(const options *o, const char *name, const model_graph *g, const int *candidate, arena *a, row *r, err *e)
{
    err why = {0};
    *r = (row){.name = name};
    status st = cli_board_load(&(cli_board){.board = name, .kernels = o->kernels}, a, &r->board, &why);
    if (st == ST_ARG && o->kernels && hw_board_load(name, a, &r->board, e) == ST_OK) {
        r->board = NULL;
        r->why = arena_strdup(a, why.msg, strnlen(why.msg, 120));
        return r->why ? ST_OK : err_set(e, ST_NOMEM, "", "no memory");
    }
    if (st != ST_OK) {
        *e = why;
        return st;
    }
    return g ? hw_board_plan(g, r->board, candidate, a, &r->need, e) : ST_OK;
}

static status boards(const char *path, const options *o, arena *a, err *e)
{
    model_graph *g = NULL;
    int *candidate = NULL;
    if (path) {
        TRY(model_load(path, a, &g, e));
        TRY(model_check(g, e));
    }
    if (o->policy && !g) return err_set(e, ST_ARG, "--policy", "needs a MODEL");
    if (o->policy && g->n_choices) {
        candidate = arena_alloc(a, (size_t)g->n_choices, sizeof *candidate);
        if (!candidate) return err_set(e, ST_NOMEM, "", "no memory");
        TRY(sim_static_policy(g, o->policy, a, candidate, e));
    }
    const char *const *names;
    int n = 0;
    TRY(hw_board_names(a, &names, e));
    while (names[n]) n++;
    row *list = arena_alloc(a, (size_t)n + 1, sizeof *list);
    if (!list) return err_set(e, ST_NOMEM, "", "no memory");
    int kept = 0;
    for (int i = 0; i < n; i++) {
        TRY(load(o, names[i], g, candidate, a, &list[i], e));
        kept += list[i].board != NULL;
    }
    if (n && !kept) return err_set(e, ST_ARG, "--kernels", "%s", list[0].why);
    if (o->format == CLI_AS_JSON) print_json(list, n, g != NULL);
    else print_text(list, n, g != NULL);
    return ST_OK;
}

int cmd_boards(int argc, char **argv)
{
    options o = {0};
    const cli_option table[] = {
        {"--policy", "P", CLI_TEXT, &o.policy, "bits of MODEL's layers: fixed:8, layers:8,4,2 (default: every reachable choice)"},
        {"--kernels", "STACK", CLI_TEXT, &o.kernels, "software in place of each board's usual one"},
        {"--format", "text|json", CLI_FORMAT, &o.format, "how to print"},
    };
    const char *args[1];
    int n;
    bool help;
    err e = {0};
    status st = cli_parse(argc, argv, &usage, table, (int)(sizeof table / sizeof *table), args, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    arena *a = arena_create(0);
    if (st == ST_OK && o.format == CLI_AS_CSV) st = err_set(&e, ST_ARG, "--format", "boards prints text or json");
    if (st == ST_OK && !a) st = err_set(&e, ST_NOMEM, "", "no memory");
    if (st == ST_OK) st = boards(n ? args[0] : NULL, &o, a, &e);
    arena_destroy(&a);
    return st == ST_OK ? 0 : cli_fail(&e);
}
