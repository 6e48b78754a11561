/* SPDX-License-Identifier: Apache-2.0
 * base/npy.h - NumPy's .npy and .npz, read and written, bounds-checked.
 * Read: format 1.0-3.0, C order, little endian (or one-byte) types |b1 |i1 |u1 <i2 <u2 <i4 <u4 <i8 <u8 <f4 <f8. <U strings only by npy_text. */
#ifndef BITEMU_BASE_NPY_H
#define BITEMU_BASE_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum { NPY_MAX_DIMS = 8 };
typedef enum npy_type { NPY_BOOL, NPY_I8, NPY_U8, NPY_I16, NPY_U16, NPY_I32, NPY_U32, NPY_I64, NPY_U64, NPY_F32, NPY_F64 } npy_type;
size_t npy_type_bytes(npy_type t);
const char *npy_type_name(npy_type t); /* "int8" ... */

typedef struct npy_info {
    npy_type type;
    int n_dims;
    int64_t dims[NPY_MAX_DIMS];
    size_t n_elems, bytes; /* of all elements */
} npy_info;

/* Header of a whole .npy in memory; *data points into bytes and info->bytes of it are there. ST_FORMAT with "byte N". */
status npy_parse(const uint8_t *bytes, size_t len, npy_info *info, const uint8_t **data, err *e);

/* An array on disk read row by row (axis 0): a .npy file, or member `name` ("in0") of an .npz (zip; stored or deflated).
 * Constant memory: one row. */
typedef struct npy_reader npy_reader;
status npy_open(const char *path, const char *member, npy_reader **out, err *e); /* member NULL: a plain .npy */
const npy_info *npy_reader_info(const npy_reader *r);
size_t npy_row_bytes(const npy_reader *r);                  /* bytes per step of axis 0 */
status npy_read_row(npy_reader *r, void *row, err *e);      /* next row; ST_FORMAT when the data ends early, ST_ARG past the last */
status npy_skip_rows(npy_reader *r, int64_t n, err *e);
void npy_close(npy_reader **r);
bool npy_is_zip(const char *path);                          /* starts with "PK" */
status npy_members(const char *path, arena *a, char ***names, int *n, err *e); /* names of an .npz without ".npy" */
/* Whole array into a. member as for npy_open. */
status npy_load(const char *path, const char *member, arena *a, npy_info *info, const void **data, err *e);

/* An .npz written member by member, rows streamed (spooled to temporary files, memory constant). Complete or not at all. */
typedef struct npz_writer npz_writer;
status npz_create(const char *path, npz_writer **out, err *e);
/* info->dims[0] may be -1: unknown until commit, counted from the rows put. Returns a handle in *member. */
status npz_add(npz_writer *w, const char *name, const npy_info *info, int *member, err *e);
status npz_put(npz_writer *w, int member, const void *data, size_t bytes, err *e);
status npz_commit(npz_writer **w, err *e); /* destroys w in any case */
void npz_discard(npz_writer **w);
/* A zip archive with text/npy members given whole, atomically (used by the native model writer). */
typedef struct zip_member { const char *name; const void *data; size_t bytes; } zip_member;
status zip_write(const char *path, const zip_member *m, int n, err *e);
/* Header bytes (multiple of 64) of a .npy of this type and shape; returns their length, at most 256. buf holds 256. */
size_t npy_header(const npy_info *info, char *buf);

#endif
