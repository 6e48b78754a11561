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

static const char *likely(int64_t differ, int64_t total, int64_t largest)
{
    if (largest == 1) return "every difference is 1: a rounding rule";
    if (differ * 2 > total) return "most codes differ: zero point, layout (NCHW for NHWC), or other weights";
    return "few codes differ by much: saturation, padding, or one faulty channel";
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
    d->hint = likely(d->differ, d->total, d->largest);
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
