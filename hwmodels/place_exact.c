/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/place_exact.c - offsets of least total, by branch and bound.
 * Some best placement can be built by stacking: take buffers in the order of their offsets and put each on top of the highest one already placed
 * that is alive with it (pushing a buffer down never makes room worse; repeated until nothing moves, offsets are in order). So all orders are
 * tried, offsets rising, and one is given up when at some operator
 *   max(top of what is placed and alive there, last offset) + bytes still to be placed there >= best so far. */
#include <string.h>

#include "hwmodels/place.h"

typedef struct search {
    int n, n_times;
    int first[HW_EXACT_BUFFERS], last[HW_EXACT_BUFFERS]; /* in times: operators at which a buffer begins or ends, numbered */
    size_t bytes[HW_EXACT_BUFFERS], at[HW_EXACT_BUFFERS], best_at[HW_EXACT_BUFFERS];
    bool placed[HW_EXACT_BUFFERS];
    size_t top[2 * HW_EXACT_BUFFERS], rest[2 * HW_EXACT_BUFFERS]; /* [n_times] */
    size_t best, bound;
    int64_t steps;
} search;

static size_t least(const search *s, size_t from)
{
    size_t most = 0;
    for (int t = 0; t < s->n_times; t++) {
        size_t base = s->rest[t] && from > s->top[t] ? from : s->top[t];
        if (base + s->rest[t] > most) most = base + s->rest[t];
    }
    return most;
}

/* Of buffers that cannot be told apart only the first unplaced one is tried. */
static bool twin_before(const search *s, int k)
{
    for (int i = 0; i < k; i++)
        if (!s->placed[i] && s->bytes[i] == s->bytes[k] && s->first[i] == s->first[k] && s->last[i] == s->last[k]) return true;
    return false;
}

static void descend(search *s, int done, size_t from) /* NOLINT: depth is at most HW_EXACT_BUFFERS */
{
    if (least(s, from) >= s->best || s->steps >= HW_EXACT_STEPS) return;
    s->steps++;
    if (done == s->n) {
        s->best = least(s, from);
        memcpy(s->best_at, s->at, sizeof s->at);
        return;
    }
    for (int k = 0; k < s->n && s->best > s->bound; k++) {
        size_t at = 0, before[2 * HW_EXACT_BUFFERS];
        if (s->placed[k] || twin_before(s, k)) continue;
        for (int t = s->first[k]; t <= s->last[k]; t++)
            if (s->top[t] > at) at = s->top[t];
        if (at < from) continue;
        memcpy(before, s->top, sizeof before);
        for (int t = s->first[k]; t <= s->last[k]; t++) {
            s->top[t] = at + s->bytes[k];
            s->rest[t] -= s->bytes[k];
        }
        s->placed[k] = true;
        s->at[k] = at;
        descend(s, done + 1, at);
        s->placed[k] = false;
        memcpy(s->top, before, sizeof before);
        for (int t = s->first[k]; t <= s->last[k]; t++) s->rest[t] += s->bytes[k];
    }
}

/* How many distinct begins and ends lie before operator op. */
static int time_of(const hw_buffer *b, int n, int op)
{
    int count = 0;
    for (int i = 0; i < 2 * n; i++) {
        int x = i % 2 ? b[i / 2].last_op : b[i / 2].first_op;
        bool seen = false;
        for (int k = 0; k < i && !seen; k++) seen = (k % 2 ? b[k / 2].last_op : b[k / 2].first_op) == x;
        count += !seen && x < op;
    }
    return count;
}

status hw_place_exact(hw_buffer *b, int n, size_t bound_bytes, size_t *best_bytes, bool *optimal, arena *a, err *e)
{
    *optimal = *best_bytes <= bound_bytes;
    if (*optimal || n > HW_EXACT_BUFFERS) return ST_OK;
    search *s = arena_alloc(a, 1, sizeof *s);
    if (!s) return err_set(e, ST_NOMEM, "memory plan", "out of memory");
    s->n = n;
    s->best = *best_bytes;
    s->bound = bound_bytes;
    for (int i = 0; i < n; i++) {
        s->bytes[i] = hw_align(b[i].bytes);
        s->best_at[i] = b[i].offset;
        s->first[i] = time_of(b, n, b[i].first_op);
        s->last[i] = time_of(b, n, b[i].last_op);
        if (s->last[i] >= s->n_times) s->n_times = s->last[i] + 1;
        for (int t = s->first[i]; t <= s->last[i]; t++) s->rest[t] += s->bytes[i];
    }
    descend(s, 0, 0);
    for (int i = 0; i < n; i++) b[i].offset = s->best_at[i];
    *best_bytes = s->best;
    *optimal = s->steps < HW_EXACT_STEPS || s->best == bound_bytes;
    return ST_OK;
}
