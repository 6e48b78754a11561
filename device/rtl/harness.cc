// SPDX-License-Identifier: Apache-2.0
// The RV32 system of device/boards/rv32/map.h around a core's RTL (ibex.sv, cv32e40p.sv): loads an ELF file, gives the core memory and a
// console, counts cycles. Same options and output as bitemu iss, so that the two can be compared.
//
// Each bus has the same memory behind it: it takes a request when no other is under way or in the cycle that answers it, and answers WAIT + 1
// cycles later. So zero wait states are a transfer per cycle; WAIT wait states one per WAIT + 1 cycles.
#include <elf.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "Vtop.h"
#include "device/boards/rv32/map.h"
#include "verilated.h"

namespace {

struct options {
    const char *elf = nullptr, *dump = nullptr, *trace = nullptr;
    uint32_t ram_bytes = MAP_RAM_BYTES;
    uint64_t max_cycles = UINT64_MAX;
    int fetch_wait = 0, data_wait = 0;
    bool stats = false;
};

// Answers of one bus: a countdown until the only transfer under way is answered.
struct bus {
    int wait;
    int left = 0;            // cycles until the answer; 0 = idle
    uint32_t data = 0;
    bool ready() const { return left <= 1; }
    void take(uint32_t answer) { left = wait + 2, data = answer; }
    bool answers() const { return left == 1; }
    void tick() { if (left) left--; }
};

int fail(const char *where, const char *what)
{
    std::fprintf(stderr, "%s: %s\n", where, what);
    return 4;
}

bool load(const char *path, std::vector<uint8_t> &ram)
{
    std::FILE *f = std::fopen(path, "rb");
    if (!f) return false;
    std::vector<uint8_t> file;
    uint8_t block[65536];
    for (size_t n; (n = std::fread(block, 1, sizeof block, f)) > 0;) file.insert(file.end(), block, block + n);
    std::fclose(f);
    Elf32_Ehdr h;
    if (file.size() < sizeof h) return false;
    std::memcpy(&h, file.data(), sizeof h);
    if (std::memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 || h.e_ident[EI_CLASS] != ELFCLASS32 || h.e_machine != EM_RISCV) return false;
    for (int i = 0; i < h.e_phnum; i++) {
        Elf32_Phdr p;
        const size_t at = h.e_phoff + size_t(i) * h.e_phentsize;
        if (at + sizeof p > file.size()) return false;
        std::memcpy(&p, file.data() + at, sizeof p);
        if (p.p_type != PT_LOAD || p.p_filesz == 0) continue;
        if (uint64_t(p.p_offset) + p.p_filesz > file.size() || uint64_t(p.p_paddr) + p.p_filesz > ram.size()) return false;
        std::memcpy(ram.data() + p.p_paddr, file.data() + p.p_offset, p.p_filesz);
    }
    return true;
}

bool parse(int argc, char **argv, options &o)
{
    for (int i = 1; i < argc; i++) {
        const std::string a = argv[i];
        const char *value = i + 1 < argc ? argv[i + 1] : nullptr;
        if (a[0] != '-') {
            if (o.elf) return false;
            o.elf = argv[i];
            continue;
        }
        if (a == "--stats") {
            o.stats = true;
            continue;
        }
        if (!value) return false;
        i++;
        if (a == "--fetch-wait") o.fetch_wait = std::atoi(value);
        else if (a == "--data-wait") o.data_wait = std::atoi(value);
        else if (a == "--ram") o.ram_bytes = uint32_t(std::strtoul(value, nullptr, 0)) & ~3u;
        else if (a == "--max-cycles") o.max_cycles = std::strtoull(value, nullptr, 0);
        else if (a == "--dump") o.dump = value;
        else if (a == "--trace") o.trace = value;
        else return false;
    }
    return o.elf && o.fetch_wait >= 0 && o.data_wait >= 0 && o.fetch_wait < 16 && o.data_wait < 16;
}

} // namespace

