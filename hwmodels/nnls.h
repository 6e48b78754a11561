/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/nnls.h - least squares whose solution has no negative entry: the x >= 0 of least |A x - b|^2.
 * Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23, algorithm NNLS; inner problems by Householder QR. */
#ifndef BITEMU_HWMODELS_NNLS_H
#define BITEMU_HWMODELS_NNLS_H

#include "base/arena.h"
#include "base/status.h"

enum { HW_NNLS_COLUMNS = 32 };

/* a [rows][columns], row after row; b [rows]; x [columns] out. A column that depends on others gets 0.
 * ST_ARG: rows < 1, columns outside [1, HW_NNLS_COLUMNS], an entry is not finite. ST_UNSUPPORTED: it does not settle. ST_NOMEM. */
status hw_nnls(const double *a, const double *b, int rows, int columns, double *x, arena *mem, err *e);

#endif
