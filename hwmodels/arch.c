/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/arch.c - arch/NAME.yaml: energies per operation, for exploring architectures. It stands where a board's core and kernels do:
 *   energy of an operator = macs x (multiply_8x8 x w a / 64 + add) + values looked at x add where there are no macs
 *     + bytes of activations read and written x access / 8 of the smallest memory that holds the largest tensor
 *     + bytes of weights, read once, x access / 8 of the smallest memory that holds all weights
 * Activations are read once for every pixel a filter is applied to, shared by all filters. No time follows from it. */
#include <stdio.h>
#include <string.h>

#include "hwmodels/count.h"
#include "hwmodels/layer.h"

enum { MAX_MEMORIES = 8 };
struct hw_arch {
    hw_figure multiply, add;
    int n;
    hw_figure size[MAX_MEMORIES], access[MAX_MEMORIES];
};

static const hw_unit picojoule[] = {{"pJ", 1}, {NULL, 0}};
static const hw_unit bytes[] = {{"bytes", 1}, {"KiB", 1024}, {"MiB", 1024.0 * 1024}, {NULL, 0}};

static status load_memories(hw_arch *h, const yaml_node *list, const yaml_node *sources, err *e)
{
    static const char *const keys[] = {"name", "size", "access", NULL};
    TRY(yaml_expect(list, YAML_LIST, "memories", e));
    if (list->n < 1 || list->n > MAX_MEMORIES) return yaml_fail(list, e, ST_FORMAT, "memories needs 1 to %d rows", MAX_MEMORIES);
    for (int i = 0; i < list->n; i++) {
        TRY(yaml_expect(&list->items[i], YAML_MAP, "memory", e));
        TRY(yaml_check_keys(&list->items[i], keys, keys, e));
        TRY(hw_yaml_figure(yaml_get(&list->items[i], "size"), "size", sources, bytes, &h->size[i], NULL, e));
        TRY(hw_yaml_figure(yaml_get(&list->items[i], "access"), "access", sources, picojoule, &h->access[i], NULL, e));
        if (i && h->size[i].value <= h->size[i - 1].value) return yaml_fail(&list->items[i], e, ST_FORMAT, "memories must grow from row to row");
    }
    h->n = list->n;
    return ST_OK;
}

bool hw_arch_exists(const char *name) { return hw_data_exists("", "arch", name); }

status hw_board_arch(const char *name, arena *a, hw_board **out, err *e)
{
    static const char *const keys[] = {"bitemu_arch", "name", "title", "multiply_8x8", "add", "memories", "sources", NULL};
    const char *path = NULL;
    yaml_node *root = NULL;
    hw_board *b = arena_alloc(a, 1, sizeof *b);
    hw_arch *h = arena_alloc(a, 1, sizeof *h);
    if (!b || !h) return err_set(e, ST_NOMEM, name, "out of memory");
    TRY(hw_data_read("", "arch", name, a, &path, &root, e));
    status s = hw_yaml_header(root, "bitemu_arch", keys, keys, e);
    const yaml_node *sources = yaml_get(root, "sources");
    if (s == ST_OK) s = hw_yaml_name(yaml_get(root, "name"), "name", a, &b->name, e);
    if (s == ST_OK) s = hw_yaml_string(yaml_get(root, "title"), "title", a, &b->title, e);
    if (s == ST_OK) s = hw_yaml_figure(yaml_get(root, "multiply_8x8"), "multiply_8x8", sources, picojoule, &h->multiply, NULL, e);
    if (s == ST_OK) s = hw_yaml_figure(yaml_get(root, "add"), "add", sources, picojoule, &h->add, NULL, e);
    if (s == ST_OK) s = load_memories(h, yaml_get(root, "memories"), sources, e);
    if (s != ST_OK) {
        err_at(e, "%s", path);
        return s;
    }
    b->arch = h;
    b->path = path;
    b->core = "arch";
    b->stack = b->kernels_text = b->name;
    *out = b;
    return ST_OK;
}

