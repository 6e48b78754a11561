/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/memory.c - `memories` of a board file: regions with addresses, which must not overlap, and their wait states. */
#include <stdlib.h>
#include <string.h>

#include "hwmodels/board.h"

static const hw_unit bytes[] = {{"bytes", 1}, {"KiB", 1024}, {"MiB", 1024.0 * 1024}, {NULL, 0}};
static const hw_unit cycles[] = {{"cycles", 1}, {NULL, 0}};

/* "0x20000000" or decimal. */
static status address(const yaml_node *n, double *out, err *e)
{
    const char *text = NULL;
    char *end = NULL;
    TRY(yaml_text(n, "start", &text, e));
    unsigned long long v = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end || v > UINT32_MAX) return yaml_fail(n, e, ST_FORMAT, "start must be a 32-bit address such as 0x20000000");
    *out = (double)v;
    return ST_OK;
}

static status load_region(const yaml_node *n, const yaml_node *sources, hw_memory *m, arena *a, err *e)
{
    static const char *const keys[] = {"name", "kind", "start", "size", "wait_states", NULL};
    static const char *const required[] = {"name", "kind", "start", "size", NULL};
    static const char *const kinds[] = {"sram", "flash", NULL};
    int kind = 0;
    TRY(yaml_expect(n, YAML_MAP, "memory", e));
    TRY(yaml_check_keys(n, keys, required, e));
    TRY(hw_yaml_string(yaml_get(n, "name"), "name", a, &m->name, e));
    TRY(yaml_enum(yaml_get(n, "kind"), "kind", kinds, &kind, e));
    m->flash = kind == 1;
    TRY(address(yaml_get(n, "start"), &m->start, e));
    TRY(hw_yaml_figure(yaml_get(n, "size"), "size", sources, bytes, &m->bytes, NULL, e));
    if (yaml_get(n, "wait_states")) TRY(hw_yaml_figure(yaml_get(n, "wait_states"), "wait_states", sources, cycles, &m->wait_states, NULL, e));
    if (m->bytes.value <= 0) return yaml_fail(yaml_get(n, "size"), e, ST_FORMAT, "size must be greater than 0");
    return ST_OK;
}

/* The board's total of one kind: what `key` states, else the sum of its regions; both must agree. */
static status total(const yaml_node *root, const char *key, bool flash, hw_board *b, hw_figure *out, err *e)
{
    hw_figure sum = {.error_pct = 0};
    for (int i = 0; i < b->n_memories; i++) {
        if (b->memories[i].flash != flash) continue;
        double so_far = sum.value;
        sum = b->memories[i].bytes;
        sum.value += so_far;
    }
    if (sum.known && out->known && sum.value != out->value) return yaml_fail(yaml_get(root, key), e, ST_FORMAT, "%s is not the sum of the memories of that kind (%.0f bytes)", key, sum.value);
    if (sum.known) *out = sum;
    return ST_OK;
}

status hw_memories_load(const yaml_node *root, hw_board *b, arena *a, err *e)
{
    const yaml_node *list = yaml_get(root, "memories"), *sources = yaml_get(root, "sources");
    if (yaml_get(root, "instruction_cache")) TRY(hw_yaml_figure(yaml_get(root, "instruction_cache"), "instruction_cache", sources, bytes, &b->icache_bytes, NULL, e));
    if (yaml_get(root, "data_cache")) TRY(hw_yaml_figure(yaml_get(root, "data_cache"), "data_cache", sources, bytes, &b->dcache_bytes, NULL, e));
    if (!list) return ST_OK;
    TRY(yaml_expect(list, YAML_LIST, "memories", e));
    b->memories = arena_alloc(a, (size_t)list->n + 1, sizeof *b->memories);
    if (!b->memories) return err_set(e, ST_NOMEM, "", "out of memory");
    for (int i = 0; i < list->n; i++) {
        hw_memory *m = &b->memories[i];
        TRY(load_region(&list->items[i], sources, m, a, e));
        for (int k = 0; k < i; k++) {
            const hw_memory *o = &b->memories[k];
            if (m->start < o->start + o->bytes.value && o->start < m->start + m->bytes.value)
                return yaml_fail(&list->items[i], e, ST_FORMAT, "memory %s overlaps %s", m->name, o->name);
        }
    }
    b->n_memories = list->n;
    TRY(total(root, "sram", false, b, &b->sram_bytes, e));
    return total(root, "flash", true, b, &b->flash_bytes, e);
}
