// SPDX-License-Identifier: Apache-2.0
// What does an operator count and cost, and where do tensors lie?
#include "tests/csv.hh"
#include "tests/net.hh"
#include "tests/shim.hh"
#include "tests/toy_board.hh"

extern "C" {
#include "hwmodels/count.h"
#include "hwmodels/huffman.h"
#include "hwmodels/hw.h"
#include "hwmodels/layer.h"
#include "hwmodels/scratch.h"
#include "model/load.h"
}

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <fstream>

namespace {

using namespace shim;

emu_events count(Net &n, int op = 0)
{
    const model_graph *g = n.graph();
    return hw_count_op(g, &g->subgraphs[0].ops[op]);
}

TEST(HwCount, Convolutions)
{
    Net n; // 5x4 output of 6 channels, 3x2 kernel, 7 channels in: 120 x 42
    n.op(MODEL_CONV_2D, {n.tensor({1, 9, 9, 7}), n.tensor({6, 3, 2, 7}, 8, true)}, {n.tensor({1, 5, 4, 6})});
    n.op(MODEL_DEPTHWISE_CONV_2D, {n.tensor({1, 5, 4, 3}), n.tensor({1, 3, 3, 6}, 8, true)}, {n.tensor({1, 5, 4, 6})});
    n.op(MODEL_CONV_2D, {n.tensor({1, 4, 4, 8}), n.tensor({6, 1, 1, 4}, 8, true)}, {n.tensor({1, 4, 4, 6})}); // two groups
    n.op(MODEL_TRANSPOSE_CONV, {n.tensor({4}, 32, true, MODEL_I32), n.tensor({5, 2, 3, 7}, 8, true), n.tensor({1, 4, 3, 7})},
         {n.tensor({1, 8, 9, 5})});
    EXPECT_EQ(120u * 42, count(n, 0).macs);
    EXPECT_EQ(120u, count(n, 0).outputs);
    EXPECT_EQ(120u, count(n, 0).requants);
    EXPECT_EQ(120u * 9, count(n, 1).macs);
    EXPECT_EQ(96u * 4, count(n, 2).macs);
    EXPECT_EQ(84u * 6 * 5, count(n, 3).macs);
}

TEST(HwCount, MatricesAndTheRest)
{
    Net n;
    n.op(MODEL_FULLY_CONNECTED, {n.tensor({3, 20}), n.tensor({4, 20}, 8, true), -1}, {n.tensor({3, 4})});
    n.op(MODEL_FULLY_CONNECTED, {n.tensor({1, 20}), n.tensor({4, 20}, 8, true), -1},
         {n.tensor({1, 4}, 32, false, MODEL_I32)}); // raw accumulators
    n.op(MODEL_SVDF, {n.tensor({2, 9}), n.tensor({8, 9}, 8, true), n.tensor({8, 5}, 16, true)}, {n.tensor({2, 4})});
    std::vector<int> lstm(24, -1); // 3 steps, 6 inputs, 4 cells
    lstm[0] = n.tensor({1, 3, 6});
    for (int i = 1; i <= 4; i++) lstm[(size_t)i] = n.tensor({4, 6}, 8, true);
    for (int i = 5; i <= 8; i++) lstm[(size_t)i] = n.tensor({4, 4}, 8, true);
    n.op(MODEL_UNIDIRECTIONAL_SEQUENCE_LSTM, lstm, {n.tensor({1, 3, 4})});
    n.op(MODEL_ADD, {0, 0}, {n.tensor({3, 20})});
    EXPECT_EQ(240u, count(n, 0).macs);
    EXPECT_EQ(80u, count(n, 1).macs);
    EXPECT_EQ(4u, count(n, 1).outputs);
    EXPECT_EQ(0u, count(n, 1).requants);
    EXPECT_EQ(2u * 8 * (9 + 5), count(n, 2).macs);
    EXPECT_EQ(3u * 4 * 4 * (6 + 4), count(n, 3).macs);
    EXPECT_EQ(0u, count(n, 4).macs);
    EXPECT_EQ(60u, count(n, 4).outputs);
}

hw_plan plan(Net &n, arena *a)
{
    hw_plan *p = nullptr;
    err e = {};
    EXPECT_OK(hw_plan_create(n.graph(), a, &p, &e), e);
    return p ? *p : hw_plan{};
}

size_t offset_of(const hw_plan &p, int tensor)
{
    for (int i = 0; i < p.n_buffers; i++)
        if (p.buffers[i].tensor == tensor) return p.buffers[i].offset;
    ADD_FAILURE() << "tensor " << tensor << " has no buffer";
    return 0;
}

// in 32 -> x 64 -> y 16 -> out 48. Largest first: x at 0; out (alive with y only) at 0; in (alive with x) at 64;
// y (alive with x and out) at 64.
TEST(HwPlan, ChainReusesSpace)
{
    Net n;
    shim::Arena a;
    int in = n.tensor({32}), x = n.tensor({64}), y = n.tensor({16}), out = n.tensor({48});
    n.op(MODEL_RESHAPE, {in}, {x});
    n.op(MODEL_RESHAPE, {x}, {y});
    n.op(MODEL_RESHAPE, {y}, {out});
    n.inputs = {in};
    n.outputs = {out};
    hw_plan p = plan(n, a);
    EXPECT_EQ(0u, offset_of(p, x));
    EXPECT_EQ(0u, offset_of(p, out));
    EXPECT_EQ(64u, offset_of(p, in));
    EXPECT_EQ(64u, offset_of(p, y));
    EXPECT_EQ(96u, p.arena_bytes);
    EXPECT_EQ(96u, p.bound_bytes);
    EXPECT_EQ(0, p.peak_op);
    EXPECT_EQ(p.arena_bytes, p.sram_bytes);
}

// A tensor that is read again two operators later keeps its place; a gap between two living buffers is used if large enough.
TEST(HwPlan, OverlappingLivesAndGaps)
{
    Net n;
    shim::Arena a;
    int in = n.tensor({96}), skip = n.tensor({80}), b = n.tensor({64}), c = n.tensor({16}), out = n.tensor({8});
    n.op(MODEL_RESHAPE, {in}, {skip});   // in 0..0, skip 0..3
    n.op(MODEL_RESHAPE, {skip}, {b});    // b 1..2
    n.op(MODEL_RESHAPE, {b}, {c});       // c 2..3
    n.op(MODEL_ADD, {c, skip}, {out});   // out 3..3
    n.inputs = {in};
    n.outputs = {out};
    hw_plan p = plan(n, a);
    EXPECT_EQ(0u, offset_of(p, in));    // 96
    EXPECT_EQ(96u, offset_of(p, skip)); // 80: alive with in
    EXPECT_EQ(0u, offset_of(p, b));     // 64: in is dead, skip starts at 96
    EXPECT_EQ(64u, offset_of(p, c));    // 16: between b (ends 64) and skip (starts 96)
    EXPECT_EQ(0u, offset_of(p, out));   // 8
    EXPECT_EQ(176u, p.arena_bytes);
    EXPECT_EQ(176u, p.bound_bytes);
}

TEST(HwPlan, SizesArePackedAndAligned)
{
    Net n;
    shim::Arena a;
    int in = n.tensor({33}, 4), out = n.tensor({5}, 32, false, MODEL_F32); // 17 and 20 bytes, 32 each
    n.op(MODEL_RESHAPE, {in}, {out});
    n.inputs = {in};
    n.outputs = {out};
    hw_plan p = plan(n, a);
    ASSERT_EQ(2, p.n_buffers);
    EXPECT_EQ(64u, p.arena_bytes);
    for (int i = 0; i < 2; i++) EXPECT_EQ(p.buffers[i].tensor == in ? 17u : 20u, p.buffers[i].bytes);
}

TEST(HwPlan, StateAndConstantsAreNotActivations)
{
    Net n;
    shim::Arena a;
    int in = n.tensor({16}), state = n.tensor({20}), handle = n.tensor({}, 0, false, MODEL_RESOURCE), out = n.tensor({16});
    n.tensors[(size_t)state].is_variable = true;
    n.op(MODEL_ADD, {in, state}, {out});
    n.op(MODEL_VAR_HANDLE, {}, {handle});
    n.op(MODEL_ASSIGN_VARIABLE, {handle, in}, {});
    n.variables.push_back({"c/v", in});
    n.inputs = {in};
    n.outputs = {out};
    hw_plan p = plan(n, a);
    EXPECT_EQ(2, p.n_buffers);
    EXPECT_EQ(32u + 16u, p.state_bytes);
    EXPECT_EQ(32u + 48u, p.sram_bytes);
}

TEST(HwPlan, WeightsNestedOnceSeparateAll)
{
    Net n;
    shim::Arena a;
    int in = n.tensor({1, 4, 4, 8}), out = n.tensor({1, 4, 4, 16});
    int w = n.tensor({16, 1, 1, 8}, 8, true), w2 = n.tensor({16, 1, 1, 8}, 8, true);
    model_choice c = {"c", 2, {{2, 2}, {4, 4}}, -1, 0};
    n.choices.push_back(c);
    int32_t some[32] = {};
    int8_t shifts[32] = {};
    model_integer q = {};
    q.n_keys = 1;
    q.n_entries = 2;
    q.n_channels = 16;
    q.bias = q.multiplier = q.in_zero = q.out_zero = q.out_min = q.out_max = some;
    q.shift = shifts;
    model_weights nested = {MODEL_NESTED_FLOOR, 4, 1, {w}}, separate = {MODEL_SEPARATE, 0, 2, {w, w2}};
    model_op &o = n.op(MODEL_CONV_2D, {in, w}, {out});
    o.choice = 0;
    o.integer = &q;
    o.weights = &nested;
    hw_plan p = plan(n, a);
    EXPECT_EQ(128u * 4 / 8, p.weight_bytes);
    EXPECT_EQ(2u * (16 * (4 + 1) + 16 * 4 + 16), p.table_bytes);
    EXPECT_EQ(p.weight_bytes + p.table_bytes, p.flash_bytes);
    n.ops[0].weights = &separate;
    EXPECT_EQ(128u * 2 / 8 + 128u * 4 / 8, plan(n, a).weight_bytes);
    q.n_channels = 1;
    q.bias = nullptr;
    EXPECT_EQ(2u * (4 + 1 + 16), plan(n, a).table_bytes);
}

TEST(HwPlan, FloatScalesCountAsTflmKeepsThem)
{
    Net n;
    shim::Arena a;
    int w = n.tensor({5, 3}, 4, true), bias = n.tensor({5}, 32, true, MODEL_I32);
    n.tensors[(size_t)w].n_scales = 1;
    n.op(MODEL_FULLY_CONNECTED, {n.tensor({1, 3}), w, bias}, {n.tensor({1, 5})});
    hw_plan p = plan(n, a);
    EXPECT_EQ(8u + 20u, p.weight_bytes); // 15 codes of 4 bits, bias
    EXPECT_EQ(8u, p.table_bytes);
}

TEST(HwPlan, AbsurdSizesAreRefused)
{
    Net n;
    shim::Arena a;
    hw_plan *p = nullptr;
    err e = {};
    int in = n.tensor({16}), out = n.tensor({16});
    n.tensors[(size_t)out].n_elems = SIZE_MAX / 2;
    n.op(MODEL_RESHAPE, {in}, {out});
    EXPECT_EQ(ST_UNSUPPORTED, hw_plan_create(n.graph(), a, &p, &e)) << shim::text(e);
    shim::Arena small(64);
    err none = {};
    EXPECT_EQ(ST_NOMEM, hw_plan_create(n.graph(), small, &p, &none));
}

hw_plan plan_with(Net &n, arena *a, hw_planner planner, const char *kernels = nullptr)
{
    hw_plan *p = nullptr;
    err e = {};
    hw_plan_config c = {planner, kernels, nullptr};
    EXPECT_OK(hw_plan_make(n.graph(), &c, a, &p, &e), e);
    return p ? *p : hw_plan{};
}

// By birth, of one operator the larger first: b 48 at 0, a 32 at 48; c 64 lives with b only, and a's 32 bytes may go: 48. Largest first: c 0, b 64, a 0.
TEST(HwPlan, FirstFitTakesThemAsTheyCome)
{
    Net n;
    shim::Arena arena;
    int a = n.tensor({32}), b = n.tensor({48}), c = n.tensor({64});
    n.op(MODEL_RESHAPE, {a}, {b});
    n.op(MODEL_RESHAPE, {b}, {c});
    n.inputs = {a};
    n.outputs = {c};
    hw_plan p = plan_with(n, arena, HW_FIRST_FIT);
    EXPECT_EQ(48u, offset_of(p, a)); // born at one operator: larger first
    EXPECT_EQ(0u, offset_of(p, b));
    EXPECT_EQ(48u, offset_of(p, c));
    EXPECT_EQ(112u, p.arena_bytes);
    EXPECT_TRUE(p.optimal);
    EXPECT_EQ(112u, plan_with(n, arena, HW_GREEDY).arena_bytes);
}

// 3x3 convolution of 3 channels: 4 x 28 bytes (K = 27 rounded up to 4), alive with its input and output only; depthwise 5x5 of 8 channels: 2 x 8 x 25.
TEST(HwPlan, ScratchLivesForItsOperator)
{
    Net n;
    shim::Arena a;
    int in = n.tensor({1, 8, 8, 3}), x = n.tensor({1, 8, 8, 8}), y = n.tensor({1, 8, 8, 8}), out = n.tensor({1, 1, 1, 8});
    n.op(MODEL_CONV_2D, {in, n.tensor({8, 3, 3, 3}, 8, true)}, {x});
    n.op(MODEL_DEPTHWISE_CONV_2D, {x, n.tensor({1, 5, 5, 8}, 8, true)}, {y});
    n.op(MODEL_AVERAGE_POOL_2D, {y}, {out});
    for (model_op &o : n.ops) o.attrs.stride_h = o.attrs.stride_w = o.attrs.dilation_h = o.attrs.dilation_w = 1;
    n.inputs = {in};
    n.outputs = {out};
    struct {
        const char *kernels;
        size_t bytes[3];
    } const cases[] = {{"cmsis-nn", {112, 400, 32}}, {"cmsis-nn:dsp", {112, 400, 32}}, {"cmsis-nn:c", {112, 0, 0}}, {"cmsis-nn:mve", {128, 496 * 25, 0}},
        // 4 pixels x (28 lanes + 8 sums of 4 bytes), 4 rows of 32 lanes; planes of a band: 4 x 12 rows x 12 lanes, 8; weights 4 x 5 x 8; 64 sums of 4 bytes and one more
        {"bitemu:xpulp", {4 * (28 + 8 * 4) + 4 * 32, 4 * 12 * 12 + 8 + 4 * 5 * 8 + 65 * 4, 0}}, {"bitemu:portable", {2 * (28 + 8 * 4), 4 * 12 * 12 + 8 + 4 * 5 * 8 + 65 * 4, 0}}};
    for (const auto &c : cases) {
        hw_plan p = plan_with(n, a, HW_GREEDY, c.kernels);
        size_t got[3] = {};
        for (int i = 0; i < p.n_buffers; i++) {
            const hw_buffer &b = p.buffers[i];
            if (b.tensor >= 0) continue;
            ASSERT_EQ(b.first_op, b.last_op);
            got[b.first_op] = b.bytes;
            if (b.first_op == 0) { EXPECT_STREQ("scratch of op 0 CONV_2D", b.name); }
        }
        for (int i = 0; i < 3; i++) EXPECT_EQ(c.bytes[i], got[i]) << c.kernels << " op " << i;
    }
    EXPECT_EQ(1024u + 400, plan_with(n, a, HW_GREEDY, "cmsis-nn").bound_bytes);
    hw_plan *p = nullptr;
    err e = {};
    hw_plan_config wrong = {HW_GREEDY, "cmsis-nn:avx", nullptr};
    EXPECT_EQ(ST_ARG, hw_plan_make(n.graph(), &wrong, a, &p, &e));
    EXPECT_STREQ("--kernels", e.where);
}

size_t taken(const hw_buffer &b) { return (b.bytes + 15) / 16 * 16; }

// Least arena over all orders of lowest-gap placement: a search that shares nothing with the planner's.
size_t brute_force(std::vector<hw_buffer> b)
{
    std::vector<size_t> order(b.size());
    for (size_t i = 0; i < b.size(); i++) order[i] = i;
    size_t best = SIZE_MAX;
    do {
        size_t most = 0;
        for (size_t k = 0; k < order.size(); k++) {
            hw_buffer &x = b[order[k]];
            x.offset = 0;
            for (bool moved = true; moved;) {
                moved = false;
                for (size_t i = 0; i < k; i++) {
                    const hw_buffer &y = b[order[i]];
                    if (x.first_op > y.last_op || y.first_op > x.last_op || x.offset >= y.offset + taken(y) || y.offset >= x.offset + taken(x)) continue;
                    x.offset = y.offset + taken(y);
                    moved = true;
                }
            }
            most = std::max(most, x.offset + taken(x));
        }
        best = std::min(best, most);
    } while (std::next_permutation(order.begin(), order.end()));
    return best;
}

// Laws of every planner on random graphs; BITEMU_SEED repeats a run.
TEST(HwPlan, PlannersKeepTheLaws)
{
    const char *given = std::getenv("BITEMU_SEED");
    uint64_t seed = given ? std::strtoull(given, nullptr, 10) : 20260711, state = seed;
    std::printf("seed %llu (BITEMU_SEED)\n", (unsigned long long)seed);
    auto random = [&state](int below) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return (int)((state >> 33) % (uint64_t)below);
    };
    int better = 0, searched = 0;
    for (int round = 0; round < 300; round++) {
        Net n;
        shim::Arena a;
        const int ops = 2 + random(round % 3 ? 5 : 12);
        std::vector<int> t = {n.tensor({1 + random(200)})};
        n.inputs = {t[0]};
        for (int i = 0; i < ops; i++) {
            std::vector<int> in = {t[(size_t)random((int)t.size())], t.back()};
            t.push_back(n.tensor({1 + random(200)}));
            n.op(MODEL_ADD, in, {t.back()});
        }
        n.outputs = {t.back()};
        size_t arena[3];
        for (hw_planner planner : {HW_GREEDY, HW_FIRST_FIT, HW_EXACT}) {
            hw_plan p = plan_with(n, a, planner);
            arena[planner] = p.arena_bytes;
            ASSERT_GE(p.arena_bytes, p.bound_bytes) << "seed " << seed << " round " << round;
            size_t top = 0;
            for (int i = 0; i < p.n_buffers; i++) {
                const hw_buffer &x = p.buffers[i];
                top = std::max(top, x.offset + taken(x));
                for (int k = 0; k < i; k++) {
                    const hw_buffer &y = p.buffers[k];
                    bool alive = x.first_op <= y.last_op && y.first_op <= x.last_op;
                    ASSERT_FALSE(alive && x.offset < y.offset + taken(y) && y.offset < x.offset + taken(x)) << "seed " << seed << " round " << round;
                }
            }
            ASSERT_EQ(top, p.arena_bytes);
            if (planner == HW_EXACT && p.n_buffers <= 7) {
                ASSERT_TRUE(p.optimal);
                ASSERT_EQ(brute_force({p.buffers, p.buffers + p.n_buffers}), p.arena_bytes) << "seed " << seed << " round " << round;
                searched++;
            }
            if (p.n_buffers <= 12 && planner == HW_EXACT) { ASSERT_TRUE(p.optimal); }
        }
        ASSERT_LE(arena[HW_EXACT], std::min(arena[HW_GREEDY], arena[HW_FIRST_FIT])) << "seed " << seed << " round " << round;
        better += arena[HW_EXACT] < arena[HW_GREEDY];
    }
    std::printf("exact is below greedy in %d of 300 graphs; %d checked against every order\n", better, searched);
    EXPECT_GT(better, 0);
}

