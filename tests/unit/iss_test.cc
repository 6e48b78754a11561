// SPDX-License-Identifier: Apache-2.0
// Does the instruction-set simulator decode, compute, count and stop as the manuals say? Nothing here needs an assembler or RTL: programs are
// put together from the formats of the specification, written down a second time below. (Cycles against RTL: tests/rtl.)
#include "tests/shim.hh"

extern "C" {
#include "hwmodels/iss/insn.h"
}

#include <algorithm>
#include <cstring>
#include <functional>

namespace {

uint32_t r_type(uint32_t opcode, uint32_t f3, uint32_t f7, uint32_t rd, uint32_t rs1, uint32_t rs2) { return opcode + (rd << 7) + (f3 << 12) + (rs1 << 15) + (rs2 << 20) + (f7 << 25); }
uint32_t i_type(uint32_t opcode, uint32_t f3, uint32_t rd, uint32_t rs1, int imm) { return opcode + (rd << 7) + (f3 << 12) + (rs1 << 15) + (uint32_t(imm) << 20); }
uint32_t s_type(uint32_t opcode, uint32_t f3, uint32_t rs1, uint32_t rs2, int imm)
{
    return opcode + ((imm & 31) << 7) + (f3 << 12) + (rs1 << 15) + (rs2 << 20) + (uint32_t(imm >> 5) << 25);
}
uint32_t bit(int x, int from, int to) { return uint32_t(x >> from & 1) << to; }
uint32_t b_type(uint32_t f3, uint32_t rs1, uint32_t rs2, int imm)
{
    uint32_t w = 0x63 + (f3 << 12) + (rs1 << 15) + (rs2 << 20) + bit(imm, 12, 31) + bit(imm, 11, 7);
    for (int k = 1; k <= 4; k++) w += bit(imm, k, 7 + k);
    for (int k = 5; k <= 10; k++) w += bit(imm, k, 20 + k);
    return w;
}
uint32_t jal(uint32_t rd, int imm)
{
    uint32_t w = 0x6f + (rd << 7) + bit(imm, 20, 31) + bit(imm, 11, 20);
    for (int k = 1; k <= 10; k++) w += bit(imm, k, 20 + k);
    for (int k = 12; k <= 19; k++) w += bit(imm, k, k);
    return w;
}
uint32_t addi(uint32_t rd, uint32_t rs1, int imm) { return i_type(0x13, 0, rd, rs1, imm); }
uint32_t lw(uint32_t rd, uint32_t rs1, int imm) { return i_type(0x03, 2, rd, rs1, imm); }
uint32_t sw(uint32_t rs2, uint32_t rs1, int imm) { return s_type(0x23, 2, rs1, rs2, imm); }
constexpr uint32_t EBREAK = 0x00100073, ECALL = 0x73;
constexpr uint16_t C_NOP = 1;

// A program under construction: halfwords of code from address 0x80 on.
struct Program {
    std::vector<uint16_t> code;
    void half(uint16_t h) { code.push_back(h); }
    void word(uint32_t w) { half(uint16_t(w)), half(uint16_t(w >> 16)); }
    void words(std::vector<uint32_t> list) { for (uint32_t w : list) word(w); }
    void load(uint32_t rd, uint32_t value) // two instructions, always
    {
        const uint32_t high = (value + 0x800) & 0xfffff000;
        word(0x37 + (rd << 7) + high), word(addi(rd, rd, int(value - high)));
    }
    void exit(int code_) { load(30, uint32_t(code_)), load(31, 0x10000004), word(sw(30, 31, 0)); }
    uint32_t here() const { return 0x80 + 2 * uint32_t(code.size()); }

