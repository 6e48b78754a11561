/* SPDX-License-Identifier: Apache-2.0
 * Kernels as compilers make them of the loops that networks on microcontrollers consist of. */
#include "kernels.h"

#ifndef TIMES
#define TIMES 1 /* more: bench/iss.py */
#endif
enum { H = 8, W = 8, C = 8, N = 512 };
static int8_t a[N], b[N], image[H * W * C], filters[C * 9 * C];
static uint8_t packed[N];
static int32_t bias[C], multiplier[C];
static int8_t out[H * W * C];

static uint32_t dot8(void)
{
    int32_t sum = 0;
    for (int i = 0; i < N; i++) sum += a[i] * b[i];
    return (uint32_t)sum;
}

static uint32_t dot8_by_four(void)
{
    int32_t sum = 0;
    for (int i = 0; i < N; i += 4) sum += a[i] * b[i] + a[i + 1] * b[i + 1] + a[i + 2] * b[i + 2] + a[i + 3] * b[i + 3];
    return (uint32_t)sum;
}

static uint32_t dot4(void)
{
    int32_t sum = 0;
    for (int i = 0; i < N; i += 2) {
        const int low = (int8_t)(packed[i / 2] << 4) >> 4, high = (int8_t)packed[i / 2] >> 4;
        sum += low * a[i] + high * a[i + 1];
    }
    return (uint32_t)sum;
}

static uint32_t binary(void)
{
    uint32_t ones = 0;
    for (int i = 0; i + 4 <= N; i += 4) {
        uint32_t x = 0, y = 0;
        for (int k = 0; k < 4; k++) x = x << 8 | packed[i + k], y = y << 8 | (uint8_t)a[i + k];
        x = ~(x ^ y);
        x -= x >> 1 & 0x55555555u;
        x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
        ones += ((x + (x >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24;
    }
    return ones;
}

static int32_t requantize(int32_t acc, int32_t m)
{
    return (int32_t)(((int64_t)acc * m + (1ll << 37)) >> 38);
}

static uint32_t convolution(void)
{
    uint32_t sum = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int o = 0; o < C; o++) {
                int32_t acc = bias[o];
                for (int ky = -1; ky <= 1; ky++)
                    for (int kx = -1; kx <= 1; kx++) {
                        if (y + ky < 0 || y + ky >= H || x + kx < 0 || x + kx >= W) continue;
                        const int8_t *in = image + ((y + ky) * W + x + kx) * C, *f = filters + ((o * 3 + ky + 1) * 3 + kx + 1) * C;
                        for (int c = 0; c < C; c++) acc += in[c] * f[c];
                    }
                const int32_t q = requantize(acc, multiplier[o]);
                out[(y * W + x) * C + o] = (int8_t)(q < -128 ? -128 : q > 127 ? 127 : q);
                sum = sum * 31 + (uint8_t)out[(y * W + x) * C + o];
            }
    return sum;
}

static uint32_t max_pool(void)
{
    uint32_t sum = 0;
    for (int y = 0; y < H; y += 2)
        for (int x = 0; x < W; x += 2)
            for (int c = 0; c < C; c++) {
                int8_t most = -128;
                for (int k = 0; k < 4; k++) {
                    const int8_t v = image[((y + k / 2) * W + x + k % 2) * C + c];
                    if (v > most) most = v;
                }
                sum = sum * 31 + (uint8_t)most;
            }
    return sum;
}

static uint32_t average_pool(void)
{
    uint32_t total = 0;
    for (int c = 0; c < C; c++) {
        int32_t sum = 0;
        for (int i = c; i < H * W * C; i += C) sum += image[i];
        total = total * 31 + (uint32_t)((sum + (sum < 0 ? -32 : 32)) / (H * W));
    }
    return total;
}

int main(void)
{
    fill(a, sizeof a), fill(b, sizeof b), fill(packed, sizeof packed), fill(image, sizeof image), fill(filters, sizeof filters);
    for (int i = 0; i < C; i++) bias[i] = (int32_t)next_random() >> 20, multiplier[i] = (int32_t)(next_random() >> 1);
    for (int i = 0; i < TIMES; i++) {
        section("dot8", dot8), section("dot8_by_four", dot8_by_four), section("dot4", dot4), section("binary", binary);
        section("convolution", convolution), section("max_pool", max_pool), section("average_pool", average_pool);
    }
    return 0;
}
