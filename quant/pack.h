/* SPDX-License-Identifier: Apache-2.0
 * quant/pack.h - codes narrower than a byte as libraries keep them in memory. A packed tensor is a stream of bits, least significant bit
 * of byte 0 first; code number k of the stream has bits [k bits, (k + 1) bits). An order says which code is number k. Freestanding. */
#ifndef BITEMU_QUANT_PACK_H
#define BITEMU_QUANT_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum quant_order {
    QUANT_FLAT,    /* as they come; rows begin anywhere. TFLite INT4, CMSIS-NN, PULP-NN, CMix-NN activations */
    QUANT_WORDS,   /* every row begins at a multiple of 32 bits, the rest is 0. Larq: row = the channels of a pixel or a tap */
    QUANT_PLANES,  /* rows are channels; the 8 / bits channels of a group stand side by side: [rows / n][length][n]. PULP-NN depthwise */
    QUANT_LANES    /* rows are filters whose codes are shuffled so that expanding words of weights and of activations (other_bits wide)
                      into pairs of 16-bit lanes brings equal taps together. CMix-NN convolution weights */
} quant_order;

typedef struct quant_packing {
    quant_order order;
    int bits;       /* 1..8; PLANES and LANES: 1, 2, 4, 8 */
    int other_bits; /* LANES: of the activations, 1, 2, 4, 8 */
    bool inverted;  /* 1 bit, codes 0 and 1 = -1 and +1: bit 1 means -1 (Larq) */
} quant_packing;

/* Number in the stream of code i of row r, of rows of `length` codes. */
size_t quant_position(const quant_packing *p, size_t length, size_t r, size_t i);
/* Bytes of the stream, the last one filled up with 0 (WORDS: a multiple of 4). */
size_t quant_packed_bytes(const quant_packing *p, size_t rows, size_t length);
/* codes [rows][length], their low bits count -> bytes [quant_packed_bytes]. */
void quant_pack(const quant_packing *p, size_t rows, size_t length, const int32_t *codes, uint8_t *bytes);
/* The inverse; sign: codes are two's complement. */
void quant_unpack(const quant_packing *p, size_t rows, size_t length, bool sign, const uint8_t *bytes, int32_t *codes);

#endif
