/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cost_exact.h"

#include <errno.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/npy.h"
#include "hwmodels/iss/iss.h"
#include "sim/export.h"

extern char **environ;

enum { MAX_PATH = 512, MAX_LINE = 4096, MAX_ELF_BYTES = 1 << 28 };

typedef struct exact {
    const model_graph *g;
    const hw_board *board;
    hw_table *table;
    const int *candidate;
    const cost_exact_config *c;
    char line[MAX_LINE]; /* of the console, as far as it has come */
    size_t n;
    int layers;          /* that told their cycles */
} exact;

/* {"input":0,"layer":3,...,"cycles_measured":4711} */
static void take_line(exact *x)
{
    json_t *j = json_loadb(x->line, x->n, 0, NULL), *layer = json_object_get(j, "layer"), *cycles = json_object_get(j, "cycles_measured");
    json_int_t op = json_is_integer(layer) ? json_integer_value(layer) : -1;
    if (op >= 0 && op < x->g->subgraphs[0].n_ops && json_is_integer(cycles)) {
        hw_table_measured(x->table, x->board, (int)op, x->candidate, (double)json_integer_value(cycles));
        x->layers++;
    }
    json_decref(j);
}

static void console(void *user, char c)
{
    exact *x = user;
    if (c != '\n') {
        if (x->n < sizeof x->line) x->line[x->n++] = c;
        return;
    }
    take_line(x);
    x->n = 0;
}

/* Codes over the whole range of every input, one row. */
static status draw_inputs(const model_graph *g, const char *path, arena *a, err *e)
{
    const model_subgraph *s = &g->subgraphs[0];
    uint64_t state = 1;
    npz_writer *w = NULL;
    TRY(npz_create(path, &w, e));
    for (int i = 0; i < s->n_inputs; i++) {
        const model_tensor *t = &s->tensors[s->inputs[i]];
        const size_t width = model_dtype_bytes(t->dtype);
        npy_info info = {.type = t->dtype == MODEL_U8 ? NPY_U8 : t->dtype == MODEL_I16 ? NPY_I16 : NPY_I8, .n_dims = t->n_dims};
        uint8_t *codes = arena_alloc(a, t->n_elems, width);
        char name[24];
        int member = 0;
        status st = codes ? ST_OK : err_set(e, ST_NOMEM, "", "no memory");
        if (st == ST_OK && t->dtype != MODEL_I8 && t->dtype != MODEL_U8 && t->dtype != MODEL_I16) st = err_set(e, ST_ARG, "--exact", "input %d is not of 8- or 16-bit codes; give one with --input", i);
        for (int d = 0; st == ST_OK && d < t->n_dims; d++) info.dims[d] = t->dims[d];
        for (size_t k = 0; st == ST_OK && k < t->n_elems * width; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            codes[k] = (uint8_t)(state >> 56);
            if (t->bits < 8) codes[k] = (uint8_t)(t->dtype == MODEL_U8 ? codes[k] >> (8 - t->bits) : (int8_t)codes[k] >> (8 - t->bits));
        }
        (void)snprintf(name, sizeof name, "in%d", i);
        if (st == ST_OK) st = npz_add(w, name, &info, &member, e);
        if (st == ST_OK) st = npz_put(w, member, codes, t->n_elems * width, e);
        if (st != ST_OK) {
            npz_discard(&w);
            return st;
        }
    }
    return npz_commit(&w, e);
}

static status make(const char *folder, err *e)
{
    char *const args[] = {"make", "-s", "-j2", "-C", (char *)folder, NULL}; /* NOLINT: posix_spawn does not write it */
    pid_t pid;
    int how = 0, why = posix_spawnp(&pid, args[0], NULL, NULL, args, environ);
    if (why) return err_set(e, ST_UNSUPPORTED, "make", "cannot be started: %s", strerror(why));
    while (waitpid(pid, &how, 0) < 0)
        if (errno != EINTR) return err_set(e, ST_IO, "make", "%s", strerror(errno));
    return how == 0 ? ST_OK : err_set(e, ST_UNSUPPORTED, "--exact", "the exported program does not build (Debian: gcc-riscv64-unknown-elf make)");
}