int main(int argc, char **argv)
{
    options o;
    if (!parse(argc, argv, o)) {
        std::fprintf(stderr, "usage: %s [--fetch-wait N] [--data-wait N] [--ram BYTES] [--max-cycles N] [--stats] [--dump RAM_FILE] [--trace FILE] firmware.elf\n",
                     argv[0]);
        return 2;
    }
    std::vector<uint8_t> ram(o.ram_bytes);
    if (!load(o.elf, ram)) return fail(o.elf, "not a 32-bit RISC-V ELF file whose segments fit the RAM");
    const auto word = [&](uint32_t at) {
        uint32_t x = 0;
        if (at < ram.size()) std::memcpy(&x, &ram[at], 4);
        return x;
    };
    std::FILE *trace = o.trace ? std::fopen(o.trace, "w") : nullptr;

    VerilatedContext context;
    Vtop top{&context};
    bus fetch{o.fetch_wait}, data{o.data_wait};
    top.rst_ni = 1, top.clk_i = 0;
    top.eval();
    for (int i = 0; i < 8; i++) { // a real falling edge of reset, then clocks in reset
        top.rst_ni = i < 1 || i > 6;
        top.clk_i = 1, top.eval();
        top.clk_i = 0, top.eval();
    }

    uint32_t trap_pc = 0, mark = 0;
    uint64_t cycle = 0, mark_cycle = 0;
    int status = -1;
    for (; status < 0 && cycle < o.max_cycles; cycle++) {
        top.instr_rvalid_i = fetch.answers(), top.instr_rdata_i = fetch.data;
        top.data_rvalid_i = data.answers(), top.data_rdata_i = data.data;
        top.clk_i = 0;
        top.eval(); // what the core asks for in this cycle
        top.instr_gnt_i = top.instr_req_o && fetch.ready();
        top.data_gnt_i = top.data_req_o && data.ready();
        if (top.instr_gnt_i || top.data_gnt_i) top.eval();
        if (trace && top.done_o) std::fprintf(trace, "%llu %08x\n", (unsigned long long)cycle, top.pc_o);
        if (top.instr_gnt_i) fetch.take(word(top.instr_addr_o & ~3u));
        if (top.data_gnt_i) {
            const uint32_t at = top.data_addr_o & ~3u, value = top.data_wdata_o;
            data.take(word(at));
            if (top.data_we_o) {
                if (at < ram.size()) {
                    for (int b = 0; b < 4; b++)
                        if (top.data_be_o >> b & 1) ram[at + b] = uint8_t(value >> 8 * b);
                } else if (at == MAP_CONSOLE) std::putchar(int(value & 255));
                else if (at == MAP_EXIT) status = int(value & 255);
                else if (at == MAP_TRAP_PC) trap_pc = value;
                else if (at == MAP_MARK) {
                    if (o.stats) std::fprintf(stderr, "section %u: %llu cycles\n", mark, (unsigned long long)(cycle - mark_cycle));
                    mark = value, mark_cycle = cycle;
                } else if (at == MAP_TRAP_CAUSE) {
                    std::fflush(stdout);
                    std::fprintf(stderr, "%s: trap: mcause %u at pc 0x%08x\n", o.elf, value, trap_pc);
                    status = 4;
                } else {
                    std::fflush(stdout);
                    std::fprintf(stderr, "%s: store to 0x%08x, where nothing is, near pc 0x%08x\n", o.elf, at, top.pc_o);
                    status = 4;
                }
            } else if (at >= ram.size()) {
                std::fflush(stdout);
                std::fprintf(stderr, "%s: load from 0x%08x, where nothing is, near pc 0x%08x\n", o.elf, at, top.pc_o);
                status = 4;
            }
        }
        top.clk_i = 1;
        top.eval();
        fetch.tick(), data.tick();
    }
    std::fflush(stdout);
    if (trace) std::fclose(trace);
    if (status < 0) {
        std::fprintf(stderr, "%s: still running after %llu cycles, near pc 0x%08x\n", o.elf, (unsigned long long)cycle, top.pc_o);
        status = 4;
    }
    if (o.stats) std::fprintf(stderr, "cycles %llu\n", (unsigned long long)cycle);
    if (o.dump) {
        std::FILE *f = std::fopen(o.dump, "wb");
        if (!f || std::fwrite(ram.data(), 1, ram.size(), f) != ram.size() || std::fclose(f) != 0) return fail(o.dump, "cannot write");
    }
    return status;
}
