/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/xpulp.c - the CORE-V (Xpulp) instructions of CV32E40P: decoding, and the value of those that only compute. From the user manual's
 * chapter "CORE-V Instruction Set Custom Extensions". Left out: complex numbers, cv.bitrev, cv.elw. */
#include "hwmodels/iss/insn.h"

/* funct7 of the register group, opcode 0x2b, funct3 = 3. */
enum {
    EXTRACTR = 0x18, EXTRACTUR, INSERTR, BCLRR = 0x1c, BSETR, ROR = 0x20, FF1, FL1, CLB, CNT, ABS = 0x28, SLE, SLEU, MIN, MINU, MAX, MAXU, EXTHS = 0x30, EXTHZ,
    EXTBS, EXTBZ, CLIP = 0x38, CLIPU, CLIPR, CLIPUR, ADDNR = 0x40, SUBURNR = 0x47, MAC, MSU
};
/* funct5 of the vector group, opcode 0x7b. */
enum {
    V_ADD, V_SUB, V_AVG, V_AVGU, V_MIN, V_MINU, V_MAX, V_MAXU, V_SRL, V_SRA, V_SLL, V_OR, V_XOR, V_AND, V_ABS, V_DOTUP = 16, V_DOTUSP, V_DOTSP, V_SDOTUP, V_SDOTUSP,
    V_SDOTSP, V_EXTRACT = 23, V_SHUFFLE, V_SHUFFLE_I3 = 27, V_SHUFFLE2, V_PACK = 30, V_PACK_BYTES
};
enum { RS1 = 1, RS2 = 2, RS3 = 4 };

static iss_insn memory_register(iss_insn i, uint32_t funct7)
{
    /* funct7: store, indexed, bits of the type: 0..2 size, 8: unsigned. */
    static const uint8_t loads[4] = {0, 1, 2, 0}, unsigned_loads[4] = {3, 4, 0, 0};
    const uint32_t size = funct7 & 3, indexed = funct7 >> 2 & 1;
    if (funct7 & 0x10) { /* store: the offset is in rd's field */
        if (funct7 & 0x68 || size == 3) return i;
        i.op = (uint8_t)((indexed ? ISS_SB_INDEX : ISS_SB_POST_R) + size), i.reads = RS1 | RS2 | RS3, i.rd = ISS_NOWHERE;
        return i;
    }
    const bool without_sign = funct7 >> 3 & 1;
    if (funct7 & 0x60 || size == 3 || (without_sign && size == 2)) return i;
    i.op = (uint8_t)((indexed ? ISS_LB_INDEX : ISS_LB_POST_R) + (without_sign ? unsigned_loads[size] : loads[size])), i.reads = RS1 | RS2;
    return i;
}

static iss_insn decode_register(iss_insn i, uint32_t funct7)
{
    if (funct7 < EXTRACTR) return memory_register(i, funct7);
    if (funct7 == 0x1b || (funct7 > BSETR && funct7 < ROR) || (funct7 > CNT && funct7 < ABS) || (funct7 > MAXU && funct7 < EXTHS) || (funct7 > EXTBZ && funct7 < CLIP) ||
        (funct7 > CLIPUR && funct7 < ADDNR) || funct7 > MSU)
        return i;
    i.op = funct7 == MAC ? ISS_MAC : funct7 == MSU ? ISS_MSU : ISS_X_ALU;
    i.fn = (uint8_t)funct7;
    const bool one = (funct7 >= FF1 && funct7 <= CNT) || funct7 == ABS || (funct7 >= EXTHS && funct7 <= CLIPU);
    i.reads = (uint8_t)(one ? RS1 : RS1 | RS2 | (funct7 >= ADDNR || funct7 == INSERTR ? RS3 : 0));
    if (one && funct7 < CLIP && i.rs2 != 0) i.op = ISS_ILLEGAL;
    return i;
}