static status simulate(exact *x, const iss_core *core, const char *folder, arena *a, err *e)
{
    char path[MAX_PATH];
    const uint8_t *elf = NULL;
    size_t len = 0;
    iss *s = NULL;
    iss_result r;
    iss_config cfg = {.core = core, .user = x, .console = console, .fetch_wait = (int)x->c->fetch_wait, .data_wait = (int)x->c->data_wait};
    (void)snprintf(path, sizeof path, "%s/firmware.elf", folder);
    TRY(file_read(path, MAX_ELF_BYTES, a, &elf, &len, e));
    TRY(iss_load(&cfg, elf, len, a, &s, e));
    TRY(iss_run(s, &r, e));
    if (r.exit_code || !x->layers) return err_set(e, ST_FORMAT, "--exact", "the exported program ended with %d after %d layers", r.exit_code, x->layers);
    return ST_OK;
}

/* One layout: what every choice is at. */
static status run(exact *x, const sim_export_config *asked, const iss_core *core, arena *a, err *e)
{
    int *candidate = arena_alloc(a, (size_t)x->g->n_choices + 1, sizeof *candidate);
    arena *own = arena_create(0); /* the program and its memory: one at a time */
    sim_export_report report;
    status s = candidate && own ? ST_OK : err_set(e, ST_NOMEM, "", "no memory");
    if (s == ST_OK) s = sim_static_policy(x->g, asked->policy, a, candidate, e);
    x->candidate = candidate;
    x->layers = 0;
    if (s == ST_OK) s = sim_export(asked, own, &report, e);
    if (s == ST_OK) s = make(asked->out, e);
    if (s == ST_OK) s = simulate(x, core, asked->out, own, e);
    arena_destroy(&own);
    file_remove_tree(asked->out);
    return s;
}

/* Every choice at its k-th candidate, as a policy; NULL: there is no such candidate. */
static const char *layout(const model_graph *g, int k, arena *a)
{
    bool any = false;
    size_t size = (size_t)g->n_choices * 12 + 8, at = 7;
    char *text = arena_alloc(a, size, 1);
    if (!text) return NULL;
    (void)snprintf(text, size, "layers:");
    for (int i = 0; i < g->n_choices; i++) {
        const model_choice *c = &g->choices[i];
        any = any || k < c->n_candidates;
        at += (size_t)snprintf(text + at, size - at, "%s%d", i ? "," : "", c->candidates[k < c->n_candidates ? k : c->n_candidates - 1].w_bits);
    }
    return any ? text : NULL;
}

static status all(exact *x, sim_export_config *c, const char *policy, const iss_core *core, arena *a, err *e)
{
    const char *text;
    for (int k = 0; (text = layout(x->g, k, a)); k++) {
        c->policy = text;
        TRY(run(x, c, core, a, e));
    }
    c->policy = policy;
    return policy || !x->g->n_choices ? run(x, c, core, a, e) : ST_OK;
}

status cost_exact(const cost_exact_config *asked, const model_graph *g, const hw_board *board, hw_table *t, arena *a, err *e)
{
    const char *tmp = getenv("TMPDIR");
    char root[MAX_PATH], name[64], inputs[MAX_PATH + 16], out[MAX_PATH + 16];
    const iss_core *core = NULL;
    exact x = {.g = g, .board = board, .table = t, .c = asked};
    if (asked->fetch_wait > 15 || asked->data_wait > 15) return err_set(e, ST_ARG, "--exact", "at most 15 wait states");
    TRY(iss_core_load(hw_board_core(board), a, &core, e));
    (void)snprintf(root, sizeof root, "%.400s/bitemu-exact-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(root)) return err_set(e, ST_IO, root, "cannot be made: %s", strerror(errno));
    (void)snprintf(name, sizeof name, "%.50s-iss", hw_board_core(board));
    (void)snprintf(inputs, sizeof inputs, "%s/in.npz", root);
    (void)snprintf(out, sizeof out, "%s/firmware", root);
    sim_export_config c = {.model = asked->path, .board = name, .out = out, .input = asked->input ? asked->input : inputs, .limit = 1};
    status s = asked->input ? ST_OK : draw_inputs(g, inputs, a, e);
    if (s == ST_OK) s = all(&x, &c, asked->policy, core, a, e);
    file_remove_tree(root);
    return s;
}
