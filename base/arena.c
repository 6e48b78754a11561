/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 16u
#define BLOCK ((size_t)64 << 10)

typedef struct block {
    struct block *next;
    size_t used, size;
    alignas(ALIGN) unsigned char data[];
} block;

struct arena {
    block *head;
    size_t used, budget;
};

arena *arena_create(size_t budget_bytes)
{
    arena *a = calloc(1, sizeof *a);
    if (a) a->budget = budget_bytes;
    return a;
}

void arena_destroy(arena **a)
{
    if (!a || !*a) return;
    for (block *b = (*a)->head; b;) {
        block *next = b->next;
        free(b);
        b = next;
    }
    free(*a);
    *a = NULL;
}

void *arena_alloc(arena *a, size_t n, size_t size)
{
    if (size && n > (SIZE_MAX - 2 * BLOCK) / size) return NULL;
    size_t bytes = (n * size + ALIGN - 1) / ALIGN * ALIGN;
    if (a->budget && bytes > a->budget - a->used) return NULL;
    block *b = a->head;
    if (!b || bytes > b->size - b->used) {
        size_t room = bytes > BLOCK / 4 ? bytes : BLOCK; /* a large request gets a block of its own */
        block *fresh = malloc(sizeof *fresh + room);
        if (!fresh) return NULL;
        fresh->used = 0;
        fresh->size = room;
        if (b && room == bytes && bytes != BLOCK) { /* keep filling the current small block */
            fresh->next = b->next;
            b->next = fresh;
        } else {
            fresh->next = b;
            a->head = fresh;
        }
        b = fresh;
    }
    void *p = b->data + b->used;
    b->used += bytes;
    a->used += bytes;
    memset(p, 0, bytes);
    return p;
}

char *arena_strdup(arena *a, const char *s, size_t len)
{
    char *copy = arena_alloc(a, len + 1, 1);
    if (copy && len) memcpy(copy, s, len);
    return copy;
}

size_t arena_used(const arena *a) { return a->used; }