/* Is there such a vector operation? mode: funct3. */
static bool vector_exists(uint32_t funct5, bool compare, bool bit25, uint32_t mode)
{
    const bool immediate = mode == 6 || mode == 7;
    if (mode == 2 || mode == 3) return funct5 == V_EXTRACT && !compare;
    if (compare) return funct5 < 10 && (immediate || !bit25);
    if (funct5 == V_EXTRACT) return !immediate;
    if (bit25 && !immediate && funct5 < V_PACK) return false;
    if (funct5 < V_ABS || (funct5 >= V_DOTUP && funct5 <= V_SDOTSP)) return true;
    switch (funct5) {
    case V_ABS: case V_SHUFFLE2: return mode < 2;
    case V_SHUFFLE: return mode < 2 || immediate;
    case 25: case 26: case V_SHUFFLE_I3: return mode == 7;
    case V_PACK: return mode == 0;
    case V_PACK_BYTES: return mode == 1;
    default: return false;
    }
}

static iss_insn decode_vector(iss_insn i, uint32_t w)
{
    const uint32_t funct5 = w >> 27, mode = w >> 12 & 7, imm6 = (w >> 25 & 1) | (w >> 20 & 31) << 1;
    const bool compare = w >> 26 & 1, bit25 = w >> 25 & 1;
    if (!vector_exists(funct5, compare, bit25, mode)) return i;
    i.op = ISS_X_VECTOR, i.fn = (uint8_t)(funct5 | (uint32_t)compare << 5), i.mode = (uint8_t)(mode | (uint32_t)bit25 << 3), i.imm = (int32_t)imm6;
    const bool insert = !compare && funct5 == V_EXTRACT && mode >= 4;
    const bool sums = !compare && funct5 >= V_SDOTUP && funct5 <= V_SDOTSP, keeps = !compare && (funct5 == V_SHUFFLE2 || funct5 == V_PACK_BYTES);
    /* The core waits for rs2's field as a register in every mode but the immediate ones, and in shuffles there too. */
    const bool second = mode < 6 || (!compare && funct5 >= V_SHUFFLE && funct5 <= V_SHUFFLE_I3);
    i.reads = (uint8_t)(RS1 | (second ? RS2 : 0) | (insert || sums || keeps ? RS3 : 0));
    return i;
}

iss_insn iss_decode_xpulp(iss_insn i, uint32_t w)
{
    static const uint8_t loads[8] = {ISS_LB_POST, ISS_LH_POST, ISS_LW_POST, ISS_ILLEGAL, ISS_LBU_POST, ISS_LHU_POST, ISS_BEQI, ISS_BNEI};
    const uint32_t funct3 = w >> 12 & 7, f2 = w >> 30;
    i.base = i.rs1 ? i.rs1 : ISS_NOWHERE;
    i.mode = w >> 25 & 31; /* Is3; Is2 is rs2's field */
    switch (w & 127) {
    case 0x0b:
        i.op = loads[funct3], i.reads = RS1, i.imm = (int32_t)w >> 20;
        if (funct3 >= 6) { /* the branch's second operand is rs2's field as a signed number */
            i.imm = (int32_t)((w >> 7 & 1) << 11 | (w >> 25 & 63) << 5 | (w >> 8 & 15) << 1) - (int32_t)(w >> 31) * 4096;
            i.rd = ISS_NOWHERE;
        }
        return i;
    case 0x2b:
        if (funct3 < 3) i.op = (uint8_t)(ISS_SB_POST + funct3), i.reads = RS1 | RS2, i.imm = ((int32_t)w >> 25) * 32 + i.rs3, i.rd = ISS_NOWHERE;
        else if (funct3 == 3) return decode_register(i, w >> 25);
        else if (funct3 == 4 && i.rs3 < 16) { /* hardware loop: fn says which, mode which of the two */
            i.op = ISS_HWLOOP, i.fn = i.rs3 >> 1, i.mode = i.rs3 & 1, i.imm = (int32_t)(w >> 20), i.rd = ISS_NOWHERE;
            i.reads = i.fn & 1 ? RS1 : 0;
        }
        return i;
    case 0x5b:
        if (funct3 == 0 && f2 < 3) i.op = ISS_X_FIELD, i.fn = (uint8_t)f2, i.reads = f2 == 2 ? RS1 | RS3 : RS1;
        else if (funct3 == 1 && f2 < 2) i.op = ISS_X_FIELD, i.fn = (uint8_t)(4 + f2), i.reads = RS1;
        else if (funct3 > 1) i.op = funct3 < 4 ? ISS_X_ADDN : ISS_X_MULN, i.fn = (uint8_t)(f2 | funct3 << 2), i.reads = funct3 < 6 ? RS1 | RS2 : RS1 | RS2 | RS3;
        return i;
    case 0x7b: return decode_vector(i, w);
    default: return i;
    }
}

