/* SPDX-License-Identifier: Apache-2.0 */
#include "hwmodels/plan_scratch.h"

#include <stdio.h>
#include <string.h>

#include "device/depthwise.h"
#include "hwmodels/layer.h"

#define ROW(NAME, PIXELS, BYTES, LANES, ORDER, UNPACKS) {.name = "bitemu:" #NAME, .family = HW_BITEMU, .row = {.name = #NAME, .pixels = PIXELS, .lane_bytes = BYTES, .lanes = LANES, .order = ORDER, .unpacks = UNPACKS}},
static const hw_library known[] = {
    {.name = "cmsis-nn:dsp", .family = HW_CMSIS_NN, .build = HW_BUILD_DSP}, {.name = "cmsis-nn:c", .family = HW_CMSIS_NN}, {.name = "cmsis-nn:mve", .family = HW_CMSIS_NN, .build = HW_BUILD_MVE},
    {.name = "cmix-nn", .family = HW_CMIX_NN}, {.name = "pulp-nn", .family = HW_PULP_NN}, {.name = "tinyengine", .family = HW_TINYENGINE}, {.name = "reference", .family = HW_REFERENCE}, DEV_ROWS(ROW)};
#undef ROW

status hw_library_parse(const char *text, hw_library *out, err *e)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(text, known[i].name) != 0 && (i != 0 || strcmp(text, "cmsis-nn") != 0)) continue;
        *out = known[i];
        return ST_OK;
    }
#define NAME(ROW, PIXELS, BYTES, LANES, ORDER, UNPACKS) ", bitemu:" #ROW
    return err_set(e, ST_ARG, "--kernels", "no scratch formulas for '%s'; there are cmsis-nn:c, cmsis-nn:dsp (or cmsis-nn), cmsis-nn:mve, cmix-nn, pulp-nn, tinyengine, reference" DEV_ROWS(NAME), text);
#undef NAME
}

/* Stacks that call a library's kernels, by the start of their names; NULL = whose kernels are their own and unpublished. */
const char *hw_board_library(const hw_board *b)
{
    static const struct { const char *stack, *library; } rows[] = {
        {"cmsis-nn-mve", "cmsis-nn:mve"}, {"cmsis-nn-c", "cmsis-nn:c"}, {"cmsis-nn-dsp", "cmsis-nn:dsp"}, {"cmix-nn", "cmix-nn"}, {"pulp-nn", "pulp-nn"},
        {"tinyengine", "tinyengine"}, {"tflm_reference", "reference"}, {"tflm_cmsisnn", "cmsis-nn"}, {"tflm-2.3.1", "cmsis-nn"}, {"microtvm_cmsisnn", "cmsis-nn"},
        {"microtvm-1.0", "cmsis-nn"}, {"onnc_cmsisnn", "cmsis-nn"}, {"bitemu-cv32e40p", "bitemu:xpulp"}, {"bitemu-ibex", "bitemu:rv32"},
    };
    static const char *const helium[] = {"cortex-m55", "cortex-m85"}, *const plain[] = {"cortex-m0plus", "cortex-m3"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strncmp(b->stack, rows[i].stack, strlen(rows[i].stack)) != 0) continue;
        if (strcmp(rows[i].library, "cmsis-nn") != 0) return rows[i].library;
        for (int k = 0; k < 2; k++) {
            if (strcmp(b->core, helium[k]) == 0) return "cmsis-nn:mve";
            if (strcmp(b->core, plain[k]) == 0) return "cmsis-nn:c";
        }
        return "cmsis-nn:dsp";
    }
    return NULL;
}

bool hw_board_narrow(const hw_board *b)
{
    const char *library = hw_board_library(b);
    return b->arch || (library && (strcmp(library, "cmix-nn") == 0 || strcmp(library, "pulp-nn") == 0 || strncmp(library, "bitemu:", 7) == 0));
}

static bool find_shape(const model_subgraph *s, const model_op *op, hw_shape *h)
{
    int weights, activations;
    hw_layer_operands(op, &weights, &activations);
    const model_tensor *in = hw_layer_tensor(s, activations), *w = hw_layer_tensor(s, weights), *out = hw_layer_tensor(s, op->outputs[0]);
    const model_attrs *a = &op->attrs;
    if (!in || !w || !out || in->n_dims != 4 || w->n_dims != 4 || out->n_dims != 4 || in->dims[3] < 1) return false;
    *h = (hw_shape){in->dims[0], in->dims[1], in->dims[2], in->dims[3], w->dims[1], w->dims[2], out->dims[2], out->dims[3],
                    hw_layer_padding(a, a->pad_top, in->dims[1], out->dims[1], w->dims[1], a->stride_h, a->dilation_h),
                    hw_layer_padding(a, a->pad_left, in->dims[2], out->dims[2], w->dims[2], a->stride_w, a->dilation_w),
                    a->stride_w, a->dilation_h, a->dilation_w, out->dims[3] / in->dims[3]};
    if (op->code == MODEL_CONV_2D) h->in_c = w->dims[3]; /* of one group */
    return true;
}

