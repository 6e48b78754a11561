/* SPDX-License-Identifier: Apache-2.0
 * traces/lines.h - a text file line by line, gzip seen through; memory is a block, or the longest line. Inside traces/ only. */
#ifndef BITEMU_TRACES_LINES_H
#define BITEMU_TRACES_LINES_H

#include <zlib.h>

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINES_MAX = 16 << 20, LINES_SLACK = 8 };

typedef struct lines {
    char path[512];
    gzFile gz;
    char *buffer;
    size_t room, at, end; /* of the buffer; [at, end) is not delivered yet */
    bool whole;           /* nothing follows what the buffer holds */
    bool dirty;           /* control characters were seen: lines are cleaned */
    char *text;           /* the current line, terminated; without its end, ANSI colours, carriage returns and 0 bytes. LINES_SLACK bytes behind the
                           * terminator can be read */
    size_t length;
    int64_t number;       /* of the current line, from 1 */
} lines;

/* ST_IO: cannot be opened. *l can be closed in any case. */
status lines_open(lines *l, const char *path, err *e);
/* Makes the first n bytes (fewer if the file is shorter) stand in buffer[0..end) without delivering them. */
status lines_peek(lines *l, size_t n, err *e);
/* Next line. ST_FORMAT: longer than 16 MiB, a damaged gzip stream. */
status lines_next(lines *l, bool *end, err *e);
void lines_close(lines *l);

#endif
