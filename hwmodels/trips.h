/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/trips.h - how often each loop of bitemu's own kernels (device/) runs in an operator, from shapes and widths alone. Internal to hwmodels.
 *   cycles of a layer = sum over loops of trips x cycles of one trip (kernels/bitemu-CORE.yaml, `trips`; fitted by hwmodels/fit/device.py)
 * The names below are those of that file. A trip of a loop that contains others is what it costs beside them. */
#ifndef BITEMU_HWMODELS_TRIPS_H
#define BITEMU_HWMODELS_TRIPS_H

#include <stdbool.h>

#include "model/graph.h"

/* Convolutions, fully connected layers (device/ops_mac.c):
 *   tile        up to four pixels that are multiplied at once; `placed`: with lanes that lie in the input already, else `pixel` by pixel gathered
 *   taps_*      rows of a receptive field beside, inside and across the border; what is filled with zeros or copied in them, by the loop that does it:
 *               *_long 8 bytes (rv32 copies 16), *_word 4, *_byte 1; crooked: accesses to words that are not aligned
 *   block       four channels (rv32: two) by four pixels; column: four channels by one pixel (rv32: two, column_one: one); lone: one by one
 *               *_run: stretches of lanes without gap; *_word 4 lanes (rv32: *_long 8)
 *   unpack      rows of weights that become bytes, by the words read and the rule
 *   channel_*   rows of sums that become codes, code_*: the codes; by rounding (twice: as TFLM, once: as profile bitemu), wide: of 16 bits; any: a type's whole range
 *   start, sum  accumulators that begin with the bias and take up products, where codes are not made at once; raw: sums that stay as they are
 * Depthwise layers (device/ops_depthwise.c): four planes at a time (plane_group), band by band; rows of them that are split off the input, filled beside it or kept;
 *   weights as bytes; windows by the loop that computes them; sums that go down a channel as codes, or spread to any type
 * ADD, QUANTIZE, pools (ops_pointwise.c, ops_window.c): elements by path. ADD of bytes as TFLite, or of int16 and int16 (wide) or bytes (mixed), operands that
 * are scaled; others. QUANTIZE by a map of all codes, or code by code. Pools by outputs, rows and elements (_u: uint8) of their windows.
 * RESHAPE, CONCATENATION, ARG_MAX (ops_move.c): bytes copied, by operator (copy) or part (join); comparisons. SOFTMAX by rows and elements. */
#define HW_TRIPS(X)                                                                                                                      \
    X(call) X(pad_byte) X(tile) X(in_place) X(placed) X(pixel) X(taps_beside) X(taps_inside) X(taps_across) X(fill_long) X(fill_byte) X(copy) X(copy_long)      \
    X(copy_word) X(copy_crooked) X(copy_byte) X(block) X(block_run) X(block_long) X(block_word) X(column) X(column_run) X(column_long)    \
    X(column_word) X(column_one) X(column_one_run) X(column_one_word) X(lone) X(lone_run) X(lone_word) X(unpack) X(unpack_floor) X(unpack_half_up) X(unpack_half_even)  \
    X(unpack_4) X(unpack_2) X(unpack_1) X(unpack_value) X(unpack_code) X(channel_group) X(channel_twice) X(channel_once) X(code_twice) X(code_once)           \
    X(channel_any_twice) X(channel_any_once) X(code_any_twice) X(code_any_once) X(start) X(start_row) X(sum) X(finish) X(finish_twice) X(finish_once) X(finish_wide_twice)  \
    X(finish_wide_once) X(raw) X(add_call) X(add_twice) X(add_once) X(add_wide) X(add_mixed) X(add_scaled_twice) X(add_scaled_once)  \
    X(add_apart) X(add_other) X(quantize_call) X(map_twice) X(map_once) X(map_code) X(quantize_twice) X(quantize_once) X(pool_call) X(pool_pixel)                  \
    X(average_output) X(average_row) X(average_element) X(average_element_u) X(most_output) X(most_row) X(most_element) X(most_element_u)                 \
    X(depthwise_call) X(plane_group) X(band) X(plane_row) X(plane_beside) X(plane_fill) X(plane_keep) X(plane_keep_word) X(split) X(split_four) X(split_one)        \
    X(split_plane) X(split_byte) X(weight_row) X(weight_code) X(weight_rounded) X(weight_value) X(channel) X(channel_part) X(window_row) X(window_pair)              \
    X(window_three) X(window_crooked) X(window_four) X(window_four_2) X(window_one) X(window_row_any) X(window_any) X(window_any_row) X(window_any_word)             \
    X(window_any_tap) X(window_any_four) X(window_any_four_row) X(window_any_four_tap) X(down_twice) X(down_once) X(down_any_twice) X(down_any_once)                 \
    X(spread_twice) X(spread_once) X(copy_call) X(copied_byte) X(join_call) X(join_part) X(arg_max_call) X(arg_max_output) X(arg_max_element) X(softmax_call)   \
    X(softmax_row) X(softmax_element)

typedef enum hw_trip {
#define HW_TRIP_NAME(N) HW_TRIP_##N,
    HW_TRIPS(HW_TRIP_NAME)
#undef HW_TRIP_NAME
        HW_N_TRIPS
} hw_trip;
extern const char *const hw_trip_names[HW_N_TRIPS + 1]; /* NULL-terminated */

typedef enum hw_row { HW_NO_ROW, HW_RV32, HW_XPULP } hw_row; /* of device/kernels/rows.h */

/* Trips of op with weights of w_bits. false: an operator or operands that are not counted here. */
bool hw_trips_count(const model_graph *g, const model_op *op, int w_bits, hw_row row, double trips[HW_N_TRIPS]);

/* The same of the other of two ways to make codes (dev_mac.brief), where some widths before the layer lead there. false: none do. */
bool hw_trips_count_other(const model_graph *g, const model_op *op, int w_bits, hw_row row, double trips[HW_N_TRIPS]);

/* ---- between the files of trips */
static inline int hw_clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }
bool hw_trips_once(const model_graph *g); /* one rounding: quant_requant_once */
typedef struct hw_mac_shape {
    int in_h, in_w, in_c, out_h, out_w, out_c, k_h, k_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, depth;
    int stored, container, drop; /* bits of a stored weight, of its container, that narrowing drops */
    model_nesting nesting;
    bool is_unsigned, values;    /* codes are unsigned; they mean numbers of a table */
    bool turned;                 /* uint8 codes that need all 8 bits: lanes are code - 128 */
    bool once, brief, any;       /* rounding; codes are made at once; their range is all of int8 */
    int out_bytes;               /* of a code; 0: sums stay as they are */
} hw_mac_shape;
bool hw_trips_shape(const model_graph *g, const model_op *op, int w_bits, hw_mac_shape *out); /* under the entry that a layout of equal widths takes */
bool hw_trips_mixed(const model_graph *g, const model_op *op, int w_bits, const hw_mac_shape *m); /* are some entries of that width brief, and others not? */
void hw_trips_depthwise(const hw_mac_shape *m, hw_row row, double *trips);
void hw_trips_conv(hw_mac_shape *m, hw_row row, double *trips); /* dev_conv; a 1x1 layer's pixels become one row in *m */
/* What a tile of `pixels` columns costs: `runs` stretches of `run` lanes each. */
void hw_trips_tile(const hw_mac_shape *m, hw_row row, int pixels, int runs, int run, double *trips);

#endif
