/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/compare_ci.h"
#include "cli/compare_measured.h"
#include "cli/compare_report.h"
#include "cli/cost_report.h"

static const cli_usage usage = {
    "bitemu compare EXPECTED GOT [options]",
    "Compares two runs of the same inputs and reports the first divergence: input, layer, coordinates, expected, got. A side is a trace\n"
    "(bitemu run --trace, or what a board printed), an accuracy log of MLPerf Tiny's EnergyRunner (plain or .gz), or a dump (.npz).\n"
    "Logs are matched by file name, so run with --names. Layers that one side did not record are passed over.\n"
    "Where EXPECTED is an estimate (bitemu cost --format json), prints it against what GOT measured, layer by layer: the profiler of TensorFlow\n"
    "Lite Micro, EnergyRunner's performance or energy log or results.txt, X-CUBE-AI's report, NNoM's model_stat(), a board's trace.\n"
    "A trace against the output of TFLM's generic benchmark compares its CRC-32 of input and output.",
    "  bitemu compare emulator.jsonl board.log\n  bitemu compare board.log.gz emulator.jsonl --subset\n"
    "  bitemu compare a.jsonl b.jsonl --dump-a a.npz --dump-b b.npz      (dumps made with --dump-tensors: coordinates)\n"
    "  bitemu compare golden.jsonl board.log --junit compare.xml --github\n"
    "  bitemu compare golden.jsonl board.log --baseline last.json        (exit 1 only for what differs newly)\n"
    "  bitemu compare estimate.json profile.txt --clock-hz 50e6\n"
    "  bitemu compare estimate.json profile.txt --baseline last.json --fail-if 'measured_cycles>+3%,layers.measured_cycles>+5%' --junit compare.xml\n",
    2, 2,
};

typedef struct options {
    compare_options traces;
    measured_options measured;
    cli_format format;
    const char *junit, *baseline, *fail_if, *clock, *ticks;
    bool github;
} options;

static status positive(const char *name, const char *text, double *out, err *e)
{
    char *end;
    if (!text) return ST_OK;
    *out = strtod(text, &end);
    return end == text || *end || !isfinite(*out) || *out <= 0 ? err_set(e, ST_ARG, name, "'%s' is not a number > 0", text) : ST_OK;
}

static void print(const json_t *j)
{
    (void)json_dumpf(j, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(10));
    putchar('\n');
}

static status traces(const char *const *args, options *o, int *code, err *e)
{
    compare_list list;
    compare_result r;
    json_t *before = NULL, *now = NULL;
    char *text = NULL, message[64];
    size_t n = 0;
    if (o->fail_if || o->clock || o->ticks) return err_set(e, ST_ARG, o->fail_if ? "--fail-if" : o->clock ? "--clock-hz" : "--cycles-per-tick", "is for an estimate against a measured log");
    if (o->baseline) TRY(compare_baseline_load(o->baseline, "traces", &before, e));
    FILE *f = open_memstream(&text, &n);
    status st = compare_list_create(&list) && f ? ST_OK : err_set(e, ST_NOMEM, "", "no memory");
    bool keep = o->baseline || o->format == CLI_AS_JSON;
    o->traces.each = keep ? compare_list_add : NULL;
    o->traces.each_to = &list;
    if (st == ST_OK) st = compare_files(args[0], args[1], &o->traces, &r, e);
    bool same = st == ST_OK && compare_same(&o->traces, &r), worse = false;
    if (st == ST_OK) compare_print_verdict(f, &r);
    if (f && fclose(f) != 0 && st == ST_OK) st = err_set(e, ST_NOMEM, "", "no memory");
    if (st == ST_OK && keep && !(now = compare_json(&r, &list, same))) st = err_set(e, ST_NOMEM, "", "no memory");
    if (st == ST_OK) (void)snprintf(message, sizeof message, "%" PRId64 " of %" PRId64 " inputs differ", r.differ, r.compared);
    const compare_verdict verdict = {args, same, message, text};
    if (st == ST_OK && o->junit) st = compare_junit(o->junit, &verdict, e);
    if (st == ST_OK && o->format == CLI_AS_JSON) print(now);
    else if (st == ST_OK) compare_text(args, &r, same);
    if (st == ST_OK && o->github) compare_github(&verdict);
    if (st == ST_OK && before) compare_worse(now, before, &worse);
    *code = (before ? worse : !same) ? status_exit(ST_MISMATCH) : 0;
    json_decref(now);
    json_decref(before);
    free(text);
    compare_list_free(&list);
    return st;
}