// ---- cost by hand: 1x1 convolution, 4x4x16 outputs of 8 inputs: 2048 MACs, 128 patch elements, 256 outputs
struct Priced {
    Net n;
    shim::Arena a;
    hw_board *b = nullptr;
    hw_table *t = nullptr;
    err e = {};
    void make(const std::string &board)
    {
        if (!board.empty()) {
            ASSERT_OK(hw_board_load(board.c_str(), a, &b, &e), e);
        }
        ASSERT_OK(hw_table_create(n.graph(), b, a, &t, &e), e);
    }
    std::vector<std::string> missing() const
    {
        std::vector<std::string> all;
        for (const char *const *m = hw_table_missing(t); *m; m++) all.push_back(*m);
        return all;
    }
};

model_op &pointwise(Net &n, int w_bits = 8, int a_bits = 8)
{
    return n.op(MODEL_CONV_2D, {n.tensor({1, 4, 4, 8}, a_bits), n.tensor({16, 1, 1, 8}, w_bits, true)},
                {n.tensor({1, 4, 4, 16}, 8)});
}

TEST(HwCost, SumOfEventsTimesWeights)
{
    Folder f;
    Priced p;
    pointwise(p.n);
    ASSERT_NO_FATAL_FAILURE(p.make(f.board()));
    hw_cost c = hw_table_op(p.t, 0, nullptr);
    double mac = 2048 * 2 * 1.5, patch = 128 * 3, rest = 256 * 5 + 100;
    EXPECT_EQ(2048u, c.macs);
    EXPECT_EQ(2048.0 * 64, c.bitops);
    EXPECT_DOUBLE_EQ(mac + patch + rest, c.cycles);
    EXPECT_NEAR((mac * 15 + patch * 20) / c.cycles, c.cycles_error_pct, 1e-9); // 10 % of the count + 5 % per instruction
    EXPECT_NEAR(20e-3 * c.cycles / 1e7 * 1e6, c.energy_uj, 1e-9);
    EXPECT_NEAR(std::hypot(c.cycles_error_pct, 1), c.energy_error_pct, 1e-9);
    EXPECT_TRUE(p.missing().empty());
}

