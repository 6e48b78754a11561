/* SPDX-License-Identifier: Apache-2.0
 * base/yaml.h - YAML as a tree of nodes that remember where they stand, plus the checks a schema needs. Wraps libyaml.
 * Aliases, tags and multiple documents are errors; depth and node count are bounded. Errors carry "line:column" in where;
 * callers add the file name with err_at. */
#ifndef BITEMU_BASE_YAML_H
#define BITEMU_BASE_YAML_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

typedef enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP } yaml_kind;

typedef struct yaml_node {
    yaml_kind kind;
    int line, column;        /* of the value, from 1 */
    int key_line, key_column;/* of the key, when the parent is a map */
    const char *key;         /* of this entry when its parent is a map, else NULL */
    const char *text;        /* scalar */
    int n;                   /* list items, map entries */
    struct yaml_node *items; /* [n], in file order; duplicate map keys are refused */
} yaml_node;

status yaml_parse(const uint8_t *bytes, size_t len, arena *a, yaml_node **root, err *e);

const yaml_node *yaml_get(const yaml_node *map, const char *key); /* NULL if absent or not a map */

/* ST_FORMAT unless map is a map, every key is in allowed (NULL-terminated) and every name in required (may be NULL) is present. */
status yaml_check_keys(const yaml_node *map, const char *const *allowed, const char *const *required, err *e);
status yaml_expect(const yaml_node *n, yaml_kind kind, const char *what, err *e);
/* Scalars: whole text must parse and lie in [min, max]. what names the value in messages. n must not be NULL. */
status yaml_int(const yaml_node *n, const char *what, int64_t min, int64_t max, int64_t *out, err *e);
status yaml_real(const yaml_node *n, const char *what, double min, double max, double *out, err *e);
status yaml_text(const yaml_node *n, const char *what, const char **out, err *e);
/* Index of the scalar's text in names (NULL-terminated); the error lists them. */
status yaml_enum(const yaml_node *n, const char *what, const char *const *names, int *out, err *e);
/* err at a node: where = "line:column". */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
status yaml_fail(const yaml_node *n, err *e, status code, const char *fmt, ...);

#endif
