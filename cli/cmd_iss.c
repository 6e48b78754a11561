/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "hwmodels/iss/iss.h"

static const cli_usage usage = {
    "bitemu iss FIRMWARE.elf --core CORE [options]",
    "Runs a RISC-V program (RV32IMC, on cv32e40p Xpulp too; RAM from address 0, console, exit: device/boards/rv32) and counts the cycles that\n"
    "the core takes, equal to those of its RTL (docs/ISS.md). The program's console output goes to stdout; mcycle and minstret are what it\n"
    "reads itself. Exit status: the program's own; 4 if it had to be stopped (illegal instruction, exception, access outside memory, too many\n"
    "instructions).",
    "  bitemu iss firmware.elf --core ibex-small --stats\n"
    "  bitemu iss firmware.elf --core ibex-maxperf --fetch-wait 2\n"
    "  bitemu iss firmware.elf --core cv32e40p --format json\n",
    1, 1,
};

enum { MAX_ELF_BYTES = 1 << 28 };

typedef struct options {
    const char *core, *dump, *trace;
    int64_t ram_bytes, max_instructions, fetch_wait, data_wait;
    bool stats;
    cli_format format;
} options;

/* What a run leaves behind: console and sections, for JSON; the trace file. */
typedef struct listener {
    bool json, stats;
    char *console;
    size_t console_bytes, console_size;
    json_t *sections;
    uint32_t mark;
    uint64_t mark_cycles, mark_instructions;
    FILE *trace;
    bool lost; /* memory ran out */
} listener;

static void on_console(void *user, char c)
{
    listener *l = user;
    if (!l->json) {
        putchar(c);
        return;
    }
    if (l->console_bytes == l->console_size) {
        const size_t size = l->console_size ? 2 * l->console_size : 4096;
        char *more = realloc(l->console, size);
        if (!more) {
            l->lost = true;
            return;
        }
        l->console = more, l->console_size = size;
    }
    l->console[l->console_bytes++] = c;
}

static void on_mark(void *user, uint32_t id, uint64_t cycles, uint64_t instructions)
{
    listener *l = user;
    const uint64_t c = cycles - l->mark_cycles, n = instructions - l->mark_instructions;
    if (l->json)
        json_array_append_new(l->sections, json_pack("{s:I, s:I, s:I}", "section", (json_int_t)l->mark, "cycles", (json_int_t)c, "instructions", (json_int_t)n));
    else if (l->stats) (void)fprintf(stderr, "section %u: %llu cycles, %llu instructions\n", l->mark, (unsigned long long)c, (unsigned long long)n);
    l->mark = id, l->mark_cycles = cycles, l->mark_instructions = instructions;
}

static void on_step(void *user, uint64_t cycles, uint32_t pc)
{
    (void)fprintf(((listener *)user)->trace, "%llu %08x\n", (unsigned long long)cycles, pc);
}

static status save(const char *path, const uint8_t *bytes, size_t n, err *e)
{
    file_out o;
    TRY(file_create(&o, path, e));
    if (fwrite(bytes, 1, n, o.f) != n) {
        file_discard(&o);
        return err_set(e, ST_IO, path, "cannot write");
    }
    return file_commit(&o, e);
}

