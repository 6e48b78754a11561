/* SPDX-License-Identifier: Apache-2.0
 * bitemu/bitemu.h - the library: what a quantized network computes on a microcontroller, bit for bit, and what it costs there.
 *
 *   bitemu_error e = {0};
 *   bitemu_network *net;
 *   if (bitemu_open(&(bitemu_options){.model = "kws.tflite", .board = "nucleo-l4r5zi"}, &net, &e)) { ... e.where, e.message ... }
 *   bitemu_run(net, input, output, &e);
 *   for (int i = 0; i < bitemu_layer_count(net); i++) { bitemu_layer l; bitemu_layer_get(net, i, &l); ... }
 *   bitemu_close(&net);
 *
 * The library never prints, exits or keeps global state. A bitemu_network is used by one thread at a time; open one per thread. */
#ifndef BITEMU_BITEMU_H
#define BITEMU_BITEMU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BITEMU_API __attribute__((visibility("default")))
#else
#define BITEMU_API
#endif

typedef enum bitemu_status { /* also the exit status of the program, see bitemu_exit_status */
    BITEMU_OK = 0,
    BITEMU_USAGE,       /* an argument breaks a rule stated here */
    BITEMU_UNSUPPORTED, /* legal, but not covered: operator, type, width */
    BITEMU_CORRUPT,     /* a file contradicts its format */
    BITEMU_IO,
    BITEMU_NO_MEMORY,
    BITEMU_DIFFERS,
    BITEMU_INCOMPLETE   /* an estimate lacks data */
} bitemu_status;

typedef struct bitemu_error { /* caller's; written when a call fails and code is still 0 */
    int code;                 /* bitemu_status */
    char where[192];          /* file:line:column, operator, byte offset ... */
    char message[832];
} bitemu_error;

typedef struct bitemu_options {
    const char *model;        /* path of a .tflite or .bitemu file; required */
    const char *profile;      /* "tflm", "litert-ref" ...; NULL = the model's own, else tflm */
    const char *policy;       /* "fixed:8", "layers:8,4,2", "controller", "random:SEED"; NULL = controller if the model has one */
    const char *board;        /* name or YAML file; NULL = no prices */
    int reset_each;           /* not 0: streaming state starts afresh with every input */
    const char *accumulator;  /* "16:saturate", "24:wrap": of every convolution and fully connected layer, 8..32 or 64 bits; NULL = as the
                                 model says, else as the library keeps it */
} bitemu_options;

typedef struct bitemu_network bitemu_network;

/* Loads, checks and prepares. *out is NULL on failure. */
BITEMU_API bitemu_status bitemu_open(const bitemu_options *o, bitemu_network **out, bitemu_error *e);
BITEMU_API void bitemu_close(bitemu_network **n); /* sets *n to NULL */

typedef struct bitemu_tensor { /* borrowed from the network */
    const char *name;
    const char *type;         /* numpy's: "int8", "uint8", "int16", "int32", "int64", "float32", "bool" */
    int bits;                 /* significant bits of a code */
    int n_dims;
    int32_t dims[6];
    size_t bytes;             /* of all elements, one code per element of type */
    float scale;              /* per-tensor quantization: real = scale * (code - zero_point); scale 0 = not quantized */
    int64_t zero_point;
} bitemu_tensor;

BITEMU_API int bitemu_input_count(const bitemu_network *n);
BITEMU_API int bitemu_output_count(const bitemu_network *n);
BITEMU_API bitemu_status bitemu_input(const bitemu_network *n, int i, bitemu_tensor *out);  /* BITEMU_USAGE: no such input */
BITEMU_API bitemu_status bitemu_output(const bitemu_network *n, int i, bitemu_tensor *out);

/* Runs one input: `input` holds the bytes of all network inputs one after the other (NHWC codes), `output` receives those of all
 * outputs. Streaming networks keep their state from call to call. */
BITEMU_API bitemu_status bitemu_run(bitemu_network *n, const void *input, void *output, bitemu_error *e);

typedef struct bitemu_layer { /* what an operator did in the last run; strings borrowed from the network */
    const char *name, *op;
    int w_bits, a_bits;       /* widths taken; 0 = no weights / no codes */
    uint32_t crc;             /* zlib CRC-32 of the output codes */
    uint64_t macs, wraps, clamps;
    int64_t acc_min, acc_max; /* finished accumulators, exact (saturating ones: results of additions before the cut); both 0 when there are none */
    double bitops;
    double cycles;            /* < 0 = unknown, or no board */
    uint64_t saturations;     /* saturating accumulators of which at least one addition was cut */
} bitemu_layer;
BITEMU_API int bitemu_layer_count(const bitemu_network *n);
BITEMU_API bitemu_status bitemu_layer_get(const bitemu_network *n, int i, bitemu_layer *out);

/* Candidates that the policy took in the last run, one per choice of the model. */
BITEMU_API int bitemu_choice_count(const bitemu_network *n);
BITEMU_API int bitemu_decision(const bitemu_network *n, int choice); /* -1: no such choice, or nothing was run */

typedef struct bitemu_cost {
    double macs, bitops;
    double cycles, cycles_error_pct;    /* < 0 = unknown */
    double energy_uj, energy_error_pct; /* < 0 = unknown */
    size_t sram_bytes, flash_bytes;
} bitemu_cost;
BITEMU_API void bitemu_cost_get(const bitemu_network *n, bitemu_cost *out); /* of the last run */

BITEMU_API int bitemu_exit_status(bitemu_status s); /* 0 ok, 1 differs, 2 usage, 3 unsupported, 4 corrupt or I/O, 5 incomplete */
BITEMU_API const char *bitemu_version(void);

#ifdef __cplusplus
}
#endif
#endif
