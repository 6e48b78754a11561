/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/source.h"

static const source_format *const formats[] = {&source_json, &source_energyrunner};
static const trace_kind kinds[] = {TRACE_KIND_JSON, TRACE_KIND_LOG};

enum { PROBE_BYTES = 1 << 16 };

/* Takes out ANSI escape sequences (ESC [ ... letter), carriage returns and 0 bytes. */
static size_t clean(char *s, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == 27 && i + 1 < n && s[i + 1] == '[') {
            for (i += 2; i < n && (s[i] < '@' || s[i] > '~'); i++) continue;
        } else if (s[i] != '\r' && s[i] != 0) {
            s[to++] = s[i];
        }
    }
    s[to] = 0;
    return to;
}

static status gz_problem(trace_reader *r, err *e)
{
    int code;
    const char *why = gzerror(r->gz, &code);
    if (code == Z_OK || code == Z_STREAM_END) return ST_OK;
    return err_set(e, code == Z_ERRNO ? ST_IO : ST_FORMAT, r->path, "cannot be read: %s", code == Z_ERRNO ? strerror(errno) : why);
}

status source_line(trace_reader *r, bool *end, err *e)
{
    size_t n = 0;
    *end = false;
    r->line_number++;
    for (;;) {
        if (r->line_room - n < 2) {
            size_t room = r->line_room ? r->line_room * 2 : 4096;
            if (room > SOURCE_MAX_LINE) return err_set(e, ST_FORMAT, r->path, "line %lld is longer than 16 MiB", (long long)r->line_number);
            char *p = realloc(r->line, room);
            if (!p) return err_set(e, ST_NOMEM, r->path, "no memory");
            r->line = p;
            r->line_room = room;
        }
        if (!gzgets(r->gz, r->line + n, (int)(r->line_room - n))) {
            TRY(gz_problem(r, e));
            *end = n == 0;
            r->line[n] = 0;
            break;
        }
        size_t got = strlen(r->line + n); /* a 0 byte in the line hides its rest: noise */
        n += got;
        if (n && r->line[n - 1] == '\n') {
            n--;
            break;
        }
        if (gzeof(r->gz)) break;
        if (got + 1 < r->line_room - (n - got)) break; /* a 0 byte */
    }
    (void)clean(r->line, n);
    return ST_OK;
}

void source_skip(trace_reader *r, const char *reason)
{
    if (r->skips.lines++ > 0) return;
    r->skips.first_line = r->line_number;
    (void)snprintf(r->skips.reason, sizeof r->skips.reason, "%s", reason);
}

bool source_codes(trace_reader *r, size_t n)
{
    if (n <= r->codes_room) return true;
    int64_t *p = realloc(r->codes, n * 2 * sizeof *p);
    if (!p) return false;
    r->codes = p;
    r->codes_room = n * 2;
    return true;
}

bool source_decisions(trace_reader *r, size_t n)
{
    if (n <= r->decisions_room) return true;
    int *p = realloc(r->decisions, n * 2 * sizeof *p);
    if (!p) return false;
    r->decisions = p;
    r->decisions_room = n * 2;
    return true;
}

/* Opens the text and picks the format whose marks stand in its beginning. */
static status open_text(trace_reader *r, err *e)
{
    FILE *f = fopen(r->path, "rb"); /* gzopen says nothing about why */
    if (!f) return err_set(e, ST_IO, r->path, "cannot open: %s", strerror(errno));
    (void)fclose(f);
    r->gz = gzopen(r->path, "rb");
    char *text = malloc(PROBE_BYTES + 1);
    if (!r->gz || !text) {
        free(text);
        return err_set(e, ST_NOMEM, r->path, "no memory");
    }
    int n = gzread(r->gz, text, PROBE_BYTES);
    status s = n < 0 ? gz_problem(r, e) : ST_OK;
    if (n < 0 && s == ST_OK) s = err_set(e, ST_IO, r->path, "cannot be read");
    for (int i = 0; i < n; i++) text[i] = text[i] ? text[i] : ' ';
    if (n >= 0) text[n] = 0;
    for (size_t i = 0; s == ST_OK && !r->format && i < sizeof formats / sizeof *formats; i++) {
        if (formats[i]->probe(text)) {
            r->format = formats[i];
            r->kind = kinds[i];
        }
    }
    free(text);
    if (s == ST_OK && !r->format)
        s = err_set(e, ST_FORMAT, r->path, n == 0 ? "the file is empty" : "neither a bitemu trace, nor an EnergyRunner log, nor an .npz dump");
    if (s == ST_OK && gzrewind(r->gz) != 0) s = err_set(e, ST_IO, r->path, "cannot be read twice (a pipe?)");
    return s;
}

status trace_open(const char *path, trace_reader **out, err *e)
{
    trace_reader *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r) return err_set(e, ST_NOMEM, path, "no memory");
    (void)snprintf(r->path, sizeof r->path, "%s", path);
    r->header.n_inputs = -1;
    status s;
    if (npy_is_zip(path)) {
        r->kind = TRACE_KIND_DUMP;
        s = source_dump_open(r, e);
    } else {
        s = open_text(r, e);
    }
    if (s == ST_OK)
        *out = r;
    else
        trace_close(&r);
    return s;
}

status trace_next(trace_reader *r, trace_record *rec, bool *end, err *e)
{
    *rec = (trace_record){0};
    *end = false;
    TRY(r->kind == TRACE_KIND_DUMP ? source_dump_next(r, rec, end, e) : r->format->next(r, rec, end, e));
    if (*end && r->records == 0)
        return err_set(e, ST_FORMAT, r->path, "no record in it%s%s", r->skips.lines ? "; first line skipped: " : "", r->skips.reason);
    r->records += !*end;
    return ST_OK;
}

trace_kind trace_reader_kind(const trace_reader *r) { return r->kind; }
const trace_header *trace_reader_header(const trace_reader *r) { return &r->header; }
const trace_skips *trace_reader_skips(const trace_reader *r) { return &r->skips; }

void trace_close(trace_reader **r)
{
    if (!r || !*r) return;
    if ((*r)->gz) (void)gzclose((*r)->gz);
    npy_close(&(*r)->out0);
    npy_close(&(*r)->crc);
    arena_destroy(&(*r)->arena);
    free((*r)->line);
    free((*r)->codes);
    free((*r)->decisions);
    free(*r);
    *r = NULL;
}
