/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/match.h"

#include <stdio.h>
#include <string.h>

enum { MAX_ALIGN = 4096, MAX_GAP = 3 }; /* pieces, operators; from one piece of a row to its next */

typedef struct flat { /* pieces of all rows that may be operators, in order */
    match_piece piece;
    int row;
} flat;

typedef struct matching {
    const measured_log *m;
    const char *const *types;
    int n;
    arena *mem;
    flat *pieces;
    int n_pieces;
    match_row *of_op;   /* [n] */
    bool *joined;       /* [n] belongs to the row of the operator before it */
    int *op_of_row;     /* [n_rows of the log] the first operator that it stands for; -1: none yet */
    match_result *out;
    bool likely;        /* one run at least agrees with half of the operators */
} matching;

static void add_to(match_row *to, const measured_row *row)
{
    if (to->runs == 0) {
        to->tag = row->tag;
        to->unit = row->unit;
        to->least = row->least;
        to->most = row->most;
        to->line = row->line;
    }
    if (to->unit != row->unit) return; /* a log of two units: the first one's rows count */
    to->runs += row->runs;
    to->value += (row->value - to->value) * (double)row->runs / (double)to->runs;
    to->least = row->least < to->least ? row->least : to->least;
    to->most = row->most > to->most ? row->most : to->most;
}

/* Piece i stands for operator op. Further pieces of one row join its first operator. */
static void take(matching *k, int i, int op)
{
    int row = k->pieces[i].row, first = k->op_of_row[row];
    if (first < 0) {
        add_to(&k->of_op[op], &k->m->rows[row]);
        k->op_of_row[row] = op;
    }
    int last = first;
    while (first >= 0 && last + 1 < k->n && k->joined[last + 1]) last++;
    for (int j = last + 1; first >= 0 && op - last <= MAX_GAP && j <= op; j++) k->joined[j] = true; /* those between are its own as well */
}

static bool complete_at(const matching *k, int i)
{
    if (i + k->n > k->n_pieces) return false;
    int run = k->m->rows[k->pieces[i].row].run;
    for (int j = 0; j < k->n; j++) {
        if (!match_fits(&k->pieces[i + j].piece, k->types[j]) || k->m->rows[k->pieces[i + j].row].run != run) return false;
    }
    int last = k->pieces[i + k->n - 1].row;
    bool starts = i == 0 || k->pieces[i - 1].row != k->pieces[i].row, ends = i + k->n == k->n_pieces || k->pieces[i + k->n].row != last;
    return starts && ends;
}

static void complete_runs(matching *k)
{
    for (int i = 0; k->n && i < k->n_pieces;) {
        if (!complete_at(k, i)) {
            i++;
            continue;
        }
        for (int j = 0; j < k->n; j++) take(k, i + j, j);
        k->out->complete_runs++;
        i += k->n;
    }
}

/* Longest common subsequence of pieces [from, to) and the operators; of equally long ones that which ends first. */
static void align(matching *k, int from, int to, uint16_t *best)
{
    int m = to - from, width = k->n + 1, end = 0;
    memset(best, 0, (size_t)width * sizeof *best);
    for (int i = 1; i <= m; i++) {
        uint16_t *row = best + (size_t)i * (size_t)width, *above = row - width;
        row[0] = 0;
        for (int j = 1; j <= k->n; j++) {
            row[j] = above[j] > row[j - 1] ? above[j] : row[j - 1];
            if (match_fits(&k->pieces[from + i - 1].piece, k->types[j - 1]) && above[j - 1] + 1 > row[j]) row[j] = (uint16_t)(above[j - 1] + 1);
        }
        if (row[k->n] > best[(size_t)end * (size_t)width + (size_t)k->n]) end = i;
    }
    int pairs[MAX_ALIGN], j = k->n;
    for (int i = 0; i < m; i++) pairs[i] = -1;
    for (int i = end; i > 0 && j > 0;) {
        const uint16_t *row = best + (size_t)i * (size_t)width;
        if (row[j] == row[j - 1]) {
            j--;
        } else if (row[j] == row[j - width]) {
            i--;
        } else {
            pairs[--i] = --j;
        }
    }
    int found = 0;
    for (int i = 0; i < m; i++) {
        if (pairs[i] < 0) continue;
        take(k, from + i, pairs[i]);
        found++;
    }
    int most = m < k->n ? m : k->n;
    k->likely = k->likely || 2 * found >= most;
}

