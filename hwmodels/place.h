/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/place.h - offsets for buffers whose lives are known. Internal to hwmodels: others see hw.h.
 *   two buffers alive at one operator never share a byte;  bound = max over operators of the bytes alive there <= arena */
#ifndef BITEMU_HWMODELS_PLACE_H
#define BITEMU_HWMODELS_PLACE_H

#include "hwmodels/hw.h"

size_t hw_align(size_t bytes); /* rounded up to 16: what a buffer takes */
/* Sorts p->buffers, sets their offsets, and arena_bytes, bound_bytes, peak_op, planner, optimal. Sizes add up to less than SIZE_MAX / 4.
 * ST_NOMEM. */
status hw_place(hw_plan *p, int n_ops, hw_planner planner, arena *a, err *e);
/* The exact search (place_exact.c). b: incumbent placement of best_bytes, replaced where a better one is found. bound_bytes: stop there.
 * *optimal: every order was searched or the bound reached. */
status hw_place_exact(hw_buffer *b, int n, size_t bound_bytes, size_t *best_bytes, bool *optimal, arena *a, err *e);

#endif
