/* SPDX-License-Identifier: Apache-2.0 */
#include "device/explain.h"

static int32_t known_code(const DEV_FLASH uint8_t *p, uint8_t type, uint32_t i)
{
    uint8_t bytes[4] = {0}, n = dev_type_bytes(type);
    for (uint8_t k = 0; k < n; k++) bytes[k] = p[i * n + k];
    uint32_t v = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    return type == DEV_I8 ? (int32_t)(int8_t)bytes[0] : type == DEV_I16 ? (int32_t)(int16_t)v : (int32_t)v;
}

/* [0,4,7,12] of element i. */
static void put_place(const struct bitemu_log *log, const dev_tensor *t, uint32_t i)
{
    uint32_t inner = t->n;
    bitemu_log_text(log, "[");
    for (uint8_t d = 0; d < t->n_dims; d++) {
        inner /= t->dims[d];
        bitemu_log_number(log, d ? "," : "", (int64_t)(i / inner));
        i %= inner;
    }
    bitemu_log_text(log, "]");
}

bool dev_explain(const struct bitemu_log *log, int32_t input, const dev_layer *l, const void *out, const DEV_FLASH uint8_t *known)
{
    char text[DEV_TEXT];
    uint32_t differ = 0, first = 0;
    int64_t most = 0;
    for (uint32_t i = 0; i < l->out.n; i++) {
        int64_t gap = (int64_t)dev_load(out, l->out.type, i) - known_code(known, l->out.type, i);
        if (gap == 0) continue;
        if (differ++ == 0) first = i;
        gap = gap < 0 ? -gap : gap;
        most = gap > most ? gap : most;
    }
    if (!differ) return true;
    bitemu_log_number(log, "MISMATCH input ", input);
    bitemu_log_number(log, ", layer ", l->index);
    bitemu_log_text(log, " ");
    bitemu_log_text(log, dev_text(l->op, text));
    bitemu_log_text(log, " (");
    bitemu_log_text(log, dev_text(l->name, text));
    bitemu_log_text(log, ") at ");
    put_place(log, &l->out, first);
    bitemu_log_number(log, ": got ", dev_load(out, l->out.type, first));
    bitemu_log_number(log, ", expected ", known_code(known, l->out.type, first));
    bitemu_log_number(log, "; ", differ);
    bitemu_log_number(log, " of ", l->out.n);
    bitemu_log_number(log, " codes differ, by ", most);
    bitemu_log_text(log, " at most\n");
    return false;
}
