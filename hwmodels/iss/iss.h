/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/iss/iss.h - runs RV32 firmware of the system in device/boards/rv32/map.h and counts the cycles that a named core takes, equal to
 * the core's RTL (proven by tests/rtl):
 *   cycles = sum over executed instructions of 1 + what cores/NAME.yaml `timing` adds for its class and for the pair it makes with its neighbour
 * Instructions: RV32IMC, Zicsr for the counters; Xpulp where the core's file says so. One RAM from address 0; code is what the ELF file's
 * executable segments hold, and cannot be written. No interrupts: an exception ends the run. */
#ifndef BITEMU_HWMODELS_ISS_ISS_H
#define BITEMU_HWMODELS_ISS_ISS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

typedef struct iss_core iss_core; /* instruction set and timing of a core */
typedef struct iss iss;           /* a loaded program: memory, registers */

/* name: a file of hwmodels/cores with a `timing` section. ST_ARG: no such core, or none with timing (the message lists those that have it).
 * ST_FORMAT: file:line:column of the first broken rule. */
status iss_core_load(const char *name, arena *a, const iss_core **out, err *e);

typedef struct iss_config {
    const iss_core *core;
    uint32_t ram_bytes;        /* [4096, 2^28]; 0 = 4 MiB */
    uint64_t max_instructions; /* a program that needs more is stopped; 0 = 10^10 */
    int fetch_wait, data_wait; /* wait states of instruction and data memory, [0, 15]; above 0 several times slower */
    void *user;                /* handed to the functions below; each may be NULL */
    void (*console)(void *user, char c);
    void (*mark)(void *user, uint32_t id, uint64_t cycles, uint64_t instructions);  /* section id begins; totals before it */
    void (*step)(void *user, uint64_t cycles, uint32_t pc); /* before each instruction; several times slower */
} iss_config;

typedef struct iss_result {
    int exit_code;             /* low 8 bits of what the program ended with */
    uint64_t cycles;           /* from reset to the end, as mcycle counts them where it counts from reset */
    uint64_t instructions;
} iss_result;

/* Reads the ELF file's segments and symbols (elf[0..len) is borrowed until the last iss_run) and decodes its code; all memory is a's.
 * ST_FORMAT: not a 32-bit little-endian RISC-V executable, or it does not fit the RAM. ST_ARG: cfg breaks a rule. */
status iss_load(const iss_config *cfg, const uint8_t *elf, size_t len, arena *a, iss **out, err *e);
/* From reset to the program's exit, once. ST_FORMAT: stopped by an illegal instruction, an exception, an access outside memory, a store to
 * code, or max_instructions; the message has pc and symbol; *out counts up to there. */
status iss_run(iss *s, iss_result *out, err *e);
const uint8_t *iss_ram(const iss *s, size_t *bytes);

#endif
