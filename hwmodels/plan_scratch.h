/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/plan_scratch.h - the scratch buffer that a library's kernel asks for while one operator runs. Internal to hwmodels. */
#ifndef BITEMU_HWMODELS_PLAN_SCRATCH_H
#define BITEMU_HWMODELS_PLAN_SCRATCH_H

#include "device/kernels/rows.h"
#include "hwmodels/hw.h"
#include "hwmodels/scratch.h"

typedef enum hw_family { HW_REFERENCE, HW_CMSIS_NN, HW_CMIX_NN, HW_PULP_NN, HW_TINYENGINE, HW_BITEMU } hw_family;
typedef struct hw_library {
    const char *name; /* "cmsis-nn:dsp" */
    hw_family family;
    hw_build build;   /* of CMSIS-NN */
    dev_kernels row;  /* of bitemu: numbers of device/kernels/rows.h, no functions */
} hw_library;
/* "cmsis-nn" (the DSP build), "cmsis-nn:c" ...: a name that hw.h lists. ST_ARG otherwise, where "--kernels". */
status hw_library_parse(const char *text, hw_library *out, err *e);
/* *out lives at operator op only, named "scratch of op 3 CONV_2D"; bytes 0: none is needed, or the library has no such kernel (float,
 * weights wider than 8 bits). candidate NULL: layers with choices take the most that one of their candidates needs. */
status hw_scratch_buffer(const model_graph *g, const hw_library *lib, int op, const int *candidate, hw_buffer *out, arena *a, err *e);

#endif
