/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/run.c - the loop. Code is decoded once, when it is loaded; cycles known from the code alone were added up then (timing.c), so
 * that what is left depends on data: taken branches, unaligned addresses, divisors, targets of register jumps. */
#include <stdio.h>
#include <string.h>

#include "device/boards/rv32/map.h"
#include "hwmodels/iss/wait.h"

enum { MCOUNTINHIBIT = 0x320, MCYCLE = 0xb00, MINSTRET = 0xb02, HIGH_HALF = 0x80, MAX_RAM_BYTES = 1 << 28, MAX_WAIT = 15, END_INSNS = 8 };

struct iss {
    iss_config cfg;
    iss_timing t;
    uint8_t *ram;
    uint32_t ram_bytes, code_begin, n_code, entry;
    iss_insn *code; /* [n_code + END_INSNS]: the last are no instructions */
    iss_symbol *symbols;
    int n_symbols;
    uint32_t x[ISS_NOWHERE + 1];
    uint32_t trap_pc;
};

/* "0x00000123 (main+0x10)", or without the name. */
static const char *place(const iss *s, uint32_t pc, char *text, size_t size)
{
    const iss_symbol *found = NULL;
    for (int i = 0; i < s->n_symbols && s->symbols[i].address <= pc; i++) found = &s->symbols[i];
    if (found) snprintf(text, size, "0x%08x (%.100s+0x%x)", pc, found->name, pc - found->address);
    else snprintf(text, size, "0x%08x", pc);
    return text;
}

status iss_load(const iss_config *cfg, const uint8_t *elf, size_t len, arena *a, iss **out, err *e)
{
    const uint32_t bytes = cfg->ram_bytes ? cfg->ram_bytes : MAP_RAM_BYTES;
    if (!cfg->core) return err_set(e, ST_ARG, "core", "a core must be given");
    if (bytes < 4096 || bytes > MAX_RAM_BYTES || bytes % 4) return err_set(e, ST_ARG, "ram_bytes", "%u: must be a multiple of 4 from 4096 to %d", bytes, MAX_RAM_BYTES);
    if (cfg->fetch_wait < 0 || cfg->fetch_wait > MAX_WAIT || cfg->data_wait < 0 || cfg->data_wait > MAX_WAIT)
        return err_set(e, ST_ARG, "wait states", "must be 0 to %d", MAX_WAIT);
    iss *s = arena_alloc(a, 1, sizeof *s);
    uint8_t *ram = arena_alloc(a, bytes, 1);
    if (!s || !ram) return err_set(e, ST_NOMEM, "", "out of memory");
    *s = (iss){.cfg = *cfg, .t = cfg->core->t, .ram = ram, .ram_bytes = bytes};
    uint32_t end = 0;
    TRY(iss_elf_load(elf, len, ram, bytes, &s->code_begin, &end, &s->entry, &s->symbols, &s->n_symbols, a, e));
    s->n_code = (end - s->code_begin + 1) / 2;
    s->code = arena_alloc(a, (size_t)s->n_code + END_INSNS, sizeof *s->code);
    if (!s->code) return err_set(e, ST_NOMEM, "", "out of memory");
    for (uint32_t i = 0; i < s->n_code; i++) {
        uint32_t word = 0, at = s->code_begin + 2 * i;
        memcpy(&word, ram + at, bytes - at < 4 ? bytes - at : 4);
        s->code[i] = iss_decode(word, at, s->t.xpulp);
    }
    iss_annotate(&s->t, s->code, s->n_code);
    if (s->entry % 2 || s->entry < s->code_begin || s->entry >= end) return err_set(e, ST_FORMAT, "byte 24", "entry 0x%08x is not in an executable segment", s->entry);
    *out = s;
    return ST_OK;
}

const uint8_t *iss_ram(const iss *s, size_t *bytes)
{
    *bytes = s->ram_bytes;
    return s->ram;
}

