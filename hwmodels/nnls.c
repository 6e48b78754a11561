/* SPDX-License-Identifier: Apache-2.0 */
#include "hwmodels/nnls.h"

#include <math.h>
#include <stdbool.h>

typedef struct problem {
    const double *a, *b;
    int m, n;
    double *q, *y;                 /* scratch: [m][n] and [m] */
    bool passive[HW_NNLS_COLUMNS]; /* may be above 0 */
} problem;

/* Reflects column k of q and everything right of it, and y, so that q[k+1..][k] becomes 0. false: nothing is left of the column. */
static bool reflect(problem *p, int k, int width, double tiny)
{
    double norm = 0;
    for (int i = k; i < p->m; i++) norm += p->q[i * p->n + k] * p->q[i * p->n + k];
    norm = sqrt(norm);
    if (norm <= tiny) return false;
    double head = p->q[k * p->n + k], alpha = head > 0 ? -norm : norm, first = head - alpha, scale = norm * (norm + fabs(head));
    for (int j = k + 1; j <= width; j++) { /* j == width: the right side */
        double dot = j < width ? first * p->q[k * p->n + j] : first * p->y[k];
        for (int i = k + 1; i < p->m; i++) dot += p->q[i * p->n + k] * (j < width ? p->q[i * p->n + j] : p->y[i]);
        dot /= scale;
        if (j < width) p->q[k * p->n + j] -= dot * first;
        else p->y[k] -= dot * first;
        for (int i = k + 1; i < p->m; i++) {
            if (j < width) p->q[i * p->n + j] -= dot * p->q[i * p->n + k];
            else p->y[i] -= dot * p->q[i * p->n + k];
        }
    }
    p->q[k * p->n + k] = alpha;
    return true;
}

/* Least squares over the passive columns; z of the others is 0. false: a column without anything of its own left the passive set. */
static bool solve(problem *p, double *z)
{
    int column[HW_NNLS_COLUMNS], k = 0;
    for (int j = 0; j < p->n; j++) {
        z[j] = 0;
        if (p->passive[j]) column[k++] = j;
    }
    for (int i = 0; i < p->m; i++) {
        p->y[i] = p->b[i];
        for (int j = 0; j < k; j++) p->q[i * p->n + j] = p->a[i * p->n + column[j]];
    }
    for (int j = 0; j < k; j++) {
        double size = 0;
        for (int i = 0; i < p->m; i++) size += p->a[i * p->n + column[j]] * p->a[i * p->n + column[j]];
        if (j < p->m && reflect(p, j, k, 1e-12 * sqrt(size))) continue;
        p->passive[column[j]] = false;
        return false;
    }
    for (int j = k - 1; j >= 0; j--) {
        double sum = p->y[j];
        for (int i = j + 1; i < k; i++) sum -= p->q[j * p->n + i] * z[column[i]];
        z[column[j]] = sum / p->q[j * p->n + j];
    }
    return true;
}

/* Column whose increase lowers the residual most, -1: none does. Never a refused one. */
static int steepest(const problem *p, const double *x, const bool *refused)
{
    int best = -1;
    double most = 0;
    for (int j = 0; j < p->n; j++) {
        double slope = 0, size = 0, rest = 0;
        if (p->passive[j] || refused[j]) continue;
        for (int i = 0; i < p->m; i++) {
            double r = p->b[i];
            for (int k = 0; k < p->n; k++) r -= p->a[i * p->n + k] * x[k];
            slope += p->a[i * p->n + j] * r;
            size += p->a[i * p->n + j] * p->a[i * p->n + j];
            rest += p->b[i] * p->b[i];
        }
        slope = size > 0 ? slope / sqrt(size) : 0;
        if (slope > 1e-12 * sqrt(rest) && slope > most) {
            most = slope;
            best = j;
        }
    }
    return best;
}

/* Walks from x towards the least squares solution of the passive set, dropping columns that reach 0 on the way. */
static void settle(problem *p, double *x, double *z)
{
    for (int guard = 0; guard <= p->n; guard++) {
        double step = 1;
        while (!solve(p, z)) {}
        for (int j = 0; j < p->n; j++)
            if (p->passive[j] && z[j] <= 0 && x[j] / (x[j] - z[j]) < step) step = x[j] > 0 ? x[j] / (x[j] - z[j]) : 0;
        for (int j = 0; j < p->n; j++) x[j] = p->passive[j] ? x[j] + step * (z[j] - x[j]) : 0;
        if (step >= 1) return;
        for (int j = 0; j < p->n; j++)
            if (p->passive[j] && (x[j] <= 0 || (z[j] <= 0 && x[j] <= 1e-14 * fabs(z[j])))) {
                p->passive[j] = false;
                x[j] = 0;
            }
    }
}

status hw_nnls(const double *a, const double *b, int rows, int columns, double *x, arena *mem, err *e)
{
    if (rows < 1 || columns < 1 || columns > HW_NNLS_COLUMNS) return err_set(e, ST_ARG, "nnls", "%d x %d equations; there must be 1 to %d unknowns", rows, columns, HW_NNLS_COLUMNS);
    for (int i = 0; i < rows * columns + rows; i++)
        if (!isfinite(i < rows * columns ? a[i] : b[i - rows * columns])) return err_set(e, ST_ARG, "nnls", "an entry is not finite");
    problem p = {a, b, rows, columns, arena_alloc(mem, (size_t)rows * (size_t)columns, sizeof(double)), arena_alloc(mem, (size_t)rows, sizeof(double)), {false}};
    double z[HW_NNLS_COLUMNS];
    bool refused[HW_NNLS_COLUMNS] = {false};
    if (!p.q || !p.y) return err_set(e, ST_NOMEM, "nnls", "out of memory");
    for (int j = 0; j < columns; j++) x[j] = 0;
    for (int round = 0; round < 10 * columns + 10; round++) {
        int j = steepest(&p, x, refused);
        if (j < 0) return ST_OK;
        p.passive[j] = true;
        settle(&p, x, z);
        refused[j] = !p.passive[j]; /* rounding alone made it look useful */
        for (int k = 0; k < columns && p.passive[j]; k++) refused[k] = false;
    }
    return err_set(e, ST_UNSUPPORTED, "nnls", "the active set does not settle");
}
