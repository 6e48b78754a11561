/* SPDX-License-Identifier: Apache-2.0
 * Logs of boards through all readers and onto a network's operators: any bytes end in a status or in figures that are none below 0. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "traces/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const char *path, arena *a)
{
    static const char *const types[] = {"CONV_2D", "MAX_POOL_2D", "CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"};
    enum { N = sizeof types / sizeof *types };
    measured_log *m;
    measured_scale scale;
    match_result r;
    if (measured_read(path, a, &m, NULL) != ST_OK) return;
    for (int i = 0; i < m->n_rows; i++) {
        if (!(m->rows[i].value >= 0) || !m->rows[i].tag) abort();
    }
    (void)measured_to_cycles(m, path, 0, 1e6, 0, &scale, NULL);
    if (match_rows(m, path, types, N, a, &r, NULL) != ST_OK) return;
    int ops = 0;
    for (int i = 0; i < r.n_rows; i++) ops += r.rows[i].n_ops;
    if (ops != N) abort(); /* every operator once */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/bitemu_fuzz_XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) return 0;
    FILE *f = fdopen(fd, "wb");
    arena *a = arena_create(64 << 20);
    if (f && a) {
        (void)fwrite(data, 1, size, f);
        (void)fclose(f);
        read_all(path, a);
    }
    arena_destroy(&a);
    (void)unlink(path);
    return 0;
}
