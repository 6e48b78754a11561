/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

struct trace_writer {
    file_out out;
};

status trace_writer_create(const char *path, trace_writer **out, err *e)
{
    trace_writer *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w) return err_set(e, ST_NOMEM, path, "no memory");
    status s = file_create(&w->out, path, e);
    if (s == ST_OK)
        *out = w;
    else
        free(w);
    return s;
}

/* Length of the UTF-8 sequence at p (Unicode table 3-7), 0 = not one. */
static int utf8(const unsigned char *p)
{
    if (p[0] < 0x80) return 1;
    int n = p[0] >= 0xC2 && p[0] <= 0xDF ? 2 : p[0] >= 0xE0 && p[0] <= 0xEF ? 3 : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4 : 0;
    for (int i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
    }
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F)) return 0;
    return n;
}

static void put_string(FILE *f, const char *s)
{
    (void)fputc('"', f);
    for (const unsigned char *p = (const unsigned char *)s; *p;) {
        int n = utf8(p);
        if (n == 0) {
            (void)fputs("\\ufffd", f);
            n = 1;
        } else if (*p == '"' || *p == '\\') {
            (void)fprintf(f, "\\%c", *p);
        } else if (*p < 0x20) {
            (void)fprintf(f, "\\u%04x", *p);
        } else {
            (void)fwrite(p, 1, (size_t)n, f);
        }
        p += n;
    }
    (void)fputc('"', f);
}

static void put_text(FILE *f, const char *key, const char *s)
{
    if (!s) return;
    (void)fprintf(f, ",\"%s\":", key);
    put_string(f, s);
}

/* Shortest of the forms that reads back as the same number. */
static void put_real(FILE *f, const char *key, double v)
{
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    (void)fprintf(f, ",\"%s\":%s", key, text);
}

static status finish_line(trace_writer *w, const char *end, err *e)
{
    (void)fputs(end, w->out.f);
    return ferror(w->out.f) ? err_set(e, ST_IO, w->out.path, "cannot write: %s", strerror(errno)) : ST_OK;
}

status trace_write_header(trace_writer *w, const trace_header *h, err *e)
{
    FILE *f = w->out.f;
    (void)fprintf(f, "{\"bitemu_trace\":%d", TRACE_VERSION);
    put_text(f, "tool", h->tool);
    put_text(f, "profile", h->profile);
    put_text(f, "board", h->board);
    put_text(f, "model", h->model);
    if (h->has_model_crc) (void)fprintf(f, ",\"model_crc\":%" PRIu32, h->model_crc);
    if (h->n_inputs >= 0) (void)fprintf(f, ",\"inputs\":%" PRId64, h->n_inputs);
    put_text(f, "policy", h->policy);
    put_text(f, "accumulator", h->accumulator);
    return finish_line(w, "}\n", e);
}

static void put_events(FILE *f, const trace_record *r)
{
    if (r->saturations) (void)fprintf(f, ",\"saturations\":%" PRIu64, r->saturations);
    (void)fprintf(f, ",\"wraps\":%" PRIu64 ",\"clamps\":%" PRIu64 ",\"acc_min\":%" PRId64 ",\"acc_max\":%" PRId64, r->wraps, r->clamps, r->acc_min,
                  r->acc_max);
}

status trace_write_record(trace_writer *w, const trace_record *r, err *e)
{
    FILE *f = w->out.f;
    (void)fprintf(f, "{\"input\":%" PRId64, r->input);
    put_text(f, "name", r->layer < 0 ? r->name : NULL);
    if (r->layer == TRACE_OUTPUT)
        (void)fputs(",\"layer\":\"output\"", f);
    else
        (void)fprintf(f, ",\"layer\":%d", r->layer);
    put_text(f, "op", r->op);
    put_text(f, "name", r->layer >= 0 ? r->name : NULL);
    for (int d = 0; d < r->n_dims; d++) (void)fprintf(f, "%s%d%s", d ? "," : ",\"shape\":[", r->shape[d], d + 1 == r->n_dims ? "]" : "");
    if (r->w_bits) (void)fprintf(f, ",\"w_bits\":%d", r->w_bits);
    if (r->a_bits) (void)fprintf(f, ",\"a_bits\":%d", r->a_bits);
    if (r->has_crc) (void)fprintf(f, ",\"crc\":%" PRIu32, r->crc);
    if (r->has_events) put_events(f, r);
    if (r->has_cycles) put_real(f, "cycles", r->cycles);
    if (r->has_measured) put_real(f, "cycles_measured", r->cycles_measured);
    for (size_t i = 0; i < r->n_codes; i++) (void)fprintf(f, "%s%" PRId64 "%s", i ? "," : ",\"codes\":[", r->codes[i], i + 1 == r->n_codes ? "]" : "");
    for (size_t i = 0; i < r->n_decisions; i++)
        (void)fprintf(f, "%s%d%s", i ? "," : ",\"decisions\":[", r->decisions[i], i + 1 == r->n_decisions ? "]" : "");
    return finish_line(w, "}\n", e);
}

status trace_writer_commit(trace_writer **w, err *e)
{
    status s = file_commit(&(*w)->out, e);
    free(*w);
    *w = NULL;
    return s;
}

void trace_writer_discard(trace_writer **w)
{
    if (!w || !*w) return;
    file_discard(&(*w)->out);
    free(*w);
    *w = NULL;
}
