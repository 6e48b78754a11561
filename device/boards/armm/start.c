/* SPDX-License-Identifier: Apache-2.0
 * Start-up of a simulated Cortex-M, any of them: vectors, sections, a painted stack; the log and the exit code go out by semihosting. */
#include "device/board.h"

#ifndef BOARD_NAME
#define BOARD_NAME "cortex-m"
#endif
const char board_name[] = BOARD_NAME;

enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, EXIT_BY_PROGRAM = 0x20026, PAINT = 0x5A5A5A5A };

extern uint32_t link_data[], link_data_end[], link_data_load[], link_bss[], link_bss_end[], link_stack[], link_stack_top[];
int main(void);
void board_reset(void);

static void semihost(uint32_t op, const void *argument)
{
    register uint32_t r0 __asm__("r0") = op;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static char line[129]; /* SYS_WRITE0 stops at a 0; a call costs more than a character */
static size_t held;

static void flush(void)
{
    line[held] = 0;
    if (held) semihost(SYS_WRITE0, line);
    held = 0;
}

void board_put(void *ctx, const char *text, size_t n)
{
    (void)ctx;
    while (n--) {
        if (held == sizeof line - 1) flush();
        line[held++] = *text++;
    }
}

bool board_cycles(uint64_t *now)
{
    *now = 0;
    return false; /* QEMU has no model of time */
}

size_t board_stack_bytes(void)
{
    const uint32_t *p = link_stack;
    while (p < link_stack_top && *p == PAINT) p++;
    return (size_t)(link_stack_top - p) * sizeof *p;
}

void board_exit(int code)
{
    const uint32_t how[2] = {EXIT_BY_PROGRAM, (uint32_t)code};
    flush();
    for (;;) semihost(SYS_EXIT_EXTENDED, how);
}

static void fault(void)
{
    uint32_t number;
    __asm__ volatile("mrs %0, ipsr" : "=r"(number));
    static char text[] = "\nFAULT exception 00\n";
    text[17] = (char)('0' + number / 10 % 10);
    text[18] = (char)('0' + number % 10);
    board_put(NULL, text, sizeof text - 1);
    board_exit(4);
}

void board_reset(void)
{
    for (uint32_t *to = link_data, *from = link_data_load; to < link_data_end;) *to++ = *from++;
    for (uint32_t *to = link_bss; to < link_bss_end;) *to++ = 0;
    volatile uint32_t *sp;
    __asm__ volatile("mov %0, sp" : "=r"(sp));
    for (volatile uint32_t *p = link_stack; p < sp; p++) *p = PAINT;
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR: floating point and MVE */
    __asm__ volatile("dsb\n isb" ::: "memory");
#endif
    board_exit(main());
}

#define FAULT (const void *)fault
__attribute__((section(".vectors"), used)) const void *const board_vectors[16] = {
    link_stack_top, (const void *)board_reset, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT};
