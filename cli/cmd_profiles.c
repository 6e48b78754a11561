/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "emu/packing.h"
#include "emu/profile.h"
#include "model/graph.h"

static const cli_usage usage = {
    "bitemu profiles [--format text|json]",
    "Arithmetics that bitemu run --profile emulates: whose bits, in which version.",
    NULL, 0, 0,
};

static void print_text(const emu_profile *p, size_t n)
{
    static const char *const columns[] = {"profile", "version", "whose bits", "operators", NULL};
    cli_table *t = cli_table_create(columns);
    for (size_t i = 0; t && i < n; i++) {
        cli_table_row(t);
        cli_table_cell(t, "%s", p[i].name);
        cli_table_cell(t, "%s", p[i].version);
        cli_table_cell(t, "%s", p[i].source);
        cli_table_cell(t, "%s", p[i].operators ? p[i].operators : "all");
    }
    if (t) cli_table_print(&t);
}

/* Operators that compute; those that only move data belong to every profile. */
static json_t *operators(const emu_profile *p)
{
    json_t *list = json_array();
    for (int c = 0; c < MODEL_N_OPCODES; c++) {
        if (emu_profile_has(p, model_opcode_name((model_opcode)c))) json_array_append_new(list, json_string(model_opcode_name((model_opcode)c)));
    }
    return list;
}

static void print_json(const emu_profile *p, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", p[i].name, "version", p[i].version, "source", p[i].source,
                                               "packing", emu_packing_text(&p[i]), "operators", operators(&p[i])));
    (void)json_dumpf(list, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(list);
}

int cmd_profiles(int argc, char **argv)
{
    cli_format format = CLI_AS_TEXT;
    const cli_option table[] = {{"--format", "text|json", CLI_FORMAT, &format, "how to print"}};
    int n_args;
    bool help;
    err e = {0};
    if (cli_parse(argc, argv, &usage, table, 1, NULL, &n_args, &help, &e) != ST_OK) return cli_fail(&e);
    if (help) return 0;
    size_t n;
    const emu_profile *p = emu_profile_list(&n);
    if (format == CLI_AS_JSON)
        print_json(p, n);
    else
        print_text(p, n);
    return 0;
}
