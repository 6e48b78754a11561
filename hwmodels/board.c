/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/board.c - boards/NAME.yaml and cores/NAME.yaml into struct hw_board. Schema: docs/COSTS.md.
 * Every number is {value, unit, source, error_pct}; source names an entry of the file's `sources`. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hwmodels/board.h"

/* Reads {value, unit, source, error_pct}: value in [0, 1e12], finite. *unit (may be NULL) = index in units. */
status hw_yaml_figure(const yaml_node *n, const char *what, const yaml_node *sources, const hw_unit *units, hw_figure *out,
                      int *unit, err *e)
{
    static const char *const allowed[] = {"value", "unit", "source", "error_pct", NULL};
    static const char *const required[] = {"value", "unit", "source", NULL};
    const char *names[8] = {NULL}, *key = NULL;
    int u = 0;
    TRY(yaml_expect(n, YAML_MAP, what, e));
    TRY(yaml_check_keys(n, allowed, required, e));
    TRY(yaml_real(yaml_get(n, "value"), what, 0, 1e12, &out->value, e));
    if (!isfinite(out->value)) return yaml_fail(yaml_get(n, "value"), e, ST_FORMAT, "%s must be a finite number", what);
    for (int i = 0; i < 7 && units[i].name; i++) names[i] = units[i].name;
    TRY(yaml_enum(yaml_get(n, "unit"), "unit", names, &u, e));
    out->error_pct = -1;
    if (yaml_get(n, "error_pct")) {
        TRY(yaml_real(yaml_get(n, "error_pct"), "error_pct", 0, 1000, &out->error_pct, e));
        if (!isfinite(out->error_pct))
            return yaml_fail(yaml_get(n, "error_pct"), e, ST_FORMAT, "error_pct must be a finite number");
    }
    TRY(yaml_text(yaml_get(n, "source"), "source", &key, e));
    const yaml_node *src = yaml_get(sources, key);
    if (!src)
        return yaml_fail(yaml_get(n, "source"), e, ST_FORMAT, "source '%s' is not in this file's `sources`; add it there", key);
    TRY(yaml_text(src, "source", &out->source, e));
    out->value *= units[u].scale;
    out->unit = units[u].name;
    out->known = true;
    if (unit) *unit = u;
    return ST_OK;
}

/* Root map with `version_key: 1`, allowed keys, and a `sources` map of non-empty texts. */
status hw_yaml_header(const yaml_node *root, const char *version_key, const char *const *allowed, const char *const *required,
                      err *e)
{
    int64_t version = 0;
    TRY(yaml_expect(root, YAML_MAP, version_key, e));
    TRY(yaml_check_keys(root, allowed, required, e));
    TRY(yaml_int(yaml_get(root, version_key), version_key, 1, 1, &version, e));
    const yaml_node *sources = yaml_get(root, "sources");
    TRY(yaml_expect(sources, YAML_MAP, "sources", e));
    for (int i = 0; i < sources->n; i++) {
        const char *text = NULL;
        TRY(yaml_text(&sources->items[i], "source", &text, e));
        if (!*text) return yaml_fail(&sources->items[i], e, ST_FORMAT, "a source must say where the number is from");
    }
    return ST_OK;
}

status hw_yaml_string(const yaml_node *n, const char *what, arena *a, const char **out, err *e)
{
    const char *text = NULL;
    TRY(yaml_text(n, what, &text, e));
    *out = arena_strdup(a, text, strlen(text));
    return *out ? ST_OK : err_set(e, ST_NOMEM, "", "out of memory");
}

