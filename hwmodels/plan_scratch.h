/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/plan_scratch.h - the scratch buffer that a library's kernel asks for while one operator runs. Internal to hwmodels. */
#ifndef BITEMU_HWMODELS_PLAN_SCRATCH_H
#define BITEMU_HWMODELS_PLAN_SCRATCH_H

#include "hwmodels/hw.h"
#include "hwmodels/scratch.h"

typedef struct hw_library {
    const char *name; /* "cmsis-nn:dsp" */
    hw_build build;
} hw_library;
/* "cmsis-nn" (the DSP build), "cmsis-nn:c", ":dsp", ":mve". ST_ARG otherwise, where "--kernels". */
status hw_library_parse(const char *text, hw_library *out, err *e);
/* *out lives at operator op only, named "scratch of op 3 CONV_2D"; bytes 0: none is needed, or the library has no such kernel (float,
 * weights wider than 8 bits). Layers with choices are taken at their widest. */
status hw_scratch_buffer(const model_graph *g, const hw_library *lib, int op, hw_buffer *out, arena *a, err *e);

#endif
