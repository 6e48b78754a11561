/* SPDX-License-Identifier: Apache-2.0
 * device/kernels/xpulp.h - instructions of Xpulp (CORE-V v1) in inline assembler. GCC 12 knows none of them: they are written as .insn
 * (tests/rtl/xpulp.py has the encodings, each held against the RTL). */
#ifndef BITEMU_DEVICE_KERNELS_XPULP_H
#define BITEMU_DEVICE_KERNELS_XPULP_H

/* Loads and stores with post-increment, by an immediate or by a register. */
#define LOAD_NEXT(D, P) LOAD_ON(D, P, "4")
#define LOAD_ON(D, P, BYTES) ".insn i 0x0b, 2, " D ", " P ", " BYTES "\n"
#define LOAD(D, P, STEP) ".insn r 0x2b, 3, 0x02, " D ", " P ", " STEP "\n"
#define STORE_NEXT(S, P) ".insn s 0x2b, 2, " S ", 4(" P ")\n"
#define STORE_BYTE(S, P, STEP) ".insn r 0x2b, 3, 0x10, " STEP ", " P ", " S "\n"
/* S += four products of bytes */
#define DOT(S, X, W) ".insn r 0x7b, 1, 0x54, " S ", " X ", " W "\n"
#define MINIMUM(D, A, B) ".insn r 0x2b, 3, 0x2b, " D ", " A ", " B "\n"
#define MAXIMUM(D, A, B) ".insn r 0x2b, 3, 0x2d, " D ", " A ", " B "\n"
/* D to the codes of int8 */
#define CLIP_8(D) ".insn r 0x2b, 3, 0x38, " D ", " D ", x8\n"
/* D = (D + A + 2^(N - 1)) >> N */
#define ADD_ROUND_SHIFT(D, A, N) ".insn r 0x2b, 3, 0x42, " D ", " A ", " N "\n"
/* Byte i of D: byte M[i] & 3 of A where M[i] & 4, else of D */
#define SHUFFLE(D, A, M) ".insn r 0x7b, 1, 0x70, " D ", " A ", " M "\n"
/* Low (high) halves of A and B: A's on top */
#define PACK_LOW(D, A, B) ".insn r 0x7b, 0, 0x78, " D ", " A ", " B "\n"
#define PACK_HIGH(D, A, B) ".insn r 0x7b, 0, 0x79, " D ", " A ", " B "\n"
/* Hardware loops run LENGTH instructions, none compressed, 3 or more, COUNT times, once at least. 14: the inner, 15: the outer loop */
#define LOOP(WHICH, COUNT, LENGTH) ".insn i 0x2b, 4, x" WHICH ", " COUNT ", " LENGTH " + 1\n"
#define SIMPLE_LOOP(LENGTH, CODE) ".balign 4\n.option push\n.option norvc\n" LOOP("14", "%[count]", LENGTH) CODE ".option pop\n"

#endif
