/* SPDX-License-Identifier: Apache-2.0
 * Traces, logs and dumps through the reader, by way of a file: any bytes end in a status or in records; and what is compared with itself does not differ. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "traces/compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const char *path)
{
    trace_reader *r;
    trace_record rec;
    err e = {0};
    bool end = false;
    if (trace_open(path, &r, &e) != ST_OK) return;
    while (trace_next(r, &rec, &end, &e) == ST_OK && !end) {
        if (rec.input < 0 || rec.layer < TRACE_OUTPUT) abort();
    }
    trace_close(&r);
    compare_options o = {0};
    compare_result result;
    if (compare_files(path, path, &o, &result, NULL) == ST_OK && result.first.what != COMPARE_EQUAL && !result.repeated && !result.repeated_records) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/bitemu_fuzz_XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) return 0;
    FILE *f = fdopen(fd, "wb");
    if (f) {
        (void)fwrite(data, 1, size, f);
        (void)fclose(f);
        read_all(path);
    }
    (void)unlink(path);
    return 0;
}
