/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/plan_svg.h"
#include "cli/table.h"
#include "hwmodels/hw.h"
#include "model/load.h"
#include "sim/sim.h"

static const cli_usage usage = {
    "bitemu plan MODEL [--planner P] [--kernels K] [--policy P] [--svg OUT.svg] [--format text|json]",
    "Places the activations of a network in memory (greedy by size, as TensorFlow Lite Micro plans) and says what SRAM and flash it\n"
    "needs. Activations narrower than a byte are packed; without a policy a layer with choices counts at its widest.",
    "  bitemu plan net.tflite --kernels cmsis-nn:dsp --svg plan.svg\n"
    "  bitemu plan net.tflite --planner exact\n",
    1, 1,
};

typedef struct options {
    const char *planner, *kernels, *policy, *svg;
    cli_format format;
} options;

static void print_text(const model_graph *g, const hw_plan *p, hw_planner asked)
{
    static const char *const columns[] = {"tensor", ">bytes", ">offset", ">first op", ">last op", NULL};
    cli_table *t = cli_table_create(columns);
    for (int i = 0; t && i < p->n_buffers; i++) {
        const hw_buffer *b = &p->buffers[i];
        cli_table_row(t);
        cli_table_cell(t, "%.60s", b->name);
        cli_table_cell(t, "%zu", b->bytes);
        cli_table_cell(t, "%zu", b->offset);
        cli_table_cell(t, "%d", b->first_op);
        cli_table_cell(t, "%d", b->last_op);
    }
    if (t) cli_table_print(&t);
    printf("\nplanner %s%s", hw_planner_name(p->planner), p->optimal ? ": no placement takes less" : "");
    if (asked == HW_EXACT && !p->optimal) printf(": the exact search was given up; the best placement that was found");
    if (p->kernels) printf("; scratch of %s", p->kernels);
    printf("\nSRAM  %zu bytes = arena %zu (lower bound %zu, peak at op %d %s) + state %zu\n", p->sram_bytes, p->arena_bytes, p->bound_bytes,
           p->peak_op, p->peak_op >= 0 ? g->subgraphs[0].ops[p->peak_op].type : "-", p->state_bytes);
    if (p->tflm_tail_bytes >= 0)
        printf("TensorFlow Lite Micro: %lld bytes more for its own structures, arena %lld in all (a 64-bit host's recorder: %lld)\n", (long long)p->tflm_tail_bytes,
               (long long)p->tflm_tail_bytes + (long long)p->sram_bytes, (long long)p->tflm_tail64_bytes + (long long)p->sram_bytes);
    else printf("TensorFlow Lite Micro: the size of an operator's own data is not known\n");
    printf("flash %zu bytes = weights %zu (%zu if they were Huffman coded) + tables %zu (code not counted)\n", p->flash_bytes, p->weight_bytes, p->huffman_bytes, p->table_bytes);
}