typedef struct share {
    const char *what;
    double count, pj;
    const hw_figure *source;
} share;

static const hw_figure *memory_of(const hw_arch *h, double size)
{
    for (int i = 0; i < h->n; i++)
        if (size <= h->size[i].value) return &h->access[i];
    return &h->access[h->n - 1];
}

static double bits_of(const model_tensor *t) { return t ? t->bits > 0 ? t->bits : 8.0 * (double)model_dtype_bytes(t->dtype) : 0; }

/* The four shares of an operator's energy at these widths. */
static void shares(const model_graph *g, const hw_arch *h, int op, int w, int a, share out[4])
{
    const model_subgraph *s = &g->subgraphs[0];
    const model_op *o = &s->ops[op];
    emu_events ev = hw_count_op(g, o);
    hw_class c = hw_layer_class(s, o);
    double count[HW_N_EVENTS], largest = 0, all_weights = 0, weights = 0;
    int wt, at;
    hw_layer_operands(o, &wt, &at);
    const model_tensor *filter = hw_layer_tensor(s, wt), *in = hw_layer_tensor(s, at), *y = o->n_outputs ? hw_layer_tensor(s, o->outputs[0]) : NULL;
    hw_layer_events(s, o, c, &ev, count);
    for (int i = 0; i < s->n_tensors; i++) {
        double size = (double)s->tensors[i].n_elems * bits_of(&s->tensors[i]) / 8;
        if (s->tensors[i].data) all_weights += size;
        else if (s->tensors[i].dtype != MODEL_RESOURCE && size > largest) largest = size;
    }
    if (filter && ev.macs) weights = (double)filter->n_elems * w / 8;
    double looked = count[HW_WINDOW] > 0 ? count[HW_WINDOW] : (double)ev.outputs;
    double read = !ev.macs ? looked : c == HW_DEPTHWISE || c == HW_DEPTHWISE_MULTIPLIER ? count[HW_MAC] : count[HW_PATCH];
    if (!ev.macs && in && looked == (double)ev.outputs) read = (double)in->n_elems;
    const hw_figure *sram = memory_of(h, largest), *kept = memory_of(h, all_weights);
    out[0] = (share){"multiplications", count[HW_MAC], h->multiply.value * w * a / 64, &h->multiply};
    out[1] = (share){"additions", ev.macs ? count[HW_MAC] : looked, h->add.value, &h->add};
    out[2] = (share){"bytes of activations", (read * a + (double)ev.outputs * bits_of(y)) / 8, sram->value / 8, sram};
    out[3] = (share){"bytes of weights", weights, kept->value / 8, kept};
}

void hw_arch_price(const model_graph *g, const hw_board *b, int op, int w, int a, hw_cost *c)
{
    share part[4];
    double energy = 0, slack = 0;
    bool bounded = true;
    shares(g, b->arch, op, w, a, part);
    for (int i = 0; i < 4; i++) {
        double pj = part[i].count * part[i].pj;
        if (part[i].source->error_pct < 0 && pj > 0) bounded = false;
        energy += pj;
        slack += pj * part[i].source->error_pct / 100;
    }
    c->cycles = c->cycles_error_pct = -1;
    c->energy_uj = energy * 1e-6;
    c->energy_error_pct = !bounded ? -1 : energy > 0 ? 100 * slack / energy : 0;
}

void hw_arch_explain(const model_graph *g, const hw_board *b, int op, int w, int a, char *text, size_t size)
{
    share part[4];
    double sum = 0;
    size_t at = 0;
    shares(g, b->arch, op, w, a, part);
    for (int i = 0; i < 4 && at < size; i++) {
        if (part[i].count <= 0) continue;
        at += (size_t)snprintf(text + at, size - at, "%s%.0f %s x %g pJ", at ? " + " : "", part[i].count, part[i].what, part[i].pj);
        sum += part[i].count * part[i].pj;
    }
    if (at < size) (void)snprintf(text + at, size - at, " = %.4g uJ", sum * 1e-6);
}
