// SPDX-License-Identifier: Apache-2.0
// tests/toy_board.hh - a small board of our own with its core and kernels, in a temporary folder.
#ifndef BITEMU_TESTS_TOY_BOARD_HH
#define BITEMU_TESTS_TOY_BOARD_HH

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace shim {

const char *const core_yaml =
    "bitemu_core: 1\nname: toy\ntitle: Toy core\ncycles:\n  alu: {value: 1, unit: cycles/instruction, source: s}\n"
    "sources: {s: made up}\n";
const char *const kernels_yaml =
    "bitemu_kernels: 1\nname: toy\ntitle: Toy kernels\nweight_containers: [2, 4, 8]\nactivation_containers: [4, 8]\noperators:\n"
    "  pointwise:\n"
    "    - widths: [w8a8]\n"
    "      per_mac: {value: 2, unit: instructions/mac, error_pct: 10, source: s}\n"
    "      per_patch: {value: 3, unit: cycles/patch, error_pct: 20, source: s}\n"
    "      per_output: {value: 5, unit: cycles/output, error_pct: 0, source: s}\n"
    "      per_call: {value: 100, unit: cycles/call, error_pct: 0, source: s}\n"
    "    - widths: [w4a4]\n"
    "      per_mac: {value: 1, unit: cycles/mac, source: s}\n"
    "  average_pool:\n"
    "    - widths: [a8]\n"
    "      per_window: {value: 4, unit: instructions/window, error_pct: 0, source: s}\n"
    "sources: {s: made up}\n";
const char *const board_yaml =
    "bitemu_board: 1\n"                                                                                                  // 1
    "name: toy\n"                                                                                                        // 2
    "title: Toy board\n"                                                                                                 // 3
    "core: toy\n"                                                                                                        // 4
    "clock: {value: 10, unit: MHz, source: s}\n"                                                                         // 5
    "sram: {value: 4, unit: KiB, source: s}\n"                                                                           // 6
    "stacks:\n"                                                                                                          // 7
    "  - name: fast\n"                                                                                                   // 8
    "    kernels: toy\n"                                                                                                 // 9
    "    cycles_per_instruction: {value: 1.5, unit: cycles/instruction, error_pct: 5, source: s}\n"                      // 10
    "    active_power: {value: 20, unit: mW, error_pct: 1, source: s}\n"                                                 // 11
    "  - {name: slow, kernels: toy, cycles_per_instruction: {value: 3, unit: cycles/instruction, source: s}}\n"          // 12
    "sources:\n"                                                                                                         // 13
    "  s: made up\n";                                                                                                    // 14

inline std::string replaced(std::string text, const std::string &from, const std::string &to)
{
    size_t at = text.find(from);
    EXPECT_NE(std::string::npos, at) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

struct Folder {
    std::string root;
    Folder()
    {
        char name[] = "/tmp/hw_test_XXXXXX";
        root = mkdtemp(name) ? name : "";
        for (const char *sub : {"/boards", "/cores", "/kernels", "/stacks"}) EXPECT_EQ(0, mkdir((root + sub).c_str(), 0700));
        put("/cores/toy.yaml", core_yaml);
        put("/kernels/toy.yaml", kernels_yaml);
        put("/boards/toy.yaml", board_yaml);
    }
    ~Folder()
    {
        for (const char *f : {"/boards/toy.yaml", "/cores/toy.yaml", "/kernels/toy.yaml", "/stacks/lean.yaml", "/boards", "/cores", "/kernels", "/stacks", ""})
            (void)remove((root + f).c_str());
    }
    void put(const std::string &path, const std::string &text) const { std::ofstream(root + path) << text; }
    std::string board() const { return root + "/boards/toy.yaml"; }
};

} // namespace shim

#endif
