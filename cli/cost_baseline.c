/* SPDX-License-Identifier: Apache-2.0
 * cli/cost_baseline.c - conditions on the totals of an estimate, for continuous integration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cost_report.h"

static status one(const char *text, size_t length, const json_t *now, const json_t *before, bool *broken, err *e)
{
    char name[48], *end;
    const char *gt = memchr(text, '>', length);
    size_t n = gt ? (size_t)(gt - text) : 0;
    if (!n || n >= sizeof name) return err_set(e, ST_ARG, "--fail-if", "'%.*s' is not like cycles>+3%% or sram_bytes>65536", (int)length, text);
    memcpy(name, text, n);
    name[n] = 0;
    bool relative = gt[1] == '+';
    double limit = strtod(gt + 1 + relative, &end);
    if (end == gt + 1 + relative || (size_t)(end - text) + relative != length || (relative && *end != '%'))
        return err_set(e, ST_ARG, "--fail-if", "'%.*s': after > stands +PERCENT%% or a number", (int)length, text);
    const json_t *v = json_object_get(json_object_get(now, "totals"), name), *old = json_object_get(json_object_get(before, "totals"), name);
    if (!json_is_number(v)) return err_set(e, v ? ST_INCOMPLETE : ST_ARG, "--fail-if", "totals have no figure '%s'", name);
    if (relative && !before) return err_set(e, ST_ARG, "--fail-if", "'%.*s' needs --baseline", (int)length, text);
    if (relative && !json_is_number(old)) return err_set(e, ST_FORMAT, "--baseline", "it states no totals.%s", name);
    double is = json_number_value(v), most = relative ? json_number_value(old) * (1 + limit / 100) : limit;
    if (is <= most * (1 + 1e-9)) return ST_OK; /* the file holds rounded decimals */
    *broken = true;
    if (relative) fprintf(stderr, "bitemu: %s grew from %.0f to %.0f (%+.2f%%), more than %+g%%\n", name, json_number_value(old), is, 100 * (is / json_number_value(old) - 1), limit);
    else fprintf(stderr, "bitemu: %s is %.0f, more than %.0f\n", name, is, limit);
    return ST_OK;
}

status cost_fail_if(const char *conditions, const json_t *now, const json_t *before, bool *broken, err *e)
{
    *broken = false;
    for (const char *p = conditions; *p;) {
        size_t n = strcspn(p, ",");
        TRY(one(p, n, now, before, broken, e));
        p += n + (p[n] == ',');
    }
    return ST_OK;
}
