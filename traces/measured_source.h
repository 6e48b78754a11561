/* SPDX-License-Identifier: Apache-2.0
 * traces/measured_source.h - what the formats of measured logs share. Inside traces/ only. */
#ifndef BITEMU_TRACES_MEASURED_SOURCE_H
#define BITEMU_TRACES_MEASURED_SOURCE_H

#include "traces/lines.h"
#include "traces/measured.h"

typedef enum line_kind { LINE_OTHER, LINE_KNOWN, LINE_SURE } line_kind; /* SURE: no other format has such a line */

typedef struct measured_source {
    measured_log *log;
    arena *mem;
    lines in;
    measured_row *rows, *sums;
    measured_crc *crcs;
    const char **remarks;
    int rows_room, sums_room, crcs_room, remarks_room, series_room[MEASURED_UNITS + 1];
    int run;
    bool no_memory;
    union {                  /* of the format that reads */
        struct { int64_t last_event; bool in_sums, sums_hold_operators; double total; } tflm;
        struct { double count, lap[2], host[2], elapsed, duty; int laps, untimed, from; bool open; } runner;
        struct { bool table, in_cycles, has_table; double duration_ms, macc, table_ms, mhz; } cube;
        struct { bool table; } nnom;
    } u;
} measured_source;

typedef struct measured_format {
    const char *name;
    void (*begin)(measured_source *s);                    /* may be NULL */
    line_kind (*line)(measured_source *s, const char *text);
    void (*finish)(measured_source *s);                   /* may be NULL */
} measured_format;

extern const measured_format measured_tflm, measured_energyrunner, measured_xcubeai, measured_nnom;
status measured_read_trace(measured_source *s, const char *path, err *e);

/* All of these note a lack of memory in s. The row's tag is copied, its line and run are s's. */
void measured_add(measured_source *s, const measured_row *row, const char *tag, size_t tag_length);
void measured_add_sum(measured_source *s, const measured_row *row, const char *tag, size_t tag_length);
void measured_add_crc(measured_source *s, bool input, uint32_t crc);
void measured_add_whole(measured_source *s, measured_unit unit, double value);
void measured_add_energy(measured_source *s, double uj);
/* The current line says that so many ticks are so many milliseconds, cut off to whole ones. */
void measured_tick_rate(measured_source *s, double ticks, double ms);
void measured_remark(measured_source *s, const char *fmt, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;
void measured_skip(measured_source *s, const char *reason); /* the current line is damaged */

/* Unsigned decimal, perhaps with a fraction, at p. *end behind it; false: none there. */
bool measured_number(const char *p, double *out, const char **end);
const char *measured_blanks(const char *p); /* past blanks and tabs */

#endif
