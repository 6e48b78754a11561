/* SPDX-License-Identifier: Apache-2.0
 * emu/kernels.h - the table of operators, one row each: how to prepare, how to run.
 * prepare: once per session; turns scales into integer multipliers, unpacks weights, sizes scratch; may fail.
 * run: total, allocates nothing. A faster row must equal the reference row bit for bit, events included. */
#ifndef BITEMU_EMU_KERNELS_H
#define BITEMU_EMU_KERNELS_H

#include "emu/emu.h"
#include "emu/integers.h"

typedef struct emu_node { /* one operator of one session */
    const model_graph *graph;
    const model_subgraph *sub;
    const model_op *op;
    int index;                  /* in sub->ops */
    const emu_profile *profile;
    arena *mem;                 /* prepare allocates here, what it makes hangs on state */
    void *state;                /* the row's own */
    void **data;                /* [sub->n_tensors] bytes of every tensor; NULL where it has none */
    void **variables;           /* [graph->n_variables] streaming state */
    model_accumulator accumulator; /* asked for by the session or the layer; bits 0 = the library's own */
    int entry, candidate;       /* filled before run: entry of op->integer's table, candidate of op->choice; 0 without choices */
} emu_node;

typedef status emu_prepare_fn(emu_node *n, err *e);
typedef void emu_run_fn(emu_node *n, emu_events *ev);

/* One product of an output element. Its lane is the code of `element` minus the input's zero point, or, without one, `pad`. */
typedef struct emu_tap {
    int64_t element; /* of input 0; -1 = outside the image */
    int32_t pad;     /* lane of a tap outside: 0, or what the library pads with minus the zero point */
    int32_t weight;  /* lane: code minus zero point */
} emu_tap;
/* The products of output element `out` under n->entry and n->candidate, in the order in which they are added; their number, which
 * for taps NULL is an upper limit. 0 = the library leaves the element out. */
typedef int emu_taps_fn(const emu_node *n, size_t out, emu_tap *taps);
struct emu_mac;
typedef const struct emu_mac *emu_mac_fn(const emu_node *n); /* the common middle (emu/ref/mac.h); NULL = not in integers */

typedef status emu_integers_fn(emu_node *n, emu_integers *out, err *e); /* emu_op_integers */

typedef struct emu_kernel {
    emu_prepare_fn *prepare;
    emu_run_fn *run;
    emu_run_fn *reset; /* NULL = no state of its own */
    emu_mac_fn *mac;   /* convolutions and fully connected layers, else NULL */
    emu_taps_fn *taps; /* goes with mac */
    emu_integers_fn *integers; /* NULL = the operator has none: it moves codes, or is of another kind */
} emu_kernel;

typedef struct emu_kernels {
    emu_kernel row[MODEL_N_OPCODES];
} emu_kernels;

void emu_kernels_ref(emu_kernels *k); /* fills every row: the specification */

/* For use inside emu/: operator i of the session and its row. */
emu_node *emu_session_node(emu_session *s, int op);
const emu_kernel *emu_session_kernel(const emu_session *s, int op);

/* For use in rows: the tensor behind input/output i, NULL if left out; its bytes. */
const model_tensor *emu_in(const emu_node *n, int i);
const model_tensor *emu_out(const emu_node *n, int i);
void *emu_in_data(const emu_node *n, int i);
void *emu_out_data(const emu_node *n, int i);
/* err with where = "op 3 CONV_2D (name)". */
status emu_fail(const emu_node *n, err *e, status code, const char *fmt, ...);

#endif
