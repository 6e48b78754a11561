/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/wait.h - cycles of Ibex behind memories with wait states, instruction by instruction. */
#ifndef BITEMU_HWMODELS_ISS_WAIT_H
#define BITEMU_HWMODELS_ISS_WAIT_H

#include "hwmodels/iss/insn.h"

typedef enum iss_access { ISS_NO_ACCESS, ISS_ONE_WORD, ISS_TWO_WORDS } iss_access;

typedef struct iss_wait {
    int fetch_wait, data_wait; /* wait states */
    bool writeback;            /* the core has a writeback stage: a load or store leaves the decode stage before it is answered */
    uint32_t branch_after;     /* cycles until a taken branch fetches its target */
    uint64_t now;              /* cycle at which the instruction in turn is in the decode stage */
    uint64_t first;            /* cycle from which it executes */
    bool hazard;               /* it waits for the value of the access under way */
    uint64_t answered;         /* writeback: cycle of the last access' answer */
    uint8_t loaded;            /* and the register it loads, or ISS_NOWHERE */
    /* Prefetch buffer: words that have come, the instruction they begin with, transfers under way and whether they are thrown away when they
     * come, a request that has not been granted, and whether a jump has outdated it. */
    int words;
    const iss_insn *head;
    bool head_odd;             /* at pc mod 4 = 2 */
    bool under_way[2], discard[2], pending, pending_stale;
    int bus_left;              /* cycles until the bus answers; 0: idle */
} iss_wait;

/* At reset; entry: the first instruction. */
void iss_wait_start(iss_wait *w, const iss_timing *t, int fetch_wait, int data_wait, const iss_insn *entry, bool entry_odd);
/* i is in turn: the cycle in which it executes first, which is what it reads from mcycle. */
uint64_t iss_wait_begin(iss_wait *w, const iss_insn *i);
/* i has executed. cycles: what it takes in the decode stage if it is no access, jump or taken branch; jumps: it is one, to next. */
void iss_wait_end(iss_wait *w, const iss_insn *i, const iss_insn *next, bool next_odd, iss_access access, bool jumps, uint32_t cycles);

#endif
