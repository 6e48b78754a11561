/* SPDX-License-Identifier: Apache-2.0
 * Checksums that TFLM's generic benchmark prints around an inference, as records of one input named after its checksum:
 *   Input CRC32: 0x14F6A510     zlib's CRC-32 of the input's bytes
 *   Output CRC32: 0xA4A6A6BE    the same of the output's, a line an output
 * Only networks with one input and one output have a counterpart in a trace: further lines are skipped with that reason. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/source.h"

static bool probe(const char *text) { return strstr(text, "Input CRC32: 0x") && strstr(text, " took "); }

/* The checksum behind key. false: no such line, or it is cut (and counted). */
static bool checksum(trace_reader *r, const char *key, uint32_t *crc)
{
    const char *at = strstr(r->in.text, key);
    if (!at) return false;
    at += strlen(key);
    size_t n = strspn(at, "0123456789abcdefABCDEF");
    if (n == 0 || n > 8) source_skip(r, "a checksum that is cut");
    *crc = (uint32_t)strtoul(at, NULL, 16);
    return n > 0 && n <= 8;
}

static status next(trace_reader *r, trace_record *rec, bool *end, err *e)
{
    for (;;) {
        uint32_t crc;
        TRY(lines_next(&r->in, end, e));
        if (*end) return ST_OK;
        if (checksum(r, "Input CRC32: 0x", &crc)) {
            if (r->name[0]) source_skip(r, "a second input of one inference: only networks with one input are compared");
            (void)snprintf(r->name, sizeof r->name, "crc %08x", crc);
        } else if (checksum(r, "Output CRC32: 0x", &crc)) {
            if (!r->name[0]) {
                source_skip(r, "an output's checksum without its input's, or of a second output");
                continue;
            }
            (void)snprintf(r->layer_name, sizeof r->layer_name, "%s", r->name);
            r->name[0] = 0;
            *rec = (trace_record){.input = r->records, .layer = TRACE_OUTPUT, .name = r->layer_name, .has_crc = true, .crc = crc};
            return ST_OK;
        }
    }
}

const source_format source_benchmark = {"TFLM generic benchmark", probe, next};