static uint32_t divide(uint8_t op, uint32_t x, uint32_t y)
{
    const bool overflow = x == 0x80000000u && y == UINT32_MAX;
    switch (op) {
    case ISS_DIV: return y == 0 ? UINT32_MAX : overflow ? x : (uint32_t)((int32_t)x / (int32_t)y);
    case ISS_DIVU: return y == 0 ? UINT32_MAX : x / y;
    case ISS_REM: return y == 0 ? x : overflow ? 0 : (uint32_t)((int32_t)x % (int32_t)y);
    default: return y == 0 ? x : x % y;
    }
}

static uint32_t division_cycles(const iss_timing *t, const iss_insn *i, uint32_t divisor)
{
    if (divisor == 0) return t->div_by_zero ;
    const bool negative = (i->op == ISS_DIV || i->op == ISS_REM) && divisor >> 31;
    const uint32_t magnitude = negative ? ~divisor : divisor;
    return t->div + t->div_leading_bit * ((magnitude ? (uint32_t)__builtin_clz(magnitude) : 32) - negative) ;
}

/* Cycles more of a JALR to next. Behind an instruction that executes for several cycles its target is fetched meanwhile; then the register that
 * it links must not be waited for. A load two instructions before it is still under way unless that is so. */
static int register_jump(const iss_timing *t, const iss_insn *i, const iss_insn *next, bool overlaps, bool loaded, bool brief)
{
    if (loaded && brief) return 0; /* the one cycle is spent on waiting */
    if (!overlaps) return loaded ? t->jump_register_use : 0;
    const bool relinks = i->rd == i->rs1, returns = next->op == ISS_JALR && next->rs1 == i->rd;
    if (relinks && !returns && !(next->flags & ISS_STRADDLES)) return -t->jump_overlap - t->jump_register_relink;
    return (returns && !relinks ? t->jump_register_use : 0) - t->jump_overlap;
}

/* Why a run ended. */
typedef enum stop { RUNNING, EXITED, TRAPPED, ILLEGAL, EXCEPTION, BAD_CSR, OUTSIDE_LOAD, OUTSIDE_STORE, CODE_STORE, OUTSIDE_JUMP, BAD_LOOP, LOST, LIMIT } stop;

static status report(const iss *s, stop why, uint32_t pc, uint32_t address, uint64_t instructions, err *e)
{
    char at[160], from[160];
    uint32_t word = 0;
    const iss_insn *i = pc >= s->code_begin && (pc - s->code_begin) / 2 < s->n_code ? &s->code[(pc - s->code_begin) / 2] : NULL;
    place(s, pc, at, sizeof at);
    switch (why) {
    case EXITED: return ST_OK;
    case TRAPPED: return err_set(e, ST_FORMAT, "", "the program reports a trap: mcause %u at pc %s", address, place(s, s->trap_pc, from, sizeof from));
    case ILLEGAL:
        memcpy(&word, s->ram + pc, s->ram_bytes - pc < 4 ? s->ram_bytes - pc : i && i->halves == 1 ? 2 : 4);
        return err_set(e, ST_FORMAT, "", "illegal instruction, or one that is not simulated, 0x%0*x at pc %s", i && i->halves == 1 ? 4 : 8, word, at);
    case EXCEPTION: return err_set(e, ST_FORMAT, "", "%s at pc %s", i && i->op == ISS_ECALL ? "ecall" : "ebreak", at);
    case BAD_CSR: return err_set(e, ST_FORMAT, "", "access to CSR 0x%03x, which is not simulated, at pc %s", address, at);
    case OUTSIDE_LOAD: return err_set(e, ST_FORMAT, "", "load from 0x%08x, where nothing is, at pc %s", address, at);
    case OUTSIDE_STORE: return err_set(e, ST_FORMAT, "", "store to 0x%08x, where nothing is, at pc %s", address, at);
    case CODE_STORE: return err_set(e, ST_FORMAT, "", "store to 0x%08x, which is code, at pc %s", address, at);
    case OUTSIDE_JUMP: return err_set(e, ST_FORMAT, "", "jump to 0x%08x, where no code is, at pc %s", address, at);
    case BAD_LOOP:
        return err_set(e, ST_FORMAT, "", "hardware loop %u at pc %s: it must be aligned to 4, of 3 instructions or more, none compressed, no jump, branch, fence or CSR, and loop 0 within loop 1 end 8 bytes before it", address, at);
    case LOST: return err_set(e, ST_UNSUPPORTED, "", "cycles with wait states are not known beyond pc %s: please report this program", at);
    case LIMIT:
    default: return err_set(e, ST_FORMAT, "", "still running after %llu instructions, at pc %s", (unsigned long long)instructions, at);
    }
}

