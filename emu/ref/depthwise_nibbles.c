/* SPDX-License-Identifier: Apache-2.0
 * Depthwise convolution with 4-bit weights and an odd number of input channels as CMSIS-NN's generic kernel reads them (arm_depthwise_conv_s4;
 * muRISCV-NN has its copy). Weights are packed two a byte, low nibble first, rows not byte aligned; the kernel walks them with one nibble
 * flag that toggles at every tap inside the image and is never set back within a pixel:
 *   byte = tap (in_c / 2) multiplier + channel / 2 + bytes finished in this channel. */
#include "emu/ref/mac.h"

bool emu_depthwise_nibbles_apply(const emu_node *n, const emu_window *w)
{
    bool odd = n->profile->habits & EMU_W4_NIBBLES && emu_weight_bits(n) == 4 && w->in_c % 2 == 1;
    bool plain = w->out_c == w->in_c && w->batches == 1 && w->dilation_h == 1 && w->dilation_w == 1; /* the other kernel, which is right */
    return odd && !plain && !n->op->weights;
}

static int32_t nibble(const model_tensor *w, int byte, bool low)
{
    size_t i = 2 * (size_t)byte + !low;
    return i < w->n_elems ? emu_load(w, w->data, i) : 0;
}

int emu_depthwise_nibbles_taps(const emu_node *n, const emu_window *w, size_t image, int oy, int ox, int channel, emu_tap *list)
{
    const model_tensor *weights = emu_in(n, 1);
    int multiplier = w->out_c / w->in_c, taps = w->k_h * w->k_w, step = w->in_c / 2 * multiplier, count = 0;
    bool low = true;
    for (int c = 0; c <= channel; c++) {
        int done = 0;
        for (int t = 0; t < taps; t++) {
            int iy = oy * w->stride_h + t / w->k_w * w->dilation_h - w->pad_top, ix = ox * w->stride_w + t % w->k_w * w->dilation_w - w->pad_left;
            if (iy < 0 || iy >= w->in_h || ix < 0 || ix >= w->in_w) continue;
            int64_t element = (((int64_t)image + iy) * w->in_w + ix) * w->in_c + c / multiplier;
            if (c == channel) list[count++] = (emu_tap){element, 0, nibble(weights, t * step + c / 2 + done, low)};
            done += !low;
            low = !low;
        }
        if (taps % 2 == 0) low = !low;
    }
    return count;
}

void emu_depthwise_nibbles(const emu_node *n, const emu_window *w, size_t image, int oy, int ox, int32_t zero, int32_t *sums)
{
    const model_tensor *in = emu_in(n, 0), *weights = emu_in(n, 1);
    int multiplier = w->out_c / w->in_c, taps = w->k_h * w->k_w, step = w->in_c / 2 * multiplier;
    bool low = true;
    for (int c = 0; c < w->out_c; c++) {
        int done = 0;
        sums[c] = 0;
        for (int t = 0; t < taps; t++) {
            int iy = oy * w->stride_h + t / w->k_w * w->dilation_h - w->pad_top, ix = ox * w->stride_w + t % w->k_w * w->dilation_w - w->pad_left;
            if (iy < 0 || iy >= w->in_h || ix < 0 || ix >= w->in_w) continue;
            size_t from = ((image + (size_t)iy) * (size_t)w->in_w + (size_t)ix) * (size_t)w->in_c + (size_t)(c / multiplier);
            sums[c] += (emu_load(in, emu_in_data(n, 0), from) - zero) * nibble(weights, t * step + c / 2 + done, low);
            done += !low;
            low = !low;
        }
        if (taps % 2 == 0) low = !low; /* an odd window toggles twice */
    }
}
