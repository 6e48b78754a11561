/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/calibrate.h - cycles per counted instruction of a software stack on a core, by operator class, from measurements.
 *   measured cycles of a row  ~  sum over classes of factor x instructions counted for that class  +  what the table states in cycles
 * Least squares of the relative error of each row, factors >= 0 (nnls.h), then at least FLOOR of the common one. Classes that the rows do not tell
 * apart are pulled towards a common factor: a further unknown u0, and for each class an equation pull x (u - u0) = 0, in units of the median
 * of cycles / instructions over rows. A class that no row has takes the common factor (with pull 0: that median). */
#ifndef BITEMU_HWMODELS_CALIBRATE_H
#define BITEMU_HWMODELS_CALIBRATE_H

#include "hwmodels/board.h"

#define HW_CALIBRATE_PULL 0.15  /* weight of the pull, as hwmodels/fit/stacks.py uses */
#define HW_CALIBRATE_FLOOR 0.05 /* least factor, in common factors */
enum { HW_CALIBRATE_FOLDS = 200 }; /* rows of one network on one board: every 200th is left out together */

typedef struct hw_sample {
    const model_graph *g;
    int op;          /* -1 = the whole network */
    double cycles;   /* measured, > 0 */
    int board;       /* same number = same board */
    int network;     /* same number = same network */
} hw_sample;

typedef enum hw_fold { HW_FOLD_BOARD, HW_FOLD_NETWORK, HW_FOLD_ROW, HW_FOLD_NONE } hw_fold; /* what is left out; NONE: only one row */

typedef struct hw_calibration {
    double factor[HW_N_CLASSES];      /* cycles per counted instruction, > 0 */
    int rows[HW_N_CLASSES];           /* samples in which the class occurs; 0 = factor is `common` */
    double common;
    double pull;                      /* that was used */
    hw_fold fold;                     /* boards where there are two, else networks, else rows */
    double *fitted, *left_out;        /* [n samples] cycles as estimated by all rows, and without the row's fold; < 0: left out of the fit */
    const char **missing;             /* [n samples] NULL, or why a sample is not used: the table has no weights for an operator */
    double median_pct, ninety_pct;    /* of |left_out / cycles - 1|; < 0: nothing to leave out */
    int used;                         /* samples that were fitted */
} hw_calibration;

/* pull < 0: 0 if every class that occurs is measured alone by some row, else HW_CALIBRATE_PULL.
 * ST_ARG: cycles or op out of range. ST_INCOMPLETE: no sample can be used (the message names the first reason). ST_NOMEM. */
status hw_calibrate(const hw_kernels *k, const hw_sample *samples, int n, double pull, arena *a, hw_calibration **out, err *e);
/* kernels/NAME.yaml; board: whose folder is looked at first. */
status hw_calibrate_kernels(const hw_board *board, const char *name, arena *a, const hw_kernels **out, err *e);

#endif
