/* SPDX-License-Identifier: Apache-2.0
 * .npy headers: any bytes end in a status; an accepted array lies inside them. */
#include "base/npy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    npy_info info;
    const uint8_t *p;
    err e = {0};
    if (npy_parse(data, size, &info, &p, &e) != ST_OK) return 0;
    if (p < data || info.bytes > size || p + info.bytes != data + size) abort();
    unsigned sum = 0;
    for (size_t i = 0; i < info.bytes; i++) sum += p[i];
    return sum == 0xFFFFFFFFu;
}
