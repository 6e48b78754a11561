/* SPDX-License-Identifier: Apache-2.0
 * base/arena.h - memory that is freed all at once. One owner makes it; everything reachable from a model, board or session lives
 * in one. Blocks are chained, so earlier pointers stay valid. A budget makes running out of memory an ordinary, testable case. */
#ifndef BITEMU_BASE_ARENA_H
#define BITEMU_BASE_ARENA_H

#include <stddef.h>

typedef struct arena arena;

/* budget_bytes: most that may be handed out in all; 0 = no limit. NULL when out of memory. */
arena *arena_create(size_t budget_bytes);
void arena_destroy(arena **a); /* sets *a to NULL; NULL inside is fine */

/* n elements of size bytes each, zeroed, aligned to 16. n = 0 gives a valid, empty pointer.
 * NULL when n * size overflows, memory is out, or the budget is. */
void *arena_alloc(arena *a, size_t n, size_t size);
/* A terminated copy of s[0..len). NULL as above. */
char *arena_strdup(arena *a, const char *s, size_t len);
size_t arena_used(const arena *a); /* bytes handed out */

#endif
