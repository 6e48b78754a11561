/* SPDX-License-Identifier: Apache-2.0
 * TensorFlow Lite Micro's MicroProfiler, by itself and inside the generic benchmark.
 *   CONV_2D took 6425608 ticks (128 ms).       an operator; another variant prints "took N us"
 *   Iterations(10) took 8236580 ticks (8236 ms)   whole inferences
 *   "Event","Tag","Ticks"  then  0,CONV_2D,7892   operators
 *   "Unique Tag",...  then  CONV_2D, 1001689  then  "total number of ticks", 1273557
 *   Input CRC32: 0x14F6A510    Output CRC32: 0xA4A6A6BE
 * A console may put anything before an operator's line. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "traces/measured_source.h"

static bool tag_char(char c) { return isupper((unsigned char)c) || isdigit((unsigned char)c) || c == '_'; }

/* The tag that ends at `end`: capitals, digits and _, from a capital on. Length 0: none. */
static const char *tag_before(const char *start, const char *end, size_t *n)
{
    const char *p = end;
    while (p > start && tag_char(p[-1])) p--;
    while (p < end && !isupper((unsigned char)*p)) p++;
    *n = (size_t)(end - p);
    return p;
}

/* The same of a custom operator, whose name may be any word. */
static const char *word_before(const char *start, const char *end, size_t *n)
{
    const char *p = end;
    while (p > start && (isalnum((unsigned char)p[-1]) || p[-1] == '_')) p--;
    *n = (size_t)(end - p);
    return p;
}

/* "Name(10)" before `end`: how many inferences; 0: no such thing. */
static double iterations_before(const char *start, const char *end)
{
    const char *p = end, *behind;
    double n;
    if (p == start || *--p != ')') return 0;
    while (p > start && isdigit((unsigned char)p[-1])) p--;
    if (p - start < 2 || p[-1] != '(' || !isalnum((unsigned char)p[-2])) return 0;
    return measured_number(p, &n, &behind) ? n : 0;
}

/* "N ticks (M ms)", "N us" at p. false: cut. */
static bool amount(measured_source *s, const char *p, double *v, measured_unit *unit)
{
    const char *end;
    double ms;
    if (!measured_number(p, v, &end)) return false;
    p = measured_blanks(end);
    *unit = strncmp(p, "tick", 4) == 0 ? MEASURED_TICKS : MEASURED_US;
    if (*unit == MEASURED_US) return strncmp(p, "us", 2) == 0;
    p = strchr(p, '(');
    if (p && measured_number(p + 1, &ms, &end) && strncmp(end, " ms", 3) == 0) measured_tick_rate(s, *v, ms);
    return true;
}

/* Every " took " of a line: consoles glue lines together. */
static line_kind took(measured_source *s, const char *text)
{
    line_kind kind = LINE_OTHER;
    for (const char *at = strstr(text, " took "), *start = text; at; start = at + 6, at = strstr(start, " took ")) {
        size_t n;
        double v, times = iterations_before(start, at);
        measured_unit unit;
        const char *tag = tag_before(start, at, &n);
        bool custom = !n;
        if (custom) tag = word_before(start, at, &n);
        if (!n && times <= 0) continue; /* prose */
        if (!amount(s, measured_blanks(at + 6), &v, &unit)) {
            if (custom && times <= 0) continue;
            measured_skip(s, at[6] == '-' ? "negative ticks: the counter wrapped" : "an operator's line that is cut or broken");
            continue;
        }
        kind = LINE_SURE;
        if (times > 0) {
            s->run++;
            measured_add_whole(s, unit, v / times);
        } else {
            measured_add(s, &(measured_row){.unit = unit, .value = v, .least = v, .most = v, .runs = 1, .op = -1}, tag, n);
        }
    }
    return kind;
}

