// SPDX-License-Identifier: Apache-2.0
// Hand-computed layers: one answer each, worked out on paper.
#include "tests/one_op.hh"

extern "C" {
#include "emu/overflow.h"
#include "quant/fixedpoint.h"
}

namespace {

using shim::One;

const int8_t ones[] = {1, 1, 1, 1};
const int32_t bias[] = {10};

TEST(Conv, SumsTheWindowMinusTheZeroPointAndAddsTheBias)
{
    One g(MODEL_CONV_2D); // 2x2 window of ones over a 2x3 image, scales 1: y = sum (x - 1) + 10 + 5
    g.in(g.tensor(MODEL_I8, {1, 2, 3, 1}, 1, 1));
    g.in(g.tensor(MODEL_I8, {1, 2, 2, 1}, 1, 0, ones));
    g.in(g.tensor(MODEL_I32, {1}, 0, 0, bias));
    g.out(g.tensor(MODEL_I8, {1, 1, 2, 1}, 1, 5));
    err e = {};
    ASSERT_OK(g.prepare(&e), e);
    g.set<int8_t>(0, {1, 2, 3, 4, 5, 6});
    g.run();
    EXPECT_EQ((std::vector<int8_t>{8 + 15, 12 + 15}), g.result<int8_t>());
    EXPECT_EQ(8u, g.ev.macs);
    EXPECT_EQ(2u, g.ev.requants);
    EXPECT_EQ(18, g.ev.acc_min);
    EXPECT_EQ(22, g.ev.acc_max);
    EXPECT_EQ(0u, g.ev.clamps);
}

TEST(Conv, SamePaddingAddsNothingWhateverTheZeroPoint)
{
    One g(MODEL_CONV_2D); // 2x2 ones over a 2x2 image: output (1,1) sees one tap; all inputs are 100, zero point 100
    g.op.attrs.padding = MODEL_SAME;
    g.in(g.tensor(MODEL_I8, {1, 2, 2, 1}, 1, 100));
    g.in(g.tensor(MODEL_I8, {1, 2, 2, 1}, 1, 0, ones));
    g.out(g.tensor(MODEL_I8, {1, 2, 2, 1}, 1, 0));
    err e = {};
    ASSERT_OK(g.prepare(&e), e);
    g.set<int8_t>(0, {101, 102, 103, 104});
    g.run();
    EXPECT_EQ((std::vector<int8_t>{10, 6, 7, 4}), g.result<int8_t>());
}

TEST(Conv, ClampsAreCounted)
{
    One g(MODEL_CONV_2D);
    g.op.attrs.activation = MODEL_RELU6; // 6 is code 6 at scale 1
    g.in(g.tensor(MODEL_I8, {1, 1, 3, 1}, 1, 0));
    g.in(g.tensor(MODEL_I8, {1, 1, 1, 1}, 1, 0, ones));
    g.out(g.tensor(MODEL_I8, {1, 1, 3, 1}, 1, 0));
    err e = {};
    ASSERT_OK(g.prepare(&e), e);
    g.set<int8_t>(0, {-5, 4, 90});
    g.run();
    EXPECT_EQ((std::vector<int8_t>{0, 4, 6}), g.result<int8_t>());
    EXPECT_EQ(2u, g.ev.clamps);
}

// 100 + 100 - 100 + 10 in 8 bits: wrapping 110, whatever the order; saturating 127 - 100 + 10 = 37, with the bias first 110, 127, 27.
TEST(Accumulator, NarrowOnesWrapOrSaturateInTheLibrarysOrder)
{
    static const int8_t w[] = {1, 1, 1};
    static const int32_t ten[] = {10};
    struct { const char *profile; model_accumulator a; int want; uint64_t wraps, saturations; int64_t most; } cases[] = {
        {"tflm", {8, MODEL_WRAP}, 110, 0, 0, 110},         {"tflm", {8, MODEL_SATURATE}, 37, 0, 1, 200},
        {"cmsis-nn", {8, MODEL_SATURATE}, 27, 0, 1, 210},  {"tflm", {32, MODEL_SATURATE}, 110, 0, 0, 200},
        {"tflm", {64, MODEL_SATURATE}, 110, 0, 0, 110} /* 32 bits are requantized: the sum is exact */};
    for (const auto &c : cases) {
        One g(MODEL_FULLY_CONNECTED);
        g.op.accumulator = c.a;
        g.in(g.tensor(MODEL_I8, {1, 3}, 1, 0));
        g.in(g.tensor(MODEL_I8, {1, 3}, 1, 0, w));
        g.in(g.tensor(MODEL_I32, {1}, 0, 0, ten));
        g.out(g.tensor(MODEL_I8, {1, 1}, 1, 0));
        err e = {};
        ASSERT_OK(g.prepare(&e, c.profile), e);
        g.set<int8_t>(0, {100, 100, -100});
        g.run();
        EXPECT_EQ(c.want, g.result<int8_t>()[0]) << c.profile << " " << c.a.bits;
        EXPECT_EQ(c.wraps, g.ev.wraps);
        EXPECT_EQ(c.saturations, g.ev.saturations);
        EXPECT_EQ(c.most, g.ev.acc_max);
    }
}

// 32 bits that saturate and never do: product by product the layer must be what it is by its fast sums. Libraries with readings of their
// own: CMSIS-NN's nibbles (odd channels, 4 bits), CMix-NN's rotated weights and padding with code 0.
TEST(Accumulator, ProductByProductEqualsTheFastSums)
{
    int8_t narrow[3 * 3 * 6];
    uint8_t packed[3 * 3 * 4];
    for (int i = 0; i < 54; i++) narrow[i] = (int8_t)(i * 5 % 16 - 8);
    for (int i = 0; i < 36; i++) packed[i] = (uint8_t)(i * 7 % 16);
    static const int32_t multiplier[] = {1 << 30}, zero[] = {3}, high[] = {15}, low[] = {0};
    static const int8_t shift[] = {-5};
    model_integer stated = {};
    stated.n_entries = stated.n_channels = 1;
    stated.multiplier = multiplier;
    stated.shift = shift;
    stated.in_zero = zero;
    stated.out_min = low;
    stated.out_max = high;
    for (const char *profile : {"cmsis-nn", "cmix-nn"}) {
        bool cmix = std::string(profile) == "cmix-nn";
        std::vector<std::vector<int32_t>> answers;
        for (int bits : {0, 32}) {
            One g(MODEL_DEPTHWISE_CONV_2D);
            int c = cmix ? 4 : 3, k = cmix ? 1 : 2;
            g.op.attrs.padding = MODEL_SAME;
            g.op.attrs.depth_multiplier = k;
            g.op.accumulator = {bits, MODEL_SATURATE};
            g.op.integer = cmix ? &stated : nullptr;
            g.in(g.tensor(cmix ? MODEL_U8 : MODEL_I8, {1, 4, 3, c}, cmix ? 0 : 1, cmix ? 0 : 2));
            g.in(g.tensor(cmix ? MODEL_U8 : MODEL_I8, {1, 3, 3, c * k}, cmix ? 0 : 1, 0, cmix ? (const void *)packed : narrow));
            g.tensors[1].bits = 4;
            g.out(g.tensor(cmix ? MODEL_U8 : MODEL_I8, {1, 4, 3, c * k}, cmix ? 0 : 9, 0));
            err e = {};
            emu_overflow o = {};
            ASSERT_OK(g.prepare(&e, profile), e);
            for (int i = 0; i < 12 * c; i++) ((uint8_t *)emu_tensor_data(g.session, 0))[i] = (uint8_t)(i * 11 % 16);
            g.run();
            std::vector<int8_t> y = g.result<int8_t>();
            answers.emplace_back(y.begin(), y.end());
            EXPECT_EQ(0u, g.ev.saturations);
            ASSERT_OK(emu_overflow_prove(g.session, 0, g.mem, &o, &e), e);
            EXPECT_OK(emu_overflow_confirm(g.session, 0, &o, g.mem, &e), e); // both bounds are reached
        }
        EXPECT_EQ(answers[0], answers[1]) << profile;
    }
}

TEST(Accumulator, OtherWidthsAndOtherOperatorsAreRefused)
{
    for (int bits : {-1, 1, 7, 33, 63, 65}) {
        One g(MODEL_FULLY_CONNECTED);
        g.op.accumulator = {bits, MODEL_WRAP};
        g.in(g.tensor(MODEL_I8, {1, 1}, 1, 0));
        g.in(g.tensor(MODEL_I8, {1, 1}, 1, 0, ones));
        g.out(g.tensor(MODEL_I8, {1, 1}, 1, 0));
        err e = {};
        EXPECT_EQ(ST_FORMAT, g.prepare(&e)) << bits;
    }
    One g(MODEL_RESHAPE);
    g.op.accumulator = {16, MODEL_WRAP};
    g.in(g.tensor(MODEL_I8, {1, 1}, 1, 0));
    g.out(g.tensor(MODEL_I8, {1, 1}, 1, 0));
    err e = {};
    EXPECT_EQ(ST_UNSUPPORTED, g.prepare(&e));
}

TEST(Overflow, A64BitBiasCanLeave64Bits)
{
    static const int8_t w[] = {2, -1};
    static const int64_t big[] = {INT64_MAX - 5};
    One g(MODEL_FULLY_CONNECTED);
    g.in(g.tensor(MODEL_I16, {1, 2}, 1, 0));
    g.in(g.tensor(MODEL_I8, {1, 2}, 1, 0, w));
    g.in(g.tensor(MODEL_I64, {1}, 0, 0, big));
    g.out(g.tensor(MODEL_I16, {1, 1}, 1, 0));
    err e = {};
    emu_overflow o = {};
    ASSERT_OK(g.prepare(&e), e);
    ASSERT_OK(emu_overflow_prove(g.session, 0, g.mem, &o, &e), e);
    EXPECT_EQ(64, o.accumulator.bits);
    EXPECT_EQ(65, o.bits_needed);
    EXPECT_EQ(EMU_OVERFLOWS, o.verdict);
    EXPECT_OK(emu_overflow_confirm(g.session, 0, &o, g.mem, &e), e);
}

TEST(Overflow, TheZeroPointShiftsTheBound)
{
    static const int8_t w[] = {1, 2, 3, 4};
    One g(MODEL_CONV_2D); // 2x2 over 2x2 int8 of zero point -128: 0 .. 255 a tap, 10 taps' worth
    g.in(g.tensor(MODEL_I8, {1, 2, 2, 1}, 1, -128));
    g.in(g.tensor(MODEL_I8, {1, 2, 2, 1}, 1, 0, w));
    g.in(g.tensor(MODEL_I32, {1}, 0, 0, bias));
    g.out(g.tensor(MODEL_I8, {1, 1, 1, 1}, 1, 0));
    err e = {};
    emu_overflow o = {};
    ASSERT_OK(g.prepare(&e), e);
    ASSERT_OK(emu_overflow_prove(g.session, 0, g.mem, &o, &e), e);
    EXPECT_EQ(10, o.low.value);
    EXPECT_EQ(2560, o.high.value);
    EXPECT_EQ(13, o.bits_needed);
    EXPECT_EQ(EMU_CANNOT_OVERFLOW, o.verdict);
    EXPECT_OK(emu_overflow_confirm(g.session, 0, &o, g.mem, &e), e);
}

TEST(Float, LayersKeepTheReferenceOrder)
{
    static const float w[] = {0.5f, -1, 2, 0.25f}, b[] = {1};
    One g(MODEL_CONV_2D); // 2x2 window: 0.5 x0 - x1 + 2 x2 + 0.25 x3 + 1
    g.in(g.tensor(MODEL_F32, {1, 2, 2, 1}, 0, 0));
    g.in(g.tensor(MODEL_F32, {1, 2, 2, 1}, 0, 0, w));
    g.in(g.tensor(MODEL_F32, {1}, 0, 0, b));
    g.out(g.tensor(MODEL_F32, {1, 1, 1, 1}, 0, 0));
    err e = {};
    ASSERT_OK(g.prepare(&e), e);
    g.set<float>(0, {2, 3, 4, 8});
    g.run();
    EXPECT_EQ(9.0f, g.result<float>()[0]);
    One d(MODEL_DEPTHWISE_CONV_2D); // two channels, 1x1, weights 0.5 and -1; relu
    d.op.attrs.depth_multiplier = 1;
    d.op.attrs.activation = MODEL_RELU;
    d.in(d.tensor(MODEL_F32, {1, 1, 2, 2}, 0, 0));
    d.in(d.tensor(MODEL_F32, {1, 1, 1, 2}, 0, 0, w));
    d.out(d.tensor(MODEL_F32, {1, 1, 2, 2}, 0, 0));
    ASSERT_OK(d.prepare(&e), e);
    d.set<float>(0, {2, 3, -4, -5});
    d.run();
    EXPECT_EQ((std::vector<float>{1, 0, 0, 5}), d.result<float>());
    One f(MODEL_FULLY_CONNECTED);
    f.in(f.tensor(MODEL_F32, {1, 2}, 0, 0));
    f.in(f.tensor(MODEL_F32, {2, 2}, 0, 0, w));
    f.out(f.tensor(MODEL_F32, {1, 2}, 0, 0));
    ASSERT_OK(f.prepare(&e), e);
    f.set<float>(0, {4, 1});
    f.run();
    EXPECT_EQ((std::vector<float>{1, 8.25f}), f.result<float>());
}

TEST(FullyConnected, TheTwoEnginesRoundDifferently)
{
    // acc = 5, scale 1/4: 1.25. TFLM rounds twice (2.5 -> 3, 1.5 -> 2); LiteRT's reference rounds once (1).
    for (const char *profile : {"tflm", "litert-ref"}) {
        One g(MODEL_FULLY_CONNECTED);
        g.in(g.tensor(MODEL_I8, {1, 1}, 1, 0));
        g.in(g.tensor(MODEL_I8, {1, 1}, 1, 0, ones));
        g.out(g.tensor(MODEL_I8, {1, 1}, 4, 0));
        err e = {};
        ASSERT_OK(g.prepare(&e, profile), e);
        g.set<int8_t>(0, {5});
        g.run();
        EXPECT_EQ(std::string(profile) == "tflm" ? 2 : 1, g.result<int8_t>()[0]) << profile;
    }
}

TEST(Quantize, WhatLiteRTsVectorsLeaveOverRoundsAsTheReference)
{
    // -2 at 1/4 is -1/2: the reference makes it -1 (ties away), vectors of 16 codes 0 (half up), and so does XNNPACK in 2^-8.
    for (const char *profile : {"tflm", "litert-ref", "ruy", "xnnpack"}) {
        One g(MODEL_QUANTIZE);
        g.in(g.tensor(MODEL_I8, {1, 17}, 1, 0));
        g.out(g.tensor(MODEL_I8, {1, 17}, 4, 0));
        err e = {};
        ASSERT_OK(g.prepare(&e, profile), e);
        g.set<int8_t>(0, {-2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2});
        g.run();
        std::string p = profile;
        EXPECT_EQ(p == "ruy" || p == "xnnpack" ? 0 : -1, g.result<int8_t>()[0]) << profile;
        EXPECT_EQ(p == "xnnpack" ? 0 : -1, g.result<int8_t>()[16]) << profile;
    }
}

TEST(LeakyRelu, XnnpackCountsIn256ths)
{
    // Equal scales, alpha 1/4: -2 is -1/2. XNNPACK: (-2 64 + 128) >> 8 = 0; the built-in kernel: -1 (ties away).
    for (const char *profile : {"ruy", "xnnpack"}) {
        One g(MODEL_LEAKY_RELU);
        g.op.attrs.alpha = 0.25f;
        g.in(g.tensor(MODEL_I8, {1, 3}, 1, 0));
        g.out(g.tensor(MODEL_I8, {1, 3}, 1, 0));
        err e = {};
        ASSERT_OK(g.prepare(&e, profile), e);
        g.set<int8_t>(0, {-2, -4, 7});
        g.run();
        EXPECT_EQ((std::vector<int8_t>{(int8_t)(std::string(profile) == "xnnpack" ? 0 : -1), -1, 7}), g.result<int8_t>()) << profile;
    }
}

TEST(Add, LiteRTsVectorsCutTo16Bits)
{
    // Sums in steps of 1/256, cut to 16 bits before they saturate to 8: 100 + 100 are 51200, cut -14336; 75 + 75 are 38400, cut -27136.
    One g(MODEL_ADD);
    g.in(g.tensor(MODEL_I8, {1, 17}, 1, 0));
    g.in(g.tensor(MODEL_I8, {1, 17}, 1, 0));
    g.out(g.tensor(MODEL_I8, {1, 17}, 1.0f / 256, 0));
    err e = {};
    ASSERT_OK(g.prepare(&e, "ruy"), e);
    for (int t : {0, 1}) g.set<int8_t>(t, {100, 75, -75, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 75});
    g.run();
    auto y = g.result<int8_t>();
    EXPECT_EQ(-128, y[0]);
    EXPECT_EQ(-128, y[1]);
    EXPECT_EQ(127, y[2]);
    EXPECT_EQ(127, y[3]);
    EXPECT_EQ(127, y[16]); // left over: no vector
}

TEST(ArgMax, ComparesFloats)
{
    static const int32_t axis[] = {-1};
    One g(MODEL_ARG_MAX);
    g.in(g.tensor(MODEL_F32, {1, 3}, 0, 0));
    g.in(g.tensor(MODEL_I32, {1}, 0, 0, axis));
    g.out(g.tensor(MODEL_I32, {1}, 0, 0));
    err e = {};
    ASSERT_OK(g.prepare(&e), e);
    g.set<float>(0, {-1.5f, -1.25f, -1.25f});
    g.run();
    EXPECT_EQ(1, g.result<int32_t>()[0]);
}

TEST(AveragePool, RoundsHalfAwayFromZero)
{
    One g(MODEL_AVERAGE_POOL_2D);
    g.op.attrs.filter_h = 1;
    g.op.attrs.filter_w = g.op.attrs.stride_w = 2;
    g.in(g.tensor(MODEL_I8, {1, 1, 6, 1}, 1, 0));
    g.out(g.tensor(MODEL_I8, {1, 1, 3, 1}, 1, 0));
    err e = {};
    ASSERT_OK(g.prepare(&e), e);
    g.set<int8_t>(0, {1, 2, -1, -2, 0, -3});
    g.run();
    EXPECT_EQ((std::vector<int8_t>{2, -2, -2}), g.result<int8_t>());
}

TEST(AveragePool, TvmCutsTheSumOfCodes)
{
    One g(MODEL_AVERAGE_POOL_2D); // 1.5, -1.5, -1.5 of the codes, whatever the zero point
    g.op.attrs.filter_h = 1;
    g.op.attrs.filter_w = g.op.attrs.stride_w = 2;
    g.in(g.tensor(MODEL_I8, {1, 1, 6, 1}, 1, -7));
    g.out(g.tensor(MODEL_I8, {1, 1, 3, 1}, 1, -7));
    err e = {};
    ASSERT_OK(g.prepare(&e, "microtvm-native"), e);
    g.set<int8_t>(0, {1, 2, -1, -2, 0, -3});
    g.run();
    EXPECT_EQ((std::vector<int8_t>{1, -1, -1}), g.result<int8_t>());
}

// One product times 0.1f 0.9f / 0.9f (x 5) or 0.1f 0.07f / 0.11f (x 55). Exact: 0.50000000745 and 3.50000009. With the product in float32:
// 0.49999999172 and 3.50000013. With the quotient in float32 too: 0.50000000745 and 3.49999994.
TEST(Conv, ScalesInFloatMoveTies)
{
    struct { const char *profile; int8_t want[2]; } rows[] = {{"tflite-single-round", {1, 4}}, {"microtvm-native", {0, 4}}, {"x-cube-ai", {1, 3}}, {"plumerai", {1, 3}}};
    static const float scales[2][3] = {{0.1f, 0.9f, 0.9f}, {0.1f, 0.07f, 0.11f}};
    for (const auto &row : rows) {
        for (int i = 0; i < 2; i++) {
            One g(MODEL_CONV_2D);
            g.in(g.tensor(MODEL_I8, {1, 1, 1, 1}, scales[i][0], 0));
            g.in(g.tensor(MODEL_I8, {1, 1, 1, 1}, scales[i][1], 0, ones));
            g.out(g.tensor(MODEL_I8, {1, 1, 1, 1}, scales[i][2], 0));
            err e = {};
            ASSERT_OK(g.prepare(&e, row.profile), e);
            g.set<int8_t>(0, {static_cast<int8_t>(i ? 55 : 5)});
            g.run();
            EXPECT_EQ(row.want[i], g.result<int8_t>()[0]) << row.profile << ' ' << i;
        }
    }
}

// 5 times 0.1f 0.13f / 0.01f: 6.5000000037 in double, 6.49999976 in float32 throughout; both roundings of TFLM follow.
TEST(Conv, TflmOnRxHasNoDouble)
{
    for (const char *profile : {"tflm", "tflm-rx"}) {
        One g(MODEL_CONV_2D);
        g.in(g.tensor(MODEL_I8, {1, 1, 1, 1}, 0.1f, 0));
        g.in(g.tensor(MODEL_I8, {1, 1, 1, 1}, 0.13f, 0, ones));
        g.out(g.tensor(MODEL_I8, {1, 1, 1, 1}, 0.01f, 0));
        err e = {};
        ASSERT_OK(g.prepare(&e, profile), e);
        g.set<int8_t>(0, {5});
        g.run();
        EXPECT_EQ(std::string(profile) == "tflm" ? 7 : 6, g.result<int8_t>()[0]) << profile;
    }
}

// (x - 3 + y) / so. so = 2: sums 1 and -1 are exact, but apart 0.5 + 0.5 and -0.5 - 0.5 go half up, each. so = 6: 0.5 and -1.5; the 31-bit
// multiplier of 1/6 lies below it (0, -1), the 16-bit one above: m = 10923, c = -32768, (65538 - 32768 + 32768) >> 16 = 1 and
// (32769 - 98307 - 32768 + 32768) >> 16 = -2.
TEST(Add, PublishedStacksHaveTheirOwn)
{
    struct { const char *profile; float so; std::vector<int8_t> x, y, want; } rows[] = {
        {"x-cube-ai", 2, {4, 2}, {1, -1}, {1, -1}}, {"microtvm-native", 2, {4, 2}, {1, -1}, {2, 0}}, {"plumerai", 2, {4, 2}, {1, -1}, {1, -1}},
        {"x-cube-ai", 6, {6, 3}, {0, -9}, {0, -1}}, {"plumerai", 6, {6, 3}, {0, -9}, {1, -2}},
    };
    for (const auto &row : rows) {
        One g(MODEL_ADD);
        g.in(g.tensor(MODEL_I8, {2}, 1, 3));
        g.in(g.tensor(MODEL_I8, {2}, 1, 0));
        g.out(g.tensor(MODEL_I8, {2}, row.so, 0));
        err e = {};
        ASSERT_OK(g.prepare(&e, row.profile), e);
        g.set<int8_t>(0, {row.x[0], row.x[1]});
        g.set<int8_t>(1, {row.y[0], row.y[1]});
        g.run();
        EXPECT_EQ(row.want, g.result<int8_t>()) << row.profile << ' ' << row.so;
    }
}

TEST(Add, BroadcastsAndRescales)
{
    One g(MODEL_ADD); // 0.5 x + 1 y, output scale 0.5: 2 * (0.5 x + y) = x + 2 y
    g.in(g.tensor(MODEL_I8, {2, 2}, 0.5f, 0));
    static const int8_t y[] = {3, -4};
    g.in(g.tensor(MODEL_I8, {2}, 1, 0, y));
    g.out(g.tensor(MODEL_I8, {2, 2}, 0.5f, 0));
    err e = {};
    ASSERT_OK(g.prepare(&e), e);
    g.set<int8_t>(0, {1, 2, 3, 125});
    g.run();
    EXPECT_EQ((std::vector<int8_t>{7, -6, 9, 117}), g.result<int8_t>());
}

TEST(ArgMax, TakesTheFirstOfEquals)
{
    One g(MODEL_ARG_MAX);
    static const int32_t axis[] = {1};
    g.in(g.tensor(MODEL_I32, {2, 3}, 0, 0));
    g.in(g.tensor(MODEL_I32, {1}, 0, 0, axis));
    g.out(g.tensor(MODEL_I32, {2}, 0, 0));
    err e = {};
    ASSERT_OK(g.prepare(&e), e);
    g.set<int32_t>(0, {5, 7, 7, -1, -2, -1});
    g.run();
    EXPECT_EQ((std::vector<int32_t>{1, 0}), g.result<int32_t>());
}

TEST(Softmax, EqualInputsShareEqually)
{
    One g(MODEL_SOFTMAX);
    g.op.attrs.beta = 1;
    g.in(g.tensor(MODEL_I8, {1, 4}, 0.1f, 0));
    g.out(g.tensor(MODEL_I8, {1, 4}, 1.0f / 256, -128));
    err e = {};
    ASSERT_OK(g.prepare(&e), e);
    g.set<int8_t>(0, {9, 9, 9, 9});
    g.run();
    EXPECT_EQ((std::vector<int8_t>{-64, -64, -64, -64}), g.result<int8_t>());
}

TEST(Check, EveryBrokenRuleIsNamedWithItsOperator)
{
    One g(MODEL_CONV_2D);
    g.in(g.tensor(MODEL_I8, {1, 2, 3, 1}, 1, 0));
    g.in(g.tensor(MODEL_I8, {1, 2, 2, 1}, 1, 0, ones));
    g.out(g.tensor(MODEL_I8, {1, 2, 2, 1}, 1, 0)); // VALID gives 1x2
    err e = {};
    EXPECT_EQ(ST_FORMAT, g.prepare(&e));
    EXPECT_NE(std::string::npos, shim::text(e).find("op 0 CONV_2D"));
    One h(MODEL_CONV_2D);
    h.in(h.tensor(MODEL_I8, {1, 1, 1, 1}, 0, 0)); // no scale
    h.in(h.tensor(MODEL_I8, {1, 1, 1, 1}, 1, 0, ones));
    h.out(h.tensor(MODEL_I8, {1, 1, 1, 1}, 1, 0));
    e = {};
    EXPECT_EQ(ST_FORMAT, h.prepare(&e));
    EXPECT_NE(std::string::npos, shim::text(e).find("no scale"));
}

TEST(FixedPoint, KnownValues)
{
    EXPECT_EQ(INT32_MAX, quant_exp_negative(0, 5));
    EXPECT_NEAR(0.36787944 * 2147483648.0, quant_exp_negative(-(1 << 26), 5), 512); // e^-1, the approximation is good to 2^-22
    EXPECT_NEAR(0.5 * 2147483648.0, quant_one_over_one_plus(INT32_MAX), 8);
    EXPECT_EQ(1 << 30, quant_logistic(0, 4));
    EXPECT_EQ(-quant_tanh(12345678, 4), quant_tanh(-12345678, 4));
}

// Stated integers. Multiplier 2^30 with shift 1 is 1, with shift 0 a half: half of 5 rounds to 3, of -5 to -2 in the high multiply
// (half up: floor(-2.5 + 0.5)).
TEST(Stated, QuantizeScalesShiftsAndClamps)
{
    One g(MODEL_QUANTIZE);
    const int32_t m[] = {1 << 30}, in_zero[] = {10}, out_zero[] = {1}, low[] = {0}, high[] = {3};
    const int8_t s[] = {0};
    model_integer t = {};
    t.n_entries = t.n_channels = 1;
    t.multiplier = m;
    t.shift = s;
    t.in_zero = in_zero;
    t.out_zero = out_zero;
    t.out_min = low;
    t.out_max = high;
    g.op.integer = &t;
    g.in(g.tensor(MODEL_U8, {1, 5}, 0, 0));
    g.out(g.tensor(MODEL_U8, {1, 5}, 0, 0));
    err e = {};
    ASSERT_OK(g.prepare(&e), e);
    g.set<uint8_t>(0, {0, 8, 10, 11, 15}); // -10 -> -5 + 1 clamps; -2 -> 0; 0 -> 1; 1 -> 1 + 1; 5 -> 3 + 1 clamps
    g.run();
    EXPECT_EQ((std::vector<uint8_t>{0, 0, 1, 2, 3}), g.result<uint8_t>());
    EXPECT_EQ(2u, g.ev.clamps);
}

TEST(Stated, AddBringsEachOperandToTheOutput)
{
    One g(MODEL_ADD); // x1 as it is, half of x2, of different types
    const int32_t m[] = {1 << 30, 1 << 30}, low[] = {0}, high[] = {255};
    const int8_t s[] = {1, 0};
    model_integer t = {};
    t.n_entries = 1;
    t.n_channels = 2;
    t.multiplier = m;
    t.shift = s;
    t.out_min = low;
    t.out_max = high;
    g.op.integer = &t;
    g.in(g.tensor(MODEL_I16, {1, 4}, 0, 0));
    g.in(g.tensor(MODEL_U8, {1, 4}, 0, 0));
    g.out(g.tensor(MODEL_U8, {1, 4}, 0, 0));
    err e = {};
    ASSERT_OK(g.prepare(&e), e);
    g.set<int16_t>(0, {-300, 100, 250, -3});
    g.set<uint8_t>(1, {200, 5, 255, 7});
    g.run();
    EXPECT_EQ((std::vector<uint8_t>{0, 103, 255, 1}), g.result<uint8_t>());
    EXPECT_EQ(2u, g.ev.clamps);
}

TEST(Stated, TablesThatDoNotFitAreRefused)
{
    const int32_t m[] = {1, 1};
    const int8_t s[] = {0, 0};
    model_integer t = {};
    t.n_entries = 1;
    t.n_channels = 1;
    t.multiplier = m;
    t.shift = s;
    for (model_opcode code : {MODEL_ADD, MODEL_MUL}) { // one multiplier for two operands; two for a product
        One g(code);
        g.op.integer = &t;
        t.n_channels = code == MODEL_ADD ? 1 : 2;
        g.in(g.tensor(MODEL_I8, {1, 4}, 0, 0));
        g.in(g.tensor(MODEL_I8, {1, 4}, 0, 0));
        g.out(g.tensor(MODEL_I8, {1, 4}, 0, 0));
        err e = {};
        EXPECT_EQ(ST_FORMAT, g.prepare(&e));
    }
}

// PULP-NN's depthwise columns (emu/ref/pulp.c): rows 1 2 3 4 and 5 6 7 8, a window of five ones, padding 1 on both sides. Column 0 drops its
// first tap; column 1 is a middle one (there is always one) and reads on into the next row, which ends behind the image.
TEST(Pulp, MiddleColumnRunsIntoTheNextRow)
{
    const int8_t five[] = {1, 1, 1, 1, 1};
    const int32_t low[] = {0}, high[] = {255};
    const int8_t s[] = {0};
    model_integer t = {};
    t.n_entries = t.n_channels = 1;
    t.shift = s;
    t.out_min = low;
    t.out_max = high;
    One g(MODEL_DEPTHWISE_CONV_2D);
    g.op.integer = &t;
    g.op.attrs.depth_multiplier = 1;
    g.op.attrs.padding = MODEL_EXPLICIT;
    g.op.attrs.pad_left = g.op.attrs.pad_right = 1;
    g.in(g.tensor(MODEL_U8, {1, 2, 4, 1}, 0, 0));
    g.in(g.tensor(MODEL_I8, {1, 1, 5, 1}, 0, 0, five));
    g.out(g.tensor(MODEL_U8, {1, 2, 2, 1}, 0, 0));
    err e = {};
    ASSERT_OK(g.prepare(&e, "pulp-nn"), e);
    g.set<uint8_t>(0, {1, 2, 3, 4, 5, 6, 7, 8});
    g.run();
    EXPECT_EQ((std::vector<uint8_t>{10, 1 + 2 + 3 + 4 + 5, 26, 5 + 6 + 7 + 8 + 0}), g.result<uint8_t>());
}

// A multiplier stated for another library, m 2^(s-31), becomes kappa >> d if the product fits 32 bits: 3 2^29 2^(-3-31) = 3 / 2^5, floor(3 x 127 / 32) = 11.
// 2^30 + 1 needs 31 bits beside a sum of 8 (weight 1, input up to 255) and a sign. Made for PULP-NN the same integers are kappa and d themselves.
TEST(Pulp, MultipliersOfOtherLibrariesAreConvertedOrRefused)
{
    const int8_t one[] = {1};
    struct Case { int32_t m; int8_t s; const char *made_for, *refused; uint8_t result; };
    for (const Case &c : {Case{3 << 29, -3, "tflm", nullptr, 11}, Case{3 << 29, -3, nullptr, nullptr, 11}, Case{3, -5, "pulp-nn", nullptr, 11},
                          Case{(1 << 30) + 1, -3, "tflm", "takes 40 bits, 8 more than the 32", 0}, Case{1 << 30, -31, "tflm", "shifts by 31 at most", 0}}) {
        model_integer t = {};
        t.n_entries = t.n_channels = 1;
        t.multiplier = &c.m;
        t.shift = &c.s;
        One g(MODEL_FULLY_CONNECTED);
        g.op.integer = &t;
        g.graph.profile = c.made_for;
        g.in(g.tensor(MODEL_U8, {1, 1}, 0, 0));
        g.in(g.tensor(MODEL_I8, {1, 1}, 0, 0, one));
        g.out(g.tensor(MODEL_U8, {1, 1}, 0, 0));
        err e = {};
        ASSERT_EQ(c.refused ? ST_UNSUPPORTED : ST_OK, g.prepare(&e, "pulp-nn")) << e.msg;
        if (c.refused) {
            EXPECT_NE(nullptr, strstr(e.msg, c.refused)) << e.msg;
            continue;
        }
        g.set<uint8_t>(0, {127});
        g.run();
        EXPECT_EQ(std::vector<uint8_t>{c.result}, g.result<uint8_t>()) << c.m;
    }
}

// Window 2x2 with padding on the right and below: 1 2 / 3 4, corner 4 alone. TFLite divides by the taps inside, rounding; PULP-NN by 4, cutting.
TEST(Pool, PulpDividesByTheWholeWindow)
{
    for (const char *profile : {"tflm", "pulp-nn"}) {
        One g(MODEL_AVERAGE_POOL_2D);
        g.op.attrs.filter_h = g.op.attrs.filter_w = 2;
        g.op.attrs.padding = MODEL_SAME;
        g.in(g.tensor(MODEL_U8, {1, 2, 2, 1}, 1, 0));
        g.out(g.tensor(MODEL_U8, {1, 2, 2, 1}, 1, 0));
        err e = {};
        ASSERT_OK(g.prepare(&e, profile), e);
        g.set<uint8_t>(0, {1, 2, 3, 4});
        g.run();
        EXPECT_EQ(std::string(profile) == "tflm" ? (std::vector<uint8_t>{3, 3, 4, 4}) : (std::vector<uint8_t>{2, 1, 1, 1}), g.result<uint8_t>()) << profile;
    }
}

} // namespace