static void print_json(const hw_plan *p)
{
    json_t *buffers = json_array();
    for (int i = 0; i < p->n_buffers; i++) {
        const hw_buffer *b = &p->buffers[i];
        json_t *one = json_pack("{s:I, s:I, s:i, s:i}", "bytes", (json_int_t)b->bytes, "offset", (json_int_t)b->offset, "first_op",
                                b->first_op, "last_op", b->last_op);
        json_object_set_new(one, "name", json_string(b->name));
        json_array_append_new(buffers, one);
    }
    json_t *j = json_pack("{s:I, s:I, s:I, s:i, s:I, s:I, s:I, s:I, s:o}", "sram_bytes", (json_int_t)p->sram_bytes, "arena_bytes",
                          (json_int_t)p->arena_bytes, "bound_bytes", (json_int_t)p->bound_bytes, "peak_op", p->peak_op, "state_bytes",
                          (json_int_t)p->state_bytes, "weight_bytes", (json_int_t)p->weight_bytes, "table_bytes",
                          (json_int_t)p->table_bytes, "flash_bytes", (json_int_t)p->flash_bytes, "buffers", buffers);
    bool known = p->tflm_tail_bytes >= 0;
    json_object_set_new(j, "tflm_arena_bytes", known ? json_integer((json_int_t)p->sram_bytes + p->tflm_tail_bytes) : json_null());
    json_object_set_new(j, "tflm_arena_64bit_bytes", known ? json_integer((json_int_t)p->sram_bytes + p->tflm_tail64_bytes) : json_null());
    json_object_set_new(j, "huffman_weight_bytes", json_integer((json_int_t)p->huffman_bytes));
    json_object_set_new(j, "planner", json_string(hw_planner_name(p->planner)));
    json_object_set_new(j, "optimal", json_boolean(p->optimal));
    json_object_set_new(j, "kernels", p->kernels ? json_string(p->kernels) : json_null());
    (void)json_dumpf(j, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(j);
}

static status find_planner(const char *name, hw_planner *out, err *e)
{
    *out = HW_GREEDY;
    if (!name) return ST_OK;
    for (int i = HW_GREEDY; i <= HW_EXACT; i++) {
        *out = (hw_planner)i;
        if (strcmp(name, hw_planner_name(*out)) == 0) return ST_OK;
    }
    return err_set(e, ST_ARG, "--planner", "'%s' is not greedy, first-fit or exact", name);
}

static status plan(const char *path, const options *o, arena *a, err *e)
{
    model_graph *g;
    hw_plan *p;
    hw_plan_config c = {.planner = HW_GREEDY, .kernels = o->kernels};
    TRY(find_planner(o->planner, &c.planner, e));
    TRY(model_load(path, a, &g, e));
    TRY(model_check(g, e));
    if (o->policy && g->n_choices) {
        int *candidate = arena_alloc(a, (size_t)g->n_choices, sizeof *candidate);
        if (!candidate) return err_set(e, ST_NOMEM, "", "no memory");
        TRY(sim_static_policy(g, o->policy, a, candidate, e));
        c.candidate = candidate;
    }
    TRY(hw_plan_make(g, &c, a, &p, e));
    if (o->svg) TRY(plan_svg_write(g, p, o->svg, e));
    if (o->format == CLI_AS_JSON)
        print_json(p);
    else
        print_text(g, p, c.planner);
    return ST_OK;
}

int cmd_plan(int argc, char **argv)
{
    options o = {0};
    const cli_option table[] = {
        {"--planner", "P", CLI_TEXT, &o.planner, "greedy (by size, as TensorFlow Lite Micro; default), first-fit, exact"},
        {"--kernels", "K", CLI_TEXT, &o.kernels, "count the scratch of cmsis-nn[:c|dsp|mve], cmix-nn, pulp-nn, tinyengine, bitemu:ROW (docs/DEVICE.md); each lives for its operator only"},
        {"--policy", "P", CLI_TEXT, &o.policy, "bits of the layers: fixed:8, layers:8,4,2 (default: the most that any reachable choice needs)"},
        {"--svg", "OUT.svg", CLI_TEXT, &o.svg, "picture of the buffers' lives, with the operator at the peak"},
        {"--format", "text|json", CLI_FORMAT, &o.format, "how to print"},
    };
    const char *args[1];
    int n;
    bool help;
    err e = {0};
    status st = cli_parse(argc, argv, &usage, table, (int)(sizeof table / sizeof *table), args, &n, &help, &e);
    if (st == ST_OK && help) return 0;
    arena *a = arena_create(0);
    if (st == ST_OK && o.format == CLI_AS_CSV) st = err_set(&e, ST_ARG, "--format", "plan prints text or json");
    if (st == ST_OK && !a) st = err_set(&e, ST_NOMEM, "", "no memory");
    if (st == ST_OK) st = plan(args[0], &o, a, &e);
    arena_destroy(&a);
    return st == ST_OK ? 0 : cli_fail(&e);
}
