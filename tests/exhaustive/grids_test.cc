// SPDX-License-Identifier: Apache-2.0
// Does every code of every weight grid at every width mean the number that its paper gives it, and does a layer on the grid compute the
// plain sum over those numbers? The oracle is written from the definitions in double and shares no code with quant/ or emu/.
#include "tests/one_op.hh"
#include "tests/oracle/oracle.h"

extern "C" {
#include "quant/exact.h"
}

#include <cmath>
#include <functional>
#include <random>

namespace {

const std::vector<std::vector<int>> kTerms[9] = { // exponents of the fields' entries, -1 = zero
    {}, {}, {{-1, 3}}, {{-1, 2, 0, 1}}, {{-1, 2, 0, 1}, {-1, 3}}, {{-1, 3, 1, 0}, {-1, 4, 2, 5}}, {{-1, 0}, {-1, 1}, {-1, 2}, {-1, 3}, {-1, 9}},
    {{-1, 0, 1, 2, 3, 4, 5, 6}, {-1, 7, 8, 9, 10, 11, 12, 13}}, {{-1, 6, 3, 0}, {-1, 5, 2, 0}, {-1, 4, 1, 0}, {-1, 13}}};

struct Grid {
    quant_grid g = {};
    std::vector<int16_t> table;
    int k = 0, low = 0, high = 0;
    std::function<double(int)> value; // the oracle

    std::string name() const { return std::string(quant_grid_names[g.kind]) + " of " + std::to_string(k) + " bits"; }
};

int sign_and(const int k, int code, int *field) { return *field = code % (1 << (k - 1)), code / (1 << (k - 1)) ? -1 : 1; }

Grid make(quant_grid_kind kind, int k)
{
    Grid x;
    x.g.kind = kind;
    x.k = k;
    x.high = (int)std::pow(2, k) - 1;
    switch (kind) {
    case QUANT_AFFINE:
        x.low = -(int)std::pow(2, k - 1);
        x.high = -x.low - 1;
        x.value = [](int c) { return c; };
        break;
    case QUANT_ODD: { // N times DoReFa's 2 q / N - 1
        double n = std::pow(2, k) - 1;
        x.value = [n](int c) { return std::round(n * (2 * (c / n) - 1)); };
        break;
    }
    case QUANT_BINARY: x.value = [](int c) { return c == 1 ? 1 : -1; }; break;
    case QUANT_TERNARY: case QUANT_TERNARY2:
        x.low = -1;
        x.high = 1;
        x.value = [](int c) { return c; };
        break;
    case QUANT_POW2:
        x.value = [k](int c) {
            int field, sign = sign_and(k, c, &field);
            return field == 0 ? 0.0 : sign * std::pow(2, field - 1);
        };
        break;
    case QUANT_APOT:
        for (const auto &field : kTerms[k]) {
            x.g.term_bits[x.g.n_terms++] = (int)std::log2(field.size());
            for (int e : field) x.table.push_back((int16_t)(e < 0 ? 0 : std::pow(2, e)));
        }
        x.value = [k](int c) {
            int rest, sign = sign_and(k, c, &rest);
            double sum = 0;
            for (const auto &field : kTerms[k]) {
                int e = field[(size_t)rest % field.size()];
                sum += e < 0 ? 0 : std::pow(2, e);
                rest /= (int)field.size();
            }
            return sign * sum;
        };
        break;
    case QUANT_CODEBOOK: {
        for (int i = 0; i <= x.high; i++) x.table.push_back((int16_t)(i % 2 ? 32767 - 97 * i : -32768 + 31 * i));
        auto copy = x.table;
        x.value = [copy](int c) { return copy[(size_t)c]; };
        break;
    }
    case QUANT_N_GRIDS: break;
    }
    x.g.n_table = (int)x.table.size();
    return x;
}

std::vector<Grid> all()
{
    std::vector<Grid> list;
    auto add = [&](quant_grid_kind kind, int least, int most) {
        for (int k = least; k <= most; k++) list.push_back(make(kind, k));
    };
    add(QUANT_AFFINE, 1, 16);
    add(QUANT_ODD, 1, 8);
    add(QUANT_BINARY, 1, 1);
    add(QUANT_TERNARY, 2, 2);
    add(QUANT_TERNARY2, 2, 2);
    add(QUANT_POW2, 2, 5);
    add(QUANT_APOT, 2, 8);
    add(QUANT_CODEBOOK, 1, 8);
    return list;
}

TEST(Grids, EveryCodeOfEveryWidth)
{
    for (Grid &x : all()) {
        x.g.table = x.table.data();
        int least, most, low, high;
        quant_grid_widths(&x.g, &least, &most);
        EXPECT_TRUE(least <= x.k && x.k <= most) << x.name();
        quant_grid_codes(&x.g, false, x.k, &low, &high);
        EXPECT_EQ(x.low, low) << x.name();
        EXPECT_EQ(x.high, high) << x.name();
        for (int c = low; c <= high; c++) {
            double want = x.value(c);
            EXPECT_EQ(want, quant_grid_value(&x.g, x.k, c)) << x.name() << " code " << c;
            EXPECT_TRUE(want >= INT16_MIN && want <= INT16_MAX) << x.name();
            int shifts = quant_grid_shifts(&x.g, x.k, c);
            EXPECT_TRUE(shifts < 0 || (shifts == 0) == (want == 0)) << x.name() << " code " << c;
        }
        quant_grid_codes(&x.g, true, x.k, &low, &high);
        if (x.g.kind == QUANT_AFFINE) {
            EXPECT_EQ((1 << x.k) - 1, high);
        }
    }
}

// A fully connected layer under profile bitemu: rows of weights are all that is given.
struct Dense : shim::One {
    model_integer q = {};
    model_grid grid = {};
    std::vector<int8_t> w8;
    std::vector<int16_t> w16;
    std::vector<uint8_t> u8;

