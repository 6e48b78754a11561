/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/board.h - what the YAML files say, in memory. Internal to hwmodels: others see hw.h.
 *   cycles of a call = (sum over events of count x weight) x cycles per instruction where the weight's unit is instructions. */
#ifndef BITEMU_HWMODELS_BOARD_H
#define BITEMU_HWMODELS_BOARD_H

#include "base/yaml.h"
#include "hwmodels/hw.h"
#include "hwmodels/trips.h"

/* Events a kernel weight may be stated for, all known from shapes:
 * MAC, PATCH = MACs / output channels (values gathered before the products), OUTPUT = output elements,
 * WINDOW = elements a pool, mean or arg_max looks at, CALL = 1. */
typedef enum hw_event { HW_MAC, HW_PATCH, HW_OUTPUT, HW_WINDOW, HW_CALL, HW_N_EVENTS } hw_event;

/* Operator classes that a kernel library treats alike. */
typedef enum hw_class {
    HW_CONV,
    HW_POINTWISE,
    HW_DEPTHWISE,
    HW_DEPTHWISE_MULTIPLIER,
    HW_TRANSPOSED,
    HW_RECURRENT,
    HW_FULLY_CONNECTED, /* the last that has weights */
    HW_ADD,
    HW_MUL,
    HW_AVERAGE_POOL,
    HW_MAX_POOL,
    HW_SOFTMAX,
    HW_ARG_MAX,
    HW_REQUANTIZE,
    HW_MOVE,
    HW_MEAN,
    HW_FUNCTION,
    HW_CONVERT,
    HW_N_CLASSES,
    HW_NO_CLASS = HW_N_CLASSES
} hw_class;

typedef struct hw_entry {         /* weights of one class at one width pair */
    int w_bits, a_bits;           /* w_bits 0: operator without weights */
    hw_figure per[HW_N_EVENTS];   /* known = stated; the stated ones cover the whole call */
    bool instructions[HW_N_EVENTS]; /* unit is instructions/event, else cycles/event */
} hw_entry;

enum { HW_MAX_CONTAINERS = 8 };
typedef struct hw_kernels {
    const char *name, *title, *path;
    int n_w, n_a;                 /* widths that operands are stored in; other widths go to the next wider one */
    int w_container[HW_MAX_CONTAINERS], a_container[HW_MAX_CONTAINERS]; /* ascending */
    int column_pixels, column_bytes; /* im2col: pixels gathered at a time, bytes of a gathered value; 0 = not stated */
    int n[HW_N_CLASSES];
    hw_entry *entries[HW_N_CLASSES];
    hw_row row;                   /* of bitemu's own kernels, whose loops can be counted; else HW_NO_ROW */
    int n_waits;                  /* wait states of instruction and data memory that cycles of trips are known at; the first are 0, 0 */
    int (*waits)[2];
    hw_figure *trip;              /* [n_waits][HW_N_TRIPS] cycles of one trip, or NULL; where an operator's are known they price it, not the entries */
} hw_kernels;

typedef struct hw_arch hw_arch; /* arch.c */

struct hw_board {
    const hw_arch *arch;          /* energies per operation in place of core and kernels (kernels and factors unset); else NULL */
    int n_memories;
    hw_memory *memories;
    hw_figure icache_bytes, dcache_bytes, idle_power_mw; /* of the board, whatever the stack */
    const char *name, *title, *path, *stack, *core_title;
    const char *core;         /* as the files of stacks/ name it: "cortex-m4" */
    const char *kernels_text; /* "cmsis-nn/microtvm-1.0": family and stack */
    const char *point, *points; /* operating point in use, names of all ("1.8v, 3v"); NULL: the file states none */
    hw_figure clock_hz, sram_bytes, flash_bytes;
    hw_figure factor[HW_N_CLASSES];   /* cycles per counted instruction of the chosen stack, by operator class */
    const char *estimated;            /* NULL, or from what relative the factors are taken: this core was never measured with this stack */
    bool removes_constant;            /* the stack leaves out channels that give a constant (live.c) */
    hw_figure power_mw;               /* of the chosen stack at the operating point; known = false: energy is not estimated */
    const hw_kernels *kernels;
    int waits;                        /* which of the kernels' */
    hw_figure code_bytes, runtime_bytes; /* of the stack, code.c */
    bool keeps_file;                  /* the stack reads the model file itself, which lies in flash as it is */
};

/* [HW_N_TRIPS] at the wait states that b has; NULL: its kernels state none. */
static inline const hw_figure *hw_trip_figures(const hw_board *b) { return b->kernels->trip ? b->kernels->trip + b->waits * HW_N_TRIPS : NULL; }

