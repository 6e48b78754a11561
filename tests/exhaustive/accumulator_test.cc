// SPDX-License-Identifier: Apache-2.0
// Is a narrow accumulator what it is said to be, and is the overflow proof true? Every input of small layers, against plain loops.
#include "tests/exhaustive/mac_layer.hh"

#include <random>

namespace {

using shim::Answer;
using shim::MacLayer;
using shim::Rule;
using shim::Shape;
using shim::Term;

const char *profile(bool bias_first) { return bias_first ? "cmsis-nn" : "tflm"; }

// All inputs of x_bits through l; counts what differs from the loops, and that the events are theirs.
void compare(MacLayer &l, int x_bits, Rule r)
{
    int n = l.s.inputs(), codes = 1 << x_bits, all = 1;
    for (int i = 0; i < n; i++) all *= codes;
    std::vector<std::vector<Term>> terms;
    for (int o = 0; o < l.s.outputs(); o++) terms.push_back(shim::terms(l.s, l.weights, o));
    l.open(profile(r.bias_first), r);
    long wrong = 0;
    for (int i = 0; i < all; i++) {
        std::vector<uint8_t> x = shim::nth(i, codes, n);
        emu_events ev = {};
        const int32_t *y = l.run(x, &ev);
        uint64_t overflows = 0;
        long long least = 0, most = 0;
        for (int o = 0; o < l.s.outputs(); o++) {
            Answer a = shim::accumulate(terms[(size_t)o], x, l.zero, l.bias[(size_t)(o % l.s.out_c)], r);
            wrong += a.value != y[o];
            overflows += a.overflow;
            least = o ? std::min(least, a.exact) : a.exact;
            most = o ? std::max(most, a.exact) : a.exact;
        }
        wrong += (r.saturate ? ev.saturations : ev.wraps) != overflows || (r.saturate ? ev.wraps : ev.saturations) != 0;
        if (!r.saturate) wrong += ev.acc_min != least || ev.acc_max != most;
    }
    ASSERT_EQ(0, wrong) << r.bits << " bits, " << (r.saturate ? "saturate" : "wrap") << ", bias " << (r.bias_first ? "first" : "last");
}

// Every weight vector of `bits` and `length` is an output channel.
MacLayer all_weights(int bits, int length)
{
    int n = 1 << bits, channels = 1;
    for (int i = 0; i < length; i++) channels *= n;
    std::vector<int8_t> w;
    std::vector<int32_t> bias;
    for (int c = 0; c < channels; c++) {
        for (uint8_t code : shim::nth(c, n, length)) w.push_back((int8_t)(code - n / 2));
        bias.push_back(c * 7 % 61 - 30);
    }
    return MacLayer({MODEL_FULLY_CONNECTED, 1, 1, length, 1, 1, channels, MODEL_VALID}, w, bias, 1, bits);
}

TEST(Accumulator, EveryProductOfEveryVectorAtEveryWidth)
{
    for (int bits = 1; bits <= 3; bits++)
        for (int length = 1; length <= (bits == 3 ? 3 : 4); length++)
            for (int width = 4; width <= 10; width++)
                for (bool bias_first : {false, true})
                    for (bool saturate : {false, true}) {
                        MacLayer l = all_weights(bits, length);
                        compare(l, bits, {width, saturate, bias_first});
                    }
}

TEST(Accumulator, EveryVectorOfFour3BitCodes)
{
    for (int width = 4; width <= 10; width++) {
        MacLayer l = all_weights(3, 4);
        compare(l, 3, {width, width % 3 != 0, width % 2 == 0});
    }
}

std::vector<int8_t> some_weights(std::mt19937 &random, int n, int low, int high)
{
    std::vector<int8_t> w;
    for (int i = 0; i < n; i++) w.push_back((int8_t)std::uniform_int_distribution<int>(low, high)(random));
    return w;
}

std::vector<int32_t> some_bias(std::mt19937 &random, int n)
{
    std::vector<int32_t> b;
    for (int i = 0; i < n; i++) b.push_back(std::uniform_int_distribution<int>(-40, 40)(random));
    return b;
}

const Shape shapes[] = {
    {MODEL_FULLY_CONNECTED, 1, 1, 4, 1, 1, 3, MODEL_VALID},
    {MODEL_CONV_2D, 2, 2, 1, 2, 2, 5, MODEL_VALID},
    {MODEL_CONV_2D, 2, 2, 1, 3, 3, 4, MODEL_SAME}, // no position sees the whole window
    {MODEL_CONV_2D, 1, 3, 2, 1, 3, 2, MODEL_SAME},
    {MODEL_CONV_2D, 1, 4, 1, 1, 2, 2, MODEL_SAME},
    {MODEL_DEPTHWISE_CONV_2D, 2, 2, 1, 2, 2, 3, MODEL_VALID},
    {MODEL_DEPTHWISE_CONV_2D, 1, 3, 2, 1, 3, 4, MODEL_SAME},
};

MacLayer some_layer(std::mt19937 &random, const Shape &s, int x_bits)
{
    int n = s.depth() * s.out_c, zero = std::uniform_int_distribution<int>(-2, (1 << x_bits) + 1)(random); // also outside the codes
    return MacLayer(s, some_weights(random, n, -9, 9), some_bias(random, s.out_c), zero, x_bits);
}

TEST(Accumulator, ConvolutionsAddRowColumnChannel)
{
    std::mt19937 random((unsigned)shim::seed());
    for (const Shape &s : shapes)
        for (int width = 4; width <= 10; width++)
            for (bool bias_first : {false, true})
                for (bool saturate : {false, true}) {
                    MacLayer l = some_layer(random, s, s.inputs() > 4 ? 1 : 2);
                    compare(l, s.inputs() > 4 ? 1 : 2, {width, saturate, bias_first});
                }
}

struct Extremes { // over every input
    long long low = 0, high = 0, step_low = 0, step_high = 0;
    bool any = false;
    void add(const Answer &a)
    {
        low = any ? std::min(low, a.exact) : a.exact;
        high = any ? std::max(high, a.exact) : a.exact;
        step_low = any ? std::min(step_low, a.least) : a.least;
        step_high = any ? std::max(step_high, a.most) : a.most;
        any = true;
    }
};

Extremes brute_force(const MacLayer &l, int low, int high, bool bias_first)
{
    Extremes all;
    int n = l.s.inputs(), codes = high - low + 1, inputs = 1;
    for (int i = 0; i < n; i++) inputs *= codes;
    for (int o = 0; o < l.s.outputs(); o++) {
        std::vector<Term> t = shim::terms(l.s, l.weights, o);
        for (int i = 0; i < inputs; i++) {
            std::vector<uint8_t> x = shim::nth(i, codes, n);
            for (uint8_t &v : x) v = (uint8_t)(v + low);
            all.add(shim::accumulate(t, x, l.zero, l.bias[(size_t)(o % l.s.out_c)], {0, false, bias_first}));
        }
    }
    return all;
}

// The proof of l at every width and both overflows, against all inputs.
void check_proof(MacLayer &l, int x_bits, bool bias_first)
{
    Extremes want = brute_force(l, 0, (1 << x_bits) - 1, bias_first);
    for (int width = 4; width <= 10; width++)
        for (bool saturate : {false, true}) {
            err e = {};
            emu_overflow o = {};
            l.open(profile(bias_first), {width, saturate, bias_first});
            ASSERT_OK(emu_overflow_prove(l.session, 0, l.mem, &o, &e), e);
            ASSERT_EQ(1, o.n_cases);
            ASSERT_EQ(want.low, o.cases[0].final_low);
            ASSERT_EQ(want.high, o.cases[0].final_high);
            ASSERT_EQ(want.step_low, o.cases[0].step_low);
            ASSERT_EQ(want.step_high, o.cases[0].step_high);
            long long low = saturate ? want.step_low : want.low, high = saturate ? want.step_high : want.high;
            bool overflows = low < -(1 << (width - 1)) || high >= 1 << (width - 1);
            ASSERT_EQ(overflows ? EMU_OVERFLOWS : EMU_CANNOT_OVERFLOW, o.verdict);
            ASSERT_EQ(overflows, o.bits_needed > width);
            ASSERT_OK(emu_overflow_confirm(l.session, 0, &o, l.mem, &e), e);
            if (!overflows) continue;
            const emu_extreme *x = emu_overflow_worst(&o);
            int none = 0;
            emu_events ev = {};
            ASSERT_OK(emu_overflow_witness(l.session, 0, x, x == &o.high, &none, l.mem, &e), e);
            const uint8_t *codes = (const uint8_t *)emu_tensor_data(l.session, 0);
            for (int i = 0; i < l.s.inputs(); i++) ASSERT_LT(codes[i], 1 << x_bits);
            ASSERT_OK(emu_run_op(l.session, 0, nullptr, &ev, &e), e);
            ASSERT_GT(saturate ? ev.saturations : ev.wraps, 0u);
            if (!saturate) {
                ASSERT_EQ(x->value, x == &o.high ? ev.acc_max : ev.acc_min);
            }
        }
}

TEST(Overflow, TheProofIsWhatEveryInputShows)
{
    std::mt19937 random((unsigned)shim::seed());
    for (const Shape &s : shapes)
        for (int round = 0; round < 20; round++)
            for (bool bias_first : {false, true}) {
                int x_bits = s.inputs() > 4 ? 1 : 1 + round % 3;
                MacLayer l = some_layer(random, s, x_bits);
                check_proof(l, x_bits, bias_first);
            }
}

// A saturating accumulator wide enough shows every partial sum: the bound is reached, not only safe.
TEST(Overflow, PartialSumsReachTheirBound)
{
    std::mt19937 random((unsigned)shim::seed());
    for (const Shape &s : shapes) {
        MacLayer l = some_layer(random, s, 8);
        err e = {};
        emu_overflow o = {};
        l.open("tflm", {32, true, false});
        ASSERT_OK(emu_overflow_prove(l.session, 0, l.mem, &o, &e), e);
        for (bool largest : {true, false}) {
            emu_events ev = {};
            int none = 0;
            ASSERT_OK(emu_overflow_witness(l.session, 0, largest ? &o.high : &o.low, largest, &none, l.mem, &e), e);
            ASSERT_OK(emu_run_op(l.session, 0, nullptr, &ev, &e), e);
            ASSERT_EQ(largest ? o.high.value : o.low.value, largest ? ev.acc_max : ev.acc_min);
            ASSERT_EQ(0u, ev.saturations);
        }
    }
}

// A producer whose clamp depends on the consumer's choice, nested weights: each candidate has its own codes and weights.
TEST(Overflow, EveryCandidateHasItsOwnCodesAndWeights)
{
    const int8_t first[] = {1}, master[] = {7, -8, 3, -5};
    const int32_t one[] = {1 << 30, 1 << 30}, zeros[] = {0, 0}, top[] = {3, 7}, bias[] = {10, -20};
    const int8_t shift[] = {1, 1};
    shim::Arena mem;
    model_tensor t[5] = {MacLayer::tensor("x", MODEL_U8, {4, 1}), MacLayer::tensor("w0", MODEL_I8, {1, 1}), MacLayer::tensor("h", MODEL_U8, {1, 4}),
                         MacLayer::tensor("w1", MODEL_I8, {1, 4}), MacLayer::tensor("y", MODEL_I32, {1, 1})};
    t[1].data = first;
    t[2].dims[0] = 4;
    t[2].dims[1] = 1;
    t[3].data = master;
    t[3].bits = 4;
    model_tensor flat = MacLayer::tensor("flat", MODEL_U8, {1, 4});
    model_tensor all[6] = {t[0], t[1], t[2], t[3], t[4], flat};
    model_choice choice = {"c", 2, {{2, 2}, {4, 3}}, -1, 0};
    model_integer produce = {}, consume = {};
    produce.n_keys = consume.n_keys = 1;
    produce.n_entries = consume.n_entries = 2;
    produce.n_channels = consume.n_channels = 1;
    produce.multiplier = one;
    produce.shift = shift;
    produce.out_min = zeros;
    produce.out_max = top;
    consume.bias = bias;
    model_weights nested = {MODEL_NESTED_FLOOR, 4, 1, {3}};
    const int in0[] = {0, 1}, out0[] = {2}, in1[] = {2}, out1[] = {5}, in2[] = {5, 3}, out2[] = {4};
    model_op ops[3] = {};
    for (model_op &op : ops) op.choice = -1;
    ops[0].code = MODEL_FULLY_CONNECTED, ops[0].n_inputs = 2, ops[0].inputs = in0, ops[0].outputs = out0, ops[0].integer = &produce;
    ops[1].code = MODEL_RESHAPE, ops[1].n_inputs = 1, ops[1].inputs = in1, ops[1].outputs = out1;
    ops[2].code = MODEL_FULLY_CONNECTED, ops[2].n_inputs = 2, ops[2].inputs = in2, ops[2].outputs = out2, ops[2].integer = &consume;
    ops[2].choice = 0;
    ops[2].weights = &nested;
    for (model_op &op : ops) op.name = op.type = model_opcode_name(op.code), op.n_outputs = 1;
    int input = 0, output = 4;
    model_subgraph sub = {"", 6, 3, 1, 1, all, ops, &input, &output};
    model_graph g = {};
    g.path = g.format = "test";
    g.n_subgraphs = g.n_choices = 1;
    g.subgraphs = &sub;
    g.choices = &choice;
    err e = {};
    emu_session *s = nullptr;
    emu_overflow o = {};
    ASSERT_OK(model_check(&g, &e), e);
    ASSERT_OK(emu_session_create(&g, emu_profile_find("tflm"), mem, &s, &e), e);
    ASSERT_OK(emu_overflow_prove(s, 2, mem, &o, &e), e);
    ASSERT_EQ(2, o.n_cases); // not 4: the table is keyed by the layer's own choice
    // w2a2: floor(w / 4) = 1, -2, 0, -2 on codes 0..3: 10 - 12 .. 10 + 3. w4a3: 7, -8, 3, -5 on 0..7: -20 - 91 .. -20 + 70.
    EXPECT_EQ(10 - 12, o.cases[0].final_low);
    EXPECT_EQ(10 + 3, o.cases[0].final_high);
    EXPECT_EQ(-20 - 91, o.cases[1].final_low);
    EXPECT_EQ(-20 + 70, o.cases[1].final_high);
    EXPECT_EQ(-12, o.cases[0].step_low); // the bias comes last
    EXPECT_EQ(70, o.cases[1].step_high);
    EXPECT_EQ(8, o.bits_needed);
    EXPECT_EQ(EMU_CANNOT_OVERFLOW, o.verdict);
    EXPECT_OK(emu_overflow_confirm(s, 2, &o, mem, &e), e);
}

} // namespace
