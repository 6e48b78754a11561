/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "hwmodels/count.h"
#include "hwmodels/hw.h"
#include "emu/emu.h"
#include "model/load.h"

static const cli_usage usage = {
    "bitemu inspect MODEL [--save OUT.bitemu] [--format text|json]",
    "Lists operators, shapes, widths, multiply-accumulates and parameters of a model, its choices, and every operator that bitemu\n"
    "cannot run (exit status 3 then). --save writes it in the native format.",
    "  bitemu inspect kws.tflite\n  bitemu inspect kws.tflite --save kws.bitemu\n", 1, 1,
};

static const char *shape_text(const model_tensor *t, char *buf, size_t room)
{
    size_t at = 0;
    (void)snprintf(buf, room, "scalar");
    for (int d = 0; d < t->n_dims && at + 16 < room; d++) at += (size_t)snprintf(buf + at, room - at, "%s%d", d ? "x" : "", t->dims[d]);
    return buf;
}

/* Constant elements an operator reads: weights, bias, stated tables apart. */
static uint64_t parameters(const model_graph *g, const model_op *op)
{
    uint64_t n = 0;
    bool weighted = op->code == MODEL_CONV_2D || op->code == MODEL_DEPTHWISE_CONV_2D || op->code == MODEL_FULLY_CONNECTED || op->code == MODEL_SVDF ||
                    op->code == MODEL_TRANSPOSE_CONV || op->code == MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM;
    for (int i = 0; weighted && i < op->n_inputs; i++) {
        if (op->inputs[i] >= 0 && g->subgraphs[0].tensors[op->inputs[i]].data) n += g->subgraphs[0].tensors[op->inputs[i]].n_elems;
    }
    if (op->integer && (op->integer->bias || op->integer->bias64)) n += (uint64_t)op->integer->n_entries * (uint64_t)g->subgraphs[0].tensors[op->inputs[1]].dims[0];
    return n;
}

static const model_tensor *operand(const model_graph *g, const int *list, int n, int i)
{
    return i < n && list[i] >= 0 ? &g->subgraphs[0].tensors[list[i]] : NULL;
}

static bool supported(const model_op *op) { return op->code != MODEL_UNSUPPORTED; }

static const char *grid_name(const model_op *op)
{
    if (op->grid) return op->grid->binary_input ? "binary x binary" : quant_grid_names[op->grid->weights.kind];
    return op->integer && (op->code == MODEL_CONV_2D || op->code == MODEL_DEPTHWISE_CONV_2D || op->code == MODEL_FULLY_CONNECTED) ? quant_grid_names[QUANT_AFFINE] : "-";
}

static void print_choices(const model_graph *g)
{
    for (int c = 0; c < g->n_choices; c++) {
        const model_choice *ch = &g->choices[c];
        printf("choice %s:", ch->name);
        for (int k = 0; k < ch->n_candidates; k++) printf(" w%da%d", ch->candidates[k].w_bits, ch->candidates[k].a_bits);
        printf("%s\n", ch->tensor >= 0 ? ", decided by the model's own controller" : "");
    }
}

static void print_text(const model_graph *g, bool sound)
{
    static const char *const columns[] = {">#", "op", "input", "weights", "output", "type", ">w", ">a", "grid", ">MACs", ">parameters", "name", NULL};
    const model_subgraph *sub = &g->subgraphs[0];
    cli_table *t = cli_table_create(columns);
    uint64_t macs = 0, params = 0;
    char buf[96];
    printf("%s: %s, %zu bytes, crc32 %08x, %d operators, %d tensors%s\n\n", g->path, g->format, g->file_bytes, g->crc32, sub->n_ops, sub->n_tensors,
           g->n_subgraphs > 1 ? ", further subgraphs" : "");
    for (int i = 0; t && i < sub->n_ops; i++) {
        const model_op *op = &sub->ops[i];
        const model_tensor *x = operand(g, op->inputs, op->n_inputs, 0), *w = operand(g, op->inputs, op->n_inputs, 1), *y = operand(g, op->outputs, op->n_outputs, 0);
        uint64_t m = sound && supported(op) ? hw_count_op(g, op).macs : 0, p = sound ? parameters(g, op) : 0;
        int wb = 0, ab = 0;
        if (sound && supported(op)) hw_op_bits(g, i, NULL, &wb, &ab);
        macs += m;
        params += p;
        cli_table_row(t);
        cli_table_cell(t, "%d", i);
        cli_table_cell(t, "%s%s", op->type, supported(op) ? "" : " (unsupported)");
        cli_table_cell(t, "%s", x ? shape_text(x, buf, sizeof buf) : "-");
        cli_table_cell(t, "%s", w && w->data && m ? shape_text(w, buf, sizeof buf) : "-");
        cli_table_cell(t, "%s", y ? shape_text(y, buf, sizeof buf) : "-");
        cli_table_cell(t, "%s", y ? model_dtype_name(y->dtype) : "-");
        cli_table_cell(t, wb ? "%d" : "-", wb);
        cli_table_cell(t, ab ? "%d" : "-", ab);
        cli_table_cell(t, "%s", grid_name(op));
        cli_table_cell(t, m ? "%" PRIu64 : "-", m);
        cli_table_cell(t, p ? "%" PRIu64 : "-", p);
        cli_table_cell(t, "%.50s", op->name);
    }
    if (t) cli_table_print(&t);
    if (sound) printf("\n%" PRIu64 " MACs, %" PRIu64 " parameters\n", macs, params);
    print_choices(g);
}