static uint32_t shift_right(uint32_t x, uint32_t n, bool arithmetic) { return arithmetic ? (uint32_t)((int32_t)x >> n) : x >> n; }
static uint32_t half_of_unit(uint32_t n) { return n ? 1u << (n - 1) : 0; }
static uint32_t clamp(uint32_t x, int32_t low, int32_t high) { return (int32_t)x < low ? (uint32_t)low : (int32_t)x > high ? (uint32_t)high : x; }

/* fn bits: 0 unsigned, 1 rounding, 2 subtraction (of addN and addNr alike). */
static uint32_t add_shift(uint32_t a, uint32_t b, uint32_t fn, uint32_t n)
{
    return shift_right((fn & 4 ? a - b : a + b) + (fn & 2 ? half_of_unit(n) : 0), n, !(fn & 1));
}

/* fn: 0 extract, 1 extractu, 2 insert, 4 bclr, 5 bset; bits [min(low + more, 31):low]. */
static uint32_t field(uint32_t fn, uint32_t a, uint32_t d, uint32_t more, uint32_t low)
{
    const uint32_t high = low + more < 31 ? low + more : 31, ones = high - low == 31 ? UINT32_MAX : (1u << (high - low + 1)) - 1;
    switch (fn) {
    case 0: return shift_right(a << (31 - high), 31 - high + low, true);
    case 1: return a >> low & ones;
    case 2: return (d & ~(ones << low)) | (a & ones) << low;
    case 4: return a & ~(ones << low);
    default: return a | ones << low;
    }
}

static uint32_t alu(const iss_insn *i, uint32_t a, uint32_t b, uint32_t d)
{
    static const uint8_t fields[6] = {0, 1, 2, 0, 4, 5};
    const int32_t x = (int32_t)a, y = (int32_t)b;
    switch (i->fn) {
    case EXTRACTR: case EXTRACTUR: case INSERTR: case BCLRR: case BSETR: return field(fields[i->fn - EXTRACTR], a, d, b >> 5 & 31, b & 31);
    case ROR: return b & 31 ? a >> (b & 31) | a << (32 - (b & 31)) : a;
    case FF1: return a ? (uint32_t)__builtin_ctz(a) : 32;
    case FL1: return a ? 31 - (uint32_t)__builtin_clz(a) : 32;
    case CLB: return a == 0 ? 0 : a == UINT32_MAX ? 31 : (uint32_t)__builtin_clz(x < 0 ? ~a : a) - 1;
    case CNT: return (uint32_t)__builtin_popcount(a);
    case ABS: return x < 0 ? 0 - a : a;
    case SLE: return x <= y;
    case SLEU: return a <= b;
    case MIN: return x < y ? a : b;
    case MINU: return a < b ? a : b;
    case MAX: return x < y ? b : a;
    case MAXU: return a < b ? b : a;
    case EXTHS: return (uint32_t)(int16_t)a;
    case EXTHZ: return (uint16_t)a;
    case EXTBS: return (uint32_t)(int8_t)a;
    case EXTBZ: return (uint8_t)a;
    case CLIP: return clamp(a, i->rs2 ? -(int32_t)(1u << (i->rs2 - 1)) : -1, i->rs2 ? (int32_t)((1u << (i->rs2 - 1)) - 1) : 0);
    case CLIPU: return clamp(a, 0, i->rs2 ? (int32_t)((1u << (i->rs2 - 1)) - 1) : 0);
    case CLIPR: return clamp(a, -(int32_t)(b & INT32_MAX) - 1, (int32_t)(b & INT32_MAX));
    case CLIPUR: return clamp(a, 0, (int32_t)(b & INT32_MAX));
    default: return add_shift(d, a, i->fn & 7, b & 31); /* addNr and its seven relatives */
    }
}

