/* SPDX-License-Identifier: Apache-2.0
 * controller/controller.h - bit policies: plain observation in, candidate out. No graph, no allocation, no float: this runs on a board.
 * A choice is a named decision with a few candidate bit configurations; a policy picks one candidate per choice and input. */
#ifndef BITEMU_CONTROLLER_CONTROLLER_H
#define BITEMU_CONTROLLER_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { CONTROLLER_MAX_CHOICES = 256, CONTROLLER_MAX_CANDIDATES = 16 };

typedef struct controller_choice { /* what a policy may know of a choice */
    const char *name;
    int n_candidates;
    const int *bits;               /* [n_candidates] width of each candidate (the larger of w and a) */
    bool learned;                  /* the model computes a decision for it itself */
} controller_choice;

typedef enum controller_kind {
    CONTROLLER_FIXED,   /* "fixed:8": the candidate of that width, every choice */
    CONTROLLER_LAYERS,  /* "layers:8,4,2,…": one width per choice */
    CONTROLLER_LEARNED, /* "controller": the model's own decision layers */
    CONTROLLER_RANDOM   /* "random:SEED": uniform per input and choice, reproducible */
} controller_kind;

typedef struct controller {
    controller_kind kind;
    int n_choices;
    int candidate[CONTROLLER_MAX_CHOICES]; /* fixed, layers */
    uint64_t seed;                         /* random */
} controller;

/* Parses spec against the model's n >= 1 choices. ST_ARG names what is wrong and what the model offers. */
status controller_parse(controller *c, const char *spec, const controller_choice *choices, int n, err *e);

typedef struct controller_observation {
    int64_t input;  /* index of the input */
    int choice;     /* which decision */
    int64_t learned;/* the model's own decision (candidate index), valid with CONTROLLER_LEARNED */
} controller_observation;

/* The candidate, or -1 when the learned decision is out of range. */
int controller_decide(const controller *c, const controller_choice *ch, const controller_observation *o);

#endif
