/* SPDX-License-Identifier: Apache-2.0
 * Start-up of the RV32 system: trap report at 0, entry at MAP_BOOT: counters on, cleared .bss, painted stack, main, exit code to the host. CSRs are
 * written as .insn, so that -march=rv32imc will do (gcc 12 finds no 32-bit libgcc for rv32imc_zicsr). */
#include "device/boards/rv32/map.h"

#define TEXT(x) #x
#define VALUE(x) TEXT(x)
#define CSRR(rd, number) ".insn i 0x73, 2, " #rd ", x0, " #number "\n"

__asm__(".section .vectors, \"ax\"\n"
        ".option push\n"
        ".option norvc\n"
        "__vectors:\n"
        "li t0, " VALUE(MAP_TRAP_PC) "\n"
        CSRR(t1, 0x341)                                 /* mepc */
        "sw t1, 0(t0)\n"
        CSRR(t1, 0x342)                                 /* mcause */
        "sw t1, " VALUE(MAP_TRAP_CAUSE) " - " VALUE(MAP_TRAP_PC) "(t0)\n"
        "1: j 1b\n"
        ".org " VALUE(MAP_BOOT) "\n"
        ".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        ".insn i 0x73, 1, x0, x0, 0x320\n"              /* mcountinhibit = 0: CV32E40P starts with its counters off */
        "la sp, __stack_top\n"
        "la t0, __bss_start\n"
        "la t1, __bss_end\n"
        "1: bgeu t0, t1, 2f\n"
        "sw zero, 0(t0)\n"
        "addi t0, t0, 4\n"
        "j 1b\n"
        "2: la t0, __stack_low\n"
        "li t1, " VALUE(MAP_STACK_PAINT) "\n"
        "3: sw t1, 0(t0)\n"
        "addi t0, t0, 4\n"
        "bltu t0, sp, 3b\n"
        "li a0, 0\n"
        "li a1, 0\n"
        "call main\n"
        ".globl rv32_exit\n"
        ".type rv32_exit, @function\n"
        "rv32_exit:\n"                                  /* rv32_exit(code): main's result arrives here too */
        "li t0, " VALUE(MAP_EXIT) "\n"
        "sw a0, 0(t0)\n"
        "4: j 4b\n"
        ".option pop\n"
        ".text\n");
