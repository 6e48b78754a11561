/* SPDX-License-Identifier: Apache-2.0
 * MLPerf Tiny: log.txt and results.txt of EEMBC's EnergyRunner 3 and of the Python runner after it.
 *   00391.322 dut: m-infer-start-100   00391.324 dut: m-lap-us-386682599   00461.740 dut: m-lap-us-457108107   dut: m-infer-done
 *   ulp-mlperf:   # Inferences :   100      ulp-mlperf:   Runtime      :   70.425 sec.
 *   ulp-ml:   Energy/Inf.  :    29207.010 uJ/inf.
 * A window's latency is its time over its inferences. Where a file has both, time stamps or Runtime, the first kind counts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "traces/measured_source.h"

enum { FROM_STAMPS = 1, FROM_RUNTIMES };

/* The number behind "key ... :" in the line. */
static bool behind(const char *text, const char *key, double *out)
{
    const char *at = strstr(text, key), *end;
    if (!at) return false;
    at += strlen(key);
    at += strcspn(at, ":");
    return *at == ':' && measured_number(measured_blanks(at + 1), out, &end);
}

static void window(measured_source *s, double us, int from)
{
    if (s->u.runner.from == 0) s->u.runner.from = from;
    if (s->u.runner.from == from) measured_add_whole(s, MEASURED_US, us);
}

static void close_window(measured_source *s)
{
    const double *lap = s->u.runner.lap, *host = s->u.runner.host;
    s->u.runner.open = false;
    if (s->u.runner.laps == 0) {
        s->u.runner.untimed++;
        return;
    }
    double us = lap[1] - lap[0], seen = (host[1] - host[0]) * 1e6;
    if (us < 0) us += 4294967296.0; /* a 32-bit counter */
    bool absurd = host[0] > 0 && fabs(us - seen) > 1e6 && (us > 2 * seen || seen > 2 * us);
    if (s->u.runner.laps == 2 && !absurd) window(s, us / s->u.runner.count, FROM_STAMPS);
    else measured_skip(s, absurd ? "a window whose time stamps contradict the host's clock" : "a window with one time stamp");
}

/* Tokens of the device; others' chatter may stand in front of them without a blank. */
static line_kind tokens(measured_source *s, const char *text)
{
    line_kind kind = LINE_OTHER;
    const char *end;
    double v, host = strtod(text, NULL);
    for (const char *p = strstr(text, "m-"); p; p = strstr(p + 2, "m-")) {
        if (strncmp(p, "m-infer-start-", 14) == 0 && measured_number(p + 14, &v, &end) && v > 0) {
            if (s->u.runner.open) measured_skip(s, "a window that the next one cuts off");
            s->u.runner.open = true;
            s->u.runner.count = v;
            s->u.runner.laps = 0;
        } else if (strncmp(p, "m-lap-us-", 9) == 0 && measured_number(p + 9, &v, &end)) {
            if (s->u.runner.open && s->u.runner.laps < 2) {
                s->u.runner.lap[s->u.runner.laps] = v;
                s->u.runner.host[s->u.runner.laps++] = host;
            }
        } else if (strncmp(p, "m-infer-done", 12) == 0) {
            if (s->u.runner.open) close_window(s);
        } else {
            continue;
        }
        kind = LINE_SURE;
    }
    return kind;
}

/* Lines of results.txt, and of the Python runner's log. */
static line_kind results(measured_source *s, const char *text)
{
    double v;
    if (behind(text, "Energy/Inf", &v)) {
        if (strstr(text, "uJ/inf")) measured_add_energy(s, v);
        else measured_skip(s, "an energy that is cut");
    } else if (behind(text, "# Inferences", &v)) {
        s->u.runner.count = v;
    } else if (behind(text, "Runtime", &v)) {
        if (s->u.runner.count > 0 && strstr(text, "sec.")) window(s, v * 1e6 / s->u.runner.count, FROM_RUNTIMES);
        else measured_skip(s, "a runtime that is cut, or without its inferences");
        s->u.runner.count = 0;
    } else if (behind(text, "Elapsed time", &v)) {
        s->u.runner.elapsed = v;
    } else if (behind(text, "Inferences", &v)) {
        if (v > 0 && s->u.runner.elapsed > 0) window(s, s->u.runner.elapsed * 1e6 / v, FROM_RUNTIMES);
        s->u.runner.elapsed = 0;
    } else if (behind(text, "Average duty cycle", &v)) {
        s->u.runner.duty = v;
    } else if (behind(text, "Average period", &v)) {
        if (s->u.runner.duty > 0) window(s, s->u.runner.duty * v * 1e6, FROM_RUNTIMES);
    } else {
        return strstr(text, "Performance results for window") || strstr(text, "Energy data for") || strstr(text, "Median energy cost") || strstr(text, "Median throughput is") ? LINE_SURE : LINE_OTHER;
    }
    return LINE_SURE;
}

/* "12345.678 source: ...", "0725.190824 ulp-mlperf: ...", "RX:..." */
static bool session(const char *text)
{
    size_t n = strspn(text, "0123456789.");
    return (n > 5 && text[n] == ' ' && strchr(text + n + 1, ':')) || strncmp(text, "RX:", 3) == 0 || strstr(text, "m-results") || strncmp(text, "Total Energy", 12) == 0 || strncmp(text, "Power  ", 7) == 0;
}

static line_kind line(measured_source *s, const char *text)
{
    const char *error = strstr(text, "e-[");
    if (strstr(text, " sequencer: ") || strstr(text, " parser: ")) return LINE_KNOWN; /* they quote tokens */
    line_kind kind = tokens(s, text);
    if (kind == LINE_OTHER) kind = results(s, text);
    if (error && (error == text || error[-1] == ' ')) measured_remark(s, "the log reports %.120s", error);
    if (kind == LINE_OTHER && (strstr(text, "m-profile-[") || strstr(text, "m-init-done"))) return LINE_SURE;
    return kind == LINE_OTHER && session(text) ? LINE_KNOWN : kind;
}

static void finish(measured_source *s)
{
    if (s->u.runner.open) measured_skip(s, "a window that the end of the file cuts off");
    if (s->u.runner.untimed) measured_remark(s, "%d windows state no time (energy mode: times and energies stand in results.txt)", s->u.runner.untimed);
}

const measured_format measured_energyrunner = {"EnergyRunner", NULL, line, finish};
