/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/elf.c - a 32-bit little-endian RISC-V executable: loadable segments into RAM, names of functions for messages. */
#include <stdlib.h>
#include <string.h>

#include "hwmodels/iss/insn.h"

enum { HEADER_BYTES = 52, SEGMENT_BYTES = 32, SECTION_BYTES = 40, SYMBOL_BYTES = 16, EXECUTABLE = 2, RISCV = 243, LOADABLE = 1, SYMBOL_TABLE = 2, FUNCTION = 2, MAX_SYMBOLS = 1 << 20 };

static uint32_t half(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8; }
static uint32_t word(const uint8_t *p) { return half(p) | half(p + 2) << 16; }
static bool inside(uint64_t at, uint64_t bytes, size_t len) { return at <= len && bytes <= len - at; }

static int by_address(const void *a, const void *b)
{
    const iss_symbol *x = a, *y = b;
    return x->address < y->address ? -1 : x->address > y->address;
}

/* Functions only: data symbols are no place where a pc is. A damaged table means no names, not a failure. */
static status read_symbols(const uint8_t *elf, size_t len, iss_symbol **out, int *n, arena *a, err *e)
{
    const uint32_t table = word(elf + 32), entry_bytes = half(elf + 46), sections = half(elf + 48);
    *out = NULL, *n = 0;
    for (uint32_t i = 0; i < sections && entry_bytes >= SECTION_BYTES; i++) {
        const uint64_t at = (uint64_t)table + (uint64_t)i * entry_bytes;
        if (!inside(at, SECTION_BYTES, len)) return ST_OK;
        const uint8_t *s = elf + at;
        const uint32_t offset = word(s + 16), bytes = word(s + 20);
        const uint64_t names_at = (uint64_t)table + (uint64_t)word(s + 24) * entry_bytes;
        if (word(s + 4) != SYMBOL_TABLE || !inside(offset, bytes, len) || bytes / SYMBOL_BYTES > MAX_SYMBOLS || !inside(names_at, SECTION_BYTES, len)) continue;
        const uint32_t names = word(elf + names_at + 16), names_bytes = word(elf + names_at + 20);
        if (!inside(names, names_bytes, len) || names_bytes == 0 || elf[names + names_bytes - 1] != 0) continue;
        *out = arena_alloc(a, bytes / SYMBOL_BYTES, sizeof **out);
        if (!*out) return err_set(e, ST_NOMEM, "", "out of memory");
        for (const uint8_t *p = elf + offset; p + SYMBOL_BYTES <= elf + offset + bytes; p += SYMBOL_BYTES)
            if ((p[12] & 15) == FUNCTION && word(p) < names_bytes) (*out)[(*n)++] = (iss_symbol){word(p + 4), (const char *)elf + names + word(p)};
        qsort(*out, (size_t)*n, sizeof **out, by_address);
        return ST_OK;
    }
    return ST_OK;
}

status iss_elf_load(const uint8_t *elf, size_t len, uint8_t *ram, uint32_t ram_bytes, uint32_t *code_begin, uint32_t *code_end, uint32_t *entry,
                    iss_symbol **symbols, int *n_symbols, arena *a, err *e)
{
    if (len < HEADER_BYTES || memcmp(elf, "\177ELF\1\1", 6) != 0 || half(elf + 16) != EXECUTABLE || half(elf + 18) != RISCV)
        return err_set(e, ST_FORMAT, "byte 0", "not a 32-bit little-endian RISC-V executable (ELF)");
    const uint32_t table = word(elf + 28), entry_bytes = half(elf + 42), segments = half(elf + 44);
    if (entry_bytes < SEGMENT_BYTES) return err_set(e, ST_FORMAT, "byte 42", "program headers of %u bytes; there must be at least %d", entry_bytes, SEGMENT_BYTES);
    *code_begin = UINT32_MAX, *code_end = 0, *entry = word(elf + 24);
    for (uint32_t i = 0; i < segments; i++) {
        const uint64_t at = (uint64_t)table + (uint64_t)i * entry_bytes;
        if (!inside(at, SEGMENT_BYTES, len)) return err_set(e, ST_FORMAT, "byte 28", "program header %u lies outside the file", i);
        const uint8_t *p = elf + at;
        const uint32_t offset = word(p + 4), address = word(p + 12), file_bytes = word(p + 16), memory_bytes = word(p + 20);
        if (word(p) != LOADABLE || memory_bytes == 0) continue;
        if (file_bytes > memory_bytes || !inside(offset, file_bytes, len))
            return err_set(e, ST_FORMAT, "byte 28", "segment %u: %u bytes at offset %u lie outside the file", i, file_bytes, offset);
        if (!inside(address, memory_bytes, ram_bytes))
            return err_set(e, ST_FORMAT, "byte 28", "segment %u: %u bytes at address 0x%08x do not fit the RAM of %u bytes from address 0", i, memory_bytes, address, ram_bytes);
        memcpy(ram + address, elf + offset, file_bytes);
        if (!(word(p + 24) & 1)) continue; /* not executable */
        if (address < *code_begin) *code_begin = address;
        if (address + file_bytes > *code_end) *code_end = address + file_bytes;
    }
    if (*code_begin >= *code_end) return err_set(e, ST_FORMAT, "byte 28", "no executable segment: nothing to run");
    *code_begin &= ~3u;
    return read_symbols(elf, len, symbols, n_symbols, a, e);
}
