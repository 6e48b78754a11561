/* SPDX-License-Identifier: Apache-2.0
 * The .npy format: magic, version, header length, a Python dict literal, then the elements. Source: numpy.lib.format. */
#include "base/npy_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HEADER = 1 << 16 };

static const struct {
    const char *name, *descr;
    size_t bytes;
} types[] = {
    [NPY_BOOL] = {"bool", "|b1", 1},   [NPY_I8] = {"int8", "|i1", 1},    [NPY_U8] = {"uint8", "|u1", 1},
    [NPY_I16] = {"int16", "<i2", 2},   [NPY_U16] = {"uint16", "<u2", 2}, [NPY_I32] = {"int32", "<i4", 4},
    [NPY_U32] = {"uint32", "<u4", 4},  [NPY_I64] = {"int64", "<i8", 8},  [NPY_U64] = {"uint64", "<u8", 8},
    [NPY_F32] = {"float32", "<f4", 4}, [NPY_F64] = {"float64", "<f8", 8},
};

size_t npy_type_bytes(npy_type t) { return types[t].bytes; }
const char *npy_type_name(npy_type t) { return types[t].name; }

static status bad(err *e, size_t at, const char *what)
{
    char where[32];
    (void)snprintf(where, sizeof where, "byte %zu", at);
    return err_set(e, ST_FORMAT, where, "%s", what);
}

/* The header's dict is Python; numpy writes exactly these three keys. A cursor over its text. */
typedef struct cursor {
    const char *p, *end;
    size_t base; /* of p's buffer in the file */
    const char *start;
} cursor;

static void blank(cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\t')) c->p++;
}

static bool take(cursor *c, char ch)
{
    blank(c);
    if (c->p >= c->end || *c->p != ch) return false;
    c->p++;
    return true;
}

static bool take_text(cursor *c, char *buf, size_t room)
{
    blank(c);
    if (c->p >= c->end || (*c->p != '\'' && *c->p != '"')) return false;
    char quote = *c->p++;
    size_t n = 0;
    while (c->p < c->end && *c->p != quote && n + 1 < room) buf[n++] = *c->p++;
    buf[n] = 0;
    return take(c, quote);
}

static bool take_shape(cursor *c, npy_info *info)
{
    if (!take(c, '(')) return false;
    info->n_dims = 0;
    while (!take(c, ')')) {
        blank(c);
        int64_t v = 0;
        const char *first = c->p;
        while (c->p < c->end && *c->p >= '0' && *c->p <= '9') {
            if (v > (INT64_MAX - 9) / 10) return false;
            v = v * 10 + (*c->p++ - '0');
        }
        if (c->p == first || info->n_dims == NPY_MAX_DIMS) return false;
        info->dims[info->n_dims++] = v;
        if (!take(c, ',')) {
            if (!take(c, ')')) return false;
            break;
        }
    }
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    blank(c);
    size_t n = strlen(word);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0) return false;
    c->p += n;
    return true;
}

static status parse_type(const char *descr, size_t at, npy_type *type, err *e)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].descr, descr) == 0 || (types[i].bytes == 1 && strcmp(types[i].descr + 1, descr + 1) == 0 && descr[0])) {
            *type = (npy_type)i;
            return ST_OK;
        }
    }
    char where[32];
    (void)snprintf(where, sizeof where, "byte %zu", at);
    return err_set(e, ST_FORMAT, where, "element type '%s' is not read here; convert the array (bool, int8..int64, uint8..uint64, float32, float64)", descr);
}

static status parse_dict(cursor *c, npy_info *info, err *e)
{
    bool descr = false, order = false, shape = false;
    char text[32];
    if (!take(c, '{')) return bad(e, c->base, "the header is not a dict");
    while (!take(c, '}')) {
        size_t at = c->base + (size_t)(c->p - c->start);
        if (!take_text(c, text, sizeof text) || !take(c, ':')) return bad(e, at, "the header's dict is broken");
        at = c->base + (size_t)(c->p - c->start);
        if (strcmp(text, "descr") == 0) {
            if (!take_text(c, text, sizeof text)) return bad(e, at, "element type is not a plain one (structured arrays are not read)");
            TRY(parse_type(text, at, &info->type, e));
            descr = true;
        } else if (strcmp(text, "fortran_order") == 0) {
            if (take_word(c, "True")) return bad(e, at, "Fortran order; save with numpy.ascontiguousarray");
            if (!take_word(c, "False")) return bad(e, at, "fortran_order is neither True nor False");
            order = true;
        } else if (strcmp(text, "shape") == 0) {
            if (!take_shape(c, info)) return bad(e, at, "the shape is broken, or has more than 8 dimensions");
            shape = true;
        } else {
            return bad(e, at, "unknown key in the header");
        }
        (void)take(c, ',');
    }
    return descr && order && shape ? ST_OK : bad(e, c->base, "the header lacks descr, fortran_order or shape");
}

