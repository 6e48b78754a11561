/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

status grouped_open(const char *path, grouped *g, err *e)
{
    *g = (grouped){.path = path, .last = -1};
    TRY(trace_open(path, &g->r, e));
    bool end;
    status s = trace_next(g->r, &g->ahead, &end, e);
    if (s != ST_OK) trace_close(&g->r);
    g->has_ahead = s == ST_OK && !end;
    return s;
}

void grouped_close(grouped *g) { trace_close(&g->r); }

/* As much of s as there is room for. */
static void copy_text(char *to, size_t room, const char *s)
{
    size_t n = s ? strlen(s) : 0;
    n = n < room ? n : room - 1;
    if (n) memcpy(to, s, n);
    to[n] = 0;
}

static status add(group *to, const trace_record *rec, err *e)
{
    if (to->n == to->room) {
        int room = to->room ? to->room * 2 : 32;
        struct trace_item *p = realloc(to->items, (size_t)room * sizeof *p);
        if (!p) return err_set(e, ST_NOMEM, "", "no memory");
        memset(p + to->room, 0, (size_t)(room - to->room) * sizeof *p);
        to->items = p;
        to->room = room;
    }
    struct trace_item *it = &to->items[to->n];
    if (rec->n_codes > it->codes_room) {
        int64_t *p = realloc(it->codes, rec->n_codes * sizeof *p);
        if (!p) return err_set(e, ST_NOMEM, "", "no memory");
        it->codes = p;
        it->codes_room = rec->n_codes;
    }
    if (rec->n_decisions > it->decisions_room) {
        int *p = realloc(it->decisions, rec->n_decisions * sizeof *p);
        if (!p) return err_set(e, ST_NOMEM, "", "no memory");
        it->decisions = p;
        it->decisions_room = rec->n_decisions;
    }
    it->rec = *rec;
    it->paired = false;
    if (rec->n_codes) memcpy(it->codes, rec->codes, rec->n_codes * sizeof *it->codes);
    if (rec->n_decisions) memcpy(it->decisions, rec->decisions, rec->n_decisions * sizeof *it->decisions);
    copy_text(it->name, sizeof it->name, rec->name);
    copy_text(it->op, sizeof it->op, rec->op);
    it->rec.codes = it->codes;
    it->rec.decisions = it->decisions;
    it->rec.name = NULL; /* the item's own; a record may move when the list grows */
    it->rec.op = NULL;
    if (rec->layer < 0 && rec->name) (void)snprintf(to->name, sizeof to->name, "%s", it->name);
    to->n++;
    return ST_OK;
}

/* Reads the records of the input that g->ahead starts. */
static status collect(grouped *g, group *to, err *e)
{
    bool end = false;
    to->n = 0;
    to->name[0] = 0;
    to->input = g->ahead.input;
    while (g->has_ahead && g->ahead.input == to->input) {
        TRY(add(to, &g->ahead, e));
        TRY(trace_next(g->r, &g->ahead, &end, e));
        g->has_ahead = !end;
    }
    return ST_OK;
}

status grouped_next(grouped *g, group *to, bool *end, err *e)
{
    for (;;) {
        *end = !g->has_ahead;
        if (*end) return ST_OK;
        TRY(collect(g, to, e));
        if (to->input > g->last) break;
        g->repeated++; /* a board that was restarted sends inputs again */
    }
    g->last = to->input;
    g->inputs++;
    return ST_OK;
}

void group_free(group *g)
{
    for (int i = 0; i < g->room; i++) {
        free(g->items[i].codes);
        free(g->items[i].decisions);
    }
    free(g->items);
    *g = (group){0};
}

const trace_record *group_find(const group *g, int layer)
{
    for (int i = 0; i < g->n; i++) {
        if (g->items[i].rec.layer == layer) return &g->items[i].rec;
    }
    return NULL;
}
