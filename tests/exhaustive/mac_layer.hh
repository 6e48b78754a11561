// SPDX-License-Identifier: Apache-2.0
// tests/exhaustive/mac_layer.hh - small layers with raw accumulators as output, and what they must compute, written apart from emu/:
// plain loops over row, column, channel, one addition at a time.
#ifndef BITEMU_TESTS_EXHAUSTIVE_MAC_LAYER_HH
#define BITEMU_TESTS_EXHAUSTIVE_MAC_LAYER_HH

#include "tests/shim.hh"

#include <algorithm>

extern "C" {
#include "emu/overflow.h"
#include "model/load.h"
}

namespace shim {

struct Shape { // of a layer over an image; a fully connected one is 1 x 1 with a 1 x 1 window
    model_opcode code;
    int h, w, in_c, k_h, k_w, out_c;
    model_padding padding;
    int depth() const { return code == MODEL_DEPTHWISE_CONV_2D ? k_h * k_w : k_h * k_w * in_c; }
    int pad(int k) const { return padding == MODEL_SAME ? (k - 1) / 2 : 0; }
    int out_h() const { return padding == MODEL_SAME ? h : h - k_h + 1; }
    int out_w() const { return padding == MODEL_SAME ? w : w - k_w + 1; }
    int inputs() const { return h * w * in_c; }
    int outputs() const { return out_h() * out_w() * out_c; }
};

struct Term { // one product: element of the input and weight
    int element, weight;
};

// Products of one output element in order; outside the image there is none.
inline std::vector<Term> terms(const Shape &s, const std::vector<int8_t> &w, int out)
{
    std::vector<Term> list;
    int c = out % s.out_c, ox = out / s.out_c % s.out_w(), oy = out / s.out_c / s.out_w();
    bool deep = s.code == MODEL_DEPTHWISE_CONV_2D;
    for (int ky = 0; ky < s.k_h; ky++)
        for (int kx = 0; kx < s.k_w; kx++)
            for (int i = 0; i < (deep ? 1 : s.in_c); i++) {
                int y = oy + ky - s.pad(s.k_h), x = ox + kx - s.pad(s.k_w), channel = deep ? c / (s.out_c / s.in_c) : i;
                int at = deep ? (ky * s.k_w + kx) * s.out_c + c : ((c * s.k_h + ky) * s.k_w + kx) * s.in_c + i;
                if (y >= 0 && y < s.h && x >= 0 && x < s.w) list.push_back({(y * s.w + x) * s.in_c + channel, w[(size_t)at]});
            }
    return list;
}

struct Rule { // bits 0: no limit
    int bits;
    bool saturate, bias_first;
};

struct Answer { // of one accumulator
    long long value;
    bool overflow;
    long long least, most; // partial sums without any limit, bias included
    long long exact;
};

inline Answer accumulate(const std::vector<Term> &list, const std::vector<uint8_t> &x, int zero, long long bias, Rule r)
{
    Answer a = {0, false, 0, 0, 0};
    long long size = r.bits ? 1ll << r.bits : 0, top = size / 2 - 1, bottom = -size / 2;
    size_t n = list.size() + 1;
    for (size_t i = 0; i < n; i++) {
        bool is_bias = i == (r.bias_first ? 0 : n - 1);
        const Term *t = is_bias ? nullptr : &list[i - r.bias_first];
        long long add = is_bias ? bias : (long long)(x[(size_t)t->element] - zero) * t->weight;
        a.exact += add;
        a.least = i ? std::min(a.least, a.exact) : a.exact;
        a.most = i ? std::max(a.most, a.exact) : a.exact;
        a.value += add;
        if (r.bits && r.saturate && (a.value > top || a.value < bottom)) {
            a.overflow = true;
            a.value = a.value > top ? top : bottom;
        }
    }
    if (r.bits && !r.saturate) {
        a.overflow = a.value > top || a.value < bottom;
        while (a.value > top) a.value -= size;
        while (a.value < bottom) a.value += size;
    }
    return a;
}

// The layer in the emulator: x uint8 of x_bits significant bits, weights int8, bias, raw int32 out.
struct MacLayer {
    Shape s;
    std::vector<int8_t> weights;
    std::vector<int32_t> bias;
    int32_t zero;
    Arena mem;
    model_tensor tensors[3] = {};
    model_integer integer = {};
    model_op op = {};
    model_subgraph sub = {};
    model_graph graph = {};
    int inputs[2] = {0, 1}, output = 2, input = 0;
    emu_session *session = nullptr;

