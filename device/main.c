/* SPDX-License-Identifier: Apache-2.0
 * The program on a board: every input that was exported runs once, every layer is logged, known answers are compared. */
#include "device/board.h"
#include "device/device.h"
#include "device/explain.h"
#include "network.h"

#ifndef BITEMU_DUMP
#define BITEMU_DUMP 0 /* 1: records carry the codes in hexadecimal */
#endif

#ifndef BITEMU_MAIN
#define BITEMU_MAIN main /* inside a program of your own: another name */
#endif

int BITEMU_MAIN(void);

enum { MAX_OUTPUTS = 256 }; /* codes of the network's output that the log's last record holds; more: none */

static _Alignas(16) uint8_t arena[NETWORK_ARENA_BYTES];

typedef struct state { /* of the input that runs */
    struct bitemu_log log;
    int32_t input;
    uint64_t begin, cycles;
    bool timed;
    const DEV_FLASH uint8_t *known; /* codes of the next layer; NULL = none are known, or a layer before differed */
    int failures;
} state;

static void begin(void *ctx)
{
    state *s = ctx;
    s->timed = board_cycles(&s->begin);
}

static void end(void *ctx)
{
    state *s = ctx;
    uint64_t now;
    if (board_cycles(&now) && s->timed) s->cycles = now >= s->begin ? now - s->begin : (uint32_t)(now - s->begin); /* a 32-bit counter may wrap */
}

static void layer(void *ctx, const dev_layer *l, const void *out, int w_bits, int a_bits)
{
    state *s = ctx;
    char op[DEV_TEXT], name[DEV_TEXT];
    uint32_t bytes = l->out.n * dev_type_bytes(l->out.type);
    bitemu_log_layer(&s->log, &(struct bitemu_log_record){.input = s->input, .layer = l->index, .op = dev_text(l->op, op), .name = dev_text(l->name, name), .shape = l->out.dims,
                     .n_dims = l->out.n_dims, .w_bits = w_bits, .a_bits = a_bits, .codes = out, .bytes = (size_t)bytes, .has_cycles = s->timed, .cycles = s->cycles});
    if (!s->known) return;
    bool equal = dev_explain(&s->log, s->input, l, out, s->known);
    s->known = equal ? s->known + bytes : NULL;
    s->failures += !equal;
}

static void log_output(const state *s, const uint8_t *candidate)
{
    int32_t codes[MAX_OUTPUTS];
    uint32_t n = network.out.n <= MAX_OUTPUTS ? network.out.n : 0;
    for (uint32_t i = 0; i < n; i++) codes[i] = dev_load(arena + network.out.at, network.out.type, i);
    bitemu_log_output(&s->log, s->input, codes, (size_t)n, candidate, network.n_choices);
}

static __attribute__((noinline)) void header(const struct bitemu_log *log)
{
    char profile[DEV_TEXT], name[DEV_TEXT], policy[DEV_TEXT];
    bitemu_log_header(log, dev_text(network.profile, profile), board_name, dev_text(network.name, name), dev_text(network.policy_text, policy), network.crc, network_n_inputs);
}

static bool run(state *s, uint32_t input)
{
    uint8_t candidate[NETWORK_CHOICES + 1] = {0};
    const dev_observer o = {begin, end, layer, s};
    const DEV_FLASH uint8_t *from = network_inputs + input * NETWORK_INPUT_BYTES;
    for (uint32_t i = 0; i < NETWORK_INPUT_BYTES; i++) arena[network.in.at + i] = from[i];
    s->input = (int32_t)input;
    s->known = network_known ? network_known + input * NETWORK_KNOWN_BYTES : NULL;
    bitemu_log_layer(&s->log, &(struct bitemu_log_record){.input = s->input, .layer = -1, .op = "INPUT", .shape = network.in.dims,
                     .n_dims = network.in.n_dims, .codes = arena + network.in.at, .bytes = NETWORK_INPUT_BYTES});
    int undecided = dev_run_model(&network, network_kernels, arena, (int64_t)input, candidate, &o);
    if (undecided >= 0) {
        bitemu_log_number(&s->log, "input ", s->input);
        bitemu_log_number(&s->log, ": the decision for choice ", undecided);
        bitemu_log_text(&s->log, " is none of its candidates\n");
        return false;
    }
    log_output(s, candidate);
    return true;
}

int BITEMU_MAIN(void)
{
    state s = {.log = {.put = board_put, .dump = BITEMU_DUMP}};
    bool ok = true;
    header(&s.log);
    for (uint32_t i = 0; ok && i < network_n_inputs; i++) ok = run(&s, i);
    if (network_known && ok) {
        bitemu_log_number(&s.log, "known answers: ", (int64_t)network_n_inputs - s.failures);
        bitemu_log_number(&s.log, " inputs right, wrong: ", s.failures);
        bitemu_log_text(&s.log, "\n");
    }
    if (board_stack_bytes()) {
        bitemu_log_number(&s.log, "stack_bytes ", (int64_t)board_stack_bytes());
        bitemu_log_text(&s.log, "\n");
    }
    int code = !ok ? 4 : s.failures ? 1 : 0;
    board_exit(code);
    return code;
}
