/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

static const struct { const char *name, *summary; int (*run)(int, char **); } commands[] = {
    {"run", "run a network on inputs: exact integers, per-input bits, costs on a board, trace", cmd_run},
    {"compare", "two traces, dumps or board logs: the first divergence, or equal; an estimate against measured cycles", cmd_compare},
    {"cost", "what a network costs on a board, without inputs: cycles, energy, memory, worst case", cmd_cost},
    {"export", "C sources for a board: packed weights, tables, runtime, known answers", cmd_export},
    {"calibrate", "fits a software stack's cycles per instruction to measurements; residuals, errors with a board left out", cmd_calibrate},
    {"check", "can an accumulator overflow? exact bounds for every layer and choice of bits, and the input that does it", cmd_check},
    {"inspect", "what a model file holds; converts to the native format", cmd_inspect},
    {"iss", "run a RISC-V firmware, cycles equal to the core's RTL", cmd_iss},
    {"plan", "memory plan: SRAM at every operator, flash", cmd_plan},
    {"boards", "boards whose costs are known", cmd_boards},
    {"profiles", "arithmetics that can be emulated", cmd_profiles},
    {"vectors", "replay recorded kernel vectors: does the emulator answer what the library did?", cmd_vectors},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void usage(FILE *f)
{
    (void)fprintf(f, "bitemu " BITEMU_VERSION " - what a quantized network computes and costs on a microcontroller, bit for bit\n\n"
                     "usage: bitemu COMMAND ...      bitemu COMMAND --help teaches the command\n\n");
    for (int i = 0; i < N_COMMANDS; i++) (void)fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].summary);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("bitemu " BITEMU_VERSION);
        return 0;
    }
    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            int code = commands[i].run(argc - 2, argv + 2);
            if (fflush(stdout) != 0 || ferror(stdout)) {
                (void)fprintf(stderr, "bitemu: standard output: write failed\n");
                return code ? code : 4;
            }
            return code;
        }
    }
    (void)fprintf(stderr, "bitemu: '%s' is not a command; bitemu --help lists them\n", argv[1]);
    return 2;
}