/* A store that is not to plain RAM. */
static stop store_elsewhere(iss *s, uint32_t address, uint32_t value, int bytes, uint64_t cycles, uint64_t instructions, uint32_t *info)
{
    if (address < s->ram_bytes && address + (uint32_t)bytes <= s->ram_bytes) return CODE_STORE;
    switch (address) {
    case MAP_CONSOLE:
        if (s->cfg.console) s->cfg.console(s->cfg.user, (char)value);
        return RUNNING;
    case MAP_EXIT: *info = value & 255; return EXITED;
    case MAP_TRAP_PC: s->trap_pc = value; return RUNNING;
    case MAP_TRAP_CAUSE: *info = value; return TRAPPED;
    case MAP_MARK:
        if (s->cfg.mark) s->cfg.mark(s->cfg.user, value, cycles, instructions);
        return RUNNING;
    default: return OUTSIDE_STORE;
    }
}

/* A hardware loop: from start to before end, count times. back: cycles more of its last instruction when the first follows it. */
typedef struct hwloop { uint32_t start, end, count; int back; } hwloop;

static void loop_set(hwloop *l, const iss_insn *i, uint32_t pc, uint32_t value)
{
    const uint32_t imm = (uint32_t)i->imm;
    switch (i->fn) {
    case 0: l->start = pc + 4 * imm; break;
    case 1: l->start = value; break;
    case 2: l->end = pc + 4 * imm; break;
    case 3: l->end = value; break;
    case 4: l->count = imm; break;
    case 5: l->count = value; break;
    default: *l = (hwloop){pc + 4, pc + 4 * (i->fn == 6 ? i->rs1 : imm), i->fn == 6 ? imm : value, 0}; break;
    }
}

/* What the manual asks of a loop, and what the core does not check: aligned, three instructions or more, none compressed, no jump,
 * branch or fence. And no CSR: the core leaves the loop's path for a while then, which is not simulated. */
static bool loop_begin(const iss *s, hwloop *l)
{
    const uint64_t code_end = s->code_begin + 2 * (uint64_t)s->n_code;
    if (l->start % 4 || l->end % 4 || l->start < s->code_begin || l->end > code_end || (uint64_t)l->start + 12 > l->end) return false;
    for (uint32_t at = l->start; at < l->end; at += 4) {
        const iss_insn *i = &s->code[(at - s->code_begin) / 2];
        const bool jumps = (i->op >= ISS_JAL && i->op <= ISS_BGEU) || i->op == ISS_BEQI || i->op == ISS_BNEI || i->op == ISS_FENCE || i->op == ISS_CSR;
        if (i->halves != 2 || jumps) return false;
    }
    const iss_insn *last = &s->code[(l->end - s->code_begin) / 2 - 2];
    l->back = iss_pair(&s->t, last, &s->code[(l->start - s->code_begin) / 2]) - iss_pair(&s->t, last, last + 2);
    return true;
}

/* Loop 0 within loop 1 must end two instructions before it. */
static bool loops_nest(const hwloop l[2])
{
    if (!l[0].count || !l[1].count || l[0].end <= l[1].start || l[0].start >= l[1].end) return true;
    return l[0].start >= l[1].start && l[1].end >= l[0].end + 8;
}

/* mcycle and minstret: what they count from, and whether they count. */
typedef struct counters { uint64_t cycles, instructions; bool on; } counters;

