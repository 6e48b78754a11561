// SPDX-License-Identifier: Apache-2.0
// Traces: does a record survive writing and reading, what is skipped and said, and is the first divergence named?
#include "tests/shim.hh"

extern "C" {
#include "traces/compare.h"
#include "traces/write.h"
}

#include <fstream>

namespace {

std::string file(const char *name, const std::string &text)
{
    std::string path = testing::TempDir() + "bitemu_traces_" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
}

compare_result compare(const std::string &a, const std::string &b, compare_options o = {})
{
    compare_result r;
    err e = {};
    EXPECT_OK(compare_files(a.c_str(), b.c_str(), &o, &r, &e), e);
    return r;
}

std::string line(int input, int layer, unsigned crc)
{
    return "{\"input\":" + std::to_string(input) + ",\"layer\":" + std::to_string(layer) + ",\"op\":\"CONV_2D\",\"name\":\"c\",\"crc\":" + std::to_string(crc) + "}\n";
}

TEST(Trace, ARecordSurvivesAFile)
{
    std::string path = testing::TempDir() + "bitemu_traces_w.jsonl";
    trace_writer *w;
    err e = {};
    const int64_t codes[] = {-128, 127};
    const int decisions[] = {2, 0};
    trace_record rec = {};
    rec.input = 3;
    rec.layer = TRACE_OUTPUT;
    rec.name = "a \"b\"\n\xff";
    rec.n_codes = 2;
    rec.codes = codes;
    rec.n_decisions = 2;
    rec.decisions = decisions;
    rec.has_cycles = true;
    rec.cycles = 0.1;
    rec.has_events = true;
    rec.saturations = 7;
    ASSERT_OK(trace_writer_create(path.c_str(), &w, &e), e);
    trace_header h = {};
    h.profile = "tflm";
    h.accumulator = "16:saturate";
    h.n_inputs = -1;
    ASSERT_OK(trace_write_header(w, &h, &e), e);
    ASSERT_OK(trace_write_record(w, &rec, &e), e);
    ASSERT_OK(trace_writer_commit(&w, &e), e);
    trace_reader *r;
    trace_record got;
    bool end;
    ASSERT_OK(trace_open(path.c_str(), &r, &e), e);
    ASSERT_OK(trace_next(r, &got, &end, &e), e);
    EXPECT_STREQ("tflm", trace_reader_header(r)->profile);
    EXPECT_STREQ("a \"b\"\n\xef\xbf\xbd", got.name);
    EXPECT_EQ(3, got.input);
    EXPECT_EQ(TRACE_OUTPUT, got.layer);
    ASSERT_EQ(2u, got.n_codes);
    EXPECT_EQ(-128, got.codes[0]);
    EXPECT_EQ(2, got.decisions[0]);
    EXPECT_EQ(0.1, got.cycles);
    EXPECT_EQ(7u, got.saturations);
    EXPECT_STREQ("16:saturate", trace_reader_header(r)->accumulator);
    EXPECT_EQ(0, trace_reader_skips(r)->lines);
    trace_close(&r);
}

TEST(Trace, NoiseAndPrefixesArePassedAndCounted)
{
    std::string noisy = file("noisy", "boot\r\n\033[32m00017.6 dut: " + line(0, 0, 5) + "{\"input\":0,\"layer\":1,\"crc\n" + line(0, 2, 6));
    std::string plain = file("plain", line(0, 0, 5) + line(0, 1, 9) + line(0, 2, 6));
    compare_result r = compare(plain, noisy);
    EXPECT_EQ(1, r.equal);
    EXPECT_EQ(2, r.skips_b.lines);
    EXPECT_EQ(1, r.skips_b.first_line);
}

// All that a record says, as text.
std::string said(const trace_record &r)
{
    char text[600];
    (void)snprintf(text, sizeof text, "%lld %d [%s] [%s] w%d a%d crc %d %u ev %d %llu %llu %llu %lld %lld cyc %d %a meas %d %a dims", (long long)r.input, r.layer, r.name ? r.name : "-", r.op ? r.op : "-",
                   r.w_bits, r.a_bits, r.has_crc, r.crc, r.has_events, (unsigned long long)r.wraps, (unsigned long long)r.saturations, (unsigned long long)r.clamps,
                   r.has_events ? (long long)r.acc_min : 0, r.has_events ? (long long)r.acc_max : 0, r.has_cycles, r.has_cycles ? r.cycles : 0, r.has_measured, r.has_measured ? r.cycles_measured : 0);
    std::string s = text;
    for (int i = 0; i < r.n_dims; i++) s += " " + std::to_string(r.shape[i]);
    for (size_t i = 0; i < r.n_codes; i++) s += " c" + std::to_string(r.codes[i]);
    for (size_t i = 0; i < r.n_decisions; i++) s += " d" + std::to_string(r.decisions[i]);
    return s;
}

std::vector<std::string> records(const std::string &path)
{
    std::vector<std::string> all;
    trace_reader *r;
    trace_record rec;
    bool end = false;
    err e = {};
    if (trace_open(path.c_str(), &r, &e) != ST_OK) return all;
    while (trace_next(r, &rec, &end, &e) == ST_OK && !end) all.push_back(said(rec));
    all.push_back(std::to_string(trace_reader_skips(r)->lines) + " skipped");
    trace_close(&r);
    return all;
}

// A key that the fast reader does not know hands the line to the general parser. Both must read the same, whatever the line has become.
TEST(Trace, TheFastReaderReadsWhatTheGeneralParserReads)
{
    const std::string lines[] = {
        R"({"input":7,"layer":0,"op":"CONV_2D","name":"stem","shape":[1,8,8,4],"w_bits":8,"a_bits":5,"crc":955878521,"wraps":0,"clamps":104,"acc_min":-2952,"acc_max":2710,"cycles":40915.03104})",
        R"({"input": 3, "layer": 4, "op": "ARG_MAX", "saturations": 5, "wraps": 1, "clamps": 2, "acc_min": -1, "acc_max": 0, "cycles": 205.90848000000003, "cycles_measured": 17})",
        R"({"input":0,"name":"tst_1.bin","layer":-1,"op":"INPUT","shape":[],"crc":4294967295})",
        R"({"input":0,"layer":"output","codes":[-128,127,0],"decisions":[0,2,1]} trailing)",
        R"({"input":1,"layer":2,"cycles":0.1,"cycles_measured":123456789012345678901234567890.5,"crc":4294967296})",
        R"({"input":9223372036854775807,"layer":1048575,"acc_min":-999999999999999999,"acc_max":1000000000000000000,"wraps":1,"clamps":1})",
    };
    std::string fast = "{\"bitemu_trace\":1}\n", slow = fast;
    unsigned long seed = shim::seed();
    auto next = [&seed](size_t n) {
        seed = seed * 6364136223846793005ul + 1442695040888963407ul;
        return (size_t)(seed >> 33) % n;
    };
    auto both = [&](const std::string &x) {
        if (x.compare(0, 2, "{\"") != 0 || x.find('\n') != std::string::npos) return;
        fast += x + "\n";
        slow += "{\"z\":0," + x.substr(1) + "\n";
    };
    for (const std::string &x : lines) {
        both(x);
        for (size_t n = 2; n < x.size(); n++) both(x.substr(0, n)); // cut at every byte
        for (int i = 0; i < 3000; i++) {
            const std::string alphabet = "0123456789-+.eE\"\\,:[]{} abcxyz_\x7f\xc3\x01";
            std::string y = x;
            for (size_t k = 0; k <= next(2); k++) y[2 + next(y.size() - 2)] = alphabet[next(alphabet.size())];
            both(y);
        }
    }
    std::vector<std::string> a = records(file("fast", fast)), b = records(file("slow", slow));
    ASSERT_GT(a.size(), 1000u);
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); i++) ASSERT_EQ(b[i], a[i]) << "record " << i;
}