    std::vector<uint8_t> elf() const // with one function symbol, "start", at 0x80
    {
        std::vector<uint8_t> f;
        auto put = [&](uint32_t x, int n) { while (n--) f.push_back(uint8_t(x)), x >>= 8; };
        const uint32_t code_at = 84, bytes = 2 * uint32_t(code.size()), symbols = code_at + bytes, names = symbols + 32, sections = names + 8;
        for (char c : std::string("\177ELF\1\1\1")) f.push_back(uint8_t(c));
        put(0, 9), put(2, 2), put(243, 2), put(1, 4), put(0x80, 4), put(52, 4), put(sections, 4), put(0, 4), put(52, 2), put(32, 2), put(1, 2), put(40, 2), put(3, 2), put(0, 2);
        put(1, 4), put(code_at, 4), put(0x80, 4), put(0x80, 4), put(bytes, 4), put(bytes, 4), put(5, 4), put(4, 4);
        for (uint16_t h : code) put(h, 2);
        put(0, 16);                                          // the null symbol
        put(1, 4), put(0x80, 4), put(bytes, 4), put(2, 1), put(0, 1), put(1, 2);
        for (char c : std::string("\0start\0\0", 8)) f.push_back(uint8_t(c));
        put(0, 40);                                          // the null section
        put(0, 4), put(2, 4), put(0, 8), put(symbols, 4), put(32, 4), put(2, 4), put(0, 4), put(0, 4), put(16, 4);
        put(0, 4), put(3, 4), put(0, 8), put(names, 4), put(8, 4), put(0, 16);
        return f;
    }
};

struct Step { uint64_t cycles; uint32_t pc; };
struct Outcome {
    status s = ST_OK;
    err e = {};
    iss_result result = {};
    std::vector<uint8_t> ram;
    std::string console;
    std::vector<Step> steps;
    uint32_t at(uint32_t address) const
    {
        uint32_t x;
        std::memcpy(&x, &ram[address], 4);
        return x;
    }
};

Outcome run(const std::vector<uint8_t> &elf, const char *core = "ibex-small", uint64_t limit = 0, bool steps = false, uint32_t ram_bytes = 1 << 20, int fetch_wait = 0,
            int data_wait = 0)
{
    Outcome r;
    shim::Arena a;
    iss_config cfg = {};
    cfg.ram_bytes = ram_bytes, cfg.max_instructions = limit, cfg.user = &r, cfg.fetch_wait = fetch_wait, cfg.data_wait = data_wait;
    cfg.console = [](void *u, char c) { static_cast<Outcome *>(u)->console += c; };
    if (steps) cfg.step = [](void *u, uint64_t cycles, uint32_t pc) { static_cast<Outcome *>(u)->steps.push_back({cycles, pc}); };
    iss *s = nullptr;
    r.s = iss_core_load(core, a, &cfg.core, &r.e);
    if (r.s == ST_OK) r.s = iss_load(&cfg, elf.data(), elf.size(), a, &s, &r.e);
    if (r.s != ST_OK) return r;
    r.s = iss_run(s, &r.result, &r.e);
    size_t n = 0;
    const uint8_t *ram = iss_ram(s, &n);
    r.ram.assign(ram, ram + n);
    return r;
}

// Compressed instructions: the table of the specification ("RVC instruction set listings"). Letters of a pattern: i immediate bits, whose weights
// are listed; d a register; p, q registers 8..15; s a register.
struct Form {
    const char *pattern;
    std::vector<int> weights;
    bool is_signed;
    iss_op op;
    char rd, rs1, rs2;   // letter of the pattern, or '0', '1', '2' for x0..x2
    char not_zero = 0;   // this field must not be zero
    int not_two = 0;     // rd must not be x2
};
const std::vector<Form> forms = {
    {"000iiiiiiiippp00", {5, 4, 9, 8, 7, 6, 2, 3}, false, ISS_ADDI, 'p', '2', 0, 'i'},
    {"010iiiqqqiippp00", {5, 4, 3, 2, 6}, false, ISS_LW, 'p', 'q', 0},
    {"110iiiqqqiippp00", {5, 4, 3, 2, 6}, false, ISS_SW, 0, 'q', 'p'},
    {"000idddddiiiii01", {5, 4, 3, 2, 1, 0}, true, ISS_ADDI, 'd', 'd', 0},
    {"001iiiiiiiiiii01", {11, 4, 9, 8, 10, 6, 7, 3, 2, 1, 5}, true, ISS_JAL, '1', 0, 0},
    {"010idddddiiiii01", {5, 4, 3, 2, 1, 0}, true, ISS_ADDI, 'd', '0', 0},
    {"011i00010iiiii01", {9, 4, 6, 8, 7, 5}, true, ISS_ADDI, '2', '2', 0, 'i'},
    {"011idddddiiiii01", {17, 16, 15, 14, 13, 12}, true, ISS_LI, 'd', 0, 0, 'i', 2},
    {"100000qqqiiiii01", {4, 3, 2, 1, 0}, false, ISS_SRLI, 'q', 'q', 0},
    {"100001qqqiiiii01", {4, 3, 2, 1, 0}, false, ISS_SRAI, 'q', 'q', 0},
    {"100i10qqqiiiii01", {5, 4, 3, 2, 1, 0}, true, ISS_ANDI, 'q', 'q', 0},
    {"100011qqq00ppp01", {}, false, ISS_SUB, 'q', 'q', 'p'},
    {"100011qqq01ppp01", {}, false, ISS_XOR, 'q', 'q', 'p'},
    {"100011qqq10ppp01", {}, false, ISS_OR, 'q', 'q', 'p'},
    {"100011qqq11ppp01", {}, false, ISS_AND, 'q', 'q', 'p'},
    {"101iiiiiiiiiii01", {11, 4, 9, 8, 10, 6, 7, 3, 2, 1, 5}, true, ISS_JAL, '0', 0, 0},
    {"110iiiqqqiiiii01", {8, 4, 3, 7, 6, 2, 1, 5}, true, ISS_BEQ, 0, 'q', '0'},
    {"111iiiqqqiiiii01", {8, 4, 3, 7, 6, 2, 1, 5}, true, ISS_BNE, 0, 'q', '0'},
    {"0000dddddiiiii10", {4, 3, 2, 1, 0}, false, ISS_SLLI, 'd', 'd', 0},
    {"010idddddiiiii10", {5, 4, 3, 2, 7, 6}, false, ISS_LW, 'd', '2', 0, 'd'},
    {"1000ddddd0000010", {}, false, ISS_JALR, '0', 'd', 0, 'd'},
    {"1000dddddsssss10", {}, false, ISS_ADD, 'd', '0', 's', 's'},
    {"1001000000000010", {}, false, ISS_EBREAK, 0, 0, 0},
    {"1001ddddd0000010", {}, false, ISS_JALR, '1', 'd', 0, 'd'},
    {"1001dddddsssss10", {}, false, ISS_ADD, 'd', 'd', 's', 's'},
    {"110iiiiiisssss10", {5, 4, 3, 2, 7, 6}, false, ISS_SW, 0, '2', 's'},
};

struct Meaning { int op = ISS_ILLEGAL, rd = -1, rs1 = -1, rs2 = -1, imm = 0; };

bool match(const Form &f, uint16_t h, Meaning *m)
{
    int field[128] = {0}, imm = 0, top = 0;
    size_t k = 0;
    for (int i = 0; i < 16; i++) {
        const char c = f.pattern[i];
        const int b = h >> (15 - i) & 1;
        if (c == '0' || c == '1') {
            if (b != c - '0') return false;
        } else if (c == 'i') {
            imm += b << f.weights[k];
            top = std::max(top, f.weights[k++]);
        } else field[int(c)] = 2 * field[int(c)] + b;
    }
    field['p'] += 8, field['q'] += 8, field['i'] = imm, field['0'] = 0, field['1'] = 1, field['2'] = 2;
    if (f.not_zero && field[int(f.not_zero)] == 0) return false;
    if (f.not_two && field['d'] == 2) return false;
    if (f.is_signed && imm >> top & 1) imm -= 2 << top;
    auto reg = [&](char c) { return c ? field[int(c)] : -1; };
    *m = {f.op, reg(f.rd), reg(f.rs1), reg(f.rs2), imm};
    return true;
}

TEST(IssDecode, EveryCompressedInstruction)
{
    int legal = 0;
    for (uint32_t h = 0; h < 0x10000; h++) {
        if ((h & 3) == 3) continue;
        Meaning m;
        for (const Form &f : forms)
            if (match(f, uint16_t(h), &m)) break;
        const iss_insn i = iss_decode(h | 0xffff0000, 0, false);
        ASSERT_EQ(m.op, int(i.op)) << std::hex << h;
        ASSERT_EQ(1, i.halves) << std::hex << h;
        if (m.op == ISS_ILLEGAL) continue;
        legal++;
        if (m.rd >= 0) {
            ASSERT_EQ(m.rd ? m.rd : int(ISS_NOWHERE), int(i.rd)) << std::hex << h;
        }
        if (m.rs1 >= 0) {
            ASSERT_EQ(m.rs1, int(i.rs1)) << std::hex << h;
        }
        if (m.rs2 >= 0) {
            ASSERT_EQ(m.rs2, int(i.rs2)) << std::hex << h;
        }
        ASSERT_EQ(m.imm, i.imm) << std::hex << h;
    }
    EXPECT_GT(legal, 25000);
}

TEST(IssDecode, EveryImmediate)
{
    for (int imm = -2048; imm < 2048; imm++) {
        EXPECT_EQ(imm, iss_decode(addi(1, 2, imm), 0, false).imm);
        EXPECT_EQ(imm, iss_decode(lw(1, 2, imm), 0, false).imm);
        EXPECT_EQ(imm, iss_decode(sw(1, 2, imm), 0, false).imm);
        EXPECT_EQ(imm, iss_decode(i_type(0x67, 0, 1, 2, imm), 0, false).imm);
        EXPECT_EQ(2 * imm, iss_decode(b_type(0, 1, 2, 2 * imm), 0, false).imm);
    }
    for (int imm = -(1 << 20); imm < 1 << 20; imm += 2) ASSERT_EQ(imm, iss_decode(jal(1, imm), 0, false).imm);
    for (uint32_t k = 0; k < 32; k++) {
        const iss_insn i = iss_decode(r_type(0x33, 0, 0, k, 31 - k, k ^ 5), 0, false);
        EXPECT_EQ(k ? k : uint32_t(ISS_NOWHERE), i.rd);
        EXPECT_EQ(31 - k, i.rs1);
        EXPECT_EQ(k ^ 5, i.rs2);
    }
    EXPECT_EQ(0x12345000, iss_decode(0x12345037, 64, false).imm);
    EXPECT_EQ(0x12345040, iss_decode(0x12345017, 64, false).imm); // auipc
}

// opcode x funct3 x funct7: what RV32IM and Zicsr define, nothing else.
TEST(IssDecode, EveryOpcode)
{
    const char *const names[] = {"lui", "auipc", "jal", "jalr", "branch", "load", "store", "imm", "reg", "fence", "system"};
    const uint32_t opcodes[] = {0x37, 0x17, 0x6f, 0x67, 0x63, 0x03, 0x23, 0x13, 0x33, 0x0f, 0x73};
    for (uint32_t opcode = 3; opcode < 128; opcode += 4)
        for (uint32_t f3 = 0; f3 < 8; f3++)
            for (uint32_t f7 = 0; f7 < 128; f7++) {
                std::string name;
                for (size_t k = 0; k < 11; k++)
                    if (opcodes[k] == opcode) name = names[k];
                const bool shift = f3 == 1 || f3 == 5;
                const bool legal = name == "lui" || name == "auipc" || name == "jal" || (name == "jalr" && f3 == 0) || (name == "branch" && f3 != 2 && f3 != 3) ||
                                   (name == "load" && f3 != 3 && f3 < 6) || (name == "store" && f3 < 3) || (name == "imm" && (!shift || f7 == 0 || (f3 == 5 && f7 == 32))) ||
                                   (name == "reg" && (f7 < 2 || (f7 == 32 && (f3 == 0 || f3 == 5)))) || (name == "fence" && f3 == 0) || (name == "system" && f3 % 4 != 0);
                const bool decoded = iss_decode(r_type(opcode, f3, f7, 1, 2, 3), 0, false).op != ISS_ILLEGAL;
                EXPECT_EQ(legal, decoded) << name << " opcode " << opcode << " funct3 " << f3 << " funct7 " << f7;
            }
}

const uint32_t awkward[] = {0, 1, 2, 3, 31, 32, 0x7f, 0x80, 0x7fff, 0x8000, 0xffff, 0x12345678, 0x7fffffff, 0x80000000, 0x80000001, 0xffff8000, 0xffffff80, 0xfffffffe, 0xffffffff};

struct Operation { uint32_t f3, f7; std::function<int64_t(int64_t, int64_t)> on_signed; }; // of sign-extended operands; low 32 bits count
uint32_t u(int64_t x) { return uint32_t(x); }
const Operation operations[] = {
    {0, 0, [](int64_t x, int64_t y) { return x + y; }},
    {0, 32, [](int64_t x, int64_t y) { return x - y; }},
    {1, 0, [](int64_t x, int64_t y) { return int64_t(u(x)) * (int64_t(1) << (y & 31)); }},
    {2, 0, [](int64_t x, int64_t y) { return int64_t(x < y); }},
    {3, 0, [](int64_t x, int64_t y) { return int64_t(u(x) < u(y)); }},
    {4, 0, [](int64_t x, int64_t y) { return x ^ y; }},
    {5, 0, [](int64_t x, int64_t y) { return int64_t(u(x)) / (int64_t(1) << (y & 31)); }},
    {5, 32, [](int64_t x, int64_t y) { const int64_t d = int64_t(1) << (y & 31); return x >= 0 ? x / d : -((-x + d - 1) / d); }},
    {6, 0, [](int64_t x, int64_t y) { return x | y; }},
    {7, 0, [](int64_t x, int64_t y) { return x & y; }},
    {0, 1, [](int64_t x, int64_t y) { return x * y; }},
    {1, 1, [](int64_t x, int64_t y) { return int64_t(uint64_t(x * y) >> 32); }},
    {2, 1, [](int64_t x, int64_t y) { return int64_t(uint64_t((__int128(x) * u(y)) >> 32)); }},
    {3, 1, [](int64_t x, int64_t y) { return int64_t((uint64_t(u(x)) * u(y)) >> 32); }},
    {4, 1, [](int64_t x, int64_t y) { return y ? x / y : -1; }},
    {5, 1, [](int64_t x, int64_t y) { return y ? int64_t(u(x) / u(y)) : -1; }},
    {6, 1, [](int64_t x, int64_t y) { return y ? x % y : x; }},
    {7, 1, [](int64_t x, int64_t y) { return y ? int64_t(u(x) % u(y)) : x; }},
};

TEST(IssRun, ArithmeticOfAwkwardPairs)
{
    Program p;
    std::vector<uint32_t> expected;
    const uint32_t results = 0x80000;
    p.load(10, results);
    for (const Operation &o : operations)
        for (uint32_t x : awkward)
            for (uint32_t y : awkward) {
                p.load(1, x), p.load(2, y);
                p.words({r_type(0x33, o.f3, o.f7, 3, 1, 2), sw(3, 10, 0), addi(10, 10, 4)});
                expected.push_back(uint32_t(o.on_signed(int32_t(x), int32_t(y))));
            }
    p.exit(7);
    const Outcome r = run(p.elf());
    ASSERT_EQ(ST_OK, r.s) << shim::text(r.e);
    EXPECT_EQ(7, r.result.exit_code);
    std::vector<uint32_t> got(expected.size());
    std::memcpy(got.data(), &r.ram[results], 4 * got.size());
    EXPECT_EQ("", shim::first_difference(expected.data(), got.data(), got.size()));
}

TEST(IssRun, ImmediatesAndShifts)
{
    Program p;
    std::vector<uint32_t> expected;
    p.load(10, 0x80000);
    auto one = [&](uint32_t w, uint32_t x, int64_t value) {
        p.load(1, x);
        p.words({w, sw(3, 10, 0), addi(10, 10, 4)});
        expected.push_back(uint32_t(value));
    };
    for (uint32_t x : awkward) {
        for (int imm : {-2048, -1, 0, 1, 7, 2047}) {
            one(i_type(0x13, 0, 3, 1, imm), x, int64_t(x) + imm);
            one(i_type(0x13, 2, 3, 1, imm), x, int32_t(x) < imm);
            one(i_type(0x13, 3, 3, 1, imm), x, x < uint32_t(imm));
            one(i_type(0x13, 4, 3, 1, imm), x, x ^ uint32_t(imm));
            one(i_type(0x13, 6, 3, 1, imm), x, x | uint32_t(imm));
            one(i_type(0x13, 7, 3, 1, imm), x, x & uint32_t(imm));
        }
        for (int k = 0; k < 32; k++) {
            one(i_type(0x13, 1, 3, 1, k), x, operations[2].on_signed(int32_t(x), k));
            one(i_type(0x13, 5, 3, 1, k), x, operations[6].on_signed(int32_t(x), k));
            one(i_type(0x13, 5, 3, 1, k + 1024), x, operations[7].on_signed(int32_t(x), k));
        }
    }
    p.exit(0);
    const Outcome r = run(p.elf());
    ASSERT_EQ(ST_OK, r.s) << shim::text(r.e);
    std::vector<uint32_t> got(expected.size());
    std::memcpy(got.data(), &r.ram[0x80000], 4 * got.size());
    EXPECT_EQ("", shim::first_difference(expected.data(), got.data(), got.size()));
}

TEST(IssRun, BranchesOfAwkwardPairs)
{
    const std::function<bool(uint32_t, uint32_t)> taken[8] = {
        [](uint32_t x, uint32_t y) { return x == y; }, [](uint32_t x, uint32_t y) { return x != y; }, nullptr, nullptr,
        [](uint32_t x, uint32_t y) { return int32_t(x) < int32_t(y); }, [](uint32_t x, uint32_t y) { return int32_t(x) >= int32_t(y); },
        [](uint32_t x, uint32_t y) { return x < y; }, [](uint32_t x, uint32_t y) { return x >= y; }};
    Program p;
    std::vector<uint32_t> expected;
    p.load(10, 0x80000);
    for (uint32_t f3 : {0, 1, 4, 5, 6, 7})
        for (uint32_t x : awkward)
            for (uint32_t y : awkward) {
                p.load(1, x), p.load(2, y);
                p.words({addi(3, 0, 1), b_type(f3, 1, 2, 8), addi(3, 0, 0), sw(3, 10, 0), addi(10, 10, 4)});
                expected.push_back(taken[f3](x, y));
            }
    p.exit(0);
    const Outcome r = run(p.elf());
    ASSERT_EQ(ST_OK, r.s) << shim::text(r.e);
    std::vector<uint32_t> got(expected.size());
    std::memcpy(got.data(), &r.ram[0x80000], 4 * got.size());
    EXPECT_EQ("", shim::first_difference(expected.data(), got.data(), got.size()));
}

TEST(IssRun, LoadsAndStoresAtEveryAlignment)
{
    Program p;
    std::vector<uint32_t> expected;
    p.load(9, 0x70000), p.load(10, 0x80000), p.load(1, 0x8391a2b3), p.load(2, 0xc4d5e6f7);
    p.words({sw(1, 9, 0), sw(2, 9, 4)});
    const uint64_t bytes = 0xc4d5e6f78391a2b3u;
    for (int k = 0; k < 4; k++)
        for (uint32_t f3 : {0, 1, 2, 4, 5}) {
            p.words({i_type(0x03, f3, 3, 9, k), sw(3, 10, 0), addi(10, 10, 4)});
            const uint64_t x = bytes >> 8 * k;
            expected.push_back(f3 == 0 ? uint32_t(int8_t(x)) : f3 == 1 ? uint32_t(int16_t(x)) : f3 == 2 ? uint32_t(x) : f3 == 4 ? uint8_t(x) : uint16_t(x));
        }
    for (int k = 0; k < 4; k++)
        for (uint32_t f3 : {0, 1, 2}) {
            p.words({sw(0, 10, 0), sw(0, 10, 4), s_type(0x23, f3, 10, 1, k), addi(10, 10, 8)});
            const uint64_t mask = f3 == 0 ? 0xff : f3 == 1 ? 0xffff : 0xffffffff, x = (0x8391a2b3 & mask) << 8 * k;
            expected.push_back(uint32_t(x)), expected.push_back(uint32_t(x >> 32));
        }
    p.exit(0);
    const Outcome r = run(p.elf());
    ASSERT_EQ(ST_OK, r.s) << shim::text(r.e);
    std::vector<uint32_t> got(expected.size());
    std::memcpy(got.data(), &r.ram[0x80000], 4 * got.size());
    EXPECT_EQ("", shim::first_difference(expected.data(), got.data(), got.size()));
}

TEST(IssRun, ConsoleCountersAndZeroRegister)
{
    Program p;
    p.load(1, 0x10000000), p.load(10, 0x80000);
    for (char c : {'o', 'k'}) p.words({addi(2, 0, c), s_type(0x23, 0, 1, 2, 0)});
    p.words({addi(0, 0, 5), sw(0, 10, 0)});
    const uint32_t before = (p.here() - 0x80) / 4;
    p.words({i_type(0x73, 2, 3, 0, 0xb02 - 4096), sw(3, 10, 4), i_type(0x73, 2, 3, 0, 0xb80 - 4096), sw(3, 10, 8), i_type(0x73, 2, 3, 0, 0xf14 - 4096)});
    p.exit(300);
    const Outcome r = run(p.elf());
    ASSERT_EQ(ST_OK, r.s) << shim::text(r.e);
    EXPECT_EQ("ok", r.console);
    EXPECT_EQ(300 & 255, r.result.exit_code);
    EXPECT_EQ(0u, r.at(0x80000));
    EXPECT_EQ(before, r.at(0x80004)); // minstret: what was executed before it
    EXPECT_EQ(0u, r.at(0x80008));
}

// Cycles of the instruction at index k of a list of halfwords and words.
std::vector<int> cycles_of(const char *core, const std::function<void(Program &)> &body)
{
    Program p;
    p.load(9, 0x40000), p.load(8, 7), p.load(7, 0);
    const size_t skip = p.code.size() / 2;
    body(p);
    p.exit(0);
    const Outcome r = run(p.elf(), core, 0, true);
    EXPECT_EQ(ST_OK, r.s) << shim::text(r.e);
    std::vector<int> c;
    for (size_t i = skip; i + 5 < r.steps.size(); i++) c.push_back(int(r.steps[i + 1].cycles - r.steps[i].cycles)); // the exit's five are not the body's
    return c;
}

// Hand-computed from cores/*.yaml: one line an event.
TEST(IssCycles, EachEventOfEachCore)
{
    struct Case { const char *what; std::function<void(Program &)> body; std::vector<int> small, maxperf, cv32e40p; };
    const uint32_t MUL = r_type(0x33, 0, 1, 3, 8, 8), MULH = r_type(0x33, 1, 1, 3, 8, 8), DIVU = r_type(0x33, 5, 1, 3, 8, 8), BY_ZERO = r_type(0x33, 5, 1, 3, 8, 7);
    const uint32_t DIV = r_type(0x33, 4, 1, 3, 8, 6), NOP = addi(0, 0, 0);
    const std::vector<Case> cases = {
        {"alu", [&](Program &p) { p.words({addi(3, 8, 1), addi(4, 3, 1)}); }, {1, 1}, {1, 1}, {1, 1}},
        {"load", [&](Program &p) { p.words({lw(3, 9, 0), NOP}); }, {2, 1}, {1, 1}, {1, 1}},
        {"store", [&](Program &p) { p.words({sw(3, 9, 0), NOP}); }, {2, 1}, {1, 1}, {1, 1}},
        {"load, used", [&](Program &p) { p.words({lw(3, 9, 0), addi(4, 3, 1)}); }, {2, 1}, {2, 1}, {2, 1}},
        {"load, stored", [&](Program &p) { p.words({lw(3, 9, 0), sw(3, 9, 4)}); }, {2, 2}, {2, 1}, {2, 1}},
        {"load, overwritten", [&](Program &p) { p.words({lw(3, 9, 0), addi(3, 8, 1)}); }, {2, 1}, {1, 1}, {2, 1}},
        {"load, loaded again", [&](Program &p) { p.words({lw(3, 9, 0), lw(3, 9, 4), NOP}); }, {2, 2, 1}, {1, 1, 1}, {1, 1, 1}},
        {"unaligned word", [&](Program &p) { p.words({lw(3, 9, 2), NOP}); }, {3, 1}, {2, 1}, {2, 1}},
        {"halfword within a word", [&](Program &p) { p.words({i_type(0x03, 1, 3, 9, 1), NOP}); }, {2, 1}, {1, 1}, {1, 1}},
        {"halfword across words", [&](Program &p) { p.words({i_type(0x03, 1, 3, 9, 3), NOP}); }, {3, 1}, {2, 1}, {2, 1}},
        {"mul", [&](Program &p) { p.words({MUL, NOP}); }, {3, 1}, {1, 1}, {1, 1}},
        {"mulh", [&](Program &p) { p.words({MULH, NOP}); }, {4, 1}, {2, 1}, {5, 1}},
        {"divu by 7: 29 leading zeros", [&](Program &p) { p.words({DIVU, NOP}); }, {37, 1}, {37, 1}, {3 + 29, 1}},
        {"divu by 0", [&](Program &p) { p.words({BY_ZERO, NOP}); }, {2, 1}, {2, 1}, {35, 1}},
        {"div by -8: 28 leading ones after the sign", [&](Program &p) { p.words({addi(6, 0, -8), DIV, NOP}); }, {1, 37, 1}, {1, 37, 1}, {1, 3 + 28, 1}},
        {"branch not taken", [&](Program &p) { p.words({b_type(1, 7, 7, 8), NOP, NOP}); }, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}},
        {"branch taken", [&](Program &p) { p.words({b_type(0, 7, 7, 8), NOP, NOP}); }, {3, 1}, {2, 1}, {3, 1}},
        {"jump", [&](Program &p) { p.words({jal(0, 8), NOP, NOP}); }, {2, 1}, {2, 1}, {2, 1}},
        {"jump to a straddling instruction", [&](Program &p) { p.word(jal(0, 6)), p.half(C_NOP), p.word(NOP), p.half(C_NOP); }, {3, 1, 1}, {3, 1, 1}, {3, 1, 1}},
        {"jump to a compressed one there", [&](Program &p) { p.word(jal(0, 6)), p.half(C_NOP), p.half(C_NOP); }, {2, 1}, {2, 1}, {2, 1}},
        {"mulh before a jump", [&](Program &p) { p.words({MULH, jal(0, 8), NOP, NOP}); }, {4, 2, 1}, {2, 2, 1}, {5, 1, 1}},
        {"call through a register just written", [&](Program &p) { p.load(1, p.here() + 16), p.words({i_type(0x67, 0, 5, 1, 0), NOP, NOP}); }, {1, 1, 2, 1}, {1, 1, 2, 1}, {1, 2, 2, 1}},
    };
    for (const Case &c : cases) {
        EXPECT_EQ(c.small, cycles_of("ibex-small", c.body)) << c.what;
        EXPECT_EQ(c.maxperf, cycles_of("ibex-maxperf", c.body)) << c.what;
        EXPECT_EQ(c.cv32e40p, cycles_of("cv32e40p", c.body)) << c.what;
    }
}

