/* SPDX-License-Identifier: Apache-2.0 */
#include "hwmodels/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hwmodels/count.h"
#include "hwmodels/layer.h"
#include "hwmodels/nnls.h"

typedef struct row {
    double instructions[HW_N_CLASSES], fixed, cycles; /* fixed: cycles that the table states as cycles */
    int sample, fold;
} row;

typedef struct model_fit {
    double factor[HW_N_CLASSES], common, pull;
    int rows[HW_N_CLASSES];
} model_fit;

/* Adds operator i's counts; NULL, or what is missing. */
static const char *count_op(const model_graph *g, const hw_board *b, int i, row *r, arena *a)
{
    const model_op *op = &g->subgraphs[0].ops[i];
    int w, act;
    hw_op_bits(g, i, NULL, &w, &act);
    const hw_entry *x = hw_layer_entry(g, b, op, w, act);
    hw_class c = hw_layer_class(&g->subgraphs[0], op);
    if (!x) {
        char line[160];
        (void)snprintf(line, sizeof line, "op %d %s: kernels %s has no weight for it", i, op->type, b->kernels->name);
        const char *kept = arena_strdup(a, line, strlen(line));
        return kept ? kept : "no weight for an operator";
    }
    double count[HW_N_EVENTS];
    hw_layer_counts(g, b, op, count);
    for (int k = 0; k < HW_N_EVENTS; k++) {
        if (!x->per[k].known) continue;
        if (x->instructions[k]) r->instructions[c] += count[k] * x->per[k].value;
        else r->fixed += count[k] * x->per[k].value;
    }
    return NULL;
}