TEST(Trace, LinesOfAnyLengthAndEnd)
{
    std::string text = line(0, 0, 5) + "{\"input\":0,\"layer\":1,\"name\":\"" + std::string(700000, 'x') + "\",\"crc\":6}\r\n" + line(0, 2, 7);
    text.pop_back(); // the last line without its end
    std::vector<std::string> all = records(file("long", text));
    ASSERT_EQ(4u, all.size());
    EXPECT_NE(std::string::npos, all[2].find("0 2 "));
    EXPECT_EQ("0 skipped", all[3]);
}

TEST(Compare, WhatOnlyOneSideHasIsCounted)
{
    std::string a = file("la", line(0, 0, 1) + line(0, 1, 2) + line(0, 2, 3)), b = file("lb", line(0, 0, 1) + line(0, 2, 3) + line(0, 2, 3));
    compare_options o = {};
    compare_result r = compare(a, b);
    EXPECT_TRUE(compare_same(&o, &r));
    EXPECT_EQ(1, r.lone_a);
    EXPECT_EQ(0, r.lone_b);
    EXPECT_EQ(1, r.lone_layer);
    EXPECT_EQ(1, r.repeated_records);
    r = compare(b, file("lc", line(0, 0, 1) + line(0, 2, 3) + line(0, 2, 4))); // the repetition differs
    EXPECT_EQ(1, r.differ);
    EXPECT_EQ(2, r.first.layer);
    r = compare(a, file("ld", line(0, 0, 1) + "{\"input\":1,\"layer\":0}\n"), o);
    EXPECT_FALSE(compare_same(&o, &r));
}