status hw_yaml_name(const yaml_node *n, const char *what, arena *a, const char **out, err *e)
{
    TRY(hw_yaml_string(n, what, a, out, e));
    size_t len = strspn(*out, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    if (!len || (*out)[len] || (*out)[0] == '.')
        return yaml_fail(n, e, ST_FORMAT, "%s must be lower case letters, digits, '.', '_', '-', not starting with '.'", what);
    return ST_OK;
}

static const hw_unit bytes[] = {{"bytes", 1}, {"KiB", 1024}, {"MiB", 1024.0 * 1024}, {NULL, 0}};
static const hw_unit cycles_per_instruction[] = {{"cycles/instruction", 1}, {NULL, 0}};

/* cores/NAME.yaml: the instruction timings that sources state. The cheapest one is the floor of any cycles per instruction. */
static status load_core(hw_board *b, const char *name, arena *a, double *floor, err *e)
{
    static const char *const allowed[] = {"bitemu_core", "name", "title", "relative", "cycles", "timing", "sources", NULL}; /* relative: stack.c, timing: iss/timing.c */
    static const char *const required[] = {"bitemu_core", "name", "title", "cycles", "sources", NULL};
    static const char *const classes[] = {"alu", "mul", "load", "store", "branch", NULL};
    const char *path = NULL;
    yaml_node *root = NULL;
    TRY(hw_data_read(b->path, "cores", name, a, &path, &root, e));
    status s = hw_yaml_header(root, "bitemu_core", allowed, required, e);
    if (s == ST_OK) s = hw_yaml_string(yaml_get(root, "title"), "title", a, &b->core_title, e);
    const yaml_node *cycles = yaml_get(root, "cycles"), *relative = yaml_get(root, "relative");
    const char *ignored = NULL;
    if (s == ST_OK && relative) s = hw_yaml_name(relative, "relative", a, &ignored, e);
    if (s == ST_OK) s = yaml_expect(cycles, YAML_MAP, "cycles", e);
    if (s == ST_OK) s = yaml_check_keys(cycles, classes, NULL, e);
    *floor = 0;
    for (int i = 0; s == ST_OK && i < cycles->n; i++) {
        hw_figure f = {0};
        const yaml_node *c = &cycles->items[i];
        s = hw_yaml_figure(c, c->key, yaml_get(root, "sources"), cycles_per_instruction, &f, NULL, e);
        if (i == 0 || f.value < *floor) *floor = f.value;
    }
    if (s != ST_OK) err_at(e, "%s", path);
    return s;
}

/* One software stack: kernel family + what it costs on this board. wanted NULL = the first. */
static status load_stack(hw_board *b, const yaml_node *root, const char *wanted, arena *a, const yaml_node **cpi,
                         const char **kernels, const char **shared_stack, err *e)
{
    static const char *const keys[] = {"name", "kernels", "cycles_per_instruction", "stack", "active_power", NULL};
    static const char *const required[] = {"name", NULL};
    const yaml_node *stacks = yaml_get(root, "stacks"), *sources = yaml_get(root, "sources");
    TRY(yaml_expect(stacks, YAML_LIST, "stacks", e));
    if (stacks->n == 0) return yaml_fail(stacks, e, ST_FORMAT, "a board needs at least one stack");
    char names[256] = "";
    for (int i = 0; i < stacks->n; i++) {
        const yaml_node *s = &stacks->items[i];
        const char *name = NULL, *family = NULL, *common = NULL;
        hw_figure factor = {0}, power = {0};
        TRY(yaml_expect(s, YAML_MAP, "stack", e));
        TRY(yaml_check_keys(s, keys, required, e));
        TRY(hw_yaml_name(yaml_get(s, "name"), "name", a, &name, e));
        const yaml_node *f = yaml_get(s, "cycles_per_instruction"), *shared = yaml_get(s, "stack");
        if (shared && (f || yaml_get(s, "kernels"))) return yaml_fail(shared, e, ST_FORMAT, "a stack names stacks/NAME.yaml, or kernels and cycles_per_instruction, not both");
        if (!shared && (!f || !yaml_get(s, "kernels"))) return yaml_fail(s, e, ST_FORMAT, "a stack needs kernels and cycles_per_instruction, or stack");
        if (shared) TRY(hw_yaml_name(shared, "stack", a, &common, e));
        if (f) TRY(hw_yaml_name(yaml_get(s, "kernels"), "kernels", a, &family, e));
        if (f) TRY(hw_yaml_figure(f, "cycles_per_instruction", sources, cycles_per_instruction, &factor, NULL, e));
        if (yaml_get(s, "active_power"))
            TRY(hw_yaml_figure(yaml_get(s, "active_power"), "active_power", sources, hw_milliwatts, &power, NULL, e));
        strncat(names, i ? ", " : "", sizeof names - strlen(names) - 1);
        strncat(names, name, sizeof names - strlen(names) - 1);
        if (b->stack || (wanted && strcmp(wanted, name) != 0)) continue;
        b->stack = name;
        b->power_mw = power;
        for (int c = 0; f && c < HW_N_CLASSES; c++) b->factor[c] = factor;
        *cpi = f ? yaml_get(f, "value") : NULL;
        *kernels = family;
        *shared_stack = common;
    }
    if (b->stack) return ST_OK;
    b->stack = *shared_stack = wanted; /* a published stack on this core, if there is one of that name */
    return hw_stack_exists(b->path, wanted) ? ST_OK : err_set(e, ST_ARG, "", "no stack '%s'; this board has: %s, and stacks/*.yaml", wanted, names);
}

static status load_fields(hw_board *b, const yaml_node *root, const char *stack, const char *point, arena *a, const yaml_node **cpi,
                          const char **core, const char **kernels, const char **shared_stack, err *e)
{
    static const char *const allowed[] = {"bitemu_board", "name", "title", "core", "clock", "sram", "flash", "memories",
                                          "instruction_cache", "data_cache", "idle_power", "operating_points", "stacks", "sources", NULL};
    static const char *const required[] = {"bitemu_board", "name", "title", "core", "clock", "stacks", "sources", NULL};
    TRY(hw_yaml_header(root, "bitemu_board", allowed, required, e));
    const yaml_node *sources = yaml_get(root, "sources");
    TRY(hw_yaml_name(yaml_get(root, "name"), "name", a, &b->name, e));
    TRY(hw_yaml_string(yaml_get(root, "title"), "title", a, &b->title, e));
    TRY(hw_yaml_name(yaml_get(root, "core"), "core", a, core, e));
    TRY(hw_clock_load(yaml_get(root, "clock"), sources, &b->clock_hz, e));
    const yaml_node *sram = yaml_get(root, "sram"), *flash = yaml_get(root, "flash");
    if (sram) TRY(hw_yaml_figure(sram, "sram", sources, bytes, &b->sram_bytes, NULL, e));
    if (flash) TRY(hw_yaml_figure(flash, "flash", sources, bytes, &b->flash_bytes, NULL, e));
    if (yaml_get(root, "idle_power")) TRY(hw_yaml_figure(yaml_get(root, "idle_power"), "idle_power", sources, hw_milliwatts, &b->idle_power_mw, NULL, e));
    TRY(hw_memories_load(root, b, a, e));
    TRY(load_stack(b, root, stack, a, cpi, kernels, shared_stack, e));
    return hw_power_load(root, point, a, b, e);
}

static status finish(hw_board *b, const char *kernels, arena *a, err *e)
{
    TRY(hw_kernels_load(b->path, kernels, a, &b->kernels, e));
    TRY(hw_code_load(b, a, e));
    size_t size = strlen(kernels) + strlen(b->stack) + 2;
    char *text = arena_alloc(a, size, 1);
    if (!text) return err_set(e, ST_NOMEM, b->name, "out of memory");
    (void)snprintf(text, size, "%s/%s", kernels, b->stack);
    b->kernels_text = text;
    return ST_OK;
}

status hw_board_what_if(const char *core, double clock_hz, const char *stack, arena *a, hw_board **out, err *e)
{
    hw_board *b = arena_alloc(a, 1, sizeof *b);
    const char *slug = hw_core_slug(core, a), *kernels = NULL;
    char *title = arena_alloc(a, strlen(core) + 64, 1);
    if (!b || !slug || !title) return err_set(e, ST_NOMEM, core, "out of memory");
    if (!(clock_hz > 0) || !isfinite(clock_hz)) return err_set(e, ST_ARG, "--clock-hz", "the clock must be greater than 0 Hz");
    (void)snprintf(title, strlen(core) + 64, "what-if: %s at %g MHz", core, clock_hz / 1e6);
    b->title = title;
    b->name = b->core_title = b->core = slug;
    b->path = "what-if";
    if (!stack) TRY(hw_stack_for(slug, a, &stack, e));
    b->stack = stack;
    b->clock_hz = (hw_figure){.value = clock_hz, .error_pct = 0, .unit = "Hz", .source = "asked", .known = true};
    TRY(hw_stack_load("", stack, slug, a, b, &kernels, e));
    TRY(finish(b, kernels, a, e));
    *out = b;
    return ST_OK;
}

/* "NAME", "NAME:STACK", "NAME@POINT" or "NAME@POINT:STACK"; NAME may be a path. */
status hw_board_load(const char *name, arena *a, hw_board **out, err *e)
{
    if (!name || !*name) return err_set(e, ST_ARG, "board", "the name is empty");
    hw_board *b = arena_alloc(a, 1, sizeof *b);
    const char *colon = strrchr(name, ':'), *stack = colon && !strchr(colon, '/') ? colon + 1 : NULL;
    char *base = arena_strdup(a, name, stack ? (size_t)(colon - name) : strlen(name)), *at = base ? strrchr(base, '@') : NULL;
    if (!b || !base) return err_set(e, ST_NOMEM, name, "out of memory");
    const char *point = at && !strchr(at, '/') ? at + 1 : NULL;
    if (point) *at = 0;
    yaml_node *root = NULL;
    const yaml_node *cpi = NULL;
    const char *core = NULL, *kernels = NULL, *shared = NULL;
    double floor = 0;
    TRY(hw_data_board(base, a, &b->path, &root, e));
    status s = load_fields(b, root, stack, point, a, &cpi, &core, &kernels, &shared, e);
    if (s != ST_OK) {
        err_at(e, "%s", b->path);
        return s;
    }
    b->core = core;
    TRY(load_core(b, core, a, &floor, e));
    if (shared) TRY(hw_stack_load(b->path, shared, core, a, b, &kernels, e));
    if (cpi && b->factor[0].value < floor) {
        s = yaml_fail(cpi, e, ST_FORMAT, "fewer cycles per instruction than the core's cheapest instruction takes (%g)", floor);
        err_at(e, "%s", b->path);
        return s;
    }
    if (stack || point) b->name = arena_strdup(a, name, strlen(name));
    if (!b->name) return err_set(e, ST_NOMEM, name, "out of memory");
    TRY(finish(b, kernels, a, e));
    *out = b;
    return ST_OK;
}

const char *hw_board_name(const hw_board *b) { return b->name; }
const char *hw_board_core(const hw_board *b) { return b->core; }
const char *hw_board_title(const hw_board *b) { return b->title; }
const char *hw_board_kernels(const hw_board *b) { return b->kernels_text; }
const char *hw_board_estimated(const hw_board *b) { return b->estimated; }
double hw_board_clock_hz(const hw_board *b) { return b->clock_hz.value; }
double hw_board_sram_bytes(const hw_board *b) { return b->sram_bytes.known ? b->sram_bytes.value : -1; }
double hw_board_flash_bytes(const hw_board *b) { return b->flash_bytes.known ? b->flash_bytes.value : -1; }

const hw_memory *hw_board_memories(const hw_board *b, int *n)
{
    *n = b->n_memories;
    return b->memories;
}

hw_figure hw_board_icache(const hw_board *b) { return b->icache_bytes; }
hw_figure hw_board_dcache(const hw_board *b) { return b->dcache_bytes; }
hw_figure hw_board_active_power(const hw_board *b) { return b->power_mw; }
const char *hw_board_point(const hw_board *b) { return b->point; }
const char *hw_board_points(const hw_board *b) { return b->points; }
hw_figure hw_board_idle_power(const hw_board *b) { return b->idle_power_mw; }
bool hw_board_is_arch(const hw_board *b) { return b->arch != NULL; }
