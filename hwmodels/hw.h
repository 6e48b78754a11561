/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/hw.h - what an operator costs on a named board: cost = events x weights. Events come from shapes alone (count.h),
 * weights from YAML (boards/, cores/, kernels/), every number there with `unit` and `source`.
 * What is unknown is listed as missing, never 0. */
#ifndef BITEMU_HWMODELS_HW_H
#define BITEMU_HWMODELS_HW_H

#include "base/arena.h"
#include "base/status.h"
#include "emu/events.h"
#include "model/graph.h"

typedef struct hw_figure {   /* one number from YAML */
    double value;
    double error_pct;        /* half width of the stated error; < 0 = not known */
    const char *unit, *source;
    bool known;              /* false: the file does not state it */
} hw_figure;

typedef struct hw_board hw_board; /* board + its core + its kernel family */

/* The ":STACK" of a name may also be a published stack (stacks/STACK.yaml) that has figures for the board's core.
 * name: a shipped board (found in BITEMU_BOARDS, then the source tree's or the installed data folder) or a path to a .yaml,
 * optionally with "@POINT", one of its operating points, and ":STACK", one of its software stacks (the first are meant otherwise).
 * ST_ARG: no such board, point or stack (message lists the names). ST_FORMAT: file:line:column of the first broken rule. */
status hw_board_load(const char *name, arena *a, hw_board **out, err *e);
/* The board that is none: a core (a name that stacks/STACK.yaml lists, case, spaces and punctuation forgiven), a clock, and a stack; NULL = the
 * usual one for that core. SRAM, flash and power are unknown. ST_ARG: the stack has no figure for the core. */
status hw_board_what_if(const char *core, double clock_hz, const char *stack, arena *a, hw_board **out, err *e);
/* arch/NAME.yaml: no board but energies per operation; cycles, clock and memories are not known. hw_arch_exists: is there such a file? */
bool hw_arch_exists(const char *name);
status hw_board_arch(const char *name, arena *a, hw_board **out, err *e);
bool hw_board_is_arch(const hw_board *b);
/* From now on the board's memories have wait states, where its kernels' figures are known by them (bitemu's own). ST_ARG: they are not; the message lists those there are. */
status hw_board_set_waits(hw_board *b, int fetch, int data, err *e);
/* NULL, or what the stack's figures on this core were taken from because it was never measured there. */
const char *hw_board_estimated(const hw_board *b);
const char *hw_board_name(const hw_board *b);    /* "nucleo-l4r5zi", or "nucleo-l4r5zi:tflm-2.3.1" if a stack was named */
const char *hw_board_title(const hw_board *b);   /* "NUCLEO-L4R5ZI (STM32L4R5ZI, Cortex-M4F at 120 MHz)" */
const char *hw_board_kernels(const hw_board *b); /* kernel family and software stack in use: "cmsis-nn/microtvm-1.0" */
const char *hw_board_core(const hw_board *b);    /* "cortex-m4" */
double hw_board_clock_hz(const hw_board *b);
double hw_board_sram_bytes(const hw_board *b);   /* < 0 = not stated */
double hw_board_flash_bytes(const hw_board *b);
typedef struct hw_memory {       /* a region of the board's address space */
    const char *name;
    bool flash;                  /* else SRAM */
    double start;
    hw_figure bytes, wait_states; /* wait_states in cycles; known = false: not stated */
} hw_memory;
/* Regions the board's file states, *n of them; what is measured on the board (factors) holds their wait states already. */
const hw_memory *hw_board_memories(const hw_board *b, int *n);
/* Caches in bytes and the power of an idle board in mW; not known: the file states none. */
hw_figure hw_board_icache(const hw_board *b);
hw_figure hw_board_dcache(const hw_board *b);
hw_figure hw_board_active_power(const hw_board *b); /* of the stack, at the board's clock */
hw_figure hw_board_idle_power(const hw_board *b);
const char *hw_board_point(const hw_board *b);  /* the operating point in use ("1.8v"); NULL: the file states none */
const char *hw_board_points(const hw_board *b); /* names of all ("1.8v, 3v, 3v-smps"), NULL */

/* Names of the shipped boards, NULL-terminated, in a. */
status hw_board_names(arena *a, const char *const **names, err *e);

typedef struct hw_cost {
    uint64_t macs;
    double bitops;                  /* sum of macs x w_bits x a_bits */
    double cycles, cycles_error_pct;/* < 0 = unknown */
    double energy_uj, energy_error_pct;
} hw_cost;