TEST(Compare, AnInputWithNothingInCommonIsNotEqual)
{
    std::string a = file("na", line(0, 0, 1) + line(1, 0, 1)), b = file("nb", line(0, 0, 1) + "{\"input\":1,\"layer\":0,\"op\":\"CONV_2D\"}\n");
    compare_options o = {};
    compare_result r = compare(a, b);
    EXPECT_EQ(1, r.equal);
    EXPECT_EQ(1, r.unchecked);
    EXPECT_FALSE(compare_same(&o, &r));
}

TEST(Compare, ATraceThatIsCutIsNotEqualToItself)
{
    std::string a = file("cut", "{\"bitemu_trace\":1,\"inputs\":3}\n" + line(0, 0, 1) + line(1, 0, 2));
    compare_options o = {};
    compare_result r = compare(a, a);
    EXPECT_EQ(1, r.promised_a);
    EXPECT_FALSE(compare_same(&o, &r));
    o.subset = true;
    EXPECT_TRUE(compare_same(&o, &r));
}

TEST(Compare, EveryDifferenceIsHandedOn)
{
    std::vector<std::string> got;
    compare_options o = {};
    o.each = [](void *to, const compare_divergence *d) { static_cast<std::vector<std::string> *>(to)->push_back(std::to_string(d->what) + " " + std::to_string(d->input) + " " + std::to_string(d->layer)); };
    o.each_to = &got;
    compare(file("ea", line(0, 0, 1) + line(1, 0, 2) + line(1, 3, 2) + line(2, 0, 3) + line(3, 0, 3)), file("eb", line(0, 0, 1) + line(1, 0, 2) + line(1, 3, 9) + line(2, 0, 9)), o);
    EXPECT_EQ((std::vector<std::string>{std::to_string(COMPARE_LAYER) + " 1 3", std::to_string(COMPARE_LAYER) + " 2 0", std::to_string(COMPARE_MISSING) + " 3 0"}), got);
}

