/* SPDX-License-Identifier: Apache-2.0
 * model/flatbuffer.h - verified reading of a flatbuffer: every access checks its offset against the buffer first, no alignment is
 * assumed, nothing is allocated. Format: FlatBuffers internals (tables, vtables, vectors, strings; little endian). */
#ifndef BITEMU_MODEL_FLATBUFFER_H
#define BITEMU_MODEL_FLATBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct fb_buffer {
    const uint8_t *bytes;
    size_t len; /* <= INT32_MAX */
} fb_buffer;

typedef struct fb_table {
    const fb_buffer *b;
    size_t at;          /* of the table */
    size_t vtable, vtable_bytes;
} fb_table;

typedef struct fb_vector {
    const fb_buffer *b;
    size_t at;          /* of element 0 */
    size_t n;           /* 0 when the field is left out */
    bool present;
} fb_vector;

/* The root table. ST_FORMAT with "byte N". */
status fb_root(const fb_buffer *b, fb_table *t, err *e);

/* Scalars: dflt when the field is left out. */
status fb_i32(const fb_table *t, int field, int32_t dflt, int32_t *out, err *e);
status fb_u8(const fb_table *t, int field, uint8_t dflt, uint8_t *out, err *e);
status fb_u64(const fb_table *t, int field, uint64_t dflt, uint64_t *out, err *e);
status fb_f32(const fb_table *t, int field, float dflt, float *out, err *e);

/* Sub-table; *present = false when left out. */
status fb_sub(const fb_table *t, int field, fb_table *out, bool *present, err *e);
/* Vector of elements of elem_bytes each, whole extent checked. */
status fb_vec(const fb_table *t, int field, size_t elem_bytes, fb_vector *out, err *e);
/* Element i (< n) of a vector of tables. */
status fb_vec_table(const fb_vector *v, size_t i, fb_table *out, err *e);
/* Text without its 0; NULL, 0 when left out. */
status fb_text(const fb_table *t, int field, const char **text, size_t *len, err *e);

int32_t fb_vec_i32(const fb_vector *v, size_t i); /* i < n, checked vectors only */
int64_t fb_vec_i64(const fb_vector *v, size_t i);
float fb_vec_f32(const fb_vector *v, size_t i);

#endif
