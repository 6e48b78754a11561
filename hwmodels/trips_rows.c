/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/trips_rows.c - loops of device/kernels/xpulp.c and rv32.c for one tile of columns. */
#include "hwmodels/trips.h"

#define N(NAME) trips[HW_TRIP_##NAME]

static int up(int n, int by) { return (n + by - 1) / by * by; }

static bool plain(const hw_mac_shape *m) { return m->container == 8 && !m->drop && !m->is_unsigned && !m->values; }

/* Rows of weights to bytes. */
static void unpack(const hw_mac_shape *m, hw_row row, int rows, double *trips)
{
    int words = up(m->depth * m->container, 32) / 32;
    bool slow = m->is_unsigned || (m->drop && m->container != 8);
    if (row == HW_RV32) slow = m->drop == 0 ? m->is_unsigned && !m->values : m->nesting == MODEL_NESTED_HALF_EVEN || m->container != 8 || m->is_unsigned || m->values;
    if (plain(m)) return;
    N(unpack) += rows;
    if (slow) {
        N(unpack_code) += (double)rows * m->depth;
        return;
    }
    if (m->container == 8) {
        if (!m->drop || m->nesting == MODEL_NESTED_FLOOR) N(unpack_floor) += (double)rows * words;
        else if (m->nesting == MODEL_NESTED_HALF_UP) N(unpack_half_up) += (double)rows * words;
        else N(unpack_half_even) += (double)rows * words;
    } else if (m->container == 4) {
        N(unpack_4) += (double)rows * words;
    } else if (m->container == 2) {
        N(unpack_2) += (double)rows * words;
    } else {
        N(unpack_1) += (double)rows * words;
    }
    if (m->values) N(unpack_value) += (double)rows * m->depth;
}

/* n <= 4 channels by the tile's pixels. */
static void multiply_xpulp(int n, int pixels, int runs, int words, double *trips)
{
    if (n == 4 && pixels == 4) {
        N(block)++;
        N(block_run) += runs;
        N(block_word) += (double)runs * words;
    } else if (n == 4) {
        N(column) += pixels;
        N(column_run) += (double)pixels * runs;
        N(column_word) += (double)pixels * runs * words;
    } else {
        N(lone) += (double)n * pixels;
        N(lone_run) += (double)n * pixels * runs;
        N(lone_word) += (double)n * pixels * runs * words;
    }
}

static void multiply_rv32(int n, int pixels, int runs, int words, double *trips)
{
    int pairs = pixels == 4 ? (n + 1) / 2 : 0;
    N(block) += pairs;
    N(block_run) += (double)pairs * runs;
    N(block_long) += (double)pairs * runs * (words / 2);
    N(block_word) += (double)pairs * runs * (words % 2);
    if (pixels == 4) return;
    if (pixels > 1) {
        N(column)++;
        N(column_run) += runs;
        N(column_long) += (double)runs * (words / 2);
        N(column_word) += (double)runs * (words % 2);
    }
    if (pixels & 1) {
        N(column_one)++;
        N(column_one_run) += runs;
        N(column_one_word) += (double)runs * words;
    }
}

static void codes(const hw_mac_shape *m, hw_row row, int n, int pixels, double *trips)
{
    bool any = row == HW_XPULP && m->any && n == 4 && pixels == 4;
    N(channel_group)++;
    if (any && m->once) N(channel_any_once) += n, N(code_any_once) += (double)n * pixels;
    else if (any) N(channel_any_twice) += n, N(code_any_twice) += (double)n * pixels;
    else if (m->once) N(channel_once) += n, N(code_once) += (double)n * pixels;
    else N(channel_twice) += n, N(code_twice) += (double)n * pixels;
}

void hw_trips_tile(const hw_mac_shape *m, hw_row row, int pixels, int runs, int run, double *trips)
{
    int words = (run + 3) / 4;
    for (int c = 0; c < m->out_c; c += 4) {
        int n = m->out_c - c < 4 ? m->out_c - c : 4;
        unpack(m, row, n, trips);
        (row == HW_XPULP ? multiply_xpulp : multiply_rv32)(n, pixels, runs, words, trips);
        if (m->brief) codes(m, row, n, pixels, trips);
        else N(sum) += (double)n * pixels;
    }
    if (m->brief) return;
    N(start_row) += m->out_c;
    N(start) += (double)m->out_c * pixels;
    N(finish) += pixels;
    double outputs = (double)m->out_c * pixels;
    if (m->out_bytes == 1) *(m->once ? &N(finish_once) : &N(finish_twice)) += outputs;
    else if (m->out_bytes == 2) *(m->once ? &N(finish_wide_once) : &N(finish_wide_twice)) += outputs;
    else N(raw) += outputs;
}
