/* SPDX-License-Identifier: Apache-2.0
 * traces/measured.h - what a board's console says it took: operators of runs, whole inferences, energies, checksums. Formats, told apart by content:
 *   TFLM            MicroProfiler: Log "TAG took N ticks (M ms)." or "N us", LogCsv "i,TAG,N", LogTicksPerTagCsv; the generic benchmark's CRC32 lines
 *   EnergyRunner    MLPerf Tiny: log.txt (m-lap-us windows) and results.txt of EEMBC's EnergyRunner 3 and of its Python successor
 *   X-CUBE-AI       aiSystemPerformance, the inspector's table of validate, ST Edge AI's profiling report
 *   NNoM            model_stat()
 *   trace           cycles_measured of bitemu's own records
 * Nothing is guessed: a line that is cut or contradicts itself is skipped and counted, every other line without a figure is counted too. */
#ifndef BITEMU_TRACES_MEASURED_H
#define BITEMU_TRACES_MEASURED_H

#include "base/arena.h"
#include "traces/read.h"

typedef enum measured_unit { MEASURED_CYCLES, MEASURED_US, MEASURED_TICKS } measured_unit;
enum { MEASURED_UNITS = 3 };

typedef struct measured_row { /* one operator (or several that the board runs as one) of one run, in the log's order */
    const char *tag;          /* as the log writes it */
    measured_unit unit;
    double value, least, most; /* >= 0; of several runs the mean */
    int64_t runs;             /* 1 but for traces, whose inputs are added up */
    int64_t line;
    int run;                  /* rises where the log itself says that a run begins or ends */
    int op;                   /* index of the operator, where the log states it; -1 */
} measured_row;

typedef struct measured_series { /* figures of whole inferences, one a window */
    double *v;                /* ascending */
    int n;
    int64_t line;             /* of the first in the log */
} measured_series;

typedef struct measured_crc {
    bool input;               /* else output */
    uint32_t crc;
    int64_t line;
} measured_crc;

typedef struct measured_log {
    const char *format;       /* one of the names above */
    const measured_row *rows;
    int n_rows;
    const measured_row *sums; /* by tag, over all events of the log (LogTicksPerTagCsv) */
    int n_sums;
    measured_series whole[MEASURED_UNITS]; /* of one inference, by unit */
    measured_series energy_uj;             /* of one inference */
    double tick_hz[2];        /* between these, by the milliseconds that stand beside ticks; 0, 0: none does */
    double clock_hz;          /* as the log states it; 0 = it does not */
    const measured_crc *crcs;
    int n_crcs;
    const char *const *remarks; /* what a reader must know: errors that the log reports, figures that were repaired */
    int n_remarks;
    trace_skips skips;        /* damaged lines */
    trace_skips others;       /* lines without a figure */
} measured_log;

/* All of it, in a. ST_IO: cannot be read; ST_FORMAT: no figure of any of the formats. */
status measured_read(const char *path, arena *a, measured_log **out, err *e);
/* Of the middle two the mean. n > 0. */
double measured_median(const measured_series *s);

/* How many cycles a unit of this log is. */
typedef struct measured_scale {
    double cycles[MEASURED_UNITS]; /* 0 = the log does not use it */
    double clock_hz;          /* of the measured board; 0 = nobody says */
    char why[240];            /* where that is from, for people; "" = nothing to say */
} measured_scale;
/* clock_hz: 0 = as the log says, else default_hz. cycles_per_tick: 0 = from log->tick_hz.
 * ST_ARG: ticks whose length nothing says; microseconds without a clock. */
status measured_to_cycles(const measured_log *m, const char *path, double clock_hz, double default_hz, double cycles_per_tick, measured_scale *out, err *e);

#endif
