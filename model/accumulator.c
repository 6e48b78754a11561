/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "model/graph.h"

bool model_accumulator_bits_ok(int64_t bits) { return (bits >= 8 && bits <= 32) || bits == 64; }

const char *model_overflow_name(model_overflow o) { return o == MODEL_SATURATE ? "saturate" : "wrap"; }

status model_accumulator_parse(const char *text, model_accumulator *out, err *e)
{
    char *end;
    long bits = strtol(text, &end, 10);
    bool digits = text[0] >= '0' && text[0] <= '9', saturate = strcmp(end, ":saturate") == 0;
    *out = (model_accumulator){0};
    if (!digits || (*end && !saturate && strcmp(end, ":wrap") != 0))
        return err_set(e, ST_ARG, "--accumulator", "'%s' is not BITS, BITS:wrap or BITS:saturate, as in 16:saturate", text);
    if (!model_accumulator_bits_ok(bits)) return err_set(e, ST_ARG, "--accumulator", "'%s': an accumulator has 8 to 32 bits, or 64", text);
    *out = (model_accumulator){(int)bits, saturate ? MODEL_SATURATE : MODEL_WRAP};
    return ST_OK;
}
