/* SPDX-License-Identifier: Apache-2.0
 * device/bitemu_log.h - comparable logs from any firmware, in one header: the trace's JSON Lines (docs/TRACE.md) that `bitemu compare` reads.
 * Freestanding; needs a function that sends characters, and optionally one that reads a cycle counter:
 *
 *   static void put(void *ctx, const char *text, size_t n) { uart_write(text, n); }
 *   struct bitemu_log log = {.put = put};
 *   bitemu_log_header(&log, "tflm", "my-board", "kws.tflite", 1);
 *   bitemu_log_layer(&log, &(struct bitemu_log_record){.input = 0, .layer = -1, .op = "INPUT", .codes = in, .bytes = in_bytes});
 *   uint32_t t = DWT->CYCCNT;  conv1();  t = DWT->CYCCNT - t;
 *   bitemu_log_layer(&log, &(struct bitemu_log_record){.input = 0, .layer = 0, .op = "CONV_2D", .shape = shape, .n_dims = 4,
 *                    .w_bits = 8, .a_bits = 8, .codes = out, .bytes = out_bytes, .cycles = t, .has_cycles = true});
 *   bitemu_log_output(&log, 0, logits, 10, NULL, 0);
 *
 * codes: the layer's output as it lies in memory: NHWC, one code per element of its type, little endian. Set log.dump for a hex copy of the bytes
 * in every record. */
#ifndef BITEMU_LOG_H
#define BITEMU_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bitemu_log {
    void (*put)(void *ctx, const char *text, size_t n); /* required */
    void *ctx;
    bool dump;        /* records carry "dump": hex of their codes */
};

struct bitemu_log_record {
    int32_t input;    /* index of the input, from 0 */
    int32_t layer;    /* operator index; -1 = the quantized input */
    const char *op;   /* TFLite's name, or NULL */
    const char *name; /* or NULL */
    const uint16_t *shape;
    int n_dims;       /* 0 = not stated */
    int w_bits, a_bits; /* 0 = none */
    const void *codes;
    size_t bytes;
    bool has_cycles;
    uint64_t cycles;  /* measured */
};

static inline void bitemu_log_text(const struct bitemu_log *g, const char *s)
{
    size_t n = 0;
    while (s[n]) n++;
    g->put(g->ctx, s, n);
}

/* A JSON string: quotes, backslashes and control characters escaped. */
static inline void bitemu_log_string(const struct bitemu_log *g, const char *s)
{
    bitemu_log_text(g, "\"");
    for (; *s; s++) {
        char c[6] = {'\\', *s, '0', '0', 0, 0};
        unsigned char u = (unsigned char)*s;
        if (u >= 0x20 && u != '"' && u != '\\') {
            g->put(g->ctx, s, 1);
        } else if (u >= 0x20) {
            g->put(g->ctx, c, 2);
        } else {
            c[1] = 'u';
            c[4] = "0123456789abcdef"[u >> 4];
            c[5] = "0123456789abcdef"[u & 15];
            g->put(g->ctx, c, 6);
        }
    }
    bitemu_log_text(g, "\"");
}

static inline void bitemu_log_unsigned(const struct bitemu_log *g, uint64_t v)
{
    char text[20];
    size_t at = sizeof text;
    if (v <= UINT32_MAX) { /* 64-bit division only where it is needed */
        uint32_t w = (uint32_t)v;
        do text[--at] = (char)('0' + w % 10); while (w /= 10);
    } else {
        do text[--at] = (char)('0' + (char)(v % 10)); while (v /= 10);
    }
    g->put(g->ctx, text + at, sizeof text - at);
}

