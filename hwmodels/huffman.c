/* SPDX-License-Identifier: Apache-2.0 */
#include "hwmodels/huffman.h"

/* Removes the smallest of heap[0 .. *n) and returns it. */
static uint64_t take_least(uint64_t *heap, int *n)
{
    int at = 0;
    for (int i = 1; i < *n; i++)
        if (heap[i] < heap[at]) at = i;
    uint64_t least = heap[at];
    heap[at] = heap[--*n];
    return least;
}

/* Every merge of two subtrees lengthens each of their elements by one bit: the total is the sum of the merged counts. */
uint64_t hw_huffman_bits(const uint64_t *count, int n)
{
    uint64_t heap[HW_HUFFMAN_CODES], bits = 0;
    int used = 0;
    for (int i = 0; i < n; i++)
        if (count[i]) heap[used++] = count[i];
    if (used == 1) return heap[0];
    while (used > 1) {
        uint64_t a = take_least(heap, &used), b = take_least(heap, &used);
        bits += a + b;
        heap[used++] = a + b;
    }
    return bits;
}