static const char *count_sample(const hw_sample *s, const hw_board *b, row *r, arena *a)
{
    const char *why = NULL;
    int first = s->op < 0 ? 0 : s->op, last = s->op < 0 ? s->g->subgraphs[0].n_ops - 1 : s->op;
    double sum = 0;
    for (int i = first; i <= last && !why; i++) why = count_op(s->g, b, i, r, a);
    for (int c = 0; c < HW_N_CLASSES; c++) sum += r->instructions[c];
    return why ? why : sum > 0 ? NULL : "nothing is counted for it";
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* q-quantile with linear interpolation, as numpy's; sorts v. */
static double quantile(double *v, int n, double q)
{
    qsort(v, (size_t)n, sizeof *v, ascending);
    double at = q * (n - 1);
    int low = (int)at;
    return low + 1 < n ? v[low] + (at - low) * (v[low + 1] - v[low]) : v[n - 1];
}

static double estimate(const model_fit *f, const row *r)
{
    double sum = r->fixed;
    for (int c = 0; c < HW_N_CLASSES; c++) sum += f->factor[c] * r->instructions[c];
    return sum;
}

static double total(const row *r)
{
    double sum = 0;
    for (int c = 0; c < HW_N_CLASSES; c++) sum += r->instructions[c];
    return sum;
}

/* Is every class that occurs measured alone by some row that takes part? */
static bool told_apart(const row *rows, int n, int without, const int *seen)
{
    bool alone[HW_N_CLASSES] = {false};
    for (int i = 0; i < n; i++) {
        int kinds = 0, one = 0;
        for (int c = 0; c < HW_N_CLASSES; c++)
            if (rows[i].instructions[c] > 0) {
                kinds++;
                one = c;
            }
        if (rows[i].fold != without && kinds == 1) alone[one] = true;
    }
    for (int c = 0; c < HW_N_CLASSES; c++)
        if (seen[c] && !alone[c]) return false;
    return true;
}

/* Fits all rows but those of fold `without` (-1: all). false: no row is left. */
static status fit(const row *rows, int n, int without, double pull, model_fit *f, bool *any, arena *a, err *e)
{
    int column[HW_N_CLASSES], width = 0, used = 0, m = 0;
    double *ratio = arena_alloc(a, (size_t)n, sizeof *ratio), x[HW_N_CLASSES + 1];
    if (!ratio) return err_set(e, ST_NOMEM, "calibration", "out of memory");
    memset(f, 0, sizeof *f);
    for (int i = 0; i < n; i++) {
        if (rows[i].fold == without) continue;
        ratio[used++] = fmax(rows[i].cycles - rows[i].fixed, 0) / total(&rows[i]);
        for (int c = 0; c < HW_N_CLASSES; c++) f->rows[c] += rows[i].instructions[c] > 0;
    }
    *any = used > 0;
    if (!used) return ST_OK;
    double scale = quantile(ratio, used, 0.5);
    if (!(scale > 0)) return err_set(e, ST_ARG, "calibration", "the kernel table states more cycles than were measured");
    f->pull = pull >= 0 ? pull : told_apart(rows, n, without, f->rows) ? 0 : HW_CALIBRATE_PULL;
    for (int c = 0; c < HW_N_CLASSES; c++) column[c] = f->rows[c] ? width++ : -1;
    int wide = width + (f->pull > 0);
    double *matrix = arena_alloc(a, (size_t)(used + width) * (size_t)wide, sizeof *matrix), *right = arena_alloc(a, (size_t)(used + width), sizeof *right);
    if (!matrix || !right) return err_set(e, ST_NOMEM, "calibration", "out of memory");
    for (int i = 0; i < n; i++) {
        if (rows[i].fold == without) continue;
        for (int c = 0; c < HW_N_CLASSES; c++)
            if (column[c] >= 0) matrix[m * wide + column[c]] = rows[i].instructions[c] * scale / rows[i].cycles;
        right[m++] = (rows[i].cycles - rows[i].fixed) / rows[i].cycles;
    }
    for (int c = 0; c < width && f->pull > 0; c++, m++) {
        matrix[m * wide + c] = f->pull;
        matrix[m * wide + width] = -f->pull;
    }
    TRY(hw_nnls(matrix, right, m, wide, x, a, e));
    f->common = f->pull > 0 ? fmax(x[width], HW_CALIBRATE_FLOOR) * scale : scale;
    for (int c = 0; c < HW_N_CLASSES; c++) f->factor[c] = column[c] < 0 ? f->common : fmax(x[column[c]], HW_CALIBRATE_FLOOR) * scale;
    return ST_OK;
}

static hw_fold choose_fold(const hw_sample *s, row *rows, int n)
{
    bool boards = false, networks = false;
    for (int i = 1; i < n; i++) {
        boards = boards || s[rows[i].sample].board != s[rows[0].sample].board;
        networks = networks || s[rows[i].sample].network != s[rows[0].sample].network;
    }
    for (int i = 0; i < n; i++) rows[i].fold = boards ? s[rows[i].sample].board : networks ? s[rows[i].sample].network : i % HW_CALIBRATE_FOLDS;
    return boards ? HW_FOLD_BOARD : networks ? HW_FOLD_NETWORK : n > 1 ? HW_FOLD_ROW : HW_FOLD_NONE;
}

/* Its scratch is given back at once: there may be many folds. */
static status fit_once(const row *rows, int n, int without, double pull, model_fit *f, bool *any, err *e)
{
    arena *scratch = arena_create(0);
    status st = scratch ? fit(rows, n, without, pull, f, any, scratch, e) : err_set(e, ST_NOMEM, "calibration", "out of memory");
    arena_destroy(&scratch);
    return st;
}

static status leave_out(const row *rows, int n, double pull, hw_calibration *r, arena *a, err *e)
{
    double *miss = arena_alloc(a, (size_t)n, sizeof *miss);
    if (!miss) return err_set(e, ST_NOMEM, "calibration", "out of memory");
    int count = 0;
    for (int i = 0; i < n && r->fold != HW_FOLD_NONE; i++) {
        double *at = &r->left_out[rows[i].sample];
        bool any = false;
        model_fit f;
        if (*at < 0) {
            TRY(fit_once(rows, n, rows[i].fold, pull, &f, &any, e));
            for (int k = i; any && k < n; k++)
                if (rows[k].fold == rows[i].fold) r->left_out[rows[k].sample] = estimate(&f, &rows[k]);
        }
        if (*at >= 0) miss[count++] = 100 * fabs(*at / rows[i].cycles - 1);
    }
    r->median_pct = count ? quantile(miss, count, 0.5) : -1;
    r->ninety_pct = count ? quantile(miss, count, 0.9) : -1;
    return ST_OK;
}

status hw_calibrate(const hw_kernels *k, const hw_sample *s, int n, double pull, arena *a, hw_calibration **out, err *e)
{
    const hw_board b = {.kernels = k};
    hw_calibration *r = arena_alloc(a, 1, sizeof *r);
    row *rows = arena_alloc(a, (size_t)n, sizeof *rows);
    bool any = false;
    model_fit f;
    if (!r || !rows) return err_set(e, ST_NOMEM, "calibration", "out of memory");
    r->fitted = arena_alloc(a, (size_t)n, sizeof *r->fitted);
    r->left_out = arena_alloc(a, (size_t)n, sizeof *r->left_out);
    r->missing = arena_alloc(a, (size_t)n, sizeof *r->missing);
    if (!r->fitted || !r->left_out || !r->missing) return err_set(e, ST_NOMEM, "calibration", "out of memory");
    for (int i = 0; i < n; i++) {
        row *at = &rows[r->used];
        if (!(s[i].cycles > 0) || !isfinite(s[i].cycles)) return err_set(e, ST_ARG, "calibration", "measurement %d: cycles must be greater than 0", i);
        if (s[i].op >= s[i].g->subgraphs[0].n_ops) return err_set(e, ST_ARG, "calibration", "measurement %d: there is no operator %d", i, s[i].op);
        r->fitted[i] = r->left_out[i] = -1;
        memset(at, 0, sizeof *at);
        at->cycles = s[i].cycles;
        at->sample = i;
        r->missing[i] = count_sample(&s[i], &b, at, a);
        r->used += !r->missing[i];
    }
    if (!r->used) return err_set(e, ST_INCOMPLETE, "calibration", "no measurement can be used%s%s", n ? ": " : "", n ? r->missing[0] : "");
    r->fold = choose_fold(s, rows, r->used);
    TRY(fit_once(rows, r->used, -1, pull, &f, &any, e));
    memcpy(r->factor, f.factor, sizeof f.factor);
    memcpy(r->rows, f.rows, sizeof f.rows);
    r->common = f.common;
    r->pull = f.pull;
    for (int i = 0; i < r->used; i++) r->fitted[rows[i].sample] = estimate(&f, &rows[i]);
    TRY(leave_out(rows, r->used, pull, r, a, e));
    *out = r;
    return ST_OK;
}

status hw_calibrate_kernels(const hw_board *board, const char *name, arena *a, const hw_kernels **out, err *e)
{
    for (const char *p = name; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", *p) || *name == '.') return err_set(e, ST_ARG, "--kernels", "'%s' is no kernel table; hwmodels/kernels has cmsis-nn, portable-c", name);
    err why = {0};
    status st = hw_kernels_load(board->path, name, a, out, &why);
    if (st == ST_FORMAT && strstr(why.msg, "neither beside")) return err_set(e, ST_ARG, "--kernels", "'%s' is no kernel table; hwmodels/kernels has cmsis-nn, portable-c", name);
    return st == ST_OK ? ST_OK : err_set(e, st, why.where, "%s", why.msg);
}