// 3x3 on 4x6x4, eight outputs of six channels: two tiles, whose lanes lie in the input; windows of three stretches of 12 lanes.
TEST(HwCost, TripsOfOwnKernels)
{
    static const float scale[] = {0.5f, 0.5f, 1.0f}; // a multiplier of 1/4
    static const int64_t zero[] = {0, 0, 0};
    Net n;
    int in = n.tensor({1, 4, 6, 4}), w = n.tensor({6, 3, 3, 4}, 8, true), out = n.tensor({1, 2, 4, 6}), t[] = {in, w, out};
    for (int i = 0; i < 3; i++) {
        n.tensors[(size_t)t[i]].n_scales = 1;
        n.tensors[(size_t)t[i]].scale = &scale[i];
        n.tensors[(size_t)t[i]].zero_point = &zero[i];
    }
    model_op &op = n.op(MODEL_CONV_2D, {in, w}, {out});
    op.attrs.padding = MODEL_VALID;
    op.attrs.stride_h = op.attrs.stride_w = op.attrs.dilation_h = op.attrs.dilation_w = 1;
    const std::map<std::string, double> rv32 = {{"call", 1}, {"tile", 2}, {"in_place", 2}, {"placed", 2}, {"block", 6}, {"block_run", 18}, {"block_long", 18}, {"block_word", 18},
                                                {"channel_group", 4}, {"channel_twice", 12}, {"code_twice", 48}};
    const std::map<std::string, double> xpulp = {{"call", 1}, {"tile", 2}, {"in_place", 2}, {"placed", 2}, {"block", 2}, {"block_run", 6}, {"block_word", 18}, {"lone", 16}, {"lone_run", 48},
                                                 {"lone_word", 144}, {"channel_group", 4}, {"channel_any_twice", 8}, {"code_any_twice", 32}, {"channel_twice", 4}, {"code_twice", 16}};
    for (hw_row row : {HW_RV32, HW_XPULP}) {
        double trips[HW_N_TRIPS];
        std::map<std::string, double> got;
        const model_graph *g = n.graph();
        ASSERT_TRUE(hw_trips_count(g, &g->subgraphs[0].ops[0], 8, row, trips));
        for (int i = 0; i < HW_N_TRIPS; i++)
            if (trips[i] > 0) got[hw_trip_names[i]] = trips[i];
        EXPECT_EQ(row == HW_RV32 ? rv32 : xpulp, got);
    }
}

