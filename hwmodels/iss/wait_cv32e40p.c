/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/wait_cv32e40p.c - CV32E40P behind memories with wait states: prefetch buffer and aligner, decode, execute and writeback stage,
 * cycle by cycle. From the RTL's cv32e40p_prefetch_controller, _obi_interface, _aligner, _controller, _id_stage, _ex_stage, _load_store_unit.
 * The decode stage looks at the instruction in its register even when that has left or was never to be executed; so does this. */
#include "hwmodels/iss/wait.h"

enum { FIFO_WORDS = 2, STUCK_CYCLES = 4096 };
/* Aligner: where the next instruction begins, and what is known of the word. */
enum { WORD, HALF_KEPT, HALF_WORD, JUMPED_INTO_WORD };
enum { DECODING, FLUSH_EXECUTE, FLUSH_WRITEBACK }; /* controller: the latter two follow an access to a CSR */

static bool moves_base(const iss_insn *i) { return (i->op >= ISS_LB_POST && i->op <= ISS_LHU_POST_R) || (i->op >= ISS_SB_POST && i->op <= ISS_SW_POST_R); }
/* Does the execute stage write a register, and which? What a load loads is written a stage later. */
static bool writes_by_alu(const iss_insn *i) { return moves_base(i) || (iss_writes(i) && !iss_is_load(i)); }
static uint8_t alu_target(const iss_insn *i) { return moves_base(i) ? i->base : i->rd; }
static bool uses(const iss_insn *i, uint8_t reg) { return reg != ISS_NOWHERE && iss_uses(i, reg); }

/* The aligner takes a word, or what it kept of one, and hands out an instruction. *consumes: the word is used up. */
static bool align(iss_wait_cv32e40p *w, bool *consumes)
{
    const bool wide = w->head->halves == 2, emits = !(w->aligner == JUMPED_INTO_WORD && wide);
    *consumes = !(w->aligner == HALF_KEPT && !wide);
    if (emits) {
        const bool loops = w->aligner == WORD && wide && w->loop_target;
        w->decoded = w->head;
        w->head = loops ? w->loop_target : w->head + w->head->halves;
    }
    w->loop_target = NULL;
    switch (w->aligner) {
    case WORD: case HALF_WORD: w->aligner = wide ? WORD : HALF_KEPT; break;
    case HALF_KEPT: w->aligner = wide ? HALF_KEPT : HALF_WORD; break;
    default: w->aligner = wide ? HALF_KEPT : WORD; break;
    }
    return emits;
}

/* The fetch side; ready: the decode stage takes an instruction. True: it gets one. */
static bool fetch_cycle(iss_wait_cv32e40p *w, bool branch, const iss_insn *target, bool target_odd, bool loop_jump, bool ready)
{
    const bool answers = w->fetch_left == 1, kept = w->words > 0;
    const bool valid = (kept || answers) && !branch && w->flush == 0;
    bool emits = false, consumes = false;
    if (valid && ready) emits = align(w, &consumes);
    const bool push = answers && (kept || !consumes) && !branch && w->flush == 0, pop = kept && consumes;
    const bool request = (branch || loop_jump ? 0 : w->words) + w->under_way < FIFO_WORDS, accepted = request && !w->held;
    const bool granted = (request || w->held) && w->fetch_left <= 1;
    const int under_way = w->under_way;
    w->held = (request || w->held) && !granted;
    w->under_way += accepted - answers;
    if (branch || (loop_jump && (kept || answers))) w->flush = under_way - (answers && under_way > 0);
    else if (w->flush_later && answers) w->flush = w->flush_then;
    else if (answers && w->flush > 0) w->flush--;
    if (branch) w->flush_later = false;
    else if (loop_jump && !kept && !answers) w->flush_later = true, w->flush_then = under_way - 1;
    else if (answers) w->flush_later = false;
    if (branch || (loop_jump && kept && pop)) w->words = 0;
    else if (loop_jump && kept) w->words = 1;
    else w->words += push - pop;
    if (granted) w->fetch_left = w->fetch_wait + 2;
    if (w->fetch_left) w->fetch_left--;
    if (branch) w->head = target, w->aligner = target_odd ? JUMPED_INTO_WORD : WORD, w->loop_target = NULL;
    return emits;
}

