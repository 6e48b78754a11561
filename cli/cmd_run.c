/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/report.h"
#include "sim/dump.h"
#include "sim/record.h"

typedef struct options {
    const char *input, *labels, *names, *reset, *trace, *dump;
    int64_t limit, threads;
    cli_format format;
    sim_config config;
} options;

static const cli_usage usage = {
    "bitemu run MODEL --input X.npy [options]",
    "Runs a quantized network (.tflite or native .bitemu) on every input, exactly as the named arithmetic profile computes it, and\n"
    "prints per layer what happened (accumulator range, wraps, saturations, clamps) and what it costs. A model with choices takes its bit widths\n"
    "per input from --policy. Costs are means per input; wraps and clamps are counted over all inputs.",
    "  bitemu run digits.bitemu --input digits_x.npy --labels digits_y.npy --board nucleo-l4r5zi\n"
    "  bitemu run digits.bitemu --input digits_x.npy --policy fixed:4 --format json\n"
    "  bitemu run kws.tflite --input kws.npz --profile litert-ref --trace kws.jsonl --dump kws.npz\n",
    1, 1,
};

/* "--reset-state each": the only other value is the default. */
static status check_reset(options *o, err *e)
{
    if (!o->reset) return ST_OK;
    o->config.reset_each = o->reset[0] == 'e';
    const char *want = o->config.reset_each ? "each" : "never";
    for (int i = 0; want[i] || o->reset[i]; i++) {
        if (want[i] != o->reset[i]) return err_set(e, ST_ARG, "--reset-state", "'%s' is not each or never", o->reset);
    }
    return ST_OK;
}

static void progress(void *ctx, int64_t done, int64_t total)
{
    (void)ctx;
    (void)fprintf(stderr, "\r%" PRId64 " of %" PRId64 " inputs%s", done, total, done == total ? "\n" : "");
    (void)fflush(stderr);
}

static status write_outputs(const options *o, const sim_setup *s, sim_input *in, arena *a, sim_result *r, err *e)
{
    sim_sink sinks[2];
    sim_evaluation how = {.threads = (int)(o->threads > 64 ? 64 : o->threads), .sinks = sinks};
    sim_dump *dump = NULL;
    sim_record *record = NULL;
    status st = ST_OK;
    if (isatty(STDERR_FILENO)) how.progress = progress;
    if (o->dump) {
        st = sim_dump_create(s, o->dump, a, &dump, e);
        if (st == ST_OK) sinks[how.n_sinks++] = sim_dump_sink(dump);
    }
    if (st == ST_OK && o->trace) {
        st = sim_record_create(s, o->trace, sim_input_count(in), a, &record, e);
        if (st == ST_OK) sinks[how.n_sinks++] = sim_record_sink(record);
    }
    if (st == ST_OK) st = sim_evaluate(s, in, &how, a, r, e);
    if (st == ST_OK && dump) st = sim_dump_commit(dump, e);
    if (st == ST_OK && record) st = sim_record_commit(record, e);
    sim_dump_discard(dump);
    sim_record_discard(record);
    return st;
}

static status run(const options *o, err *e)
{
    sim_setup *s;
    sim_input *in = NULL;
    sim_result r;
    if (!o->input) return err_set(e, ST_ARG, "--input", "give the inputs: --input X.npy or X.npz (in0, in1, ...)");
    if (o->threads < 1) return err_set(e, ST_ARG, "--threads", "at least 1");
    TRY(sim_setup_open(&o->config, &s, e));
    arena *a = arena_create(0);
    status st = a ? ST_OK : err_set(e, ST_NOMEM, "", "no memory");
    if (st == ST_OK) st = sim_input_open(s->graph, o->input, o->labels, o->names, o->limit, a, &in, e);
    if (st == ST_OK) st = write_outputs(o, s, in, a, &r, e);
    if (st == ST_OK) {
        report_run(s, &r, o->format);
        if (s->board && hw_table_missing(s->table)[0])
            st = err_set(e, ST_INCOMPLETE, hw_board_name(s->board), "the estimate is incomplete: %s%s", hw_table_missing(s->table)[0],
                         hw_table_missing(s->table)[1] ? " (and more, listed above)" : "");
    }
    sim_input_close(&in);
    arena_destroy(&a);
    sim_setup_close(&s);
    return st;
}

int cmd_run(int argc, char **argv)
{
    options o = {.limit = -1, .threads = 1};
    const cli_option table[] = {
        {"--input", "X.npy|X.npz", CLI_TEXT, &o.input, "inputs, leading axis = inputs; .npz: in0, in1, ..."},
        {"--labels", "Y.npy", CLI_TEXT, &o.labels, "class per input: reports top-1"},
        {"--names", "N.txt", CLI_TEXT, &o.names, "a name per line and input, kept in traces (board logs are matched by it)"},
        {"--profile", "NAME", CLI_TEXT, &o.config.profile, "arithmetic (bitemu profiles lists them; default: the model's, else tflm)"},
        {"--board", "NAME|FILE", CLI_TEXT, &o.config.board, "board to price on (bitemu boards lists them)"},
        {"--policy", "P", CLI_TEXT, &o.config.policy, "bits per input: fixed:8, layers:8,4,2, controller, random:SEED"},
        {"--accumulator", "BITS[:wrap|saturate]", CLI_TEXT, &o.config.accumulator, "of every MAC layer: 8 to 32 bits, or 64 (default: the layers' own)"},
        {"--limit", "N", CLI_COUNT, &o.limit, "only the first N inputs"},
        {"--threads", "N", CLI_COUNT, &o.threads, "threads (default 1); results do not depend on it"},
        {"--reset-state", "each|never", CLI_TEXT, &o.reset, "streaming models: state afresh with each input (default: kept)"},
        {"--trace", "T.jsonl", CLI_TEXT, &o.trace, "a record per input and layer: decision, CRC-32, events, cycles"},
        {"--dump", "T.npz", CLI_TEXT, &o.dump, "outputs and the CRC-32 of every operator's output as arrays"},
        {"--dump-tensors", NULL, CLI_FLAG, &o.config.keep_tensors, "with --dump: every operator's output too (t0, t1, ...)"},
        {"--format", "text|json|csv", CLI_FORMAT, &o.format, "report on standard output"},
    };
    const char *args[1];
    int n;
    bool help;
    err e = {0};
    status st = cli_parse(argc, argv, &usage, table, sizeof table / sizeof *table, args, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    if (st == ST_OK) st = check_reset(&o, &e);
    if (st == ST_OK) {
        o.config.model = args[0];
        st = run(&o, &e);
    }
    return st == ST_OK ? 0 : cli_fail(&e);
}
