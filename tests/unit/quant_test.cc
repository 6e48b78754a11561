// SPDX-License-Identifier: Apache-2.0
// Do the rules of quant/ give the numbers that TensorFlow Lite Micro's and gemmlowp's own code gave?
#include "tests/recorded.hh"

extern "C" {
#include "quant/fixedpoint.h"
#include "quant/fixedpoint16.h"
#include "quant/multiplier.h"
#include "quant/pack.h"
#include "quant/requant.h"
}

namespace {

using shim::Recorded;

// Every (accumulator, multiplier, shift) of a recording.
template <typename Acc, typename F>
void requantizations(const char *name, F ours)
{
    Recorded r(name);
    size_t n = 0;
    for (size_t i = 0; i < r.size(); i++) {
        Recorded::Case c = r.at(i);
        auto acc = c.get<Acc>("acc");
        auto m = c.get<int32_t>("mult"), s = c.get<int32_t>("shift"), want = c.get<int32_t>("output");
        for (size_t k = 0; k < acc.size(); k++, n++)
            ASSERT_EQ(want[k], ours(acc[k], m[k], s[k])) << name << ": acc " << acc[k] << " m " << m[k] << " s " << s[k];
    }
    EXPECT_GT(n, 1000u);
    std::printf("%s: %zu\n", name, n);
}

TEST(Quant, RequantizesAsTflm)
{
    NEEDS_SHARED();
    requantizations<int32_t>("tflm_ref__requantize__i32", quant_requant_twice);
    requantizations<int32_t>("tflm_ref_single__requantize__i32", quant_requant_once);
    requantizations<int64_t>("tflm_ref__requantize__i64", quant_requant_wide);
    requantizations<int64_t>("tflm_ref_single__requantize__i64", quant_requant_wide);
}

TEST(Quant, TurnsScalesIntoMultipliersAsTflm)
{
    NEEDS_SHARED();
    Recorded r("tflm_ref__quantize_multiplier__f64");
    auto scale = r.at(0).get<double>("scale");
    auto want_m = r.at(0).get<int32_t>("mult"), want_s = r.at(0).get<int32_t>("shift");
    for (size_t i = 0; i < scale.size(); i++) {
        int32_t m;
        int s;
        quant_multiplier(scale[i], &m, &s);
        ASSERT_EQ(want_m[i], m) << scale[i];
        ASSERT_EQ(want_s[i], s) << scale[i];
    }
}

template <typename F>
void function(const char *name, F ours)
{
    Recorded r(name);
    auto x = r.at(0).get<int32_t>("input"), want = r.at(0).get<int32_t>("output");
    EXPECT_GT(x.size(), 1000u);
    for (size_t i = 0; i < x.size(); i++) ASSERT_EQ(want[i], ours(x[i])) << name << "(" << x[i] << ")";
}

TEST(Quant, FixedPointFunctionsAreGemmlowps)
{
    NEEDS_SHARED();
    function("gemmlowp__exp_on_negative_q5__i32", [](int32_t x) { return quant_exp_negative(x, 5); });
    function("gemmlowp__one_over_one_plus_x__i32", quant_one_over_one_plus);
    function("gemmlowp__logistic_q4__i32", [](int32_t x) { return quant_logistic(x, 4); });
    function("gemmlowp__tanh_q4__i32", [](int32_t x) { return quant_tanh(x, 4); });
}

TEST(Quant, SixteenBitLogisticAndTanhAreTflms)
{
    NEEDS_SHARED();
    uint16_t table[256];
    quant_sigmoid_table(table);
    Recorded r("tflm_ref__sigmoid_tanh__a16");
    for (size_t i = 0; i < r.size(); i++) {
        Recorded::Case c = r.at(i);
        auto x = c.get<int16_t>("input"), want = c.get<int16_t>("output");
        auto ours = c.text("func") == "tanh" ? quant_tanh_lut : quant_logistic_lut;
        for (size_t k = 0; k < x.size(); k++)
            ASSERT_EQ(want[k], ours(x[k], c.integer("input_mult"), c.integer("input_rshift"), table)) << c.text("func") << " case " << i << " x " << x[k];
    }
}

TEST(Quant, MultiplierOfRoundScales)
{
    int32_t m;
    int s;
    quant_multiplier(0.5, &m, &s); // 0.5 = 2^30 2^-31 2^0
    EXPECT_EQ(1 << 30, m);
    EXPECT_EQ(0, s);
    quant_multiplier(0, &m, &s);
    EXPECT_EQ(0, m);
    quant_multiplier(1 - 0x1p-40, &m, &s); // the fraction rounds up to 2^31: renormalized to 1.0
    EXPECT_EQ(1 << 30, m);
    EXPECT_EQ(1, s);
    quant_multiplier(0x1p-40, &m, &s); // below 2^-31: nothing is left
    EXPECT_EQ(0, m);
}

TEST(Quant, AffineRoundsHalfAwayAndClamps)
{
    EXPECT_EQ(3, quant_affine(1.25f, 0.5f, 0, -128, 127));
    EXPECT_EQ(-3, quant_affine(-1.25f, 0.5f, 0, -128, 127));
    EXPECT_EQ(127, quant_affine(1e30f, 0.5f, 10, -128, 127));
    EXPECT_EQ(-128, quant_affine(-1e30f, 0.5f, 10, -128, 127));
    EXPECT_EQ(-128, quant_affine(__builtin_nanf(""), 0.5f, 10, -128, 127));
}

// Every order and width: bytes back to codes, every bit of the stream used once.
TEST(Pack, RoundTripsInEveryOrder)
{
    for (quant_order order : {QUANT_FLAT, QUANT_WORDS, QUANT_PLANES, QUANT_LANES}) {
        for (int bits : {1, 2, 3, 4, 5, 6, 7, 8}) {
            bool power = (bits & (bits - 1)) == 0;
            if (!power && order != QUANT_FLAT) continue;
            for (int other : {2, 4, 8}) {
                const size_t rows = 8, length = 32;
                quant_packing p = {order, bits, other, order == QUANT_WORDS};
                std::vector<int32_t> codes(rows * length), back(rows * length);
                for (size_t i = 0; i < codes.size(); i++) codes[i] = static_cast<int32_t>(i * 37 % (1u << bits)) - (bits > 1 ? 1 << (bits - 1) : 0);
                std::vector<uint8_t> bytes(quant_packed_bytes(&p, rows, length));
                quant_pack(&p, rows, length, codes.data(), bytes.data());
                quant_unpack(&p, rows, length, bits > 1, bytes.data(), back.data());
                EXPECT_EQ(codes, back) << order << " " << bits << " " << other;
                std::vector<bool> used(bytes.size() * 8 / static_cast<size_t>(bits));
                for (size_t r = 0; r < rows; r++)
                    for (size_t i = 0; i < length; i++) {
                        size_t at = quant_position(&p, length, r, i);
                        ASSERT_LT(at, used.size());
                        EXPECT_FALSE(used[at]);
                        used[at] = true;
                    }
            }
        }
    }
}

TEST(Pack, KnownBytes)
{
    uint8_t bytes[8] = {0};
    const int32_t nibbles[] = {1, -2, 3}; // 0x1, 0xE, 0x3
    quant_packing flat = {QUANT_FLAT, 4, 8, false};
    quant_pack(&flat, 1, 3, nibbles, bytes);
    EXPECT_EQ(0xE1, bytes[0]);
    EXPECT_EQ(0x03, bytes[1]);
    const int32_t signs[] = {1, 0, 0, 1}; // +1 -1 | -1 +1: two rows, a word each
    quant_packing words = {QUANT_WORDS, 1, 1, true};
    quant_pack(&words, 2, 2, signs, bytes);
    EXPECT_EQ(0x02, bytes[0]);
    EXPECT_EQ(0x01, bytes[4]);
    const int32_t planes[] = {1, 2, 3, 4}; // channels 1 2 and 3 4 of 4 bits: pixels side by side
    quant_packing plane = {QUANT_PLANES, 4, 4, false};
    quant_pack(&plane, 2, 2, planes, bytes);
    EXPECT_EQ(0x31, bytes[0]);
    EXPECT_EQ(0x42, bytes[1]);
}

} // namespace
