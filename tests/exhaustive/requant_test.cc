// SPDX-License-Identifier: Apache-2.0
// Do the requantizations equal exact division, for every 16-bit accumulator and many multipliers and shifts?
#include "tests/oracle/oracle.h"
#include "tests/shim.hh"

extern "C" {
#include "quant/requant.h"
}

#include <random>

namespace {

const int32_t multipliers[] = {1 << 30, 2147483647, 1073741825, 1518500250, 1234567890, 2090748622, 1094465471};

template <typename Ours, typename Theirs>
void every16(int low, int high, Ours ours, Theirs theirs)
{
    long cases = 0;
    for (int s = low; s <= high; s++)
        for (int32_t m : multipliers)
            for (int32_t acc = -32768; acc <= 32767; acc++, cases++)
                ASSERT_EQ((int64_t)theirs(acc, m, s), (int64_t)ours(acc, m, s)) << "acc " << acc << " m " << m << " s " << s;
    std::printf("%ld cases\n", cases);
}

TEST(Requant, TwiceEvery16BitAccumulator) { every16(-15, 4, quant_requant_twice, oracle::requant_twice); }
TEST(Requant, OnceEvery16BitAccumulator) { every16(-15, 4, quant_requant_once, oracle::requant_once); }
TEST(Requant, WideEvery16BitAccumulator) { every16(-15, 4, quant_requant_wide, oracle::requant_wide); }

TEST(Requant, WideHalvedEvery16BitAccumulator) { every16(-15, 4, quant_requant_wide_halved, oracle::requant_wide_halved); }
TEST(Requant, UpEvery16BitAccumulator) { every16(-15, 4, quant_requant_up, oracle::requant_up); }
TEST(Requant, FloorEvery16BitAccumulator) { every16(-15, 15, quant_requant_floor, oracle::requant_floor); }
TEST(Requant, MveEvery16BitAccumulator)
{
    every16(-15, 4, quant_requant_mve, [](int32_t a, int32_t m, int s) { return oracle::requant_mve(a, m, s, false); });
    every16(-15, 4, quant_requant_mve_predicated, [](int32_t a, int32_t m, int s) { return oracle::requant_mve(a, m, s, true); });
}

TEST(Requant, AnyAccumulatorMultiplierAndShift)
{
    std::mt19937_64 rng(shim::seed());
    for (int i = 0; i < 2000000; i++) {
        int32_t acc = (int32_t)rng(), m = (int32_t)(rng() >> 33);
        int s = (int)(rng() % 62) - 31;
        ASSERT_EQ((int64_t)oracle::requant_twice(acc, m, s), quant_requant_twice(acc, m, s)) << acc << " " << m << " " << s;
        ASSERT_EQ((int64_t)oracle::requant_up(acc, m, s), quant_requant_up(acc, m, s)) << acc << " " << m << " " << s;
        ASSERT_EQ((int64_t)oracle::requant_mve(acc, m, s, false), quant_requant_mve(acc, m, s)) << acc << " " << m << " " << s;
        ASSERT_EQ((int64_t)oracle::requant_mve(acc, m, s, true), quant_requant_mve_predicated(acc, m, s)) << acc << " " << m << " " << s;
        ASSERT_EQ((int64_t)oracle::requant_floor(acc, -m, s), quant_requant_floor(acc, -m, s)) << acc << " " << -m << " " << s;
        int64_t acc64 = (int64_t)rng() >> 17;
        int s64 = (int)(rng() % 39) - 31;
        ASSERT_EQ((int64_t)oracle::requant_wide(acc64, m, s64), quant_requant_wide(acc64, m, s64)) << acc64 << " " << m << " " << s64;
        ASSERT_EQ((int64_t)oracle::requant_wide_halved(acc64, m, s64), quant_requant_wide_halved(acc64, m, s64)) << acc64 << " " << m << " " << s64;
    }
}

TEST(Requant, KnownDisagreementOfTheTwoRoundings)
{
    EXPECT_EQ(2, quant_requant_twice(5, 1 << 30, -1)); // 1.25: twice rounds 2.5 to 3, 1.5 to 2
    EXPECT_EQ(1, quant_requant_once(5, 1 << 30, -1));
    EXPECT_EQ(-6, quant_requant_twice(-11, 2090748622, -1));
    EXPECT_EQ(-5, quant_requant_once(-11, 2090748622, -1));
}

} // namespace
