/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/stack.c - stacks/NAME.yaml: how many cycles a counted instruction of a kernel table takes under a software stack, by core and
 * operator class. Schema: docs/COSTS.md. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hwmodels/board.h"

static const hw_unit per_instruction[] = {{"cycles/instruction", 1}, {NULL, 0}};

const char *hw_core_slug(const char *core, arena *a)
{
    char *out = arena_alloc(a, strlen(core) + 8, 1);
    size_t n = 0;
    for (const char *p = core; out && *p && n < strlen(core) + 6; p++) {
        unsigned char c = (unsigned char)*p;
        if (isalnum(c)) out[n++] = (char)tolower(c);
        else if (c == '+' && n && out[n - 1] != '-') n += (size_t)snprintf(out + n, 5, "plus");
        else if (n && out[n - 1] != '-') out[n++] = '-';
    }
    while (out && n && out[n - 1] == '-') n--;
    if (out) out[n] = 0;
    return out;
}

/* Factors of one core; classes that are not named take `other`. */
static status load_factors(const yaml_node *n, const yaml_node *sources, hw_board *b, err *e)
{
    const char *keys[HW_N_CLASSES + 2] = {NULL};
    static const char *const required[] = {"other", NULL};
    hw_figure other = {0};
    for (int c = 0; c < HW_N_CLASSES; c++) keys[c] = hw_class_name((hw_class)c);
    keys[HW_N_CLASSES] = "other";
    TRY(yaml_expect(n, YAML_MAP, "cycles_per_instruction", e));
    TRY(yaml_check_keys(n, keys, required, e));
    TRY(hw_yaml_figure(yaml_get(n, "other"), "other", sources, per_instruction, &other, NULL, e));
    for (int c = 0; c < HW_N_CLASSES; c++) {
        const yaml_node *f = yaml_get(n, keys[c]);
        b->factor[c] = other;
        if (f) TRY(hw_yaml_figure(f, keys[c], sources, per_instruction, &b->factor[c], NULL, e));
        if (b->factor[c].value <= 0) return yaml_fail(f ? f : n, e, ST_FORMAT, "cycles per instruction must be greater than 0");
    }
    return ST_OK;
}

/* The factor of a core under TinyMaix, the one software that was measured on nearly all cores; 0: not there. */
static double yardstick(const yaml_node *yard, const char *core)
{
    hw_figure f = {0};
    err ignored = {0};
    const yaml_node *n = yaml_get(yaml_get(yaml_get(yard, "cores"), core), "cycles_per_instruction");
    return n && hw_yaml_figure(yaml_get(n, "other"), "other", yaml_get(yard, "sources"), per_instruction, &f, NULL, &ignored) == ST_OK ? f.value : 0;
}

/* The core that cores/CORE.yaml names as its relative, among a stack's; NULL: none. */
static const yaml_node *relative(const yaml_node *cores, const char *core, arena *a)
{
    const char *path = NULL, *name = NULL;
    yaml_node *file = NULL;
    err ignored = {0};
    if (hw_data_read("", "cores", core, a, &path, &file, &ignored) != ST_OK || !yaml_get(file, "relative")) return NULL;
    return yaml_text(yaml_get(file, "relative"), "relative", &name, &ignored) == ST_OK ? yaml_get(cores, name) : NULL;
}

/* Factors of the measured core that is nearest in speed, times the ratio of the two cores under TinyMaix, or of the core's relative as they are;
 * errors widened. false: no such core. */
