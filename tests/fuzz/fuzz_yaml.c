/* SPDX-License-Identifier: Apache-2.0
 * YAML trees: any bytes end in a status, and every node of a tree has its place and text. */
#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const yaml_node *n)
{
    size_t sum = n->text ? strlen(n->text) : 0;
    if (n->line < 1 || n->column < 1) abort();
    for (int i = 0; i < n->n; i++) sum += walk(&n->items[i]);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *a = arena_create((size_t)64 << 20);
    yaml_node *root;
    err e = {0};
    int64_t v;
    double r;
    if (a && yaml_parse(data, size, a, &root, &e) == ST_OK) {
        (void)walk(root);
        if (root->kind == YAML_MAP && root->n) {
            (void)yaml_int(&root->items[0], "value", 0, 10, &v, NULL);
            (void)yaml_real(&root->items[0], "value", 0, 10, &r, NULL);
        }
    }
    arena_destroy(&a);
    return 0;
}