// Two of four filters are 0: they give constants, and so do the channels that a depthwise layer makes of them.
TEST(HwCost, ConstantChannelsAreLeftOutByStacksThatDo)
{
    static const int8_t filters[4][3] = {{0, 0, 0}, {1, 0, 0}, {0, 0, 0}, {0, 0, 2}}, some[64] = {1};
    Net n;
    int in = n.tensor({1, 4, 4, 3}), first = n.tensor({1, 4, 4, 4}), second = n.tensor({1, 4, 4, 4}), third = n.tensor({1, 4, 4, 8}), w[3] = {};
    const std::vector<int> shapes[] = {{4, 1, 1, 3}, {1, 3, 3, 4}, {8, 1, 1, 4}};
    for (int i = 0; i < 3; i++) {
        w[i] = n.tensor(shapes[i], 8, true);
        n.tensors[(size_t)w[i]].data = i ? some : &filters[0][0];
    }
    n.op(MODEL_CONV_2D, {in, w[0]}, {first});
    n.op(MODEL_DEPTHWISE_CONV_2D, {first, w[1]}, {second});
    n.op(MODEL_CONV_2D, {second, w[2]}, {third}); // one of its 8 filters is not 0: some is 1 at its first weight, else 0
    const double macs[2][3] = {{192, 576, 512}, {96, 288, 32}};
    for (bool removes : {false, true}) {
        hw_board b = {};
        b.removes_constant = removes;
        const model_graph *g = n.graph();
        for (int i = 0; i < 3; i++) {
            double count[HW_N_EVENTS] = {0};
            hw_layer_counts(g, &b, &g->subgraphs[0].ops[i], count);
            EXPECT_EQ(macs[removes][i], count[HW_MAC]) << removes << i;
        }
    }
}

