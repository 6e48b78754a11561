/* SPDX-License-Identifier: Apache-2.0
 * sim/evaluate.h - a data set through a setup: streamed, on threads, summed up. The result over inputs is a sum of counters;
 * it and every sink see the inputs in order, whatever the number of threads. Memory does not grow with the number of inputs. */
#ifndef BITEMU_SIM_EVALUATE_H
#define BITEMU_SIM_EVALUATE_H

#include "sim/input.h"
#include "sim/sim.h"

typedef struct sim_layer_sum {
    emu_events events;            /* over all inputs */
    hw_cost cost;                 /* over all inputs */
    uint64_t w_bits, a_bits;      /* sum of widths, one term an input */
} sim_layer_sum;

typedef struct sim_result {
    int64_t inputs;
    int64_t labelled, top1;       /* inputs with a label; those whose largest output has its index */
    sim_layer_sum *layers;        /* [n_ops] */
    uint64_t (*histogram)[MODEL_MAX_CANDIDATES]; /* [n_choices]: how often each candidate was taken */
    hw_cost total;                /* sum over inputs and layers */
    double cycles_min, cycles_max;/* of one input; < 0 = unknown */
    int64_t cycles_max_input;
} sim_result;

/* Sees every input's row, in order, on the calling thread. */
typedef struct sim_sink {
    void *ctx;
    status (*row)(void *ctx, int64_t index, const char *name, const sim_row *row, err *e);
} sim_sink;

typedef struct sim_evaluation {
    int threads;                  /* >= 1; 1 is used where streaming state runs from input to input */
    const sim_sink *sinks;
    int n_sinks;
    void (*progress)(void *ctx, int64_t done, int64_t total); /* may be NULL */
    void *progress_ctx;
} sim_evaluation;

/* Results live in a. */
status sim_evaluate(const sim_setup *s, sim_input *in, const sim_evaluation *how, arena *a, sim_result *out, err *e);

/* Index of the first largest element of the first output. */
int64_t sim_argmax(const sim_setup *s, const sim_row *row);
/* Element i of the first output as an integer; it must not be float. */
int64_t sim_output_code(const sim_setup *s, const sim_row *row, size_t i);

#endif