static status align_runs(matching *k, const char *path, err *e)
{
    if (k->n > MAX_ALIGN) return err_set(e, ST_UNSUPPORTED, path, "no complete run, and %d operators are too many to align", k->n);
    int longest = 0;
    for (int i = 0, from = 0; i < k->n_pieces; i++) {
        bool last = i + 1 == k->n_pieces || k->m->rows[k->pieces[i + 1].row].run != k->m->rows[k->pieces[i].row].run;
        if (i + 1 - from > longest) longest = i + 1 - from;
        if (last) from = i + 1;
    }
    longest = longest < MAX_ALIGN ? longest : MAX_ALIGN;
    uint16_t *best = arena_alloc(k->mem, (size_t)(longest + 1) * (size_t)(k->n + 1), sizeof *best);
    if (!best) return err_set(e, ST_NOMEM, path, "no memory");
    for (int i = 0, from = 0; i < k->n_pieces; i++) {
        bool last = i + 1 == k->n_pieces || k->m->rows[k->pieces[i + 1].row].run != k->m->rows[k->pieces[i].row].run;
        if (!last) continue;
        align(k, from, i + 1 - from > longest ? from + longest : i + 1, best);
        from = i + 1;
    }
    return ST_OK;
}

/* Traces say which operator a row is. */
static void by_index(matching *k)
{
    for (int i = 0; i < k->m->n_rows; i++) {
        const measured_row *row = &k->m->rows[i];
        bool same = row->op < k->n && (!row->tag[0] || strcmp(row->tag, k->types[row->op]) == 0);
        if (!same) continue;
        add_to(&k->of_op[row->op], row);
        k->op_of_row[i] = row->op;
        k->out->complete_runs = row->runs > k->out->complete_runs ? row->runs : k->out->complete_runs;
    }
}

static status flatten(matching *k, const char *path, err *e)
{
    k->pieces = arena_alloc(k->mem, (size_t)k->m->n_rows * MATCH_PIECES, sizeof *k->pieces);
    if (!k->pieces) return err_set(e, ST_NOMEM, path, "no memory");
    for (int i = 0; i < k->m->n_rows; i++) {
        match_piece p[MATCH_PIECES];
        int n = match_pieces(k->m->rows[i].tag, p);
        for (int j = 0; j < n; j++) k->pieces[k->n_pieces++] = (flat){p[j], i};
    }
    return ST_OK;
}

/* The first row that no operator took: where the log leaves the network's path. */
static void left_over(matching *k, int i)
{
    match_result *out = k->out;
    const measured_row *row = &k->m->rows[i];
    if (out->left_over++ > 0) return;
    out->left_over_line = row->line;
    out->left_over_tag = row->tag;
    int before = 0;
    for (int j = i; j > 0 && k->m->rows[j - 1].run == row->run; j--) before++;
    out->left_over_op = k->n ? before % k->n : -1;
}

/* Rows that are no operator of a network (Input, Inter-nodal) are listed by their tag. */
static void beside(matching *k, int i)
{
    match_result *out = k->out;
    match_row *row = out->rows;
    match_piece p[MATCH_PIECES];
    if (match_pieces(k->m->rows[i].tag, p) > 0 && k->m->rows[i].op < 0) {
        left_over(k, i);
        return;
    }
    while (row < out->rows + out->n_rows && (row->n_ops || strcmp(row->tag, k->m->rows[i].tag) != 0)) row++;
    if (row == out->rows + out->n_rows) {
        *row = (match_row){.op = -1};
        out->n_rows++;
    }
    add_to(row, &k->m->rows[i]);
}

