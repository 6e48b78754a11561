/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stem(const char *name, char *to, size_t room)
{
    for (const char *p = name; *p; p++) {
        if (*p == '/' || *p == '\\') name = p + 1;
    }
    (void)snprintf(to, room, "%s", name);
    size_t n = strlen(to);
    if (n > 4 && strcmp(to + n - 4, ".bin") == 0) to[n - 4] = 0;
}

static size_t hash(const char *s) /* FNV-1a */
{
    uint64_t h = 14695981039346656037u;
    for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    return (size_t)h;
}

static names_entry *slot(const names *t, const char *key)
{
    size_t i = hash(key) & (t->room - 1);
    while (t->slots[i].name && strcmp(t->slots[i].name, key) != 0) i = (i + 1) & (t->room - 1);
    return &t->slots[i];
}

names_entry *names_find(const names *t, const char *name)
{
    char key[256];
    if (!t->room) return NULL;
    stem(name, key, sizeof key);
    names_entry *s = slot(t, key);
    return s->name ? s : NULL;
}

static bool grow(names *t)
{
    names bigger = {.room = t->room ? t->room * 2 : 256, .n = t->n, .repeated = t->repeated};
    bigger.slots = calloc(bigger.room, sizeof *bigger.slots);
    if (!bigger.slots) return false;
    for (size_t i = 0; i < t->room; i++) {
        if (t->slots[i].name) *slot(&bigger, t->slots[i].name) = t->slots[i];
    }
    free(t->slots);
    *t = bigger;
    return true;
}

static status put(names *t, const group *g, const trace_record *out, err *e)
{
    char key[256];
    if (t->n * 2 >= t->room && !grow(t)) return err_set(e, ST_NOMEM, "", "no memory");
    stem(g->name, key, sizeof key);
    names_entry *s = slot(t, key);
    int64_t *codes = malloc(out->n_codes * sizeof *codes + 1);
    if (!codes) return err_set(e, ST_NOMEM, "", "no memory");
    if (out->n_codes) memcpy(codes, out->codes, out->n_codes * sizeof *codes);
    if (s->name) {
        t->repeated++;
        free(s->codes);
    } else {
        s->name = strdup(key);
        t->n++;
    }
    s->codes = codes;
    s->n_codes = out->n_codes;
    s->has_crc = out->has_crc;
    s->crc = out->crc;
    return s->name ? ST_OK : err_set(e, ST_NOMEM, "", "no memory");
}

status names_read(grouped *g, names *t, err *e)
{
    group in = {0};
    bool end = false;
    status s = ST_OK;
    while (s == ST_OK) {
        s = grouped_next(g, &in, &end, e);
        if (s != ST_OK || end) break;
        const trace_record *out = group_find(&in, TRACE_OUTPUT);
        if (out && in.name[0]) s = put(t, &in, out, e);
    }
    group_free(&in);
    return s;
}

void names_free(names *t)
{
    for (size_t i = 0; i < t->room; i++) {
        free(t->slots[i].name);
        free(t->slots[i].codes);
    }
    free(t->slots);
    *t = (names){0};
}
