/* SPDX-License-Identifier: Apache-2.0
 * Accuracy logs of MLPerf Tiny boards: EEMBC EnergyRunner 3 ("12345.678 dut: m-results-[...]") and its Python successor.
 *   parser: Command "bload dut "<path>.bin""      names the input that follows
 *   dut: ... m-results-[0.000,0.996,...]          the answer: probabilities q/256 + 1/2 printed with 3 or 6 decimals
 * A softmax output of scale 2^-8 and zero point -128 prints exactly: q = round(256 v) - 128. Other outputs cannot be inverted and
 * are skipped with that reason. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/source.h"

static bool probe(const char *text)
{
    return strstr(text, "m-results-[") || strstr(text, "m-profile-[") || (strstr(text, "parser: Command") && strstr(text, "bload"));
}

/* Remembers the file that a parser line says is loaded. */
static bool loaded(trace_reader *r)
{
    const char *at = strstr(r->in.text, "parser: Command \"bload");
    if (!at) return false;
    const char *quote = strstr(at + 18, "\"");
    if (!quote) return false;
    const char *start = quote + 1, *end = strchr(start, '"');
    if (!end) end = start + strlen(start);
    for (const char *p = start; p < end; p++) {
        if (*p == '/' || *p == '\\') start = p + 1;
    }
    (void)snprintf(r->name, sizeof r->name, "%.*s", (int)(end - start), start);
    return true;
}

/* Values behind "m-results-[" as codes. 0 = they cannot be inverted (and why). */
static size_t codes(trace_reader *r, const char *p, const char **why)
{
    size_t n = 0;
    *why = "values that are not printed q/256";
    while (*p && *p != ']') {
        char *end;
        while (*p == ' ' || *p == ',' || *p == '\t') p++;
        if (*p == ']' || !*p) break;
        double v = strtod(p, &end), q = rint(v * 256);
        const char *dot = memchr(p, '.', (size_t)(end - p));
        double unit = dot ? pow(10, -(double)(end - dot - 1)) : 1; /* what the print cut off */
        if (end == p || !dot || v < 0 || v >= 1 || fabs(v - q / 256) > unit) return 0;
        if (unit >= 1.0 / 256) {
            *why = "too few decimals to tell codes apart";
            return 0;
        }
        if (!source_codes(r, n + 1)) {
            *why = "no memory";
            return 0;
        }
        r->codes[n++] = (int64_t)q - 128;
        p = end;
    }
    if (*p != ']') {
        *why = "a result line that is cut";
        return 0;
    }
    return n;
}

static status next(trace_reader *r, trace_record *rec, bool *end, err *e)
{
    for (;;) {
        const char *why = NULL;
        TRY(lines_next(&r->in, end, e));
        if (*end) return ST_OK;
        if (loaded(r)) continue;
        const char *at = strstr(r->in.text, "m-results-[");
        if (!at || strstr(r->in.text, "sequencer:") || strstr(r->in.text, "parser:")) continue;
        size_t n = codes(r, at + 11, &why);
        if (n == 0 || !r->name[0]) {
            source_skip(r, n ? "a result before any input was named" : why);
            continue;
        }
        *rec = (trace_record){.input = r->records, .layer = TRACE_OUTPUT, .name = r->name, .n_codes = n, .codes = r->codes};
        return ST_OK;
    }
}

const source_format source_energyrunner = {"EnergyRunner log", probe, next};
