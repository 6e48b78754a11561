/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/compare_ci.h"
#include "traces/compare.h"

static const cli_usage usage = {
    "bitemu compare EXPECTED GOT [options]",
    "Compares two runs of the same inputs and reports the first divergence: input, layer, coordinates, expected, got. A side is a trace\n"
    "(bitemu run --trace, or what a board printed), an accuracy log of MLPerf Tiny's EnergyRunner (plain or .gz), or a dump (.npz).\n"
    "Logs are matched by file name, so run with --names. Layers that one side did not record are passed over.",
    "  bitemu compare emulator.jsonl board.log\n  bitemu compare board.log.gz emulator.jsonl --subset\n"
    "  bitemu compare a.jsonl b.jsonl --dump-a a.npz --dump-b b.npz      (dumps made with --dump-tensors: coordinates)\n"
    "  bitemu compare golden.jsonl board.log --junit compare.xml --github\n",
    2, 2,
};

static const char *const whats[] = {"equal", "input", "layer", "bits", "decision", "output", "missing"};

static void print_skips(const char *path, const trace_skips *s)
{
    if (s->lines) printf("skipped in %s: %" PRId64 " lines, the first is line %" PRId64 ": %s\n", path, s->lines, s->first_line, s->reason);
}

static void print_text(const char *const *args, const compare_result *r, bool same)
{
    printf("%s: %" PRId64 " inputs compared, %" PRId64 " equal, %" PRId64 " differ", same ? "equal" : "different", r->compared, r->equal, r->differ);
    if (r->only_a || r->only_b) printf("; %" PRId64 " only in %s, %" PRId64 " only in %s", r->only_a, args[0], r->only_b, args[1]);
    if (r->repeated) printf("; %" PRId64 " repeated", r->repeated);
    putchar('\n');
    if (r->note[0]) printf("headers differ: %s\n", r->note);
    if (r->first.what != COMPARE_EQUAL) compare_print_divergence(stdout, &r->first);
    print_skips(args[0], &r->skips_a);
    print_skips(args[1], &r->skips_b);
}

static json_t *json_divergence(const compare_divergence *d)
{
    if (d->what == COMPARE_EQUAL) return json_null();
    json_t *j = json_pack("{s:s, s:I, s:I, s:I}", "what", whats[d->what], "input", (json_int_t)d->input, "expected", (json_int_t)d->expected, "got",
                          (json_int_t)d->got);
    json_t *at = json_array();
    for (int i = 0; i < d->n_dims; i++) json_array_append_new(at, json_integer(d->at[i]));
    json_object_set_new(j, "name", json_string(d->name));
    bool layer = d->what == COMPARE_LAYER || d->what == COMPARE_BITS;
    json_object_set_new(j, "layer", layer ? json_integer(d->layer) : json_null());
    json_object_set_new(j, "layer_name", layer ? json_string(d->layer_name) : json_null());
    json_object_set_new(j, "op", layer ? json_string(d->op) : json_null());
    json_object_set_new(j, "element", d->element >= 0 ? json_integer(d->element) : json_null());
    json_object_set_new(j, "coordinates", at);
    json_object_set_new(j, "differ", d->total ? json_integer(d->differ) : json_null());
    json_object_set_new(j, "total", d->total ? json_integer(d->total) : json_null());
    json_object_set_new(j, "largest", d->has_values ? json_integer(d->largest) : json_null());
    json_object_set_new(j, "hint", d->hint ? json_string(d->hint) : json_null());
    return j;
}

static void print_json(const compare_result *r, bool same)
{
    json_t *j = json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "equal", same, "inputs_compared", (json_int_t)r->compared, "inputs_equal",
                          (json_int_t)r->equal, "inputs_differ", (json_int_t)r->differ, "only_expected", (json_int_t)r->only_a, "only_got",
                          (json_int_t)r->only_b, "repeated", (json_int_t)r->repeated, "skipped_expected", (json_int_t)r->skips_a.lines,
                          "skipped_got", (json_int_t)r->skips_b.lines);
    json_object_set_new(j, "headers", json_string(r->note));
    json_object_set_new(j, "first", json_divergence(&r->first));
    (void)json_dumpf(j, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(j);
}

int cmd_compare(int argc, char **argv)
{
    compare_options o = {0};
    cli_format format = CLI_AS_TEXT;
    const char *junit = NULL;
    bool github = false;
    const cli_option table[] = {
        {"--dump-a", "A.npz", CLI_TEXT, &o.dump_a, "tensors of the expected run, for coordinates (run --dump --dump-tensors)"},
        {"--dump-b", "B.npz", CLI_TEXT, &o.dump_b, "tensors of the other run"},
        {"--subset", NULL, CLI_FLAG, &o.subset, "inputs that only one side has are no difference"},
        {"--tolerance", "N", CLI_COUNT, &o.tolerance, "output codes may differ by N (default 0)"},
        {"--junit", "F.xml", CLI_TEXT, &junit, "also a JUnit report, for CI"},
        {"--github", NULL, CLI_FLAG, &github, "also an annotation of GitHub Actions on standard output"},
        {"--format", "text|json", CLI_FORMAT, &format, "how to print"},
    };
    const char *args[2];
    compare_result r;
    int n;
    bool help;
    err e = {0};
    status st = cli_parse(argc, argv, &usage, table, sizeof table / sizeof *table, args, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    if (st == ST_OK && !o.dump_a != !o.dump_b) st = err_set(&e, ST_ARG, "--dump-a", "give both dumps, or none");
    if (st == ST_OK) st = compare_files(args[0], args[1], &o, &r, &e);
    if (st != ST_OK) return cli_fail(&e);
    bool same = compare_same(&o, &r);
    if (junit && compare_junit(junit, args, &r, same, &e) != ST_OK) return cli_fail(&e);
    if (format == CLI_AS_JSON)
        print_json(&r, same);
    else
        print_text(args, &r, same);
    if (github) compare_github(args, &r, same);
    return status_exit(same ? ST_OK : ST_MISMATCH);
}