static status finish(matching *k, const char *path, err *e)
{
    match_result *out = k->out;
    if (k->n_pieces && !k->likely)
        return err_set(e, ST_FORMAT, path, "line %lld: %s, and less than half of its rows are operators of the network in their order: is it the network of this log?",
                       (long long)k->m->rows[0].line, k->m->rows[0].tag);
    out->rows = arena_alloc(k->mem, (size_t)(k->n + k->m->n_rows) + 1, sizeof *out->rows);
    if (!out->rows) return err_set(e, ST_NOMEM, path, "no memory");
    for (int op = 0; op < k->n; op++) {
        if (k->joined[op] && out->n_rows) {
            match_row *row = &out->rows[out->n_rows - 1];
            row->n_ops++;
            out->measured_ops++;
            continue;
        }
        out->rows[out->n_rows] = k->of_op[op];
        out->rows[out->n_rows].op = op;
        out->rows[out->n_rows++].n_ops = 1;
        out->measured_ops += k->of_op[op].runs > 0;
    }
    for (int i = 0; i < k->m->n_rows; i++) {
        if (k->op_of_row[i] < 0) beside(k, i);
    }
    if (k->m->n_rows && !out->measured_ops) return err_set(e, ST_FORMAT, path, "none of its rows is an operator of the network: is it the network of this log?");
    return ST_OK;
}

static status by_type(matching *k, const char *path, err *e)
{
    match_result *out = k->out;
    bool *seen = arena_alloc(k->mem, (size_t)k->n + 1, sizeof *seen);
    out->rows = arena_alloc(k->mem, (size_t)(k->n + k->m->n_sums) + 1, sizeof *out->rows);
    if (!seen || !out->rows) return err_set(e, ST_NOMEM, path, "no memory");
    out->by_type = true;
    for (int op = 0; op < k->n; op++) {
        if (seen[op]) continue;
        match_row *row = &out->rows[out->n_rows++];
        *row = (match_row){.op = op};
        for (int i = op; i < k->n; i++) {
            if (strcmp(k->types[i], k->types[op]) != 0) continue;
            seen[i] = true;
            row->n_ops++;
        }
        for (int i = 0; i < k->m->n_sums; i++) {
            if (strcmp(k->m->sums[i].tag, k->types[op]) == 0) add_to(row, &k->m->sums[i]);
        }
        out->measured_ops += row->runs ? row->n_ops : 0;
    }
    for (int i = 0; i < k->m->n_sums; i++) {
        bool found = false;
        for (int op = 0; op < k->n && !found; op++) found = strcmp(k->m->sums[i].tag, k->types[op]) == 0;
        if (found) continue;
        out->rows[out->n_rows] = (match_row){.op = -1};
        add_to(&out->rows[out->n_rows++], &k->m->sums[i]);
    }
    if (!out->measured_ops) return err_set(e, ST_FORMAT, path, "line %lld: %s, and no type of it is one of the network's: is it the network of this log?", (long long)k->m->sums[0].line, k->m->sums[0].tag);
    return ST_OK;
}

status match_rows(const measured_log *m, const char *path, const char *const *types, int n, arena *a, match_result *out, err *e)
{
    matching k = {.m = m, .types = types, .n = n, .mem = a, .out = out};
    *out = (match_result){.left_over_op = -1};
    if (!m->n_rows && m->n_sums) return by_type(&k, path, e);
    k.of_op = arena_alloc(a, (size_t)n + 1, sizeof *k.of_op);
    k.joined = arena_alloc(a, (size_t)n + 1, sizeof *k.joined);
    k.op_of_row = arena_alloc(a, (size_t)m->n_rows + 1, sizeof *k.op_of_row);
    if (!k.of_op || !k.joined || !k.op_of_row) return err_set(e, ST_NOMEM, path, "no memory");
    for (int i = 0; i < m->n_rows; i++) k.op_of_row[i] = -1;
    if (m->n_rows && m->rows[0].op >= 0) {
        by_index(&k);
    } else {
        TRY(flatten(&k, path, e));
        complete_runs(&k);
        k.likely = out->complete_runs > 0;
        if (!out->complete_runs && k.n_pieces) TRY(align_runs(&k, path, e));
    }
    return finish(&k, path, e);
}
