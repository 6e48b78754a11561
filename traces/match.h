/* SPDX-License-Identifier: Apache-2.0
 * traces/match.h - rows of a measured log onto a network's operators, by their order and what they are.
 * A run is complete when its rows are the operators, one after another, none missing and none between. Complete runs are averaged, everything else is left
 * over and said. Without a complete run, each run is aligned as far as it goes (longest common subsequence), which the result states.
 * Boards that run several operators as one have one row for them: Merged Conv2d / Pool stands for a convolution and the pool behind it. */
#ifndef BITEMU_TRACES_MATCH_H
#define BITEMU_TRACES_MATCH_H

#include "traces/measured.h"

typedef struct match_row {
    int op, n_ops;            /* operators op .. op + n_ops - 1 were measured together; n_ops 0: no operator of the network */
    const char *tag;          /* as the log writes it; NULL: not measured */
    measured_unit unit;
    double value, least, most; /* of one run: mean, extremes */
    int64_t runs;             /* 0 = not measured */
    int64_t line;             /* of the first run; 0 = unknown */
} match_row;

typedef struct match_result {
    match_row *rows;          /* every operator once, in order; then what is beside the operators (Input, Inter-nodal, unknown tags) */
    int n_rows;
    int64_t complete_runs;    /* averaged; 0: aligned as far as it goes */
    int measured_ops;
    int64_t left_over;        /* rows of the log in no run that counts */
    int64_t left_over_line;   /* the first one */
    const char *left_over_tag;
    int left_over_op;         /* the operator that should have stood there; -1 = unknown */
    bool by_type;             /* rows are sums over all operators of a type (op = the first one, n_ops = how many) */
} match_result;

/* types: of the n operators, as CONV_2D. ST_NOMEM; ST_FORMAT: less than half of a run fits the operators. The log may have no rows: nothing is measured then. */
status match_rows(const measured_log *m, const char *path, const char *const *types, int n, arena *a, match_result *out, err *e);

/* What a tag may stand for, in the order of computation. Inside traces/ only. */
enum { MATCH_PIECES = 4 };
typedef struct match_piece {
    const char *exact;        /* this type, NULL = none */
    unsigned classes;         /* or any type of these */
} match_piece;
/* How many pieces; 0: nothing that is an operator. */
int match_pieces(const char *tag, match_piece out[MATCH_PIECES]);
bool match_fits(const match_piece *p, const char *type);

#endif
