/* SPDX-License-Identifier: Apache-2.0
 * Reader of a layer's `grid:` (docs/FORMAT.md). Its tables are short lists and stand in model.yaml itself, so every error has a place. */
#include "model/native.h"

static status nomem(err *e) { return err_set(e, ST_NOMEM, "", "no memory for the model"); }

/* Width of a field whose table has n entries; 0 = n is no power of two in [2, most]. */
static int field_bits(int n, int most)
{
    for (int k = 1; 1 << k <= most; k++) {
        if (1 << k == n) return k;
    }
    return 0;
}

static status values(const yaml_node *list, const char *what, int64_t least, int16_t *out, err *e)
{
    for (int i = 0; i < list->n; i++) {
        int64_t v;
        TRY(yaml_int(&list->items[i], what, least, INT16_MAX, &v, e));
        out[i] = (int16_t)v;
    }
    return ST_OK;
}

static status read_codebook(const yaml_node *list, arena *a, quant_grid *g, err *e)
{
    TRY(yaml_expect(list, YAML_LIST, "table", e));
    if (!field_bits(list->n, QUANT_MAX_TABLE)) return yaml_fail(list, e, ST_FORMAT, "a codebook of %d values; it must have 2^k, k 1 to 8", list->n);
    int16_t *v = arena_alloc(a, (size_t)list->n, sizeof *v);
    if (!v) return nomem(e);
    g->n_table = list->n;
    g->table = v;
    return values(list, "table", INT16_MIN, v, e);
}

/* One field: 0 and powers of two. */
static status read_field(const yaml_node *list, quant_grid *g, int16_t *to, int *largest, err *e)
{
    TRY(yaml_expect(list, YAML_LIST, "terms", e));
    int bits = field_bits(list->n, QUANT_MAX_TABLE / 2);
    if (!bits) return yaml_fail(list, e, ST_FORMAT, "a term of %d values; it must have 2^k, k 1 to 7", list->n);
    TRY(values(list, "terms", 0, to, e));
    for (int i = 0; i < list->n; i++) {
        if (to[i] & (to[i] - 1)) return yaml_fail(&list->items[i], e, ST_FORMAT, "%d is not 0 or a power of two", to[i]);
        if (to[i] > *largest) *largest = to[i];
    }
    g->term_bits[g->n_terms++] = bits;
    return ST_OK;
}

static status read_terms(const yaml_node *list, arena *a, quant_grid *g, err *e)
{
    int k = 1, sum = 0;
    int16_t *v = arena_alloc(a, (size_t)QUANT_MAX_TABLE, sizeof *v);
    if (!v) return nomem(e);
    TRY(yaml_expect(list, YAML_LIST, "terms", e));
    for (int i = 0; i < list->n; i++) {
        int largest = 0;
        if (i == QUANT_MAX_TERMS) return yaml_fail(&list->items[i], e, ST_FORMAT, "more than %d terms", QUANT_MAX_TERMS);
        TRY(read_field(&list->items[i], g, v + g->n_table, &largest, e));
        g->n_table += 1 << g->term_bits[i];
        k += g->term_bits[i];
        sum += largest;
        if (k > 8) return yaml_fail(&list->items[i], e, ST_FORMAT, "sign and terms take %d bits; at most 8", k);
        if (sum > INT16_MAX) return yaml_fail(&list->items[i], e, ST_FORMAT, "the terms add up to %d, beyond int16", sum);
    }
    if (!list->n) return yaml_fail(list, e, ST_FORMAT, "no terms");
    g->table = v;
    return ST_OK;
}

status native_read_grid(const yaml_node *n, arena *a, const model_grid **out, err *e)
{
    static const char *const allowed[] = {"weights", "table", "terms", "input", "pad", NULL};
    const yaml_node *name = n->kind == YAML_MAP ? yaml_get(n, "weights") : n, *table = yaml_get(n, "table"), *terms = yaml_get(n, "terms");
    int kind = QUANT_AFFINE, input = 0, pad = 0;
    model_grid *g = arena_alloc(a, 1, sizeof *g);
    if (!g) return nomem(e);
    if (n->kind == YAML_MAP) TRY(yaml_check_keys(n, allowed, NULL, e));
    if (name) TRY(yaml_enum(name, "grid", quant_grid_names, &kind, e));
    if (yaml_get(n, "input")) TRY(yaml_enum(yaml_get(n, "input"), "input", native_grid_inputs, &input, e));
    if (yaml_get(n, "pad")) TRY(yaml_enum(yaml_get(n, "pad"), "pad", native_grid_pads, &pad, e));
    g->weights.kind = (quant_grid_kind)kind;
    g->binary_input = input != 0;
    g->pad_one = pad != 0;
    if (!table != (kind != QUANT_CODEBOOK)) return yaml_fail(table ? table : n, e, ST_FORMAT, table ? "only a codebook has a table" : "a codebook needs its table");
    if (!terms != (kind != QUANT_APOT)) return yaml_fail(terms ? terms : n, e, ST_FORMAT, terms ? "only apot has terms" : "apot needs its terms");
    if (yaml_get(n, "pad") && !input) return yaml_fail(yaml_get(n, "pad"), e, ST_FORMAT, "pad belongs to a binary input");
    if (table) TRY(read_codebook(table, a, &g->weights, e));
    if (terms) TRY(read_terms(terms, a, &g->weights, e));
    if (kind != QUANT_AFFINE || input) *out = g; /* affine is what a layer without grid has */
    return ST_OK;
}
