// SPDX-License-Identifier: Apache-2.0
// Does the fit find the least squares solution without negative entries, and the factors that made the measurements?
#include "tests/shim.hh"

extern "C" {
#include "hwmodels/calibrate.h"
#include "hwmodels/nnls.h"
}

#include <cmath>
#include <cstdlib>
#include <deque>

namespace {

using vec = std::vector<double>;

vec nnls(const vec &a, const vec &b)
{
    shim::Arena mem;
    err e = {};
    vec x(a.size() / b.size());
    EXPECT_OK(hw_nnls(a.data(), b.data(), (int)b.size(), (int)x.size(), x.data(), mem, &e), e);
    return x;
}

double residual(const vec &a, const vec &b, const vec &x)
{
    double sum = 0;
    for (size_t i = 0; i < b.size(); i++) {
        double r = b[i];
        for (size_t j = 0; j < x.size(); j++) r -= a[i * x.size() + j] * x[j];
        sum += r * r;
    }
    return sum;
}

TEST(Nnls, ByHand)
{
    EXPECT_EQ(vec({2, 3}), nnls({1, 0, 0, 1}, {2, 3}));
    EXPECT_EQ(vec({2, 0}), nnls({1, 0, 0, 1}, {2, -3}));
    EXPECT_EQ(vec({0}), nnls({1, 1}, {-1, -2}));
    // columns (1,1), (1,2), right side (3, 1): without the bound (5, -2); with it x0 = (3 + 1) / 2
    vec x = nnls({1, 1, 1, 2}, {3, 1});
    EXPECT_NEAR(2, x[0], 1e-14);
    EXPECT_EQ(0, x[1]);
    x = nnls({1, 1, 1}, {1, 2, 6}); // a mean
    EXPECT_NEAR(3, x[0], 1e-14);
    x = nnls({1, 1, 2, 2}, {1, 2}); // one column twice: either solution is one
    EXPECT_NEAR(1, x[0] + x[1], 1e-12);
}

TEST(Nnls, RefusesWhatIsNone)
{
    shim::Arena mem;
    double a[2] = {1, NAN}, b[1] = {1}, x[2];
    err e = {};
    EXPECT_EQ(ST_ARG, hw_nnls(a, b, 1, 2, x, mem, &e));
    EXPECT_EQ(ST_ARG, hw_nnls(a, b, 0, 1, x, mem, nullptr));
    EXPECT_EQ(ST_ARG, hw_nnls(a, b, 1, HW_NNLS_COLUMNS + 1, x, mem, nullptr));
    shim::Arena small(16);
    EXPECT_EQ(ST_NOMEM, hw_nnls(b, b, 1, 1, x, small, nullptr));
}

// Least squares on the columns of `set` by normal equations and elimination; false: singular.
bool solve_set(const vec &a, const vec &b, unsigned set, vec &x)
{
    size_t n = x.size();
    std::vector<size_t> c;
    for (size_t j = 0; j < n; j++)
        if (set >> j & 1) c.push_back(j);
    size_t k = c.size();
    std::vector<std::vector<long double>> m(k, std::vector<long double>(k + 1, 0));
    for (size_t p = 0; p < k; p++)
        for (size_t i = 0; i < b.size(); i++) {
            for (size_t q = 0; q < k; q++) m[p][q] += (long double)a[i * n + c[p]] * a[i * n + c[q]];
            m[p][k] += (long double)a[i * n + c[p]] * b[i];
        }
    for (size_t p = 0; p < k; p++) {
        size_t best = p;
        for (size_t q = p; q < k; q++)
            if (fabsl(m[q][p]) > fabsl(m[best][p])) best = q;
        std::swap(m[p], m[best]);
        if (fabsl(m[p][p]) < 1e-12L) return false;
        for (size_t q = 0; q < k; q++) {
            long double f = q == p ? 0 : m[q][p] / m[p][p];
            for (size_t r = p; r <= k; r++) m[q][r] -= f * m[p][r];
        }
    }
    x.assign(n, 0);
    for (size_t p = 0; p < k; p++) x[c[p]] = (double)(m[p][k] / m[p][p]);
    return true;
}

// Every active set in turn: the least residual among solutions without negative entries.
TEST(Nnls, IsTheBestOfAllActiveSets)
{
    const char *given = std::getenv("BITEMU_SEED");
    uint64_t seed = given ? std::strtoull(given, nullptr, 10) : 7, state = seed;
    std::printf("seed %llu (BITEMU_SEED)\n", (unsigned long long)seed);
    auto random = [&state] {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return (double)(state >> 40) / (double)(1 << 23) - 1;
    };
    int bound = 0;
    for (int round = 0; round < 2000; round++) {
        size_t n = 1 + (size_t)round % 7, m = 1 + (size_t)(random() * 6 + 6);
        vec a(m * n), b(m);
        for (double &v : a) v = random();
        for (double &v : b) v = random();
        vec x = nnls(a, b), y(n);
        double best = residual(a, b, vec(n, 0));
        for (unsigned set = 1; set < 1u << n; set++) {
            if (!solve_set(a, b, set, y)) continue;
            bool inside = true;
            for (double v : y) inside = inside && v >= 0;
            if (inside) best = std::min(best, residual(a, b, y));
        }
        for (double v : x) {
            ASSERT_GE(v, 0);
            bound += v == 0;
        }
        ASSERT_NEAR(best, residual(a, b, x), 1e-9) << "seed " << seed << " round " << round;
    }
    EXPECT_GT(bound, 1000);
}

// Layers of 8x8 bits on a board whose factors are known.
struct Bench {
    shim::Arena mem;
    hw_board *board = nullptr;
    const hw_kernels *kernels = nullptr;
    std::deque<model_graph> graphs;
    Bench()
    {
        err e = {};
        EXPECT_OK(hw_board_load("nucleo-l4r5zi", mem, &board, &e), e);
        EXPECT_OK(hw_calibrate_kernels(board, "cmsis-nn", mem, &kernels, &e), e);
        board->kernels = kernels;
        for (int c = 0; c < HW_N_CLASSES; c++) board->factor[c].value = 1.1 + 0.3 * c;
    }
    model_tensor tensor(std::vector<int> dims, bool constant)
    {
        static const int8_t data = 0;
        model_tensor t = {};
        t.name = "t";
        t.dtype = MODEL_I8;
        t.bits = 8;
        t.n_dims = (int)dims.size();
        t.n_elems = 1;
        for (size_t i = 0; i < dims.size(); i++) t.n_elems *= (size_t)(t.dims[i] = dims[i]);
        t.data = constant ? &data : nullptr;
        return t;
    }
    // conv 3x3, pointwise, depthwise, dense; each as often as said
    const model_graph *net(std::vector<int> counts, int size)
    {
        auto *tensors = (model_tensor *)arena_alloc(mem, 3 * 64, sizeof(model_tensor));
        auto *ops = (model_op *)arena_alloc(mem, 64, sizeof(model_op));
        int t = 0, n = 0;
        for (size_t kind = 0; kind < counts.size(); kind++)
            for (int i = 0; i < counts[kind]; i++) {
                int c = 8 * (1 + i), k = kind == 1 ? 1 : 3;
                tensors[t] = kind == 3 ? tensor({1, c * size}, false) : tensor({1, size, size, c}, false);
                tensors[t + 1] = kind == 3 ? tensor({10, c * size}, true) : kind == 2 ? tensor({1, k, k, c}, true) : tensor({16, k, k, c}, true);
                tensors[t + 2] = kind == 3 ? tensor({1, 10}, false) : tensor({1, size, size, kind == 2 ? c : 16}, false);
                auto *in = (int *)arena_alloc(mem, 3, sizeof(int));
                in[0] = t;
                in[1] = t + 1;
                in[2] = t + 2;
                model_op &o = ops[n++];
                o.code = kind == 3 ? MODEL_FULLY_CONNECTED : kind == 2 ? MODEL_DEPTHWISE_CONV_2D : MODEL_CONV_2D;
                o.name = o.type = model_opcode_name(o.code);
                o.choice = -1;
                o.n_inputs = 2;
                o.n_outputs = 1;
                o.inputs = in;
                o.outputs = in + 2;
                t += 3;
            }
        auto *s = (model_subgraph *)arena_alloc(mem, 1, sizeof(model_subgraph));
        s->n_tensors = t;
        s->tensors = tensors;
        s->n_ops = n;
        s->ops = ops;
        graphs.push_back({});
        graphs.back().n_subgraphs = 1;
        graphs.back().subgraphs = s;
        return &graphs.back();
    }
    double cycles(const model_graph *g, int op)
    {
        double sum = 0;
        for (int i = 0; i < g->subgraphs[0].n_ops; i++) {
            hw_cost c = {};
            if (op >= 0 && op != i) continue;
            EXPECT_TRUE(hw_price_at(g, board, i, 8, 8, &c));
            sum += c.cycles;
        }
        return sum;
    }
    hw_calibration *fit(const std::vector<hw_sample> &s, double pull)
    {
        hw_calibration *c = nullptr;
        err e = {};
        EXPECT_OK(hw_calibrate(kernels, s.data(), (int)s.size(), pull, mem, &c, &e), e);
        return c;
    }
    void expect_factors(const hw_calibration *c)
    {
        for (hw_class k : {HW_CONV, HW_POINTWISE, HW_DEPTHWISE, HW_FULLY_CONNECTED}) {
            ASSERT_GT(c->rows[k], 0);
            EXPECT_NEAR(1, c->factor[k] / board->factor[k].value, 1e-6) << hw_class_name(k);
        }
    }
};

TEST(Calibrate, SingleLayersGiveTheirFactorsBack)
{
    Bench b;
    const model_graph *g = b.net({2, 3, 2, 2}, 8);
    std::vector<hw_sample> s;
    for (int i = 0; i < 9; i++) s.push_back({g, i, b.cycles(g, i), 0, 0});
    hw_calibration *c = b.fit(s, -1);
    EXPECT_EQ(0, c->pull);
    EXPECT_EQ(HW_FOLD_ROW, c->fold);
    b.expect_factors(c);
    EXPECT_LT(c->ninety_pct, 1e-6); // every class is in two rows
    EXPECT_EQ(9, c->used);
}

TEST(Calibrate, WholeNetworksTooWhereTheyTellClassesApart)
{
    Bench b;
    std::vector<hw_sample> s;
    int network = 0;
    for (std::vector<int> mix : std::vector<std::vector<int>>{{4, 1, 1, 1}, {1, 6, 1, 1}, {1, 1, 9, 1}, {0, 0, 1, 9}, {2, 2, 2, 2}}) {
        const model_graph *g = b.net(mix, 6);
        for (int board : {1, 2}) s.push_back({g, -1, b.cycles(g, -1), board, network});
        network++;
    }
    hw_calibration *c = b.fit(s, 0);
    EXPECT_EQ(HW_FOLD_BOARD, c->fold);
    b.expect_factors(c);
    EXPECT_LT(c->ninety_pct, 1e-6);
    EXPECT_EQ(HW_CALIBRATE_PULL, b.fit(s, -1)->pull); // no class was measured alone
    for (hw_sample &x : s) x.board = 1;
    EXPECT_EQ(HW_FOLD_NETWORK, b.fit(s, 0)->fold);
}

// One network cannot tell four classes apart: all are near the common factor, and the total is nearly met.
TEST(Calibrate, ThePullDecidesWhatMeasurementsDoNot)
{
    Bench b;
    const model_graph *g = b.net({1, 1, 1, 1}, 8);
    for (int c = 0; c < HW_N_CLASSES; c++) b.board->factor[c].value = 2;
    hw_calibration *c = b.fit({{g, -1, b.cycles(g, -1), 0, 0}}, -1);
    EXPECT_EQ(HW_FOLD_NONE, c->fold);
    EXPECT_LT(c->median_pct, 0);
    for (int k = 0; k < HW_N_CLASSES; k++) EXPECT_NEAR(2, c->factor[k], 1e-6) << hw_class_name((hw_class)k);
    EXPECT_NEAR(b.cycles(g, -1), c->fitted[0], 1e-3);
}

TEST(Calibrate, WhatCannotBeUsedIsSaid)
{
    Bench b;
    const model_graph *g = b.net({1, 0, 0, 1}, 8);
    g->subgraphs[0].ops[0].code = MODEL_UNSUPPORTED;
    g->subgraphs[0].ops[0].type = "RFFT2D";
    hw_calibration *c = b.fit({{g, 0, 10, 0, 0}, {g, 1, 100, 0, 0}}, -1);
    EXPECT_STREQ("op 0 RFFT2D: kernels cmsis-nn has no weight for it", c->missing[0]);
    EXPECT_EQ(1, c->used);
    EXPECT_LT(c->fitted[0], 0);
    err e = {};
    hw_sample none[] = {{g, -1, 100, 0, 0}}, negative[] = {{g, 1, -1, 0, 0}}, beyond[] = {{g, 2, 1, 0, 0}};
    EXPECT_EQ(ST_INCOMPLETE, hw_calibrate(b.kernels, none, 1, -1, b.mem, &c, &e)) << shim::text(e);
    EXPECT_EQ(ST_ARG, hw_calibrate(b.kernels, negative, 1, -1, b.mem, &c, nullptr));
    EXPECT_EQ(ST_ARG, hw_calibrate(b.kernels, beyond, 1, -1, b.mem, &c, nullptr));
    EXPECT_EQ(ST_ARG, hw_calibrate_kernels(b.board, "../secret", b.mem, &b.kernels, nullptr));
}

} // namespace
