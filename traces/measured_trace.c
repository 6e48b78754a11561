/* SPDX-License-Identifier: Apache-2.0
 * Measured cycles out of bitemu's own trace, by operator, added up over its inputs. */
#include <string.h>

#include "traces/measured_source.h"

static void add_up(measured_source *s, const trace_record *r)
{
    for (int i = 0; i < s->log->n_rows; i++) {
        measured_row *row = &s->rows[i];
        if (row->op != r->layer) continue;
        row->value += (r->cycles_measured - row->value) / (double)++row->runs;
        row->least = r->cycles_measured < row->least ? r->cycles_measured : row->least;
        row->most = r->cycles_measured > row->most ? r->cycles_measured : row->most;
        return;
    }
    const char *tag = r->op ? r->op : "";
    double v = r->cycles_measured;
    measured_add(s, &(measured_row){.unit = MEASURED_CYCLES, .value = v, .least = v, .most = v, .runs = 1, .op = r->layer}, tag, strlen(tag));
}

status measured_read_trace(measured_source *s, const char *path, err *e)
{
    trace_reader *r;
    trace_record rec;
    bool end = false;
    s->log->format = "trace";
    s->log->others = (trace_skips){0}; /* counted again below */
    TRY(trace_open(path, &r, e));
    status st = ST_OK;
    while (st == ST_OK) {
        st = trace_next(r, &rec, &end, e);
        if (st != ST_OK || end) break;
        if (rec.layer >= 0 && rec.has_measured && rec.cycles_measured >= 0) add_up(s, &rec);
    }
    s->log->skips = *trace_reader_skips(r);
    trace_close(&r);
    return st;
}
