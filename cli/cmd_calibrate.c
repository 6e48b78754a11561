/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/calibrate.h"
#include "cli/commands.h"

static const cli_usage usage = {
    "bitemu calibrate --kernels K --board B [options] LOG...",
    "Fits cycles per counted instruction, by operator class, to measurements of whole networks or single layers: least squares of the\n"
    "relative errors, no factor below 0. Prints factors, residuals, and the errors of measurements that were left out of the fit.\n"
    "LOG is a .csv with the columns model, cycles and, if wanted, op, board, core; or a log with operators' times: TensorFlow Lite\n"
    "Micro's profiler, NNoM's model_stat(), X-CUBE-AI's report, a trace with cycles_measured.",
    "  bitemu calibrate --kernels cmsis-nn --board nucleo-l4r5zi measured.csv -o stacks/mine.yaml\n"
    "  BITEMU_STACKS=stacks bitemu cost net.tflite --board nucleo-l4r5zi --kernels mine\n"
    "  bitemu calibrate --kernels portable-c --board raspberry-pi-pico --model net.tflite --cycles-per-tick 125 profile.txt\n",
    1, 64,
};

typedef struct options {
    const char *kernels, *board, *model, *ticks, *pull, *out;
    cli_format format;
} options;

static status real(const char *name, const char *text, double least, double *out, err *e)
{
    char *end;
    if (!text) return ST_OK;
    *out = strtod(text, &end);
    if (end == text || *end || !isfinite(*out) || *out < least) return err_set(e, ST_ARG, name, "'%s' is not a number %s 0", text, least > 0 ? ">" : ">=");
    return ST_OK;
}

static status calibrate(const options *o, const char *const *logs, int n, arena *a, err *e)
{
    calibrate_set s = {.mem = a, .model = o->model};
    hw_calibration *c;
    double pull = -1;
    if (!o->kernels || !o->board) return err_set(e, ST_ARG, "calibrate", "say what was measured: --kernels TABLE --board BOARD");
    TRY(real("--pull", o->pull, 0, &pull, e));
    TRY(real("--cycles-per-tick", o->ticks, 1e-300, &s.cycles_per_tick, e));
    TRY(hw_board_load(o->board, a, &s.board, e));
    TRY(hw_calibrate_kernels(s.board, o->kernels, a, &s.kernels, e));
    for (int i = 0; i < n; i++) {
        size_t len = strlen(logs[i]);
        bool csv = len > 4 && strcmp(logs[i] + len - 4, ".csv") == 0;
        TRY(csv ? calibrate_read_csv(&s, logs[i], e) : calibrate_read_log(&s, logs[i], e));
    }
    TRY(hw_calibrate(s.kernels, s.samples, s.n, pull, a, &c, e));
    if (o->out) TRY(calibrate_write(&s, c, o->out, e));
    calibrate_print(&s, c, o->format);
    return ST_OK;
}

int cmd_calibrate(int argc, char **argv)
{
    options o = {0};
    const cli_option table[] = {
        {"--kernels", "K", CLI_TEXT, &o.kernels, "table of counted instructions: cmsis-nn, portable-c (hwmodels/kernels)"},
        {"--board", "B", CLI_TEXT, &o.board, "board that was measured; its core names the figures"},
        {"--model", "NET", CLI_TEXT, &o.model, "network of the profiler logs"},
        {"--cycles-per-tick", "N", CLI_TEXT, &o.ticks, "of the profiler's ticks: clock / tick rate (default: by the log's milliseconds)"},
        {"--pull", "W", CLI_TEXT, &o.pull, "of every class towards a common factor (default 0.15; 0 if each class was measured alone)"},
        {"-o", "NAME.yaml", CLI_TEXT, &o.out, "write the stack; BITEMU_STACKS=FOLDER makes --kernels NAME find it"},
        {"--format", "text|json", CLI_FORMAT, &o.format, "how to print"},
    };
    const char *args[64];
    int n;
    bool help;
    err e = {0};
    status st = cli_parse(argc, argv, &usage, table, (int)(sizeof table / sizeof *table), args, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    arena *a = arena_create(0);
    if (st == ST_OK && o.format == CLI_AS_CSV) st = err_set(&e, ST_ARG, "--format", "calibrate prints text or json");
    if (st == ST_OK && !a) st = err_set(&e, ST_NOMEM, "", "no memory");
    if (st == ST_OK) st = calibrate(&o, args, n, a, &e);
    arena_destroy(&a);
    return st == ST_OK ? 0 : cli_fail(&e);
}
