// SPDX-License-Identifier: Apache-2.0
// Does the integer layer equal plain arithmetic for every operand: all 8x8-bit pairs, all dot products of length 3 up to 4 bits, every
// nested width? The layer is the real one: a native fully connected layer run by a session.
#include "tests/oracle/oracle.h"
#include "tests/shim.hh"

extern "C" {
#include "emu/emu.h"
#include "model/load.h"
}

namespace {

// x [1, depth] uint8, weights [out, depth] int8 with nested candidates of every width, raw accumulators out.
struct Layer {
    shim::Arena mem;
    model_tensor tensors[11] = {};
    model_choice choice = {};
    model_weights weights = {};
    model_integer integer = {};
    model_op op = {};
    model_subgraph sub = {};
    model_graph graph = {};
    int inputs[2] = {0, 1}, output = 2, input = 0;
    int32_t zero = 0;
    std::vector<int8_t> w;
    std::vector<std::vector<int8_t>> own; // separate storage: the codes of every width
    emu_session *session = nullptr;

    Layer(int depth, std::vector<int8_t> codes, model_nesting nesting) : w(std::move(codes))
    {
        int out = (int)w.size() / depth;
        tensors[0] = tensor("x", MODEL_U8, 1, depth);
        tensors[1] = tensor("w", MODEL_I8, out, depth);
        tensors[2] = tensor("y", MODEL_I32, 1, out);
        tensors[1].data = w.data();
        weights.bits = 8;
        weights.n = nesting == MODEL_SEPARATE ? 8 : 1;
        weights.tensor[0] = 1;
        own.resize(8);
        for (int b = 1; nesting == MODEL_SEPARATE && b <= 8; b++) {
            for (int8_t v : w) own[(size_t)b - 1].push_back((int8_t)(v % (1 << (b - 1)))); // any rule: what counts is that they are used as they are
            tensors[2 + b] = tensors[1];
            tensors[2 + b].bits = b;
            tensors[2 + b].data = own[(size_t)b - 1].data();
            weights.tensor[b - 1] = 2 + b;
        }
        build(nesting);
    }
    void build(model_nesting nesting)
    {
        choice.name = "c";
        choice.n_candidates = 8;
        choice.tensor = -1;
        for (int b = 1; b <= 8; b++) choice.candidates[b - 1] = {b, 8};
        weights.nesting = nesting;
        integer.n_entries = integer.n_channels = 1;
        integer.in_zero = &zero;
        op.code = MODEL_FULLY_CONNECTED;
        op.name = op.type = "FULLY_CONNECTED";
        op.n_inputs = 2;
        op.inputs = inputs;
        op.n_outputs = 1;
        op.outputs = &output;
        op.integer = &integer;
        op.weights = &weights;
        sub = {"", 11, 1, 1, 1, tensors, &op, &input, &output};
        graph.path = "test";
        graph.format = "test";
        graph.n_subgraphs = 1;
        graph.subgraphs = &sub;
        graph.n_choices = 1;
        graph.choices = &choice;
        err e = {};
        EXPECT_OK(model_check(&graph, &e), e);
        EXPECT_OK(emu_session_create(&graph, emu_profile_find("tflm"), mem, &session, &e), e);
    }
    static model_tensor tensor(const char *name, model_dtype t, int rows, int columns)
    {
        model_tensor x = {};
        x.name = name;
        x.dtype = t;
        x.bits = t == MODEL_I32 ? 32 : 8;
        x.n_dims = 2;
        x.dims[0] = rows;
        x.dims[1] = columns;
        x.n_elems = (size_t)rows * (size_t)columns;
        return x;
    }
    const int32_t *run(const std::vector<uint8_t> &x, int width, emu_events *ev)
    {
        err e = {};
        int candidate = width - 1;
        std::copy(x.begin(), x.end(), (uint8_t *)emu_tensor_data(session, 0));
        EXPECT_OK(emu_run_op(session, 0, &candidate, ev, &e), e);
        return (const int32_t *)emu_tensor_data(session, 2);
    }
};

int nested(model_nesting rule, int master, int width)
{
    oracle::wide n = oracle::power2(8 - width);
    if (rule == MODEL_NESTED_FLOOR) return (int)oracle::floor_div(master, n);
    int q = (int)oracle::nearest_up(master, n), top = (int)oracle::power2(width - 1) - 1;
    return q < top ? q : top;
}

TEST(Dot, EveryPairOf8BitCodesAtEveryNestedWidth)
{
    std::vector<int8_t> all;
    for (int v = -128; v < 128; v++) all.push_back((int8_t)v);
    for (model_nesting rule : {MODEL_NESTED_FLOOR, MODEL_NESTED_HALF_UP}) {
        Layer l(1, all, rule);
        for (int width = 1; width <= 8; width++)
            for (int x = 0; x < 256; x++) {
                emu_events ev = {};
                const int32_t *y = l.run({(uint8_t)x}, width, &ev);
                for (int i = 0; i < 256; i++) {
                    int w = width == 8 ? i - 128 : nested(rule, i - 128, width);
                    ASSERT_EQ(w * x, y[i]) << "x " << x << " master " << i - 128 << " width " << width;
                }
                ASSERT_EQ(256u, ev.macs);
                ASSERT_EQ(0u, ev.wraps);
            }
    }
}

TEST(Dot, SeparateStorageUsesTheWidthsOwnCodes)
{
    std::vector<int8_t> all;
    for (int v = -128; v < 128; v++) all.push_back((int8_t)v);
    Layer l(1, all, MODEL_SEPARATE);
    for (int width = 1; width <= 8; width++) {
        emu_events ev = {};
        const int32_t *y = l.run({3}, width, &ev);
        for (int i = 0; i < 256; i++) ASSERT_EQ(3 * l.own[(size_t)width - 1][(size_t)i], y[i]) << "width " << width;
    }
}

TEST(Dot, EveryDotProductOfLength3UpTo4Bits)
{
    for (int bits = 1; bits <= 4; bits++) {
        int n = 1 << bits, low = -(n / 2);
        std::vector<int8_t> w;
        for (int i = 0; i < n * n * n; i++)
            for (int v : {i / (n * n), i / n % n, i % n}) w.push_back((int8_t)(v + low));
        Layer l(3, w, MODEL_NESTED_FLOOR);
        for (int i = 0; i < n * n * n; i++) {
            std::vector<uint8_t> x = {(uint8_t)(i / (n * n)), (uint8_t)(i / n % n), (uint8_t)(i % n)};
            emu_events ev = {};
            const int32_t *y = l.run(x, 8, &ev);
            int64_t least = INT64_MAX, most = INT64_MIN;
            for (int k = 0; k < n * n * n; k++) {
                int64_t want = 0;
                for (int j = 0; j < 3; j++) want += (int64_t)x[(size_t)j] * w[(size_t)(3 * k + j)];
                ASSERT_EQ(want, y[k]);
                least = std::min(least, want);
                most = std::max(most, want);
            }
            ASSERT_EQ(least, ev.acc_min);
            ASSERT_EQ(most, ev.acc_max);
        }
    }
}

} // namespace
