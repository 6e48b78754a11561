/* SPDX-License-Identifier: Apache-2.0
 * emu/overflow.h - can the accumulator of a layer overflow? Exact bounds for every input that the layer's input tensor can hold.
 *   accumulator of output channel c at one position = bias[c] + sum over taps (x - zero) w, x anywhere in [low, high]
 *   largest:  x = high where w > 0, low where w < 0        smallest: the other way round
 * taken over every candidate (w x a bits, nested weights narrowed), every table entry, every distinct set of taps inside the image and
 * every code range that the writer of the input may have used with them (emu/codes.h). Each bound belongs to one input, so it is reached:
 * emu_overflow_confirm runs the emulator on it.
 * A wrapping accumulator overflows when its final value leaves its width; what happens on the way cancels out. A saturating one does when
 * any partial sum does, in the order of emu/ref/mac.h.
 * What the proof does not know: whether some input of the *network* drives a layer to that input. For a layer that reads a network input
 * it is one; for others a verdict "overflows" says that the layer's own clamp does not exclude it. "Cannot overflow" holds for both. */
#ifndef BITEMU_EMU_OVERFLOW_H
#define BITEMU_EMU_OVERFLOW_H

#include "emu/codes.h"

typedef enum emu_verdict {
    EMU_NO_ACCUMULATOR, /* not a layer with weights, or float */
    EMU_NOT_EXAMINED,   /* an accumulator without a proof: see why */
    EMU_CANNOT_OVERFLOW,
    EMU_OVERFLOWS
} emu_verdict;

typedef struct emu_extreme { /* the smallest or largest accumulator, and the input behind it */
    int64_t value;      /* exact before it wraps or is cut; INT64_MIN/MAX where it leaves 64 bits */
    size_t out;         /* output element, flat NHWC index; its channel is out % channels */
    int candidate;      /* of the layer's choice; 0 without */
    int entry;          /* of its integer tables; 0 without */
    emu_codes codes;    /* range of the input's codes */
} emu_extreme;

typedef struct emu_overflow_case { /* one candidate x table entry */
    int candidate, entry;
    int64_t final_low, final_high; /* finished accumulators */
    int64_t step_low, step_high;   /* results of all additions, bias included, in order */
} emu_overflow_case;

typedef struct emu_overflow {
    emu_verdict verdict;
    const char *why;           /* EMU_NOT_EXAMINED: the reason; else NULL */
    model_accumulator accumulator; /* what the layer has, never bits 0 */
    int channels, taps;        /* of an output element, at most */
    int bits_final, bits_steps;/* fewest bits that hold every finished accumulator, every partial sum; 65 = more than 64 */
    int bits_needed;           /* bits_final if it wraps, bits_steps if it saturates */
    emu_extreme low, high;     /* over all cases, of finished accumulators if it wraps, of partial sums if it saturates */
    int n_cases;
    emu_overflow_case *cases;  /* in the arena given */
} emu_overflow;

/* Bounds of operator op of the session's network, whose accumulators are as the session was created. Results live in a.
 * Takes time in proportion to weights x cases x distinct borders. ST_NOMEM. */
status emu_overflow_prove(emu_session *s, int op, arena *a, emu_overflow *out, err *e);

/* Which extreme breaks the accumulator worst: the one to show. &o->high unless only the smallest leaves the width, or by more. */
const emu_extreme *emu_overflow_worst(const emu_overflow *o);

/* Writes the input behind x, an extreme of op, into op's input tensor (emu_tensor_data): its codes under the taps of output element
 * x->out, the zero point (or the code next to it that the range has) elsewhere. largest: x is the `high` one. candidate[n_choices]
 * receives the choices to run it with. a: scratch. ST_NOMEM. */
status emu_overflow_witness(emu_session *s, int op, const emu_extreme *x, bool largest, int *candidate, arena *a, err *e);

/* Runs op on the inputs behind both extremes and compares: an accumulator that overflows must be counted, one that does not must reach
 * the bound exactly. ST_MISMATCH says what was different (a defect of bitemu). */
status emu_overflow_confirm(emu_session *s, int op, const emu_overflow *o, arena *a, err *e);

#endif
