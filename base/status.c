/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

status err_set(err *e, status code, const char *where, const char *fmt, ...)
{
    if (!e || e->code != ST_OK) return code;
    va_list ap;
    va_start(ap, fmt);
    e->code = code;
    (void)snprintf(e->where, sizeof e->where, "%s", where ? where : "");
    (void)vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    return code;
}

void err_at(err *e, const char *fmt, ...)
{
    if (!e || e->code == ST_OK) return;
    char place[sizeof e->where], old[sizeof e->where];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(place, sizeof place, fmt, ap);
    va_end(ap);
    memcpy(old, e->where, sizeof old);
    (void)snprintf(e->where, sizeof e->where, "%.120s%s%.60s", place, old[0] ? ":" : "", old);
}

int status_exit(status s)
{
    switch (s) {
    case ST_OK: return 0;
    case ST_MISMATCH: return 1;
    case ST_ARG: return 2;
    case ST_UNSUPPORTED: return 3;
    case ST_INCOMPLETE: return 5;
    case ST_FORMAT:
    case ST_IO:
    case ST_NOMEM: break;
    }
    return 4;
}
