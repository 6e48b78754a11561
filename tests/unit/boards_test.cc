// SPDX-License-Identifier: Apache-2.0
// Which figures does a board take from its files, and does a bad file say where it is bad?
#include "tests/csv.hh"
#include "tests/shim.hh"
#include "tests/toy_board.hh"

extern "C" {
#include "hwmodels/board.h"
}

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>

namespace {

using namespace shim;

// "file:line:column" after the folder, plus status
std::string refusal(const Folder &f, const std::string &board = "")
{
    shim::Arena a;
    hw_board *b = nullptr;
    err e = {};
    status s = hw_board_load(board.empty() ? f.board().c_str() : board.c_str(), a, &b, &e);
    std::string where = e.where;
    size_t slash = where.rfind('/');
    return std::to_string(s) + " " + (slash == std::string::npos ? where : where.substr(slash + 1));
}

TEST(HwYaml, GoodBoard)
{
    Folder f;
    shim::Arena a;
    hw_board *b = nullptr;
    err e = {};
    ASSERT_OK(hw_board_load(f.board().c_str(), a, &b, &e), e);
    EXPECT_STREQ("toy", hw_board_name(b));
    EXPECT_STREQ("toy/fast", hw_board_kernels(b));
    EXPECT_EQ(1e7, hw_board_clock_hz(b));
    EXPECT_EQ(4096, hw_board_sram_bytes(b));
    EXPECT_LT(hw_board_flash_bytes(b), 0);
    ASSERT_OK(hw_board_load((f.board() + ":slow").c_str(), a, &b, &e), e);
    EXPECT_STREQ("toy/slow", hw_board_kernels(b));
}

#define SRAM "sram: {value: 4, unit: KiB, source: s}\n"
#define FOUR "size: {value: 4, unit: bytes, source: s}}"
TEST(HwYaml, MemoriesAddUp)
{
    Folder f;
    f.put("/boards/toy.yaml", replaced(board_yaml, SRAM, "instruction_cache: {value: 1, unit: KiB, source: s}\nmemories:\n  - {name: a, kind: sram, start: 0x100, " FOUR
                                       "\n  - {name: b, kind: flash, start: 0, " FOUR "\n  - {name: c, kind: sram, start: 0x104, " FOUR "\n"));
    shim::Arena a;
    hw_board *b = nullptr;
    err e = {};
    ASSERT_OK(hw_board_load(f.board().c_str(), a, &b, &e), e);
    EXPECT_EQ(8, hw_board_sram_bytes(b));
    EXPECT_EQ(4, hw_board_flash_bytes(b));
    EXPECT_EQ(1024, hw_board_icache(b).value);
    EXPECT_FALSE(hw_board_dcache(b).known);
    int n = 0;
    const hw_memory *m = hw_board_memories(b, &n);
    ASSERT_EQ(3, n);
    EXPECT_TRUE(m[1].flash && m[2].start == 0x104 && !m[0].wait_states.known);
}

TEST(HwYaml, EveryBrokenRuleSaysWhere)
{
    struct {
        const char *file, *base, *from, *to, *where;
    } const cases[] = {
        {"/boards/toy.yaml", board_yaml, "title: Toy board\n", "title: Toy board\ncolour: red\n", "3 toy.yaml:4:"},
        {"/boards/toy.yaml", board_yaml, "unit: MHz, source: s", "source: s", "3 toy.yaml:5:8"},
        {"/boards/toy.yaml", board_yaml, "source: s}\nsram", "error_pct: 3}\nsram", "3 toy.yaml:5:8"},
        {"/boards/toy.yaml", board_yaml, "value: 10,", "value: -10,", "3 toy.yaml:5:16"},
        {"/boards/toy.yaml", board_yaml, "value: 10,", "value: .inf,", "3 toy.yaml:5:16"},
        {"/boards/toy.yaml", board_yaml, "value: 10,", "value: nan,", "3 toy.yaml:5:16"},
        {"/boards/toy.yaml", board_yaml, "value: 10,", "value: ten,", "3 toy.yaml:5:16"},
        {"/boards/toy.yaml", board_yaml, "value: 10,", "value: 0,", "3 toy.yaml:5:8"},
        {"/boards/toy.yaml", board_yaml, "unit: MHz", "unit: GHz", "3 toy.yaml:5:26"},
        {"/boards/toy.yaml", board_yaml, "unit: MHz, source: s", "unit: MHz, source: nowhere", "3 toy.yaml:5:39"},
        {"/boards/toy.yaml", board_yaml, "unit: KiB, source: s", "unit: KiB, source: s, when: now", "3 toy.yaml:6:"},
        {"/boards/toy.yaml", board_yaml, "value: 1.5", "value: 0.5", "3 toy.yaml:10:37"},
        {"/boards/toy.yaml", board_yaml, "error_pct: 1,", "error_pct: -1,", "3 toy.yaml:11:52"},
        {"/boards/toy.yaml", board_yaml, "bitemu_board: 1", "bitemu_board: 2", "3 toy.yaml:1:15"},
        {"/boards/toy.yaml", board_yaml, "core: toy", "core: ../toy", "3 toy.yaml:4:7"},
        {"/boards/toy.yaml", board_yaml, "core: toy", "core: none", "3 toy.yaml"},
        {"/boards/toy.yaml", board_yaml, "s: made up", "s: \"\"", "3 toy.yaml:14:6"},
        {"/boards/toy.yaml", board_yaml, "name: toy\n", "name: toy\nname: toy\n", "3 toy.yaml:3:1"},
        {"/boards/toy.yaml", board_yaml, SRAM, "memories:\n  - {name: a, kind: sram, start: 0x100, " FOUR "\n  - {name: b, kind: flash, start: 0x103, " FOUR "\n", "3 toy.yaml:8:5"},
        {"/boards/toy.yaml", board_yaml, SRAM, "memories:\n  - {name: a, kind: sram, start: 0x1000000000, " FOUR "\n", "3 toy.yaml:7:34"},
        {"/boards/toy.yaml", board_yaml, SRAM, "memories:\n  - {name: a, kind: rom, start: 0x100, " FOUR "\n", "3 toy.yaml:7:21"},
        {"/boards/toy.yaml", board_yaml, "stacks:\n", "memories:\n  - {name: a, kind: sram, start: 256, " FOUR "\nstacks:\n", "3 toy.yaml:6:7"},
        {"/boards/toy.yaml", board_yaml, "stacks:\n", "operating_points: 3\nstacks:\n", "3 toy.yaml:7:19"},
        {"/boards/toy.yaml", board_yaml, "stacks:\n", "operating_points:\n  - {name: low}\nstacks:\n", "3 toy.yaml:8:5"},
        {"/boards/toy.yaml", board_yaml, "stacks:\n", "operating_points:\n  - {name: low, active_power: {value: 2, unit: mW, source: s}}\nstacks:\n", "3 toy.yaml:8:3"}, // the stack states one too
        {"/cores/toy.yaml", core_yaml, "alu:", "vector:", "3 toy.yaml:5:"},
        {"/cores/toy.yaml", core_yaml, "cycles:", "relative: ../x\ncycles:", "3 toy.yaml:4:11"},
        {"/kernels/toy.yaml", kernels_yaml, "[w4a4]", "[w8a8]", "3 toy.yaml:13:16"},
        {"/kernels/toy.yaml", kernels_yaml, "[w4a4]", "[a4]", "3 toy.yaml:13:16"},
        {"/kernels/toy.yaml", kernels_yaml, "[2, 4, 8]", "[2, 8, 4]", "3 toy.yaml:4:27"},
        {"/kernels/toy.yaml", kernels_yaml, "  pointwise:", "  pointless:", "3 toy.yaml:"},
        {"/kernels/toy.yaml", kernels_yaml, "unit: cycles/patch", "unit: cycles/mac", "3 toy.yaml:10:35"},
        {"/kernels/toy.yaml", kernels_yaml, "operators:", "trips: {call: {cycles: [1], error_pct: [1], unit: cycles/trip, source: s}}\noperators:", "3 toy.yaml:6:8"},
        {"/kernels/toy.yaml", kernels_yaml, "operators:", "row: rv32\ntrips: {call: {cycles: [1], error_pct: [1], unit: cycles/trip, source: s}}\noperators:", "3 toy.yaml:7:8"},
        {"/kernels/toy.yaml", kernels_yaml, "operators:", "row: rv32\nwaits: [[1, 0]]\ntrips: {}\noperators:", "3 toy.yaml:7:8"},
        {"/kernels/toy.yaml", kernels_yaml, "operators:", "row: rv32\nwaits: [[0, 0], [1]]\ntrips: {}\noperators:", "3 toy.yaml:7:17"},
        {"/kernels/toy.yaml", kernels_yaml, "operators:", "row: rv32\nwaits: [[0, 0], [1, 0]]\ntrips: {call: {cycles: [1], error_pct: [1, 2], unit: cycles/trip, source: s}}\noperators:", "3 toy.yaml:8:24"},
        {"/kernels/toy.yaml", kernels_yaml, "operators:", "row: rv32\nwaits: [[0, 0]]\ntrips: {call: {cycles: [-1], error_pct: [1], unit: cycles/trip, source: s}}\noperators:", "3 toy.yaml:8:25"},
        {"/kernels/toy.yaml", kernels_yaml, "operators:", "row: rv32\nwaits: [[0, 0]]\ntrips: {fall: {cycles: [1], error_pct: [1], unit: cycles/trip, source: s}}\noperators:", "3 toy.yaml:8:"},
        {"/kernels/toy.yaml", kernels_yaml, "      per_mac: {value: 1, unit: cycles/mac, source: s}\n", "", "3 toy.yaml:13:7"},
    };
    for (const auto &c : cases) {
        Folder f;
        f.put(c.file, replaced(c.base, c.from, c.to));
        std::string got = refusal(f);
        EXPECT_EQ(c.where, got.substr(0, std::strlen(c.where))) << c.to << " gave " << got;
    }
}

// Cycles of a trip by wait states; those that are not stated are refused, with what there is.
TEST(HwYaml, WaitStates)
{
    Folder f;
    f.put("/kernels/toy.yaml", replaced(kernels_yaml, "operators:", "row: rv32\nwaits: [[0, 0], [2, 1]]\ntrips:\n  call: {cycles: [100, 250], error_pct: [1, 3], unit: cycles/trip, source: s}\n"
                                                                    "  tile: {cycles: [7, unknown], error_pct: [1, unknown], unit: cycles/trip, source: s}\noperators:"));
    shim::Arena a;
    hw_board *b = nullptr;
    err e = {};
    ASSERT_OK(hw_board_load(f.board().c_str(), a, &b, &e), e);
    EXPECT_EQ(100, hw_trip_figures(b)[HW_TRIP_call].value);
    EXPECT_EQ(7, hw_trip_figures(b)[HW_TRIP_tile].value);
    ASSERT_OK(hw_board_set_waits(b, 2, 1, &e), e);
    EXPECT_EQ(250, hw_trip_figures(b)[HW_TRIP_call].value);
    EXPECT_EQ(3, hw_trip_figures(b)[HW_TRIP_call].error_pct);
    EXPECT_FALSE(hw_trip_figures(b)[HW_TRIP_tile].known);
    EXPECT_EQ(ST_ARG, hw_board_set_waits(b, 1, 1, &e));
    EXPECT_NE(nullptr, std::strstr(e.msg, "there are 0/0, 2/1"));
    Folder plain;
    err none = {};
    ASSERT_OK(hw_board_load(plain.board().c_str(), a, &b, &none), none);
    EXPECT_EQ(ST_ARG, hw_board_set_waits(b, 1, 0, &none));
}

// Every shipped board loads with every one of its stacks, and a core is found however it is written.
TEST(HwYaml, ShippedBoardsAndStacks)
{
    shim::Arena a;
    err e = {};
    const char *const *names = nullptr;
    ASSERT_OK(hw_board_names(a, &names, &e), e);
    int n = 0;
    for (; names[n]; n++) {
        hw_board *b = nullptr;
        EXPECT_OK(hw_board_load(names[n], a, &b, &e), e);
    }
    EXPECT_GE(n, 14);
    hw_board *one = nullptr, *other = nullptr;
    ASSERT_OK(hw_board_what_if("Cortex-M0+", 48e6, "xcubeai", a, &one, &e), e);
    ASSERT_OK(hw_board_what_if("cortex m0+ ", 48e6, "xcubeai", a, &other, &e), e);
    EXPECT_STREQ(hw_board_name(one), hw_board_name(other));
    EXPECT_NE(nullptr, hw_board_estimated(one)); // X-CUBE-AI was never measured there
    ASSERT_OK(hw_board_load("numaker-m467hj:plumerai", a, &one, &e), e); // a published stack that the board's file does not name
    EXPECT_EQ(nullptr, hw_board_estimated(one));
    ASSERT_OK(hw_board_what_if("cortex-m55", 48e6, "tflm_cmsisnn", a, &one, &e), e);
    EXPECT_STREQ("cortex-m85, its nearest relative", hw_board_estimated(one));
    EXPECT_EQ(ST_ARG, hw_board_what_if("cortex-m4", 0, "xcubeai", a, &one, &e));
    err e2 = {};
    EXPECT_EQ(ST_ARG, hw_board_what_if("z80", 4e6, "xcubeai", a, &one, &e2));
    EXPECT_NE(std::string::npos, std::string(e2.msg).find("cortex-m4")) << e2.msg;
}

// Every core that a shipped stack lists can be asked for, and the names of the published rows are such names.
TEST(HwYaml, EveryStackOnEveryCoreItLists)
{
    shim::Arena a;
    err e = {};
    int n = 0;
    for (const auto &entry : std::filesystem::directory_iterator(std::string(std::getenv("BITEMU_SOURCE")) + "/hwmodels/stacks")) {
        std::ifstream file(entry.path());
        std::string stack = entry.path().stem().string();
        bool cores = false;
        for (std::string line; std::getline(file, line);) {
            if (line == "cores:") cores = true;
            else if (!line.empty() && line[0] != ' ') cores = false;
            if (!cores || line.size() < 4 || line[0] != ' ' || line[2] == ' ' || line.back() != ':') continue;
            hw_board *b = nullptr;
            EXPECT_OK(hw_board_what_if(line.substr(2, line.size() - 3).c_str(), 1e8, stack.c_str(), a, &b, &e), e);
            n++;
        }
    }
    std::printf("%d pairs of stack and core\n", n);
    EXPECT_GT(n, 60);
}

TEST(HwYaml, PublishedCoresAndStacksResolve)
{
    NEEDS_SHARED();
    auto csv = read_csv(shim::shared() + "/reference/mlperf_tiny_results.csv");
    size_t core = (size_t)column(csv, "core_family"), stack = (size_t)column(csv, "stack_class"), cpu = (size_t)column(csv, "plain_cpu"), dtype = (size_t)column(csv, "dtype");
    std::set<std::pair<std::string, std::string>> pairs;
    for (size_t i = 1; i < csv.size(); i++) /* "proprietary" is the name of no stack */
        if (csv[i][cpu] == "yes" && csv[i][dtype] == "int8" && csv[i][stack] != "proprietary") pairs.insert({csv[i][core], csv[i][stack]});
    for (const auto &[family, name] : pairs) {
        shim::Arena a;
        hw_board *b = nullptr, *other = nullptr, *usual = nullptr;
        err e = {};
        std::string loud = " ";
        for (char ch : family) loud += ch == ' ' ? '_' : (char)std::toupper((unsigned char)ch);
        EXPECT_OK(hw_board_what_if(family.c_str(), 1e8, name.c_str(), a, &b, &e), e);
        EXPECT_OK(hw_board_what_if(loud.c_str(), 1e8, name.c_str(), a, &other, &e), e);
        EXPECT_OK(hw_board_what_if(family.c_str(), 1e8, nullptr, a, &usual, &e), e);
        if (b && other) { EXPECT_STREQ(hw_board_core(b), hw_board_core(other)); }
    }
    EXPECT_GT(pairs.size(), 15u);
}

// A point sets the clock, and the power of the stack in use where it is stated for it.
TEST(HwYaml, OperatingPoints)
{
    const std::string power = "    active_power: {value: 20, unit: mW, error_pct: 1, source: s}\n", points =
        "operating_points:\n  - name: fast\n    active_power: {value: 9, unit: mW, source: s}\n    stacks: {slow: {value: 7, unit: mW, source: s}}\n"
        "  - name: low\n    clock: {value: 1, unit: MHz, source: s}\n    idle_power: {value: 5, unit: uW, source: s}\n    active_power: {value: 0.5, unit: mW, source: s}\n";
    Folder f;
    f.put("/boards/toy.yaml", replaced(replaced(board_yaml, power, ""), "stacks:\n", points + "stacks:\n"));
    struct { const char *name, *point; double clock, power; } const cases[] = {{"", "fast", 1e7, 9}, {":slow", "fast", 1e7, 7}, {"@low", "low", 1e6, 0.5}, {"@low:slow", "low", 1e6, 0.5}, {"@fast:slow", "fast", 1e7, 7}};
    for (const auto &c : cases) {
        shim::Arena a;
        hw_board *b = nullptr;
        err e = {};
        ASSERT_OK(hw_board_load((f.board() + c.name).c_str(), a, &b, &e), e);
        EXPECT_STREQ(c.point, hw_board_point(b)) << c.name;
        EXPECT_STREQ("fast, low", hw_board_points(b));
        EXPECT_EQ(c.clock, hw_board_clock_hz(b)) << c.name;
        EXPECT_EQ(c.power, hw_board_active_power(b).value) << c.name;
        EXPECT_EQ(std::string(c.point) == "low", hw_board_idle_power(b).known) << c.name;
    }
    shim::Arena a;
    hw_board *b = nullptr;
    err e = {}, none = {};
    EXPECT_EQ(ST_ARG, hw_board_load((f.board() + "@high").c_str(), a, &b, &e));
    EXPECT_NE(std::string::npos, std::string(e.msg).find("fast, low")) << e.msg;
    f.put("/boards/toy.yaml", board_yaml);
    EXPECT_EQ(ST_ARG, hw_board_load((f.board() + "@low").c_str(), a, &b, &none));
    EXPECT_NE(std::string::npos, std::string(none.msg).find("states none")) << none.msg;
}

// A stack states its factors for a core, and others for one board of it.
TEST(HwYaml, StacksOnABoard)
{
    const std::string own = "      %: {conv: {value: 3, unit: cycles/instruction, source: s}, other: {value: 2, unit: cycles/instruction, source: s}}\n", stack =
        "bitemu_stack: 1\nname: lean\ntitle: Lean\nkernels: toy\nremoves_constant_channels: yes\ncores:\n  toy:\n    cycles_per_instruction: {other: {value: 1, unit: cycles/instruction, source: s}}\n"
        "    boards:\n" + own + "sources: {s: made up}\n";
    struct { const char *board, *from, *to, *where; double cycles; } const cases[] = {
        {"elsewhere", "", "", "", 1}, {"toy", "", "", "", 2}, {"toy", "channels: yes", "channels: maybe", "3 lean.yaml:5:28", 0}, {"toy", "{conv: ", "{convolution: ", "3 lean.yaml:10:", 0},
        {"toy", "value: 2,", "value: 0,", "3 lean.yaml:10:", 0}};
    for (const auto &c : cases) {
        Folder f;
        std::string text = replaced(stack, "%", c.board);
        f.put("/stacks/lean.yaml", *c.from ? replaced(text, c.from, c.to) : text);
        std::string name = f.board() + ":lean", got = refusal(f, name);
        if (*c.where) {
            EXPECT_EQ(c.where, got.substr(0, std::strlen(c.where))) << c.to << " gave " << got;
            continue;
        }
        shim::Arena a;
        hw_board *b = nullptr;
        err e = {};
        ASSERT_OK(hw_board_load(name.c_str(), a, &b, &e), e);
        EXPECT_EQ(c.cycles, b->factor[HW_POINTWISE].value);
        EXPECT_EQ(c.cycles + (c.cycles == 2), b->factor[HW_CONV].value);
        EXPECT_TRUE(b->removes_constant);
    }
}

TEST(HwYaml, NamesAndStacks)
{
    Folder f;
    shim::Arena a;
    hw_board *b = nullptr;
    err e = {};
    EXPECT_EQ(ST_ARG, hw_board_load("no-such-board", a, &b, &e));
    EXPECT_NE(std::string::npos, std::string(e.msg).find("nucleo-l4r5zi")) << e.msg;
    err e2 = {};
    EXPECT_EQ(ST_ARG, hw_board_load("nucleo-l4r5zi:nothing", a, &b, &e2));
    EXPECT_NE(std::string::npos, std::string(e2.msg).find("tflm-2.3.1")) << e2.msg;
    setenv("BITEMU_BOARDS", ("/nonexistent:" + f.root + "/boards").c_str(), 1);
    err e3 = {};
    EXPECT_OK(hw_board_load("toy:slow", a, &b, &e3), e3);
    EXPECT_STREQ("toy:slow", hw_board_name(b));
    const char *const *names = nullptr;
    ASSERT_OK(hw_board_names(a, &names, &e3), e3);
    std::vector<std::string> all;
    for (; *names; names++) all.push_back(*names);
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
    for (const char *one : {"toy", "nucleo-l4r5zi", "nucleo-g0b1re"}) EXPECT_EQ(1, std::count(all.begin(), all.end(), one)) << one;
    unsetenv("BITEMU_BOARDS");
}

} // namespace
