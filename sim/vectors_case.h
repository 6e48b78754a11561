/* SPDX-License-Identifier: Apache-2.0
 * sim/vectors_case.h - one recorded case: its parameters, its arrays, and the one-operator graph that replays it. */
#ifndef BITEMU_SIM_VECTORS_CASE_H
#define BITEMU_SIM_VECTORS_CASE_H

#include <jansson.h>

#include "base/npy.h"
#include "emu/profile.h"
#include "model/graph.h"

typedef struct vec_array { /* one role of one case */
    npy_type type;
    int n_dims;
    int64_t dims[NPY_MAX_DIMS];
    size_t n;
    const void *data;
} vec_array;

enum { VEC_MAX_ROLES = 24 };
typedef struct vec_file {
    const char *path, *library, *op, *bits;
    json_t *root, *cases;
    int n_roles;
    const char *role[VEC_MAX_ROLES];
    npy_info info[VEC_MAX_ROLES];
    const void *data[VEC_MAX_ROLES];
} vec_file;

typedef struct vec_case {
    const vec_file *file;
    json_t *json;
    arena *mem;
    err *e;
} vec_case;

/* The arrays' reading; false = absent. Bounds were checked before. */
bool vec_get(const vec_case *c, const char *role, vec_array *out);
status vec_check(const vec_case *c); /* every role's shape and offset against its array */
int64_t vec_value(const vec_array *a, size_t i);
int vec_int(const vec_case *c, const char *key, int otherwise);
double vec_real(const vec_case *c, const char *key, double otherwise);
const char *vec_text(const vec_case *c, const char *key, const char *otherwise);

typedef struct vec_input {
    int tensor;
    const void *data;
} vec_input;
typedef struct vec_graph {
    model_graph graph;
    model_subgraph sub;
    model_tensor tensors[6];
    model_op op;
    model_integer integer;
    model_grid grid;
    int inputs[4], outputs[1], n_feeds;
    vec_input feeds[2]; /* run-time inputs */
    int fed[2];         /* their tensors */
    bool packed;        /* the recorded output holds bits of binary codes, 32 channels a word */
    int out_bits;       /* of a code of the output as the library packs it; 0 = a byte or more */
} vec_graph;

/* The graph of a case. ST_UNSUPPORTED: no such operator here. */
status vec_build(const vec_case *c, const emu_profile *p, vec_graph *g);
/* Cases that are no network operator but one primitive (requantize, exp ...): *got is filled as int64 values. ST_UNSUPPORTED: it is none. */
status vec_primitive(const vec_case *c, const emu_profile *p, const char *role, int64_t **got, size_t *n);
/* For builders. A tensor of g, its index; inputs to feed; the one operator; n times v (NULL: no memory). */
int vec_tensor(vec_graph *g, const char *name, model_dtype type, int n_dims, const int64_t *dims, const void *data);
void vec_feed(vec_graph *g, int t, const void *data);
void vec_finish(vec_graph *g, model_opcode code, int n_inputs, int out);
int32_t *vec_ints(const vec_case *c, int n, int32_t v);
/* Larq's binary convolution and pool (sim/vectors_binary.c). */
status vec_binary_conv(const vec_case *c, const emu_profile *p, vec_graph *g);
status vec_binary_pool(const vec_case *c, const emu_profile *p, vec_graph *g);
/* Codes 0, 1 of [rows][channels] as Larq packs them: bit 1 is -1, 32 channels a word, as int64 values. NULL: no memory. */
int64_t *vec_binary_pack(const vec_case *c, const model_tensor *t, const void *codes, size_t *n);
/* Packed arrays against the profile's packing order, both ways. *differ and text are set if they disagree. */
status vec_packing(const vec_case *c, const emu_profile *p, bool *differ, char *text, size_t size);
/* Why a case that differs or is refused is a defect of the library (reads out of bounds, undefined), NULL = it is not. */
const char *vec_defect(const vec_case *c);

#endif
