/* SPDX-License-Identifier: Apache-2.0
 * The RV32 system as a board of the runtime: console, mcycle, the painted stack, exit. */
#include "device/board.h"

#include "device/boards/rv32/rv32.h"

#ifndef BOARD_NAME
#define BOARD_NAME "rv32"
#endif
const char board_name[] = BOARD_NAME;

extern const uint32_t __stack_low[], __stack_top[];

void board_put(void *ctx, const char *text, size_t n)
{
    (void)ctx;
    while (n--) rv32_putc(*text++);
}

bool board_cycles(uint64_t *now)
{
    uint32_t high, low, again;
    do {
        __asm__ volatile(".insn i 0x73, 2, %0, x0, -0x480" : "=r"(high) : : "memory"); /* csrr mcycleh, 0xb80 */
        low = rv32_cycles();
        __asm__ volatile(".insn i 0x73, 2, %0, x0, -0x480" : "=r"(again) : : "memory");
    } while (high != again);
    *now = (uint64_t)high << 32 | low;
    return true;
}

size_t board_stack_bytes(void)
{
    const uint32_t *p = __stack_low;
    while (p < __stack_top && *p == MAP_STACK_PAINT) p++;
    return (size_t)(__stack_top - p) * sizeof *p;
}

void board_exit(int code) { rv32_exit(code); }
