/* SPDX-License-Identifier: Apache-2.0
 * device/boards/rv32/map.h - the RV32 system that the instruction-set simulator and the RTL harness both are: one RAM from address 0 and a
 * few registers above it. Assembler reads this file too: #define only. */
#ifndef BITEMU_DEVICE_BOARDS_RV32_MAP_H
#define BITEMU_DEVICE_BOARDS_RV32_MAP_H

#define MAP_RAM_BYTES 0x400000      /* 4 MiB unless harness, simulator and link are told otherwise (--ram, --ram, --defsym link_sram_bytes=) */
#define MAP_TRAP_VECTOR 0x0         /* exceptions arrive here; below MAP_BOOT there is nothing else */
#define MAP_BOOT 0x80               /* first instruction: what Ibex makes of boot address 0 */
#define MAP_CONSOLE 0x10000000      /* byte store: one character */
#define MAP_EXIT 0x10000004         /* word store: the exit code; the system stops */
#define MAP_TRAP_PC 0x10000008      /* word store by the trap handler: mepc */
#define MAP_TRAP_CAUSE 0x1000000c   /* word store by the trap handler: mcause; the system stops */
#define MAP_MARK 0x10000010         /* word store: ends one section of the program, names the next; the host notes the cycle */

#define MAP_STACK_PAINT 0x5a5a5a5a  /* what the stack's words hold at the start */

#endif