// Plain runs, runs that are watched, and every core execute the same.
TEST(IssCycles, WatchedAndUnwatchedAgree)
{
    Program p;
    p.load(9, 0x40000), p.load(8, 50);
    const uint32_t top = p.here();
    p.words({lw(3, 9, 1), r_type(0x33, 1, 1, 4, 3, 8), r_type(0x33, 4, 1, 5, 4, 8), sw(5, 9, 2), addi(8, 8, -1)});
    p.word(b_type(1, 8, 0, int(top - p.here())));
    p.exit(0);
    for (const char *core : {"ibex-small", "ibex-maxperf", "cv32e40p"}) {
        const Outcome plain = run(p.elf(), core), watched = run(p.elf(), core, 0, true);
        EXPECT_EQ(plain.result.cycles, watched.result.cycles) << core;
        EXPECT_EQ(plain.result.instructions, watched.result.instructions) << core;
        EXPECT_EQ(plain.result.instructions, watched.steps.size()) << core;
        EXPECT_TRUE(plain.ram == watched.ram) << core;
    }
}

// Cycles between the first and the last of the instructions that body puts, behind and before enough that the prefetch buffer is in its stride.
uint64_t with_waits(const char *core, int fetch_wait, int data_wait, const std::function<void(Program &)> &body)
{
    Program p;
    p.load(9, 0x40000);
    for (int k = 0; k < 8; k++) p.word(addi(0, 0, 0));
    const uint32_t from = p.here();
    body(p);
    const uint32_t to = p.here();
    p.exit(0);
    const Outcome r = run(p.elf(), core, 0, true, 1 << 20, fetch_wait, data_wait);
    EXPECT_EQ(ST_OK, r.s) << shim::text(r.e);
    uint64_t begin = 0, end = 0;
    for (const Step &s : r.steps) {
        if (s.pc == from) begin = s.cycles;
        if (s.pc == to) end = s.cycles;
    }
    return end - begin;
}

