/* SPDX-License-Identifier: Apache-2.0
 * crt0.S - trap report at 0, entry at MAP_BOOT: counters on, stack, cleared .bss, main, exit code to the host. */
#include "map.h"

    .section .vectors, "ax"
    .option push
    .option norvc
    .globl __vectors
__vectors:
    li t0, MAP_TRAP_PC
    csrr t1, mepc
    sw t1, 0(t0)
    csrr t1, mcause
    sw t1, MAP_TRAP_CAUSE - MAP_TRAP_PC(t0)
1:  j 1b

    .org MAP_BOOT
    .globl _start
    .type _start, @function
_start:
    csrw 0x320, zero                /* mcountinhibit: CV32E40P starts with its counters off */
    la sp, __stack_top
    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 2f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 1b
2:  li a0, 0
    li a1, 0
    call main
    .globl rv32_exit
    .type rv32_exit, @function
rv32_exit:                          /* rv32_exit(code): main's result arrives here too */
    li t0, MAP_EXIT
    sw a0, 0(t0)
3:  j 3b
    .option pop