/* f2 bit 0: high halves, bit 1: rounding; funct3 bit 0: unsigned, bit 1: accumulates. */
static uint32_t multiply_shift(const iss_insn *i, uint32_t a, uint32_t b, uint32_t d)
{
    const bool without_sign = i->fn >> 2 & 1;
    if (i->fn & 1) a >>= 16, b >>= 16;
    const uint32_t product = without_sign ? (a & 0xffff) * (b & 0xffff) : (uint32_t)((int32_t)(int16_t)a * (int16_t)b);
    return shift_right(product + (i->fn >> 3 & 1 ? d : 0) + (i->fn & 2 ? half_of_unit(i->mode) : 0), i->mode, !without_sign);
}

static uint32_t lane_value(uint32_t op, bool compare, int32_t x, int32_t y, int bits)
{
    const uint32_t mask = (1u << bits) - 1, a = (uint32_t)x & mask, b = (uint32_t)y & mask, n = b & (uint32_t)(bits - 1);
    if (compare) {
        switch (op) {
        case 0: return a == b ? mask : 0;
        case 1: return a != b ? mask : 0;
        case 2: return x > y ? mask : 0;
        case 3: return x >= y ? mask : 0;
        case 4: return x < y ? mask : 0;
        case 5: return x <= y ? mask : 0;
        case 6: return a > b ? mask : 0;
        case 7: return a >= b ? mask : 0;
        case 8: return a < b ? mask : 0;
        default: return a <= b ? mask : 0;
        }
    }
    switch (op) {
    case V_ADD: return a + b;
    case V_SUB: return a - b;
    case V_AVG: { /* the sum's top bit is its sign */
        const uint32_t sum = (a + b) & mask;
        return sum >> 1 | (sum & ~(mask >> 1));
    }
    case V_AVGU: return ((a + b) & mask) >> 1;
    case V_MIN: return x < y ? a : b;
    case V_MINU: return a < b ? a : b;
    case V_MAX: return x > y ? a : b;
    case V_MAXU: return a > b ? a : b;
    case V_SRL: return a >> n;
    case V_SRA: return (uint32_t)(x >> n);
    case V_SLL: return a << n;
    case V_OR: return a | b;
    case V_XOR: return a ^ b;
    case V_AND: return a & b;
    default: return x < 0 ? 0 - a : a; /* abs */
    }
}

static uint32_t lane(uint32_t v, uint32_t k, int bits) { return v >> (k * (uint32_t)bits) & ((1u << bits) - 1); }
static int32_t extended(uint32_t v, int bits) { return (int32_t)(v << (32 - bits)) >> (32 - bits); }
static uint32_t set_lane(uint32_t v, uint32_t k, int bits, uint32_t value)
{
    const uint32_t mask = ((1u << bits) - 1) << (k * (uint32_t)bits);
    return (v & ~mask) | (value << (k * (uint32_t)bits) & mask);
}

/* The vectors' second operand as a whole: a register, its lowest lane everywhere, or the immediate everywhere. */
static uint32_t second_operand(const iss_insn *i, uint32_t b, int bits)
{
    static const uint64_t zero_extended = 1u << V_AVGU | 1u << V_MINU | 1u << V_MAXU | 1u << V_SRL | 1u << V_SRA | 1u << V_SLL | 1u << V_DOTUP | 1u << V_SDOTUP |
                                          1ull << (32 + 6) | 1ull << (32 + 7) | 1ull << (32 + 8) | 1ull << (32 + 9); /* the unsigned comparisons */
    const uint32_t mode = i->mode & 7, mask = (1u << bits) - 1, ones = bits == 16 ? 0x00010001 : 0x01010101;
    if (mode < 2) return b;
    if (mode < 6) return (b & mask) * ones;
    return ((uint32_t)(zero_extended >> i->fn & 1 ? i->imm : extended((uint32_t)i->imm, 6)) & mask) * ones;
}

