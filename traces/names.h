/* SPDX-License-Identifier: Apache-2.0
 * traces/names.h - outputs of a board's log, codes or a checksum, by input name. Inside traces/ only. */
#ifndef BITEMU_TRACES_NAMES_H
#define BITEMU_TRACES_NAMES_H

#include "traces/group.h"

typedef struct names_entry {
    char *name;        /* without folder and ".bin" */
    int64_t *codes;
    size_t n_codes;
    bool has_crc;
    uint32_t crc;
    bool used;
} names_entry;

typedef struct names {
    names_entry *slots; /* open addressing, size a power of two */
    size_t room, n;
    int64_t repeated;   /* names that came again: the last answer counts */
} names;

status names_read(grouped *g, names *t, err *e);
names_entry *names_find(const names *t, const char *name); /* NULL = none; name may carry folder and ".bin" */
void names_free(names *t);

#endif
