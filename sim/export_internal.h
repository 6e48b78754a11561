/* SPDX-License-Identifier: Apache-2.0
 * sim/export_internal.h - what the files of the exporter share. */
#ifndef BITEMU_SIM_EXPORT_INTERNAL_H
#define BITEMU_SIM_EXPORT_INTERNAL_H

#include <stdio.h>

#include "device/device.h"
#include "emu/integers.h"
#include "sim/export.h"
#include "sim/export_board.h"

typedef struct export_layer {     /* one operator of the network */
    const model_op *op;
    int index;
    const char *run;              /* function of the runtime: "dev_conv" */
    bool mac, depthwise;
    emu_integers q;               /* if the operator has any */
    int n_keys, key[DEV_MAX_KEYS], n_entries; /* of its tables on the board: the emulator's, and perhaps the layer's own choice */
    bool own_key;                 /* the last key is the own choice, which the emulator's tables lack */
    int lane_zero;
    int n_candidates;
    dev_weights weights[DEV_MAX_CANDIDATES]; /* codes: of this process */
    int same_codes[DEV_MAX_CANDIDATES];      /* earlier candidate with the same codes, or itself */
    size_t code_bytes[DEV_MAX_CANDIDATES];
} export_layer;

typedef struct exporter {
    const sim_export_config *c;
    const sim_setup *s;
    const model_subgraph *g;
    arena *a;
    emu_session *emu;
    export_board board;
    dev_kernels row;              /* numbers of the board's kernel row; no functions */
    export_layer *layers;         /* [g->n_ops] */
    hw_plan *plan;
    sim_export_report *r;
} exporter;

/* Everything about op i but where its memory lies. ST_UNSUPPORTED: no kernel. */
status export_layer_make(const exporter *x, int i, export_layer *l, err *e);
/* Packs the weights of l, and proves that the runtime reads every one of them as the number that the emulator multiplies by. */
status export_weights_pack(const exporter *x, export_layer *l, err *e);
/* network.c: tables. */
status export_tables(const exporter *x, FILE *f, err *e);
size_t export_table_bytes(const export_layer *l); /* on a 32-bit board, without weights */
size_t export_weight_bytes(const export_layer *l);
/* Writes the folder x->c->out: everything, or nothing. data: inputs [r->inputs][input bytes], known: [r->inputs][known bytes] or NULL. */
status export_write(const exporter *x, const uint8_t *data, const uint8_t *known, err *e);
void export_bytes(FILE *f, const char *name, const uint8_t *bytes, size_t n);

int export_offset(const exporter *x, int tensor);  /* in the arena; -1 = none */
int export_scratch(const exporter *x, int op);     /* 0 = none is needed */

#endif