/* The counters, read only, and 0 written to mcountinhibit. cycles and instructions: before this one. */
static bool access_csr(const iss_insn *i, uint32_t operand, uint64_t cycles, uint64_t instructions, counters *c, uint32_t *value)
{
    const bool is_write = (i->rs2 & 3) == 1 || i->rs1 != 0;
    const int number = i->imm & ~HIGH_HALF;
    *value = 0;
    if (i->imm == MCOUNTINHIBIT && is_write && operand == 0) {
        if (!c->on) *c = (counters){cycles + 1, instructions + 1, true};
        return true;
    }
    if (is_write || (number != MCYCLE && number != MINSTRET)) return !is_write && (i->imm == ISS_MHARTID || (i->imm == MCOUNTINHIBIT && c->on));
    const uint64_t counter = number == MCYCLE ? cycles - c->cycles : instructions - c->instructions;
    if (c->on) *value = (uint32_t)(i->imm & HIGH_HALF ? counter >> 32 : counter);
    return true;
}

#define X1 x[i->rs1]
#define X2 x[i->rs2]
#define X3 x[i->rs3]
#define S1 ((int32_t)x[i->rs1])
#define S2 ((int32_t)x[i->rs2])
#define RD x[i->rd]
#define BRANCH(condition)                                                                                                              \
    if (condition) {                                                                                                                   \
        if (i->flags & ISS_OUTSIDE) STOP(OUTSIDE_JUMP, PC + (uint32_t)i->imm);                                                         \
        cycles += i->taken;                                                                                                            \
        next = i + i->imm / 2;                                                                                                         \
    }                                                                                                                                  \
    break
#define ODD(insn) (((insn) - code) & 1)
#define PC (s->code_begin + 2 * (uint32_t)(i - code))
#define STOP(reason, what)                                                                                                             \
    do {                                                                                                                               \
        why = reason, info = what;                                                                                                     \
        goto done;                                                                                                                     \
    } while (0)
/* An access of `bytes` that spans two words costs more. */
#define SPAN(at, bytes)                                                                                                                \
    if (((at) & 3) + bytes > 4) cycles += s->t.unaligned, brief = busy = instructions
#define LOAD_AT(type, address, move)                                                                                                   \
    {                                                                                                                                  \
        type value;                                                                                                                    \
        const uint32_t at = address;                                                                                                   \
        SPAN(at, sizeof value);                                                                                                        \
        if (at > ram_bytes - sizeof value) STOP(OUTSIDE_LOAD, at);                                                                     \
        memcpy(&value, ram + at, sizeof value);                                                                                        \
        move;                                                                                                                          \
        RD = (uint32_t)(int32_t)value;                                                                                                 \
        if (hazards) {                                                                                                                 \
            if (i->cycles == undisturbed) loaded[i->rd] = instructions;                                                                \
            if (i->flags & ISS_BUSY) brief = brief == instructions ? 0 : instructions, busy = instructions; /* unaligned too: three */ \
        }                                                                                                                              \
        break;                                                                                                                         \
    }
#define STORE_AT(type, address, move)                                                                                                  \
    {                                                                                                                                  \
        const type value = (type)X2;                                                                                                   \
        const uint32_t at = address;                                                                                                   \
        SPAN(at, sizeof value);                                                                                                        \
        if (at > ram_bytes - sizeof value || at - code_begin + (uint32_t)(sizeof value - 1) < code_bytes + (uint32_t)(sizeof value - 1)) { \
            why = store_elsewhere(s, at, X2, sizeof value, cycles, instructions, &info);                                               \
            if (why == OUTSIDE_STORE || why == CODE_STORE) info = at;                                                                  \
            if (why != RUNNING) goto done;                                                                                             \
        } else memcpy(ram + at, &value, sizeof value);                                                                                 \
        move;                                                                                                                          \
        break;                                                                                                                         \
    }
