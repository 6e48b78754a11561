/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_DEPTH = 64, MAX_NODES = 1000000 };

typedef struct reader {
    yaml_parser_t *parser;
    arena *a;
    int nodes;
    err *e;
} reader;

static status fail_at(err *e, yaml_mark_t m, const char *msg)
{
    char where[48];
    (void)snprintf(where, sizeof where, "%zu:%zu", m.line + 1, m.column + 1);
    return err_set(e, ST_FORMAT, where, "%s", msg);
}

static status next_event(reader *r, yaml_event_t *ev)
{
    if (yaml_parser_parse(r->parser, ev)) return ST_OK;
    const yaml_parser_t *p = r->parser;
    if (p->error == YAML_MEMORY_ERROR) return err_set(r->e, ST_NOMEM, "", "no memory for YAML");
    return fail_at(r->e, p->error == YAML_READER_ERROR ? p->mark : p->problem_mark, p->problem ? p->problem : "not valid YAML");
}

static status read_node(reader *r, const yaml_event_t *ev, yaml_node *out, int depth);

/* Grows a list of children by doubling inside the arena. */
static yaml_node *push(reader *r, yaml_node *parent, int *room)
{
    if (parent->n == *room) {
        int more = *room ? *room * 2 : 4;
        yaml_node *items = arena_alloc(r->a, (size_t)more, sizeof *items);
        if (!items) return NULL;
        if (parent->n) memcpy(items, parent->items, (size_t)parent->n * sizeof *items);
        parent->items = items;
        *room = more;
    }
    return &parent->items[parent->n++];
}

static status read_key(reader *r, const yaml_event_t *ev, const yaml_node *map, const char **key)
{
    if (ev->type != YAML_SCALAR_EVENT) return fail_at(r->e, ev->start_mark, "a key must be plain text");
    const char *text = (const char *)ev->data.scalar.value;
    if (memchr(text, 0, ev->data.scalar.length)) return fail_at(r->e, ev->start_mark, "a key holds a 0 byte");
    for (int i = 0; i < map->n; i++) {
        if (map->items[i].key && strcmp(map->items[i].key, text) == 0) return fail_at(r->e, ev->start_mark, "this key stands twice");
    }
    *key = arena_strdup(r->a, text, ev->data.scalar.length);
    return *key ? ST_OK : err_set(r->e, ST_NOMEM, "", "no memory for YAML");
}

static status read_children(reader *r, yaml_node *out, int depth)
{
    yaml_event_type_t end = out->kind == YAML_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    int room = 0;
    for (;;) {
        yaml_event_t ev;
        const char *key = NULL;
        TRY(next_event(r, &ev));
        const yaml_mark_t mark = ev.start_mark;
        if (ev.type == end) {
            yaml_event_delete(&ev);
            return ST_OK;
        }
        status s = ST_OK;
        if (out->kind == YAML_MAP) {
            s = read_key(r, &ev, out, &key);
            yaml_event_delete(&ev);
            if (s == ST_OK) s = next_event(r, &ev);
            if (s != ST_OK) return s;
        }
        yaml_node child;
        s = read_node(r, &ev, &child, depth + 1);
        yaml_event_delete(&ev);
        if (s != ST_OK) return s;
        child.key = key;
        child.key_line = (int)mark.line + 1;
        child.key_column = (int)mark.column + 1;
        yaml_node *slot = push(r, out, &room);
        if (!slot) return err_set(r->e, ST_NOMEM, "", "no memory for YAML");
        *slot = child;
    }
}

static status read_node(reader *r, const yaml_event_t *ev, yaml_node *out, int depth)
{
    *out = (yaml_node){.line = (int)ev->start_mark.line + 1, .column = (int)ev->start_mark.column + 1};
    if (depth > MAX_DEPTH) return fail_at(r->e, ev->start_mark, "nested deeper than 64 levels");
    if (++r->nodes > MAX_NODES) return fail_at(r->e, ev->start_mark, "more than a million values");
    switch (ev->type) {
    case YAML_SCALAR_EVENT:
        if (ev->data.scalar.tag) return fail_at(r->e, ev->start_mark, "tags (!...) are not used here");
        if (memchr(ev->data.scalar.value, 0, ev->data.scalar.length)) return fail_at(r->e, ev->start_mark, "a value holds a 0 byte");
        out->kind = YAML_SCALAR;
        out->text = arena_strdup(r->a, (const char *)ev->data.scalar.value, ev->data.scalar.length);
        return out->text ? ST_OK : err_set(r->e, ST_NOMEM, "", "no memory for YAML");
    case YAML_SEQUENCE_START_EVENT: out->kind = YAML_LIST; break;
    case YAML_MAPPING_START_EVENT: out->kind = YAML_MAP; break;
    case YAML_ALIAS_EVENT: return fail_at(r->e, ev->start_mark, "aliases (*...) are not used here");
    default: return fail_at(r->e, ev->start_mark, "expected a value");
    }
    return read_children(r, out, depth);
}