TEST(HwCost, GridsAreNotPricedAsMultiplications)
{
    Folder f;
    Priced p;
    model_grid grids[2] = {};
    grids[0].weights.kind = QUANT_POW2;
    grids[1].weights.kind = QUANT_TERNARY;
    pointwise(p.n, 4, 4).grid = &grids[0];
    pointwise(p.n, 4, 4).grid = &grids[1];
    ASSERT_NO_FATAL_FAILURE(p.make(f.board()));
    EXPECT_LT(hw_table_op(p.t, 0, nullptr).cycles, 0);
    EXPECT_EQ(2048, hw_table_op(p.t, 1, nullptr).cycles); // ternary codes are numbers
    ASSERT_EQ(1u, p.missing().size());
    EXPECT_EQ("op 0 CONV_2D w4a4: kernels toy has no weight for pointwise on grid pow2", p.missing()[0]);
}

TEST(HwCost, UnknownErrorsStayUnknown)
{
    Folder f;
    Priced p;
    pointwise(p.n, 4, 4);
    pointwise(p.n);
    ASSERT_NO_FATAL_FAILURE(p.make(f.board()));
    hw_cost c = hw_table_op(p.t, 0, nullptr), d = hw_table_op(p.t, 1, nullptr);
    EXPECT_EQ(2048, c.cycles);
    EXPECT_LT(c.cycles_error_pct, 0);
    EXPECT_LT(c.energy_error_pct, 0);
    hw_cost_add(&c, &d);
    EXPECT_EQ(2048 + d.cycles, c.cycles);
    EXPECT_LT(c.cycles_error_pct, 0);
}

// 2048 MACs, 128 + 256 bytes of activations, 128 of weights; the largest tensor and all weights lie in 8 KiB: 10 pJ for 8 bytes
TEST(HwCost, EnergiesOfAnArchitecture)
{
    Priced p;
    pointwise(p.n);
    pointwise(p.n, 2, 4);
    ASSERT_TRUE(hw_arch_exists("horowitz-45nm"));
    EXPECT_FALSE(hw_arch_exists("nucleo-l4r5zi"));
    ASSERT_OK(hw_board_arch("horowitz-45nm", p.a, &p.b, &p.e), p.e);
    ASSERT_OK(hw_table_create(p.n.graph(), p.b, p.a, &p.t, &p.e), p.e);
    hw_cost c = hw_table_op(p.t, 0, nullptr), d = hw_table_op(p.t, 1, nullptr);
    EXPECT_NEAR((2048 * (0.2 + 0.1) + (128 + 256) * 1.25 + 128 * 1.25) * 1e-6, c.energy_uj, 1e-12);
    EXPECT_NEAR((2048 * (0.2 * 2 * 4 / 64 + 0.1) + (64 + 256) * 1.25 + 32 * 1.25) * 1e-6, d.energy_uj, 1e-12);
    EXPECT_LT(c.cycles, 0);
    ASSERT_EQ(1u, p.missing().size());
    EXPECT_NE(std::string::npos, p.missing()[0].find("no time"));
}

TEST(HwCost, CandidatesContainersAndGaps)
{
    Folder f;
    Priced p;
    model_choice c = {"c", 4, {{2, 2}, {3, 3}, {4, 4}, {8, 8}}, -1, 0};
    p.n.choices = {c};
    pointwise(p.n).choice = 0;
    ASSERT_NO_FATAL_FAILURE(p.make(f.board()));
    const model_graph *g = p.n.graph();
    int w, a, pick[4][1] = {{0}, {1}, {2}, {3}};
    hw_op_bits(g, 0, pick[1], &w, &a);
    EXPECT_EQ(3, w);
    EXPECT_EQ(3, a);
    hw_op_bits(g, 0, nullptr, &w, &a);
    EXPECT_EQ(8, w);
    EXPECT_LT(hw_table_op(p.t, 0, pick[0]).cycles, 0); // w2a2 is stored as w2a4: no weights for it
    EXPECT_EQ(2048.0 * 4, hw_table_op(p.t, 0, pick[0]).bitops);
    EXPECT_EQ(2048, hw_table_op(p.t, 0, pick[1]).cycles); // w3a3 in w4a4
    EXPECT_EQ(2048.0 * 9, hw_table_op(p.t, 0, pick[1]).bitops);
    EXPECT_EQ(2048, hw_table_op(p.t, 0, pick[2]).cycles);
    EXPECT_EQ(hw_table_op(p.t, 0, pick[3]).cycles, hw_table_op(p.t, 0, nullptr).cycles);
    ASSERT_EQ(1u, p.missing().size());
    EXPECT_EQ("op 0 CONV_2D w2a2: kernels toy has no weight for pointwise at w2a4", p.missing()[0]);
    int wild[1] = {7};
    EXPECT_LT(hw_table_op(p.t, 0, wild).cycles, 0);
}

