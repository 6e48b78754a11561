// SPDX-License-Identifier: Apache-2.0
// The public library, as a program outside of bitemu uses it.
#include <bitemu/bitemu.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

std::string model() { return std::string(std::getenv("BITEMU_SOURCE")) + "/models/digits/digits.bitemu"; }

TEST(Api, RunsANetworkAndTellsWhatHappened)
{
    std::string path = model();
    bitemu_options o = {};
    bitemu_error e = {};
    bitemu_network *n = nullptr;
    o.model = path.c_str();
    o.board = "nucleo-l4r5zi";
    ASSERT_EQ(BITEMU_OK, bitemu_open(&o, &n, &e)) << e.where << ": " << e.message;
    bitemu_tensor in, out;
    ASSERT_EQ(BITEMU_OK, bitemu_input(n, 0, &in));
    ASSERT_EQ(BITEMU_OK, bitemu_output(n, 0, &out));
    EXPECT_EQ(BITEMU_USAGE, bitemu_input(n, 1, &in));
    EXPECT_EQ(64u, in.bytes);
    EXPECT_STREQ("int32", out.type);
    bitemu_layer layer;
    EXPECT_EQ(BITEMU_USAGE, bitemu_layer_get(n, 0, &layer)) << "nothing was run yet";
    EXPECT_EQ(-1, bitemu_decision(n, 0));
    std::vector<unsigned char> x(in.bytes, 3);
    std::vector<int32_t> y(out.bytes / 4), again(out.bytes / 4);
    ASSERT_EQ(BITEMU_OK, bitemu_run(n, x.data(), y.data(), &e));
    ASSERT_EQ(BITEMU_OK, bitemu_run(n, x.data(), again.data(), &e));
    EXPECT_EQ(y, again);
    uint64_t macs = 0;
    double cycles = 0;
    for (int i = 0; i < bitemu_layer_count(n); i++) {
        ASSERT_EQ(BITEMU_OK, bitemu_layer_get(n, i, &layer));
        macs += layer.macs;
        cycles += layer.cycles;
    }
    bitemu_cost cost;
    bitemu_cost_get(n, &cost);
    EXPECT_EQ((double)macs, cost.macs);
    EXPECT_NEAR(cycles, cost.cycles, 1e-6 * cycles);
    EXPECT_GT(cost.flash_bytes, 0u);
    ASSERT_EQ(4, bitemu_choice_count(n));
    for (int c = 0; c < 4; c++) EXPECT_GE(bitemu_decision(n, c), 0);
    bitemu_close(&n);
    EXPECT_EQ(nullptr, n);
}

TEST(Api, FailuresLeaveNothingBehindAndSayWhy)
{
    bitemu_options o = {};
    bitemu_error e = {};
    bitemu_network *n = nullptr;
    EXPECT_EQ(BITEMU_USAGE, bitemu_open(&o, &n, &e));
    o.model = "/no/such.tflite";
    e = {};
    EXPECT_EQ(BITEMU_IO, bitemu_open(&o, &n, &e));
    EXPECT_NE(std::string::npos, std::string(e.where).find("/no/such.tflite"));
    EXPECT_EQ(nullptr, n);
    std::string path = model();
    o.model = path.c_str();
    o.policy = "fixed:5";
    e = {};
    EXPECT_EQ(BITEMU_USAGE, bitemu_open(&o, &n, &e));
    EXPECT_NE(std::string::npos, std::string(e.message).find("2, 4, 8"));
    EXPECT_EQ(2, bitemu_exit_status(BITEMU_USAGE));
    EXPECT_EQ(4, bitemu_exit_status(BITEMU_CORRUPT));
    EXPECT_NE(nullptr, bitemu_version());
}

TEST(Api, AnAccumulatorMayBeForcedOnEveryLayer)
{
    std::string path = model();
    bitemu_options o = {};
    bitemu_error e = {};
    bitemu_network *n = nullptr;
    o.model = path.c_str();
    o.accumulator = "8:saturate";
    ASSERT_EQ(BITEMU_OK, bitemu_open(&o, &n, &e)) << e.where << ": " << e.message;
    std::vector<unsigned char> x(64, 31);
    std::vector<int32_t> y(10);
    bitemu_layer layer;
    ASSERT_EQ(BITEMU_OK, bitemu_run(n, x.data(), y.data(), &e));
    ASSERT_EQ(BITEMU_OK, bitemu_layer_get(n, 0, &layer));
    EXPECT_GT(layer.saturations, 0u);
    EXPECT_EQ(0u, layer.wraps);
    bitemu_close(&n);
    o.accumulator = "40:clip";
    EXPECT_EQ(BITEMU_USAGE, bitemu_open(&o, &n, &e));
    EXPECT_STREQ("--accumulator", e.where);
}

} // namespace