static inline void bitemu_log_signed(const struct bitemu_log *g, int64_t v)
{
    if (v < 0) bitemu_log_text(g, "-");
    bitemu_log_unsigned(g, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static inline void bitemu_log_number(const struct bitemu_log *g, const char *key, int64_t v)
{
    bitemu_log_text(g, key);
    bitemu_log_signed(g, v);
}

/* zlib's CRC-32 (reflected 0xEDB88320) of n more bytes; start with 0. Sixteen words of table. */
static inline uint32_t bitemu_log_crc32(uint32_t crc, const void *bytes, size_t n)
{
    static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
                                       0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    const uint8_t *p = (const uint8_t *)bytes;
    crc = ~crc;
    while (n--) {
        crc ^= *p++;
        crc = table[crc & 15] ^ crc >> 4;
        crc = table[crc & 15] ^ crc >> 4;
    }
    return ~crc;
}

static inline void bitemu_log_hex(const struct bitemu_log *g, const void *bytes, size_t n)
{
    const uint8_t *p = (const uint8_t *)bytes;
    bitemu_log_text(g, ",\"dump\":\"");
    for (size_t i = 0; i < n; i++) {
        char two[2] = {"0123456789abcdef"[p[i] >> 4], "0123456789abcdef"[p[i] & 15]};
        g->put(g->ctx, two, 2);
    }
    bitemu_log_text(g, "\"");
}

/* First line of a log. Any of the names may be NULL. */
static inline void bitemu_log_header(const struct bitemu_log *g, const char *profile, const char *board, const char *model, const char *policy,
                                     uint32_t model_crc, uint32_t inputs)
{
    const char *const key[] = {",\"profile\":", ",\"board\":", ",\"model\":", ",\"policy\":"}, *const value[] = {profile, board, model, policy};
    bitemu_log_text(g, "{\"bitemu_trace\":1,\"tool\":\"bitemu device\"");
    for (int i = 0; i < 4; i++) {
        if (!value[i]) continue;
        bitemu_log_text(g, key[i]);
        bitemu_log_string(g, value[i]);
    }
    if (model_crc) bitemu_log_number(g, ",\"model_crc\":", model_crc);
    bitemu_log_number(g, ",\"inputs\":", inputs);
    bitemu_log_text(g, "}\n");
}

static inline void bitemu_log_layer(const struct bitemu_log *g, const struct bitemu_log_record *r)
{
    bitemu_log_number(g, "{\"input\":", r->input);
    bitemu_log_number(g, ",\"layer\":", r->layer);
    if (r->op) {
        bitemu_log_text(g, ",\"op\":");
        bitemu_log_string(g, r->op);
    }
    if (r->name) {
        bitemu_log_text(g, ",\"name\":");
        bitemu_log_string(g, r->name);
    }
    for (int d = 0; d < r->n_dims; d++) bitemu_log_number(g, d ? "," : ",\"shape\":[", r->shape[d]);
    if (r->n_dims) bitemu_log_text(g, "]");
    if (r->w_bits) bitemu_log_number(g, ",\"w_bits\":", r->w_bits);
    if (r->a_bits) bitemu_log_number(g, ",\"a_bits\":", r->a_bits);
    bitemu_log_number(g, ",\"crc\":", bitemu_log_crc32(0, r->codes, r->bytes));
    if (r->has_cycles) {
        bitemu_log_text(g, ",\"cycles_measured\":");
        bitemu_log_unsigned(g, r->cycles);
    }
    if (g->dump) bitemu_log_hex(g, r->codes, r->bytes);
    bitemu_log_text(g, "}\n");
}

/* Last line of an input: the network's output codes and the candidates that its choices took. */
static inline void bitemu_log_output(const struct bitemu_log *g, int32_t input, const int32_t *codes, size_t n_codes, const uint8_t *decisions,
                                     size_t n_decisions)
{
    bitemu_log_number(g, "{\"input\":", input);
    bitemu_log_text(g, ",\"layer\":\"output\"");
    for (size_t i = 0; i < n_codes; i++) bitemu_log_number(g, i ? "," : ",\"codes\":[", codes[i]);
    if (n_codes) bitemu_log_text(g, "]");
    for (size_t i = 0; i < n_decisions; i++) bitemu_log_number(g, i ? "," : ",\"decisions\":[", decisions[i]);
    if (n_decisions) bitemu_log_text(g, "]");
    bitemu_log_text(g, "}\n");
}

#endif
