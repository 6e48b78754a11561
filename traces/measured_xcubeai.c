/* SPDX-License-Identifier: Apache-2.0
 * X-CUBE-AI and ST Edge AI.
 *   Results for "network", 16 inferences @84MHz/84MHz (complexity: 950717 MACC)     aiSystemPerformance, validate
 *    duration     : 99.383 ms (average)
 *    CPU cycles   : 8348200 -156/+273 (average,-/+)
 *   0       0   10011/(Merged Conv2d / Pool)  (10, 15, 15, 16)  31.126               the inspector; newer: c_id m_id type dur (ms) % cumul name
 *    duration     :   11.970 ms by sample (11.733/12.052/0.097)                      ST Edge AI; the clock follows from macc and cycles/MACC
 * One firmware prints cycles as "%ld%ld" of c / 100000 and c % 100000 without leading zeros: put right by the duration, and said. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/measured_source.h"

/* Is the line "key : ..."? Then where the value begins. */
static const char *value_of(const char *text, const char *key)
{
    const char *p = measured_blanks(text);
    size_t n = strlen(key);
    if (strncmp(p, key, n) != 0) return NULL;
    p = measured_blanks(p + n);
    return *p == ':' ? measured_blanks(p + 1) : NULL;
}

/* The number whose digits are `digits`, with zeros put back behind one of the first ones so that it comes closest to `about`. */
static double repaired(const char *digits, size_t n, double about)
{
    double best = -1;
    for (size_t k = 1; k < n && k <= 12; k++) {
        char high[16], low[16];
        if (n - k > 5) continue;
        (void)snprintf(high, sizeof high, "%.*s", (int)k, digits);
        (void)snprintf(low, sizeof low, "%.*s", (int)(n - k), digits + k);
        double v = strtod(high, NULL) * 1e5 + strtod(low, NULL);
        if (best < 0 || fabs(v - about) < fabs(best - about)) best = v;
    }
    return best;
}

static void cycles(measured_source *s, const char *p)
{
    const char *end;
    double v, about = s->u.cube.duration_ms * s->u.cube.mhz * 1e3;
    if (!measured_number(p, &v, &end)) {
        measured_skip(s, "cycles that are cut");
        return;
    }
    if (about > 0 && fabs(v - about) > about / 100) {
        double right = repaired(p, (size_t)(end - p), about);
        if (right < 0 || fabs(right - about) > about / 100) {
            measured_skip(s, "cycles that contradict duration x clock");
            return;
        }
        measured_remark(s, "CPU cycles %.0f stand for %.0f: leading zeros were lost in print", v, right);
        v = right;
    }
    measured_add_whole(s, MEASURED_CYCLES, v);
}

/* "Results for ... @84MHz/84MHz" or "@84/84MHz" */
static void results_for(measured_source *s, const char *text)
{
    const char *at = strchr(text, '@'), *end;
    double mhz;
    s->u.cube.table = false;
    s->u.cube.duration_ms = s->u.cube.mhz = 0;
    if (at && measured_number(at + 1, &mhz, &end) && strstr(end, "MHz") && mhz > 0) {
        s->u.cube.mhz = mhz;
        s->log->clock_hz = mhz * 1e6;
    }
}

static line_kind summary(measured_source *s, const char *text)
{
    const char *p, *end;
    double v;
    if ((p = value_of(text, "duration"))) {
        if (!measured_number(p, &v, &end) || strncmp(end, " ms", 3) != 0) {
            measured_skip(s, "a duration that is cut");
            return LINE_KNOWN;
        }
        s->u.cube.duration_ms = v;
        measured_add_whole(s, MEASURED_US, v * 1e3);
        return LINE_KNOWN;
    }
    if ((p = value_of(text, "CPU cycles"))) {
        cycles(s, p);
        return LINE_KNOWN;
    }
    if ((p = value_of(text, "macc")) && measured_number(p, &v, &end)) s->u.cube.macc = v;
    if ((p = value_of(text, "cycles/MACC")) && measured_number(p, &v, &end) && s->u.cube.macc > 0 && s->u.cube.duration_ms > 0 && s->u.cube.mhz <= 0) {
        s->log->clock_hz = s->u.cube.macc * v / s->u.cube.duration_ms * 1e3;
        measured_remark(s, "the clock, %.4g MHz, follows from macc x cycles/MACC / duration", s->log->clock_hz / 1e6);
    }
    return p ? LINE_KNOWN : LINE_OTHER;
}

