/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/evaluate.h"

#include <pthread.h>
#include <string.h>

enum { MAX_THREADS = 64, MAX_BATCH = 256 };

typedef struct lane { /* one thread's share: rows first, first + step, ... of the batch */
    sim_worker *worker;
    struct batch *batch;
    int first, step;
    status st;
    int failed_row;
    err error;
} lane;

typedef struct batch {
    int room, n;
    int64_t first; /* index of row 0 */
    size_t row_bytes;
    uint8_t *inputs;
    sim_row *rows;
    int64_t *labels;
    const char **names;
} batch;

static void *run_lane(void *arg)
{
    lane *l = arg;
    for (int i = l->first; i < l->batch->n; i += l->step) {
        l->st = sim_run(l->worker, l->batch->first + i, l->batch->inputs + (size_t)i * l->batch->row_bytes, &l->batch->rows[i], &l->error);
        if (l->st != ST_OK) {
            l->failed_row = i;
            break;
        }
    }
    return NULL;
}

static status run_batch(lane *lanes, int n, err *e)
{
    pthread_t thread[MAX_THREADS];
    int started = 0;
    for (int i = 1; i < n; i++, started++) {
        if (pthread_create(&thread[i], NULL, run_lane, &lanes[i]) != 0) break;
    }
    run_lane(&lanes[0]);
    for (int i = 1; i <= started; i++) pthread_join(thread[i], NULL);
    for (int i = started + 1; i < n; i++) run_lane(&lanes[i]); /* threads the system refused */
    const lane *worst = NULL;
    for (int i = 0; i < n; i++) {
        if (lanes[i].st != ST_OK && (!worst || lanes[i].failed_row < worst->failed_row)) worst = &lanes[i];
    }
    if (!worst) return ST_OK;
    return err_set(e, worst->st, worst->error.where, "%s", worst->error.msg);
}

/* Rows a thread gets at a time: enough to keep it busy, at most 4 MiB of inputs and results. */
static int batch_rows(const sim_setup *s, const sim_input *in, int threads)
{
    size_t row = sim_input_row_bytes(in) + sim_output_bytes(s) + sim_tensor_bytes(s) + (size_t)s->graph->subgraphs[0].n_ops * sizeof(sim_layer) + 1;
    size_t rows = ((size_t)4 << 20) / row;
    if (rows < 1) rows = 1;
    if (rows > MAX_BATCH) rows = MAX_BATCH;
    return (int)rows * threads;
}

static status batch_create(const sim_setup *s, const sim_input *in, int room, arena *a, batch *b, err *e)
{
    b->room = room;
    b->row_bytes = sim_input_row_bytes(in);
    b->inputs = arena_alloc(a, (size_t)room, b->row_bytes);
    b->rows = arena_alloc(a, (size_t)room, sizeof *b->rows);
    b->labels = arena_alloc(a, (size_t)room, sizeof *b->labels);
    b->names = arena_alloc(a, (size_t)room, sizeof *b->names);
    if (!b->inputs || !b->rows || !b->labels || !b->names) return err_set(e, ST_NOMEM, "", "no memory for a batch of %d inputs", room);
    for (int i = 0; i < room; i++) TRY(sim_row_create(s, a, &b->rows[i], e));
    return ST_OK;
}

static status fill_batch(batch *b, sim_input *in, int64_t at, err *e)
{
    int64_t left = sim_input_count(in) - at;
    b->first = at;
    b->n = left < b->room ? (int)left : b->room;
    for (int i = 0; i < b->n; i++)
        TRY(sim_input_next(in, b->inputs + (size_t)i * b->row_bytes, &b->labels[i], &b->names[i], e));
    return ST_OK;
}

int64_t sim_output_code(const sim_setup *s, const sim_row *row, size_t i)
{
    const model_subgraph *g = &s->graph->subgraphs[0];
    const void *p = row->output;
    switch (g->tensors[g->outputs[0]].dtype) {
    case MODEL_I8: return ((const int8_t *)p)[i];
    case MODEL_U8: case MODEL_BOOL: return ((const uint8_t *)p)[i];
    case MODEL_I16: return ((const int16_t *)p)[i];
    case MODEL_I32: return ((const int32_t *)p)[i];
    case MODEL_I64: return ((const int64_t *)p)[i];
    case MODEL_F32: case MODEL_RESOURCE: break;
    }
    return 0;
}

