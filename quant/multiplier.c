/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/multiplier.h"

#include <math.h>
#include <stddef.h>

void quant_multiplier(double real, int32_t *m, int *s)
{
    *m = 0;
    *s = 0;
    if (!(real > 0) || isinf(real)) return;
    int64_t q = (int64_t)round(frexp(real, s) * 2147483648.0);
    if (q == (int64_t)1 << 31) {
        q /= 2;
        ++*s;
    }
    if (*s < -31) {
        *s = 0;
        q = 0;
    }
    *m = (int32_t)q;
}

float quant_round_f32(float x) { return roundf(x); }

int32_t quant_affine(float v, float scale, int32_t zero, int32_t low, int32_t high)
{
    float q = roundf(v / scale);
    if (!(q > -2147483648.0f)) return low; /* also NaN */
    if (q >= 2147483648.0f) return high;
    int64_t code = (int64_t)q + zero;
    return code < low ? low : code > high ? high : (int32_t)code;
}

void quant_sigmoid_table(uint16_t table[256])
{
    /* The library's table lies one above the rounded function at these entries (its outputs show it, all others are exact). */
    static const uint8_t above[] = {4,  8,  12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29,  30,  31,  33,  34,  35,  37,  39,
                                    40, 41, 43, 44, 45, 46, 49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255};
    for (int i = 0; i < 256; i++) table[i] = (uint16_t)round(65536.0 / (1.0 + exp(-i / 24.0)));
    for (size_t k = 0; k < sizeof above; k++) table[above[k]]++;
}