/* What the type's column says: "10011/(Merged Conv2d / Pool)" is Merged Conv2d / Pool. */
static const char *type_text(const char *p, size_t *n)
{
    const char *end = p;
    while (*end && !(end[0] == ' ' && (end[1] == ' ' || isdigit((unsigned char)end[1])))) end++;
    const char *open = memchr(p, '(', (size_t)(end - p)), *slash = memchr(p, '/', (size_t)(end - p));
    if (open && slash == open - 1 && end[-1] == ')') {
        p = open + 1;
        end--;
    }
    *n = (size_t)(end - p);
    return p;
}

/* The first number that stands alone behind p. */
static bool lone_number(const char *p, double *v)
{
    const char *end;
    for (; *p; p += strcspn(p, " "), p = measured_blanks(p)) {
        if (measured_number(p, v, &end) && (*end == 0 || *end == ' ')) return true;
    }
    return false;
}

static line_kind row(measured_source *s, const char *text)
{
    const char *p = measured_blanks(text), *end;
    double id, v;
    size_t n;
    bool between = strncmp(p, "n/a", 3) == 0;
    if (between) {
        end = measured_blanks(p + 3);
        end += strncmp(end, "n/a", 3) == 0 ? 3 : 0;
    } else if (!measured_number(p, &id, &end) || *end != ' ' || !measured_number(measured_blanks(end), &id, &end) || *end != ' ') {
        bool total = strstr(text, "total") != NULL;
        if (total && lone_number(strncmp(p, "total", 5) == 0 ? p + 5 : p, &v)) s->u.cube.table_ms = v;
        s->u.cube.table = s->u.cube.table && !total;
        return total || *p == '-' ? LINE_KNOWN : LINE_OTHER;
    }
    const char *type = type_text(measured_blanks(end), &n);
    if (!n || !lone_number(measured_blanks(type + n + (type[n] == ')')), &v)) {
        measured_skip(s, "a node's line that is cut");
        return LINE_KNOWN;
    }
    v *= s->u.cube.in_cycles ? 1 : 1e3;
    measured_add(s, &(measured_row){.unit = s->u.cube.in_cycles ? MEASURED_CYCLES : MEASURED_US, .value = v, .least = v, .most = v, .runs = 1, .op = -1}, type, n);
    return LINE_SURE;
}

static line_kind line(measured_source *s, const char *text)
{
    const char *p = measured_blanks(text);
    if (strncmp(p, "Results for ", 12) == 0 && strchr(p, '@')) {
        results_for(s, p);
        return LINE_SURE;
    }
    if (strncmp(p, "ST.AI Profiling results", 23) == 0 || strncmp(p, "Inspector report", 16) == 0) {
        s->u.cube.duration_ms = s->u.cube.mhz = s->u.cube.macc = 0;
        return LINE_SURE;
    }
    if ((strncmp(p, "Clayer", 6) == 0 || strncmp(p, "c_id", 4) == 0) && (strstr(p, "ms") || strstr(p, "cycles"))) {
        s->run++;
        s->u.cube.table = true;
        s->u.cube.in_cycles = !strstr(p, "ms");
        return LINE_SURE;
    }
    if (s->u.cube.table) return row(s, text);
    return summary(s, text);
}

static void finish(measured_source *s)
{
    if (s->u.cube.table_ms > 0 && !s->log->whole[MEASURED_US].n && !s->log->whole[MEASURED_CYCLES].n) measured_add_whole(s, MEASURED_US, s->u.cube.table_ms * 1e3);
}

const measured_format measured_xcubeai = {"X-CUBE-AI", NULL, line, finish};