static bool nearest(const yaml_node *root, const char *core, arena *a, hw_board *b, err *e)
{
    enum { WIDEN_PCT = 100, SIZE = 160 };
    const char *path = NULL;
    yaml_node *yard = NULL;
    err ignored = {0};
    const yaml_node *cores = yaml_get(root, "cores"), *best = NULL;
    if (hw_data_read("", "stacks", "tinymaix", a, &path, &yard, &ignored) != ST_OK) return false;
    double own = yardstick(yard, core), ratio = 0;
    for (int i = 0; own > 0 && i < cores->n; i++) {
        double other = yaml_get(&cores->items[i], "estimated_from") ? 0 : yardstick(yard, cores->items[i].key);
        if (other <= 0 || (best && fabs(log(own / other)) >= fabs(log(ratio)))) continue;
        best = &cores->items[i];
        ratio = own / other;
    }
    bool alike = !best && (best = relative(cores, core, a));
    if (alike) ratio = 1;
    char *text = best ? arena_alloc(a, SIZE, 1) : NULL;
    if (!text || load_factors(yaml_get(best, "cycles_per_instruction"), yaml_get(root, "sources"), b, e) != ST_OK) return false;
    for (int c = 0; c < HW_N_CLASSES; c++) {
        b->factor[c].value *= ratio;
        if (b->factor[c].error_pct >= 0) b->factor[c].error_pct += WIDEN_PCT;
    }
    (void)snprintf(text, SIZE, alike ? "%s, its nearest relative" : "%s times %.2f, the ratio of the cores under TinyMaix", best->key, ratio);
    b->estimated = text;
    return true;
}

static status load_core(const yaml_node *root, const char *name, const char *core, arena *a, hw_board *b, err *e)
{
    static const char *const keys[] = {"cycles_per_instruction", "estimated_from", "boards", NULL};
    static const char *const required[] = {"cycles_per_instruction", NULL};
    const yaml_node *cores = yaml_get(root, "cores"), *found = NULL;
    char list[512] = "";
    TRY(yaml_expect(cores, YAML_MAP, "cores", e));
    for (int i = 0; i < cores->n; i++) {
        const yaml_node *c = &cores->items[i];
        TRY(yaml_expect(c, YAML_MAP, c->key, e));
        TRY(yaml_check_keys(c, keys, required, e));
        strncat(list, i ? ", " : "", sizeof list - strlen(list) - 1);
        strncat(list, c->key, sizeof list - strlen(list) - 1);
        if (strcmp(c->key, core) == 0) found = c;
    }
    if (!found) return nearest(root, core, a, b, e) ? ST_OK : err_set(e, ST_ARG, core, "stack %s has no figures for this core; it has: %s", name, list);
    if (yaml_get(found, "estimated_from")) TRY(hw_yaml_string(yaml_get(found, "estimated_from"), "estimated_from", a, &b->estimated, e));
    const yaml_node *boards = yaml_get(found, "boards"), *here = boards ? yaml_get(boards, b->name) : NULL;
    if (boards) TRY(yaml_expect(boards, YAML_MAP, "boards", e));
    return load_factors(here ? here : yaml_get(found, "cycles_per_instruction"), yaml_get(root, "sources"), b, e);
}

bool hw_stack_exists(const char *board_path, const char *name) { return hw_data_exists(board_path, "stacks", name); }

status hw_stack_load(const char *board_path, const char *name, const char *core, arena *a, hw_board *b, const char **kernels, err *e)
{
    static const char *const required[] = {"bitemu_stack", "name", "title", "kernels", "cores", "sources", NULL};
    static const char *const keys[] = {"bitemu_stack", "name", "title", "kernels", "removes_constant_channels", "cores", "sources", NULL};
    const char *path = NULL;
    yaml_node *root = NULL;
    for (const char *p = name; *p; p++) {
        if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && !strchr("._-", *p)) return err_set(e, ST_ARG, name, "no such software stack");
    }
    if (!hw_stack_exists(board_path, name)) return hw_data_none("stacks", name, "software stack", "BITEMU_STACKS adds folders", a, e);
    status s = hw_data_read(board_path, "stacks", name, a, &path, &root, e);
    if (s != ST_OK) return s;
    s = hw_yaml_header(root, "bitemu_stack", keys, required, e);
    int removes = 0;
    if (s == ST_OK && yaml_get(root, "removes_constant_channels"))
        s = yaml_enum(yaml_get(root, "removes_constant_channels"), "removes_constant_channels", (const char *const[]){"no", "yes", NULL}, &removes, e);
    b->removes_constant = removes;
    if (s == ST_OK) s = hw_yaml_name(yaml_get(root, "kernels"), "kernels", a, kernels, e);
    if (s == ST_OK) s = load_core(root, name, core, a, b, e);
    if (s != ST_OK && s != ST_ARG) err_at(e, "%s", path);
    return s;
}
