/* SPDX-License-Identifier: Apache-2.0
 * An ATmega in the simulator of device/avr: the general-purpose I/O registers are its channels. On a real chip they do nothing: write these five functions anew there. */
#include "device/board.h"

#include <avr/io.h>
#include <avr/sleep.h>

#ifndef BOARD_NAME
#define BOARD_NAME "avr"
#endif
const char board_name[] = BOARD_NAME;

enum { PAINT = 0x5A };

extern uint8_t _end;

/* Before anything has a frame: everything between the variables and the stack. */
__attribute__((section(".init3"), naked, used)) static void paint(void)
{
    for (volatile uint8_t *p = &_end; p < (uint8_t *)SP; p++) *p = PAINT;
}

void board_put(void *ctx, const char *text, size_t n)
{
    (void)ctx;
    while (n--) GPIOR0 = (uint8_t)*text++;
}

bool board_cycles(uint64_t *now)
{
    uint32_t t;
    GPIOR1 = 0; /* takes the time */
    t = GPIOR1; /* its bytes, lowest first */
    t |= (uint32_t)GPIOR1 << 8;
    t |= (uint32_t)GPIOR1 << 16;
    t |= (uint32_t)GPIOR1 << 24;
    *now = t;
    return true;
}

size_t board_stack_bytes(void)
{
    const uint8_t *p = &_end;
    while (p <= (const uint8_t *)RAMEND && *p == PAINT) p++;
    return (size_t)((const uint8_t *)RAMEND + 1 - p);
}

void board_exit(int code)
{
    GPIOR2 = (uint8_t)code;
    for (;;) sleep_cpu();
}