/* One cycle. w->turn: the instruction in turn; its data-dependent facts are known once it has run. True: it leaves the decode stage. */
static bool cycle(iss_wait_cv32e40p *w)
{
    const bool answers = w->data_left == 1, written = w->outstanding == 0 || answers;
    const bool transfers = w->x_access && w->outstanding < 2 && w->data_left <= 1;
    const bool accessed = !w->x_access || (w->outstanding == 0 ? transfers : w->outstanding == 1 ? answers && transfers : answers);
    const bool executed = w->x_left <= 1 && accessed && written;
    const bool execute_ready = executed || w->x_branch;
    const bool split = w->x_access && !w->x_second && w->x_spans;
    const bool taken = w->x_branch && w->x_taken;
    const iss_insn *d = w->decoded;
    const bool decoding = w->state == DECODING && w->valid && !taken;
    const bool jumps = d->op == ISS_JAL || d->op == ISS_JALR, flushes = d->op == ISS_CSR && d->imm != ISS_MHARTID;
    const bool load_stall = ((w->x_access && w->x_load) || (!written && w->w_load)) &&
                            (uses(d, w->x_loads) || (decoding && !split && writes_by_alu(d) && alu_target(d) == w->x_loads));
    const bool jump_stall = d->op == ISS_JALR && d->rs1 &&
                            ((w->w_load && w->w_loads == d->rs1) || (w->x_load && w->x_loads == d->rs1) || (w->x_writes && w->x_target == d->rs1));
    const bool ready = !split && !load_stall && !jump_stall && execute_ready;
    const bool halted = w->state != DECODING;

    bool branch = taken, target_odd = w->x_next_odd;
    const iss_insn *target = w->x_next;
    const bool sets_pc = decoding && jumps && !jump_stall && !w->jump_done;
    if (sets_pc) branch = true, target = w->next, target_odd = w->next_odd;
    const bool at_loop_end = decoding && !jumps && w->loop_start;
    const bool loop_jump = at_loop_end && !w->loop_jumped;
    if (loop_jump) w->loop_target = w->loop_start;
    const bool stalls_fetch = halted || (decoding && flushes);

    const bool emits = fetch_cycle(w, branch, target, target_odd, loop_jump, ready && !stalls_fetch);
    w->jump_done = (sets_pc || (w->jump_done && decoding)) && !ready;
    w->loop_jumped = at_loop_end && !ready;
    const bool leaves = decoding && ready && !halted;
    if (emits) w->valid = true;
    else if (ready || halted || taken) w->valid = false;

    if (executed) w->w_load = w->x_load, w->w_loads = w->x_load ? w->x_loads : w->w_loads;
    else if (written) w->w_load = false;
    w->outstanding += transfers - answers;
    if (transfers) w->data_left = w->data_wait + 2;
    if (w->data_left) w->data_left--;
    if (w->x_left > 1) w->x_left--;
    if (w->state == FLUSH_EXECUTE && executed) w->state = FLUSH_WRITEBACK;
    else if (w->state == FLUSH_WRITEBACK) w->state = DECODING;
    if (split) {
        if (execute_ready) w->x_second = true, w->x_writes = false;
    } else if (leaves) {
        const bool load = iss_is_load(d);
        w->x_access = w->access != ISS_NO_ACCESS, w->x_spans = w->access == ISS_TWO_WORDS, w->x_second = false, w->x_load = load;
        if (load) w->x_loads = d->rd;
        w->x_writes = writes_by_alu(d);
        if (w->x_writes) w->x_target = alu_target(d);
        w->x_branch = iss_is_branch(d), w->x_taken = w->taken, w->x_next = w->next, w->x_next_odd = w->next_odd;
        w->x_left = w->cycles;
        if (flushes) w->state = FLUSH_EXECUTE;
    } else if (execute_ready) w->x_access = w->x_load = w->x_writes = w->x_branch = false, w->x_left = 1;
    w->now++;
    w->stuck = leaves ? 0 : w->stuck + 1;
    return leaves;
}

/* Until the instruction in turn leaves the decode stage. */
static bool leave(iss_wait_cv32e40p *w)
{
    while (w->stuck < STUCK_CYCLES)
        if (cycle(w)) return true;
    return false;
}

void iss_wait_cv32e40p_start(iss_wait_cv32e40p *w, int fetch_wait, int data_wait, const iss_insn *entry, bool entry_odd)
{
    *w = (iss_wait_cv32e40p){.fetch_wait = fetch_wait, .data_wait = data_wait, .x_left = 1, .x_loads = ISS_NOWHERE, .x_target = ISS_NOWHERE, .w_loads = ISS_NOWHERE,
                             .decoded = entry, .head = entry};
    (void)fetch_cycle(w, true, entry, entry_odd, false, false);
}

bool iss_wait_cv32e40p_begin(iss_wait_cv32e40p *w, const iss_insn *i, uint64_t *now)
{
    w->loop_start = NULL;
    while (w->stuck < STUCK_CYCLES && (!w->valid || w->decoded != i || (w->x_branch && w->x_taken))) (void)cycle(w);
    *now = w->now;
    if (i->op != ISS_CSR || w->stuck == STUCK_CYCLES) return w->stuck < STUCK_CYCLES;
    w->access = ISS_NO_ACCESS, w->taken = false, w->cycles = 1, w->next = NULL; /* a counter is read when it leaves */
    const bool left = leave(w);
    *now = w->now - 1;
    return left;
}

bool iss_wait_cv32e40p_end(iss_wait_cv32e40p *w, const iss_insn *i, const iss_insn *next, bool next_odd, iss_access access, bool jumps, uint32_t cycles, const iss_insn *loop_start)
{
    if (i->op == ISS_CSR) return true;
    w->access = access, w->taken = jumps, w->cycles = cycles, w->next = next, w->next_odd = next_odd, w->loop_start = loop_start;
    return leave(w);
}
