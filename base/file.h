/* SPDX-License-Identifier: Apache-2.0
 * base/file.h - whole files in, whole files out. A file that is written appears complete or not at all. */
#ifndef BITEMU_BASE_FILE_H
#define BITEMU_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/status.h"

/* Reads path whole into a (data stays valid with the arena; one 0 byte follows the last).
 * ST_IO: cannot be opened or read, is a directory. ST_FORMAT: larger than max_bytes. */
status file_read(const char *path, size_t max_bytes, arena *a, const uint8_t **data, size_t *len, err *e);

/* Writing: a temporary sibling, then fsync and rename. Nothing appears under path before file_commit succeeds. */
typedef struct file_out {
    FILE *f;         /* write here */
    char path[1024]; /* final name */
    char temp[1056]; /* name until commit */
} file_out;
status file_create(file_out *o, const char *path, err *e);
/* Flushes, syncs, renames. On failure the temporary is removed and path is as before. */
status file_commit(file_out *o, err *e);
void file_discard(file_out *o); /* closes and removes the temporary; harmless after commit */

void file_remove_tree(const char *path); /* a folder with all that is in it, as far as it can be removed */

#endif