/* Prices of every operator of a graph on a board, worked out once; look-ups afterwards are a few additions. */
typedef struct hw_table hw_table;
/* board NULL: only macs and bitops. Message of *e untouched when figures are missing: ask hw_table_missing. */
status hw_table_create(const model_graph *g, const hw_board *board, arena *a, hw_table **out, err *e);
/* Cost of one op; candidate[c] for every choice of the graph. NULL: each op's widest candidate. */
hw_cost hw_table_op(const hw_table *t, int op, const int *candidate);
/* The op's cycles under those candidates are known exactly: they, and the energy that follows, replace the price; what was missing for it is no longer. */
void hw_table_measured(hw_table *t, const hw_board *board, int op, const int *candidate, double cycles);
/* Cost of one op if its weights and input activations had these widths, whatever they have. false: no such weights. */
bool hw_price_at(const model_graph *g, const hw_board *board, int op, int w_bits, int a_bits, hw_cost *out);
/* Trips of the loops that an op runs in bitemu's own kernels, those that are not 0 (names: hwmodels/trips.h). Nothing is told of other kernels, or where
 * they are not counted. */
void hw_op_trips(const model_graph *g, const hw_board *board, int op, const int *candidate, void (*tell)(void *to, const char *name, double trips), void *to);
/* Candidate with the most w_bits x a_bits, the first of them: what a layer counts as when nothing else is said. */
int hw_widest_candidate(const model_choice *c);
/* Widths that op's weights and input activations have under candidate; 0 = the op has no weights / no codes. */
void hw_op_bits(const model_graph *g, int op, const int *candidate, int *w_bits, int *a_bits);
/* What one call of an operator does, from shapes, widths and the kernel table's columns alone. */
typedef struct hw_events {
    emu_events counted;      /* macs, outputs, requants: what the emulator counts when it runs the operator */
    uint64_t calls;          /* 1 */
    uint64_t rows;           /* rows of output pixels: batch x out_h; fully connected: batch */
    uint64_t weight_bytes;   /* packed at the operator's width */
    uint64_t repacked;       /* values of its input that are kept at another container than the candidate reads them at */
    bool columns_known;      /* the kernel table says how columns are gathered; else the three below are not known */
    uint64_t im2col_bytes;   /* (macs / filters) x bytes of a column's value; kernels wider than one pixel only */
    uint64_t streamed_bytes; /* weights read from where they are kept: weight_bytes x ceil(pixels / pixels at a time) */
    uint64_t unpacked_words; /* 32-bit words of operands below 8 bits that are unpacked: weights once a pass, activations once */
    uint64_t switches;       /* of a graph: layers with weights whose width pair is not that of the layer before */
} hw_events;
void hw_op_events(const model_graph *g, const hw_board *board, int op, const int *candidate, hw_events *out); /* board may be NULL */
void hw_graph_events(const model_graph *g, const hw_board *board, const int *candidate, hw_events *sum);
/* control[op]: everything that op computes ends in the decision of a choice. control: [n_ops]. */
void hw_control_ops(const model_graph *g, bool *control);
/* Sum over all operators. */
hw_cost hw_table_total(const model_graph *g, const hw_table *t, const int *candidate);
/* The reachable bit vectors (candidate of each of g's choices) of fewest and most cycles. false: some price is unknown. */
bool hw_table_range(const model_graph *g, const hw_table *t, int *best, int *worst);
/* "442368 mac x 1.437 instr x 1.62 + ... = N cycles", in a; candidate as in hw_table_op. */
const char *hw_explain_op(const model_graph *g, const hw_board *b, int op, const int *candidate, arena *a);
/* NULL-terminated list of what could not be priced ("op 3 SVDF: kernels/x.yaml has no weight for it"); empty = complete. */
const char *const *hw_table_missing(const hw_table *t);
/* *sum (start from {0}) becomes the cost of both; an unknown figure makes the sum's unknown. Half widths of errors add up. */
void hw_cost_add(hw_cost *sum, const hw_cost *x);

/* Memory. Activations: each tensor lives from its producer to its last reader, packed at the width of its bits (the widest that
 * any candidate gives it). */
