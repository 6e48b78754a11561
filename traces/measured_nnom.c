/* SPDX-License-Identifier: Apache-2.0
 * NNoM's model_stat():
 *   Layer(#)        -   Time(us)      ops(MACs)     ops/us
 *   #2       Conv2D -      8292         172800      20.83
 *   Prediction time :109309us */
#include <string.h>

#include "traces/measured_source.h"

/* "#2  Conv2D -  8292 ..." */
static line_kind row(measured_source *s, const char *text)
{
    const char *p = strchr(text, '#'), *end;
    double number, us;
    if (!p || !measured_number(p + 1, &number, &end)) return LINE_OTHER;
    p = measured_blanks(end);
    const char *dash = strstr(p, " - ");
    size_t n = dash ? (size_t)(dash - p) : 0;
    while (n && p[n - 1] == ' ') n--;
    if (!n || !measured_number(measured_blanks(dash + 2), &us, &end)) {
        measured_skip(s, "a layer's line that is cut");
        return LINE_KNOWN;
    }
    measured_add(s, &(measured_row){.unit = MEASURED_US, .value = us, .least = us, .most = us, .runs = 1, .op = -1}, p, n);
    return LINE_SURE;
}

static line_kind line(measured_source *s, const char *text)
{
    const char *end;
    double us;
    if (strstr(text, "Layer(#)") && strstr(text, "Time(us)")) {
        s->run++;
        s->u.nnom.table = true;
        return LINE_SURE;
    }
    if (!s->u.nnom.table) return LINE_OTHER;
    const char *total = strstr(text, "Prediction time");
    if (total) {
        total = strchr(total, ':');
        if (total && measured_number(measured_blanks(total + 1), &us, &end) && strncmp(end, "us", 2) == 0) measured_add_whole(s, MEASURED_US, us);
        else measured_skip(s, "a prediction time that is cut");
        return LINE_KNOWN;
    }
    return row(s, text);
}

const measured_format measured_nnom = {"NNoM", NULL, line, NULL};
