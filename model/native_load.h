/* SPDX-License-Identifier: Apache-2.0
 * model/native_load.h - pieces of the native format's reader that its files share. Inside model/ only. Errors stand as
 * "model.yaml:line:column" or name the member. */
#ifndef BITEMU_MODEL_NATIVE_LOAD_H
#define BITEMU_MODEL_NATIVE_LOAD_H

#include <zip.h>

#include "base/npy.h"
#include "model/native.h"

typedef struct native_loader {
    zip_t *zip;
    arena *a;
    model_graph *g;
    uint64_t unpacked; /* bytes taken out so far: bounds a zip bomb */
    err *e;
} native_loader;


status native_nomem(native_loader *l);
status native_member(native_loader *l, const char *name, const uint8_t **data, size_t *len); /* bytes in the arena */
/* The array that node n names, of this type. */
status native_array(native_loader *l, const yaml_node *n, npy_type type, npy_info *info, const void **data);
/* A list of integers within [min, max]. */
status native_integers(native_loader *l, const yaml_node *list, const char *what, int64_t min, int64_t max, int32_t **out, int *n);
status native_find_choice(native_loader *l, const yaml_node *n, int *out);
/* `integer:` of a layer whose weights have out_c output channels (0 = it has none). */
status native_read_integer(native_loader *l, const yaml_node *n, int out_c, const model_integer **out);

#endif