TEST(IssWaits, ByHand)
{
    auto wide = [](Program &p) { for (int k = 0; k < 20; k++) p.word(addi(0, 0, 0)); };
    auto compressed = [](Program &p) { for (int k = 0; k < 40; k++) p.half(C_NOP); };
    auto loads = [](Program &p) { for (int k = 0; k < 10; k++) p.word(lw(3, 9, 4 * k)); };
    auto unaligned = [](Program &p) { for (int k = 0; k < 10; k++) p.word(lw(3, 9, 4 * k + 1)); };
    for (const char *core : {"ibex-small", "ibex-maxperf", "cv32e40p"})
        for (uint64_t w = 0; w < 16; w++) {
            EXPECT_EQ(20 * (w + 1), with_waits(core, int(w), w == 0, wide)) << core; // a word each w + 1 cycles (and with a data wait the same path at w = 0)
            // Two instructions a word. CV32E40P hands out a word's second half only when the next word has come, whose own instruction is a cycle later then.
            const uint64_t late = w && std::string(core) == "cv32e40p";
            EXPECT_EQ(std::max<uint64_t>(40, 20 * (w + 1)) + late, with_waits(core, int(w), w == 0, compressed)) << core;
        }
    for (uint64_t w = 0; w < 16; w++) {
        EXPECT_EQ(10 * (2 + w), with_waits("ibex-small", 0, int(w), loads));           // request, and the answer w + 1 cycles later
        EXPECT_EQ(10 * (3 + 2 * w), with_waits("ibex-small", 0, int(w), unaligned));   // the second request with the first answer
        EXPECT_EQ(10 * (1 + w), with_waits("ibex-maxperf", 0, int(w), loads));         // the next request with the answer
        EXPECT_EQ(10 * (2 + 2 * w), with_waits("ibex-maxperf", 0, int(w), unaligned));
        EXPECT_EQ(10 + (w ? 8 * w : 0), with_waits("cv32e40p", 0, int(w), loads));     // the same, but the last two are still in the pipeline behind
    }
}

