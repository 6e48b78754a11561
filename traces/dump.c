/* SPDX-License-Identifier: Apache-2.0
 * Dumps (.npz with out0, crc, crc_op and perhaps decisions) seen as records: per input the layers' CRCs, then the output. */
#include <stdlib.h>
#include <string.h>

#include "traces/source.h"

static bool has(char **names, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) return true;
    }
    return false;
}

static status open_crc(trace_reader *r, err *e)
{
    npy_info info;
    const void *op;
    TRY(npy_open(r->path, "crc", &r->crc, e));
    const npy_info *c = npy_reader_info(r->crc);
    if (c->type != NPY_U32 || c->n_dims != 2) return err_set(e, ST_FORMAT, r->path, "crc must be uint32 [inputs, operators]");
    TRY(npy_load(r->path, "crc_op", r->arena, &info, &op, e));
    if (info.type != NPY_I32 || info.n_elems != (size_t)c->dims[1]) return err_set(e, ST_FORMAT, r->path, "crc_op must be int32, one per column of crc");
    r->crc_op = (int32_t *)(uintptr_t)op;
    r->n_ops = info.n_elems;
    r->crc_row = arena_alloc(r->arena, npy_row_bytes(r->crc) + 1, 1);
    return r->crc_row ? ST_OK : err_set(e, ST_NOMEM, r->path, "no memory");
}

status source_dump_open(trace_reader *r, err *e)
{
    char **names;
    int n;
    r->arena = arena_create(0);
    if (!r->arena) return err_set(e, ST_NOMEM, r->path, "no memory");
    TRY(npy_members(r->path, r->arena, &names, &n, e));
    if (!has(names, n, "out0")) return err_set(e, ST_FORMAT, r->path, "no array out0 in it: not a dump of bitemu run --dump");
    TRY(npy_open(r->path, "out0", &r->out0, e));
    const npy_info *o = npy_reader_info(r->out0);
    if (o->n_dims < 1) return err_set(e, ST_FORMAT, r->path, "out0 must have inputs as its first axis");
    r->rows = o->dims[0];
    r->out_row = arena_alloc(r->arena, npy_row_bytes(r->out0) + 1, 1);
    if (!r->out_row) return err_set(e, ST_NOMEM, r->path, "no memory");
    if (!has(names, n, "crc")) return ST_OK;
    TRY(open_crc(r, e));
    if (npy_reader_info(r->crc)->dims[0] != r->rows) return err_set(e, ST_FORMAT, r->path, "crc and out0 have different numbers of inputs");
    return ST_OK;
}

static int64_t element(const void *p, npy_type t, size_t i)
{
    switch (t) {
    case NPY_I8: return ((const int8_t *)p)[i];
    case NPY_BOOL: case NPY_U8: return ((const uint8_t *)p)[i];
    case NPY_I16: return ((const int16_t *)p)[i];
    case NPY_U16: return ((const uint16_t *)p)[i];
    case NPY_I32: case NPY_F32: return ((const int32_t *)p)[i]; /* floats: their bits, equal or not */
    case NPY_U32: return ((const uint32_t *)p)[i];
    case NPY_I64: case NPY_U64: case NPY_F64: break;
    }
    return ((const int64_t *)p)[i];
}

static status output(trace_reader *r, trace_record *rec, err *e)
{
    const npy_info *o = npy_reader_info(r->out0);
    size_t n = o->dims[0] ? o->n_elems / (size_t)o->dims[0] : 0;
    TRY(npy_read_row(r->out0, r->out_row, e));
    if (!source_codes(r, n)) return err_set(e, ST_NOMEM, r->path, "no memory");
    for (size_t i = 0; i < n; i++) r->codes[i] = element(r->out_row, o->type, i);
    *rec = (trace_record){.input = r->row, .layer = TRACE_OUTPUT, .n_codes = n, .codes = r->codes};
    r->row++;
    r->column = 0;
    return ST_OK;
}

status source_dump_next(trace_reader *r, trace_record *rec, bool *end, err *e)
{
    *end = r->row >= r->rows;
    if (*end) return ST_OK;
    if (r->crc && r->column == 0) TRY(npy_read_row(r->crc, r->crc_row, e));
    if (r->column == r->n_ops) return output(r, rec, e);
    *rec = (trace_record){.input = r->row, .layer = r->crc_op[r->column], .has_crc = true, .crc = ((const uint32_t *)r->crc_row)[r->column]};
    r->column++;
    return ST_OK;
}
