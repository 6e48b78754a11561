/* SPDX-License-Identifier: Apache-2.0
 * hwmodels/trips.c - trips of an operator; those of device/ops_pointwise.c, ops_window.c and ops_move.c. */
#include <string.h>

#include "hwmodels/layer.h"
#include "hwmodels/trips.h"

#define N(NAME) trips[HW_TRIP_##NAME]

const char *const hw_trip_names[HW_N_TRIPS + 1] = {
#define HW_TRIP_TEXT(NAME) #NAME,
    HW_TRIPS(HW_TRIP_TEXT)
#undef HW_TRIP_TEXT
    NULL};

bool hw_trips_once(const model_graph *g) { return g->profile && strcmp(g->profile, "bitemu") == 0; }

static bool add(const model_graph *g, const model_op *op, double *trips)
{
    const model_subgraph *s = &g->subgraphs[0];
    const model_tensor *x = hw_layer_tensor(s, op->inputs[0]), *y = hw_layer_tensor(s, op->inputs[1]), *out = hw_layer_tensor(s, op->outputs[0]);
    const model_integer *t = op->integer;
    if (!x || !y || !out || out->dtype == MODEL_F32) return false;
    const bool once = hw_trips_once(g), bytes = out->bits <= 8 && (out->dtype == MODEL_I8 || out->dtype == MODEL_U8);
    const double n = (double)out->n_elems;
    N(add_call)++;
    if (bytes && x->dtype != MODEL_I16 && y->dtype != MODEL_I16 && (!t || t->n_channels == 3)) {
        *(once ? &N(add_once) : &N(add_twice)) += n;
    } else if (bytes && t && t->n_channels == 2 && x->dtype == MODEL_I16 && (y->dtype == MODEL_I16 || y->dtype == MODEL_U8)) {
        *(y->dtype == MODEL_I16 ? &N(add_wide) : &N(add_mixed)) += n;
        for (int k = 0; k < 2; k++)
            if (t->multiplier[k] != 1 << 30 || t->shift[k] != 1) *(once ? &N(add_scaled_once) : &N(add_scaled_twice)) += n;
    } else {
        *(t && t->n_channels == 2 ? &N(add_apart) : &N(add_other)) += n;
    }
    return true;
}

static bool quantize(const model_graph *g, const model_op *op, double *trips)
{
    enum { MAPPED = 256 };
    const model_subgraph *s = &g->subgraphs[0];
    const model_tensor *x = hw_layer_tensor(s, op->inputs[0]), *out = hw_layer_tensor(s, op->outputs[0]);
    if (!x || !out || x->dtype == MODEL_F32 || out->dtype == MODEL_F32) return false;
    const bool once = hw_trips_once(g);
    const double n = (double)out->n_elems;
    N(quantize_call)++;
    if (x->dtype != MODEL_I16 && x->dtype != MODEL_I32 && out->dtype != MODEL_I16 && out->dtype != MODEL_I32 && out->n_elems > MAPPED) {
        *(once ? &N(map_once) : &N(map_twice)) += 1;
        N(map_code) += n;
    } else {
        *(once ? &N(quantize_once) : &N(quantize_twice)) += n;
    }
    return true;
}

static bool pool(const model_graph *g, const model_op *op, double *trips)
{
    const model_subgraph *s = &g->subgraphs[0];
    const model_tensor *in = hw_layer_tensor(s, op->inputs[0]), *out = hw_layer_tensor(s, op->outputs[0]);
    const model_attrs *a = &op->attrs;
    if (!in || !out || in->n_dims != 4 || out->n_dims != 4 || out->dtype == MODEL_F32) return false;
    int top = hw_layer_padding(a, a->pad_top, in->dims[1], out->dims[1], a->filter_h, a->stride_h, 1), left = hw_layer_padding(a, a->pad_left, in->dims[2], out->dims[2], a->filter_w, a->stride_w, 1);
    double rows = 0, columns = 0, c = out->dims[3]; /* of all windows, inside the image */
    for (int i = 0; i < out->dims[1]; i++) rows += hw_clamp(i * a->stride_h - top + a->filter_h, 0, in->dims[1]) - hw_clamp(i * a->stride_h - top, 0, in->dims[1]);
    for (int i = 0; i < out->dims[2]; i++) columns += hw_clamp(i * a->stride_w - left + a->filter_w, 0, in->dims[2]) - hw_clamp(i * a->stride_w - left, 0, in->dims[2]);
    const bool average = op->code == MODEL_AVERAGE_POOL_2D;
    N(pool_call)++;
    N(pool_pixel) += (double)out->dims[1] * out->dims[2];
    *(average ? &N(average_output) : &N(most_output)) += (double)out->n_elems;
    *(average ? &N(average_row) : &N(most_row)) += rows * out->dims[2] * c;
    const bool u = in->dtype == MODEL_U8;
    *(average ? (u ? &N(average_element_u) : &N(average_element)) : u ? &N(most_element_u) : &N(most_element)) += rows * columns * c;
    return true;
}