int64_t sim_argmax(const sim_setup *s, const sim_row *row)
{
    const model_subgraph *g = &s->graph->subgraphs[0];
    const model_tensor *t = &g->tensors[g->outputs[0]];
    const float *real = (const float *)(const void *)row->output;
    size_t best = 0;
    for (size_t i = 1; i < t->n_elems; i++) {
        bool larger = t->dtype == MODEL_F32 ? real[i] > real[best] : sim_output_code(s, row, i) > sim_output_code(s, row, best);
        if (larger) best = i;
    }
    return (int64_t)best;
}

static void add_row(const sim_setup *s, sim_result *r, const batch *b, int i)
{
    const sim_row *row = &b->rows[i];
    hw_cost one = {0};
    for (int op = 0; op < s->graph->subgraphs[0].n_ops; op++) {
        const sim_layer *l = &row->layers[op];
        sim_layer_sum *sum = &r->layers[op];
        emu_events_add(&sum->events, &l->events);
        hw_cost_add(&sum->cost, &l->cost);
        hw_cost_add(&one, &l->cost);
        sum->w_bits += (uint64_t)l->w_bits;
        sum->a_bits += (uint64_t)l->a_bits;
    }
    for (int c = 0; c < s->graph->n_choices; c++) r->histogram[c][row->candidate[c]]++;
    hw_cost_add(&r->total, &one);
    if (r->inputs == 0 || one.cycles > r->cycles_max) {
        r->cycles_max = one.cycles;
        r->cycles_max_input = b->first + i;
    }
    if (r->inputs == 0 || one.cycles < r->cycles_min) r->cycles_min = one.cycles;
    r->inputs++;
    if (b->labels[i] < 0) return;
    r->labelled++;
    r->top1 += sim_argmax(s, row) == b->labels[i];
}

static status drain_batch(const sim_setup *s, const sim_evaluation *how, const batch *b, sim_result *r, err *e)
{
    for (int i = 0; i < b->n; i++) {
        add_row(s, r, b, i);
        for (int k = 0; k < how->n_sinks; k++) TRY(how->sinks[k].row(how->sinks[k].ctx, b->first + i, b->names[i], &b->rows[i], e));
    }
    return ST_OK;
}

status sim_evaluate(const sim_setup *s, sim_input *in, const sim_evaluation *how, arena *a, sim_result *out, err *e)
{
    int threads = how->threads < 1 ? 1 : how->threads > MAX_THREADS ? MAX_THREADS : how->threads;
    if (s->stateful && !s->reset_each) threads = 1;
    memset(out, 0, sizeof *out);
    out->layers = arena_alloc(a, (size_t)s->graph->subgraphs[0].n_ops, sizeof *out->layers);
    out->histogram = arena_alloc(a, (size_t)s->graph->n_choices, sizeof *out->histogram);
    lane *lanes = arena_alloc(a, (size_t)threads, sizeof *lanes);
    batch b;
    if (!out->layers || !out->histogram || !lanes) return err_set(e, ST_NOMEM, "", "no memory for results");
    TRY(batch_create(s, in, batch_rows(s, in, threads), a, &b, e));
    for (int t = 0; t < threads; t++) {
        lanes[t] = (lane){.batch = &b, .first = t, .step = threads};
        TRY(sim_worker_create(s, a, &lanes[t].worker, e));
    }
    int64_t total = sim_input_count(in);
    for (int64_t at = 0; at < total; at += b.n) {
        TRY(fill_batch(&b, in, at, e));
        TRY(run_batch(lanes, threads, e));
        TRY(drain_batch(s, how, &b, out, e));
        if (how->progress) how->progress(how->progress_ctx, at + b.n, total);
    }
    return ST_OK;
}
