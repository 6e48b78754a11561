/* SPDX-License-Identifier: Apache-2.0 */
#include "hwmodels/plan_scratch.h"

#include <stdio.h>
#include <string.h>

#include "hwmodels/layer.h"

status hw_library_parse(const char *text, hw_library *out, err *e)
{
    static const hw_library known[] = {{"cmsis-nn:c", HW_BUILD_C}, {"cmsis-nn:dsp", HW_BUILD_DSP}, {"cmsis-nn:mve", HW_BUILD_MVE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(text, known[i].name) != 0 && (known[i].build != HW_BUILD_DSP || strcmp(text, "cmsis-nn") != 0)) continue;
        *out = known[i];
        return ST_OK;
    }
    return err_set(e, ST_ARG, "--kernels", "no scratch formulas for '%s'; there are cmsis-nn:c, cmsis-nn:dsp (or cmsis-nn), cmsis-nn:mve", text);
}

/* Zeros before the first row or column, as TFLite computes them. */
static int padding(const model_attrs *a, int stated, int in, int out, int k, int stride, int dilation)
{
    int total = (out - 1) * stride + (k - 1) * dilation + 1 - in;
    if (a->padding == MODEL_EXPLICIT) return stated;
    return a->padding == MODEL_VALID || total < 0 ? 0 : total / 2;
}

static bool find_shape(const model_subgraph *s, const model_op *op, hw_shape *h)
{
    int weights, activations;
    hw_layer_operands(op, &weights, &activations);
    const model_tensor *in = hw_layer_tensor(s, activations), *w = hw_layer_tensor(s, weights), *out = hw_layer_tensor(s, op->outputs[0]);
    const model_attrs *a = &op->attrs;
    if (!in || !w || !out || in->n_dims != 4 || w->n_dims != 4 || out->n_dims != 4 || in->dims[3] < 1) return false;
    *h = (hw_shape){in->dims[0], in->dims[1], in->dims[2], in->dims[3], w->dims[1], w->dims[2], out->dims[2], out->dims[3],
                    padding(a, a->pad_top, in->dims[1], out->dims[1], w->dims[1], a->stride_h, a->dilation_h),
                    padding(a, a->pad_left, in->dims[2], out->dims[2], w->dims[2], a->stride_w, a->dilation_w),
                    a->stride_w, a->dilation_h, a->dilation_w, out->dims[3] / in->dims[3]};
    if (op->code == MODEL_CONV_2D) h->in_c = w->dims[3]; /* of one group */
    return true;
}

static int64_t bytes_of(const model_graph *g, const hw_library *lib, int i)
{
    const model_subgraph *s = &g->subgraphs[0];
    const model_op *op = &s->ops[i];
    hw_shape h;
    int w, a;
    hw_op_bits(g, i, NULL, &w, &a);
    if (hw_layer_real(s, op) || w > 8 || a > 16 || op->n_outputs < 1) return 0;
    hw_operands t = a > 8 ? HW_S16 : w > 4 ? HW_S8 : HW_S4;
    if (op->code == MODEL_AVERAGE_POOL_2D) {
        const model_tensor *in = hw_layer_tensor(s, op->inputs[0]);
        return in && in->n_dims == 4 ? hw_scratch_cmsis_average_pool(in->dims[3], lib->build) : 0;
    }
    if (op->code != MODEL_CONV_2D && op->code != MODEL_DEPTHWISE_CONV_2D) return 0;
    if (!find_shape(s, op, &h)) return 0;
    return op->code == MODEL_CONV_2D ? hw_scratch_cmsis_conv(&h, t, lib->build) : hw_scratch_cmsis_depthwise(&h, t, lib->build);
}

status hw_scratch_buffer(const model_graph *g, const hw_library *lib, int op, hw_buffer *out, arena *a, err *e)
{
    const char *type = g->subgraphs[0].ops[op].type;
    int64_t bytes = bytes_of(g, lib, op);
    *out = (hw_buffer){-1, "", op, op, bytes > 0 ? (size_t)bytes : 0, 0};
    if (!out->bytes) return ST_OK;
    size_t size = strlen(type) + 32;
    char *name = arena_alloc(a, size, 1);
    if (!name) return err_set(e, ST_NOMEM, "memory plan", "out of memory");
    (void)snprintf(name, size, "scratch of op %d %s", op, type);
    out->name = name;
    return ST_OK;
}
