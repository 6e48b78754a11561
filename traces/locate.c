/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/locate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/npy.h"

static status load_row(const char *path, const char *member, int64_t row, npy_reader **r, void **data, err *e)
{
    TRY(npy_open(path, member, r, e));
    const npy_info *i = npy_reader_info(*r);
    if (i->n_dims < 1 || row >= i->dims[0]) return err_set(e, ST_FORMAT, path, "%s has no row %lld", member, (long long)row);
    *data = malloc(npy_row_bytes(*r) + 1);
    if (!*data) return err_set(e, ST_NOMEM, path, "no memory");
    TRY(npy_skip_rows(*r, row, e));
    return npy_read_row(*r, *data, e);
}

static int64_t code(const void *p, npy_type t, size_t i)
{
    switch (t) {
    case NPY_I8: return ((const int8_t *)p)[i];
    case NPY_U8: case NPY_BOOL: return ((const uint8_t *)p)[i];
    case NPY_I16: return ((const int16_t *)p)[i];
    case NPY_U16: return ((const uint16_t *)p)[i];
    case NPY_I32: case NPY_F32: return ((const int32_t *)p)[i];
    case NPY_U32: return ((const uint32_t *)p)[i];
    case NPY_I64: case NPY_U64: case NPY_F64: break;
    }
    return ((const int64_t *)p)[i];
}

/* What all codes that differ have in common. */
typedef struct likeness {
    bool one_shift, one_channel, ends_a, ends_b; /* got - expected is the same; ... the channel; they lie at an end of all codes of that side */
} likeness;

static void range(const void *p, const npy_info *info, size_t n, int64_t *low, int64_t *high)
{
    *low = *high = n ? code(p, info->type, 0) : 0;
    for (size_t i = 1; i < n; i++) {
        int64_t v = code(p, info->type, i);
        *low = v < *low ? v : *low;
        *high = v > *high ? v : *high;
    }
}

static likeness compare_codes(const npy_info *info, const void *a, const void *b, size_t n, size_t first)
{
    int64_t low_a, high_a, low_b, high_b, shift = code(b, info->type, first) - code(a, info->type, first);
    size_t channels = info->n_dims > 1 && info->dims[info->n_dims - 1] ? (size_t)info->dims[info->n_dims - 1] : 1;
    likeness l = {true, channels > 1, true, true};
    range(a, info, n, &low_a, &high_a);
    range(b, info, n, &low_b, &high_b);
    for (size_t i = first; i < n; i++) {
        int64_t x = code(a, info->type, i), y = code(b, info->type, i);
        if (x == y) continue;
        l.one_shift = l.one_shift && y - x == shift;
        l.one_channel = l.one_channel && i % channels == first % channels;
        l.ends_a = l.ends_a && (x == low_a || x == high_a);
        l.ends_b = l.ends_b && (y == low_b || y == high_b);
    }
    return l;
}

/* Are b's codes those of a, [n, h, w, c], as they lie in [n, c, h, w]? */
static bool transposed(const npy_info *info, const void *a, const void *b)
{
    if (info->n_dims != 5) return false; /* inputs, then n h w c */
    size_t batch = (size_t)info->dims[1], pixels = (size_t)info->dims[2] * (size_t)info->dims[3], channels = (size_t)info->dims[4];
    for (size_t i = 0; i < batch * pixels * channels; i++) {
        size_t c = i % channels, pixel = i / channels % pixels, n = i / channels / pixels;
        if (code(a, info->type, i) != code(b, info->type, (n * channels + c) * pixels + pixel)) return false;
    }
    return true;
}

static const char *likely(const npy_info *info, const void *a, const void *b, const compare_divergence *d)
{
    likeness l = compare_codes(info, a, b, (size_t)d->total, (size_t)d->element);
    bool most = d->differ * 2 > d->total;
    if (transposed(info, a, b)) return "the same codes in another layout: NCHW for NHWC";
    if (d->largest == 1) return "every difference is 1: a rounding rule";
    if (l.one_shift && most) return "every code is off by the same number: the zero point (128: int8 for uint8)";
    if (l.one_channel) return "one channel alone differs: its weights, bias or multiplier";
    if (!most && (l.ends_a || l.ends_b)) return "every code that differs is the least or the greatest on one side: saturation or a clamp";
    if (most) return "most codes differ: other weights, another input to this layer";
    return "few codes differ by much: padding, or an accumulator that wrapped";
}

static void locate(const npy_info *info, const void *a, const void *b, compare_divergence *d)
{
    size_t n = info->dims[0] ? info->n_elems / (size_t)info->dims[0] : 0;
    int64_t first = -1;
    for (size_t i = 0; i < n; i++) {
        int64_t x = code(a, info->type, i), y = code(b, info->type, i), gap = x > y ? x - y : y - x;
        if (gap == 0) continue;
        if (first < 0) first = (int64_t)i;
        d->differ++;
        d->largest = gap > d->largest ? gap : d->largest;
    }
    d->total = (int64_t)n;
    d->element = first;
    if (first < 0) {
        d->hint = "the dumps agree here: they are not of these runs";
        return;
    }
    d->has_values = true;
    d->expected = code(a, info->type, (size_t)first);
    d->got = code(b, info->type, (size_t)first);
    d->n_dims = info->n_dims - 1;
    for (int k = d->n_dims, rest = (int)first; k > 0; k--) {
        d->at[k - 1] = rest % (int)info->dims[k];
        rest /= (int)info->dims[k];
    }
    d->hint = likely(info, a, b, d);
}

status compare_locate(const char *dump_a, const char *dump_b, compare_divergence *d, err *e)
{
    char member[32];
    npy_reader *a = NULL, *b = NULL;
    void *row_a = NULL, *row_b = NULL;
    (void)snprintf(member, sizeof member, "t%d", d->layer);
    status s = load_row(dump_a, member, d->input, &a, &row_a, e);
    if (s == ST_OK) s = load_row(dump_b, member, d->input, &b, &row_b, e);
    if (s == ST_OK && (npy_reader_info(a)->type != npy_reader_info(b)->type || npy_row_bytes(a) != npy_row_bytes(b)))
        s = err_set(e, ST_FORMAT, dump_b, "%s has another type or shape than in %s", member, dump_a);
    if (s == ST_OK) locate(npy_reader_info(a), row_a, row_b, d);
    npy_close(&a);
    npy_close(&b);
    free(row_a);
    free(row_b);
    return s;
}
