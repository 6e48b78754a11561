/* SPDX-License-Identifier: Apache-2.0
 * device/boards/rv32/rv32.h - what a program on this system may use: console, exit, cycle counter. Freestanding.
 * Build:  riscv64-unknown-elf-gcc -march=rv32imc_zicsr -mabi=ilp32 -ffreestanding -nostdlib -T rv32.ld crt0.S memory.c PROGRAM.c
 *         $(riscv64-unknown-elf-gcc -march=rv32im -mabi=ilp32 -print-libgcc-file-name)
 * (with _zicsr in -march gcc 12 finds no multilib and -lgcc would be the 64-bit one). */
#ifndef BITEMU_DEVICE_BOARDS_RV32_RV32_H
#define BITEMU_DEVICE_BOARDS_RV32_RV32_H

#include <stdint.h>

#include "map.h"

static inline void rv32_putc(char c)
{
    *(volatile uint8_t *)MAP_CONSOLE = (uint8_t)c;
}

/* Low word of mcycle; differences are exact up to 2^32 cycles. */
static inline uint32_t rv32_cycles(void)
{
    uint32_t x;
    __asm__ volatile("csrr %0, mcycle" : "=r"(x) : : "memory");
    return x;
}

/* Low word of minstret. */
static inline uint32_t rv32_instructions(void)
{
    uint32_t x;
    __asm__ volatile("csrr %0, minstret" : "=r"(x) : : "memory");
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
