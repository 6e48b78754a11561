/* SPDX-License-Identifier: Apache-2.0
 * From a log's own unit to cycles. A tick of TFLM's profiler is whatever the port says: a cycle, a microsecond, a timer's period. */
#include <math.h>
#include <stdio.h>

#include "traces/measured.h"

static bool uses(const measured_log *m, measured_unit u)
{
    bool any = m->whole[u].n > 0;
    for (int i = 0; i < m->n_rows && !any; i++) any = m->rows[i].unit == u;
    for (int i = 0; i < m->n_sums && !any; i++) any = m->sums[i].unit == u;
    return any;
}

static bool between(const double range[2], double hz) { return hz >= range[0] * (1 - 1e-9) && hz <= range[1] * (1 + 1e-9); }

/* A rate that the milliseconds allow: the clock, a microsecond's, else their middle. 0: too wide, or they contradict each other. */
static double tick_rate(const double range[2], double clock_hz, const char **what)
{
    *what = "a timer's period";
    if (range[1] <= 0 || range[0] > range[1]) return 0;
    bool cycle = clock_hz > 0 && between(range, clock_hz), micro = between(range, 1e6);
    if (cycle && micro) return 0; /* only when a range is as wide as that */
    *what = cycle ? "a cycle" : micro ? "a microsecond" : *what;
    if (cycle || micro) return cycle ? clock_hz : 1e6;
    return range[1] <= range[0] * 1.02 ? (range[0] + range[1]) / 2 : 0;
}

/* file:line of the first row in this unit */
static const char *place(const measured_log *m, measured_unit u, const char *path, char room[192])
{
    int64_t line = m->whole[u].n ? m->whole[u].line : 0;
    for (int i = m->n_sums; i > 0; i--) line = m->sums[i - 1].unit == u ? m->sums[i - 1].line : line;
    for (int i = m->n_rows; i > 0; i--) line = m->rows[i - 1].unit == u ? m->rows[i - 1].line : line;
    (void)snprintf(room, 192, "%.160s:%lld", path, (long long)line);
    return line > 0 ? room : path;
}

static status ticks(const measured_log *m, const char *path, double per_tick, measured_scale *s, err *e)
{
    const char *what;
    char room[192];
    if (per_tick > 0) {
        s->cycles[MEASURED_TICKS] = per_tick;
        (void)snprintf(s->why, sizeof s->why, "a tick is %.6g cycle%s (--cycles-per-tick)", per_tick, per_tick == 1 ? "" : "s");
        return ST_OK;
    }
    path = place(m, MEASURED_TICKS, path, room);
    double hz = tick_rate(m->tick_hz, s->clock_hz, &what);
    if (hz <= 0 && m->tick_hz[1] > 0)
        return err_set(e, ST_ARG, path, "its milliseconds say that ticks come at %.4g to %.4g MHz, which is not enough to tell: --cycles-per-tick N (clock / tick rate)", m->tick_hz[0] / 1e6, m->tick_hz[1] / 1e6);
    if (hz <= 0) return err_set(e, ST_ARG, path, "the log counts ticks, whose length it does not say: --cycles-per-tick N (clock / tick rate)");
    if (s->clock_hz <= 0) return err_set(e, ST_ARG, path, "no clock is known: --clock-hz HZ");
    s->cycles[MEASURED_TICKS] = s->clock_hz / hz;
    (void)snprintf(s->why, sizeof s->why, "a tick is %s, %.6g cycles at %.6g MHz: the log's milliseconds say %.5g to %.5g MHz", what, s->cycles[MEASURED_TICKS], s->clock_hz / 1e6,
                   m->tick_hz[0] / 1e6, m->tick_hz[1] / 1e6);
    return ST_OK;
}

status measured_to_cycles(const measured_log *m, const char *path, double clock_hz, double default_hz, double cycles_per_tick, measured_scale *out, err *e)
{
    *out = (measured_scale){.clock_hz = clock_hz > 0 ? clock_hz : m->clock_hz > 0 ? m->clock_hz : default_hz};
    out->cycles[MEASURED_CYCLES] = 1;
    if (uses(m, MEASURED_US)) {
        char room[192];
        if (out->clock_hz <= 0) return err_set(e, ST_ARG, place(m, MEASURED_US, path, room), "the log states times, and no clock is known: --clock-hz HZ");
        out->cycles[MEASURED_US] = out->clock_hz / 1e6;
        (void)snprintf(out->why, sizeof out->why, "a microsecond is %.6g cycles: clock %s", out->cycles[MEASURED_US],
                       clock_hz > 0 ? "by --clock-hz" : m->clock_hz > 0 ? "as the log states it" : "of the estimate's board");
    }
    return uses(m, MEASURED_TICKS) ? ticks(m, path, cycles_per_tick, out, e) : ST_OK;
}
