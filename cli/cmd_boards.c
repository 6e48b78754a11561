/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "hwmodels/hw.h"

static const cli_usage usage = {
    "bitemu boards [--format text|json]",
    "Boards that bitemu run --board can price. Further boards: folders of YAML files in BITEMU_BOARDS, or --board FILE.",
    NULL, 0, 0,
};

static void print_text(hw_board *const *b)
{
    static const char *const columns[] = {"board", "what", ">clock MHz", ">SRAM KiB", ">flash KiB", "kernels", NULL};
    cli_table *t = cli_table_create(columns);
    for (; t && *b; b++) {
        cli_table_row(t);
        cli_table_cell(t, "%s", hw_board_name(*b));
        cli_table_cell(t, "%s", hw_board_title(*b));
        cli_table_cell(t, "%.0f", hw_board_clock_hz(*b) / 1e6);
        cli_table_cell(t, "%.0f", hw_board_sram_bytes(*b) / 1024);
        cli_table_cell(t, "%.0f", hw_board_flash_bytes(*b) / 1024);
        cli_table_cell(t, "%s", hw_board_kernels(*b));
    }
    if (t) cli_table_print(&t);
}

static void print_json(hw_board *const *b)
{
    json_t *list = json_array();
    for (; *b; b++) {
        json_array_append_new(list, json_pack("{s:s, s:s, s:f, s:f, s:f, s:s}", "name", hw_board_name(*b), "title", hw_board_title(*b),
                                              "clock_hz", hw_board_clock_hz(*b), "sram_bytes", hw_board_sram_bytes(*b), "flash_bytes",
                                              hw_board_flash_bytes(*b), "kernels", hw_board_kernels(*b)));
    }
    (void)json_dumpf(list, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(list);
}

static status boards(cli_format format, arena *a, err *e)
{
    const char *const *names;
    int n = 0;
    TRY(hw_board_names(a, &names, e));
    while (names[n]) n++;
    hw_board **list = arena_alloc(a, (size_t)n + 1, sizeof *list);
    if (!list) return err_set(e, ST_NOMEM, "", "no memory");
    for (int i = 0; i < n; i++) TRY(hw_board_load(names[i], a, &list[i], e));
    if (format == CLI_AS_JSON)
        print_json(list);
    else
        print_text(list);
    return ST_OK;
}

int cmd_boards(int argc, char **argv)
{
    cli_format format = CLI_AS_TEXT;
    const cli_option table[] = {{"--format", "text|json", CLI_FORMAT, &format, "how to print"}};
    int n;
    bool help;
    err e = {0};
    status st = cli_parse(argc, argv, &usage, table, 1, NULL, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    arena *a = arena_create(0);
    if (st == ST_OK && !a) st = err_set(&e, ST_NOMEM, "", "no memory");
    if (st == ST_OK) st = boards(format, a, &e);
    arena_destroy(&a);
    return st == ST_OK ? 0 : cli_fail(&e);
}
