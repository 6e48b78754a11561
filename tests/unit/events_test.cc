// SPDX-License-Identifier: Apache-2.0
// Do counts from shapes alone equal what the emulator counts when it runs the operator? And the events that only shapes give, by hand.
#include "tests/one_op.hh"

extern "C" {
#include "hwmodels/count.h"
#include "hwmodels/hw.h"
}

#include <cstdlib>
#include <filesystem>
#include <random>

namespace {

void expect_same(const emu_events &counted, const emu_events &analytic, const std::string &where)
{
    EXPECT_EQ(counted.macs, analytic.macs) << where;
    EXPECT_EQ(counted.outputs, analytic.outputs) << where;
    EXPECT_EQ(counted.requants, analytic.requants) << where;
}

// Runs a network on zeros under each choice's last candidate. Operators compared; 0: not this profile's network, or too large for a test.
int compare_model(const std::string &path, uint64_t most_macs)
{
    shim::Arena a;
    err e = {};
    model_graph *g = nullptr;
    emu_session *s = nullptr;
    if (model_load(path.c_str(), a, &g, &e) != ST_OK || model_check(g, &e) != ST_OK) return 0;
    uint64_t total = 0;
    const model_subgraph &sub = g->subgraphs[0];
    for (int i = 0; i < sub.n_ops; i++) total += hw_count_op(g, &sub.ops[i]).macs;
    const char *profile = g->profile ? g->profile : "tflm";
    if (total > most_macs || emu_session_create(g, emu_profile_find(profile), a, &s, &e) != ST_OK) return 0;
    std::vector<int> candidate((size_t)g->n_choices + 1);
    for (int k = 0; k < g->n_choices; k++) candidate[(size_t)k] = g->choices[k].n_candidates - 1;
    int n = 0;
    for (int i = 0; i < sub.n_ops; i++) {
        emu_events ev = {};
        EXPECT_OK(emu_run_op(s, i, candidate.data(), &ev, &e), e);
        if (!emu_op_has_output(&sub.ops[i])) continue;
        expect_same(ev, hw_count_op(g, &sub.ops[i]), path + " op " + std::to_string(i) + " " + sub.ops[i].type);
        n++;
    }
    return n;
}

TEST(Events, NetworksCountAsTheyRun)
{
    int networks = 0, ops = 0;
    std::vector<std::string> files;
    for (const char *folder : {"/models/digits", "/models/resnet8"})
        for (const auto &f : std::filesystem::directory_iterator(std::string(std::getenv("BITEMU_SOURCE")) + folder))
            if (f.path().extension() == ".bitemu") files.push_back(f.path());
    if (!shim::shared().empty())
        for (const auto &f : std::filesystem::directory_iterator(shim::shared() + "/models"))
            if (f.path().extension() == ".tflite") files.push_back(f.path());
    for (const std::string &f : files) {
        int n = compare_model(f, 20000000);
        ops += n;
        networks += n > 0;
    }
    std::printf("%d operators of %d networks\n", ops, networks);
    EXPECT_GE(networks, shim::shared().empty() ? 2 : 20);
}

// A convolution, depthwise or dense layer of random shape.
void random_layer(std::mt19937 &rng)
{
    auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(rng); };
    int kind = pick(0, 2), in_c = pick(1, 9), out_c = kind == 1 ? in_c * pick(1, 2) : pick(1, 9), k_h = pick(1, 4), k_w = pick(1, 4), h = pick(4, 9), w = pick(4, 9);
    int stride = pick(1, 2), batch = kind == 2 ? pick(1, 3) : 1;
    bool same = pick(0, 1) != 0;
    auto extent = [&](int n, int k) { return same ? (n + stride - 1) / stride : (n - k) / stride + 1; };
    std::vector<int8_t> weights((size_t)(out_c * k_h * k_w * in_c), 3);
    std::vector<int32_t> bias((size_t)out_c, 1);
    shim::One one(kind == 0 ? MODEL_CONV_2D : kind == 1 ? MODEL_DEPTHWISE_CONV_2D : MODEL_FULLY_CONNECTED);
    one.op.attrs.stride_h = one.op.attrs.stride_w = stride;
    one.op.attrs.padding = same ? MODEL_SAME : MODEL_VALID;
    one.op.attrs.depth_multiplier = kind == 1 ? out_c / in_c : 0;
    std::vector<int> in = kind == 2 ? std::vector<int>{batch, in_c} : std::vector<int>{1, h, w, in_c};
    std::vector<int> filter = kind == 2 ? std::vector<int>{out_c, in_c} : kind == 1 ? std::vector<int>{1, k_h, k_w, out_c} : std::vector<int>{out_c, k_h, k_w, in_c};
    std::vector<int> out = kind == 2 ? std::vector<int>{batch, out_c} : std::vector<int>{1, extent(h, k_h), extent(w, k_w), out_c};
    one.in(one.tensor(MODEL_I8, in, 0.5f, 0));
    one.in(one.tensor(MODEL_I8, filter, 0.25f, 0, weights.data()));
    one.in(one.tensor(MODEL_I32, {out_c}, 0.125f, 0, bias.data()));
    one.out(one.tensor(MODEL_I8, out, 1.0f, 0));
    err e = {};
    ASSERT_OK(one.prepare(&e), e);
    one.run();
    expect_same(one.ev, hw_count_op(&one.graph, &one.sub.ops[0]), std::string(one.op.type) + " of " + std::to_string(in_c) + " to " + std::to_string(out_c) + " channels");
    EXPECT_GT(one.ev.macs, 0u);
}

