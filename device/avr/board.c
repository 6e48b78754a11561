/* SPDX-License-Identifier: Apache-2.0
 * An ATmega2560 of simavr (libsimavr, not part of this repository) that runs one program: what it writes to GPIOR0 is the log; a write to GPIOR1 takes the time, reads give
 * its four bytes, lowest first; GPIOR2 is the exit status. It ends where the core sleeps with interrupts off, or crashes.
 * usage: board firmware.elf; exit status the program's, 4 when it crashed */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sim_avr.h>
#include <sim_elf.h>
#include <sim_io.h>

enum { GPIOR0 = 0x3E, GPIOR1 = 0x4A, GPIOR2 = 0x4B };

typedef struct clock_register {
    uint32_t time;
} clock_register;

static void put(avr_t *avr, avr_io_addr_t at, uint8_t v, void *param)
{
    (void)avr, (void)at, (void)param;
    (void)putchar(v);
}

static void take(avr_t *avr, avr_io_addr_t at, uint8_t v, void *param)
{
    (void)at, (void)v;
    ((clock_register *)param)->time = (uint32_t)avr->cycle;
}

static uint8_t give(avr_t *avr, avr_io_addr_t at, void *param)
{
    clock_register *c = param;
    uint8_t low = (uint8_t)c->time;
    (void)avr, (void)at;
    c->time >>= 8;
    return low;
}

static bool broken; /* simavr tells of an error, an illegal instruction say, and goes on */

static void tell(avr_t *avr, const int level, const char *format, va_list args)
{
    (void)avr;
    if (level > LOG_ERROR) return;
    (void)vfprintf(stderr, format, args);
    broken = true;
}

/* "dev_conv+18": the last symbol at or before pc. */
static void print_place(const elf_firmware_t *f, uint32_t pc)
{
    const avr_symbol_t *best = NULL;
    for (uint32_t i = 0; i < f->symbolcount; i++)
        if (f->symbol[i]->addr <= pc && (!best || f->symbol[i]->addr > best->addr)) best = f->symbol[i];
    (void)printf("\nCRASH at pc 0x%x", pc);
    if (best) (void)printf(" (%s+%u)", best->symbol, pc - best->addr);
    (void)putchar('\n');
}

int main(int argc, char **argv)
{
    elf_firmware_t f;
    clock_register clock = {0};
    int state = cpu_Running;
    memset(&f, 0, sizeof f);
    if (argc != 2) {
        (void)fprintf(stderr, "usage: board firmware.elf\n");
        return 2;
    }
    avr_global_logger_set(tell);
    avr_t *avr = avr_make_mcu_by_name("atmega2560");
    if (!avr || elf_read_firmware(argv[1], &f) != 0) {
        (void)fprintf(stderr, "%s: %s\n", argv[1], avr ? "not a program for an AVR" : "this simavr has no ATmega2560");
        return 4;
    }
    avr_init(avr);
    avr->frequency = 16000000;
    avr_load_firmware(avr, &f);
    avr_register_io_write(avr, GPIOR0, put, NULL);
    avr_register_io_write(avr, GPIOR1, take, &clock);
    avr_register_io_read(avr, GPIOR1, give, &clock);
    uint32_t pc = 0;
    while (state != cpu_Done && state != cpu_Crashed) {
        pc = avr->pc;
        state = avr_run(avr);
        if (broken) state = cpu_Crashed;
    }
    if (state == cpu_Crashed) print_place(&f, pc);
    return fflush(stdout) != 0 || state == cpu_Crashed ? 4 : avr->data[GPIOR2];
}