/* "i,TAG,N" at the line's end. */
static line_kind event(measured_source *s, const char *text)
{
    const char *second = strrchr(text, ','), *end;
    double v, index;
    size_t n;
    if (!second || second == text || !isdigit((unsigned char)second[1])) return LINE_OTHER;
    const char *tag = tag_before(text, second, &n);
    if (!n || tag == text || tag[-1] != ',' || !measured_number(second + 1, &v, &end) || *measured_blanks(end)) return LINE_OTHER;
    const char *digits = tag - 1;
    while (digits > text && isdigit((unsigned char)digits[-1])) digits--;
    if (!measured_number(digits, &index, &end) || end != tag - 1) return LINE_OTHER;
    if ((int64_t)index != s->u.tflm.last_event + 1) s->run++; /* events are lost, or a table begins */
    if (index > 0 && (int64_t)index != s->u.tflm.last_event + 1) measured_skip(s, "an event whose predecessor is missing");
    s->u.tflm.last_event = (int64_t)index;
    measured_add(s, &(measured_row){.unit = MEASURED_TICKS, .value = v, .least = v, .most = v, .runs = 1, .op = -1}, tag, n);
    return LINE_SURE;
}

/* "TAG, N" of the table by tag; stages of start-up ("tflite::GetModel, 4") stand in a table of their own. */
static line_kind sum(measured_source *s, const char *text)
{
    const char *comma = strrchr(text, ','), *end;
    double v;
    size_t n;
    if (!comma || !measured_number(measured_blanks(comma + 1), &v, &end) || *measured_blanks(end)) return LINE_OTHER;
    if (strstr(text, "\"total number of ticks\"")) {
        if (s->u.tflm.sums_hold_operators) s->u.tflm.total = v;
        s->u.tflm.in_sums = false;
        return LINE_SURE;
    }
    const char *tag = tag_before(text, comma, &n);
    if (!n || (tag > text && tag[-1] != ' ')) return LINE_KNOWN;
    s->u.tflm.sums_hold_operators = true;
    measured_add_sum(s, &(measured_row){.unit = MEASURED_TICKS, .value = v, .least = v, .most = v, .runs = 1, .op = -1}, tag, n);
    return LINE_SURE;
}

static line_kind crc(measured_source *s, const char *text)
{
    const char *in = strstr(text, "Input CRC32: 0x"), *at = in ? in + 15 : strstr(text, "Output CRC32: 0x");
    if (!at) return LINE_OTHER;
    at += in ? 0 : 16;
    size_t n = strspn(at, "0123456789abcdefABCDEF");
    s->run++;
    if (n == 0 || n > 8) measured_skip(s, "a checksum that is cut");
    else measured_add_crc(s, in != NULL, (uint32_t)strtoul(at, NULL, 16));
    return LINE_SURE;
}

static line_kind line(measured_source *s, const char *text)
{
    line_kind kind = took(s, text);
    if (kind == LINE_OTHER) kind = crc(s, text);
    if (kind != LINE_OTHER) return kind;
    if (strstr(text, "\"Event\",\"Tag\"")) {
        s->run++;
        s->u.tflm.last_event = -1;
        return LINE_SURE;
    }
    if (strstr(text, "\"Unique Tag\"")) {
        s->run++;
        s->u.tflm.in_sums = true;
        s->u.tflm.sums_hold_operators = false;
        return LINE_SURE;
    }
    if (s->u.tflm.in_sums && (kind = sum(s, text)) != LINE_OTHER) return kind;
    return event(s, text);
}

static void begin(measured_source *s) { s->u.tflm.last_event = -1; }

/* Sums by tag span all events: only alone do they stand for an inference. */
static void finish(measured_source *s)
{
    if (s->log->n_rows || !s->log->n_sums) return;
    measured_remark(s, "ticks by tag are sums over all events of the log: taken as one inference");
    if (!s->log->whole[MEASURED_TICKS].n && s->u.tflm.total > 0) measured_add_whole(s, MEASURED_TICKS, s->u.tflm.total);
}

const measured_format measured_tflm = {"TFLM", begin, line, finish};
