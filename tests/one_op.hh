// SPDX-License-Identifier: Apache-2.0
// tests/one_op.hh - a checked graph of one operator, built in a test and run by a real session.
#ifndef BITEMU_TESTS_ONE_OP_HH
#define BITEMU_TESTS_ONE_OP_HH

#include "tests/shim.hh"

extern "C" {
#include "emu/emu.h"
#include "model/load.h"
}

#include <algorithm>
#include <initializer_list>

namespace shim {

// A graph of one operator built in a test.
struct One {
    shim::Arena mem;
    std::vector<model_tensor> tensors;
    std::vector<int> inputs, outputs;
    std::vector<float> scales;
    std::vector<int64_t> zeros;
    std::vector<int> network_inputs; // those that are not constant
    model_op op = {};
    model_subgraph sub = {};
    model_graph graph = {};
    emu_session *session = nullptr;
    emu_events ev = {};

    explicit One(model_opcode code)
    {
        scales.reserve(16);
        zeros.reserve(16);
        tensors.reserve(16);
        op.code = code;
        op.type = model_opcode_name(code);
        op.name = "it";
        op.choice = -1;
        op.attrs.stride_h = op.attrs.stride_w = op.attrs.dilation_h = op.attrs.dilation_w = 1;
        op.attrs.padding = MODEL_VALID;
    }
    // scale 0: not quantized. data: constant, borrowed.
    int tensor(model_dtype t, const std::vector<int> &dims, float scale, int64_t zero, const void *data = nullptr)
    {
        model_tensor x = {};
        x.name = "t";
        x.dtype = t;
        x.bits = (int)model_dtype_bytes(t) * 8;
        x.n_elems = 1;
        for (int d : dims) {
            x.dims[x.n_dims++] = d;
            x.n_elems *= (size_t)d;
        }
        x.data = data;
        if (scale > 0) {
            scales.push_back(scale);
            zeros.push_back(zero);
            x.n_scales = 1;
            x.scale = &scales.back();
            x.zero_point = &zeros.back();
        }
        tensors.push_back(x);
        return (int)tensors.size() - 1;
    }
    void in(int t) { inputs.push_back(t); }
    void out(int t) { outputs.push_back(t); }
    status prepare(err *e, const char *profile = "tflm")
    {
        op.n_inputs = (int)inputs.size();
        op.inputs = inputs.data();
        op.n_outputs = (int)outputs.size();
        op.outputs = outputs.data();
        for (int t : inputs)
            if (t >= 0 && !tensors[(size_t)t].data) network_inputs.push_back(t);
        sub = {"", (int)tensors.size(), 1, (int)network_inputs.size(), (int)outputs.size(), tensors.data(), &op, network_inputs.data(), outputs.data()};
        graph.path = "test";
        graph.format = "test";
        graph.n_subgraphs = 1;
        graph.subgraphs = &sub;
        status s = model_check(&graph, e);
        return s == ST_OK ? emu_session_create(&graph, emu_profile_find(profile), mem, &session, e) : s;
    }
    template <typename T>
    void set(int t, std::initializer_list<T> values) { std::copy(values.begin(), values.end(), (T *)emu_tensor_data(session, t)); }
    void run()
    {
        err e = {};
        EXPECT_OK(emu_run_op(session, 0, nullptr, &ev, &e), e);
    }
    template <typename T>
    std::vector<T> result()
    {
        const T *y = (const T *)emu_tensor_data(session, outputs[0]);
        return std::vector<T>(y, y + tensors[(size_t)outputs[0]].n_elems);
    }
};

} // namespace shim

#endif