struct Stop { const char *what; std::function<void(Program &)> body; std::vector<std::string> words; };

TEST(IssStops, WithPcAndSymbol)
{
    const std::vector<Stop> stops = {
        {"illegal", [](Program &p) { p.word(addi(1, 0, 1)), p.word(0xffffffff); }, {"illegal instruction", "0xffffffff at pc", "0x00000084", "start+0x4"}},
        {"illegal, compressed", [](Program &p) { p.half(C_NOP), p.half(0); }, {"illegal instruction", "0x0000 at pc", "0x00000082", "start+0x2"}},
        {"xpulp on a core that lacks it", [](Program &p) { p.word(0x0041a50b); }, {"illegal instruction", "0x0041a50b at pc", "start+0x0"}},
        {"end of the code", [](Program &p) { p.word(addi(1, 0, 1)); }, {"0x00000084"}},
        {"ecall", [](Program &p) { p.word(ECALL); }, {"ecall", "start+0x0"}},
        {"ebreak", [](Program &p) { p.word(EBREAK); }, {"ebreak", "start+0x0"}},
        {"load", [](Program &p) { p.load(1, 0x100000), p.word(lw(2, 1, -3)); }, {"load from 0x000ffffd", "start+0x8"}},
        {"load of a device", [](Program &p) { p.load(1, 0x10000000), p.word(lw(2, 1, 0)); }, {"load from 0x10000000"}},
        {"store", [](Program &p) { p.load(1, 0x20000000), p.word(sw(2, 1, 4)); }, {"store to 0x20000004", "nothing is"}},
        {"store at the end of memory", [](Program &p) { p.load(1, 0xffffffff), p.word(sw(2, 1, 0)); }, {"store to 0xffffffff"}},
        {"store to code", [](Program &p) { p.word(sw(2, 0, 0x7e)); }, {"store to 0x0000007e", "is code"}},
        {"jump", [](Program &p) { p.word(jal(0, 0x1000)); }, {"jump to 0x00001080", "start+0x0"}},
        {"branch", [](Program &p) { p.word(b_type(0, 0, 0, -16)); }, {"jump to 0x00000070"}},
        {"register jump", [](Program &p) { p.load(1, 0x12345678), p.word(i_type(0x67, 0, 0, 1, 0)); }, {"jump to 0x12345678", "start+0x8"}},
        {"csr", [](Program &p) { p.word(i_type(0x73, 1, 0, 0, 0x305)); }, {"CSR 0x305"}},
        {"written counter", [](Program &p) { p.word(i_type(0x73, 1, 0, 1, 0xb00 - 4096)); }, {"CSR 0xb00"}},
        {"runaway", [](Program &p) { p.word(jal(0, 0)); }, {"still running after 1000 instructions", "start+0x0"}},
    };
    for (const Stop &s : stops) {
        Program p;
        s.body(p);
        const Outcome r = run(p.elf(), "ibex-small", 1000);
        EXPECT_EQ(ST_FORMAT, r.s) << s.what;
        for (const std::string &w : s.words) EXPECT_NE(std::string::npos, std::string(r.e.msg).find(w)) << s.what << ": " << r.e.msg;
    }
}

