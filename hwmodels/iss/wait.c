/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/wait.c - Ibex behind memories with wait states, where cycles are no sum any more: its prefetch buffer, cycle by cycle, and the
 * decode stage's hold on the instruction. From the RTL's ibex_prefetch_buffer, ibex_fetch_fifo, ibex_id_stage and ibex_load_store_unit.
 *
 * Each bus takes a request when no other is under way or in the cycle that answers it, and answers `wait` + 1 cycles later: WAIT wait states
 * are a transfer per WAIT + 1 cycles. */
#include "hwmodels/iss/wait.h"

/* One cycle of the fetch side. branch: fetching begins anew at target; ready: the decode stage takes an instruction at the end of the cycle.
 * True: it gets one. */
static bool fetch_cycle(iss_wait *w, bool branch, const iss_insn *target, bool target_odd, bool ready)
{
    const bool answers = w->bus_left == 1, in = answers && !w->discard[0];
    const int words = w->words + in;
    const bool wide = w->head->halves == 2;
    const bool valid = words >= (w->head_odd && wide ? 2 : 1);
    const bool takes = ready && valid;
    const bool room = !((w->words > 1 || w->under_way[1]) && (w->words > 2 || w->under_way[0]));
    const bool request = w->pending || ((room || branch) && !w->under_way[1]);
    const bool granted = request && w->bus_left <= 1;
    const bool stale = w->pending && (branch || w->pending_stale);
    bool under_way0 = granted || w->under_way[0], under_way1 = (granted && w->under_way[0]) || w->under_way[1];
    bool discard0 = (granted && stale) || (branch && w->under_way[0]) || w->discard[0];
    bool discard1 = (granted && stale && w->under_way[0]) || (branch && w->under_way[1]) || w->discard[1];
    if (answers) under_way0 = under_way1, discard0 = discard1, under_way1 = discard1 = false;
    w->under_way[0] = under_way0, w->under_way[1] = under_way1, w->discard[0] = discard0, w->discard[1] = discard1;
    w->pending = request && !granted, w->pending_stale = stale;
    if (granted) w->bus_left = w->fetch_wait + 2;
    if (w->bus_left) w->bus_left--;
    w->words = branch ? 0 : words - (takes && (wide || w->head_odd));
    if (branch) w->head = target, w->head_odd = target_odd;
    else if (takes) w->head_odd ^= !wide, w->head += w->head->halves;
    return takes && !branch;
}

/* From cycle w->now on until the instruction at w->head (after a branch at cycle branch_at, if that is not 0: target) is in the decode stage,
 * which takes one from cycle ready_from on. */
static void fetch(iss_wait *w, uint64_t branch_at, const iss_insn *target, bool target_odd, uint64_t ready_from)
{
    for (bool arrived = false; !arrived; w->now++)
        arrived = fetch_cycle(w, branch_at && w->now == branch_at, target, target_odd, w->now >= ready_from) && (!branch_at || w->now > branch_at);
}

void iss_wait_start(iss_wait *w, const iss_timing *t, int fetch_wait, int data_wait, const iss_insn *entry, bool entry_odd)
{
    *w = (iss_wait){.fetch_wait = fetch_wait, .data_wait = data_wait, .writeback = t->load == 0, .branch_after = t->branch_taken - 1u, .now = t->reset - 2u,
                    .loaded = ISS_NOWHERE, .head = entry};
    fetch(w, w->now, entry, entry_odd, 0);
}

uint64_t iss_wait_begin(iss_wait *w, const iss_insn *i)
{
    const bool needs = w->loaded != ISS_NOWHERE && iss_uses(i, w->loaded);
    w->first = w->now;
    w->hazard = needs && w->now <= w->answered;
    if (w->now <= w->answered) w->first = w->answered + w->hazard;
    return w->first;
}

void iss_wait_end(iss_wait *w, const iss_insn *i, const iss_insn *next, bool next_odd, iss_access access, bool jumps, uint32_t cycles)
{
    const uint64_t arrived = w->now, data = (uint64_t)w->data_wait;
    uint64_t last = w->first + cycles - 1, branch_at = 0; /* last: of the decode stage */
    if (access != ISS_NO_ACCESS) {
        const bool two = access == ISS_TWO_WORDS;
        const uint64_t answered = w->first + 1 + data + (two ? 1 + data : 0);
        last = !w->writeback ? answered : two ? w->first + 1 + data : w->first;
        if (w->writeback) w->answered = answered, w->loaded = iss_is_load(i) ? i->rd : (uint8_t)ISS_NOWHERE;
    }
    if (jumps) {
        const bool direct = i->op == ISS_JAL || i->op == ISS_JALR;
        /* With a writeback stage the target is fetched before it is known that the access under way succeeds. */
        branch_at = w->writeback ? (w->hazard ? w->first : arrived) : w->first + (direct ? 0 : w->branch_after);
        last = w->writeback ? w->first : w->first + 1;
    }
    fetch(w, branch_at, next, next_odd, last);
}
