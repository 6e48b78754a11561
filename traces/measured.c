/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/measured_source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REMARKS = 8 };

/* Room for one more of `size` bytes; the array doubles inside the arena. NULL: no memory. */
static void *grow(measured_source *s, const void *old, int n, int *room, size_t size)
{
    if (n < *room) return (void *)(uintptr_t)old;
    int more = *room ? *room * 2 : 32;
    void *p = arena_alloc(s->mem, (size_t)more, size);
    if (!p) {
        s->no_memory = true;
        return NULL;
    }
    if (n) memcpy(p, old, (size_t)n * size);
    *room = more;
    return p;
}

/* A copy that a terminal and JSON take. */
static const char *printable(measured_source *s, const char *text, size_t n)
{
    char *p = arena_strdup(s->mem, text, n);
    s->no_memory = s->no_memory || !p;
    for (char *c = p; c && *c; c++) *c = *c >= ' ' && *c < 127 ? *c : '?';
    return p;
}

static const char *intern(measured_source *s, const char *tag, size_t n)
{
    for (int i = s->log->n_rows; i > 0 && i > s->log->n_rows - 64; i--) {
        const char *t = s->rows[i - 1].tag;
        if (strncmp(t, tag, n) == 0 && !t[n]) return t;
    }
    return printable(s, tag, n);
}

static void add(measured_source *s, measured_row **list, int *n, int *room, const measured_row *row, const char *tag, size_t tag_length)
{
    measured_row *p = grow(s, *list, *n, room, sizeof *p);
    const char *name = intern(s, tag, tag_length);
    if (!p || !name) return;
    *list = p;
    p[*n] = *row;
    p[*n].tag = name;
    p[*n].line = s->in.number;
    p[*n].run = s->run;
    ++*n;
}

void measured_add(measured_source *s, const measured_row *row, const char *tag, size_t tag_length)
{
    add(s, &s->rows, &s->log->n_rows, &s->rows_room, row, tag, tag_length);
}

void measured_add_sum(measured_source *s, const measured_row *row, const char *tag, size_t tag_length)
{
    add(s, &s->sums, &s->log->n_sums, &s->sums_room, row, tag, tag_length);
}

void measured_add_crc(measured_source *s, bool input, uint32_t crc)
{
    measured_crc *p = grow(s, s->crcs, s->log->n_crcs, &s->crcs_room, sizeof *p);
    if (!p) return;
    s->crcs = p;
    p[s->log->n_crcs++] = (measured_crc){input, crc, s->in.number};
}

static void append(measured_source *s, measured_series *to, int *room, double v)
{
    double *p = grow(s, to->v, to->n, room, sizeof *p);
    if (!p) return;
    if (!to->n) to->line = s->in.number;
    to->v = p;
    p[to->n++] = v;
}

void measured_add_whole(measured_source *s, measured_unit unit, double value) { append(s, &s->log->whole[unit], &s->series_room[unit], value); }
void measured_add_energy(measured_source *s, double uj) { append(s, &s->log->energy_uj, &s->series_room[MEASURED_UNITS], uj); }

void measured_tick_rate(measured_source *s, double ticks, double ms)
{
    double *hz = s->log->tick_hz;
    if (ms < 1) return;
    double low = ticks / (ms + 1) * 1e3, high = ticks / ms * 1e3;
    hz[0] = low > hz[0] ? low : hz[0];
    hz[1] = hz[1] == 0 || high < hz[1] ? high : hz[1];
}

void measured_remark(measured_source *s, const char *fmt, ...)
{
    char text[240];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (int i = 0; i < s->log->n_remarks; i++) {
        if (strcmp(s->remarks[i], text) == 0) return;
    }
    if (s->log->n_remarks == MAX_REMARKS) return;
    const char **p = grow(s, s->remarks, s->log->n_remarks, &s->remarks_room, sizeof *p);
    const char *copy = printable(s, text, strlen(text));
    if (!p || !copy) return;
    s->remarks = p;
    p[s->log->n_remarks++] = copy;
}

static void count(trace_skips *k, int64_t line, const char *reason)
{
    if (k->lines++ > 0) return;
    k->first_line = line;
    (void)snprintf(k->reason, sizeof k->reason, "%s", reason);
}

