/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/data.c - where the YAML files are: folders of BITEMU_BOARDS or BITEMU_STACKS (separated by ':'), the source tree that the library was
 * built from, the installed data folder. A core or kernel file is first looked for beside the board file (../cores/NAME.yaml). */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "hwmodels/board.h"

enum { MAX_YAML_BYTES = 1 << 20, MAX_PATH = 1024, MAX_NAMES = 512 };

/* Folder number i of boards (kind "boards") or of another kind; false: no more. */
static bool folder_at(const char *kind, int i, char *out, size_t size)
{
    const char *env = strcmp(kind, "boards") == 0 ? getenv("BITEMU_BOARDS") : strcmp(kind, "stacks") == 0 ? getenv("BITEMU_STACKS") : NULL;
    while (env && *env) {
        size_t len = strcspn(env, ":");
        if (len && i-- == 0) {
            snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), env);
            return true;
        }
        env += len + (env[len] == ':');
    }
    static const char *const root[] = {BITEMU_DATA_SOURCE, BITEMU_DATA_INSTALL};
    if (i >= 2) return false;
    snprintf(out, size, "%s/%s", root[i], kind);
    return true;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static status read_yaml(const char *path, arena *a, const char **kept, yaml_node **root, err *e)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;
    TRY(file_read(path, MAX_YAML_BYTES, a, &bytes, &len, e));
    *kept = arena_strdup(a, path, strlen(path));
    if (!*kept) return err_set(e, ST_NOMEM, path, "out of memory");
    status s = yaml_parse(bytes, len, a, root, e);
    if (s != ST_OK) err_at(e, "%s", path);
    return s;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

status hw_data_names(const char *kind, arena *a, const char *const **names, err *e)
{
    const char **list = arena_alloc(a, MAX_NAMES + 1, sizeof *list);
    if (!list) return err_set(e, ST_NOMEM, kind, "out of memory");
    int n = 0;
    char folder[MAX_PATH];
    for (int i = 0; folder_at(kind, i, folder, sizeof folder); i++) {
        DIR *d = opendir(folder);
        if (!d) continue;
        for (struct dirent *f; n < MAX_NAMES && (f = readdir(d));) {
            if (f->d_name[0] == '.' || !ends_with(f->d_name, ".yaml")) continue;
            list[n] = arena_strdup(a, f->d_name, strlen(f->d_name) - strlen(".yaml"));
            if (!list[n]) {
                closedir(d);
                return err_set(e, ST_NOMEM, folder, "out of memory");
            }
            n++;
        }
        closedir(d);
    }
    qsort(list, (size_t)n, sizeof *list, by_text);
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (kept == 0 || strcmp(list[i], list[kept - 1]) != 0) list[kept++] = list[i];
    list[kept] = NULL;
    *names = list;
    return ST_OK;
}

status hw_board_names(arena *a, const char *const **names, err *e) { return hw_data_names("boards", a, names, e); }

status hw_data_none(const char *kind, const char *name, const char *what, const char *hint, arena *a, err *e)
{
    const char *const *names = NULL;
    char list[900] = "";
    size_t at = 0;
    TRY(hw_data_names(kind, a, &names, e));
    for (int i = 0; names[i] && at < sizeof list; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", names[i]);
    return err_set(e, ST_ARG, name, "no such %s; there are: %s. %s", what, list[0] ? list : "none (data folder not found)", hint);
}

static bool plain_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (*p == '/' || (p == name && *p == '.')) return false;
    return *name != 0;
}

status hw_data_board(const char *name, arena *a, const char **path, yaml_node **root, err *e)
{
    if (ends_with(name, ".yaml")) return read_yaml(name, a, path, root, e);
    char folder[MAX_PATH], file[MAX_PATH + 256];
    for (int i = 0; plain_name(name) && folder_at("boards", i, folder, sizeof folder); i++) {
        int n = snprintf(file, sizeof file, "%s/%s.yaml", folder, name);
        if (n > 0 && (size_t)n < sizeof file && access(file, R_OK) == 0) return read_yaml(file, a, path, root, e);
    }
    return hw_data_none("boards", name, "board", "A path must end in .yaml; BITEMU_BOARDS adds folders", a, e);
}

/* Where KIND/NAME.yaml is: beside the board file, else in the data folders. */
static bool find(const char *board_path, const char *kind, const char *name, char *file, size_t size)
{
    const char *slash = strrchr(board_path, '/');
    int dir = slash ? (int)(slash - board_path) : 1;
    char folder[MAX_PATH];
    int n = snprintf(file, size, "%.*s/../%s/%s.yaml", dir, slash ? board_path : ".", kind, name);
    if (n > 0 && (size_t)n < size && access(file, R_OK) == 0) return true;
    for (int i = 0; folder_at(kind, i, folder, sizeof folder); i++) {
        n = snprintf(file, size, "%s/%s.yaml", folder, name);
        if (n > 0 && (size_t)n < size && access(file, R_OK) == 0) return true;
    }
    return false;
}

bool hw_data_exists(const char *board_path, const char *kind, const char *name)
{
    char file[2 * MAX_PATH];
    return plain_name(name) && find(board_path, kind, name, file, sizeof file);
}

status hw_data_read(const char *board_path, const char *kind, const char *name, arena *a, const char **path, yaml_node **root,
                    err *e)
{
    char file[2 * MAX_PATH];
    if (find(board_path, kind, name, file, sizeof file)) return read_yaml(file, a, path, root, e);
    return err_set(e, ST_FORMAT, board_path, "names %s/%s.yaml, which is neither beside this file nor in the data folder", kind,
                   name);
}
