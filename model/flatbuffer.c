/* SPDX-License-Identifier: Apache-2.0 */
#include "model/flatbuffer.h"

#include <stdio.h>
#include <string.h>

static status bad(size_t at, const char *what, err *e)
{
    char where[32];
    (void)snprintf(where, sizeof where, "byte %zu", at);
    return err_set(e, ST_FORMAT, where, "%s; the model file is corrupt", what);
}

static bool inside(const fb_buffer *b, size_t at, size_t n) { return at <= b->len && n <= b->len - at; }

static uint32_t u16_at(const fb_buffer *b, size_t at) { return (uint32_t)b->bytes[at] | (uint32_t)b->bytes[at + 1] << 8; }
static uint32_t u32_at(const fb_buffer *b, size_t at) { return u16_at(b, at) | u16_at(b, at + 2) << 16; }
static uint64_t u64_at(const fb_buffer *b, size_t at) { return (uint64_t)u32_at(b, at) | (uint64_t)u32_at(b, at + 4) << 32; }

/* Follows the forward offset stored at `at`. */
static status follow(const fb_buffer *b, size_t at, size_t *to, err *e)
{
    if (!inside(b, at, 4)) return bad(at, "an offset lies outside the file", e);
    uint32_t off = u32_at(b, at);
    if (off == 0 || off > b->len - at) return bad(at, "an offset points outside the file", e);
    *to = at + off;
    return ST_OK;
}

static status table_at(const fb_buffer *b, size_t at, fb_table *t, err *e)
{
    if (!inside(b, at, 4)) return bad(at, "a table lies outside the file", e);
    int64_t vt = (int64_t)at - (int32_t)u32_at(b, at);
    if (vt < 0 || !inside(b, (size_t)vt, 4)) return bad(at, "a table's vtable lies outside the file", e);
    size_t n = u16_at(b, (size_t)vt), size = u16_at(b, (size_t)vt + 2);
    if (n < 4 || n % 2 || !inside(b, (size_t)vt, n) || !inside(b, at, size)) return bad((size_t)vt, "a vtable is broken", e);
    *t = (fb_table){b, at, (size_t)vt, n};
    return ST_OK;
}

status fb_root(const fb_buffer *b, fb_table *t, err *e)
{
    size_t at = 0;
    if (b->len > INT32_MAX) return bad(0, "larger than 2 GiB", e);
    TRY(follow(b, 0, &at, e));
    return table_at(b, at, t, e);
}

/* Where field's n bytes stand; 0 = left out. */
static status field_at(const fb_table *t, int field, size_t n, size_t *at, err *e)
{
    size_t slot = 4 + 2 * (size_t)field;
    *at = 0;
    if (slot + 2 > t->vtable_bytes) return ST_OK;
    uint32_t off = u16_at(t->b, t->vtable + slot);
    if (off == 0) return ST_OK;
    if (!inside(t->b, t->at + off, n)) return bad(t->at + off, "a field lies outside the file", e);
    *at = t->at + off;
    return ST_OK;
}

status fb_i32(const fb_table *t, int field, int32_t dflt, int32_t *out, err *e)
{
    size_t at;
    TRY(field_at(t, field, 4, &at, e));
    *out = at ? (int32_t)u32_at(t->b, at) : dflt;
    return ST_OK;
}

status fb_u8(const fb_table *t, int field, uint8_t dflt, uint8_t *out, err *e)
{
    size_t at;
    TRY(field_at(t, field, 1, &at, e));
    *out = at ? t->b->bytes[at] : dflt;
    return ST_OK;
}

status fb_u64(const fb_table *t, int field, uint64_t dflt, uint64_t *out, err *e)
{
    size_t at;
    TRY(field_at(t, field, 8, &at, e));
    *out = at ? u64_at(t->b, at) : dflt;
    return ST_OK;
}

static float as_float(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

status fb_f32(const fb_table *t, int field, float dflt, float *out, err *e)
{
    size_t at;
    TRY(field_at(t, field, 4, &at, e));
    *out = at ? as_float(u32_at(t->b, at)) : dflt;
    return ST_OK;
}

status fb_sub(const fb_table *t, int field, fb_table *out, bool *present, err *e)
{
    size_t at, to;
    TRY(field_at(t, field, 4, &at, e));
    *present = at != 0;
    if (!at) return ST_OK;
    TRY(follow(t->b, at, &to, e));
    return table_at(t->b, to, out, e);
}

status fb_vec(const fb_table *t, int field, size_t elem_bytes, fb_vector *out, err *e)
{
    size_t at, to;
    *out = (fb_vector){.b = t->b};
    TRY(field_at(t, field, 4, &at, e));
    if (!at) return ST_OK;
    TRY(follow(t->b, at, &to, e));
    if (!inside(t->b, to, 4)) return bad(to, "a vector lies outside the file", e);
    size_t n = u32_at(t->b, to);
    if (n > (t->b->len - to - 4) / elem_bytes) return bad(to, "a vector runs past the end of the file", e);
    *out = (fb_vector){t->b, to + 4, n, true};
    return ST_OK;
}

status fb_vec_table(const fb_vector *v, size_t i, fb_table *out, err *e)
{
    size_t to = 0;
    TRY(follow(v->b, v->at + 4 * i, &to, e));
    return table_at(v->b, to, out, e);
}

status fb_text(const fb_table *t, int field, const char **text, size_t *len, err *e)
{
    fb_vector v;
    TRY(fb_vec(t, field, 1, &v, e));
    *text = v.present ? (const char *)v.b->bytes + v.at : NULL;
    *len = v.n;
    return ST_OK;
}

int32_t fb_vec_i32(const fb_vector *v, size_t i) { return (int32_t)u32_at(v->b, v->at + 4 * i); }
int64_t fb_vec_i64(const fb_vector *v, size_t i) { return (int64_t)u64_at(v->b, v->at + 8 * i); }
float fb_vec_f32(const fb_vector *v, size_t i) { return as_float(u32_at(v->b, v->at + 4 * i)); }