void measured_skip(measured_source *s, const char *reason) { count(&s->log->skips, s->in.number, reason); }

const char *measured_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t') p++;
    return p;
}

bool measured_number(const char *p, double *out, const char **end)
{
    const char *q = p + strspn(p, "0123456789");
    if (q == p || q - p > 18) return false;
    if (*q == '.') q += 1 + strspn(q + 1, "0123456789");
    *out = strtod(p, NULL);
    *end = q;
    return true;
}

static const measured_format *const formats[] = {&measured_tflm, &measured_energyrunner, &measured_xcubeai, &measured_nnom};

/* The first line with a figure says which format it is. */
static const measured_format *recognise(measured_source *s, const char *text)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        memset(&s->u, 0, sizeof s->u);
        if (formats[i]->begin) formats[i]->begin(s);
        if (formats[i]->line(s, text) == LINE_SURE) return formats[i];
    }
    return NULL;
}

static bool is_trace(const char *text) { return strstr(text, "{\"bitemu_trace\"") || strstr(text, "{\"input\""); }

static status read_lines(measured_source *s, bool *trace, err *e)
{
    const measured_format *format = NULL;
    for (bool end = false;;) {
        TRY(lines_next(&s->in, &end, e));
        if (end) break;
        if (!s->in.length) continue;
        int64_t before = s->log->skips.lines;
        line_kind kind = LINE_OTHER;
        if (format) kind = format->line(s, s->in.text);
        else if ((format = recognise(s, s->in.text))) kind = LINE_SURE;
        *trace = !format && is_trace(s->in.text);
        if (*trace) return ST_OK;
        if (kind == LINE_OTHER && s->log->skips.lines == before) count(&s->log->others, s->in.number, "no figure on this line");
        if (s->no_memory) return err_set(e, ST_NOMEM, s->in.path, "no memory");
    }
    if (!format) return ST_OK;
    s->log->format = format->name;
    if (format->finish) format->finish(s);
    return ST_OK;
}

static status check(const measured_log *m, const char *path, err *e)
{
    bool any = m->n_rows || m->n_sums || m->energy_uj.n || m->n_crcs;
    for (int u = 0; u < MEASURED_UNITS; u++) any = any || m->whole[u].n;
    if (any) return ST_OK;
    if (m->format && m->n_remarks) return err_set(e, ST_FORMAT, path, "no figure in it: %s", m->remarks[0]);
    const trace_skips *k = m->skips.lines ? &m->skips : &m->others;
    if (!k->lines) return err_set(e, ST_FORMAT, path, m->format ? "no figure in it" : "the file is empty");
    return err_set(e, ST_FORMAT, path, "no figure of TFLM's profiler, EnergyRunner, X-CUBE-AI, NNoM or a trace with cycles_measured in it; line %lld: %s", (long long)k->first_line, k->reason);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort(measured_series *s)
{
    if (s->n) qsort(s->v, (size_t)s->n, sizeof *s->v, by_value);
}

status measured_read(const char *path, arena *a, measured_log **out, err *e)
{
    measured_source s = {.mem = a, .log = arena_alloc(a, 1, sizeof *s.log)};
    bool trace = false;
    if (!s.log) return err_set(e, ST_NOMEM, path, "no memory");
    status st = lines_open(&s.in, path, e);
    if (st == ST_OK) st = read_lines(&s, &trace, e);
    lines_close(&s.in);
    if (st == ST_OK && trace) st = measured_read_trace(&s, path, e);
    if (st == ST_OK && s.no_memory) st = err_set(e, ST_NOMEM, path, "no memory");
    for (int u = 0; u < MEASURED_UNITS; u++) sort(&s.log->whole[u]);
    sort(&s.log->energy_uj);
    s.log->rows = s.rows;
    s.log->sums = s.sums;
    s.log->crcs = s.crcs;
    s.log->remarks = s.remarks;
    if (st == ST_OK) st = check(s.log, path, e);
    *out = s.log;
    return st;
}

double measured_median(const measured_series *s) { return s->n % 2 ? s->v[s->n / 2] : (s->v[s->n / 2 - 1] + s->v[s->n / 2]) / 2; }