static bool move(const model_graph *g, const model_op *op, double *trips)
{
    const model_subgraph *s = &g->subgraphs[0];
    const model_tensor *in = hw_layer_tensor(s, op->inputs[0]), *out = hw_layer_tensor(s, op->outputs[0]);
    if (!in || !out || in->dtype == MODEL_F32 || out->dtype == MODEL_F32) return false;
    const double bytes = (double)out->n_elems * (double)model_dtype_bytes(out->dtype);
    if (op->code == MODEL_RESHAPE) {
        N(copy_call)++;
        N(copied_byte) += bytes;
    } else if (op->code == MODEL_CONCATENATION) {
        int axis = op->attrs.axis < 0 ? op->attrs.axis + out->n_dims : op->attrs.axis;
        double outer = 1;
        for (int d = 0; d < axis && d < out->n_dims; d++) outer *= out->dims[d];
        N(join_call)++;
        N(join_part) += outer * op->n_inputs;
        N(copied_byte) += bytes;
    } else if (op->code == MODEL_ARG_MAX) {
        N(arg_max_call)++;
        N(arg_max_output) += (double)out->n_elems;
        N(arg_max_element) += (double)in->n_elems - (double)out->n_elems;
    } else {
        N(softmax_call)++;
        N(softmax_row) += in->n_dims && in->dims[in->n_dims - 1] > 0 ? (double)in->n_elems / in->dims[in->n_dims - 1] : 1;
        N(softmax_element) += (double)in->n_elems;
    }
    return true;
}

static bool count(const model_graph *g, const model_op *op, int w_bits, hw_row row, bool other, double trips[HW_N_TRIPS])
{
    hw_mac_shape m;
    memset(trips, 0, HW_N_TRIPS * sizeof *trips);
    if (row == HW_NO_ROW || op->n_outputs < 1 || op->n_inputs < 1) return false;
    switch (op->code) {
    case MODEL_CONV_2D:
    case MODEL_FULLY_CONNECTED:
    case MODEL_DEPTHWISE_CONV_2D:
        if (!hw_trips_shape(g, op, w_bits, &m) || (other && !hw_trips_mixed(g, op, w_bits, &m))) return false;
        m.brief = m.brief != other;
        if (op->code != MODEL_DEPTHWISE_CONV_2D) {
            hw_trips_conv(&m, row, trips);
            return true;
        }
        if (m.in_c < 1 || m.out_c % m.in_c) return false;
        hw_trips_depthwise(&m, row, trips);
        return true;
    case MODEL_ADD: return !other && op->n_inputs == 2 && add(g, op, trips);
    case MODEL_QUANTIZE: return !other && quantize(g, op, trips);
    case MODEL_AVERAGE_POOL_2D:
    case MODEL_MAX_POOL_2D: return !other && pool(g, op, trips);
    case MODEL_RESHAPE:
    case MODEL_CONCATENATION:
    case MODEL_ARG_MAX:
    case MODEL_SOFTMAX: return !other && move(g, op, trips);
    default: return false;
    }
}

bool hw_trips_count(const model_graph *g, const model_op *op, int w_bits, hw_row row, double trips[HW_N_TRIPS]) { return count(g, op, w_bits, row, false, trips); }

bool hw_trips_count_other(const model_graph *g, const model_op *op, int w_bits, hw_row row, double trips[HW_N_TRIPS]) { return count(g, op, w_bits, row, true, trips); }

void hw_op_trips(const model_graph *g, const hw_board *board, int op, const int *candidate, void (*tell)(void *to, const char *name, double trips), void *to)
{
    double trips[HW_N_TRIPS];
    int w, a;
    hw_op_bits(g, op, candidate, &w, &a);
    if (!board->kernels || !hw_trips_count(g, &g->subgraphs[0].ops[op], w, board->kernels->row, trips)) return;
    for (int i = 0; i < HW_N_TRIPS; i++)
        if (trips[i] > 0) tell(to, hw_trip_names[i], trips[i]);
}
