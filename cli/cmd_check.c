/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/npy.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "emu/overflow.h"
#include "model/load.h"

typedef struct options {
    const char *model, *profile, *accumulator, *witness;
    cli_format format;
} options;

typedef struct checked {
    const model_graph *g;
    const emu_profile *profile;
    model_accumulator asked; /* bits 0 = the layers' own */
    emu_session *session;
    emu_overflow *layers;    /* [n_ops] */
    arena *a;
} checked;

static const cli_usage usage = {
    "bitemu check MODEL [--profile P] [--accumulator BITS[:wrap|saturate]] [--witness DIR] [--format text|json]",
    "Can an accumulator overflow? For every convolution and fully connected layer, every choice of bits and table entry, the exact\n"
    "smallest and largest accumulator over all codes that the layer's input tensor can hold, the bits it needs, and the input that\n"
    "overflows it. Every bound is confirmed by running the layer on its input. The input is the network's only for layers that read it\n"
    "directly. Exit status 1: some layer can overflow; 3: none found, but some layers could not be examined.",
    "  bitemu check digits.bitemu\n  bitemu check kws.tflite --profile cmsis-nn --accumulator 16:saturate --witness inputs/\n", 1, 1,
};

static const char *verdict_text(emu_verdict v)
{
    return v == EMU_CANNOT_OVERFLOW ? "cannot overflow" : v == EMU_OVERFLOWS ? "overflows" : "not examined";
}

static const model_op *op_of(const checked *c, int op) { return &c->g->subgraphs[0].ops[op]; }
static const model_tensor *input_of(const checked *c, int op) { return &c->g->subgraphs[0].tensors[op_of(c, op)->inputs[0]]; }
static bool network_input(const checked *c, int op)
{
    const model_subgraph *sub = &c->g->subgraphs[0];
    for (int i = 0; i < sub->n_inputs; i++) {
        if (sub->inputs[i] == op_of(c, op)->inputs[0]) return true;
    }
    return false;
}

/* The choices behind an extreme or case: "conv1 w8a8, conv2 w4a4"; "" without any. */
static const char *choices_text(const checked *c, int op, int candidate, int entry, char *buf, size_t room)
{
    const model_op *o = op_of(c, op);
    int *taken = arena_alloc(c->a, (size_t)c->g->n_choices + 1, sizeof *taken);
    size_t at = 0;
    buf[0] = 0;
    for (int i = 0; taken && i < c->g->n_choices; i++) taken[i] = EMU_FREE;
    if (taken && o->choice >= 0) taken[o->choice] = candidate;
    if (taken) emu_entry_take(c->g, o, entry, taken);
    for (int i = 0; taken && i < c->g->n_choices && at < room; i++) {
        if (taken[i] == EMU_FREE) continue;
        const model_candidate *k = &c->g->choices[i].candidates[taken[i]];
        at += (size_t)snprintf(buf + at, room - at, "%s%.40s w%da%d", at ? ", " : "", c->g->choices[i].name, k->w_bits, k->a_bits);
    }
    return buf;
}

static void print_worst(const checked *c, int op)
{
    const emu_overflow *o = &c->layers[op];
    const emu_extreme *x = emu_overflow_worst(o);
    const model_tensor *y = &c->g->subgraphs[0].tensors[op_of(c, op)->outputs[0]];
    char choices[200];
    bool largest = x == &o->high;
    size_t pixel = x->out / (size_t)o->channels;
    int width = y->n_dims == 4 ? y->dims[2] : 1;
    printf("\n%d %.50s: channel %zu", op, op_of(c, op)->name, x->out % (size_t)o->channels);
    if (y->n_dims == 4) printf(" at row %zu, column %zu", pixel / (size_t)width, pixel % (size_t)width);
    printf(" %s %" PRId64 " on x = %d where w > 0, %d where w < 0", o->accumulator.overflow == MODEL_SATURATE ? "would reach" : "is", x->value,
           largest ? x->codes.high : x->codes.low, largest ? x->codes.low : x->codes.high);
    if (choices_text(c, op, x->candidate, x->entry, choices, sizeof choices)[0]) printf(" (%s)", choices);
    printf("\n  confirmed by running the layer; %s\n", network_input(c, op) ? "this is an input of the network" : "an input of the layer, not of the network");
}

