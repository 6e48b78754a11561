/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/decode.c - RV32IM and Zicsr, from the tables of the unprivileged specification (chapter "RV32/64G instruction set listings"). */
#include "hwmodels/iss/insn.h"

static int32_t signed_bits(uint32_t w, int hi, int lo) { return (int32_t)(w << (31 - hi)) >> (31 - hi + lo); }

static int32_t branch_offset(uint32_t w)
{
    return signed_bits(w, 31, 31) * 4096 + (int32_t)((w >> 7 & 1) << 11 | (w >> 25 & 63) << 5 | (w >> 8 & 15) << 1);
}

static int32_t jump_offset(uint32_t w)
{
    return signed_bits(w, 31, 31) * (1 << 20) + (int32_t)((w >> 12 & 255) << 12 | (w >> 20 & 1) << 11 | (w >> 21 & 1023) << 1);
}

static uint8_t op_immediate(uint32_t funct3, uint32_t funct7)
{
    static const uint8_t op[8] = {ISS_ADDI, ISS_SLLI, ISS_SLTI, ISS_SLTIU, ISS_XORI, ISS_SRLI, ISS_ORI, ISS_ANDI};
    if (funct3 == 5 && funct7 == 0x20) return ISS_SRAI;
    return (funct3 == 1 || funct3 == 5) && funct7 != 0 ? ISS_ILLEGAL : op[funct3];
}

static uint8_t op_register(uint32_t funct3, uint32_t funct7)
{
    static const uint8_t base[8] = {ISS_ADD, ISS_SLL, ISS_SLT, ISS_SLTU, ISS_XOR, ISS_SRL, ISS_OR, ISS_AND};
    static const uint8_t m[8] = {ISS_MUL, ISS_MULH, ISS_MULHSU, ISS_MULHU, ISS_DIV, ISS_DIVU, ISS_REM, ISS_REMU};
    if (funct7 == 0) return base[funct3];
    if (funct7 == 1) return m[funct3];
    if (funct7 == 0x20 && funct3 == 0) return ISS_SUB;
    return funct7 == 0x20 && funct3 == 5 ? ISS_SRA : ISS_ILLEGAL;
}

iss_insn iss_decode(uint32_t in_memory, uint32_t pc, bool xpulp)
{
    static const uint8_t loads[8] = {ISS_LB, ISS_LH, ISS_LW, ISS_ILLEGAL, ISS_LBU, ISS_LHU}, stores[8] = {ISS_SB, ISS_SH, ISS_SW};
    static const uint8_t branches[8] = {ISS_BEQ, ISS_BNE, ISS_ILLEGAL, ISS_ILLEGAL, ISS_BLT, ISS_BGE, ISS_BLTU, ISS_BGEU};
    const bool wide = (in_memory & 3) == 3;
    const uint32_t w = wide ? in_memory : iss_expand((uint16_t)in_memory);
    const uint32_t funct3 = w >> 12 & 7, funct7 = w >> 25, rd = w >> 7 & 31;
    iss_insn i = {.op = ISS_ILLEGAL, .rd = rd ? (uint8_t)rd : ISS_NOWHERE, .rs1 = w >> 15 & 31, .rs2 = w >> 20 & 31, .rs3 = (uint8_t)rd, .halves = wide ? 2 : 1};
    switch (w & 127) {
    case 0x37: i.op = ISS_LI, i.imm = (int32_t)(w & 0xfffff000); break;
    case 0x17: i.op = ISS_LI, i.imm = (int32_t)(pc + (w & 0xfffff000)); break;
    case 0x6f: i.op = ISS_JAL, i.imm = jump_offset(w); break;
    case 0x67: i.op = funct3 == 0 ? ISS_JALR : ISS_ILLEGAL, i.reads = 1, i.imm = signed_bits(w, 31, 20); break;
    case 0x63: i.op = branches[funct3], i.reads = 3, i.imm = branch_offset(w), i.rd = ISS_NOWHERE; break;
    case 0x03: i.op = loads[funct3], i.reads = 1, i.imm = signed_bits(w, 31, 20); break;
    case 0x23: i.op = stores[funct3], i.reads = 3, i.imm = signed_bits(w, 31, 25) * 32 + (int32_t)(w >> 7 & 31), i.rd = ISS_NOWHERE; break;
    case 0x13:
        i.op = op_immediate(funct3, funct7), i.reads = 1;
        i.imm = funct3 == 1 || funct3 == 5 ? i.rs2 : signed_bits(w, 31, 20);
        break;
    case 0x33: i.op = op_register(funct3, funct7), i.reads = 3; break;
    case 0x0f: i.op = funct3 == 0 && !xpulp ? ISS_FENCE : ISS_ILLEGAL; break; /* fence.i, and on CV32E40P fence too, throws away what is fetched: no timing for that */
    case 0x73:
        if (w == 0x00000073) i.op = ISS_ECALL;
        else if (w == 0x00100073) i.op = ISS_EBREAK;
        else if (funct3 & 3) i.op = ISS_CSR, i.imm = (int32_t)(w >> 20), i.rs2 = (uint8_t)funct3, i.reads = funct3 < 4;
        break;
    case 0x0b: case 0x2b: case 0x5b: case 0x7b: return xpulp ? iss_decode_xpulp(i, w) : i;
    default: break;
    }
    return i;
}
