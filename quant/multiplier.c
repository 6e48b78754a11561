/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/multiplier.h"

#include <math.h>

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
    for (int i = 0; i < 256; i++) {
        double v = round(65536.0 / (1.0 + exp(-i / 24.0)));
        table[i] = (uint16_t)(v > 65535 ? 65535 : v);
    }
}
