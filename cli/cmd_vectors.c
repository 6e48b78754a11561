/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "sim/vectors.h"

static const cli_usage usage = {
    "bitemu vectors PATH... [options]",
    "Replays recorded kernel vectors (X.json + X.npz, or folders of them): does the emulator answer what the library answered?\n"
    "The library named in a file selects the profile, unless --profile does. Exit status 1 when a case differs.",
    "  bitemu vectors recorded/cmsisnn__conv2d__w8a8.json\n  bitemu vectors recorded/ --format json\n"
    "  bitemu vectors my_kernel.json --profile cmsis-nn\n",
    1, INT_MAX,
};

typedef struct totals {
    int64_t cases, equal, differ, unsupported, defect;
} totals;

static void add(totals *t, const vectors_result *r)
{
    t->cases += r->cases;
    t->equal += r->equal;
    t->differ += r->differ;
    t->unsupported += r->unsupported;
    t->defect += r->defect;
}

static const char *base_name(const char *path) { return strrchr(path, '/') ? strrchr(path, '/') + 1 : path; }

static void print_text(const vectors_result *r, int n, const totals *t)
{
    static const char *const columns[] = {"file", "profile", ">cases", ">equal", ">differ", ">unsupported", ">defect", NULL};
    cli_table *table = cli_table_create(columns);
    for (int i = 0; table && i < n; i++) {
        cli_table_row(table);
        cli_table_cell(table, "%s", base_name(r[i].file));
        cli_table_cell(table, "%s", r[i].profile ? r[i].profile : "-");
        cli_table_cell(table, "%" PRId64, r[i].cases);
        cli_table_cell(table, "%" PRId64, r[i].equal);
        cli_table_cell(table, "%" PRId64, r[i].differ);
        cli_table_cell(table, "%" PRId64, r[i].unsupported);
        cli_table_cell(table, "%" PRId64, r[i].defect);
    }
    if (table) cli_table_print(&table);
    printf("%d files, %" PRId64 " cases: %" PRId64 " equal, %" PRId64 " differ, %" PRId64 " unsupported, %" PRId64 " defects of the library\n", n, t->cases, t->equal,
           t->differ, t->unsupported, t->defect);
    for (int i = 0; i < n; i++) {
        if (r[i].first >= 0) printf("%s: case %" PRId64 ": %s\n", base_name(r[i].file), r[i].first, r[i].first_text);
        if (r[i].unsupported) printf("%s: unsupported: %s\n", base_name(r[i].file), r[i].reason);
        if (r[i].defect) printf("%s: defect: %s\n", base_name(r[i].file), r[i].rule);
    }
}

static void print_json(const vectors_result *r, int n, const totals *t)
{
    json_t *files = json_array();
    for (int i = 0; i < n; i++) {
        json_t *j = json_pack("{s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:I}", "file", r[i].file, "library", r[i].library, "operator", r[i].op, "profile",
                              r[i].profile, "cases", (json_int_t)r[i].cases, "equal", (json_int_t)r[i].equal, "differ", (json_int_t)r[i].differ, "unsupported",
                              (json_int_t)r[i].unsupported, "defect", (json_int_t)r[i].defect);
        json_object_set_new(j, "first", r[i].first >= 0 ? json_pack("{s:I, s:s}", "case", (json_int_t)r[i].first, "text", r[i].first_text) : json_null());
        json_object_set_new(j, "reason", r[i].unsupported ? json_string(r[i].reason) : json_null());
        json_object_set_new(j, "rule", r[i].rule ? json_string(r[i].rule) : json_null());
        json_array_append_new(files, j);
    }
    json_t *all = json_pack("{s:o, s:{s:i, s:I, s:I, s:I, s:I, s:I}}", "files", files, "totals", "files", n, "cases", (json_int_t)t->cases, "equal",
                            (json_int_t)t->equal, "differ", (json_int_t)t->differ, "unsupported", (json_int_t)t->unsupported, "defect", (json_int_t)t->defect);
    (void)json_dumpf(all, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(all);
}

static int is_json(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

typedef struct list {
    arena *mem;
    vectors_result *result;
    int n, room;
    const char *profile;
} list;

static status one(list *l, const char *path, err *e)
{
    if (l->n == l->room) {
        int room = l->room ? 2 * l->room : 64;
        vectors_result *more = arena_alloc(l->mem, (size_t)room, sizeof *more);
        if (!more) return err_set(e, ST_NOMEM, path, "no memory");
        if (l->n) memcpy(more, l->result, (size_t)l->n * sizeof *more);
        l->result = more;
        l->room = room;
    }
    return vectors_replay(path, l->profile, l->mem, &l->result[l->n++], e);
}

static status path_or_folder(list *l, const char *path, err *e)
{
    struct dirent **names;
    int n = scandir(path, &names, is_json, alphasort);
    status st = ST_OK;
    if (n < 0) return one(l, path, e);
    if (n == 0) st = err_set(e, ST_ARG, path, "no vector file in this folder");
    for (int i = 0; i < n; i++) {
        char full[4096];
        if (st == ST_OK) {
            (void)snprintf(full, sizeof full, "%s/%s", path, names[i]->d_name);
            st = one(l, full, e);
        }
        free(names[i]);
    }
    free(names);
    return st;
}

int cmd_vectors(int argc, char **argv)
{
    list l = {.mem = arena_create(0)};
    cli_format format = CLI_AS_TEXT;
    const cli_option table[] = {
        {"--profile", "P", CLI_TEXT, &l.profile, "replay under this arithmetic, not the file's own"},
        {"--format", "text|json", CLI_FORMAT, &format, "how to print"},
    };
    const char **args = calloc((size_t)argc + 1, sizeof *args);
    int n = 0;
    bool help = false;
    err e = {0};
    status st = l.mem && args ? cli_parse(argc, argv, &usage, table, sizeof table / sizeof *table, args, &n, &help, &e) : err_set(&e, ST_NOMEM, "", "no memory");
    for (int i = 0; st == ST_OK && !help && i < n; i++) st = path_or_folder(&l, args[i], &e);
    totals t = {0};
    int code = 0;
    if (st == ST_OK && !help) {
        for (int i = 0; i < l.n; i++) add(&t, &l.result[i]);
        if (format == CLI_AS_JSON)
            print_json(l.result, l.n, &t);
        else
            print_text(l.result, l.n, &t);
        code = status_exit(t.differ ? ST_MISMATCH : ST_OK);
    }
    if (st != ST_OK) code = cli_fail(&e);
    free(args);
    arena_destroy(&l.mem);
    return code;
}
