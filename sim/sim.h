/* SPDX-License-Identifier: Apache-2.0
 * sim/sim.h - joins the layers: a model on a board under a policy, one input at a time.
 *   sim_setup  = what stays the same for every input (graph, profile, policy, prices); read only, shared by threads
 *   sim_worker = one emulator session and the results of the input it ran last; one per thread */
#ifndef BITEMU_SIM_SIM_H
#define BITEMU_SIM_SIM_H

#include "controller/controller.h"
#include "emu/emu.h"
#include "hwmodels/hw.h"
#include "model/graph.h"

typedef struct sim_config {
    const char *model;   /* path */
    const char *profile; /* NULL = the model's own, or tflm */
    const char *policy;  /* NULL = controller if the model has one, else none */
    const char *board;   /* name or path; NULL = no prices */
    const char *accumulator; /* "16:saturate": of every convolution and fully connected layer; NULL = the layers' own */
    bool reset_each;     /* streaming state starts afresh with every input */
    bool keep_tensors;   /* rows keep every operator's output, for dumps */
} sim_config;

typedef struct sim_setup {
    arena *mem;
    model_graph *graph;
    const emu_profile *profile;
    controller policy;
    model_accumulator accumulator; /* bits 0 = the layers' own */
    const char *accumulator_text;  /* "16:saturate", NULL = the layers' own */
    bool saturates;             /* some layer's accumulator may saturate: reports have a column for it */
    const char *policy_text;    /* as given or defaulted; "static" when the model has no choices */
    controller_choice *choices; /* [graph->n_choices] */
    int *decide_at;             /* [graph->n_choices] op before which the choice must be decided */
    hw_board *board;            /* NULL = none */
    hw_table *table;
    hw_plan *plan;
    bool reset_each, keep_tensors;
    bool stateful;              /* results depend on the inputs before */
    bool dynamic;               /* choices exist */
} sim_setup;

status sim_setup_open(const sim_config *c, sim_setup **out, err *e);
void sim_setup_close(sim_setup **s);

typedef struct sim_layer { /* what one operator did for one input */
    uint32_t crc;          /* of its output bytes, if emu_op_has_output */
    emu_events events;
    hw_cost cost;
    int w_bits, a_bits;    /* 0 = none */
} sim_layer;

typedef struct sim_row {   /* what one input gave */
    uint32_t input_crc;
    sim_layer *layers;     /* [n_ops] */
    int *candidate;        /* [n_choices] */
    uint8_t *output;       /* output tensors' bytes, one after the other */
    uint8_t *tensors;      /* with keep_tensors: output 0 of every traced op, one after the other; else NULL */
} sim_row;

typedef struct sim_worker sim_worker;
status sim_worker_create(const sim_setup *s, arena *a, sim_worker **out, err *e);
/* Room for the results of one input. */
status sim_row_create(const sim_setup *s, arena *a, sim_row *row, err *e);
size_t sim_output_bytes(const sim_setup *s);
size_t sim_tensor_bytes(const sim_setup *s); /* of sim_row.tensors; 0 without keep_tensors */

/* Runs one input: the bytes of all network inputs, one after the other. index feeds the policy. This is the flow of DESIGN.md. */
status sim_run(sim_worker *w, int64_t index, const void *input, sim_row *row, err *e);

/* Does op's output get a checksum (dumps, traces)? */
bool sim_op_traced(const sim_setup *s, int op);

/* What policies may know of g's choices, in a: [n_choices]. */
status sim_choices(const model_graph *g, arena *a, controller_choice **out, err *e);
/* The candidate of each of g's choices under a policy that does not depend on the input (fixed:8, layers:8,4 ...), or each choice's widest
 * for policy NULL. candidate: [n_choices]. ST_ARG: no such policy, or one that depends on the input. */
status sim_static_policy(const model_graph *g, const char *policy, arena *a, int *candidate, err *e);

#endif
