/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "hwmodels/hw.h"
#include "model/load.h"

static const cli_usage usage = {
    "bitemu boards [MODEL] [--format text|json]",
    "Boards that bitemu run --board and bitemu cost --board can price; with MODEL also whether its activations and constants fit\n"
    "(code, stack and what else runs there not counted). Further boards: folders of YAML files in BITEMU_BOARDS, or --board FILE.",
    NULL, 0, 1,
};

/* A model's needs against a board's memory. */
static const char *verdict(const hw_board *b, const hw_plan *p)
{
    double sram = hw_board_sram_bytes(b), flash = hw_board_flash_bytes(b);
    if (sram >= 0 && (double)p->sram_bytes > sram) return "no: SRAM";
    if (flash >= 0 && (double)p->flash_bytes > flash) return "no: flash";
    return sram < 0 || flash < 0 ? "unknown" : "fits";
}

static void kibibytes(cli_table *t, double bytes)
{
    if (bytes < 0) cli_table_cell(t, "-");
    else cli_table_cell(t, "%.0f", bytes / 1024);
}

static void print_text(hw_board *const *b, const hw_plan *p)
{
    const char *const columns[] = {"board", "what", ">clock MHz", ">SRAM KiB", ">flash KiB", "kernels", p ? "model" : NULL, NULL};
    cli_table *t = cli_table_create(columns);
    for (; t && *b; b++) {
        cli_table_row(t);
        cli_table_cell(t, "%s", hw_board_name(*b));
        cli_table_cell(t, "%s", hw_board_title(*b));
        cli_table_cell(t, "%.0f", hw_board_clock_hz(*b) / 1e6);
        kibibytes(t, hw_board_sram_bytes(*b));
        kibibytes(t, hw_board_flash_bytes(*b));
        cli_table_cell(t, "%s", hw_board_kernels(*b));
        if (p) cli_table_cell(t, "%s", verdict(*b, p));
    }
    if (t) cli_table_print(&t);
    if (p) printf("\nthe model needs %zu bytes of SRAM and %zu of flash (code not counted)\n", p->sram_bytes, p->flash_bytes);
}

static json_t *bytes_json(double bytes) { return bytes < 0 ? json_null() : json_real(bytes); }

static void print_json(hw_board *const *b, const hw_plan *p)
{
    json_t *list = json_array();
    for (; *b; b++) {
        json_t *one = json_pack("{s:s, s:s, s:f, s:o, s:o, s:s}", "name", hw_board_name(*b), "title", hw_board_title(*b), "clock_hz",
                                hw_board_clock_hz(*b), "sram_bytes", bytes_json(hw_board_sram_bytes(*b)), "flash_bytes",
                                bytes_json(hw_board_flash_bytes(*b)), "kernels", hw_board_kernels(*b));
        if (p) json_object_set_new(one, "model", json_string(verdict(*b, p)));
        json_array_append_new(list, one);
    }
    (void)json_dumpf(list, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(list);
}

static status needs(const char *path, arena *a, hw_plan **plan, err *e)
{
    model_graph *g;
    TRY(model_load(path, a, &g, e));
    TRY(model_check(g, e));
    return hw_plan_create(g, a, plan, e);
}

static status boards(const char *model, cli_format format, arena *a, err *e)
{
    hw_plan *plan = NULL;
    if (model) TRY(needs(model, a, &plan, e));
    const char *const *names;
    int n = 0;
    TRY(hw_board_names(a, &names, e));
    while (names[n]) n++;
    hw_board **list = arena_alloc(a, (size_t)n + 1, sizeof *list);
    if (!list) return err_set(e, ST_NOMEM, "", "no memory");
    for (int i = 0; i < n; i++) TRY(hw_board_load(names[i], a, &list[i], e));
    if (format == CLI_AS_JSON)
        print_json(list, plan);
    else
        print_text(list, plan);
    return ST_OK;
}

int cmd_boards(int argc, char **argv)
{
    cli_format format = CLI_AS_TEXT;
    const cli_option table[] = {{"--format", "text|json", CLI_FORMAT, &format, "how to print"}};
    const char *args[1];
    int n;
    bool help;
    err e = {0};
    status st = cli_parse(argc, argv, &usage, table, 1, args, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    arena *a = arena_create(0);
    if (st == ST_OK && !a) st = err_set(&e, ST_NOMEM, "", "no memory");
    if (st == ST_OK) st = boards(n ? args[0] : NULL, format, a, &e);
    arena_destroy(&a);
    return st == ST_OK ? 0 : cli_fail(&e);
}
