// SPDX-License-Identifier: Apache-2.0
// Does one operator alone give the bits that TensorFlow Lite Micro and LiteRT's reference resolver gave for the same tensors?
// tflite_interp: float scales in, as in a .tflite file. tflm_ref: multipliers and shifts stated, as in native integer layers.
#include "tests/one_op.hh"
#include "tests/recorded.hh"

namespace {

using shim::One;
using shim::Recorded;
typedef Recorded::Case Case;

template <typename T>
model_dtype dtype_of()
{
    return std::is_same<T, int8_t>::value ? MODEL_I8 : std::is_same<T, uint8_t>::value ? MODEL_U8 : std::is_same<T, int16_t>::value ? MODEL_I16 : MODEL_I32;
}

void attributes(One &g, const Case &c)
{
    model_attrs &a = g.op.attrs;
    std::string act = c.text("activation");
    a.padding = c.text("padding") == "SAME" ? MODEL_SAME : MODEL_VALID;
    a.activation = act == "RELU" ? MODEL_RELU : act == "RELU6" ? MODEL_RELU6 : act == "RELU_N1_TO_1" ? MODEL_RELU_N1_TO_1 : MODEL_NONE;
    a.stride_h = c.integer("stride_h", 1);
    a.stride_w = c.integer("stride_w", 1);
    a.dilation_h = c.integer("dil_h", 1);
    a.dilation_w = c.integer("dil_w", 1);
    a.filter_h = c.integer("k_h", 1);
    a.filter_w = c.integer("k_w", 1);
    a.depth_multiplier = c.integer("ch_mult", 1);
    a.beta = 1;
}

bool code_is_wide(const One &g) { return g.op.code == MODEL_FULLY_CONNECTED && g.tensors[0].dtype == MODEL_I16; }

// Fills the inputs (tensors 0 and, if given, 1), runs, compares with `role`.
template <typename In, typename Out>
void run_and_compare(One &g, const Case &c, const std::string &where, const char *role, int inputs, const char *profile)
{
    err e = {};
    if (code_is_wide(g) && std::string(profile) == "tflm" && c.integer("shift") > 14) {
        // the library shifts by a negative count there: undefined, so refused
        EXPECT_EQ(ST_UNSUPPORTED, g.prepare(&e, profile)) << where;
        return;
    }
    ASSERT_OK(g.prepare(&e, profile), e) << where;
    for (int i = 0; i < inputs; i++) {
        auto x = c.get<In>(i ? "input2" : "input");
        ASSERT_EQ(x.size(), g.tensors[(size_t)i].n_elems) << where;
        std::copy(x.begin(), x.end(), (In *)emu_tensor_data(g.session, i));
    }
    g.run();
    auto want = c.get<Out>(role), got = g.result<Out>();
    ASSERT_EQ(want.size(), got.size()) << where;
    EXPECT_EQ("", shim::first_difference(want.data(), got.data(), want.size())) << where;
}

// Runs `build` (tensors of one case) for every case of a recording under both profiles.
template <typename In, typename Out, typename Build>
void both_profiles(const std::string &name, model_opcode code, int inputs, Build build)
{
    Recorded r(name);
    int n = 0;
    for (size_t i = 0; i < r.size(); i++) {
        Case c = r.at(i);
        const char *sides[][2] = {{"tflm", "output_tflm"}, {"litert-ref", "output_litert_ref"}};
        for (auto &side : sides) {
            if (!c.has(side[1])) continue;
            One g(code);
            attributes(g, c);
            build(g, c, side[1]);
            run_and_compare<In, Out>(g, c, name + " case " + std::to_string(i) + " " + side[0], side[1], inputs, side[0]);
            n++;
        }
    }
    EXPECT_GE(n, 50) << name;
    std::printf("%s: %d\n", name.c_str(), n);
}

// What weights and bias live in while a case runs.
template <typename Bias>
struct Layer {
    std::vector<int8_t> w;
    std::vector<Bias> bias;
    std::vector<float> scales;
    std::vector<int64_t> zeros;
};

template <typename Act, typename Bias>
void layers(const char *name, model_opcode code)
{
    Layer<Bias> l;
    both_profiles<Act, Act>(name, code, 1, [&](One &g, const Case &c, const char *role) {
        model_dtype t = dtype_of<Act>();
        g.in(g.tensor(t, c.shape("input"), (float)c.number("input_scale"), c.integer("input_zero_point")));
        l.w = c.get<int8_t>("weights");
        g.in(g.tensor(MODEL_I8, c.shape("weights"), (float)c.number("weight_scale", 1), 0, l.w.data()));
        if (c.has("weight_scales")) {
            model_tensor &w = g.tensors[1];
            l.scales = c.get<float>("weight_scales");
            l.zeros.assign(l.scales.size(), 0);
            w.n_scales = (int)l.scales.size();
            w.axis = code == MODEL_DEPTHWISE_CONV_2D ? 3 : 0;
            w.scale = l.scales.data();
            w.zero_point = l.zeros.data();
        }
        if (c.has("bias")) {
            l.bias = c.get<Bias>("bias");
            g.in(g.tensor(sizeof(Bias) == 8 ? MODEL_I64 : MODEL_I32, c.shape("bias"), 0, 0, l.bias.data()));
        }
        g.out(g.tensor(t, c.shape(role), (float)c.number("output_scale"), c.integer("output_zero_point")));
    });
}

TEST(Recorded, Conv)
{
    NEEDS_SHARED();
    layers<int8_t, int32_t>("tflite_interp__conv2d__w8a8", MODEL_CONV_2D);
    layers<int8_t, int32_t>("tflite_interp__conv2d__w4a8", MODEL_CONV_2D);
    layers<int16_t, int64_t>("tflite_interp__conv2d__w8a16", MODEL_CONV_2D);
}

TEST(Recorded, Depthwise)
{
    NEEDS_SHARED();
    layers<int8_t, int32_t>("tflite_interp__depthwise__w8a8", MODEL_DEPTHWISE_CONV_2D);
    layers<int8_t, int32_t>("tflite_interp__depthwise__w4a8", MODEL_DEPTHWISE_CONV_2D);
    layers<int16_t, int64_t>("tflite_interp__depthwise__w8a16", MODEL_DEPTHWISE_CONV_2D);
}

TEST(Recorded, FullyConnected)
{
    NEEDS_SHARED();
    layers<int8_t, int32_t>("tflite_interp__fully_connected__w8a8", MODEL_FULLY_CONNECTED);
    layers<int8_t, int32_t>("tflite_interp__fully_connected__w4a8", MODEL_FULLY_CONNECTED);
    layers<int16_t, int64_t>("tflite_interp__fully_connected__w8a16", MODEL_FULLY_CONNECTED);
}

template <typename T>
void binary(const char *name, model_opcode code)
{
    both_profiles<T, T>(name, code, 2, [&](One &g, const Case &c, const char *role) {
        g.in(g.tensor(dtype_of<T>(), c.shape("input"), (float)c.number("input1_scale"), c.integer("input1_zero_point")));
        g.in(g.tensor(dtype_of<T>(), c.shape("input2"), (float)c.number("input2_scale"), c.integer("input2_zero_point")));
        g.out(g.tensor(dtype_of<T>(), c.shape(role), (float)c.number("output_scale"), c.integer("output_zero_point")));
    });
}

TEST(Recorded, AddAndMul)
{
    NEEDS_SHARED();
    binary<int8_t>("tflite_interp__add__a8", MODEL_ADD);
    binary<int16_t>("tflite_interp__add__a16", MODEL_ADD);
    binary<int8_t>("tflite_interp__mul__a8", MODEL_MUL);
    binary<int16_t>("tflite_interp__mul__a16", MODEL_MUL);
}

// One input, one output; scale and zero point of the output given or the input's.
template <typename In, typename Out>
void unary(const char *name, model_opcode code, double out_scale = 0, int out_zero = 0, const std::vector<int32_t> &axes = {})
{
    both_profiles<In, Out>(name, code, 1, [&](One &g, const Case &c, const char *role) {
        double in_scale = c.number("input_scale", c.number("scale"));
        int in_zero = c.integer("input_zero_point", c.integer("zero_point"));
        g.in(g.tensor(dtype_of<In>(), c.shape("input"), (float)in_scale, in_zero));
        if (!axes.empty()) g.in(g.tensor(MODEL_I32, {(int)axes.size()}, 0, 0, axes.data()));
        if (out_scale > 0)
            g.out(g.tensor(dtype_of<Out>(), c.shape(role), (float)out_scale, out_zero));
        else
            g.out(g.tensor(dtype_of<Out>(), c.shape(role), (float)c.number("output_scale", in_scale), c.integer("output_zero_point", in_zero)));
    });
}

TEST(Recorded, Pools)
{
    NEEDS_SHARED();
    unary<int8_t, int8_t>("tflite_interp__avg_pool__a8", MODEL_AVERAGE_POOL_2D);
    unary<int16_t, int16_t>("tflite_interp__avg_pool__a16", MODEL_AVERAGE_POOL_2D);
    unary<int8_t, int8_t>("tflite_interp__max_pool__a8", MODEL_MAX_POOL_2D);
    unary<int16_t, int16_t>("tflite_interp__max_pool__a16", MODEL_MAX_POOL_2D);
}

TEST(Recorded, Mean)
{
    NEEDS_SHARED();
    unary<int8_t, int8_t>("tflite_interp__mean__a8", MODEL_MEAN, 0, 0, {1, 2});
    unary<int16_t, int16_t>("tflite_interp__mean__a16", MODEL_MEAN, 0, 0, {1, 2});
}

TEST(Recorded, Softmax)
{
    NEEDS_SHARED();
    unary<int8_t, int8_t>("tflite_interp__softmax__a8", MODEL_SOFTMAX, 1.0 / 256, -128);
    unary<int16_t, int16_t>("tflite_interp__softmax__a16", MODEL_SOFTMAX, 1.0 / 32768, 0);
}

TEST(Recorded, Logistic)
{
    NEEDS_SHARED();
    unary<int8_t, int8_t>("tflite_interp__logistic__a8", MODEL_LOGISTIC, 1.0 / 256, -128);
    unary<int16_t, int16_t>("tflite_interp__logistic__a16", MODEL_LOGISTIC, 1.0 / 32768, 0);
}

// Softmax kernels called with an input scale alone (8-bit recordings derive their multiplier as the interpreter does).
template <typename In, typename Out>
void softmax_ref(const std::string &name, double out_scale, int out_zero)
{
    Recorded r(name);
    EXPECT_GE(r.size(), 100u);
    for (size_t i = 0; i < r.size(); i++) {
        Case c = r.at(i);
        One g(MODEL_SOFTMAX);
        attributes(g, c);
        g.in(g.tensor(dtype_of<In>(), c.shape("input"), (float)c.number("input_scale"), 0));
        g.out(g.tensor(dtype_of<Out>(), c.shape("output"), (float)out_scale, out_zero));
        run_and_compare<In, Out>(g, c, name + " case " + std::to_string(i), "output", 1, "tflm");
    }
}

TEST(Recorded, SoftmaxOfOtherTypes)
{
    NEEDS_SHARED();
    softmax_ref<int8_t, int16_t>("tflm_ref__softmax__a8o16", 1.0 / 65536, -32768);
    softmax_ref<uint8_t, uint8_t>("tflm_ref__softmax__u8", 1.0 / 256, 0);
    softmax_ref<int8_t, int8_t>("tflm_ref__softmax__a8", 1.0 / 256, -128);
    softmax_ref<int16_t, int16_t>("tflm_ref__softmax__a16", 1.0 / 32768, 0);
}

// Native integer layers: the recordings reach what real scales seldom do - wrapping accumulators, left shifts, extreme zero points.
void stated(const std::string &name, model_opcode code)
{
    Recorded r(name);
    int n = 0, skipped = 0;
    uint64_t wraps = 0;
    for (size_t i = 0; i < r.size(); i++) {
        Case c = r.at(i);
        int w_zero = -c.integer("filter_offset");
        if (w_zero > 127) { // no int8 code, so no layer can have it
            skipped++;
            continue;
        }
        One g(code);
        attributes(g, c);
        auto w = c.get<int8_t>("weights");
        g.in(g.tensor(MODEL_I8, c.shape("input"), 0, 0));
        g.in(g.tensor(MODEL_I8, c.shape("weights"), 1, w_zero, w.data()));
        g.out(g.tensor(MODEL_I8, c.shape("output"), 0, 0));
        model_integer t = {};
        std::vector<int32_t> bias, m = c.get<int32_t>("mult"), s32 = c.get<int32_t>("shift");
        std::vector<int8_t> s(s32.begin(), s32.end());
        int32_t in_zero = -c.integer("input_offset"), out_zero = c.integer("output_offset"), low = c.integer("act_min"), high = c.integer("act_max");
        if (c.has("bias")) bias = c.get<int32_t>("bias");
        t.n_entries = 1;
        t.n_channels = (int)m.size();
        t.bias = bias.empty() ? nullptr : bias.data();
        t.multiplier = m.data();
        t.shift = s.data();
        t.in_zero = &in_zero;
        t.out_zero = &out_zero;
        t.out_min = &low;
        t.out_max = &high;
        g.op.integer = &t;
        run_and_compare<int8_t, int8_t>(g, c, name + " case " + std::to_string(i) + " " + c.text("kind"), "output", 1, "tflm");
        wraps += g.ev.wraps;
        n++;
    }
    EXPECT_GT(n, skipped) << name;
    std::printf("%s: %d, %d with a weight zero point of 128 left out, %llu wraps\n", name.c_str(), n, skipped, (unsigned long long)wraps);
}

TEST(Recorded, StatedIntegers)
{
    NEEDS_SHARED();
    stated("tflm_ref__conv2d__w8a8", MODEL_CONV_2D);
    stated("tflm_ref__conv2d__w4a8", MODEL_CONV_2D);
    stated("tflm_ref__depthwise__w8a8", MODEL_DEPTHWISE_CONV_2D);
    stated("tflm_ref__depthwise__w4a8", MODEL_DEPTHWISE_CONV_2D);
    stated("tflm_ref__fully_connected__w8a8", MODEL_FULLY_CONNECTED);
    stated("tflm_ref__fully_connected__w4a8", MODEL_FULLY_CONNECTED);
    stated("tflm_ref__fully_connected_perch__w8a8", MODEL_FULLY_CONNECTED);
}

} // namespace
