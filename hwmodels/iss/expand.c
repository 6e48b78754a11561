/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/expand.c - compressed instructions (RV32C without floating point) as the 32-bit instructions they stand for. */
#include "hwmodels/iss/insn.h"

/* Bits [hi:lo] of c, moved to bit `to`. */
static uint32_t bits(uint32_t c, int hi, int lo, int to) { return ((c >> lo) & ((1u << (hi - lo + 1)) - 1)) << to; }

static uint32_t sign_extend(uint32_t x, int width) { return (x ^ 1u << (width - 1)) - (1u << (width - 1)); }

static uint32_t r_type(uint32_t funct7, uint32_t rs2, uint32_t rs1, uint32_t funct3, uint32_t rd)
{
    return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33;
}

static uint32_t i_type(uint32_t imm, uint32_t rs1, uint32_t funct3, uint32_t rd, uint32_t opcode)
{
    return imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}

static uint32_t sw(uint32_t imm, uint32_t rs2, uint32_t rs1)
{
    return bits(imm, 11, 5, 25) | rs2 << 20 | rs1 << 15 | 2u << 12 | bits(imm, 4, 0, 7) | 0x23;
}

static uint32_t jal(uint32_t c, uint32_t rd)
{
    uint32_t imm = sign_extend(bits(c, 12, 12, 11) | bits(c, 11, 11, 4) | bits(c, 10, 9, 8) | bits(c, 8, 8, 10) | bits(c, 7, 7, 6) | bits(c, 6, 6, 7) |
                               bits(c, 5, 3, 1) | bits(c, 2, 2, 5), 12);
    return bits(imm, 20, 20, 31) | bits(imm, 10, 1, 21) | bits(imm, 11, 11, 20) | bits(imm, 19, 12, 12) | rd << 7 | 0x6f;
}

static uint32_t branch(uint32_t c, uint32_t rs1, uint32_t funct3)
{
    uint32_t imm = sign_extend(bits(c, 12, 12, 8) | bits(c, 11, 10, 3) | bits(c, 6, 5, 6) | bits(c, 4, 3, 1) | bits(c, 2, 2, 5), 9);
    return bits(imm, 12, 12, 31) | bits(imm, 10, 5, 25) | rs1 << 15 | funct3 << 12 | bits(imm, 4, 1, 8) | bits(imm, 11, 11, 7) | 0x63;
}

static uint32_t arithmetic(uint32_t c, uint32_t imm6, uint32_t rd, uint32_t rs2)
{
    static const uint8_t funct3[4] = {0, 4, 6, 7}; /* sub xor or and */
    bool high = c >> 12 & 1;
    switch (c >> 10 & 3) {
    case 0: return high ? 0 : i_type(imm6 & 31, rd, 5, rd, 0x13);
    case 1: return high ? 0 : i_type((imm6 & 31) | 0x400, rd, 5, rd, 0x13);
    case 2: return i_type(imm6, rd, 7, rd, 0x13);
    default: return high ? 0 : r_type((c >> 5 & 3) == 0 ? 0x20 : 0, rs2, rd, funct3[c >> 5 & 3], rd);
    }
}

uint32_t iss_expand(uint16_t half)
{
    const uint32_t c = half;
    const uint32_t rd = c >> 7 & 31, rs2 = c >> 2 & 31, near1 = 8 + (c >> 7 & 7), near2 = 8 + (c >> 2 & 7); /* near: the 3-bit fields, x8..x15 */
    const uint32_t imm6 = sign_extend(bits(c, 12, 12, 5) | bits(c, 6, 2, 0), 6), word_offset = bits(c, 12, 10, 3) | bits(c, 6, 6, 2) | bits(c, 5, 5, 6);
    switch ((c & 3) << 3 | c >> 13) {
    case 000: {
        uint32_t imm = bits(c, 12, 11, 4) | bits(c, 10, 7, 6) | bits(c, 6, 6, 2) | bits(c, 5, 5, 3);
        return imm ? i_type(imm, 2, 0, near2, 0x13) : 0; /* addi4spn */
    }
    case 002: return i_type(word_offset, near1, 2, near2, 0x03);
    case 006: return sw(word_offset, near2, near1);
    case 010: return i_type(imm6, rd, 0, rd, 0x13);
    case 011: return jal(c, 1);
    case 012: return i_type(imm6, 0, 0, rd, 0x13);
    case 013: {
        uint32_t imm = sign_extend(bits(c, 12, 12, 9) | bits(c, 6, 6, 4) | bits(c, 5, 5, 6) | bits(c, 4, 3, 7) | bits(c, 2, 2, 5), 10);
        if (imm6 == 0) return 0;
        return rd == 2 ? i_type(imm, 2, 0, 2, 0x13) : imm6 << 12 | rd << 7 | 0x37; /* addi16sp, lui */
    }
    case 014: return arithmetic(c, imm6, near1, near2);
    case 015: return jal(c, 0);
    case 016: return branch(c, near1, 0);
    case 017: return branch(c, near1, 1);
    case 020: return c >> 12 & 1 ? 0 : i_type(imm6 & 31, rd, 1, rd, 0x13);
    case 022: return rd ? i_type(bits(c, 12, 12, 5) | bits(c, 6, 4, 2) | bits(c, 3, 2, 6), 2, 2, rd, 0x03) : 0;
    case 024:
        if (c >> 12 & 1) {
            if (rs2) return r_type(0, rs2, rd, 0, rd);
            return rd ? i_type(0, rd, 0, 1, 0x67) : 0x00100073; /* jalr, ebreak */
        }
        if (rs2) return r_type(0, rs2, 0, 0, rd);
        return rd ? i_type(0, rd, 0, 0, 0x67) : 0;
    case 026: return sw(bits(c, 12, 9, 2) | bits(c, 8, 7, 6), rs2, 2);
    default: return 0;
    }
}
