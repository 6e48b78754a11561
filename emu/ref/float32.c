/* SPDX-License-Identifier: Apache-2.0 */
#include "emu/ref/float32.h"

status emu_float32_check(const emu_node *n, err *e)
{
    for (int i = 0; i < n->op->n_inputs; i++) {
        const model_tensor *t = emu_in(n, i);
        if (t && t->dtype != MODEL_F32) return emu_unsupported_type(n, e);
    }
    return emu_out(n, 0)->dtype == MODEL_F32 ? ST_OK : emu_unsupported_type(n, e);
}

static float clamp(float v, float low, float high)
{
    v = v > low ? v : low; /* std::max(v, low), then std::min */
    return v < high ? v : high;
}

/* TFLite reference_ops::Conv: total from 0 in order ky, kx, ci; then bias; then the activation's clamp. */
void emu_float32_conv(const emu_node *n, const emu_window *w, int groups, emu_events *ev)
{
    const float *in = emu_in_data(n, 0), *weights = emu_in_data(n, 1), *bias = emu_in_data(n, 2);
    float *out = emu_out_data(n, 0), low, high;
    int depth = w->in_c / groups, group_c = w->out_c / groups;
    emu_activation_range_f32(n->op->attrs.activation, &low, &high);
    for (int b = 0; b < w->batches; b++)
        for (int oy = 0; oy < w->out_h; oy++)
            for (int ox = 0; ox < w->out_w; ox++)
                for (int oc = 0; oc < w->out_c; oc++) {
                    float total = 0;
                    for (int ky = 0; ky < w->k_h; ky++) {
                        int iy = oy * w->stride_h + ky * w->dilation_h - w->pad_top;
                        for (int kx = 0; kx < w->k_w; kx++) {
                            int ix = ox * w->stride_w + kx * w->dilation_w - w->pad_left;
                            if (iy < 0 || iy >= w->in_h || ix < 0 || ix >= w->in_w) continue;
                            const float *x = in + ((size_t)(b * w->in_h + iy) * (size_t)w->in_w + (size_t)ix) * (size_t)w->in_c + oc / group_c * depth;
                            const float *f = weights + ((size_t)(oc * w->k_h + ky) * (size_t)w->k_w + (size_t)kx) * (size_t)depth;
                            for (int c = 0; c < depth; c++) total += x[c] * f[c];
                        }
                    }
                    *out++ = clamp(total + (bias ? bias[oc] : 0), low, high);
                }
    ev->macs += (uint64_t)w->batches * (uint64_t)(w->out_h * w->out_w) * (uint64_t)(w->out_c * w->k_h * w->k_w) * (uint64_t)depth;
}

/* TFLite reference_ops::DepthwiseConv. */
void emu_float32_depthwise(const emu_node *n, const emu_window *w, emu_events *ev)
{
    const float *in = emu_in_data(n, 0), *weights = emu_in_data(n, 1), *bias = emu_in_data(n, 2);
    float *out = emu_out_data(n, 0), low, high;
    int multiplier = w->out_c / w->in_c;
    emu_activation_range_f32(n->op->attrs.activation, &low, &high);
    for (int b = 0; b < w->batches; b++)
        for (int oy = 0; oy < w->out_h; oy++)
            for (int ox = 0; ox < w->out_w; ox++)
                for (int oc = 0; oc < w->out_c; oc++) {
                    float total = 0;
                    for (int ky = 0; ky < w->k_h; ky++) {
                        int iy = oy * w->stride_h + ky * w->dilation_h - w->pad_top;
                        for (int kx = 0; kx < w->k_w; kx++) {
                            int ix = ox * w->stride_w + kx * w->dilation_w - w->pad_left;
                            if (iy < 0 || iy >= w->in_h || ix < 0 || ix >= w->in_w) continue;
                            float x = in[((size_t)(b * w->in_h + iy) * (size_t)w->in_w + (size_t)ix) * (size_t)w->in_c + (size_t)(oc / multiplier)];
                            total += x * weights[(size_t)(ky * w->k_w + kx) * (size_t)w->out_c + (size_t)oc];
                        }
                    }
                    *out++ = clamp(total + (bias ? bias[oc] : 0), low, high);
                }
    ev->macs += (uint64_t)w->batches * (uint64_t)(w->out_h * w->out_w) * (uint64_t)(w->out_c * w->k_h * w->k_w);
}

/* TFLite reference_ops::FullyConnected. */
void emu_float32_fully_connected(const emu_node *n, int rows, emu_events *ev)
{
    const float *in = emu_in_data(n, 0), *weights = emu_in_data(n, 1), *bias = emu_in_data(n, 2);
    float *out = emu_out_data(n, 0), low, high;
    int out_c = emu_in(n, 1)->dims[0], depth = emu_in(n, 1)->dims[1];
    emu_activation_range_f32(n->op->attrs.activation, &low, &high);
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_c; o++) {
            float total = 0;
            for (int i = 0; i < depth; i++) total += in[r * depth + i] * weights[o * depth + i];
            *out++ = clamp(total + (bias ? bias[o] : 0), low, high);
        }
    ev->macs += (uint64_t)rows * (uint64_t)out_c * (uint64_t)depth;
}