static status read_document(reader *r, yaml_node *root)
{
    yaml_event_t ev;
    bool have_root = false;
    for (;;) {
        TRY(next_event(r, &ev));
        status s = ST_OK;
        yaml_event_type_t type = ev.type;
        if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT) {
            s = read_node(r, &ev, root, 0);
            have_root = true;
        } else if (type == YAML_DOCUMENT_START_EVENT && have_root) {
            s = fail_at(r->e, ev.start_mark, "a second document; only one is expected");
        } else if (type == YAML_STREAM_END_EVENT && !have_root) {
            s = fail_at(r->e, ev.start_mark, "empty: no document");
        }
        yaml_event_delete(&ev);
        if (s != ST_OK || type == YAML_STREAM_END_EVENT) return s;
    }
}

status yaml_parse(const uint8_t *bytes, size_t len, arena *a, yaml_node **root, err *e)
{
    yaml_parser_t parser;
    *root = arena_alloc(a, 1, sizeof **root);
    if (!*root || !yaml_parser_initialize(&parser)) return err_set(e, ST_NOMEM, "", "no memory for YAML");
    yaml_parser_set_input_string(&parser, bytes, len);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    reader r = {&parser, a, 0, e};
    status s = read_document(&r, *root);
    yaml_parser_delete(&parser);
    return s;
}

const yaml_node *yaml_get(const yaml_node *map, const char *key)
{
    for (int i = 0; map && map->kind == YAML_MAP && i < map->n; i++) {
        if (strcmp(map->items[i].key, key) == 0) return &map->items[i];
    }
    return NULL;
}

status yaml_fail(const yaml_node *n, err *e, status code, const char *fmt, ...)
{
    char where[48], msg[sizeof e->msg];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    (void)snprintf(where, sizeof where, "%d:%d", n->line, n->column);
    return err_set(e, code, where, "%s", msg);
}

static bool listed(const char *const *names, const char *name)
{
    for (; *names; names++) {
        if (strcmp(*names, name) == 0) return true;
    }
    return false;
}

/* "a, b, c", cut when long. */
static void join(const char *const *names, char *buf, size_t room)
{
    size_t at = 0;
    buf[0] = 0;
    for (int i = 0; names[i] && at + strlen(names[i]) + 3 < room; i++)
        at += (size_t)snprintf(buf + at, room - at, "%s%s", i ? ", " : "", names[i]);
}

status yaml_check_keys(const yaml_node *map, const char *const *allowed, const char *const *required, err *e)
{
    TRY(yaml_expect(map, YAML_MAP, "this", e));
    for (int i = 0; i < map->n; i++) {
        if (listed(allowed, map->items[i].key)) continue;
        char names[512];
        join(allowed, names, sizeof names);
        yaml_node at = map->items[i];
        at.line = at.key_line;
        at.column = at.key_column;
        return yaml_fail(&at, e, ST_FORMAT, "unknown key '%s'; known here: %s", map->items[i].key, names);
    }
    for (; required && *required; required++) {
        if (!yaml_get(map, *required)) return yaml_fail(map, e, ST_FORMAT, "key '%s' is missing", *required);
    }
    return ST_OK;
}

status yaml_expect(const yaml_node *n, yaml_kind kind, const char *what, err *e)
{
    static const char *const kinds[] = {"a single value", "a list", "a map of keys"};
    if (n->kind == kind) return ST_OK;
    return yaml_fail(n, e, ST_FORMAT, "%s must be %s, not %s", what, kinds[kind], kinds[n->kind]);
}

status yaml_int(const yaml_node *n, const char *what, int64_t min, int64_t max, int64_t *out, err *e)
{
    TRY(yaml_expect(n, YAML_SCALAR, what, e));
    char *end;
    errno = 0;
    long long v = strtoll(n->text, &end, 10);
    bool number = n->text[0] && (n->text[0] == '-' || (n->text[0] >= '0' && n->text[0] <= '9')) && !*end && !errno;
    if (!number) return yaml_fail(n, e, ST_FORMAT, "%s: '%s' is not a whole number", what, n->text);
    if (v < min || v > max) return yaml_fail(n, e, ST_FORMAT, "%s: %lld is outside [%lld, %lld]", what, v, (long long)min, (long long)max);
    *out = v;
    return ST_OK;
}

status yaml_real(const yaml_node *n, const char *what, double min, double max, double *out, err *e)
{
    TRY(yaml_expect(n, YAML_SCALAR, what, e));
    char *end;
    double v = strtod(n->text, &end);
    bool number = n->text[0] && strspn(n->text, "+-.0123456789eE") == strlen(n->text) && !*end && isfinite(v);
    if (!number) return yaml_fail(n, e, ST_FORMAT, "%s: '%s' is not a number", what, n->text);
    if (v < min || v > max) return yaml_fail(n, e, ST_FORMAT, "%s: %g is outside [%g, %g]", what, v, min, max);
    *out = v;
    return ST_OK;
}

status yaml_text(const yaml_node *n, const char *what, const char **out, err *e)
{
    TRY(yaml_expect(n, YAML_SCALAR, what, e));
    *out = n->text;
    return ST_OK;
}

status yaml_enum(const yaml_node *n, const char *what, const char *const *names, int *out, err *e)
{
    TRY(yaml_expect(n, YAML_SCALAR, what, e));
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], n->text) == 0) {
            *out = i;
            return ST_OK;
        }
    }
    char all[512];
    join(names, all, sizeof all);
    return yaml_fail(n, e, ST_FORMAT, "%s: '%s' is not one of %s", what, n->text, all);
}
