// SPDX-License-Identifier: Apache-2.0
// Logs of boards: what is a figure, what is damaged, which operator is it, and how many cycles are its units? All expectations by hand.
#include "tests/shim.hh"

extern "C" {
#include "traces/match.h"
}

#include <fstream>

namespace {

struct Log {
    shim::Arena mem;
    std::string path;
    measured_log *m = nullptr;
    err e = {};
    status st;
    explicit Log(const std::string &text) : path(testing::TempDir() + "bitemu_measured_" + testing::UnitTest::GetInstance()->current_test_info()->name())
    {
        std::ofstream(path, std::ios::binary) << text;
        st = measured_read(path.c_str(), mem, &m, &e);
    }
    match_result match(const std::vector<const char *> &types)
    {
        match_result r;
        EXPECT_OK(match_rows(m, path.c_str(), types.data(), (int)types.size(), mem, &r, &e), e);
        return r;
    }
    double per(measured_unit u, double clock_hz, double default_hz = 0, double per_tick = 0)
    {
        measured_scale s;
        EXPECT_OK(measured_to_cycles(m, path.c_str(), clock_hz, default_hz, per_tick, &s, &e), e);
        return s.cycles[u];
    }
};

const std::vector<const char *> mnist = {"CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED"};

TEST(Tflm, CompleteRunsAreAveragedAndTicksGetTheirLengthFromMilliseconds)
{
    Log log("CPU: x @ 50MHz\nCONV_2D took 6425608 ticks (128 ms).\r\nMAX_POOL_2D took 826383 ticks (16 ms).\nRESHAPE took 45501 ticks (0 ms).\nFULLY_CONNECTED took 345974 ticks (6 ms).\n"
            "it's a 0\nCONV_2D took 6451596 ticks (129 ms).\nMAX_POOL_2D took 825315 ticks (16 ms).\nRESHAPE took 45117 ticks (0 ms).\nFULLY_CONNECTED took 345784 ticks (6 ms).\nmatched=98\n");
    ASSERT_OK(log.st, log.e);
    EXPECT_STREQ("TFLM", log.m->format);
    EXPECT_EQ(3, log.m->others.lines);
    EXPECT_EQ(1, log.m->others.first_line);
    EXPECT_EQ(0, log.m->skips.lines);
    match_result r = log.match(mnist);
    EXPECT_EQ(2, r.complete_runs);
    EXPECT_EQ(0, r.left_over);
    ASSERT_EQ(4, r.n_rows);
    EXPECT_EQ((6425608 + 6451596) / 2, r.rows[0].value);
    EXPECT_EQ(6425608, r.rows[0].least);
    EXPECT_EQ(6451596, r.rows[0].most);
    EXPECT_EQ(2, r.rows[0].line);
    EXPECT_EQ(2, r.rows[3].runs);
    // 6425608 ticks in [128, 129) ms: 49.811 to 50.200 MHz; 6451596 in [129, 130): 49.628 to 50.012; 826383 in [16, 17): 48.6 to 51.6
    EXPECT_NEAR(6425608 / 129e-3, log.m->tick_hz[0], 1);
    EXPECT_NEAR(6451596 / 129e-3, log.m->tick_hz[1], 1);
    EXPECT_EQ(1, log.per(MEASURED_TICKS, 50e6));
    EXPECT_NEAR(2, log.per(MEASURED_TICKS, 100e6), 0.01); // 49.91 MHz is no whole number of anything, but narrow enough
    EXPECT_EQ(7, log.per(MEASURED_TICKS, 50e6, 0, 7));
}

TEST(Tflm, MicrosecondsAreRecognisedAndTheClockIsTheCallers)
{
    Log log("Iterations(2) took 1647316 ticks (1647 ms)\nCONV_2D took 800000 ticks (800 ms)\n");
    EXPECT_EQ(133, log.per(MEASURED_TICKS, 0, 133e6));
    ASSERT_EQ(1, log.m->whole[MEASURED_TICKS].n);
    EXPECT_EQ(823658, measured_median(&log.m->whole[MEASURED_TICKS]));
    Log us("CONV_2D took 5 us\n");
    EXPECT_EQ(120, us.per(MEASURED_US, 120e6, 1));
}

TEST(Tflm, TicksOfUnknownLengthAreAnErrorThatSaysWhatToDo)
{
    Log log("CONV_2D took 5 ticks (0 ms).\n");
    measured_scale s;
    EXPECT_EQ(ST_ARG, measured_to_cycles(log.m, log.path.c_str(), 1e6, 0, 0, &s, &log.e));
    EXPECT_NE(nullptr, strstr(log.e.msg, "--cycles-per-tick"));
}

TEST(Tflm, EventsAsCsvAndALostOneBreaksItsRun)
{
    Log log("  \"Event\",\"Tag\",\"Ticks\"\n  0,CONV_2D,10\n  1,MAX_POOL_2D,20\n  2,RESHAPE,1\n  3,FULLY_CONNECTED,4\nx | y\n\"Event\",\"Tag\",\"Ticks\"\n0,CONV_2D,11\n2,RESHAPE,1\n3,FULLY_CONNECTED,4\n");
    ASSERT_OK(log.st, log.e);
    EXPECT_EQ(1, log.m->skips.lines);
    EXPECT_EQ(9, log.m->skips.first_line);
    match_result r = log.match(mnist);
    EXPECT_EQ(1, r.complete_runs);
    EXPECT_EQ(3, r.left_over);
    EXPECT_EQ(8, r.left_over_line);
    EXPECT_EQ(10, r.rows[0].value);
}

TEST(Tflm, GluedCutAndRepeatedLines)
{
    Log log("CONV_2D took 64CONV_2D took 10 ticks (0 ms).\nI (12) app: MAX_POOL_2D took 20 ticks (0 ms).MAX_POOL_2D took 20 ticks (0 ms).\nRESHAPE took 1 ticks\nFULLY_CONNECTED took -4 ticks (0 ms)\nFULLY_CON");
    EXPECT_EQ(2, log.m->skips.lines); // "took 64C", "took -4"
    EXPECT_EQ(1, log.m->skips.first_line);
    EXPECT_EQ(1, log.m->others.lines);
    EXPECT_EQ(5, log.m->others.first_line);
    match_result r = log.match(mnist);
    EXPECT_EQ(0, r.complete_runs); // and it says so
    EXPECT_EQ(3, r.measured_ops);
    EXPECT_EQ(1, r.left_over); // the second MAX_POOL_2D
    EXPECT_EQ(2, r.left_over_line);
    EXPECT_EQ(nullptr, r.rows[3].tag);
}

TEST(Tflm, ACutRunDoesNotShiftTheNextOne)
{
    Log log("CONV_2D took 1 ticks\nMAX_POOL_2D took 2 ticks\nCONV_2D took 10 ticks\nMAX_POOL_2D took 20 ticks\nRESHAPE took 30 ticks\nFULLY_CONNECTED took 40 ticks\nCONV_2D took 5 ticks\n");
    match_result r = log.match(mnist);
    EXPECT_EQ(1, r.complete_runs);
    EXPECT_EQ(10, r.rows[0].value);
    EXPECT_EQ(40, r.rows[3].value);
    EXPECT_EQ(3, r.left_over);
    EXPECT_EQ(1, r.left_over_line);
}

TEST(Tflm, SumsByTagAndChecksums)
{
    Log log("\"Unique Tag\",\"Total ticks across all events with that tag.\"\ntflite::GetModel, 4\n\"total number of ticks\", 4\n\nInput CRC32: 0x14F6A510\n"
            "\"Unique Tag\",\"Total ticks across all events with that tag.\"\nCONV_2D, 100\nRESHAPE, 7\nSVDF, 3\n\"total number of ticks\", 110\nOutput CRC32: 0xA4A6A6BE\n");
    ASSERT_EQ(3, log.m->n_sums);
    EXPECT_EQ(0, log.m->n_rows);
    ASSERT_EQ(1, log.m->whole[MEASURED_TICKS].n);
    EXPECT_EQ(110, log.m->whole[MEASURED_TICKS].v[0]);
    ASSERT_EQ(2, log.m->n_crcs);
    EXPECT_TRUE(log.m->crcs[0].input);
    EXPECT_EQ(0x14F6A510u, log.m->crcs[0].crc);
    EXPECT_EQ(0xA4A6A6BEu, log.m->crcs[1].crc);
    match_result r = log.match({"CONV_2D", "CONV_2D", "RESHAPE"});
    EXPECT_TRUE(r.by_type);
    ASSERT_EQ(3, r.n_rows);
    EXPECT_EQ(2, r.rows[0].n_ops);
    EXPECT_EQ(100, r.rows[0].value);
    EXPECT_EQ(0, r.rows[2].n_ops); // SVDF is none of the network
}

TEST(Match, AnotherNetworkIsAnError)
{
    Log log("CONV_2D took 1 ticks\n");
    const char *types[] = {"SVDF"};
    match_result r;
    EXPECT_EQ(ST_FORMAT, match_rows(log.m, log.path.c_str(), types, 1, log.mem, &r, &log.e));
    EXPECT_NE(nullptr, strstr(log.e.msg, "CONV_2D"));
}

TEST(Match, AnOperatorThatTheLogLacksIsToldAndTheOthersAreKept)
{
    Log log("Run(1) took 9 ticks\nCONV_2D took 4 ticks\nCONV_2D took 5 ticks\nSOFTMAX took 1 ticks\nRun(1) took 9 ticks\nCONV_2D took 6 ticks\nCONV_2D took 7 ticks\nSOFTMAX took 3 ticks\n");
    match_result r = log.match({"CONV_2D", "CONV_2D", "RESHAPE", "SOFTMAX"});
    EXPECT_EQ(0, r.complete_runs);
    EXPECT_EQ(3, r.measured_ops);
    EXPECT_EQ(5, r.rows[0].value); // both runs, each aligned by itself
    EXPECT_EQ(6, r.rows[1].value);
    EXPECT_EQ(0, r.rows[2].runs);
    EXPECT_EQ(2, r.rows[3].value);
}

TEST(EnergyRunner, WindowsOfStampsGluedWrappedAndCut)
{
    Log log("00001.000 sequencer: m-sequencing-i[1]-ack[/dut: m-infer-start-9/]\n00001.100 dut: m-lap-us-5\n"
            "00010.000 dut: infer 10 1%m-warmup-start-1\n00010.100 dut: src: 3m-infer-start-100\n00010.100 dut: m-lap-us-1000000\n00020.100 dut: m-lap-us-11000000\n00020.200 dut: m-infer-done\n"
            "00030.000 dut: m-infer-start-100\n00030.000 dut: m-lap-us-4294000000\n00041.000 dut: m-lap-us-\x1b[32m10032704\n00041.100 dut: m-infer-done\n" // wraps: 11 s
            "00050.000 dut: m-infer-start-100\n00050.000 dut: m-lap-us-10000000\n00060.000 dut: m-lap-us-200000\n00060.100 dut: m-infer-done\n"        // the second stamp is cut
            "00070.000 dut: m-infer-start-100\n00070.000 dut: m-lap-us-1\n");
    ASSERT_OK(log.st, log.e);
    EXPECT_STREQ("EnergyRunner", log.m->format);
    const measured_series &w = log.m->whole[MEASURED_US];
    ASSERT_EQ(2, w.n);
    EXPECT_EQ(100000, w.v[0]);
    EXPECT_EQ(110000, w.v[1]);
    EXPECT_EQ(105000, measured_median(&w));
    EXPECT_EQ(2, log.m->skips.lines);
    EXPECT_EQ(15, log.m->skips.first_line);
}

TEST(EnergyRunner, ResultsStateEnergyAndRuntime)
{
    Log log("1.1 ulp-ml: Energy data for window 2 at time 11.32 for 7.04 sec.:\n1.1 ulp-ml:   Energy       :   292070.100 uJ\n1.1 ulp-ml:   Energy/Inf.  :    29207.010 uJ/inf.\n"
            "1.1 ulp-ml:   Energy/Inf.  :    29199.5 uJ/inf.\n1.1 ulp-ml:   Energy/Inf.  :    29210 uJ/inf.\n1.1 ulp-mlperf:   # Inferences :           10\n1.1 ulp-mlperf:   Runtime      :        7.042 sec.\n"
            "1.1 ulp-ml: e-[The run must take at least 10 seconds]\n");
    EXPECT_EQ(29207.010, measured_median(&log.m->energy_uj));
    EXPECT_EQ(704200, measured_median(&log.m->whole[MEASURED_US]));
    ASSERT_EQ(1, log.m->n_remarks);
    EXPECT_NE(nullptr, strstr(log.m->remarks[0], "at least 10 seconds"));
}

TEST(EnergyRunner, PythonRunner)
{
    Log log("Energy data for trial 0\nElapsed time  : 10.936\nInferences    : 60\nPower         : 5.2981 mW.\nTotal Energy  : 57939.806 uJ\nEnergy/Inf    : 965.663 uJ/inf\n");
    EXPECT_NEAR(10.936e6 / 60, measured_median(&log.m->whole[MEASURED_US]), 1e-6);
    EXPECT_EQ(965.663, measured_median(&log.m->energy_uj));
    Log sww("Average duty cycle: 0.5\nAverage period: 0.032 s\nEstimated throughput: 62.5 inf./sec.\n");
    EXPECT_EQ(16000, measured_median(&sww.m->whole[MEASURED_US]));
}

TEST(CubeAi, MergedNodesStandForTheirOperators)
{
    Log log("Results for 10 inference(s) @84/84MHz (macc:950717)\n duration    : 99.405 ms (average)\n CPU cycles  : 8350026 (average)\n\nInspector report (layer by layer)\n"
            "Clayer  id  desc                          oshape            ms        \n-----------\n0       0   10011/(Merged Conv2d / Pool)  (10, 15, 15, 16)  31.126    \n"
            "1       6   10005/(Dense)                 (10, 1, 1, 3)     0.425     \n2       6   10014/(Softmax)               (10, 1, 1, 3)     0.010     \n         31.561 (total)\n");
    EXPECT_STREQ("X-CUBE-AI", log.m->format);
    EXPECT_EQ(84e6, log.m->clock_hz);
    EXPECT_EQ(8350026, log.m->whole[MEASURED_CYCLES].v[0]);
    ASSERT_EQ(3, log.m->n_rows);
    EXPECT_STREQ("Merged Conv2d / Pool", log.m->rows[0].tag);
    match_result r = log.match({"CONV_2D", "PAD", "MAX_POOL_2D", "FULLY_CONNECTED", "SOFTMAX"});
    ASSERT_EQ(3, r.n_rows); // the pad lies between the two that were merged
    EXPECT_EQ(3, r.rows[0].n_ops);
    EXPECT_EQ(31126, r.rows[0].value);
    EXPECT_EQ(3, r.rows[1].op);
    EXPECT_EQ(5, r.measured_ops);
    EXPECT_EQ(84, log.per(MEASURED_US, 0, 1e6));
}

TEST(CubeAi, ZerosThatPrintfLostAreFoundByTheDuration)
{
    Log log("Results for \"network\", 16 inferences @84MHz/84MHz (complexity: 1 MACC)\n duration     : 98.810 ms (average)\n CPU cycles   : 83200 -156/+273 (average,-/+)\n"
            "Results for \"network\", 16 inferences @84MHz/84MHz\n duration     : 98.810 ms (average)\n CPU cycles   : 999 (average)\n");
    ASSERT_EQ(1, log.m->whole[MEASURED_CYCLES].n); // 98.810 ms x 84 MHz = 8300040
    EXPECT_EQ(8300200, log.m->whole[MEASURED_CYCLES].v[0]);
    EXPECT_EQ(1, log.m->n_remarks);
    EXPECT_EQ(1, log.m->skips.lines);
    EXPECT_EQ(6, log.m->skips.first_line);
}

TEST(CubeAi, StEdgeAiReport)
{
    Log log(" ST.AI Profiling results v2.0 - \"network\"\n ------\n nb sample(s)   :   10\n duration       :   10.000 ms by sample (9.9/10.1/0.09)\n macc           :   2000\n cycles/MACC    :   40.00\n"
            "   Inference time per node\n   c_id   m_id   type              dur (ms)       %    cumul     name\n   -----\n   0      0      Conv2d (0x103)       8.000   80.0%    80.0%     ai_node_0\n"
            "   1      1      Pool (0x10b)         1.500   15.0%    95.0%     ai_node_1\n   -----\n   n/a    n/a    Inter-nodal          0.500    5.0%   100.0%     n/a\n   -----\n   total                              10.000\n");
    EXPECT_NEAR(8e6, log.m->clock_hz, 1); // 2000 x 40 cycles in 10 ms
    match_result r = log.match({"DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "RESHAPE"});
    ASSERT_EQ(4, r.n_rows);
    EXPECT_EQ(8000, r.rows[0].value);
    EXPECT_EQ(1500, r.rows[1].value);
    EXPECT_EQ(0, r.rows[2].runs);
    EXPECT_EQ(0, r.rows[3].n_ops);
    EXPECT_EQ(500, r.rows[3].value);
    EXPECT_EQ(0, r.left_over);
}

TEST(Nnom, ModelStat)
{
    Log log("Print running stat..\nLayer(#)        -   Time(us)      ops(MACs)     ops/us \n-----\n#1        Input -         9              0      \n#2       Conv2D -      8292         172800      20.83\n"
            "#3      MaxPool -      5753              0      \n#4   GL_SumPool -        30              0      \n#5      Softmax -         2              0      \n#6       Output -         0\n\nPrediction time :14086us\n");
    EXPECT_STREQ("NNoM", log.m->format);
    match_result r = log.match({"CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "SOFTMAX"});
    EXPECT_EQ(1, r.complete_runs);
    EXPECT_EQ(8292, r.rows[0].value);
    EXPECT_EQ(6, r.n_rows); // Input and Output beside them
    EXPECT_EQ(14086, log.m->whole[MEASURED_US].v[0]);
}

TEST(Trace, MeasuredCyclesOfAllInputs)
{
    Log log("boot\n{\"input\":0,\"layer\":0,\"op\":\"CONV_2D\",\"cycles_measured\":10}\n{\"input\":0,\"layer\":1,\"cycles_measured\":3}\n{\"input\":1,\"layer\":0,\"op\":\"CONV_2D\",\"cycles_measured\":20}\n");
    ASSERT_OK(log.st, log.e);
    match_result r = log.match({"CONV_2D", "RESHAPE"});
    EXPECT_EQ(15, r.rows[0].value);
    EXPECT_EQ(2, r.rows[0].runs);
    EXPECT_EQ(3, r.rows[1].value);
    EXPECT_EQ(1, log.m->skips.lines);
}

TEST(Measured, NothingInItIsAnErrorWithALine)
{
    Log empty(""), prose("\nhello\n"), gone("x");
    EXPECT_EQ(ST_FORMAT, empty.st);
    EXPECT_EQ(ST_FORMAT, prose.st);
    EXPECT_NE(nullptr, strstr(prose.e.msg, "line 2"));
    measured_log *m;
    EXPECT_EQ(ST_IO, measured_read("/no/such/file", gone.mem, &m, nullptr));
}

} // namespace
