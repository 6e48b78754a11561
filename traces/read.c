/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/source.h"

static const source_format *const formats[] = {&source_json, &source_energyrunner, &source_benchmark};
static const trace_kind kinds[] = {TRACE_KIND_JSON, TRACE_KIND_LOG, TRACE_KIND_CRC};

enum { PROBE_BYTES = 1 << 16 };

void source_skip(trace_reader *r, const char *reason)
{
    if (r->skips.lines++ > 0) return;
    r->skips.first_line = r->in.number;
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
    TRY(lines_open(&r->in, r->path, e));
    TRY(lines_peek(&r->in, PROBE_BYTES, e));
    size_t n = r->in.end < PROBE_BYTES ? r->in.end : PROBE_BYTES;
    char *text = malloc(n + 1);
    if (!text) return err_set(e, ST_NOMEM, r->path, "no memory");
    for (size_t i = 0; i < n; i++) text[i] = r->in.buffer[i] ? r->in.buffer[i] : ' ';
    text[n] = 0;
    for (size_t i = 0; !r->format && i < sizeof formats / sizeof *formats; i++) {
        if (formats[i]->probe(text)) {
            r->format = formats[i];
            r->kind = kinds[i];
        }
    }
    free(text);
    if (r->format) return ST_OK;
    return err_set(e, ST_FORMAT, r->path, n == 0 ? "the file is empty" : "neither a bitemu trace, nor an EnergyRunner accuracy log, nor a log with checksums, nor an .npz dump; a log of cycles or times is compared with an estimate (bitemu cost --format json)");
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
    lines_close(&(*r)->in);
    npy_close(&(*r)->out0);
    npy_close(&(*r)->crc);
    arena_destroy(&(*r)->arena);
    free((*r)->codes);
    free((*r)->decisions);
    free(*r);
    *r = NULL;
}