/* Next wider container, or bits itself if it is wider than all. */
int hw_container(const int *containers, int n, int bits);
/* NULL: no weights for that class at exactly these widths. */
const hw_entry *hw_kernels_find(const hw_kernels *k, hw_class c, int w_bits, int a_bits);
const char *hw_class_name(hw_class c);

/* Reads FOLDER/../KIND/NAME.yaml beside board_path, else in the data folders (data.c). *path is where it was found. */
status hw_data_read(const char *board_path, const char *kind, const char *name, arena *a, const char **path, yaml_node **root,
                    err *e);
/* The board file of that name, or the file itself if name ends in .yaml. ST_ARG lists the boards there are. */
status hw_data_board(const char *name, arena *a, const char **path, yaml_node **root, err *e);
bool hw_data_exists(const char *board_path, const char *kind, const char *name); /* would hw_data_read find it? */
/* Names of the files of a kind ("boards", "stacks"), sorted, each once, NULL-terminated, in a. */
status hw_data_names(const char *kind, arena *a, const char *const **names, err *e);
/* ST_ARG: "no such WHAT; there are: ... HINT". */
status hw_data_none(const char *kind, const char *name, const char *what, const char *hint, arena *a, err *e);
/* stacks/NAME.yaml: the kernel table its factors multiply, and the factors on a core (name as in hw_core_slug). A core that the stack was
 * never measured on takes the nearest measured one times the ratio of the two under TinyMaix, its errors widened. ST_ARG: neither; the message
 * lists the cores it has. */
status hw_stack_load(const char *board_path, const char *name, const char *core, arena *a, hw_board *b, const char **kernels, err *e);
bool hw_stack_exists(const char *board_path, const char *name);
/* The stack that is meant for a core when none is named: tflm_cmsisnn, else the first (by name) that was measured there, else the first
 * that has figures for it. ST_ARG: none has; the message lists the cores there are. */
status hw_stack_for(const char *core, arena *a, const char **name, err *e);
/* "Cortex-M4 " -> "cortex-m4": lower case, runs of other characters than letters, digits and '+' become '-'; a '+' after a letter or digit is "plus". */
const char *hw_core_slug(const char *core, arena *a);
/* `waits`: [[0, 0], [instruction memory, data memory], ...]; `trips`: {NAME: {cycles, error_pct: a number for each of them, or unknown; unit, source}}; both may be left out. */
status hw_trips_load(hw_kernels *k, const yaml_node *root, arena *a, err *e);
/* kernels/NAME.yaml into *out. */
status hw_kernels_load(const char *board_path, const char *name, arena *a, const hw_kernels **out, err *e);

/* Price and formula of an operator by b->arch. */
void hw_arch_price(const model_graph *g, const hw_board *b, int op, int w_bits, int a_bits, hw_cost *c);
void hw_arch_explain(const model_graph *g, const hw_board *b, int op, int w_bits, int a_bits, char *text, size_t size);
/* code/published.yaml: code_bytes, runtime_bytes, keeps_file of b's stack; left unknown where it is not there. */
status hw_code_load(hw_board *b, arena *a, err *e);
/* Memories and caches of a board file; b->sram_bytes and flash_bytes are their sums where stated. */
status hw_memories_load(const yaml_node *root, hw_board *b, arena *a, err *e);
/* A board's operating point (NULL: the first): clock, idle and active power, the latter of b->stack if it states one. ST_ARG: no such point. */
status hw_power_load(const yaml_node *root, const char *point, arena *a, hw_board *b, err *e);
status hw_clock_load(const yaml_node *n, const yaml_node *sources, hw_figure *out, err *e); /* a figure greater than 0 Hz */

/* YAML pieces shared by the three schemas. sources: the file's `sources` map. */
typedef struct hw_unit {          /* NULL-terminated list of units that a figure may have */
    const char *name;
    double scale;                 /* to the unit that the C code uses */
} hw_unit;
extern const hw_unit hw_milliwatts[], hw_hertz[];
status hw_yaml_figure(const yaml_node *n, const char *what, const yaml_node *sources, const hw_unit *units, hw_figure *out,
                      int *unit, err *e);
status hw_yaml_header(const yaml_node *root, const char *version_key, const char *const *allowed, const char *const *required,
                      err *e);
status hw_yaml_name(const yaml_node *n, const char *what, arena *a, const char **out, err *e); /* safe as a file name */
status hw_yaml_string(const yaml_node *n, const char *what, arena *a, const char **out, err *e);

#endif
