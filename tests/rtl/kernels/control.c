/* SPDX-License-Identifier: Apache-2.0
 * Code with much control flow: calls through pointers, recursion, sorting, divisions, 64-bit arithmetic of the compiler's library, copies. */
#include "kernels.h"

enum { N = 200 };
static int32_t numbers[N];
static uint8_t text[1024], copy[1024 + 8];

void *memcpy(void *restrict to, const void *restrict from, __SIZE_TYPE__ n);
void *memset(void *to, int value, __SIZE_TYPE__ n);
int memcmp(const void *x, const void *y, __SIZE_TYPE__ n);

static int32_t add(int32_t x, int32_t y) { return x + y; }
static int32_t less(int32_t x, int32_t y) { return x < y ? x : y; }
static int32_t product(int32_t x, int32_t y) { return x * y; }
static int32_t quotient(int32_t x, int32_t y) { return x / y; }
static int32_t remainder_of(int32_t x, int32_t y) { return x % y; }
static int32_t (*volatile const table[])(int32_t, int32_t) = {add, less, product, quotient, remainder_of};

static uint32_t pointers(void)
{
    int32_t x = 12345;
    for (int i = 0; i < N; i++) x = table[i % 5](x, numbers[i] >> (i % 31)) + 7;
    return (uint32_t)x;
}

static void sort(int32_t *v, int low, int high)
{
    while (low < high) {
        const int32_t pivot = v[(low + high) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i <= j) {
                const int32_t t = v[i];
                v[i++] = v[j], v[j--] = t;
            }
        }
        sort(v, low, j);
        low = i;
    }
}

static uint32_t sorting(void)
{
    uint32_t sum = 0;
    sort(numbers, 0, N - 1);
    for (int i = 0; i < N; i++) sum = sum * 31 + (uint32_t)numbers[i];
    return sum;
}

static uint32_t divisions(void)
{
    uint32_t sum = 0;
    for (int i = 0; i < N; i++) sum += (uint32_t)numbers[i] / (i + 1) + (uint32_t)(numbers[i] % (int32_t)(next_random() | 1)) + (uint32_t)(numbers[i] / (i - 100 ? i - 100 : 3));
    return sum;
}

static uint32_t wide(void)
{
    uint64_t x = 0x123456789abcdefull;
    for (int i = 1; i < 60; i++) x = x * 6364136223846793005ull + x / (uint64_t)(i * 77) + (x >> i) + (uint64_t)((int64_t)x >> (60 - i));
    return (uint32_t)(x ^ x >> 32);
}

static uint32_t copies(void)
{
    uint32_t sum = 0;
    for (int i = 0; i < 8; i++) {
        memcpy(copy + i, text + i / 2, sizeof text - 8);
        memset(copy + 3 * i, i, 30);
        sum = sum * 31 + (uint32_t)memcmp(copy, text, 5 + 10 * i);
        for (int k = 0; k + 4 < 64; k++) {
            uint32_t word;
            __builtin_memcpy(&word, copy + k, 4);
            sum += word;
        }
    }
    return sum;
}

static uint32_t fibonacci(uint32_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
static uint32_t recursion(void) { return fibonacci(12); }

static uint32_t crc(void)
{
    uint32_t c = ~0u;
    for (unsigned i = 0; i < sizeof text; i++) {
        c ^= text[i];
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
    }
    return ~c;
}

int main(void)
{
    for (int i = 0; i < N; i++) numbers[i] = (int32_t)next_random() | 1;
    fill(text, sizeof text);
    section("pointers", pointers), section("sorting", sorting), section("divisions", divisions), section("wide", wide), section("copies", copies);
    section("recursion", recursion), section("crc", crc);
    return 3; /* the exit code is compared too */
}
