/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/huffman.h - bytes of a constant when it is Huffman coded on its own (Han et al., Deep Compression, 2016):
 *   ceil(sum over codes of count x length / 8) + one byte of length for every code that the width has (canonical codes need no more)
 * The optimal prefix code; a constant of one value takes one bit an element. */
#ifndef BITEMU_HWMODELS_HUFFMAN_H
#define BITEMU_HWMODELS_HUFFMAN_H

#include <stddef.h>
#include <stdint.h>

enum { HW_HUFFMAN_CODES = 256 };
/* count: how often each of n codes occurs, n <= HW_HUFFMAN_CODES. Total bits of the coded elements. */
uint64_t hw_huffman_bits(const uint64_t *count, int n);

#endif