    MacLayer(Shape shape, std::vector<int8_t> w, std::vector<int32_t> b, int32_t in_zero, int x_bits)
        : s(shape), weights(std::move(w)), bias(std::move(b)), zero(in_zero)
    {
        if (s.code == MODEL_FULLY_CONNECTED) {
            tensors[0] = tensor("x", MODEL_U8, {1, s.in_c});
            tensors[1] = tensor("w", MODEL_I8, {s.out_c, s.in_c});
            tensors[2] = tensor("y", MODEL_I32, {1, s.out_c});
        } else {
            bool deep = s.code == MODEL_DEPTHWISE_CONV_2D;
            tensors[0] = tensor("x", MODEL_U8, {1, s.h, s.w, s.in_c});
            tensors[1] = tensor("w", MODEL_I8, {deep ? 1 : s.out_c, s.k_h, s.k_w, deep ? s.out_c : s.in_c});
            tensors[2] = tensor("y", MODEL_I32, {1, s.out_h(), s.out_w(), s.out_c});
        }
        tensors[0].bits = x_bits;
        tensors[1].data = weights.data();
        integer.n_entries = integer.n_channels = 1;
        integer.bias = bias.data();
        integer.in_zero = &zero;
        op.code = s.code;
        op.name = op.type = model_opcode_name(s.code);
        op.choice = -1;
        op.n_inputs = 2;
        op.inputs = inputs;
        op.n_outputs = 1;
        op.outputs = &output;
        op.integer = &integer;
        op.attrs.padding = s.padding;
        op.attrs.stride_h = op.attrs.stride_w = op.attrs.dilation_h = op.attrs.dilation_w = 1;
        sub = {"", 3, 1, 1, 1, tensors, &op, &input, &output};
        graph.path = graph.format = "test";
        graph.n_subgraphs = 1;
        graph.subgraphs = &sub;
    }
    static model_tensor tensor(const char *name, model_dtype t, const std::vector<int> &dims)
    {
        model_tensor x = {};
        x.name = name;
        x.dtype = t;
        x.bits = (int)model_dtype_bytes(t) * 8;
        x.n_elems = 1;
        for (int d : dims) {
            x.dims[x.n_dims++] = d;
            x.n_elems *= (size_t)d;
        }
        return x;
    }
    void open(const char *profile, Rule r)
    {
        err e = {};
        model_accumulator a = {r.bits, r.saturate ? MODEL_SATURATE : MODEL_WRAP};
        ASSERT_OK(model_check(&graph, &e), e);
        ASSERT_OK(emu_session_create_as(&graph, emu_profile_find(profile), &a, mem, &session, &e), e);
    }
    const int32_t *run(const std::vector<uint8_t> &x, emu_events *ev)
    {
        err e = {};
        std::copy(x.begin(), x.end(), (uint8_t *)emu_tensor_data(session, 0));
        EXPECT_OK(emu_run_op(session, 0, nullptr, ev, &e), e);
        return (const int32_t *)emu_tensor_data(session, 2);
    }
};

// Digits of i to the base n: the i-th of all vectors of `length` codes.
inline std::vector<uint8_t> nth(int i, int n, int length)
{
    std::vector<uint8_t> x;
    for (int k = 0; k < length; k++, i /= n) x.push_back((uint8_t)(i % n));
    return x;
}

} // namespace shim

#endif
