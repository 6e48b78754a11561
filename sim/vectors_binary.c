/* SPDX-License-Identifier: Apache-2.0
 * Larq Compute Engine's binary convolution and pool on recorded cases. Codes are +1 and -1; bit 1 stands for -1, 32 channels a word.
 *   p = sum over taps of popcount(x xor w); x2 = clamp(2p, clamp_min, clamp_max)
 *   bits: p > threshold; float: x2 m + b; int8: round half away(x2 m + b) clamped
 * Padding: pad_value 1 = codes +1; 0 = in_c / 2 (rounded down) per tap. Source: BConv2DReference. */
#include <math.h>
#include <string.h>

#include "sim/vectors_case.h"

typedef struct shape {
    int in_h, in_w, in_c, k_h, k_w, out_c, out_h, out_w, groups, depth;
} shape;

static int popcount_at(const vec_case *c, const shape *s, const vec_array *x, const vec_array *w, int oy, int ox, int oc)
{
    int p = 0, group = oc / (s->out_c / s->groups);
    for (int ky = 0; ky < s->k_h; ky++) {
        for (int kx = 0; kx < s->k_w; kx++) {
            int iy = oy * vec_int(c, "stride_h", 1) + ky * vec_int(c, "dil_h", 1) - vec_int(c, "pad_top", 0);
            int ix = ox * vec_int(c, "stride_w", 1) + kx * vec_int(c, "dil_w", 1) - vec_int(c, "pad_left", 0);
            bool outside = iy < 0 || iy >= s->in_h || ix < 0 || ix >= s->in_w;
            if (outside && !vec_int(c, "pad_value", 0)) {
                p += s->depth / 2;
                continue;
            }
            for (int i = 0; i < s->depth; i++) {
                int64_t a = outside ? 1 : vec_value(x, (size_t)((iy * s->in_w + ix) * s->in_c + group * s->depth + i));
                p += a != vec_value(w, (size_t)(((oc * s->k_h + ky) * s->k_w + kx) * s->depth + i));
            }
        }
    }
    return p;
}

static int64_t finish(const vec_case *c, int p, const vec_array *m, const vec_array *b, npy_type type, int oc)
{
    int x2 = 2 * p, low = vec_int(c, "clamp_min", 0), high = vec_int(c, "clamp_max", INT32_MAX);
    x2 = x2 < low ? low : x2 > high ? high : x2;
    float y = (float)x2 * ((const float *)m->data)[oc];
    y = y + ((const float *)b->data)[oc];
    int32_t word;
    if (type == NPY_F32) {
        memcpy(&word, &y, sizeof word);
        return word;
    }
    float r = roundf(y);
    return r < -128 ? -128 : r > 127 ? 127 : (int64_t)r;
}

static status convolution(const vec_case *c, const vec_array *want, int64_t *got)
{
    vec_array x, w, t, m, b;
    if (!vec_get(c, "input", &x) || !vec_get(c, "weights", &w) || x.n_dims != 4 || w.n_dims != 4) return err_set(c->e, ST_FORMAT, "", "input or weights are no images");
    bool bits = vec_get(c, "thresholds", &t), real = vec_get(c, "multiplier", &m) && vec_get(c, "bias", &b);
    shape s = {(int)x.dims[1], (int)x.dims[2], (int)x.dims[3], (int)w.dims[1], (int)w.dims[2], (int)w.dims[0], vec_int(c, "out_h", 0), vec_int(c, "out_w", 0),
               vec_int(c, "groups", 1), (int)w.dims[3]};
    int words = (s.out_c + 31) / 32, step = bits ? words : s.out_c;
    bool fits = s.groups >= 1 && s.out_c % s.groups == 0 && s.depth * s.groups == s.in_c && want->n == (size_t)s.out_h * (size_t)s.out_w * (size_t)step;
    if (!fits || (!bits && !real) || (bits ? t.n : m.n) < (size_t)s.out_c || (real && !bits && b.n < (size_t)s.out_c))
        return err_set(c->e, ST_FORMAT, "", "shapes contradict each other");
    for (int at = 0; at < s.out_h * s.out_w; at++) {
        for (int oc = 0; oc < s.out_c; oc++) {
            int p = popcount_at(c, &s, &x, &w, at / s.out_w, at % s.out_w, oc);
            if (bits)
                got[at * step + oc / 32] |= (int64_t)(p > vec_value(&t, (size_t)oc)) << (oc % 32);
            else
                got[at * step + oc] = finish(c, p, &m, &b, want->type, oc);
        }
    }
    return ST_OK;
}

/* The largest of +1 and -1 over the window: the AND of their bits. */
static status pool(const vec_case *c, const vec_array *want, int64_t *got)
{
    vec_array x;
    if (!vec_get(c, "input_packed", &x) || x.n_dims != 4) return err_set(c->e, ST_FORMAT, "", "no packed input");
    int in_h = (int)x.dims[1], in_w = (int)x.dims[2], words = (int)x.dims[3], out_w = vec_int(c, "out_w", 0), out_h = vec_int(c, "out_h", 0);
    int stride_h = vec_int(c, "stride_h", vec_int(c, "stride", 1)), stride_w = vec_int(c, "stride_w", vec_int(c, "stride", 1));
    if (want->n != (size_t)out_h * (size_t)out_w * (size_t)words) return err_set(c->e, ST_FORMAT, "", "shapes contradict each other");
    for (int oy = 0; oy < out_h; oy++)
        for (int ox = 0; ox < out_w; ox++)
            for (int k = 0; k < words; k++) {
                int64_t all = -1;
                for (int y = oy * stride_h - vec_int(c, "pad_top", 0), ey = y + vec_int(c, "k_h", 1); y < ey; y++)
                    for (int xx = ox * stride_w - vec_int(c, "pad_left", 0), ex = xx + vec_int(c, "k_w", 1); xx < ex; xx++)
                        if (y >= 0 && y < in_h && xx >= 0 && xx < in_w) all &= vec_value(&x, (size_t)((y * in_w + xx) * words + k));
                got[(oy * out_w + ox) * words + k] = all;
            }
    return ST_OK;
}

status vec_binary(const vec_case *c, const char *role, int64_t **got, size_t *n)
{
    vec_array want;
    bool conv = strcmp(c->file->op, "bconv2d") == 0;
    if ((!conv && strcmp(c->file->op, "bmaxpool") != 0) || !vec_get(c, role, &want)) return ST_UNSUPPORTED;
    *n = want.n;
    *got = arena_alloc(c->mem, want.n, sizeof **got);
    if (!*got) return err_set(c->e, ST_NOMEM, "", "no memory");
    TRY(conv ? convolution(c, &want, *got) : pool(c, &want, *got));
    for (size_t i = 0; conv && want.type == NPY_I32 && i < want.n; i++) (*got)[i] = (*got)[i] > INT32_MAX ? (*got)[i] - ((int64_t)1 << 32) : (*got)[i];
    return ST_OK;
}
