/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/trips_depthwise.c - the loop nest of device/ops_depthwise.c and its kernels, walked without data. */
#include "hwmodels/trips.h"

#define N(NAME) trips[HW_TRIP_##NAME]

enum { PLANES = 4, BAND = 1024, SUMS = 128 }; /* device/depthwise.h */

typedef struct bands { /* dev_bands_of */
    int wide, tall, width, rows, out_rows, sum_rows;
} bands;

static int at_least_one(int x) { return x < 1 ? 1 : x; }

static bands bands_of(const hw_mac_shape *m)
{
    bands b = {.wide = ((m->k_w - 1) * m->dilation_w + 4) & ~3, .tall = (m->k_h - 1) * m->dilation_h + 1,
               .width = ((m->out_w - 1) * m->stride_w + (m->k_w - 1) * m->dilation_w + 4) & ~3};
    int most = BAND / PLANES / b.width;
    b.out_rows = hw_clamp(most > b.tall ? (most - b.tall) / m->stride_h + 1 : 1, 1, m->out_h);
    b.rows = (b.out_rows - 1) * m->stride_h + b.tall;
    b.sum_rows = hw_clamp(at_least_one(SUMS / m->out_w), 1, b.out_rows);
    return b;
}

/* n codes of `channels` neighbours, `step` bytes apart, to planes. */
static void split(int n, int channels, int step, double *trips)
{
    if (channels == PLANES && step % 4 == 0) {
        N(split)++;
        N(split_four) += n / 4;
        N(split_one) += n % 4;
    } else {
        N(split_plane) += channels;
        N(split_byte) += (double)channels * n;
    }
}

static void read_weights(const hw_mac_shape *m, int channels, double *trips)
{
    const bool plain = m->container == 8 && !m->drop && !m->is_unsigned && !m->values;
    for (int ky = 0; ky < m->k_h; ky++) {
        N(weight_row)++;
        if (plain && m->dilation_w == 1) {
            split(m->k_w, channels, m->out_c, trips);
            continue;
        }
        const double codes = (double)channels * m->k_w;
        N(weight_code) += codes;
        if (m->drop && m->nesting != MODEL_NESTED_FLOOR) N(weight_rounded) += codes;
        if (m->values) N(weight_value) += codes;
    }
}

static void read_rows(const hw_mac_shape *m, const bands *b, int channels, int y, int rows, double *trips)
{
    const int left = m->pad_left < b->width ? m->pad_left : b->width, room = b->width - left, copied = m->in_w < room ? m->in_w : room;
    for (int row = 0; row < rows; row++, y++) {
        N(plane_row)++;
        if (y >= 0 && y < m->in_h) {
            split(copied, channels, m->in_c, trips);
        } else {
            N(plane_beside) += channels;
            N(plane_fill) += (double)channels * b->width / 4;
        }
    }
}

/* Loads of words that begin between words. */
static double crooked(int windows, int step)
{
    int n = 0;
    for (int i = 0; i < windows; i++) n += i * step % 4 != 0;
    return n;
}

/* Sums of `rows` rows of one channel. */
static void plane(const hw_mac_shape *m, const bands *b, hw_row row, int rows, double *trips)
{
    const bool three = m->k_h == 3 && m->k_w == 3 && m->dilation_w == 1;
    const int taps = row == HW_XPULP ? m->k_w : (m->k_w - 1) * m->dilation_w + 1, fours = m->out_w / 4, ones = m->out_w % 4;
    const int spanned = (m->k_w - 1) * m->dilation_w + 1;
    if (row == HW_XPULP && m->k_h == 3 && b->wide == 4) {
        const bool pairs = spanned < 4 && m->stride_w == 1;
        const int trips_of = pairs ? (m->out_w + 1) / 2 : m->out_w;
        N(window_row) += rows;
        *(pairs ? &N(window_pair) : &N(window_three)) += (double)rows * trips_of;
        N(window_crooked) += rows * 3 * crooked(trips_of, pairs ? 2 : m->stride_w);
    } else if (row == HW_XPULP) {
        N(window_row_any) += rows;
        N(window_any) += (double)rows * m->out_w;
        N(window_any_row) += (double)rows * m->out_w * m->k_h;
        N(window_any_word) += (double)rows * m->out_w * m->k_h * (b->wide / 4);
        N(window_crooked) += rows * (double)m->k_h * (b->wide / 4) * crooked(m->out_w, m->stride_w);
    } else if (three && (m->stride_w == 1 || m->stride_w == 2)) {
        N(window_row) += rows;
        *(m->stride_w == 1 ? &N(window_four) : &N(window_four_2)) += (double)rows * fours;
        N(window_one) += (double)rows * ones;
    } else {
        N(window_row_any) += rows;
        N(window_any_four) += (double)rows * fours;
        N(window_any_four_row) += (double)rows * fours * m->k_h;
        N(window_any_four_tap) += (double)rows * fours * m->k_h * taps;
        N(window_any) += (double)rows * ones;
        N(window_any_row) += (double)rows * ones * m->k_h;
        N(window_any_tap) += (double)rows * ones * m->k_h * taps;
    }
}

static void channel(const hw_mac_shape *m, const bands *b, hw_row row, int rows, double *trips)
{
    const bool any = row == HW_XPULP && m->any;
    N(channel)++;
    for (int y = 0; y < rows; y += b->sum_rows) {
        const int part = rows - y < b->sum_rows ? rows - y : b->sum_rows;
        const double outputs = (double)part * m->out_w;
        N(channel_part)++;
        plane(m, b, row, part, trips);
        if (!m->brief) *(m->once ? &N(spread_once) : &N(spread_twice)) += outputs;
        else if (any) *(m->once ? &N(down_any_once) : &N(down_any_twice)) += outputs;
        else *(m->once ? &N(down_once) : &N(down_twice)) += outputs;
    }
}

void hw_trips_depthwise(const hw_mac_shape *m, hw_row row, double *trips)
{
    const bands b = bands_of(m);
    const int multiplier = m->out_c / m->in_c, kept = b.tall > m->stride_h ? b.tall - m->stride_h : 0;
    N(depthwise_call)++;
    N(plane_fill) += PLANES * (double)b.rows * b.width / 4 + PLANES * (double)m->k_h * b.wide / 4;
    for (int c = 0; c < m->in_c; c += PLANES) {
        const int n = m->in_c - c < PLANES ? m->in_c - c : PLANES;
        N(plane_group)++;
        if (multiplier == 1) read_weights(m, n, trips);
        for (int oy = 0, have = 0; oy < m->out_h; oy += b.out_rows) {
            const int rows = m->out_h - oy < b.out_rows ? m->out_h - oy : b.out_rows, need = (rows - 1) * m->stride_h + b.tall;
            N(band)++;
            if (have) N(plane_keep) += n, N(plane_keep_word) += (double)n * have * b.width / 4;
            read_rows(m, &b, n, oy * m->stride_h + have - m->pad_top, need - have, trips);
            for (int k = 0; k < n * multiplier; k++) {
                if (multiplier > 1) read_weights(m, 1, trips);
                channel(m, &b, row, rows, trips);
            }
            have = kept;
        }
    }
}
