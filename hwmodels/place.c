/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/place.c - the two planners that place each buffer once, and the choice between planners. */
#include "hwmodels/place.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16 };

static const char *const names[] = {"greedy", "first-fit", "exact"};
const char *hw_planner_name(hw_planner p) { return names[p]; }

size_t hw_align(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* TFLM numbers scratch buffers after all tensors, in the order of the operators. */
static int number(const hw_buffer *b)
{
    return b->tensor >= 0 ? b->tensor : INT_MAX / 2 + b->first_op;
}

/* Largest first; of equal sizes the later tensor first, as TFLM fills its list from the back before a stable sort. */
static int by_size(const void *a, const void *b)
{
    const hw_buffer *x = a, *y = b;
    size_t p = hw_align(x->bytes), q = hw_align(y->bytes);
    if (p != q) return p < q ? 1 : -1;
    return number(x) > number(y) ? -1 : number(x) < number(y);
}

static int by_birth(const void *a, const void *b)
{
    const hw_buffer *x = a, *y = b;
    if (x->first_op != y->first_op) return x->first_op < y->first_op ? -1 : 1;
    return by_size(a, b);
}

static bool overlap(const hw_buffer *x, const hw_buffer *y)
{
    return x->first_op <= y->last_op && y->first_op <= x->last_op;
}

/* Places buffer k after 0..k-1 have their places. order: the placed ones by offset, kept sorted. */
static void place(hw_buffer *b, int k, int *order)
{
    size_t want = hw_align(b[k].bytes), at = 0;
    for (int i = 0; i < k; i++) {
        const hw_buffer *o = &b[order[i]];
        if (!overlap(o, &b[k])) continue;
        if (o->offset >= at && o->offset - at >= want) break;
        size_t end = o->offset + hw_align(o->bytes);
        if (end > at) at = end;
    }
    b[k].offset = at;
    int i = k;
    for (; i > 0 && b[order[i - 1]].offset > at; i--) order[i] = order[i - 1];
    order[i] = k;
}

static size_t place_all(hw_buffer *b, int n, int (*compare)(const void *, const void *), int *order)
{
    size_t most = 0;
    qsort(b, (size_t)n, sizeof *b, compare);
    for (int i = 0; i < n; i++) {
        place(b, i, order);
        size_t end = b[i].offset + hw_align(b[i].bytes);
        if (end > most) most = end;
    }
    return most;
}

static void find_peak(hw_plan *p, int n_ops)
{
    for (int op = 0; op < (n_ops ? n_ops : 1); op++) {
        size_t alive = 0;
        for (int i = 0; i < p->n_buffers; i++)
            if (p->buffers[i].first_op <= op && op <= p->buffers[i].last_op) alive += hw_align(p->buffers[i].bytes);
        if (alive > p->bound_bytes) {
            p->bound_bytes = alive;
            p->peak_op = op;
        }
    }
}

status hw_place(hw_plan *p, int n_ops, hw_planner planner, arena *a, err *e)
{
    const size_t n = (size_t)p->n_buffers;
    int *order = arena_alloc(a, n, sizeof *order);
    hw_buffer *other = arena_alloc(a, n, sizeof *other);
    if (!order || !other) return err_set(e, ST_NOMEM, "memory plan", "out of memory");
    find_peak(p, n_ops);
    p->planner = planner == HW_FIRST_FIT ? HW_FIRST_FIT : HW_GREEDY;
    p->arena_bytes = place_all(p->buffers, p->n_buffers, planner == HW_FIRST_FIT ? by_birth : by_size, order);
    p->optimal = p->arena_bytes == p->bound_bytes;
    if (planner != HW_EXACT || p->optimal) return ST_OK;
    memcpy(other, p->buffers, n * sizeof *other);
    size_t bytes = place_all(other, p->n_buffers, by_birth, order);
    if (bytes < p->arena_bytes) {
        memcpy(p->buffers, other, n * sizeof *other);
        p->arena_bytes = bytes;
        p->planner = HW_FIRST_FIT;
    }
    bytes = p->arena_bytes;
    TRY(hw_place_exact(p->buffers, p->n_buffers, p->bound_bytes, &bytes, &p->optimal, a, e));
    if (bytes < p->arena_bytes) p->planner = HW_EXACT;
    p->arena_bytes = bytes;
    qsort(p->buffers, n, sizeof *p->buffers, by_size);
    return ST_OK;
}