TEST(HwCost, MissingIsListedAndPoisonsTheSum)
{
    Folder f;
    Priced p;
    pointwise(p.n);
    p.n.op(MODEL_SOFTMAX, {p.n.tensor({1, 16})}, {p.n.tensor({1, 16})});
    p.n.op(MODEL_LOGISTIC, {p.n.tensor({1, 16})}, {p.n.tensor({1, 16})});
    model_op &pool = p.n.op(MODEL_AVERAGE_POOL_2D, {p.n.tensor({1, 4, 4, 16})}, {p.n.tensor({1, 2, 2, 16})});
    pool.attrs.filter_h = 2;
    pool.attrs.filter_w = 3;
    p.n.op(MODEL_AVERAGE_POOL_2D, {p.n.tensor({1, 4, 4, 16}, 32, false, MODEL_F32)},
           {p.n.tensor({1, 2, 2, 16}, 32, false, MODEL_F32)});
    ASSERT_NO_FATAL_FAILURE(p.make(f.board() + ":slow"));
    ASSERT_EQ(4u, p.missing().size());
    EXPECT_EQ("op 1 SOFTMAX a8: kernels toy has no weight for softmax at a8", p.missing()[0]);
    EXPECT_EQ("op 2 LOGISTIC a8: kernels toy has no weight for function at a8", p.missing()[1]);
    EXPECT_NE(std::string::npos, p.missing()[2].find("float32"));
    EXPECT_NE(std::string::npos, p.missing()[3].find("energy"));
    EXPECT_DOUBLE_EQ(64.0 * 6 * 4 * 3, hw_table_op(p.t, 3, nullptr).cycles);
    EXPECT_LT(hw_table_op(p.t, 3, nullptr).energy_uj, 0);
    hw_cost sum = {};
    for (int i = 0; i < 2; i++) {
        hw_cost c = hw_table_op(p.t, i, nullptr);
        hw_cost_add(&sum, &c);
    }
    EXPECT_EQ(2048u, sum.macs);
    EXPECT_LT(sum.cycles, 0);
}

TEST(HwCost, WithoutBoardOnlyCounts)
{
    Priced p;
    pointwise(p.n, 2, 4);
    ASSERT_NO_FATAL_FAILURE(p.make(""));
    hw_cost c = hw_table_op(p.t, 0, nullptr);
    EXPECT_EQ(2048.0 * 8, c.bitops);
    EXPECT_LT(c.cycles, 0);
    EXPECT_TRUE(p.missing().empty());
}

TEST(HwCost, ShippedBoardPricesEveryWidthPairOfTheDynamicOperators)
{
    for (int kernel : {1, 3})
        for (int w : {2, 4, 8})
            for (int a : {2, 4, 8}) {
                Priced p;
                p.n.op(MODEL_CONV_2D, {p.n.tensor({1, 8, 8, 16}, a), p.n.tensor({16, kernel, kernel, 16}, w, true)},
                       {p.n.tensor({1, 8, 8, 16})});
                p.n.op(MODEL_FULLY_CONNECTED, {p.n.tensor({1, 64}, a), p.n.tensor({10, 64}, w, true)},
                       {p.n.tensor({1, 10}, 32, false, MODEL_I32)});
                p.n.op(MODEL_ARG_MAX, {p.n.tensor({1, 10}, 32, false, MODEL_I32)}, {p.n.tensor({1}, 32, false, MODEL_I32)});
                model_op &pool = p.n.op(MODEL_AVERAGE_POOL_2D, {p.n.tensor({1, 8, 8, 16}, a)}, {p.n.tensor({1, 1, 1, 16}, a)});
                pool.attrs.filter_h = pool.attrs.filter_w = 8;
                ASSERT_NO_FATAL_FAILURE(p.make("nucleo-l4r5zi"));
                EXPECT_TRUE(p.missing().empty()) << p.missing()[0];
                for (int i = 0; i < 4; i++) {
                    hw_cost c = hw_table_op(p.t, i, nullptr);
                    EXPECT_GT(c.cycles, 0);
                    EXPECT_GT(c.cycles_error_pct, 0);
                    EXPECT_GT(c.energy_uj, 0);
                }
            }
}

// ---- the four networks of MLPerf Tiny, when they are there
struct Model {
    const char *key, *file, *csv;
    size_t tflm_arena; // head of the arena that TFLM's interpreter reports (PyPI tflite_micro 0.dev20261023, print_allocations)
    size_t tflm_total; // head and tail, the same report
} const models[] = {{"ad", "mlc_ad01_int8.tflite", "ad01_int8.tflite", 768, 3984},
                    {"ic", "mlc_pretrainedResnet_quant.tflite", "pretrainedResnet_quant.tflite", 49152, 55984},
                    {"kws", "mlc_kws_ref_model.tflite", "kws_ref_model.tflite", 16000, 24272},
                    {"vww", "mlc_vww_96_int8.tflite", "vww_96_int8.tflite", 73728, 103680},
                    {"sww", "mlc_str_ww_ref_model.tflite", "str_ww_ref_model.tflite", 6656, 16640}};

TEST(HwModels, MacsOfEveryLayer)
{
    NEEDS_SHARED();
    auto csv = read_csv(shim::shared() + "/reference/mlperf_tiny_layers.csv");
    size_t model = (size_t)column(csv, "model"), index = (size_t)column(csv, "op_index"), macs = (size_t)column(csv, "macs");
    for (const Model &m : models) {
        shim::Arena a;
        model_graph *g = nullptr;
        err e = {};
        ASSERT_OK(model_load((shim::shared() + "/models/" + m.file).c_str(), a, &g, &e), e);
        uint64_t total = 0;
        int seen = 0;
        for (const auto &row : csv) {
            if (row[model] != m.csv) continue;
            if (row[index] == "TOTAL") {
                EXPECT_EQ(std::stoull(row[macs]), total) << m.key;
                continue;
            }
            int op = std::stoi(row[index]);
            ASSERT_LT(op, g->subgraphs[0].n_ops);
            uint64_t got = hw_count_op(g, &g->subgraphs[0].ops[op]).macs;
            EXPECT_EQ(std::stoull(row[macs]), got) << m.key << " op " << op;
            total += got;
            seen++;
        }
        EXPECT_EQ(g->subgraphs[0].n_ops, seen) << m.key;
    }
}

