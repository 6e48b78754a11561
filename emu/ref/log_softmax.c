/* SPDX-License-Identifier: Apache-2.0
 * LOG_SOFTMAX on float32 along the last dimension (TFLite reference_ops::LogSoftmax): x - max - log(sum of exp(x - max)), with libm. */
#include <math.h>

#include "emu/ref/common.h"
#include "emu/ref/rows.h"

static status prepare(emu_node *n, err *e)
{
    return emu_in(n, 0)->dtype == MODEL_F32 && emu_out(n, 0)->dtype == MODEL_F32 ? ST_OK : emu_unsupported_type(n, e);
}

static void run(emu_node *n, emu_events *ev)
{
    const model_tensor *in = emu_in(n, 0);
    size_t depth = in->n_dims ? (size_t)in->dims[in->n_dims - 1] : 1;
    (void)ev;
    for (size_t at = 0; at + depth <= in->n_elems && depth; at += depth) {
        const float *x = (const float *)emu_in_data(n, 0) + at;
        float *y = (float *)emu_out_data(n, 0) + at, most = x[0], sum = 0;
        for (size_t i = 1; i < depth; i++) most = x[i] > most ? x[i] : most;
        for (size_t i = 0; i < depth; i++) sum += expf(x[i] - most);
        float log_sum = logf(sum);
        for (size_t i = 0; i < depth; i++) y[i] = x[i] - most - log_sum;
    }
}

void emu_row_log_softmax(emu_kernel *row) { *row = (emu_kernel){.prepare = prepare, .run = run}; }
