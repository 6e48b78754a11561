/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/export_board.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { MAX_YAML_BYTES = 1 << 16 };

static const char *const roots[] = {BITEMU_ROOT_SOURCE, BITEMU_ROOT_INSTALL};

status export_source(const char *name, arena *a, const char **path, err *e)
{
    char file[1024];
    for (int i = 0; i < 2; i++) {
        int n = snprintf(file, sizeof file, "%s/%s", roots[i], name);
        if (n < 0 || (size_t)n >= sizeof file || access(file, R_OK) != 0) continue;
        *path = arena_strdup(a, file, strlen(file));
        return *path ? ST_OK : err_set(e, ST_NOMEM, name, "no memory");
    }
    return err_set(e, ST_IO, name, "the runtime's sources are neither in %s nor in %s", roots[0], roots[1]);
}

static status no_board(const char *name, err *e)
{
    char list[400] = "";
    size_t at = 0;
    for (int i = 0; i < 2 && !at; i++) {
        char folder[1024];
        (void)snprintf(folder, sizeof folder, "%s/device/boards", roots[i]);
        DIR *d = opendir(folder);
        for (struct dirent *f; d && (f = readdir(d)) && at < sizeof list - 64;) {
            const char *dot = strstr(f->d_name, ".yaml");
            if (dot) at += (size_t)snprintf(list + at, sizeof list - at, "%s%.*s", at ? ", " : "", (int)(dot - f->d_name), f->d_name);
        }
        if (d) closedir(d);
    }
    return err_set(e, ST_ARG, "--board", "no board '%s'; simulated ones: %s; real ones (without start-up code): bitemu boards", name, list);
}

static status texts(const yaml_node *root, const char *key, const yaml_node **out, err *e)
{
    const yaml_node *n = yaml_get(root, key);
    *out = n;
    if (!n) return ST_OK;
    TRY(yaml_expect(n, YAML_LIST, key, e));
    for (int i = 0; i < n->n; i++) TRY(yaml_expect(&n->items[i], YAML_SCALAR, key, e));
    return ST_OK;
}

static status text(const yaml_node *root, const char *key, const char **out, err *e)
{
    const yaml_node *n = yaml_get(root, key);
    return n ? yaml_text(n, key, out, e) : ST_OK;
}

static status region(const yaml_node *root, const char *key, double *start, double *bytes, err *e)
{
    static const char *const keys[] = {"start", "bytes", NULL};
    const yaml_node *n = yaml_get(root, key);
    if (!n) return ST_OK;
    TRY(yaml_check_keys(n, keys, keys, e));
    TRY(yaml_real(yaml_get(n, "start"), "start", 0, 4294967295.0, start, e));
    return yaml_real(yaml_get(n, "bytes"), "bytes", 1, 4294967296.0, bytes, e);
}

static status read_board(const yaml_node *root, export_board *b, err *e)
{
    static const char *const keys[] = {"bitemu_device", "name", "title", "compiler", "size", "nm", "flags", "link", "script", "sources", "kernels", "flash", "sram", "stack", "run", "count", "no_cycles", "core", "cost_kernels", NULL}; /* the last five: of device/run and device/check */
    static const char *const required[] = {"bitemu_device", "name", "title", "compiler", "sources", "kernels", "run", NULL};
    int64_t version;
    TRY(yaml_check_keys(root, keys, required, e));
    TRY(yaml_int(yaml_get(root, "bitemu_device"), "bitemu_device", 1, 1, &version, e));
    TRY(text(root, "name", &b->name, e));
    TRY(text(root, "title", &b->title, e));
    TRY(text(root, "compiler", &b->compiler, e));
    TRY(text(root, "size", &b->size, e));
    TRY(text(root, "script", &b->script, e));
    TRY(text(root, "kernels", &b->kernels, e));
    TRY(texts(root, "flags", &b->flags, e));
    TRY(texts(root, "link", &b->link, e));
    TRY(texts(root, "sources", &b->sources, e));
    TRY(region(root, "flash", &b->flash_start, &b->flash_bytes, e));
    TRY(region(root, "sram", &b->sram_start, &b->sram_bytes, e));
    if (yaml_get(root, "stack")) TRY(yaml_int(yaml_get(root, "stack"), "stack", 64, 1 << 30, &b->stack, e));
    return ST_OK;
}

static status real_board(const char *name, arena *a, export_board *b, err *e)
{
    static const struct {
        const char *core, *kernels;
    } rows[] = {{"cortex-m4", "armv7em"}, {"cortex-m7", "armv7em"}, {"cortex-m33", "armv7em"}, {"cortex-m55", "mve"}, {"cortex-m85", "mve"}}; /* as the listed boards have them; others: portable */
    hw_board *hw;
    TRY(hw_board_load(name, a, &hw, e));
    b->name = hw_board_name(hw);
    b->title = hw_board_title(hw);
    b->core = hw_board_core(hw);
    b->compiler = strncmp(b->core, "cortex-m", 8) == 0 ? "arm-none-eabi-gcc" : "cc";
    b->kernels = "portable";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(b->core, rows[i].core) == 0) b->kernels = rows[i].kernels;
    }
    b->sram_bytes = hw_board_sram_bytes(hw);
    b->flash_bytes = hw_board_flash_bytes(hw);
    return ST_OK;
}

status export_board_load(const char *name, arena *a, export_board *out, err *e)
{
    char file[300];
    const char *path;
    err none = {0};
    *out = (export_board){.flash_bytes = -1, .sram_bytes = -1, .size = "size"};
    if (strchr(name, '/') || strlen(name) > 200) return no_board(name, e);
    (void)snprintf(file, sizeof file, "device/boards/%s.yaml", name);
    if (export_source(file, a, &path, &none) != ST_OK) {
        status s = real_board(name, a, out, &none);
        return s == ST_OK ? ST_OK : none.code == ST_FORMAT || s == ST_FORMAT ? err_set(e, s, none.where, "%s", none.msg) : no_board(name, e);
    }
    const uint8_t *bytes;
    size_t len;
    yaml_node *root;
    TRY(file_read(path, MAX_YAML_BYTES, a, &bytes, &len, e));
    status s = yaml_parse(bytes, len, a, &root, e);
    if (s == ST_OK) s = read_board(root, out, e);
    if (s != ST_OK) err_at(e, "%s", path);
    return s;
}
