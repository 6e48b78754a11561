/* SPDX-License-Identifier: Apache-2.0 */
#include "hwmodels/scratch.h"

static int64_t blocks(int64_t n, int64_t of) { return (n + of - 1) / of; }

static bool dense(const hw_shape *s) { return s->dilation_h == 1 && s->dilation_w == 1; }

/* Helium's 1xN kernel for s8: one padded row. */
static int64_t row_bytes(const hw_shape *s, int64_t otherwise)
{
    int all = (s->out_w - 1) * s->stride_w + s->k_w - s->in_w, odd = all % 2;
    if (2 * s->pad_left + odd != all) return otherwise;
    int64_t left = s->k_w + s->pad_left, right = s->k_w - 1 + s->pad_left + odd;
    return (left > right ? left : right) * s->in_c;
}

int64_t hw_scratch_cmsis_conv(const hw_shape *s, hw_operands t, hw_build b)
{
    int64_t depth = (int64_t)s->k_h * s->k_w * s->in_c;
    if (t == HW_S16) return b == HW_BUILD_MVE ? 64 * blocks(depth, 8) : 4 * depth;
    if (s->k_h == 1 && s->k_w == 1 && s->pad_top == 0 && s->pad_left == 0 && dense(s)) return 0;
    if (b != HW_BUILD_MVE) return 4 * (t == HW_S8 ? 4 * blocks(depth, 4) : depth);
    int64_t general = 64 * blocks(depth, 16);
    bool row = s->in_h == 1 && s->k_h == 1 && s->dilation_w == 1 && (int64_t)s->stride_w * s->in_c % 4 == 0;
    return !row ? general : t == HW_S4 ? 0 : row_bytes(s, general);
}

int64_t hw_scratch_cmsis_depthwise(const hw_shape *s, hw_operands t, hw_build b)
{
    int64_t taps = (int64_t)s->k_h * s->k_w, columns = 2 * s->out_c * taps;
    enum { BLOCK = 124 }; /* channels that Helium's kernel takes at once; four pixels of each */
    if (t == HW_S8 && b == HW_BUILD_MVE && s->in_c == 1 && s->out_c > 1 && dense(s)) return hw_scratch_cmsis_conv(s, t, b) + s->out_c * taps;
    if (s->multiplier != 1 || !dense(s)) return 0;
    if (t == HW_S16) return b == HW_BUILD_MVE ? 4 * columns + 8 : b == HW_BUILD_DSP ? columns : 0;
    if (s->batch != 1) return 0;
    if (b == HW_BUILD_MVE) return 4 * BLOCK * taps;
    if (t == HW_S4) return columns;
    bool three = s->k_h == 3 && s->k_w == 3 && s->pad_top <= 1 && s->pad_left <= 1;
    return b == HW_BUILD_DSP && !three ? columns : 0;
}

int64_t hw_scratch_cmsis_average_pool(int channels, hw_build b) { return b == HW_BUILD_DSP ? 4 * (int64_t)channels : 0; }

int64_t hw_scratch_cmix(const hw_shape *s, bool depthwise)
{
    int64_t column = (int64_t)s->k_h * s->k_w * s->in_c;
    return depthwise ? column : 4 * column;
}

int64_t hw_scratch_pulp(const hw_shape *s, bool depthwise, int w_bits)
{
    enum { CORES = 8 };
    int64_t taps = (int64_t)s->k_h * s->k_w;
    if (!depthwise) return CORES * 2 * taps * s->in_c;
    int64_t rows = (int64_t)s->k_w * (s->in_h + 2 * s->pad_top) + s->k_w;
    return CORES * (rows + (w_bits > 0 && w_bits < 8 ? taps * (8 / w_bits) : 0));
}

int64_t hw_scratch_tinyengine(const hw_shape *s, bool depthwise)
{
    int64_t column = (int64_t)s->k_h * s->k_w * s->in_c;
    if (depthwise) return (int64_t)(s->in_w + 2 * s->pad_left) * (s->in_h + 2 * s->pad_top);
    return 4 * column + (s->k_h > 1 && s->in_c == 3 ? 2 * column * s->out_c : 0);
}