TEST(Events, RandomLayersCountAsTheyRun)
{
    std::mt19937 rng(20260);
    for (int i = 0; i < 400 && !HasFailure(); i++) random_layer(rng);
}

// 3x3 convolution of 4 to 5 channels on 6x6, stride 1, no padding: 16 pixels of 4 rows, 36 values a column, 180 weights.
TEST(Events, ByHand)
{
    shim::Arena a;
    err e = {};
    hw_board *board = nullptr;
    hw_events ev;
    std::vector<int8_t> weights(180, 1);
    shim::One one(MODEL_CONV_2D);
    one.in(one.tensor(MODEL_I8, {1, 6, 6, 4}, 0.5f, 0));
    one.in(one.tensor(MODEL_I8, {5, 3, 3, 4}, 0.25f, 0, weights.data()));
    one.out(one.tensor(MODEL_I8, {1, 4, 4, 5}, 1.0f, 0));
    ASSERT_OK(one.prepare(&e), e);
    ASSERT_OK(hw_board_load("nucleo-l4r5zi", a, &board, &e), e); // CMSIS-NN: two columns of int16 at a time
    hw_op_events(&one.graph, board, 0, nullptr, &ev);
    EXPECT_EQ(4u, ev.rows);
    EXPECT_EQ(180u, ev.weight_bytes);
    ASSERT_TRUE(ev.columns_known);
    EXPECT_EQ(16u * 36 * 2, ev.im2col_bytes);
    EXPECT_EQ(180u * 8, ev.streamed_bytes);
    EXPECT_EQ(0u, ev.unpacked_words);
    one.sub.tensors[1].bits = 4; // 90 bytes, 23 words a pass of two pixels
    one.sub.tensors[0].bits = 2; // 16 x 36 values of 2 bits = 36 words
    hw_op_events(&one.graph, board, 0, nullptr, &ev);
    EXPECT_EQ(90u, ev.weight_bytes);
    EXPECT_EQ(90u * 8, ev.streamed_bytes);
    EXPECT_EQ(23u * 8 + 36, ev.unpacked_words);
    hw_op_events(&one.graph, nullptr, 0, nullptr, &ev);
    EXPECT_FALSE(ev.columns_known);
    EXPECT_EQ(90u, ev.weight_bytes);
    EXPECT_EQ(one.graph.subgraphs[0].n_ops, 1);
}

TEST(Events, ControllerOfTheDigits)
{
    shim::Arena a;
    err e = {};
    model_graph *g = nullptr;
    hw_events first, other;
    ASSERT_OK(model_load((std::string(std::getenv("BITEMU_SOURCE")) + "/models/digits/digits.bitemu").c_str(), a, &g, &e), e);
    bool control[64] = {};
    ASSERT_LE(g->subgraphs[0].n_ops, 64);
    hw_control_ops(g, control);
    for (int i = 0; i < g->subgraphs[0].n_ops; i++) {
        std::string name = g->subgraphs[0].ops[i].name;
        EXPECT_EQ(name.rfind("control", 0) == 0 || name == "decision", control[i]) << name;
    }
    std::vector<int> widest((size_t)g->n_choices), mixed;
    for (int k = 0; k < g->n_choices; k++) widest[(size_t)k] = hw_widest_candidate(&g->choices[k]);
    mixed = widest;
    mixed[1] = widest[1] ? 0 : 1; // one layer in the middle at another pair: one switch there, one back
    hw_graph_events(g, nullptr, widest.data(), &first);
    hw_graph_events(g, nullptr, mixed.data(), &other);
    EXPECT_EQ(first.switches + 2, other.switches);
    EXPECT_EQ(first.counted.macs, other.counted.macs);
}

} // namespace