static void print_text(const checked *c, emu_verdict verdict)
{
    static const char *const columns[] = {">#", "op", "name", "accumulator", ">needs", ">smallest", ">largest", ">cases", "verdict", NULL};
    cli_table *t = cli_table_create(columns);
    int n = c->g->subgraphs[0].n_ops, rows = 0;
    printf("%s: profile %s (%s)\n\n", c->g->path, c->profile->name, c->profile->version);
    for (int op = 0; t && op < n; op++) {
        const emu_overflow *o = &c->layers[op];
        if (o->verdict == EMU_NO_ACCUMULATOR) continue;
        bool proven = o->verdict != EMU_NOT_EXAMINED;
        rows++;
        cli_table_row(t);
        cli_table_cell(t, "%d", op);
        cli_table_cell(t, "%s", op_of(c, op)->type);
        cli_table_cell(t, "%.40s", op_of(c, op)->name);
        cli_table_cell(t, o->accumulator.bits ? "%d %s" : "-", o->accumulator.bits, model_overflow_name(o->accumulator.overflow));
        cli_table_cell(t, proven ? "%d" : "-", o->bits_needed);
        cli_table_cell(t, proven ? "%" PRId64 : "-", o->low.value);
        cli_table_cell(t, proven ? "%" PRId64 : "-", o->high.value);
        cli_table_cell(t, proven ? "%d" : "-", o->n_cases);
        cli_table_cell(t, "%s%s%s", verdict_text(o->verdict), o->why ? ": " : "", o->why ? o->why : "");
    }
    if (t) cli_table_print(&t);
    if (!rows) printf("no layer has an integer accumulator\n");
    for (int op = 0; op < n; op++) {
        if (c->layers[op].verdict == EMU_OVERFLOWS) print_worst(c, op);
    }
    if (rows) printf("\n%s\n", verdict == EMU_CANNOT_OVERFLOW ? "no accumulator can overflow" : verdict == EMU_OVERFLOWS ? "accumulators can overflow" : "not every accumulator was examined");
}