    Dense(const Grid &x, const std::vector<int> &codes, int depth, model_dtype in, bool binary = false) : One(MODEL_FULLY_CONNECTED)
    {
        int rows = (int)codes.size() / depth;
        q.n_entries = q.n_channels = 1;
        w8.assign(codes.begin(), codes.end());
        w16.assign(codes.begin(), codes.end());
        u8.assign(codes.begin(), codes.end());
        this->in(tensor(in, {1, depth}, 0, 0));
        const void *data = x.k > 8 ? (const void *)w16.data() : x.high > 127 ? (const void *)u8.data() : w8.data();
        this->in(tensor(x.k > 8 ? MODEL_I16 : x.high > 127 ? MODEL_U8 : MODEL_I8, {rows, depth}, 0, 0, data));
        out(tensor(MODEL_I32, {1, rows}, 0, 0));
        tensors[1].bits = x.k;
        if (binary) tensors[0].bits = 1;
        grid.weights = x.g;
        grid.binary_input = binary;
        op.grid = x.g.kind == QUANT_AFFINE ? nullptr : &grid;
        op.integer = &q;
    }
};

// Every triple of weights (up to 4 bits), every triple of activations of as many bits.
TEST(Grids, EveryDotProductOfLength3UpTo4Bits)
{
    for (Grid &x : all()) {
        if (x.k > 4 || x.g.kind == QUANT_TERNARY2) continue;
        x.g.table = x.table.data();
        int n = x.high - x.low + 1, a = 1 << x.k;
        std::vector<int> codes;
        std::vector<double> value;
        for (int i = 0; i < n * n * n; i++)
            for (int c : {i / (n * n), i / n % n, i % n}) {
                codes.push_back(c + x.low);
                value.push_back(x.value(c + x.low));
            }
        Dense d(x, codes, 3, MODEL_U8);
        err e = {};
        ASSERT_OK(d.prepare(&e, "bitemu"), e);
        for (int i = 0; i < a * a * a; i++) {
            uint8_t v[3] = {(uint8_t)(i / (a * a)), (uint8_t)(i / a % a), (uint8_t)(i % a)};
            d.set<uint8_t>(0, {v[0], v[1], v[2]});
            d.run();
            const int32_t *y = (const int32_t *)emu_tensor_data(d.session, 2);
            for (int r = 0; r < n * n * n; r++) {
                const double *w = &value[(size_t)(3 * r)];
                if (v[0] * w[0] + v[1] * w[1] + v[2] * w[2] == y[r]) continue;
                FAIL() << x.name() << " row " << r << " activations " << i << ": " << y[r];
            }
        }
        EXPECT_EQ(0u, d.ev.wraps);
    }
}

TEST(Grids, OddSumsByCorrection)
{
    for (int k = 1; k <= 4; k++) {
        int n = 1 << k;
        for (int q = 0; q < n * n * n; q++)
            for (int x = 0; x < n * n * n; x++) {
                int64_t xq = 0, sum = 0, want = 0;
                for (int i = 0, f = 1; i < 3; i++, f *= n) {
                    int a = x / f % n, c = q / f % n;
                    xq += a * c;
                    sum += a;
                    want += a * (2 * c - (n - 1));
                }
                ASSERT_EQ(want, quant_odd_sum(xq, sum, k));
            }
    }
}

// All +-1 vectors of length 3 against each other, and long ones at random; the mask takes elements out.
TEST(Grids, XnorPopcount)
{
    Grid x = make(QUANT_BINARY, 1);
    std::vector<int> codes;
    for (int i = 0; i < 8; i++)
        for (int b = 0; b < 3; b++) codes.push_back(i >> b & 1);
    Dense d(x, codes, 3, MODEL_U8, true);
    err e = {};
    ASSERT_OK(d.prepare(&e, "bitemu"), e);
    for (int a = 0; a < 8; a++) {
        d.set<uint8_t>(0, {(uint8_t)(a & 1), (uint8_t)(a >> 1 & 1), (uint8_t)(a >> 2 & 1)});
        d.run();
        for (int w = 0; w < 8; w++) {
            int want = 0;
            for (int b = 0; b < 3; b++) want += (a >> b & 1) == (w >> b & 1) ? 1 : -1;
            EXPECT_EQ(want, d.result<int32_t>()[(size_t)w]);
        }
    }
    std::mt19937 rng((unsigned)shim::seed());
    for (int round = 0; round < 200; round++) {
        uint32_t a[5], m[5], w[5];
        int want = 0;
        for (int i = 0; i < 5; i++) {
            a[i] = (uint32_t)rng();
            m[i] = (uint32_t)(round % 2 ? rng() : 0xFFFFFFFF);
            w[i] = (uint32_t)rng();
            for (int b = 0; b < 32; b++)
                if (m[i] >> b & 1) want += (a[i] >> b & 1) == (w[i] >> b & 1) ? 1 : -1;
        }
        ASSERT_EQ(want, quant_xnor_dot(a, m, w, 5));
    }
}

int32_t pick(std::mt19937_64 &rng, int64_t low, int64_t high) { return (int32_t)std::uniform_int_distribution<int64_t>(low, high)(rng); }

// Random and extreme arguments against 128-bit division.
TEST(Grids, ExactRequantization)
{
    std::mt19937_64 rng(shim::seed());
    const int64_t edge[] = {0, 1, -1, INT32_MAX, INT32_MIN, (int64_t)1 << 46, -((int64_t)1 << 46), INT64_MAX, INT64_MIN};
    const int32_t multipliers[] = {0, 1, 1 << 30, INT32_MAX};
    auto check = [](int64_t p, int32_t m, int64_t n, int32_t mn, int64_t add, int s) {
        oracle::wide total = (oracle::wide)p * m - (oracle::wide)n * mn + add;
        ASSERT_EQ((int64_t)oracle::wrap(oracle::nearest_up(total, oracle::power2(31 - s)), 32), quant_requant_exact(p, m, n, mn, add, s))
            << p << " " << m << " " << n << " " << mn << " " << add << " " << s;
        if (n == 0 && add == 0 && p == (int32_t)p) {
            ASSERT_EQ(quant_requant_once((int32_t)p, m, s), quant_requant_exact(p, m, 0, 0, 0, s));
        }
    };
    for (int s = -31; s <= 30; s++) {
        for (int64_t p : edge)
            for (int64_t n : edge)
                for (int32_t m : multipliers) check(p, m, n, multipliers[(unsigned)s % 4], edge[((unsigned)s + (unsigned)m) % 9], s);
        for (int i = 0; i < 3000; i++) {
            int down = pick(rng, 0, 63);
            check((int64_t)rng() >> down, pick(rng, 0, INT32_MAX), i % 2 ? (int64_t)rng() >> down : 0, pick(rng, 0, INT32_MAX), i % 3 ? (int64_t)rng() >> down : 0, s);
        }
    }
    for (int s = -31; s <= 8; s++)
        for (int64_t acc = -40000; acc <= 40000; acc += 7)
            ASSERT_EQ((int64_t)(s < 0 ? oracle::nearest_up(acc, oracle::power2(-s)) : acc * oracle::power2(s)), quant_requant_shift(acc, 0, s));
}

// TTQ: every triple of codes, every triple of 3-bit activations, the two sums apart until the one rounding.
TEST(Grids, TwoScales)
{
    Grid x = make(QUANT_TERNARY2, 2);
    std::vector<int> codes;
    for (int i = 0; i < 27; i++)
        for (int c : {i / 9, i / 3 % 3, i % 3}) codes.push_back(c - 1);
    Dense d(x, codes, 3, MODEL_U8);
    const int32_t m = 1500000001, mn = 2100000003;
    const int8_t s = -3;
    const int64_t add = 123456789012;
    const int32_t low = -20, high = 30, zero = 5;
    d.q.multiplier = &m;
    d.q.multiplier_n = &mn;
    d.q.shift = &s;
    d.q.addend = &add;
    d.q.out_min = &low;
    d.q.out_max = &high;
    d.q.out_zero = &zero;
    d.tensors[2].dtype = MODEL_I8;
    d.tensors[2].bits = 8;
    err e = {};
    ASSERT_OK(d.prepare(&e, "bitemu"), e);
    for (int i = 0; i < 512; i++) {
        int v[3] = {i / 64 * 9, i / 8 % 8 * 9, i % 8 * 9};
        d.set<uint8_t>(0, {(uint8_t)v[0], (uint8_t)v[1], (uint8_t)v[2]});
        d.run();
        for (int r = 0; r < 27; r++) {
            oracle::wide p = 0, n = 0;
            for (int j = 0; j < 3; j++) (codes[(size_t)(3 * r + j)] > 0 ? p : n) += codes[(size_t)(3 * r + j)] ? v[j] : 0;
            int64_t want = (int64_t)oracle::nearest_up(p * m - n * mn + add, oracle::power2(31 - s)) + zero;
            ASSERT_EQ(std::max<int64_t>(low, std::min<int64_t>(high, want)), d.result<int8_t>()[(size_t)r]) << "row " << r << " activations " << i;
        }
    }
}

// Depthwise layers take the same sums channel by channel: 16 by 16 bits, two accumulators, binary under both paddings.
TEST(Grids, Depthwise)
{
    std::mt19937_64 rng(shim::seed());
    for (int kind = 0; kind < 4; kind++) {
        bool binary = kind >= 2, two = kind == 1;
        shim::One one(MODEL_DEPTHWISE_CONV_2D);
        std::vector<int16_t> w(9 * 4);
        std::vector<int8_t> w8(9 * 4);
        for (size_t i = 0; i < w.size(); i++) w8[i] = (int8_t)(w[i] = (int16_t)(binary ? pick(rng, 0, 1) : two ? pick(rng, -1, 1) : pick(rng, INT16_MIN, INT16_MAX)));
        model_integer q = {};
        model_grid grid = {};
        const int32_t ms[2] = {1 << 30, 3 << 28};
        const int8_t shift = two ? 0 : -24;
        q.n_entries = q.n_channels = 1;
        if (!binary) q.multiplier = &ms[0], q.shift = &shift;
        if (two) q.multiplier_n = &ms[1];
        grid.weights.kind = two ? QUANT_TERNARY2 : binary ? QUANT_BINARY : QUANT_AFFINE;
        grid.binary_input = binary;
        grid.pad_one = kind == 3;
        one.in(one.tensor(binary ? MODEL_U8 : MODEL_I16, {1, 4, 3, 2}, 0, 0));
        one.in(one.tensor(kind ? MODEL_I8 : MODEL_I16, {1, 3, 3, 4}, 0, 0, kind ? (const void *)w8.data() : w.data()));
        one.out(one.tensor(binary ? MODEL_I32 : MODEL_I16, {1, 4, 3, 4}, 0, 0));
        one.tensors[0].bits = binary ? 1 : 16;
        one.tensors[1].bits = binary ? 1 : two ? 2 : 16;
        one.op.attrs.padding = MODEL_SAME;
        one.op.integer = &q;
        one.op.grid = kind ? &grid : nullptr;
        err e = {};
        ASSERT_OK(one.prepare(&e, "bitemu"), e);
        std::vector<int> x(24);
        for (size_t i = 0; i < x.size(); i++) {
            x[i] = binary ? pick(rng, 0, 1) : pick(rng, INT16_MIN, INT16_MAX);
            if (binary) ((uint8_t *)emu_tensor_data(one.session, 0))[i] = (uint8_t)x[i];
            else ((int16_t *)emu_tensor_data(one.session, 0))[i] = (int16_t)x[i];
        }
        one.run();
        for (int at = 0; at < 48; at++) {
            int c = at % 4, ox = at / 4 % 3, oy = at / 12;
            oracle::wide sum[2] = {0, 0};
            for (int t = 0; t < 9; t++) {
                int iy = oy + t / 3 - 1, ix = ox + t % 3 - 1;
                bool outside = iy < 0 || iy >= 4 || ix < 0 || ix >= 3;
                int v = outside ? (kind == 3) : x[(size_t)((iy * 3 + ix) * 2 + c / 2)], code = w[(size_t)(t * 4 + c)];
                if (binary) v = outside ? v : 2 * v - 1, code = 2 * code - 1;
                if (two) sum[code < 0] += code ? v : 0;
                else sum[0] += (oracle::wide)v * code;
            }
            oracle::wide want = binary ? sum[0] : oracle::nearest_up(sum[0] * ms[0] - sum[1] * ms[1], oracle::power2(31 - shift));
            if (!binary) want = want > 32767 ? 32767 : want < -32768 ? -32768 : want;
            ASSERT_EQ((int64_t)want, binary ? one.result<int32_t>()[(size_t)at] : one.result<int16_t>()[(size_t)at]) << "kind " << kind << " at " << at;
        }
    }
}

// Rounding nested codes, ties to even: signed and unsigned masters of every width to every lower one.
TEST(Grids, NestedHalfEven)
{
    for (int bits = 1; bits <= 8; bits++)
        for (int w = 1; w <= bits; w++)
            for (int is_unsigned = 0; is_unsigned < 2; is_unsigned++)
                for (int i = 0; i < 1 << bits; i++) {
                    int master = is_unsigned ? i : i - (1 << (bits - 1)), top = (1 << (is_unsigned ? w : w - 1)) - 1;
                    double even = std::nearbyint(master / std::pow(2, bits - w)), up = std::floor(master / std::pow(2, bits - w) + 0.5); // ties to even is the default mode
                    if (w == bits) even = up = master;
                    EXPECT_EQ(std::min<double>(even, w == bits ? master : top), model_nest(MODEL_NESTED_HALF_EVEN, is_unsigned, master, bits, w));
                    EXPECT_EQ(std::min<double>(up, w == bits ? master : top), model_nest(MODEL_NESTED_HALF_UP, is_unsigned, master, bits, w));
                    EXPECT_EQ(std::floor(master / std::pow(2, bits - w)), model_nest(MODEL_NESTED_FLOOR, is_unsigned, master, bits, w));
                }
}

} // namespace