static void print_json(const options *o, const iss_result *r, listener *l, const err *e)
{
    json_t *j = json_pack("{s:s, s:I, s:I, s:O}", "core", o->core, "cycles", (json_int_t)r->cycles, "instructions", (json_int_t)r->instructions, "sections", l->sections);
    json_object_set_new(j, "exit_code", e->code == ST_OK ? json_integer(r->exit_code) : json_null());
    json_object_set_new(j, "stopped", e->code == ST_OK ? json_null() : json_string(e->msg));
    json_t *text = json_stringn(l->console ? l->console : "", l->console_bytes);
    json_object_set_new(j, "console", text ? text : json_null()); /* null: not UTF-8 */
    (void)json_dumpf(j, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(j);
}

/* *code: exit status of the program. */
static status run(const char *path, const options *o, arena *a, listener *l, int *code, err *e)
{
    const uint8_t *elf = NULL;
    size_t len = 0, ram_bytes = 0;
    iss_result r = {0};
    iss *s = NULL;
    iss_config cfg = {.ram_bytes = (uint32_t)o->ram_bytes, .max_instructions = (uint64_t)o->max_instructions, .fetch_wait = o->fetch_wait > 99 ? 99 : (int)o->fetch_wait,
                      .data_wait = o->data_wait > 99 ? 99 : (int)o->data_wait, .user = l, .console = on_console, .mark = on_mark,
                      .step = l->trace ? on_step : NULL};
    if (!o->core) return err_set(e, ST_ARG, "--core", "is needed; bitemu iss --help");
    TRY(iss_core_load(o->core, a, &cfg.core, e));
    TRY(file_read(path, MAX_ELF_BYTES, a, &elf, &len, e));
    if (o->ram_bytes > UINT32_MAX) return err_set(e, ST_ARG, "--ram", "at most 268435456 bytes");
    status st = iss_load(&cfg, elf, len, a, &s, e);
    if (st == ST_OK) {
        st = iss_run(s, &r, e);
        if (l->json) print_json(o, &r, l, e);
        else if (o->stats) {
            (void)fflush(stdout);
            on_mark(l, 0, r.cycles, r.instructions);
            (void)fprintf(stderr, "cycles %llu\ninstructions %llu\n", (unsigned long long)r.cycles, (unsigned long long)r.instructions);
        }
        *code = r.exit_code;
    }
    if (st != ST_OK) {
        err_at(e, "%s", path);
        return st;
    }
    if (l->lost) return err_set(e, ST_NOMEM, path, "out of memory for the console's text");
    const uint8_t *ram = iss_ram(s, &ram_bytes);
    return o->dump ? save(o->dump, ram, ram_bytes, e) : ST_OK;
}

int cmd_iss(int argc, char **argv)
{
    options o = {0};
    const cli_option table[] = {
        {"--core", "CORE", CLI_TEXT, &o.core, "ibex-small, ibex-maxperf, cv32e40p"},
        {"--ram", "BYTES", CLI_COUNT, &o.ram_bytes, "RAM from address 0 (default: 4 MiB)"},
        {"--fetch-wait", "N", CLI_COUNT, &o.fetch_wait, "wait states of instruction memory (default: 0)"},
        {"--data-wait", "N", CLI_COUNT, &o.data_wait, "wait states of data memory (default: 0)"},
        {"--max-instructions", "N", CLI_COUNT, &o.max_instructions, "stop a program that runs longer (default: 10^10)"},
        {"--stats", NULL, CLI_FLAG, &o.stats, "cycles and instructions, of each section too, on stderr"},
        {"--dump", "FILE", CLI_TEXT, &o.dump, "RAM after the run"},
        {"--trace", "FILE", CLI_TEXT, &o.trace, "cycle and address of each instruction"},
        {"--format", "text|json", CLI_FORMAT, &o.format, "console as text, or everything as JSON"},
    };
    const char *args[1];
    int n_args = 0, code = 0;
    bool help = false;
    err e = {0};
    if (cli_parse(argc, argv, &usage, table, (int)(sizeof table / sizeof *table), args, &n_args, &help, &e) != ST_OK) return cli_fail(&e);
    if (help) return 0;
    if (o.format == CLI_AS_CSV) {
        (void)err_set(&e, ST_ARG, "--format", "must be text or json");
        return cli_fail(&e);
    }
    arena *a = arena_create(0);
    listener l = {.json = o.format == CLI_AS_JSON, .stats = o.stats, .sections = json_array()};
    status s = a && l.sections ? ST_OK : err_set(&e, ST_NOMEM, "", "out of memory");
    if (s == ST_OK && o.trace && !(l.trace = fopen(o.trace, "w"))) s = err_set(&e, ST_IO, o.trace, "cannot be written");
    if (s == ST_OK) s = run(args[0], &o, a, &l, &code, &e);
    if (l.trace && fclose(l.trace) != 0 && s == ST_OK) s = err_set(&e, ST_IO, o.trace, "cannot be written");
    free(l.console);
    json_decref(l.sections);
    arena_destroy(&a);
    return s == ST_OK ? code : cli_fail(&e);
}