// Xpulp: decoded from words built here, values from plain definitions.
iss_insn xpulp(uint32_t w) { return iss_decode(w, 0, true); }
uint32_t value(uint32_t w, uint32_t a, uint32_t b, uint32_t d = 0)
{
    const iss_insn i = xpulp(w);
    EXPECT_GE(i.op, ISS_X_ALU) << std::hex << w;
    return iss_xpulp_value(&i, a, b, d);
}

TEST(IssXpulp, VectorsOfBytesExhaustive)
{
    struct Row { uint32_t funct; std::function<int(int, int, unsigned, unsigned)> f; }; // signed x, y and the same bytes without sign
    const Row rows[] = { // funct: funct5 * 2 + comparison
        {0, [](int x, int y, unsigned, unsigned) { return x + y; }},
        {2, [](int x, int y, unsigned, unsigned) { return x - y; }},
        {4, [](int x, int y, unsigned, unsigned) { return int8_t(x + y) >> 1; }},
        {6, [](int, int, unsigned a, unsigned b) { return int(((a + b) & 255) / 2); }},
        {8, [](int x, int y, unsigned, unsigned) { return std::min(x, y); }},
        {10, [](int, int, unsigned a, unsigned b) { return int(std::min(a, b)); }},
        {12, [](int x, int y, unsigned, unsigned) { return std::max(x, y); }},
        {14, [](int, int, unsigned a, unsigned b) { return int(std::max(a, b)); }},
        {16, [](int, int, unsigned a, unsigned b) { return int(a / (1u << b % 8)); }},
        {18, [](int x, int, unsigned, unsigned b) { const int d = 1 << b % 8; return x >= 0 ? x / d : -((-x + d - 1) / d); }},
        {20, [](int, int, unsigned a, unsigned b) { return int(a * (1u << b % 8)); }},
        {22, [](int, int, unsigned a, unsigned b) { return int(a | b); }},
        {24, [](int, int, unsigned a, unsigned b) { return int(a ^ b); }},
        {26, [](int, int, unsigned a, unsigned b) { return int(a & b); }},
        {1, [](int x, int y, unsigned, unsigned) { return x == y ? 255 : 0; }},
        {3, [](int x, int y, unsigned, unsigned) { return x != y ? 255 : 0; }},
        {5, [](int x, int y, unsigned, unsigned) { return x > y ? 255 : 0; }},
        {7, [](int x, int y, unsigned, unsigned) { return x >= y ? 255 : 0; }},
        {9, [](int x, int y, unsigned, unsigned) { return x < y ? 255 : 0; }},
        {11, [](int x, int y, unsigned, unsigned) { return x <= y ? 255 : 0; }},
        {13, [](int, int, unsigned a, unsigned b) { return a > b ? 255 : 0; }},
        {15, [](int, int, unsigned a, unsigned b) { return a >= b ? 255 : 0; }},
        {17, [](int, int, unsigned a, unsigned b) { return a < b ? 255 : 0; }},
        {19, [](int, int, unsigned a, unsigned b) { return a <= b ? 255 : 0; }},
    };
    for (const Row &r : rows) {
        const iss_insn vv = xpulp(r_type(0x7b, 1, r.funct * 2, 1, 2, 3)), sc = xpulp(r_type(0x7b, 5, r.funct * 2, 1, 2, 3));
        for (uint32_t x = 0; x < 256; x += 4)
            for (uint32_t y = 0; y < 256; y++) {
                const uint32_t a = x | (x + 1) << 8 | (x + 2) << 16 | (x + 3) << 24, b = y * 0x01010101u;
                uint32_t expected = 0;
                for (uint32_t k = 0; k < 4; k++) expected |= uint32_t(r.f(int8_t(x + k), int8_t(y), x + k, y) & 255) << 8 * k;
                ASSERT_EQ(expected, iss_xpulp_value(&vv, a, b, 0)) << r.funct << " of " << x << ", " << y;
                ASSERT_EQ(expected, iss_xpulp_value(&sc, a, y | 0x12345600, 0)) << r.funct << " of " << x << ", " << y;
            }
    }
}

TEST(IssXpulp, DotProducts)
{
    for (int bits : {8, 16})
        for (uint32_t op = 16; op < 22; op++)
            for (uint32_t a : awkward)
                for (uint32_t b : awkward) {
                    const bool as = op == 18 || op == 21, bs = op != 16 && op != 19;
                    int64_t sum = op >= 19 ? 0x7fffff00 : 0;
                    for (int k = 0; k < 32; k += bits) {
                        const int64_t x = a >> k & ((1u << bits) - 1), y = b >> k & ((1u << bits) - 1), top = int64_t(1) << (bits - 1);
                        sum += (as && x >= top ? x - 2 * top : x) * (bs && y >= top ? y - 2 * top : y);
                    }
                    ASSERT_EQ(uint32_t(sum), value(r_type(0x7b, bits == 8, op * 4, 1, 2, 3), a, b, 0x7fffff00)) << op << " " << a << " " << b;
                }
    EXPECT_EQ(uint32_t(1 * -2 + 2 * -2 + 3 * -2 + -1 * -2), value(r_type(0x7b, 7, 18 * 4, 1, 2, 31), 0xff030201, 0)); // dotsp.sci.b: imm6 = 62 = -2
    EXPECT_EQ(uint32_t(1 * 62 + 2 * 62 + 3 * 62 + 255 * 62), value(r_type(0x7b, 7, 16 * 4, 1, 2, 31), 0xff030201, 0)); // dotup.sci.b: 62
}

