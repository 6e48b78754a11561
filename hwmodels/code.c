/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/code.c - code/published.yaml: flash of a stack's code and RAM of its run time; and the memory plan under a board's stack. */
#include <string.h>

#include "hwmodels/board.h"

static const hw_unit bytes[] = {{"bytes", 1}, {"KiB", 1024}, {NULL, 0}};

static status load(const yaml_node *root, hw_board *b, err *e)
{
    static const char *const keys[] = {"bitemu_code", "stacks", "sources", NULL}, *const fields[] = {"code", "ram", "keeps_file", NULL}, *const truth[] = {"false", "true", NULL};
    const yaml_node *stacks = yaml_get(root, "stacks"), *sources = yaml_get(root, "sources");
    size_t best = 0;
    TRY(hw_yaml_header(root, "bitemu_code", keys, keys, e));
    TRY(yaml_expect(stacks, YAML_MAP, "stacks", e));
    for (int i = 0; i < stacks->n; i++) {
        const yaml_node *n = &stacks->items[i], *keeps = yaml_get(n, "keeps_file");
        hw_figure code = {0}, ram = {0};
        int file = 0;
        TRY(yaml_expect(n, YAML_MAP, n->key, e));
        TRY(yaml_check_keys(n, fields, NULL, e));
        if (yaml_get(n, "code")) TRY(hw_yaml_figure(yaml_get(n, "code"), "code", sources, bytes, &code, NULL, e));
        if (yaml_get(n, "ram")) TRY(hw_yaml_figure(yaml_get(n, "ram"), "ram", sources, bytes, &ram, NULL, e));
        if (keeps) TRY(yaml_enum(keeps, "keeps_file", truth, &file, e));
        size_t len = strlen(n->key);
        if (strncmp(b->stack, n->key, len) != 0 || len <= best) continue;
        best = len;
        b->code_bytes = code;
        b->runtime_bytes = ram;
        b->keeps_file = file != 0;
    }
    return ST_OK;
}

status hw_code_load(hw_board *b, arena *a, err *e)
{
    const char *path = NULL;
    yaml_node *root = NULL;
    if (!hw_data_exists(b->path, "code", "published")) return ST_OK;
    TRY(hw_data_read(b->path, "code", "published", a, &path, &root, e));
    status s = load(root, b, e);
    if (s != ST_OK) err_at(e, "%s", path);
    return s;
}

status hw_board_plan(const model_graph *g, const hw_board *b, const int *candidate, arena *a, hw_board_memory *m, err *e)
{
    const char *library = hw_board_library(b);
    const hw_plan_config c = {.planner = HW_GREEDY, .kernels = library, .candidate = candidate};
    hw_plan *p = NULL;
    TRY(hw_plan_make(g, &c, a, &p, e));
    bool tflm = strncmp(b->stack, "tflm", 4) == 0;
    *m = (hw_board_memory){.plan = p, .sram_bytes = p->sram_bytes, .flash_bytes = p->flash_bytes, .code_bytes = b->code_bytes, .runtime_bytes = b->runtime_bytes, .scratch_known = library != NULL};
    if (tflm && p->tflm_tail_bytes >= 0) m->runtime_bytes = (hw_figure){.value = (double)p->tflm_tail_bytes, .error_pct = 2, .unit = "bytes", .source = "hwmodels/tflm_arena.h", .known = true};
    if (m->runtime_bytes.known) m->sram_bytes += (size_t)m->runtime_bytes.value;
    m->flash_needed = (double)(b->keeps_file ? g->file_bytes : p->flash_bytes) + (m->code_bytes.known ? m->code_bytes.value : 0);
    return ST_OK;
}
