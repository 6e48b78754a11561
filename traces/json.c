/* SPDX-License-Identifier: Apache-2.0
 * Traces as JSON Lines. A record may have anything before its first brace: a board's console prints prefixes. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "traces/scan.h"

static bool probe(const char *text) { return strstr(text, "{\"bitemu_trace\"") || strstr(text, "{\"input\""); }

static const char *keep(char *to, const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    if (!s) return NULL;
    (void)snprintf(to, SOURCE_MAX_NAME, "%s", s);
    return to;
}

static void read_header(trace_reader *r, const json_t *o)
{
    trace_header *h = &r->header;
    const json_t *crc = json_object_get(o, "model_crc"), *inputs = json_object_get(o, "inputs");
    h->tool = keep(r->text[0], o, "tool");
    h->profile = keep(r->text[1], o, "profile");
    h->board = keep(r->text[2], o, "board");
    h->model = keep(r->text[3], o, "model");
    h->policy = keep(r->text[4], o, "policy");
    h->accumulator = keep(r->text[5], o, "accumulator");
    h->has_model_crc = json_is_integer(crc);
    h->model_crc = (uint32_t)json_integer_value(crc);
    h->n_inputs = json_is_integer(inputs) ? json_integer_value(inputs) : -1;
}

static bool integer(const json_t *o, const char *key, int64_t *out)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v)) return false;
    *out = json_integer_value(v);
    return true;
}

static bool real(const json_t *o, const char *key, double *out)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_number(v)) return false;
    *out = json_number_value(v);
    return true;
}

/* false = wrong types: the record is skipped as a whole, never half used. */
static bool lists(trace_reader *r, const json_t *o, trace_record *rec)
{
    const json_t *codes = json_object_get(o, "codes"), *decisions = json_object_get(o, "decisions"), *shape = json_object_get(o, "shape");
    size_t n = json_array_size(codes), m = json_array_size(decisions), dims = json_array_size(shape);
    if (dims > TRACE_MAX_DIMS || !source_codes(r, n) || !source_decisions(r, m)) return false;
    for (size_t i = 0; i < n; i++) {
        if (!json_is_integer(json_array_get(codes, i))) return false;
        r->codes[i] = json_integer_value(json_array_get(codes, i));
    }
    for (size_t i = 0; i < m; i++) {
        if (!json_is_integer(json_array_get(decisions, i))) return false;
        r->decisions[i] = (int)json_integer_value(json_array_get(decisions, i));
    }
    for (size_t i = 0; i < dims; i++) rec->shape[i] = (int32_t)json_integer_value(json_array_get(shape, i));
    rec->n_dims = (int)dims;
    rec->n_codes = n;
    rec->codes = r->codes;
    rec->n_decisions = m;
    rec->decisions = r->decisions;
    return true;
}

static bool read_record(trace_reader *r, const json_t *o, trace_record *rec)
{
    const json_t *layer = json_object_get(o, "layer");
    int64_t v, w;
    const char *text = json_string_value(layer);
    *rec = (trace_record){0};
    if (!integer(o, "input", &rec->input) || rec->input < 0) return false;
    if (json_is_integer(layer) && json_integer_value(layer) >= TRACE_INPUT && json_integer_value(layer) < 1 << 20)
        rec->layer = (int)json_integer_value(layer);
    else if (text && strcmp(text, "output") == 0)
        rec->layer = TRACE_OUTPUT;
    else
        return false;
    rec->name = keep(rec->layer < 0 ? r->name : r->layer_name, o, "name");
    if (json_is_string(json_object_get(o, "op"))) {
        (void)snprintf(r->op, sizeof r->op, "%s", json_string_value(json_object_get(o, "op")));
        rec->op = r->op;
    }
    if (integer(o, "w_bits", &v)) rec->w_bits = (int)v;
    if (integer(o, "a_bits", &v)) rec->a_bits = (int)v;
    rec->has_crc = integer(o, "crc", &v) && v >= 0 && v <= UINT32_MAX;
    if (rec->has_crc) rec->crc = (uint32_t)v;
    rec->has_events = integer(o, "wraps", &v) && integer(o, "clamps", &w) && integer(o, "acc_min", &rec->acc_min) && integer(o, "acc_max", &rec->acc_max);
    if (rec->has_events) {
        rec->wraps = (uint64_t)v;
        rec->clamps = (uint64_t)w;
        rec->saturations = integer(o, "saturations", &v) ? (uint64_t)v : 0;
    }
    rec->has_cycles = real(o, "cycles", &rec->cycles);
    rec->has_measured = real(o, "cycles_measured", &rec->cycles_measured);
    return lists(r, o, rec);
}

/* One line: 1 = a record, 0 = nothing for the caller. */
static int line(trace_reader *r, trace_record *rec)
{
    char *brace = strstr(r->in.text, "{\"");
    json_error_t why;
    if (!brace) {
        if (r->in.length) source_skip(r, "no record on this line");
        return 0;
    }
    if (scan_record(r, brace, rec)) return 1;
    json_t *o = json_loads(brace, JSON_DISABLE_EOF_CHECK, &why);
    int got = 0;
    if (!o)
        source_skip(r, "a record that is cut or broken");
    else if (json_object_get(o, "bitemu_trace"))
        read_header(r, o);
    else if (!(got = read_record(r, o, rec)))
        source_skip(r, "a record without input and layer, or with values of the wrong type");
    json_decref(o);
    return got;
}

static status next(trace_reader *r, trace_record *rec, bool *end, err *e)
{
    for (;;) {
        TRY(lines_next(&r->in, end, e));
        if (*end || line(r, rec)) return ST_OK;
    }
}

const source_format source_json = {"trace", probe, next};