static status count(npy_info *info, err *e)
{
    size_t n = 1;
    for (int i = 0; i < info->n_dims; i++) {
        if (info->dims[i] && n > (SIZE_MAX >> 4) / (size_t)info->dims[i]) return bad(e, 8, "the shape holds more elements than memory can");
        n *= (size_t)info->dims[i];
    }
    info->n_elems = n;
    info->bytes = n * types[info->type].bytes;
    return ST_OK;
}

/* Length of the header that starts at p (n bytes there): where its text begins and where the data does. */
static status header_extent(const uint8_t *p, size_t n, size_t *text, size_t *data, err *e)
{
    if (n < 10 || memcmp(p, "\x93NUMPY", 6) != 0) return bad(e, 0, "not a NumPy array (magic missing)");
    if (p[6] < 1 || p[6] > 3) return bad(e, 6, "unknown version of the .npy format");
    *text = p[6] == 1 ? 10 : 12;
    if (n < *text) return bad(e, n, "ends inside the header");
    size_t len = (size_t)p[8] | (size_t)p[9] << 8;
    if (p[6] > 1) len |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
    if (len > MAX_HEADER) return bad(e, 8, "the header is longer than 64 KiB");
    *data = *text + len;
    return ST_OK;
}

static status parse_header(const uint8_t *p, size_t text, size_t data, npy_info *info, err *e)
{
    cursor c = {(const char *)p + text, (const char *)p + data, text, (const char *)p + text};
    memset(info, 0, sizeof *info);
    TRY(parse_dict(&c, info, e));
    return count(info, e);
}

status npy_parse(const uint8_t *bytes, size_t len, npy_info *info, const uint8_t **data, err *e)
{
    size_t text = 0, start = 0;
    TRY(header_extent(bytes, len, &text, &start, e));
    if (start > len) return bad(e, len, "ends inside the header");
    TRY(parse_header(bytes, text, start, info, e));
    if (info->bytes > len - start) return bad(e, len, "ends early: the header announces more elements");
    if (info->bytes < len - start) return bad(e, start + info->bytes, "bytes after the last element");
    *data = bytes + start;
    return ST_OK;
}

status npy_parse_stream(status (*read)(void *, void *, size_t, err *), void *ctx, npy_info *info, size_t *header_bytes, err *e)
{
    uint8_t head[12];
    size_t text = 0, start = 0;
    TRY(read(ctx, head, 10, e));
    if (head[6] > 1 && memcmp(head, "\x93NUMPY", 6) == 0) TRY(read(ctx, head + 10, 2, e));
    TRY(header_extent(head, sizeof head, &text, &start, e));
    uint8_t *all = malloc(start + 1);
    if (!all) return err_set(e, ST_NOMEM, "", "no memory for a header of %zu bytes", start);
    memcpy(all, head, text);
    status s = read(ctx, all + text, start - text, e);
    if (s == ST_OK) s = parse_header(all, text, start, info, e);
    free(all);
    *header_bytes = start;
    return s;
}

size_t npy_header(const npy_info *info, char *buf)
{
    char shape[160] = "";
    size_t at = 0;
    for (int i = 0; i < info->n_dims; i++)
        at += (size_t)snprintf(shape + at, sizeof shape - at, "%lld,%s", (long long)info->dims[i], i + 1 < info->n_dims ? " " : "");
    if (info->n_dims > 1) shape[at - 1] = 0; /* (3, 4) but (3,) */
    int n = snprintf(buf + 10, 246, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", types[info->type].descr, shape);
    size_t total = ((size_t)n + 10 + 1 + 63) / 64 * 64;
    memcpy(buf, "\x93NUMPY\x01", 8);
    buf[7] = 0;
    buf[8] = (char)((total - 10) & 255);
    buf[9] = (char)((total - 10) >> 8);
    memset(buf + 10 + n, ' ', total - 10 - (size_t)n - 1);
    buf[total - 1] = '\n';
    return total;
}
