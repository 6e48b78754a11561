/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of tests/rtl share: numbers from a seed, and one line a section: its name, a checksum, its cycles and instructions. */
#include "device/boards/rv32/rv32.h"

static uint32_t state = 1;

static inline uint32_t next_random(void)
{
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    return state;
}

static inline void fill(void *to, int bytes)
{
    for (int i = 0; i < bytes; i++) ((uint8_t *)to)[i] = (uint8_t)next_random();
}

static void put(const char *s)
{
    while (*s) rv32_putc(*s++);
}

static void put_number(uint32_t x)
{
    char text[12], *p = text + 11;
    *p = 0;
    do *--p = (char)('0' + x % 10);
    while (x /= 10);
    put(p);
}

static void section(const char *name, uint32_t (*run)(void))
{
#ifdef WAIT_STATES /* with them Ibex' own minstret is wrong by an instruction or more */
    const uint32_t cycles = rv32_cycles(), sum = run(), after = rv32_cycles(), instructions = 0, executed = 0;
#else
    const uint32_t cycles = rv32_cycles(), instructions = rv32_instructions(), sum = run(), after = rv32_cycles(), executed = rv32_instructions();
#endif
    put(name), put(" "), put_number(sum), put(" cycles "), put_number(after - cycles), put(" instructions "), put_number(executed - instructions), put("\n");
}