typedef struct hw_buffer {
    int tensor;                     /* -1 = scratch of first_op's kernel */
    const char *name;
    int first_op, last_op;
    size_t bytes, offset;
} hw_buffer;
/* In which order buffers get their place; each takes the lowest offset where it fits between the placed ones alive with it.
 *   GREEDY     largest first, of equal sizes the later tensor: TensorFlow Lite Micro's planner
 *   FIRST_FIT  as they come to life, larger first: what an allocator without a plan does
 *   EXACT      branch and bound over all orders, at most HW_EXACT_BUFFERS buffers and HW_EXACT_STEPS steps; never worse than the other two */
typedef enum hw_planner { HW_GREEDY, HW_FIRST_FIT, HW_EXACT } hw_planner;
enum { HW_EXACT_BUFFERS = 64, HW_EXACT_STEPS = 2000000 };
typedef struct hw_plan_config {
    hw_planner planner;
    const char *kernels;            /* library whose scratch counts: "cmsis-nn", "cmsis-nn:c", ":dsp" (meant without a build) or ":mve",
                                       "cmix-nn", "pulp-nn", "tinyengine", "reference" (none is needed), "bitemu:xpulp" and the other rows of
                                       device/kernels/rows.h (their activations take whole elements of their type); NULL = none is counted */
    const int *candidate;           /* of each choice: widths of a policy that never changes; NULL = the most that any reachable bits need */
} hw_plan_config;
/* Does the board's software have kernels below 8 bits (or state energies by width)? Published stacks were measured at 8 bits only. */
bool hw_board_narrow(const hw_board *b);
/* The library whose scratch a board's software stack takes, as in hw_plan_config; NULL: no formula is known for that stack. */
const char *hw_board_library(const hw_board *b);
typedef struct hw_plan {
    int n_buffers;
    hw_buffer *buffers;
    size_t arena_bytes;             /* activations + scratch, as placed */
    size_t bound_bytes;             /* lower bound: most bytes alive at one operator */
    int peak_op;                    /* operator at which bound_bytes are alive, the first such */
    hw_planner planner;             /* whose offsets these are: EXACT only where its search found better ones than both others */
    bool optimal;                   /* no placement takes less: it equals the bound, or every order was searched */
    const char *kernels;            /* library whose scratch is among the buffers, "cmsis-nn:dsp"; NULL = none */
    int64_t tflm_tail_bytes;        /* what TensorFlow Lite Micro keeps in its arena beside arena_bytes, pointers of 4 bytes; -1: not known */
    int64_t tflm_tail64_bytes;      /* the same on a 64-bit host, as the interpreter's recorder prints it */
    size_t state_bytes;             /* streaming variables, LSTM/SVDF state: always alive */
    size_t sram_bytes;              /* arena + state */
    size_t weight_bytes;            /* constants as stored on the board, packed; nested weights once */
    size_t huffman_bytes;           /* weight_bytes if each constant of bytes were Huffman coded where that pays (hwmodels/huffman.h) */
    size_t table_bytes;             /* tables of every choice and transition: multipliers, shifts, zero points, bias of every table entry */
    size_t flash_bytes;             /* weights + tables (no code: the size of the code is not modelled yet) */
} hw_plan;
/* Greedy, without scratch. ST_UNSUPPORTED: sizes no board has; ST_NOMEM. */
status hw_plan_create(const model_graph *g, arena *a, hw_plan **out, err *e);
/* ST_ARG: config.kernels is not known; the message lists what is. Else as hw_plan_create. */
status hw_plan_make(const model_graph *g, const hw_plan_config *c, arena *a, hw_plan **out, err *e);
/* What a network takes on a board under its software stack. */
typedef struct hw_board_memory {
    hw_plan *plan;             /* greedy, with the stack's scratch where its formula is known */
    size_t sram_bytes;         /* plan->sram_bytes + runtime_bytes */
    size_t flash_bytes;        /* constants: plan->flash_bytes */
    double flash_needed;       /* constants, or the model file where the stack reads it in place, + code_bytes */
    hw_figure code_bytes;      /* the stack's code; known = false: no figure */
    hw_figure runtime_bytes;   /* the stack's own data in RAM (TensorFlow Lite Micro: the arena's tail); known = false: not counted */
    bool scratch_known;
} hw_board_memory;
/* candidate as in hw_plan_config. Errors as hw_plan_make. */
status hw_board_plan(const model_graph *g, const hw_board *b, const int *candidate, arena *a, hw_board_memory *out, err *e);
const char *hw_planner_name(hw_planner p); /* "greedy", "first-fit", "exact" */

#endif
