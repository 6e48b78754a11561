/* SPDX-License-Identifier: Apache-2.0
 * The flow of an export: the emulator's integers, packed weights, a memory plan, does it fit, known answers, the folder. */
#include "sim/export.h"

#include <string.h>

#include "device/kernels/rows.h"
#include "sim/export_internal.h"
#include "sim/input.h"

enum { LOG_BYTES = 512 }; /* of SRAM beside arena and stack: the run's own variables, a line of log */

int export_offset(const exporter *x, int tensor)
{
    for (int i = 0; i < x->plan->n_buffers; i++) {
        if (x->plan->buffers[i].tensor == tensor) return (int)x->plan->buffers[i].offset;
    }
    return -1;
}

int export_scratch(const exporter *x, int op)
{
    for (int i = 0; i < x->plan->n_buffers; i++) {
        if (x->plan->buffers[i].tensor < 0 && x->plan->buffers[i].first_op == op) return (int)x->plan->buffers[i].offset;
    }
    return 0;
}

static status find_row(exporter *x, err *e)
{
    static const dev_kernels rows[] = {
#define ROW(NAME, PIXELS, BYTES, LANES, ORDER, UNPACKS) {.name = #NAME, .pixels = PIXELS, .lane_bytes = BYTES, .lanes = LANES, .order = ORDER, .unpacks = UNPACKS},
        DEV_ROWS(ROW)
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, x->board.kernels) != 0) continue;
        x->row = rows[i];
        return ST_OK;
    }
    return err_set(e, ST_FORMAT, x->board.name, "there is no kernel row '%s'", x->board.kernels);
}

/* As far as it fits. */
static void append(err *all, const err *one)
{
    const char *const part[] = {"; ", one->where, ": ", one->msg};
    for (int i = 0; i < 4; i++) strncat(all->msg, part[i], sizeof all->msg - strlen(all->msg) - 1);
}

/* Every operator that no kernel covers is named, not only the first. */
static status make_layers(exporter *x, err *e)
{
    err all = {0};
    for (int i = 0; i < x->g->n_ops; i++) {
        err one = {0};
        status s = export_layer_make(x, i, &x->layers[i], &one);
        if (s == ST_OK) continue;
        if (s != ST_UNSUPPORTED) return err_set(e, s, one.where, "%s", one.msg);
        if (all.code == ST_OK) all = one;
        else append(&all, &one);
    }
    return all.code == ST_OK ? ST_OK : err_set(e, all.code, all.where, "%s", all.msg);
}

static status check_network(const exporter *x, err *e)
{
    const model_graph *g = x->s->graph;
    if (x->g->n_inputs != 1 || x->g->n_outputs != 1) return err_set(e, ST_UNSUPPORTED, g->path, "%d inputs and %d outputs; boards take networks of one each", x->g->n_inputs, x->g->n_outputs);
    if (x->s->stateful) return err_set(e, ST_UNSUPPORTED, g->path, "streaming state is not exported yet");
    for (int c = 0; c < g->n_choices; c++) {
        if (g->choices[c].n_candidates > DEV_MAX_CANDIDATES) return err_set(e, ST_UNSUPPORTED, g->choices[c].name, "more than %d candidates", DEV_MAX_CANDIDATES);
    }
    return ST_OK;
}

static void add_up(exporter *x)
{
    sim_export_report *r = x->r;
    for (int i = 0; i < x->g->n_ops; i++) {
        r->weight_bytes += export_weight_bytes(&x->layers[i]);
        r->table_bytes += export_table_bytes(&x->layers[i]);
    }
    r->arena_bytes = x->plan->arena_bytes;
    r->peak_op = x->plan->peak_op;
    r->sram_bytes = r->arena_bytes + (size_t)x->board.stack + LOG_BYTES;
    r->input_bytes = (size_t)r->inputs * model_tensor_bytes(&x->g->tensors[x->g->inputs[0]]);
    if (x->c->known) r->known_bytes = (size_t)r->inputs * sim_tensor_bytes(x->s);
    r->flash_bytes = r->weight_bytes + r->table_bytes + r->input_bytes + r->known_bytes;
    r->board_sram_bytes = x->board.sram_bytes;
    r->board_flash_bytes = x->board.flash_bytes;
}

