/* SPDX-License-Identifier: Apache-2.0
 * sim/vectors.h - recorded kernel vectors replayed: what a library's kernel answered, against the emulator under that library's profile.
 * A file pair X.json + X.npz: {"meta": {"library", "op"}, "arrays": {role: dtype}, "cases": [{"shapes": {role: dims}, "offset": {role:
 * first element}, parameters ...}]}; an .npz member is every case's array of one role, one after the other. */
#ifndef BITEMU_SIM_VECTORS_H
#define BITEMU_SIM_VECTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

typedef struct vectors_result {
    const char *file, *library, *op, *profile; /* profile: NULL when the library is none of ours */
    int64_t cases, equal, differ, unsupported, defect;
    int64_t first;         /* id of the first case that differs, -1 = none */
    char first_text[320];  /* role, coordinates, recorded and got */
    char reason[320];      /* why the first unsupported case is */
    const char *rule;      /* of the defects */
} vectors_result;

/* Replays one file (its .json, its .npz or their common stem). profile NULL: the one whose library the file names.
 * ST_FORMAT: an offset, shape or type that contradicts the file; the place is "file, case ID". Strings live in a. */
status vectors_replay(const char *path, const char *profile, arena *a, vectors_result *out, err *e);

#endif
