/* SPDX-License-Identifier: Apache-2.0
 * emu/events.h - what happened inside one operator call. Added to, never reset by a kernel; never printed from one.
 * The same struct holds analytic counts made from shapes alone (hwmodels/count.h): for an executed op both agree in macs and outputs. */
#ifndef BITEMU_EMU_EVENTS_H
#define BITEMU_EMU_EVENTS_H

#include <stdint.h>

typedef struct emu_events {
    uint64_t macs;     /* multiply-accumulates, taps on padding included (as MLPerf Tiny counts them) */
    uint64_t outputs;  /* output elements */
    uint64_t requants; /* accumulators turned into output codes */
    uint64_t wraps;    /* accumulators whose exact sum left the accumulator's width (two's complement wrap) */
    uint64_t saturations; /* saturating accumulators of which at least one addition was cut */
    uint64_t clamps;   /* output codes changed by the final clamp (range or fused activation) */
    int64_t acc_min;   /* smallest and largest finished accumulator (bias included, exact, before any wrap); of saturating ones the */
    int64_t acc_max;   /* result of every addition before it was cut. Both 0, acc_seen 0, when the op has no accumulator */
    uint64_t acc_seen; /* finished accumulators behind acc_min/max */
} emu_events;

static inline void emu_events_acc(emu_events *ev, int64_t acc)
{
    if (!ev->acc_seen || acc < ev->acc_min) ev->acc_min = acc;
    if (!ev->acc_seen || acc > ev->acc_max) ev->acc_max = acc;
    ev->acc_seen++;
}

/* *sum becomes what one run over both would have counted. */
static inline void emu_events_add(emu_events *sum, const emu_events *x)
{
    sum->macs += x->macs;
    sum->outputs += x->outputs;
    sum->requants += x->requants;
    sum->wraps += x->wraps;
    sum->saturations += x->saturations;
    sum->clamps += x->clamps;
    if (!x->acc_seen) return;
    if (!sum->acc_seen || x->acc_min < sum->acc_min) sum->acc_min = x->acc_min;
    if (!sum->acc_seen || x->acc_max > sum->acc_max) sum->acc_max = x->acc_max;
    sum->acc_seen += x->acc_seen;
}

#endif