/* Everything that is printed. */
static status report(const char *const *args, const options *o, const compare_measured *c, const json_t *now, const json_t *before, bool same, bool *broken, err *e)
{
    char *text = NULL;
    size_t n = 0, said = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f) return err_set(e, ST_NOMEM, "", "no memory");
    compare_measured_sums(f, c);
    if (fflush(f) == 0) said = n;
    status st = o->fail_if ? cost_fail_if(o->fail_if, now, before, f, broken, e) : ST_OK;
    if (fclose(f) != 0 && st == ST_OK) st = err_set(e, ST_NOMEM, "", "no memory");
    const compare_verdict verdict = {args, same && !*broken, *broken ? "a condition is broken" : "the log has other operators", text};
    if (st == ST_OK && o->junit) st = compare_junit(o->junit, &verdict, e);
    if (st == ST_OK && o->format == CLI_AS_JSON) print(now);
    else if (st == ST_OK) compare_measured_text(c);
    if (st == ST_OK) (void)fputs(text + said, stderr);
    if (st == ST_OK && o->github) compare_github(&verdict);
    free(text);
    return st;
}

static status measured(const char *const *args, options *o, arena *a, int *code, err *e)
{
    compare_measured c;
    json_t *before = NULL;
    bool broken = false;
    if (o->traces.dump_a || o->traces.tolerance) return err_set(e, ST_ARG, o->traces.dump_a ? "--dump-a" : "--tolerance", "is for two traces, not for an estimate against a measured log");
    if (o->baseline && !o->fail_if) return err_set(e, ST_ARG, "--baseline", "say what may grow by how much: --fail-if 'measured_cycles>+3%%'");
    o->measured.subset = o->traces.subset;
    TRY(positive("--clock-hz", o->clock, &o->measured.clock_hz, e));
    TRY(positive("--cycles-per-tick", o->ticks, &o->measured.cycles_per_tick, e));
    TRY(compare_measured_load(args[0], args[1], &o->measured, a, &c, e));
    if (o->baseline) TRY(compare_baseline_load(o->baseline, "measured", &before, e));
    bool same = compare_measured_same(&o->measured, &c);
    json_t *now = compare_measured_json(&c, same);
    status st = now ? report(args, o, &c, now, before, same, &broken, e) : err_set(e, ST_NOMEM, "", "no memory");
    *code = broken || !same ? status_exit(ST_MISMATCH) : c.cycles < 0 ? status_exit(ST_INCOMPLETE) : 0;
    json_decref(now);
    json_decref(before);
    return st;
}

static status compare(const char *const *args, options *o, int *code, err *e)
{
    if (o->format == CLI_AS_CSV) return err_set(e, ST_ARG, "--format", "compare prints text or json");
    if (!o->traces.dump_a != !o->traces.dump_b) return err_set(e, ST_ARG, "--dump-a", "give both dumps, or none");
    if (compare_is_estimate(args[1])) return err_set(e, ST_ARG, args[1], "an estimate is what is expected: bitemu compare ESTIMATE.json LOG");
    if (!compare_is_estimate(args[0])) return traces(args, o, code, e);
    arena *a = arena_create(0);
    status st = a ? measured(args, o, a, code, e) : err_set(e, ST_NOMEM, "", "no memory");
    arena_destroy(&a);
    return st;
}

int cmd_compare(int argc, char **argv)
{
    options o = {.format = CLI_AS_TEXT};
    const cli_option table[] = {
        {"--dump-a", "A.npz", CLI_TEXT, &o.traces.dump_a, "tensors of the expected run, for coordinates (run --dump --dump-tensors)"},
        {"--dump-b", "B.npz", CLI_TEXT, &o.traces.dump_b, "tensors of the other run"},
        {"--subset", NULL, CLI_FLAG, &o.traces.subset, "inputs, or operators, that only one side has are no difference"},
        {"--tolerance", "N", CLI_COUNT, &o.traces.tolerance, "output codes may differ by N (default 0)"},
        {"--clock-hz", "HZ", CLI_TEXT, &o.clock, "clock of the measured board (default: as the log says, else the estimate's)"},
        {"--cycles-per-tick", "N", CLI_TEXT, &o.ticks, "of a profiler's ticks: clock / tick rate (default: by the log's milliseconds)"},
        {"--baseline", "PREV.json", CLI_TEXT, &o.baseline, "an earlier --format json: exit 1 only for what got worse"},
        {"--fail-if", "COND", CLI_TEXT, &o.fail_if, "exit 1 if so: measured_cycles>+3%, layers.measured_cycles>+5%, median_abs_error_pct>20 ..."},
        {"--junit", "F.xml", CLI_TEXT, &o.junit, "also a JUnit report, for CI"},
        {"--github", NULL, CLI_FLAG, &o.github, "also an annotation of GitHub Actions on standard output"},
        {"--format", "text|json", CLI_FORMAT, &o.format, "how to print"},
    };
    const char *args[2];
    int n, code = 0;
    bool help;
    err e = {0};
    status st = cli_parse(argc, argv, &usage, table, sizeof table / sizeof *table, args, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    if (st == ST_OK) st = compare(args, &o, &code, &e);
    return st == ST_OK ? code : cli_fail(&e);
}
