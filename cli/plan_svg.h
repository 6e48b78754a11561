/* SPDX-License-Identifier: Apache-2.0
 * cli/plan_svg.h - a memory plan as a picture: operators to the right, bytes upwards, one rectangle a buffer, the operator at the peak marked. */
#ifndef BITEMU_CLI_PLAN_SVG_H
#define BITEMU_CLI_PLAN_SVG_H

#include "hwmodels/hw.h"

/* Writes path whole or not at all; SVG 1.1, nothing outside the file is referred to. ST_IO. */
status plan_svg_write(const model_graph *g, const hw_plan *p, const char *path, err *e);

#endif