TEST(Compare, ChecksumsOfABenchmarkAreFoundByTheInputs)
{
    auto input = [](int i, unsigned crc) { return "{\"input\":" + std::to_string(i) + ",\"layer\":-1,\"crc\":" + std::to_string(crc) + "}\n"; };
    std::string trace = file("run2", input(0, 0xabc) + line(0, 0, 1) + line(0, 1, 2) + input(1, 0x14F6A510) + line(1, 0, 3) + line(1, 1, 0xA4A6A6BE));
    std::string log = file("bench", "X took 1 ticks\nInput CRC32: 0x14F6A510\nOutput CRC32: 0xA4A6A6BE\nInput CRC32: 0xABC\nOutput CRC32: 0x3\nOutput CRC32: 0x4\n");
    compare_result r = compare(trace, log);
    EXPECT_EQ(2, r.compared);
    EXPECT_EQ(1, r.equal);
    EXPECT_EQ(COMPARE_LAYER, r.first.what);
    EXPECT_EQ(1, r.first.layer);
    EXPECT_EQ(2, r.first.expected);
    EXPECT_EQ(3, r.first.got);
    EXPECT_EQ(1, r.skips_b.lines); // a second output
    EXPECT_EQ(6, r.skips_b.first_line);
}

TEST(Compare, NamesTheFirstDivergence)
{
    std::string a = file("a", line(0, 0, 1) + line(0, 1, 2) + line(1, 0, 3) + line(1, 1, 4));
    std::string b = file("b", line(0, 0, 1) + line(0, 1, 2) + line(1, 0, 3) + line(1, 1, 5));
    compare_result r = compare(a, b);
    EXPECT_EQ(1, r.equal);
    EXPECT_EQ(1, r.differ);
    EXPECT_EQ(COMPARE_LAYER, r.first.what);
    EXPECT_EQ(1, r.first.input);
    EXPECT_EQ(1, r.first.layer);
    EXPECT_EQ(4, r.first.expected);
    EXPECT_EQ(5, r.first.got);
}

TEST(Compare, MissingInputsDifferUnlessASubsetIsMeant)
{
    std::string a = file("a2", line(0, 0, 1) + line(1, 0, 3)), b = file("b2", line(0, 0, 1));
    compare_options strict = {}, subset = {};
    subset.subset = true;
    compare_result r = compare(a, b);
    EXPECT_EQ(1, r.only_a);
    EXPECT_FALSE(compare_same(&strict, &r));
    r = compare(a, b, subset);
    EXPECT_TRUE(compare_same(&subset, &r));
}

TEST(Compare, OutputsOfALogAreFoundByName)
{
    std::string log = file("log", "1.0 parser: Command \"bload dut \"/x/y/one.bin\"\"\n1.1 dut: m-results-[0.000,0.996,]\n"
                                  "1.2 parser: Command \"bload dut \"two.bin\"\"\n1.3 dut: noise3072m-results-[0.500,0.496]\r\n");
    std::string trace = file("run", "{\"input\":0,\"name\":\"two.bin\",\"layer\":\"output\",\"codes\":[0,-1]}\n"
                                    "{\"input\":1,\"name\":\"one.bin\",\"layer\":\"output\",\"codes\":[-128,126]}\n");
    compare_result r = compare(log, trace);
    EXPECT_EQ(2, r.compared);
    EXPECT_EQ(1, r.equal);
    EXPECT_STREQ("one.bin", r.first.name);
    EXPECT_EQ(1, r.first.element);
    EXPECT_EQ(127, r.first.expected);
    EXPECT_EQ(126, r.first.got);
    EXPECT_EQ(1, r.first.largest);
}

TEST(Compare, NothingInCommonIsAnError)
{
    compare_options o = {};
    compare_result r;
    std::string a = file("a3", line(0, 0, 1)), b = file("b3", line(7, 0, 1)), empty = file("e3", "");
    EXPECT_EQ(ST_FORMAT, compare_files(a.c_str(), b.c_str(), &o, &r, nullptr));
    EXPECT_EQ(ST_FORMAT, compare_files(a.c_str(), empty.c_str(), &o, &r, nullptr));
    EXPECT_EQ(ST_IO, compare_files(a.c_str(), "/no/such/file", &o, &r, nullptr));
}

} // namespace
