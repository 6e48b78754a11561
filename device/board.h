/* SPDX-License-Identifier: Apache-2.0
 * device/board.h - what the main loop wants of a board: five functions. Your own board: write them (docs/DEVICE.md), link them. */
#ifndef BITEMU_DEVICE_BOARD_H
#define BITEMU_DEVICE_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const char board_name[];
void board_put(void *ctx, const char *text, size_t n); /* sends n characters; ctx is NULL */
bool board_cycles(uint64_t *now);                      /* reads a free-running cycle counter; false: the board has none */
size_t board_stack_bytes(void);                        /* most that the stack took so far; 0 = not known */
void board_exit(int code);                             /* 0 = done; does not return where a program can end */

#endif
