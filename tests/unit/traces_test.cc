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