TEST(IssXpulp, FieldsAtEveryPosition)
{
    for (uint32_t a : awkward)
        for (uint32_t low = 0; low < 32; low++)
            for (uint32_t more = 0; low + more < 32; more++) {
                const uint64_t n = more + 1, ones = (uint64_t(1) << n) - 1, part = a >> low & ones;
                const int64_t with_sign = part >> (n - 1) & 1 ? int64_t(part) - (int64_t(1) << n) : int64_t(part);
                auto w = [&](uint32_t f3, uint32_t f2) { return r_type(0x5b, f3, f2 << 5 | more, 1, 2, low); };
                const uint32_t rest = ~uint32_t(ones << low), d = 0x5aa5c33c;
                ASSERT_EQ(uint32_t(with_sign), value(w(0, 0), a, 0));
                ASSERT_EQ(uint32_t(part), value(w(0, 1), a, 0));
                ASSERT_EQ((d & rest) | (uint32_t(a << low) & ~rest), value(w(0, 2), a, 0, d));
                ASSERT_EQ(a & rest, value(w(1, 0), a, 0));
                ASSERT_EQ(a | ~rest, value(w(1, 1), a, 0));
                const uint32_t by_register[5] = {0x18, 0x19, 0x1a, 0x1c, 0x1d}, fixed[5][2] = {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}};
                for (int k = 0; k < 5; k++) ASSERT_EQ(value(w(fixed[k][0], fixed[k][1]), a, 0, d), value(r_type(0x2b, 3, by_register[k], 1, 2, 3), a, low | more << 5, d));
            }
}

TEST(IssXpulp, ScalarsByHand)
{
    auto reg = [](uint32_t f7, uint32_t a, uint32_t b = 0, uint32_t d = 0, uint32_t rs2 = 0) { return value(r_type(0x2b, 3, f7, 1, 2, rs2), a, b, d); };
    EXPECT_EQ(0x78123456u, reg(0x20, 0x12345678, 8));     // ror
    EXPECT_EQ(4u, reg(0x21, 0x30)); EXPECT_EQ(32u, reg(0x21, 0)); // ff1
    EXPECT_EQ(5u, reg(0x22, 0x30)); EXPECT_EQ(32u, reg(0x22, 0)); // fl1
    EXPECT_EQ(25u, reg(0x23, 0x30)); EXPECT_EQ(31u, reg(0x23, ~0u)); EXPECT_EQ(0u, reg(0x23, 0)); EXPECT_EQ(30u, reg(0x23, 1)); // clb
    EXPECT_EQ(12u, reg(0x24, 0xf0f0f));                   // cnt
    EXPECT_EQ(5u, reg(0x28, uint32_t(-5)));               // abs
    EXPECT_EQ(1u, reg(0x29, uint32_t(-1), 0)); EXPECT_EQ(0u, reg(0x2a, uint32_t(-1), 0)); // sle, sleu
    EXPECT_EQ(uint32_t(-128), reg(0x38, uint32_t(-1000), 0, 0, 8)); EXPECT_EQ(127u, reg(0x38, 1000, 0, 0, 8)); EXPECT_EQ(99u, reg(0x38, 99, 0, 0, 8)); // clip to 8 bits
    EXPECT_EQ(~0u, reg(0x38, uint32_t(-9), 0, 0, 0)); EXPECT_EQ(0u, reg(0x38, 9, 0, 0, 0)); // clip to 0: -1 and 0
    EXPECT_EQ(0u, reg(0x39, uint32_t(-9), 0, 0, 9)); EXPECT_EQ(255u, reg(0x39, 1000, 0, 0, 9)); // clipu
    EXPECT_EQ(uint32_t(-101), reg(0x3a, uint32_t(-1000), 100)); EXPECT_EQ(100u, reg(0x3b, 1000, 100)); // clipr, clipur
    EXPECT_EQ(uint32_t(-3), reg(0x40, uint32_t(-10), 2, uint32_t(0))); // addNr: -10 >> 2
    EXPECT_EQ(uint32_t(-2), reg(0x42, uint32_t(-10), 2, uint32_t(0))); // addRNr: (-10 + 2) >> 2
    EXPECT_EQ(uint32_t(5), reg(0x44, 10, 2, 30));         // subNr: (30 - 10) >> 2
    auto shifted = [](uint32_t f3, uint32_t f2, uint32_t n, uint32_t a, uint32_t b, uint32_t d = 0) { return value(r_type(0x5b, f3, f2 << 5 | n, 1, 2, 3), a, b, d); };
    EXPECT_EQ(uint32_t(-3), shifted(2, 0, 1, uint32_t(-8), 3)); // addN: -5 >> 1
    EXPECT_EQ(uint32_t(-2), shifted(2, 2, 1, uint32_t(-8), 3)); // addRN: (-5 + 1) >> 1
    EXPECT_EQ(0x7ffffffdu, shifted(2, 1, 1, uint32_t(-8), 3));  // adduN
    EXPECT_EQ(uint32_t(-6), shifted(3, 0, 1, uint32_t(-8), 3)); // subN: -11 >> 1
    EXPECT_EQ(uint32_t(-6), shifted(4, 0, 0, 0x0001fffe, 0x00050003)); // mulsN: -2 x 3
    EXPECT_EQ(5u, shifted(4, 1, 0, 0x0001fffe, 0x00050003));    // mulhhsN: 1 x 5
    EXPECT_EQ(0xfffeu * 3, shifted(5, 0, 0, 0x0001fffe, 0x00050003)); // muluN
    EXPECT_EQ(uint32_t(-2), shifted(6, 2, 1, 0x0001fffe, 0x00050003, 1)); // macsRN: (-6 + 1 + 1) >> 1
    EXPECT_EQ(0x03020100u, value(r_type(0x7b, 1, 24 * 4, 1, 2, 3), 0x03020100, 0x03020100)); // shuffle.b: identity
    EXPECT_EQ(0x00010203u, value(r_type(0x7b, 1, 24 * 4, 1, 2, 3), 0x03020100, 0x00010203)); // and reversal
    EXPECT_EQ(0xaabb1122u, value(r_type(0x7b, 0, 28 * 4, 1, 2, 3), 0x1122dddd, 0x00010003, 0xaabbcccc)); // shuffle2.h: rD's upper, rs1's upper half
    EXPECT_EQ(0x22226666u, value(r_type(0x7b, 0, 30 * 4, 1, 2, 3), 0x11112222, 0x55556666)); // pack
    EXPECT_EQ(0x11115555u, value(r_type(0x7b, 0, 30 * 4 + 1, 1, 2, 3), 0x11112222, 0x55556666)); // pack.h
    EXPECT_EQ(0x2266ccddu, value(r_type(0x7b, 1, 31 * 4 + 1, 1, 2, 3), 0x11112222, 0x55556666, 0xaabbccdd)); // packhi.b
    EXPECT_EQ(0xaabb2266u, value(r_type(0x7b, 1, 31 * 4, 1, 2, 3), 0x11112222, 0x55556666, 0xaabbccdd)); // packlo.b
    EXPECT_EQ(uint32_t(-1), value(r_type(0x7b, 1, 23 * 4, 1, 2, 1), 0x00ff0000, 0)); // extract.b of lane 2
    EXPECT_EQ(0xaa22ccddu, value(r_type(0x7b, 5, 23 * 4, 1, 2, 1), 0x11112222, 0, 0xaabbccdd)); // insert.b into lane 2
}

