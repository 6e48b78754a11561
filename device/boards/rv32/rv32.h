/* SPDX-License-Identifier: Apache-2.0
 * device/boards/rv32/rv32.h - what a program on this system may use: console, exit, cycle counter. Freestanding.
 * Build:  riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32 -ffreestanding -nostdlib -fno-tree-loop-distribute-patterns -I ROOT -T rv32.ld start.c memory.c
 *         PROGRAM.c -lgcc     (not rv32imc_zicsr, for which gcc 12 takes the 64-bit libgcc; hence counters by .insn) */
#ifndef BITEMU_DEVICE_BOARDS_RV32_RV32_H
#define BITEMU_DEVICE_BOARDS_RV32_RV32_H

#include <stdint.h>

#include "device/boards/rv32/map.h"

static inline void rv32_putc(char c)
{
    *(volatile uint8_t *)MAP_CONSOLE = (uint8_t)c;
}

/* Low word of mcycle; differences are exact up to 2^32 cycles. */
static inline uint32_t rv32_cycles(void)
{
    uint32_t x;
    __asm__ volatile(".insn i 0x73, 2, %0, x0, -0x500" : "=r"(x) : : "memory"); /* csrr mcycle, 0xb00 */
    return x;
}

/* Low word of minstret. */
static inline uint32_t rv32_instructions(void)
{
    uint32_t x;
    __asm__ volatile(".insn i 0x73, 2, %0, x0, -0x4fe" : "=r"(x) : : "memory"); /* csrr minstret, 0xb02 */
    return x;
}

/* Section id begins: the host (simulator or RTL harness) notes the cycle. */
static inline void rv32_mark(uint32_t id)
{
    *(volatile uint32_t *)MAP_MARK = id;
}

/* main's result, or this: the exit code that the host reports. */
_Noreturn void rv32_exit(int code);

#endif
