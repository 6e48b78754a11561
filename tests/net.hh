// SPDX-License-Identifier: Apache-2.0
// tests/net.hh - a graph written by hand, tensor by tensor.
#ifndef BITEMU_TESTS_NET_HH
#define BITEMU_TESTS_NET_HH

#include "tests/shim.hh"

extern "C" {
#include "model/graph.h"
}

#include <deque>

namespace shim {

// A graph written by hand. Tensors and ops are appended; graph() links them.
struct Net {
    std::vector<model_tensor> tensors;
    std::vector<model_op> ops;
    std::deque<std::vector<int>> lists;
    std::vector<int> inputs, outputs;
    std::vector<model_choice> choices;
    std::vector<model_variable> variables;
    model_subgraph sub = {};
    model_graph g = {};

    int tensor(std::vector<int> dims, int bits = 8, bool constant = false, model_dtype type = MODEL_I8)
    {
        static const int8_t data[1 << 20] = {0}; // plans look at constants
        model_tensor t = {};
        t.name = "t";
        t.dtype = type;
        t.bits = bits;
        t.n_dims = (int)dims.size();
        t.n_elems = 1;
        for (size_t i = 0; i < dims.size(); i++) {
            t.dims[i] = dims[i];
            t.n_elems *= (size_t)dims[i];
        }
        t.data = constant ? data : nullptr;
        tensors.push_back(t);
        return (int)tensors.size() - 1;
    }
    model_op &op(model_opcode code, std::vector<int> in, std::vector<int> out)
    {
        model_op o = {};
        o.code = code;
        o.name = "op";
        o.type = model_opcode_name(code);
        o.choice = -1;
        lists.push_back(in);
        o.inputs = lists.back().data();
        o.n_inputs = (int)in.size();
        lists.push_back(out);
        o.outputs = lists.back().data();
        o.n_outputs = (int)out.size();
        ops.push_back(o);
        return ops.back();
    }
    const model_graph *graph()
    {
        sub = {};
        sub.name = "main";
        sub.n_tensors = (int)tensors.size();
        sub.tensors = tensors.data();
        sub.n_ops = (int)ops.size();
        sub.ops = ops.data();
        sub.n_inputs = (int)inputs.size();
        sub.inputs = inputs.data();
        sub.n_outputs = (int)outputs.size();
        sub.outputs = outputs.data();
        g.n_subgraphs = 1;
        g.subgraphs = &sub;
        g.n_choices = (int)choices.size();
        g.choices = choices.data();
        g.n_variables = (int)variables.size();
        g.variables = variables.data();
        return &g;
    }
};

} // namespace shim

#endif
