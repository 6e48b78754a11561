/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "sim/export.h"

static const cli_usage usage = {
    "bitemu export MODEL --board B -o DIR [--input X.npy [--limit N] [--kat]] [options]",
    "Writes C sources that compute on a board exactly what `bitemu run` computes: packed weights, tables, runtime without heap or floating point,\n"
    "main loop, Makefile and meson.build. The program runs the exported inputs and prints a trace that `bitemu compare` reads. With --kat it also\n"
    "holds what every layer must answer, and says itself by layer and coordinate where it does not. A simulated board gets start-up code too\n"
    "(device/run starts it); for a real one the result is a library. A network that does not fit is refused, with its plan.",
    "  bitemu export digits.bitemu --board qemu-m4 --input digits_x.npy --limit 5 -o firmware && make -C firmware\n"
    "  bitemu export kws.tflite --board nucleo-l4r5zi --input kws.npy --limit 1 --kat -o kws-board\n",
    1, 1,
};

static void print_text(const sim_export_config *c, const sim_export_report *r)
{
    printf("%s: %s\n", c->out, r->title);
    printf("SRAM  %zu bytes = arena %zu + stack and log %zu", r->sram_bytes, r->arena_bytes, r->sram_bytes - r->arena_bytes);
    if (r->board_sram_bytes >= 0) printf(", of %.0f", r->board_sram_bytes);
    printf("\nflash %zu bytes = weights %zu + tables %zu + %lld inputs %zu + known answers %zu, and code", r->flash_bytes, r->weight_bytes, r->table_bytes, (long long)r->inputs, r->input_bytes,
           r->known_bytes);
    if (r->board_flash_bytes >= 0) printf(", of %.0f", r->board_flash_bytes);
    printf("\nmake -C %s gives %s\n", c->out, r->complete ? "firmware.elf" : "libnetwork.a: call bitemu_main() from your program (docs/DEVICE.md)");
}

static void print_json(const sim_export_config *c, const sim_export_report *r)
{
    json_t *j = json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "board", r->board, "folder", c->out, "complete", r->complete, "inputs", (json_int_t)r->inputs, "arena_bytes",
                          (json_int_t)r->arena_bytes, "sram_bytes", (json_int_t)r->sram_bytes, "weight_bytes", (json_int_t)r->weight_bytes, "table_bytes", (json_int_t)r->table_bytes, "input_bytes",
                          (json_int_t)r->input_bytes, "known_bytes", (json_int_t)r->known_bytes, "flash_bytes", (json_int_t)r->flash_bytes);
    (void)json_dumpf(j, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(j);
}

static status run(const sim_export_config *c, cli_format format, err *e)
{
    sim_export_report r;
    if (!c->board) return err_set(e, ST_ARG, "--board", "give the board, as in --board qemu-m4");
    if (!c->out) return err_set(e, ST_ARG, "-o", "give the folder to write");
    if (c->known && !c->input) return err_set(e, ST_ARG, "--kat", "known answers need inputs: --input X.npy");
    if (format == CLI_AS_CSV) return err_set(e, ST_ARG, "--format", "export prints text or json");
    arena *a = arena_create(0);
    status st = a ? sim_export(c, a, &r, e) : err_set(e, ST_NOMEM, "", "no memory");
    if (st == ST_OK) (format == CLI_AS_JSON ? print_json : print_text)(c, &r);
    arena_destroy(&a);
    return st;
}

int cmd_export(int argc, char **argv)
{
    sim_export_config c = {.limit = -1};
    cli_format format = CLI_AS_TEXT;
    const cli_option table[] = {
        {"--board", "NAME", CLI_TEXT, &c.board, "qemu-m0, qemu-m3, qemu-m4, qemu-m7, qemu-m55, host, ibex-small-iss, ibex-maxperf-iss, cv32e40p-iss (the same with -rtl), or one of `bitemu boards`"},
        {"-o", "DIR", CLI_TEXT, &c.out, "folder, which must not exist"},
        {"--input", "X.npy|X.npz", CLI_TEXT, &c.input, "inputs that the program runs, leading axis = inputs"},
        {"--limit", "N", CLI_COUNT, &c.limit, "only the first N inputs"},
        {"--kat", NULL, CLI_FLAG, &c.known, "known answers: every layer's codes for every input, compared on the board"},
        {"--profile", "NAME", CLI_TEXT, &c.profile, "arithmetic (default: the model's, else tflm)"},
        {"--policy", "P", CLI_TEXT, &c.policy, "bits per input: fixed:8, layers:8,4,2, controller, random:SEED"},
        {"--format", "text|json", CLI_FORMAT, &format, "how to print"},
    };
    const char *args[1];
    int n;
    bool help;
    err e = {0};
    status st = cli_parse(argc, argv, &usage, table, sizeof table / sizeof *table, args, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    if (st == ST_OK) {
        c.model = args[0];
        st = run(&c, format, &e);
    }
    return st == ST_OK ? 0 : cli_fail(&e);
}