static status check_fit(const exporter *x, err *e)
{
    const sim_export_report *r = x->r;
    const char *type = r->peak_op >= 0 ? x->g->ops[r->peak_op].type : "-", *name = r->peak_op >= 0 ? x->g->ops[r->peak_op].name : "-";
    if (r->board_sram_bytes >= 0 && (double)r->sram_bytes > r->board_sram_bytes)
        return err_set(e, ST_UNSUPPORTED, x->board.name, "does not fit: SRAM %zu bytes = arena %zu (fullest at op %d %s '%.60s': %zu) + stack %lld + log %d, of %.0f: %.0f too many", r->sram_bytes,
                       r->arena_bytes, r->peak_op, type, name, x->plan->bound_bytes, (long long)x->board.stack, LOG_BYTES, r->board_sram_bytes, (double)r->sram_bytes - r->board_sram_bytes);
    if (r->board_flash_bytes >= 0 && (double)r->flash_bytes > r->board_flash_bytes)
        return err_set(e, ST_UNSUPPORTED, x->board.name, "does not fit: flash %zu bytes = weights %zu + tables %zu + inputs %zu + known answers %zu, and code; of %.0f: %.0f too many%s", r->flash_bytes,
                       r->weight_bytes, r->table_bytes, r->input_bytes, r->known_bytes, r->board_flash_bytes, (double)r->flash_bytes - r->board_flash_bytes,
                       r->input_bytes + r->known_bytes ? " (fewer inputs: --limit)" : "");
    return ST_OK;
}

static status load_data(const exporter *x, sim_input *in, uint8_t **inputs, uint8_t **known, err *e)
{
    size_t bytes = sim_input_row_bytes(in), answer = sim_tensor_bytes(x->s);
    sim_worker *w = NULL;
    sim_row row = {0};
    *inputs = arena_alloc(x->a, x->r->input_bytes, 1);
    *known = x->c->known ? arena_alloc(x->a, x->r->known_bytes, 1) : NULL;
    if (!*inputs || (x->c->known && !*known)) return err_set(e, ST_NOMEM, x->c->input, "no memory for %lld inputs", (long long)x->r->inputs);
    if (*known) {
        TRY(sim_worker_create(x->s, x->a, &w, e));
        TRY(sim_row_create(x->s, x->a, &row, e));
    }
    for (int64_t i = 0; i < x->r->inputs; i++) {
        int64_t label;
        const char *name;
        TRY(sim_input_next(in, *inputs + (size_t)i * bytes, &label, &name, e));
        if (!*known) continue;
        TRY(sim_run(w, i, *inputs + (size_t)i * bytes, &row, e));
        memcpy(*known + (size_t)i * answer, row.tensors, answer);
    }
    return ST_OK;
}

static status flow(exporter *x, sim_input **in, err *e)
{
    const sim_export_config *c = x->c;
    uint8_t *inputs = NULL, *known = NULL;
    TRY(check_network(x, e));
    TRY(export_board_load(c->board, x->a, &x->board, e));
    TRY(find_row(x, e));
    x->r->board = x->board.name;
    x->r->title = x->board.title;
    x->r->complete = x->board.sources != NULL;
    x->layers = arena_alloc(x->a, (size_t)x->g->n_ops, sizeof *x->layers);
    if (!x->layers) return err_set(e, ST_NOMEM, c->model, "no memory");
    TRY(emu_session_create(x->s->graph, x->s->profile, x->a, &x->emu, e));
    TRY(make_layers(x, e));
    char library[64];
    (void)snprintf(library, sizeof library, "bitemu:%s", x->row.name);
    TRY(hw_plan_make(x->s->graph, &(hw_plan_config){.planner = HW_GREEDY, .kernels = library}, x->a, &x->plan, e));
    if (c->input) {
        TRY(sim_input_open(x->s->graph, c->input, NULL, NULL, c->limit, x->a, in, e));
        x->r->inputs = sim_input_count(*in);
    }
    add_up(x);
    TRY(check_fit(x, e));
    if (c->input) TRY(load_data(x, *in, &inputs, &known, e));
    return export_write(x, inputs, known, e);
}

status sim_export(const sim_export_config *c, arena *a, sim_export_report *r, err *e)
{
    sim_setup *s;
    sim_input *in = NULL;
    *r = (sim_export_report){0};
    TRY(sim_setup_open(&(sim_config){.model = c->model, .profile = c->profile, .policy = c->policy, .keep_tensors = c->known}, &s, e));
    exporter x = {.c = c, .s = s, .g = &s->graph->subgraphs[0], .a = a, .r = r};
    status st = flow(&x, &in, e);
    sim_input_close(&in);
    sim_setup_close(&s);
    return st;
}