TEST(HwModels, ArenaIsTflms)
{
    NEEDS_SHARED();
    for (const Model &m : models) {
        shim::Arena a;
        model_graph *g = nullptr;
        hw_plan *p = nullptr;
        err e = {};
        ASSERT_OK(model_load((shim::shared() + "/models/" + m.file).c_str(), a, &g, &e), e);
        ASSERT_OK(hw_plan_create(g, a, &p, &e), e);
        EXPECT_EQ(m.tflm_arena, p->arena_bytes) << m.key;
        EXPECT_LE(p->bound_bytes, p->arena_bytes);
        EXPECT_LT(p->weight_bytes, g->file_bytes);
        double total = (double)p->arena_bytes + (double)p->tflm_tail64_bytes;
        std::printf("%-4s TFLM's recorder %zu, estimated %.0f (%+.2f %%)\n", m.key, m.tflm_total, total, (total / (double)m.tflm_total - 1) * 100);
        EXPECT_NEAR(total, (double)m.tflm_total, 0.02 * (double)m.tflm_total) << m.key;
        EXPECT_LT(p->tflm_tail_bytes, p->tflm_tail64_bytes);
    }
    // a 32-bit target: the recorder's table of TFLM's generic_benchmark README (Cortex-M55, CMSIS-NN): 55296 + 29140 bytes
    shim::Arena a;
    model_graph *g = nullptr;
    hw_plan *p = nullptr;
    err e = {};
    ASSERT_OK(model_load((shim::shared() + "/models/tflm_person_detect.tflite").c_str(), a, &g, &e), e);
    hw_plan_config c = {HW_GREEDY, "cmsis-nn:mve", nullptr};
    ASSERT_OK(hw_plan_create(g, a, &p, &e), e);
    EXPECT_EQ(55296u, p->arena_bytes);
    ASSERT_OK(hw_plan_make(g, &c, a, &p, &e), e);
    EXPECT_NEAR(29140, (double)p->tflm_tail_bytes, 0.02 * 84436);
}

// Estimates hold the published cycles within the error that they state. (Totals are inputs to the fit: this tests the
// arithmetic from YAML to sum.)
// Filters of vww that are not all 0, convolution by convolution; half of its multiplications go. The other networks lose none.
TEST(HwModels, HalfOfVwwIsConstant)
{
    NEEDS_SHARED();
    const double live[] = {8, 16, 32, 32, 64, 60, 107, 57, 30, 19, 19, 27, 32, 22};
    const std::pair<const char *, double> models[] = {{"mlc_vww_96_int8", 0.4996}, {"mlc_kws_ref_model", 1}, {"mlc_pretrainedResnet_quant", 1}, {"mlc_ad01_int8", 1}, {"mlc_str_ww_ref_model", 1}};
    for (const auto &[name, share] : models) {
        shim::Arena a;
        model_graph *g = nullptr;
        err e = {};
        ASSERT_OK(model_load((shim::shared() + "/models/" + name + ".tflite").c_str(), a, &g, &e), e);
        hw_board lean = {}, plain = {};
        lean.removes_constant = true;
        double sum[2] = {0, 0};
        int convs = 0;
        for (int i = 0; i < g->subgraphs[0].n_ops; i++) {
            const model_op *op = &g->subgraphs[0].ops[i];
            double less[HW_N_EVENTS] = {0}, all[HW_N_EVENTS] = {0};
            hw_layer_counts(g, &lean, op, less);
            hw_layer_counts(g, &plain, op, all);
            sum[0] += less[HW_MAC];
            sum[1] += all[HW_MAC];
            if (share < 1 && op->code == MODEL_CONV_2D) {
                const model_tensor *out = &g->subgraphs[0].tensors[op->outputs[0]];
                EXPECT_EQ(live[convs++], less[HW_OUTPUT] / all[HW_OUTPUT] * out->dims[3]) << i;
            }
        }
        EXPECT_NEAR(share, sum[0] / sum[1], share < 1 ? 5e-5 : 0) << name;
    }
}

TEST(HwModels, PublishedCyclesAreWithinTheStatedError)
{
    NEEDS_SHARED();
    auto csv = read_csv(shim::shared() + "/reference/mlperf_tiny_results.csv");
    size_t round = (size_t)column(csv, "round"), stack = (size_t)column(csv, "software_stack"),
           name = (size_t)column(csv, "board");
    size_t bench = (size_t)column(csv, "benchmark"), cycles = (size_t)column(csv, "cycles"),
           energy = (size_t)column(csv, "energy_uj_per_inf");
    struct {
        const char *board, *round, *stack, *csv;
    } const rows[] = {{"nucleo-l4r5zi", "1.0", "microTVM + CMSIS-NN", "NUCLEO-L4R5ZI"},
                      {"nucleo-l4r5zi:tflm-2.3.1", "0.5", "TensorFlow Lite for Microcontrollers v2.3.1", "Nucleo-L4R5ZI"},
                      {"nucleo-g0b1re", "1.2", "Bosch HALE 1.0.175", "NUCLEO-G0B1RE"},
                      {"nucleo-g0b1re:hale-1.1", "1.1", "Bosch HALE 1.0", "NUCLEO-G0B1RE"}};
    int compared = 0;
    for (const auto &r : rows)
        for (const Model &m : models) {
            for (const auto &row : csv) {
                if (row[round] != r.round || row[stack].rfind(r.stack, 0) != 0 || row[name] != r.csv || row[bench] != m.key)
                    continue;
                Priced p;
                model_graph *g = nullptr;
                ASSERT_OK(model_load((shim::shared() + "/models/" + m.file).c_str(), p.a, &g, &p.e), p.e);
                ASSERT_OK(hw_board_load(r.board, p.a, &p.b, &p.e), p.e);
                ASSERT_OK(hw_table_create(g, p.b, p.a, &p.t, &p.e), p.e);
                hw_cost sum = {};
                for (int i = 0; i < g->subgraphs[0].n_ops; i++) {
                    hw_cost c = hw_table_op(p.t, i, nullptr);
                    hw_cost_add(&sum, &c);
                }
                double published = std::stod(row[cycles]);
                std::printf("%-26s %-4s published %10.0f estimated %10.0f (%+5.1f %%, stated +-%.0f %%)", r.board, m.key,
                            published, sum.cycles, (sum.cycles / published - 1) * 100, sum.cycles_error_pct);
                if (!row[energy].empty() && sum.energy_uj >= 0)
                    std::printf("  energy %+.1f %%", (sum.energy_uj / std::stod(row[energy]) - 1) * 100);
                std::printf("\n");
                EXPECT_LT(std::fabs(sum.cycles - published), sum.cycles * sum.cycles_error_pct / 100) << r.board << " " << m.key;
                compared++;
            }
        }
    EXPECT_EQ(16, compared);
}