static json_t *text_or_null(const char *s)
{
    json_t *j = json_string(s);
    return j ? j : json_null(); /* not UTF-8 */
}

static json_t *json_shape(const model_tensor *t)
{
    json_t *j = json_array();
    for (int d = 0; d < t->n_dims; d++) json_array_append_new(j, json_integer(t->dims[d]));
    return j;
}

static json_t *json_op(const model_graph *g, int i, bool sound)
{
    const model_op *op = &g->subgraphs[0].ops[i];
    const model_tensor *y = operand(g, op->outputs, op->n_outputs, 0);
    json_t *j = json_object();
    int wb = 0, ab = 0;
    if (sound) hw_op_bits(g, i, NULL, &wb, &ab);
    json_object_set_new(j, "index", json_integer(i));
    json_object_set_new(j, "op", text_or_null(op->type));
    json_object_set_new(j, "name", text_or_null(op->name));
    json_object_set_new(j, "supported", json_boolean(supported(op)));
    json_object_set_new(j, "shape", y ? json_shape(y) : json_null());
    json_object_set_new(j, "dtype", y ? json_string(model_dtype_name(y->dtype)) : json_null());
    json_object_set_new(j, "w_bits", wb ? json_integer(wb) : json_null());
    json_object_set_new(j, "a_bits", ab ? json_integer(ab) : json_null());
    json_object_set_new(j, "grid", json_string(grid_name(op)));
    json_object_set_new(j, "macs", sound ? json_integer((json_int_t)hw_count_op(g, op).macs) : json_null());
    const model_tensor *w = op->code == MODEL_CONV_2D || op->code == MODEL_DEPTHWISE_CONV_2D ? operand(g, op->inputs, op->n_inputs, 1) : NULL;
    if (w && w->n_dims == 4) json_object_set_new(j, "kernel", json_pack("[i, i]", w->dims[1], w->dims[2]));
    json_object_set_new(j, "parameters", sound ? json_integer((json_int_t)parameters(g, op)) : json_null());
    return j;
}

static void print_json(const model_graph *g, bool sound)
{
    json_t *j = json_object(), *ops = json_array(), *choices = json_array();
    for (int i = 0; i < g->subgraphs[0].n_ops; i++) json_array_append_new(ops, json_op(g, i, sound));
    for (int c = 0; c < g->n_choices; c++) {
        json_t *list = json_array();
        for (int k = 0; k < g->choices[c].n_candidates; k++)
            json_array_append_new(list, json_pack("{s:i, s:i}", "w", g->choices[c].candidates[k].w_bits, "a", g->choices[c].candidates[k].a_bits));
        json_array_append_new(choices, json_pack("{s:s, s:b, s:o}", "name", g->choices[c].name, "learned", g->choices[c].tensor >= 0, "candidates", list));
    }
    json_object_set_new(j, "model", json_string(g->path));
    json_object_set_new(j, "format", json_string(g->format));
    json_object_set_new(j, "crc32", json_integer(g->crc32));
    json_object_set_new(j, "operators", ops);
    json_object_set_new(j, "choices", choices);
    (void)json_dumpf(j, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(j);
}

/* Everything that the profile has no rule for, at once. */
static status against_profile(const model_graph *g, const char *name, arena *a, err *e)
{
    const emu_profile *p = emu_profile_find(name);
    emu_session *s;
    if (!p) return err_set(e, ST_ARG, "--profile", "no profile '%s'; bitemu profiles lists them", name);
    return emu_session_create(g, p, a, &s, e);
}

static status inspect(const char *path, const char *save, const char *profile, cli_format format, arena *a, err *e)
{
    model_graph *g;
    TRY(model_load(path, a, &g, e));
    status sound = model_check(g, e);
    if (sound != ST_OK && sound != ST_UNSUPPORTED) return sound;
    if (save && sound == ST_OK) TRY(model_save_native(g, save, e));
    if (format == CLI_AS_JSON)
        print_json(g, sound == ST_OK);
    else
        print_text(g, sound == ST_OK);
    return sound == ST_OK && profile ? against_profile(g, profile, a, e) : sound;
}

int cmd_inspect(int argc, char **argv)
{
    cli_format format = CLI_AS_TEXT;
    const char *save = NULL, *profile = NULL, *args[1];
    const cli_option table[] = {
        {"--save", "OUT.bitemu", CLI_TEXT, &save, "write the model in the native format"},
        {"--profile", "P", CLI_TEXT, &profile, "also say what this arithmetic lacks for the model (exit status 3)"},
        {"--format", "text|json", CLI_FORMAT, &format, "how to print"},
    };
    int n;
    bool help;
    err e = {0};
    status st = cli_parse(argc, argv, &usage, table, 3, args, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    arena *a = arena_create(0);
    if (st == ST_OK && !a) st = err_set(&e, ST_NOMEM, "", "no memory");
    if (st == ST_OK) st = inspect(args[0], save, profile, format, a, &e);
    arena_destroy(&a);
    return st == ST_OK ? 0 : cli_fail(&e);
}
