/* SPDX-License-Identifier: Apache-2.0
 * model/native.h - shared by the native format's reader and writer: names and attribute keys (docs/FORMAT.md). Inside model/ only. */
#ifndef BITEMU_MODEL_NATIVE_H
#define BITEMU_MODEL_NATIVE_H

#include "base/yaml.h"
#include "model/graph.h"

enum { NATIVE_VERSION = 1 };

typedef struct native_attr { /* a number in model_attrs under its key */
    const char *key;
    size_t at;
    bool real;               /* float, else int */
} native_attr;

extern const native_attr native_attrs[];          /* ends with key NULL; padding and activation apart */
extern const char *const native_dtypes[];         /* by model_dtype, NULL-terminated */
extern const char *const native_paddings[];       /* by model_padding */
extern const char *const native_activations[];    /* by model_activation */
extern const char *const native_nestings[];       /* by model_nesting */
extern const char *const native_grid_inputs[];    /* by model_grid.binary_input */
extern const char *const native_grid_pads[];      /* by model_grid.pad_one */
/* `grid:` of a layer: a name, or a map {weights, table or terms, input, pad}. Errors stand as "line:column". */
status native_read_grid(const yaml_node *n, arena *a, const model_grid **out, err *e);
extern const char *const native_overflows[];      /* by model_overflow */
int native_default_bits(model_dtype t);

#endif
