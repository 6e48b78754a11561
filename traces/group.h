/* SPDX-License-Identifier: Apache-2.0
 * traces/group.h - all records of one input, and an index of inputs by name. Inside traces/ only. */
#ifndef BITEMU_TRACES_GROUP_H
#define BITEMU_TRACES_GROUP_H

#include "traces/read.h"

typedef struct group {
    int64_t input;
    char name[256];
    int n, room;
    struct trace_item {          /* one record, its strings and lists copied */
        trace_record rec;
        bool paired;             /* the comparison's mark */
        char name[256], op[64];
        int64_t *codes;
        size_t codes_room;
        int *decisions;
        size_t decisions_room;
    } *items;
} group;

/* A reader that delivers whole inputs. */
typedef struct grouped {
    trace_reader *r;
    const char *path;
    trace_record ahead;          /* first record of the next input */
    bool has_ahead, done;
    int64_t last;                /* highest input so far */
    int64_t inputs;              /* different ones so far */
    int64_t repeated;            /* inputs that came again: the later ones are passed over */
} grouped;

status grouped_open(const char *path, grouped *g, err *e);
/* *end after the last input. */
status grouped_next(grouped *g, group *to, bool *end, err *e);
void grouped_close(grouped *g);
void group_free(group *g);

const trace_record *group_find(const group *g, int layer); /* NULL = none */

#endif