TEST(IssXpulp, PostIncrementAndHardwareLoop)
{
    Program p; // sum of eight bytes by cv.lb rd, (rs1), 1 in a loop without branch; then a nested pair
    p.load(9, 0x40000), p.load(10, 0x80000), p.load(1, 0x04030201), p.load(2, 0xfcfdfe00);
    p.words({sw(1, 9, 0), sw(2, 9, 4), addi(5, 0, 0), addi(6, 0, 0)});
    p.word(i_type(0x2b, 4, 6 << 1, 4, 8)); // cv.setupi 0, 8, end = pc + 4 x 4
    p.words({i_type(0x0b, 0, 3, 9, 1), addi(6, 6, 1), r_type(0x33, 0, 0, 5, 5, 3)});
    p.words({sw(5, 10, 0), sw(6, 10, 4), sw(9, 10, 8), addi(7, 0, 0)});
    p.word(i_type(0x2b, 4, 6 << 1 | 1, 8, 3)); // loop 1, three times, seven instructions
    p.word(i_type(0x2b, 4, 6 << 1, 4, 5));     // loop 0 within, five times, three instructions
    p.words({addi(7, 7, 1), addi(0, 0, 0), addi(0, 0, 0), addi(7, 7, 100), addi(0, 0, 0), addi(0, 0, 0), sw(7, 10, 12)});
    p.words({s_type(0x2b, 2, 10, 7, 16), sw(5, 10, 0)}); // cv.sw x7, (x10), 16
    p.exit(0);
    const Outcome r = run(p.elf(), "cv32e40p");
    ASSERT_EQ(ST_OK, r.s) << shim::text(r.e);
    const uint32_t sum = 1 + 2 + 3 + 4 + 0 - 2 - 3 - 4;
    EXPECT_EQ(315u, r.at(0x80000)); // by the post-incremented store
    EXPECT_EQ(8u, r.at(0x80004));
    EXPECT_EQ(0x40008u, r.at(0x80008));
    EXPECT_EQ(3u * (5 + 100), r.at(0x8000c));
    EXPECT_EQ(sum, r.at(0x80010)); // where the store has moved its address
}

TEST(IssXpulp, LoopsThatTheCoreForbids)
{
    const uint32_t NOP = addi(0, 0, 0);
    const std::vector<Stop> stops = {
        {"too short", [&](Program &p) { p.words({i_type(0x2b, 4, 12, 3, 5), NOP, NOP, NOP}); }, {"hardware loop 0", "start+0x0"}},
        {"branch inside", [&](Program &p) { p.words({i_type(0x2b, 4, 13, 4, 5), NOP, b_type(0, 1, 2, 8), NOP, NOP}); }, {"hardware loop 1"}},
        {"compressed inside", [&](Program &p) { p.words({i_type(0x2b, 4, 12, 4, 5), NOP}); p.half(C_NOP), p.half(C_NOP), p.words({NOP, NOP}); }, {"hardware loop 0"}},
        {"beyond the code", [&](Program &p) { p.words({i_type(0x2b, 4, 12, 30, 5), NOP, NOP}); }, {"hardware loop 0"}},
        {"counter read inside", [&](Program &p) { p.words({i_type(0x2b, 4, 12, 4, 5), NOP, NOP, i_type(0x73, 2, 5, 0, 0xb00 - 4096), NOP}); }, {"hardware loop 0"}},
        {"ends too near its outer loop", [&](Program &p) { p.words({i_type(0x2b, 4, 13, 6, 5), i_type(0x2b, 4, 12, 4, 5), NOP, NOP, NOP, NOP, NOP}); }, {"hardware loop 0", "start+0x4"}},
        {"fence", [&](Program &p) { p.word(0x0ff0000f); }, {"not simulated", "0x0ff0000f"}},
        {"not aligned", [&](Program &p) { p.half(C_NOP), p.words({i_type(0x2b, 4, 12, 4, 5), NOP, NOP, NOP, NOP}); }, {"hardware loop 0", "start+0x2"}},
    };
    for (const Stop &s : stops) {
        Program p;
        s.body(p);
        const Outcome r = run(p.elf(), "cv32e40p", 1000);
        EXPECT_EQ(ST_FORMAT, r.s) << s.what;
        for (const std::string &w : s.words) EXPECT_NE(std::string::npos, std::string(r.e.msg).find(w)) << s.what << ": " << r.e.msg;
    }
}

TEST(IssLoad, DamagedFilesAreRefused)
{
    Program p;
    p.words({addi(1, 0, 1), lw(2, 0, 4)});
    p.exit(0);
    const std::vector<uint8_t> whole = p.elf();
    ASSERT_EQ(ST_OK, run(whole).s);
    for (size_t n = 0; n < 84 + 2 * p.code.size(); n++) EXPECT_EQ(ST_FORMAT, run({whole.begin(), whole.begin() + long(n)}).s) << n << " bytes";
    for (size_t n = 84 + 2 * p.code.size(); n < whole.size(); n++) EXPECT_EQ(ST_OK, run({whole.begin(), whole.begin() + long(n)}).s) << n << " bytes: only names are lost";
    for (int at : {4, 5, 16, 18, 42, 44}) { // class, byte order, type, machine, size and number of segments
        std::vector<uint8_t> bad = whole;
        bad[at] = 0;
        EXPECT_EQ(ST_FORMAT, run(bad).s) << "byte " << at;
    }
    std::vector<uint8_t> far = whole;
    far[52 + 14] = 0x20; // physical address beyond the RAM
    const Outcome r = run(far);
    EXPECT_NE(std::string::npos, std::string(r.e.msg).find("do not fit")) << r.e.msg;
    EXPECT_EQ(ST_ARG, run(whole, "ibex-small", 0, false, 100).s);
}

TEST(IssLoad, CoresByName)
{
    shim::Arena a;
    const iss_core *c = nullptr;
    err e = {};
    EXPECT_EQ(ST_ARG, iss_core_load("nothing", a, &c, &e));
    EXPECT_NE(std::string::npos, std::string(e.msg).find("cv32e40p, ibex-maxperf, ibex-small")) << e.msg;
    e = {};
    EXPECT_EQ(ST_ARG, iss_core_load("cortex-m4", a, &c, &e)); // a core, but without timing
    EXPECT_OK(iss_core_load("ibex-small", a, &c, &e), e);
}

} // namespace