static int64_t cmsis_bytes(const model_graph *g, const hw_library *lib, const model_op *op, int w, int a)
{
    const model_subgraph *s = &g->subgraphs[0];
    hw_shape h;
    hw_operands t = a > 8 ? HW_S16 : w > 4 ? HW_S8 : HW_S4;
    if (op->code == MODEL_AVERAGE_POOL_2D) {
        const model_tensor *in = hw_layer_tensor(s, op->inputs[0]);
        return in && in->n_dims == 4 ? hw_scratch_cmsis_average_pool(in->dims[3], lib->build) : 0;
    }
    if (op->code != MODEL_CONV_2D && op->code != MODEL_DEPTHWISE_CONV_2D) return 0;
    if (!find_shape(s, op, &h)) return 0;
    return op->code == MODEL_CONV_2D ? hw_scratch_cmsis_conv(&h, t, lib->build) : hw_scratch_cmsis_depthwise(&h, t, lib->build);
}

/* device/kernels/rows.h; sums of MEAN, powers of SOFTMAX. */
static int64_t device_bytes(const model_graph *g, const dev_kernels *row, const model_op *op)
{
    const model_subgraph *s = &g->subgraphs[0];
    const model_tensor *in = hw_layer_tensor(s, op->inputs[0]), *w = op->n_inputs > 1 ? hw_layer_tensor(s, op->inputs[1]) : NULL, *out = hw_layer_tensor(s, op->outputs[0]);
    const model_attrs *a = &op->attrs;
    if (!in || !out) return 0;
    if (op->code == MODEL_MEAN) return 4 * (int64_t)out->n_elems;
    if (op->code == MODEL_SOFTMAX) return 4 * (int64_t)(in->n_dims ? in->dims[in->n_dims - 1] : 1);
    if (!w || w->n_dims < 1 || w->dims[0] < 1) return 0;
    if (op->code == MODEL_DEPTHWISE_CONV_2D && w->n_dims == 4 && out->n_dims == 4) {
        const dev_mac m = {.out_h = (uint16_t)out->dims[1], .out_w = (uint16_t)out->dims[2], .k_h = (uint16_t)w->dims[1], .k_w = (uint16_t)w->dims[2], .stride_h = (uint16_t)a->stride_h,
                           .stride_w = (uint16_t)a->stride_w, .dilation_h = (uint16_t)a->dilation_h, .dilation_w = (uint16_t)a->dilation_w};
        return (int64_t)dev_bands_of(&m).bytes;
    }
    if (op->code != MODEL_CONV_2D && op->code != MODEL_FULLY_CONNECTED) return 0;
    const int64_t filters = w->dims[0], depth = (int64_t)w->n_elems / filters, padded = (depth + row->lanes - 1) / row->lanes * row->lanes;
    return row->pixels * padded * row->lane_bytes + 4 * filters * row->pixels + row->unpacks * ((depth + DEV_UNPACKED - 1) / DEV_UNPACKED * DEV_UNPACKED);
}

static int64_t bytes_at(const model_graph *g, const hw_library *lib, int i, const int *candidate)
{
    const model_subgraph *s = &g->subgraphs[0];
    const model_op *op = &s->ops[i];
    hw_shape h;
    int w, a;
    hw_op_bits(g, i, candidate, &w, &a);
    if (lib->family == HW_REFERENCE || hw_layer_real(s, op) || w > 8 || a > 16 || op->n_outputs < 1) return 0;
    if (lib->family == HW_BITEMU) return device_bytes(g, &lib->row, op);
    if (lib->family == HW_CMSIS_NN) return cmsis_bytes(g, lib, op, w, a);
    if ((op->code != MODEL_CONV_2D && op->code != MODEL_DEPTHWISE_CONV_2D) || !find_shape(s, op, &h)) return 0;
    bool depthwise = op->code == MODEL_DEPTHWISE_CONV_2D;
    if (lib->family == HW_CMIX_NN) return hw_scratch_cmix(&h, depthwise);
    if (lib->family == HW_PULP_NN) return hw_scratch_pulp(&h, depthwise, w);
    return hw_scratch_tinyengine(&h, depthwise);
}

/* The most that one candidate of the operator's choice needs; candidate given: what it needs. */
static int64_t bytes_of(const model_graph *g, const hw_library *lib, int i, const int *candidate, arena *a)
{
    const model_op *op = &g->subgraphs[0].ops[i];
    const model_choice *c = hw_layer_choice(g, op);
    int64_t most = 0;
    if (candidate || !c) return bytes_at(g, lib, i, candidate);
    int *each = arena_alloc(a, (size_t)g->n_choices, sizeof *each);
    if (!each) return -1;
    for (int k = 0; k < c->n_candidates; k++) {
        each[op->choice] = k;
        int64_t n = bytes_at(g, lib, i, each);
        if (n > most) most = n;
    }
    return most;
}

status hw_scratch_buffer(const model_graph *g, const hw_library *lib, int op, const int *candidate, hw_buffer *out, arena *a, err *e)
{
    const char *type = g->subgraphs[0].ops[op].type;
    int64_t bytes = bytes_of(g, lib, op, candidate, a);
    if (bytes < 0) return err_set(e, ST_NOMEM, "memory plan", "out of memory");
    *out = (hw_buffer){-1, "", op, op, (size_t)bytes, 0};
    if (!out->bytes) return ST_OK;
    size_t size = strlen(type) + 32;
    char *name = arena_alloc(a, size, 1);
    if (!name) return err_set(e, ST_NOMEM, "memory plan", "out of memory");
    (void)snprintf(name, size, "scratch of op %d %s", op, type);
    out->name = name;
    return ST_OK;
}