static uint32_t dot(uint32_t op, uint32_t a, uint32_t b, uint32_t d, int bits)
{
    const bool signed_a = op == V_DOTSP || op == V_SDOTSP, signed_b = op != V_DOTUP && op != V_SDOTUP;
    uint32_t sum = op >= V_SDOTUP ? d : 0;
    for (uint32_t k = 0; k < 32 / (uint32_t)bits; k++) {
        const uint32_t x = lane(a, k, bits), y = lane(b, k, bits);
        sum += (signed_a ? (uint32_t)extended(x, bits) : x) * (signed_b ? (uint32_t)extended(y, bits) : y);
    }
    return sum;
}

static uint32_t shuffle(const iss_insn *i, uint32_t a, uint32_t b, int bits)
{
    uint32_t v = 0;
    for (uint32_t k = 0; k < 32 / (uint32_t)bits; k++) {
        const uint32_t n = 32 / (uint32_t)bits, width = bits == 16 ? 1 : 2;
        const uint32_t from_immediate = k == 3 ? (uint32_t)i->fn - V_SHUFFLE : (uint32_t)i->imm >> (width * k) & (n - 1);
        v = set_lane(v, k, bits, lane(a, (i->mode & 7) < 2 ? lane(b, k, bits) & (n - 1) : from_immediate, bits));
    }
    return v;
}

static uint32_t shuffle2(uint32_t a, uint32_t b, uint32_t d, int bits)
{
    const uint32_t n = 32 / (uint32_t)bits;
    uint32_t v = 0;
    for (uint32_t k = 0; k < n; k++) {
        const uint32_t from = lane(b, k, bits);
        v = set_lane(v, k, bits, lane(from & n ? a : d, from & (n - 1), bits));
    }
    return v;
}

static uint32_t vector(const iss_insn *i, uint32_t a, uint32_t b, uint32_t d)
{
    const int bits = i->mode & 1 ? 8 : 16;
    const uint32_t op = i->fn & 31, k = (uint32_t)i->imm & (bits == 8 ? 3 : 1);
    const bool compare = i->fn >> 5, bit25 = i->mode >> 3;
    if (!compare) {
        if (op >= V_DOTUP && op <= V_SDOTSP) return dot(op, a, second_operand(i, b, bits), d, bits);
        switch (op) {
        case V_EXTRACT:
            if ((i->mode & 7) >= 4) return set_lane(d, k, bits, a);
            return i->mode & 2 ? lane(a, k, bits) : (uint32_t)extended(lane(a, k, bits), bits);
        case V_SHUFFLE: case 25: case 26: case V_SHUFFLE_I3: return shuffle(i, a, b, bits);
        case V_SHUFFLE2: return shuffle2(a, b, d, bits);
        case V_PACK: return bit25 ? (a & 0xffff0000) | b >> 16 : a << 16 | (b & 0xffff);
        case V_PACK_BYTES: return bit25 ? (d & 0xffff) | a << 24 | (b & 255) << 16 : (d & 0xffff0000) | (a & 255) << 8 | (b & 255);
        default: break;
        }
    }
    const uint32_t second = second_operand(i, b, bits);
    uint32_t v = 0;
    for (uint32_t n = 0; n < 32 / (uint32_t)bits; n++)
        v = set_lane(v, n, bits, lane_value(op, compare, extended(lane(a, n, bits), bits), extended(lane(second, n, bits), bits), bits));
    return v;
}

uint32_t iss_xpulp_value(const iss_insn *i, uint32_t a, uint32_t b, uint32_t d)
{
    switch (i->op) {
    case ISS_X_ALU: return alu(i, a, b, d);
    case ISS_X_FIELD: return field(i->fn, a, d, i->mode, i->rs2);
    case ISS_X_ADDN: return add_shift(a, b, (i->fn & 3) | (i->fn >> 2 == 3 ? 4 : 0), i->mode);
    case ISS_X_MULN: return multiply_shift(i, a, b, d);
    default: return vector(i, a, b, d);
    }
}
