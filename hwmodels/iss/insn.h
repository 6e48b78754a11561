/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/insn.h - a decoded instruction, and what the files of this folder share. */
#ifndef BITEMU_HWMODELS_ISS_INSN_H
#define BITEMU_HWMODELS_ISS_INSN_H

#include <stdbool.h>

#include "hwmodels/iss/iss.h"

/* Operations: what the loop in run.c does for one. LI also stands for AUIPC: its immediate is worked out when the code is decoded.
 * From LB_POST on: Xpulp. POST: the address register moves by the offset afterwards; R: the offset is a register; INDEX: register + register. */
#define ISS_OPS(X)                                                                                                                     \
    X(ILLEGAL) X(LI) X(JAL) X(JALR) X(BEQ) X(BNE) X(BLT) X(BGE) X(BLTU) X(BGEU)                                                        \
    X(LB) X(LH) X(LW) X(LBU) X(LHU) X(SB) X(SH) X(SW)                                                                                  \
    X(ADDI) X(SLTI) X(SLTIU) X(XORI) X(ORI) X(ANDI) X(SLLI) X(SRLI) X(SRAI)                                                            \
    X(ADD) X(SUB) X(SLL) X(SLT) X(SLTU) X(XOR) X(SRL) X(SRA) X(OR) X(AND)                                                              \
    X(MUL) X(MULH) X(MULHSU) X(MULHU) X(DIV) X(DIVU) X(REM) X(REMU)                                                                    \
    X(FENCE) X(ECALL) X(EBREAK) X(CSR)                                                                                                 \
    X(LB_POST) X(LH_POST) X(LW_POST) X(LBU_POST) X(LHU_POST) X(LB_POST_R) X(LH_POST_R) X(LW_POST_R) X(LBU_POST_R) X(LHU_POST_R)        \
    X(LB_INDEX) X(LH_INDEX) X(LW_INDEX) X(LBU_INDEX) X(LHU_INDEX)                                                                      \
    X(SB_POST) X(SH_POST) X(SW_POST) X(SB_POST_R) X(SH_POST_R) X(SW_POST_R) X(SB_INDEX) X(SH_INDEX) X(SW_INDEX)                        \
    X(BEQI) X(BNEI) X(HWLOOP) X(MAC) X(MSU) X(X_ALU) X(X_FIELD) X(X_ADDN) X(X_MULN) X(X_VECTOR)
#define ISS_OP(name) ISS_##name,
typedef enum iss_op { ISS_OPS(ISS_OP) ISS_N_OPS } iss_op;
#undef ISS_OP

enum { ISS_NOWHERE = 32 }; /* register that writes to x0 go to */

/* insn.flags */
enum {
    ISS_STRADDLES = 1,  /* 32 bits long at pc mod 4 = 2: a jump here fetches two words */
    ISS_OUTSIDE = 2,    /* direct jump or branch whose target is no code */
    ISS_BUSY = 4        /* load that the jump behind it waits for, while the jump's target is fetched */
};

typedef struct iss_insn {
    uint8_t op;          /* iss_op */
    uint8_t rd;          /* 1..31, or ISS_NOWHERE */
    uint8_t base;        /* rs1 where it is written, by POST: 1..31, or ISS_NOWHERE */
    uint8_t rs1, rs2;    /* as encoded; CSR: rs2 = funct3 */
    int32_t imm;         /* CSR: its number */
    uint8_t halves;      /* length in halfwords: 1 or 2 */
    uint8_t cycles;      /* when not taken, aligned, not zero: whatever is known before it runs */
    uint8_t taken;       /* more when a branch is taken */
    uint8_t flags;
    uint8_t reads;       /* what the core waits for; bit 0: rs1, 1: rs2, 2: rs3 */
    uint8_t rs3;         /* rd's field as a register that is read */
    uint8_t fn, mode;    /* Xpulp: which operation (xpulp.c) */
} iss_insn;

/* One instruction at pc; word holds the four bytes there. op = ISS_ILLEGAL when it is none. Timing fields stay 0. */
iss_insn iss_decode(uint32_t word, uint32_t pc, bool xpulp);
/* The same for the opcodes of Xpulp; i: registers and length, op ISS_ILLEGAL. And the result of those from X_ALU on; d: rs3's value. */
iss_insn iss_decode_xpulp(iss_insn i, uint32_t word);
uint32_t iss_xpulp_value(const iss_insn *i, uint32_t a, uint32_t b, uint32_t d);
/* The 32-bit form of a 16-bit instruction; 0 = none. */
uint32_t iss_expand(uint16_t c);

/* Cycles added to 1 per instruction; reset: mcycle when the first instruction executes. */
typedef struct iss_timing {
    bool xpulp;
    bool counters_off; /* at reset, until a program writes 0 to mcountinhibit */
    uint8_t reset, load, store, mul, mulh, div, div_leading_bit, div_by_zero, branch_taken, jump, jump_register, straddling_target, load_use, load_overwritten,
        jump_register_use, jump_register_relink, unaligned, jump_overlap, counter_read;
} iss_timing;
struct iss_core {
    const char *name;
    iss_timing t;
};
enum { ISS_MHARTID = 0xf14 };
bool iss_is_load(const iss_insn *i);
bool iss_is_store(const iss_insn *i);
bool iss_is_branch(const iss_insn *i);
bool iss_writes(const iss_insn *i);  /* has it a destination register, x0 included? */
bool iss_uses(const iss_insn *i, uint8_t reg); /* does it wait for reg's value? */
/* Cycles that i takes longer because n follows it: part of i->cycles for the one behind it. */
int iss_pair(const iss_timing *t, const iss_insn *i, const iss_insn *n);
/* cycles, taken and flags of each instruction of code[0..n): code[i] is what begins at halfword i. */
void iss_annotate(const iss_timing *t, iss_insn *code, uint32_t n);

typedef struct iss_symbol { uint32_t address; const char *name; } iss_symbol;
/* Segments into ram (zeroed, ram_bytes); [*code_begin, *code_end) = span of the executable ones; symbols of functions sorted by address. */
status iss_elf_load(const uint8_t *elf, size_t len, uint8_t *ram, uint32_t ram_bytes, uint32_t *code_begin, uint32_t *code_end, uint32_t *entry,
                    iss_symbol **symbols, int *n_symbols, arena *a, err *e);

#endif