TEST(HwScratch, CmsisNn)
{
    hw_shape s = {1, 8, 8, 3, 3, 3, 8, 16, 1, 1, 1, 1, 1, 1}; // 3x3 of 3 channels: K = 27
    EXPECT_EQ(4 * 28, hw_scratch_cmsis_conv(&s, HW_S8, HW_BUILD_DSP));
    EXPECT_EQ(4 * 27, hw_scratch_cmsis_conv(&s, HW_S4, HW_BUILD_C));
    EXPECT_EQ(64 * 2, hw_scratch_cmsis_conv(&s, HW_S8, HW_BUILD_MVE));
    EXPECT_EQ(64 * 4, hw_scratch_cmsis_conv(&s, HW_S16, HW_BUILD_MVE));
    s.in_c = s.out_c = 16; // depthwise 3x3: has a kernel of its own without scratch; 4-bit weights do not
    EXPECT_EQ(0, hw_scratch_cmsis_depthwise(&s, HW_S8, HW_BUILD_DSP));
    EXPECT_EQ(2 * 16 * 9, hw_scratch_cmsis_depthwise(&s, HW_S4, HW_BUILD_DSP));
    EXPECT_EQ(496 * 9, hw_scratch_cmsis_depthwise(&s, HW_S8, HW_BUILD_MVE));
    s = {1, 1, 16, 16, 1, 7, 8, 12, 0, 2, 2, 1, 1, 1}; // 1x7, stride 2: 5 columns of padding, 2 of them left
    EXPECT_EQ((7 + 2) * 16, hw_scratch_cmsis_conv(&s, HW_S8, HW_BUILD_MVE));
    EXPECT_EQ(0, hw_scratch_cmsis_conv(&s, HW_S4, HW_BUILD_MVE));
}

// Against all prefix codes: the least sum of count x length over lengths that satisfy Kraft's inequality with equality.
uint64_t best_code(const std::vector<uint64_t> &count, std::vector<int> lengths, size_t at)
{
    if (at == count.size()) {
        double kraft = 0;
        uint64_t bits = 0;
        for (size_t i = 0; i < count.size(); i++) {
            kraft += std::ldexp(1, -lengths[i]);
            bits += count[i] * (uint64_t)lengths[i];
        }
        return kraft <= 1 ? bits : UINT64_MAX;
    }
    uint64_t best = UINT64_MAX;
    for (int length = 1; length <= 5; length++) {
        lengths.push_back(length);
        best = std::min(best, best_code(count, lengths, at + 1));
        lengths.pop_back();
    }
    return best;
}

TEST(HwHuffman, NoPrefixCodeIsShorter)
{
    uint64_t one[3] = {0, 7, 0};
    EXPECT_EQ(7u, hw_huffman_bits(one, 3));
    EXPECT_EQ(0u, hw_huffman_bits(one, 1));
    uint64_t five[5] = {15, 7, 6, 6, 5}; // Cormen's kind of example: 1, 3, 3, 3, 3 bits
    EXPECT_EQ(15u + 3 * 24, hw_huffman_bits(five, 5));
    std::srand(7);
    for (int round = 0; round < 30; round++) {
        std::vector<uint64_t> count((size_t)(2 + std::rand() % 5));
        for (uint64_t &c : count) c = 1 + (uint64_t)(std::rand() % 40);
        EXPECT_EQ(best_code(count, {}, 0), hw_huffman_bits(count.data(), (int)count.size()));
    }
}

TEST(HwScratch, OtherLibraries)
{
    hw_shape s = {1, 8, 10, 16, 3, 3, 10, 16, 1, 1, 1, 1, 1, 1};
    EXPECT_EQ(2 * 16 * 9 * 2, hw_scratch_cmix(&s, false));
    EXPECT_EQ(16 * 9, hw_scratch_cmix(&s, true));
    EXPECT_EQ(8 * 2 * 16 * 9, hw_scratch_pulp(&s, false, 8));
    EXPECT_EQ(8 * (3 * (8 + 2) + 3), hw_scratch_pulp(&s, true, 8));
    EXPECT_EQ(8 * (3 * (8 + 2) + 3 + 9 * 2), hw_scratch_pulp(&s, true, 4));
    EXPECT_EQ((10 + 2) * (8 + 2), hw_scratch_tinyengine(&s, true));
    s.in_c = 3;
    EXPECT_EQ(2 * 27 * 2 + 27 * 16 * 2, hw_scratch_tinyengine(&s, false));
    s = {1, 8, 8, 16, 1, 1, 8, 16, 0, 0, 1, 1, 1, 1};
    EXPECT_EQ(2 * 16 * 2, hw_scratch_tinyengine(&s, false));
}

// A plan of a fixed policy packs what the layers read; without one the most that any candidate needs counts, scratch too.
TEST(HwPlan, WidthsOfAPolicy)
{
    Net n;
    model_choice c = {"c", 3, {{2, 2}, {4, 4}, {8, 8}}, -1, 0};
    n.choices = {c};
    int x = n.tensor({1, 8, 8, 16}), y = n.tensor({1, 8, 8, 16}), z = n.tensor({1, 8, 8, 16});
    n.op(MODEL_DEPTHWISE_CONV_2D, {x, n.tensor({1, 3, 3, 16}, 8, true)}, {y}).choice = 0;
    n.op(MODEL_DEPTHWISE_CONV_2D, {y, n.tensor({1, 3, 3, 16}, 8, true)}, {z}).choice = 0;
    for (model_op &o : n.ops) {
        o.attrs.stride_h = o.attrs.stride_w = o.attrs.dilation_h = o.attrs.dilation_w = 1;
        o.attrs.padding = MODEL_SAME;
    }
    n.inputs = {x};
    n.outputs = {z};
    shim::Arena a;
    err e = {};
    auto plan = [&](const int *candidate, const char *kernels) {
        hw_plan *p = nullptr;
        hw_plan_config config = {HW_GREEDY, kernels, candidate};
        EXPECT_OK(hw_plan_make(n.graph(), &config, a, &p, &e), e);
        return *p;
    };
    int two[1] = {0}, eight[1] = {2};
    EXPECT_EQ(2048u, plan(nullptr, nullptr).arena_bytes);
    EXPECT_EQ(2048u, plan(eight, nullptr).arena_bytes);
    EXPECT_EQ(1024u + 256, plan(two, nullptr).arena_bytes); // the output is read by nobody and keeps its 8 bits
    EXPECT_EQ(2048u, plan(eight, "cmsis-nn:dsp").arena_bytes);          // 8 bits: the 3x3 kernel without scratch
    EXPECT_EQ(2048u + 2 * 16 * 9, plan(nullptr, "cmsis-nn:dsp").arena_bytes); // 4 bits need some, so what any choice needs does
}

} // namespace
