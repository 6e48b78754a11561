/* SPDX-License-Identifier: Apache-2.0
 * CMSIS-NN's Helium convolutions (arm_convolve_wrapper_s8, _s4) work on four pixels at a time. With 4-bit weights two or three that
 * remain are requantized in predicated lanes, which round once more; a single one is not. Remain of what?
 *   1x1, strided: of a row; 1xN (arm_convolve_1_x_n): of the pixels that touch no padding; else: of the image.
 * 1xN serves images one row high when stride in_c is a multiple of 4. It counts total = (out_w - 1) stride + k_w - in_w columns of
 * padding and computes the padded pixels one by one:
 *   4-bit weights: channel c starts at byte c K / 2 + begin in_c / 2 of the packed weights, K = k_w in_c, begin = the first tap inside the
 *   image; where K or begin in_c is odd that is a nibble too early;
 *   8-bit weights: total -1 (the last input column is read by no window) still counts as one padded pixel, which goes without its last tap. */
#include "emu/ref/helium.h"

typedef struct row_split { /* pixels of a 1xN row */
    int left, plain, right;
} row_split;

static bool row_kernel(const emu_window *w)
{
    bool one = w->k_w == 1 && w->pad_left == 0;
    return w->in_h == 1 && w->k_h == 1 && w->dilation_w == 1 && w->stride_w * w->in_c % 4 == 0 && !one;
}

static row_split split(const emu_window *w)
{
    int s = w->stride_w, total = (w->out_w - 1) * s + w->k_w - w->in_w, after = w->pad_left + total % 2;
    int left = w->pad_left ? (w->pad_left + s - 1) / s : 0, right = (after + s - 1) / s;
    if (after && right < 1) right = 1;
    return (row_split){left, w->out_w - left - right, right};
}

bool emu_helium_rest(const emu_window *w, int oy, int ox)
{
    int count = w->out_h * w->out_w, at = oy * w->out_w + ox;
    if (row_kernel(w)) {
        row_split s = split(w);
        count = s.plain;
        at = ox - s.left;
        if (at < 0 || at >= count) return false;
    } else if (w->k_h == 1 && w->k_w == 1 && (w->stride_h > 1 || w->stride_w > 1)) {
        count = w->out_w;
        at = ox;
    }
    return count % 4 > 1 && at >= count / 4 * 4;
}

bool emu_helium_row(const emu_node *n, const emu_window *w, const emu_mac *m, int ox, void *out, size_t at, emu_events *ev)
{
    if (!row_kernel(w)) return false;
    row_split s = split(w);
    if (ox >= s.left && ox < s.left + s.plain) return false;
    int x0 = ox * w->stride_w - w->pad_left, begin = x0 < 0 ? -x0 : 0, end = w->in_w - x0 < w->k_w ? w->in_w - x0 : w->k_w;
    const model_tensor *weights = emu_in(n, 1);
    int depth = m->depth, skipped = begin * w->in_c;
    if (emu_weight_bits(n) != 4) {
        bool unread = (w->out_w - 1) * w->stride_w + w->k_w - w->in_w == -1;
        for (int i = depth - w->in_c; unread && i < depth; i++) m->column[i] = 0;
        return false;
    }
    if (depth % 2 == 0 && skipped % 2 == 0) return false;
    for (int c = 0; c < m->out_c; c++) {
        int64_t sum = 0;
        for (int t = skipped; t < end * w->in_c; t++) {
            sum += m->column[t] * emu_load(weights, weights->data, (size_t)(c * depth / 2 * 2 + skipped / 2 * 2 + t - skipped));
        }
        emu_store(emu_out(n, 0), out, at + (size_t)c, emu_mac_finish(m, n->entry, c, sum, ev));
    }
    ev->macs += (uint64_t)m->out_c * (uint64_t)depth;
    return true;
}