static json_t *json_cases(const checked *c, int op)
{
    const emu_overflow *o = &c->layers[op];
    json_t *list = json_array();
    char choices[200];
    for (int i = 0; i < o->n_cases; i++) {
        const emu_overflow_case *k = &o->cases[i];
        json_t *one = json_pack("{s:i, s:i, s:I, s:I, s:I, s:I}", "candidate", k->candidate, "entry", k->entry, "final_min", (json_int_t)k->final_low,
                                "final_max", (json_int_t)k->final_high, "partial_min", (json_int_t)k->step_low, "partial_max", (json_int_t)k->step_high);
        json_t *text = json_string(choices_text(c, op, k->candidate, k->entry, choices, sizeof choices));
        json_object_set_new(one, "choices", text ? text : json_null());
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *json_worst(const checked *c, int op)
{
    const emu_overflow *o = &c->layers[op];
    const emu_extreme *x = emu_overflow_worst(o);
    bool largest = x == &o->high;
    return json_pack("{s:I, s:I, s:I, s:i, s:i, s:i, s:i, s:b, s:b}", "value", (json_int_t)x->value, "channel", (json_int_t)(x->out % (size_t)o->channels),
                     "output_element", (json_int_t)x->out, "candidate", x->candidate, "entry", x->entry, "x_where_w_positive",
                     largest ? x->codes.high : x->codes.low, "x_where_w_negative", largest ? x->codes.low : x->codes.high, "network_input",
                     network_input(c, op), "confirmed", 1);
}

static json_t *json_layer(const checked *c, int op)
{
    const emu_overflow *o = &c->layers[op];
    json_t *j = json_pack("{s:i, s:s, s:s}", "index", op, "op", op_of(c, op)->type, "verdict", verdict_text(o->verdict)), *name = json_string(op_of(c, op)->name);
    json_object_set_new(j, "name", name ? name : json_null());
    if (o->accumulator.bits) json_object_set_new(j, "accumulator", json_pack("{s:i, s:s}", "bits", o->accumulator.bits, "overflow", model_overflow_name(o->accumulator.overflow)));
    if (o->why) json_object_set_new(j, "why", json_string(o->why));
    if (o->verdict == EMU_NOT_EXAMINED) return j;
    json_object_set_new(j, "bits_needed", json_integer(o->bits_needed));
    json_object_set_new(j, "bits_needed_wrapping", json_integer(o->bits_final));
    json_object_set_new(j, "bits_needed_saturating", json_integer(o->bits_steps));
    json_object_set_new(j, "acc_min", json_integer(o->low.value));
    json_object_set_new(j, "acc_max", json_integer(o->high.value));
    json_object_set_new(j, "cases", json_cases(c, op));
    json_object_set_new(j, "worst", o->verdict == EMU_OVERFLOWS ? json_worst(c, op) : json_null());
    return j;
}

static void print_json(const checked *c, emu_verdict verdict)
{
    json_t *layers = json_array(), *path = json_string(c->g->path);
    for (int op = 0; op < c->g->subgraphs[0].n_ops; op++) {
        if (c->layers[op].verdict != EMU_NO_ACCUMULATOR) json_array_append_new(layers, json_layer(c, op));
    }
    json_t *j = json_pack("{s:o, s:s, s:s, s:s, s:o}", "model", path ? path : json_null(), "profile", c->profile->name, "profile_version", c->profile->version, "verdict",
                          verdict_text(verdict), "layers", layers);
    (void)json_dumpf(j, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(j);
}

static npy_type npy_of(model_dtype t) { return t == MODEL_U8 ? NPY_U8 : t == MODEL_I16 ? NPY_I16 : NPY_I8; }

/* The input that overflows op as DIR/layer<op>.npy, shaped and typed like the layer's input tensor. */
static status write_witness(const checked *c, int op, const char *dir, err *e)
{
    const emu_overflow *o = &c->layers[op];
    const model_tensor *t = input_of(c, op);
    const emu_extreme *x = emu_overflow_worst(o);
    npy_info info = {.type = npy_of(t->dtype), .n_dims = t->n_dims};
    char path[900], header[256];
    int *candidate = arena_alloc(c->a, (size_t)c->g->n_choices + 1, sizeof *candidate);
    file_out out;
    if (!candidate) return err_set(e, ST_NOMEM, dir, "no memory");
    if (snprintf(path, sizeof path, "%s/layer%d.npy", dir, op) >= (int)sizeof path) return err_set(e, ST_ARG, "--witness", "the folder's name is too long");
    for (int d = 0; d < t->n_dims; d++) info.dims[d] = t->dims[d];
    TRY(emu_overflow_witness(c->session, op, x, x == &o->high, candidate, c->a, e));
    TRY(file_create(&out, path, e));
    (void)fwrite(header, 1, npy_header(&info, header), out.f);
    (void)fwrite(emu_tensor_data(c->session, op_of(c, op)->inputs[0]), 1, model_tensor_bytes(t), out.f);
    return file_commit(&out, e);
}

static status witnesses(const checked *c, const char *dir, err *e)
{
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) return err_set(e, ST_IO, dir, "cannot make the folder: %s", strerror(errno));
    for (int op = 0; op < c->g->subgraphs[0].n_ops; op++) {
        if (c->layers[op].verdict == EMU_OVERFLOWS) TRY(write_witness(c, op, dir, e));
    }
    return ST_OK;
}

static status prepare(const options *o, checked *c, err *e)
{
    model_graph *g;
    if (o->accumulator) TRY(model_accumulator_parse(o->accumulator, &c->asked, e));
    TRY(model_load(o->model, c->a, &g, e));
    TRY(model_check(g, e));
    const char *name = o->profile ? o->profile : g->profile ? g->profile : "tflm";
    c->g = g;
    c->profile = emu_profile_find(name);
    if (!c->profile) return err_set(e, ST_ARG, "--profile", "no profile '%s'; bitemu profiles lists them", name);
    c->layers = arena_alloc(c->a, (size_t)g->subgraphs[0].n_ops, sizeof *c->layers);
    if (!c->layers) return err_set(e, ST_NOMEM, o->model, "no memory");
    return emu_session_create_as(g, c->profile, &c->asked, c->a, &c->session, e);
}

static status check(const options *o, checked *c, emu_verdict *verdict, err *e)
{
    *verdict = EMU_CANNOT_OVERFLOW;
    TRY(prepare(o, c, e));
    for (int op = 0; op < c->g->subgraphs[0].n_ops; op++) {
        emu_overflow *l = &c->layers[op];
        TRY(emu_overflow_prove(c->session, op, c->a, l, e));
        TRY(emu_overflow_confirm(c->session, op, l, c->a, e));
        if (l->verdict == EMU_OVERFLOWS) *verdict = EMU_OVERFLOWS;
        if (l->verdict == EMU_NOT_EXAMINED && *verdict == EMU_CANNOT_OVERFLOW) *verdict = EMU_NOT_EXAMINED;
    }
    if (o->witness) TRY(witnesses(c, o->witness, e));
    if (o->format == CLI_AS_JSON)
        print_json(c, *verdict);
    else
        print_text(c, *verdict);
    return *verdict == EMU_NOT_EXAMINED ? err_set(e, ST_UNSUPPORTED, o->model, "some accumulators could not be examined (listed above)") : ST_OK;
}

int cmd_check(int argc, char **argv)
{
    options o = {0};
    const cli_option table[] = {
        {"--profile", "NAME", CLI_TEXT, &o.profile, "arithmetic (bitemu profiles lists them; default: the model's, else tflm)"},
        {"--accumulator", "BITS[:wrap|saturate]", CLI_TEXT, &o.accumulator, "of every MAC layer: 8 to 32 bits, or 64 (default: the layers' own)"},
        {"--witness", "DIR", CLI_TEXT, &o.witness, "write the input of each layer that overflows as DIR/layer<#>.npy"},
        {"--format", "text|json", CLI_FORMAT, &o.format, "how to print"},
    };
    const char *args[1];
    int n;
    bool help;
    err e = {0};
    emu_verdict verdict = EMU_CANNOT_OVERFLOW;
    status st = cli_parse(argc, argv, &usage, table, sizeof table / sizeof *table, args, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    checked c = {.a = arena_create(0)};
    if (st == ST_OK && o.format == CLI_AS_CSV) st = err_set(&e, ST_ARG, "--format", "check prints text or json");
    if (st == ST_OK && !c.a) st = err_set(&e, ST_NOMEM, "", "no memory");
    o.model = args[0];
    if (st == ST_OK) st = check(&o, &c, &verdict, &e);
    arena_destroy(&c.a);
    return st != ST_OK ? cli_fail(&e) : verdict == EMU_OVERFLOWS;
}