#define LOAD(type) LOAD_AT(type, X1 + (uint32_t)i->imm, (void)0)
#define STORE(type) STORE_AT(type, X1 + (uint32_t)i->imm, (void)0)
#define LOADS(name, type)                                                                                                              \
    case ISS_##name##_POST: LOAD_AT(type, X1, x[i->base] = at + (uint32_t)i->imm)                                                      \
    case ISS_##name##_POST_R: LOAD_AT(type, X1, x[i->base] = at + X2)                                                                  \
    case ISS_##name##_INDEX: LOAD_AT(type, X1 + X2, (void)0)
#define STORES(name, type)                                                                                                             \
    case ISS_##name##_POST: STORE_AT(type, X1, x[i->base] = at + (uint32_t)i->imm)                                                     \
    case ISS_##name##_POST_R: STORE_AT(type, X1, x[i->base] = at + X3)                                                                 \
    case ISS_##name##_INDEX: STORE_AT(type, X1 + X3, (void)0)

typedef enum pipeline { NO_WAITS, IBEX, CV32E40P } pipeline;

static inline __attribute__((always_inline)) status loop(iss *s, const bool hazards, const pipeline waits, const bool steps, iss_result *out, err *e)
{
    uint32_t *const x = s->x;
    uint8_t *const ram = s->ram;
    const iss_insn *const code = s->code;
    const iss_insn *i = code + (s->entry - s->code_begin) / 2, *next;
    const uint32_t ram_bytes = s->ram_bytes, code_begin = s->code_begin, code_bytes = 2 * s->n_code;
    const uint64_t max_instructions = s->cfg.max_instructions ? s->cfg.max_instructions : 10000000000u;
    uint64_t cycles = s->t.reset, instructions = 0;
    uint64_t busy = 0, brief = 0;             /* the last instruction that executed for several cycles, for two */
    uint64_t loaded[ISS_NOWHERE + 1] = {0};   /* the last one that loaded a register which the next did not wait for */
    const uint8_t undisturbed = (uint8_t)(1 + s->t.load);
    hwloop loops[2] = {{0}};
    const iss_insn *ends[2] = {NULL, NULL};   /* where the loops jump back, if they still do */
    counters count = {.on = !s->t.counters_off};
    uint32_t info = 0;
    stop why = RUNNING;
    iss_wait ibex;
    iss_wait_cv32e40p cv32e40p;
    if (waits == IBEX) iss_wait_start(&ibex, &s->t, s->cfg.fetch_wait, s->cfg.data_wait, i, ODD(i));
    if (waits == CV32E40P) iss_wait_cv32e40p_start(&cv32e40p, s->cfg.fetch_wait, s->cfg.data_wait, i, ODD(i));
    for (;; i = next) {
        if (instructions == max_instructions) STOP(LIMIT, 0);
        if (waits == IBEX) cycles = iss_wait_begin(&ibex, i);
        if (waits == CV32E40P && !iss_wait_cv32e40p_begin(&cv32e40p, i, &cycles)) STOP(LOST, 0);
        if (steps) s->cfg.step(s->cfg.user, cycles, PC);
        const uint64_t before = cycles;
        next = i + i->halves;
        instructions++;
        cycles += i->cycles;
        switch ((iss_op)i->op) {
        case ISS_LI: RD = (uint32_t)i->imm; break;
        case ISS_JAL:
            if (i->flags & ISS_OUTSIDE) STOP(OUTSIDE_JUMP, PC + (uint32_t)i->imm);
            RD = PC + 2u * i->halves;
            next = i + i->imm / 2;
            if (hazards && busy + 1 == instructions) cycles -= s->t.jump_overlap - (next->op == ISS_JALR && next->rs1 == i->rd ? s->t.jump_register_use : 0u);
            break;
        case ISS_JALR: {
            const uint32_t to = (X1 + (uint32_t)i->imm) & ~1u, index = (to - s->code_begin) / 2;
            if (index >= s->n_code) STOP(OUTSIDE_JUMP, to);
            RD = PC + 2u * i->halves;
            next = code + index;
            if (next->flags & ISS_STRADDLES) cycles += s->t.straddling_target;
            if (hazards) cycles += (uint64_t)register_jump(&s->t, i, next, busy + 1 == instructions, loaded[i->rs1] + 2 == instructions, brief + 1 == instructions);
            break;
        }
        case ISS_BEQ: BRANCH(X1 == X2);
        case ISS_BNE: BRANCH(X1 != X2);
        case ISS_BLT: BRANCH(S1 < S2);
        case ISS_BGE: BRANCH(S1 >= S2);
        case ISS_BLTU: BRANCH(X1 < X2);
        case ISS_BGEU: BRANCH(X1 >= X2);
        case ISS_LB: LOAD(int8_t)
        case ISS_LH: LOAD(int16_t)
        case ISS_LW: LOAD(int32_t)
        case ISS_LBU: LOAD(uint8_t)
        case ISS_LHU: LOAD(uint16_t)
        case ISS_SB: STORE(uint8_t)
        case ISS_SH: STORE(uint16_t)
        case ISS_SW: STORE(uint32_t)
        case ISS_ADDI: RD = X1 + (uint32_t)i->imm; break;
        case ISS_SLTI: RD = S1 < i->imm; break;
        case ISS_SLTIU: RD = X1 < (uint32_t)i->imm; break;
        case ISS_XORI: RD = X1 ^ (uint32_t)i->imm; break;
        case ISS_ORI: RD = X1 | (uint32_t)i->imm; break;
        case ISS_ANDI: RD = X1 & (uint32_t)i->imm; break;
        case ISS_SLLI: RD = X1 << i->imm; break;
        case ISS_SRLI: RD = X1 >> i->imm; break;
        case ISS_SRAI: RD = (uint32_t)(S1 >> i->imm); break;
        case ISS_ADD: RD = X1 + X2; break;
        case ISS_SUB: RD = X1 - X2; break;
        case ISS_SLL: RD = X1 << (X2 & 31); break;
        case ISS_SLT: RD = S1 < S2; break;
        case ISS_SLTU: RD = X1 < X2; break;
        case ISS_XOR: RD = X1 ^ X2; break;
        case ISS_SRL: RD = X1 >> (X2 & 31); break;
        case ISS_SRA: RD = (uint32_t)(S1 >> (X2 & 31)); break;
        case ISS_OR: RD = X1 | X2; break;
        case ISS_AND: RD = X1 & X2; break;
        case ISS_MUL: RD = X1 * X2; break;
        case ISS_MULH: busy = instructions, RD = (uint32_t)((uint64_t)((int64_t)S1 * S2) >> 32); break;
        case ISS_MULHSU: busy = instructions, RD = (uint32_t)((uint64_t)((int64_t)S1 * (int64_t)X2) >> 32); break;
        case ISS_MULHU: busy = instructions, RD = (uint32_t)((uint64_t)X1 * X2 >> 32); break;
        case ISS_DIV: case ISS_DIVU: case ISS_REM: case ISS_REMU:
            cycles += division_cycles(&s->t, i, X2);
            busy = instructions;
            RD = divide(i->op, X1, X2);
            break;
        case ISS_FENCE: break;
        case ISS_CSR: {
            uint32_t value = 0;
            if (!access_csr(i, i->rs2 & 4 ? i->rs1 : X1, cycles - i->cycles, instructions - 1, &count, &value)) STOP(BAD_CSR, (uint32_t)i->imm);
            RD = value;
            break;
        }
        LOADS(LB, int8_t)
        LOADS(LH, int16_t)
        LOADS(LW, int32_t)
        LOADS(LBU, uint8_t)
        LOADS(LHU, uint16_t)
        STORES(SB, uint8_t)
        STORES(SH, uint16_t)
        STORES(SW, uint32_t)
        case ISS_BEQI: BRANCH(S1 == (int32_t)(i->rs2 ^ 16u) - 16);
        case ISS_BNEI: BRANCH(S1 != (int32_t)(i->rs2 ^ 16u) - 16);
        case ISS_HWLOOP:
            loop_set(&loops[i->mode], i, PC, X1);
            if (loops[i->mode].count && (!loop_begin(s, &loops[i->mode]) || !loops_nest(loops))) STOP(BAD_LOOP, i->mode);
            for (int k = 0; k < 2; k++) ends[k] = loops[k].count ? code + (loops[k].end - s->code_begin) / 2 : NULL;
            break;
        case ISS_MAC: RD = X3 + X1 * X2; break;
        case ISS_MSU: RD = X3 - X1 * X2; break;
        case ISS_X_ALU: case ISS_X_FIELD: case ISS_X_ADDN: case ISS_X_MULN: case ISS_X_VECTOR: RD = iss_xpulp_value(i, X1, X2, X3); break;
        case ISS_ECALL: case ISS_EBREAK: STOP(EXCEPTION, 0);
        case ISS_ILLEGAL: case ISS_N_OPS: STOP(ILLEGAL, 0);
        }
        if (waits != NO_WAITS) {
            const bool divides = i->op >= ISS_DIV && i->op <= ISS_REMU, multiplies = i->op >= ISS_MUL && i->op <= ISS_MULHU;
            const uint32_t more = (uint32_t)(cycles - before - i->cycles), executes = 1 + (divides ? more : !multiplies ? 0 : i->op == ISS_MUL ? s->t.mul : s->t.mulh);
            const iss_access access = !iss_is_load(i) && !iss_is_store(i) ? ISS_NO_ACCESS : brief == instructions ? ISS_TWO_WORDS : ISS_ONE_WORD;
            const bool jumps = i->op == ISS_JAL || i->op == ISS_JALR || (iss_is_branch(i) && more);
            if (waits == IBEX) iss_wait_end(&ibex, i, next, ODD(next), access, jumps, executes);
            else {
                const int k = i + 4 == ends[0] && loops[0].count > 1 ? 0 : i + 4 == ends[1] && loops[1].count > 1 ? 1 : -1;
                const iss_insn *back = k < 0 ? NULL : code + (loops[k].start - s->code_begin) / 2;
                if (!iss_wait_cv32e40p_end(&cv32e40p, i, next, ODD(next), access, jumps, executes, back)) STOP(LOST, 0);
            }
        }
        if ((hazards || waits == CV32E40P) && (next == ends[0] || next == ends[1])) {
            const int k = next != ends[0];
            if (--loops[k].count) next = code + (loops[k].start - s->code_begin) / 2, cycles += (uint64_t)loops[k].back;
            else ends[k] = NULL;
        }
    }
done:
    *out = (iss_result){.exit_code = why == EXITED ? (int)info : 0, .cycles = cycles, .instructions = instructions};
    return report(s, why, PC, info, instructions, e);
}

static status loop_plain(iss *s, iss_result *out, err *e) { return loop(s, false, NO_WAITS, false, out, e); }
static status loop_hazards(iss *s, iss_result *out, err *e) { return loop(s, true, NO_WAITS, false, out, e); }
static status loop_steps(iss *s, iss_result *out, err *e) { return loop(s, true, NO_WAITS, true, out, e); }
static status loop_ibex(iss *s, iss_result *out, err *e) { return loop(s, false, IBEX, s->cfg.step != NULL, out, e); }
static status loop_cv32e40p(iss *s, iss_result *out, err *e) { return loop(s, false, CV32E40P, s->cfg.step != NULL, out, e); }

status iss_run(iss *s, iss_result *out, err *e)
{
    if (s->cfg.fetch_wait || s->cfg.data_wait) return s->t.jump_overlap ? loop_cv32e40p(s, out, e) : loop_ibex(s, out, e);
    if (s->cfg.step) return loop_steps(s, out, e);
    return s->t.jump_overlap ? loop_hazards(s, out, e) : loop_plain(s, out, e);
}
