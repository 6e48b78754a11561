/* SPDX-License-Identifier: Apache-2.0
 * Firmware: any bytes end in a status, loaded or run, with and without wait states. */
#include <stdlib.h>

#include "hwmodels/iss/iss.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const cores[] = {"ibex-small", "cv32e40p"};
    for (int i = 0; i < 4; i++) {
        arena *a = arena_create((size_t)64 << 20);
        iss_config cfg = {.ram_bytes = 1 << 16, .max_instructions = 2000, .fetch_wait = i / 2, .data_wait = i / 2};
        iss *s = NULL;
        iss_result r;
        err e = {0};
        if (!a || iss_core_load(cores[i % 2], a, &cfg.core, &e) != ST_OK) abort();
        if (iss_load(&cfg, data, size, a, &s, &e) == ST_OK) (void)iss_run(s, &r, &e);
        arena_destroy(&a);
    }
    return 0;
}
