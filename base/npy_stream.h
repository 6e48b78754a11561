/* SPDX-License-Identifier: Apache-2.0
 * base/npy_stream.h - between base/npy.c (the format) and base/npz.c (where bytes come from). Not for other folders. */
#ifndef BITEMU_BASE_NPY_STREAM_H
#define BITEMU_BASE_NPY_STREAM_H

#include "base/npy.h"

/* Reads a header through `read`, which delivers exactly the bytes asked for or fails. header_bytes: where the data starts. */
status npy_parse_stream(status (*read)(void *, void *, size_t, err *), void *ctx, npy_info *info, size_t *header_bytes, err *e);

#endif
