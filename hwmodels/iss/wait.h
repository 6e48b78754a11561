/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/wait.h - cycles behind memories with wait states, instruction by instruction: Ibex (wait.c), CV32E40P (wait_cv32e40p.c). */
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

typedef struct iss_wait_cv32e40p {
    int fetch_wait, data_wait;
    uint64_t now;
    int stuck;               /* cycles without an instruction leaving the decode stage */
    /* The instruction in turn: what is known once it has run. cycles: of the execute stage; loop_start: a hardware loop goes back behind the next. */
    iss_access access;
    bool taken, next_odd;
    uint32_t cycles;
    const iss_insn *next, *loop_start;
    /* Prefetch buffer: words in it, transfers under way, how many of them are thrown away, or will be after the next answer; a request that was
     * taken but not granted. Aligner. */
    int words, under_way, flush, flush_then, fetch_left;
    bool flush_later, held;
    const iss_insn *head, *loop_target;
    int aligner;
    /* Decode stage: its register, and whether that holds an instruction; controller. */
    const iss_insn *decoded;
    bool valid, jump_done, loop_jumped;
    int state;
    /* Execute stage: cycles left, access, destination of a load and of anything else. */
    uint32_t x_left;
    bool x_access, x_spans, x_second, x_load, x_writes, x_branch, x_taken, x_next_odd;
    uint8_t x_loads, x_target;
    const iss_insn *x_next;
    /* Writeback stage and data bus. */
    bool w_load;
    uint8_t w_loads;
    int outstanding, data_left;
} iss_wait_cv32e40p;

/* As above. loop_start: NULL, or where a hardware loop goes when the instruction behind i has run. False: the model is not where the program is, which
 * would be a fault of the model. */
void iss_wait_cv32e40p_start(iss_wait_cv32e40p *w, int fetch_wait, int data_wait, const iss_insn *entry, bool entry_odd);
bool iss_wait_cv32e40p_begin(iss_wait_cv32e40p *w, const iss_insn *i, uint64_t *now);
bool iss_wait_cv32e40p_end(iss_wait_cv32e40p *w, const iss_insn *i, const iss_insn *next, bool next_odd, iss_access access, bool jumps, uint32_t cycles, const iss_insn *loop_start);

#endif
