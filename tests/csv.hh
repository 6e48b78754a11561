// SPDX-License-Identifier: Apache-2.0
// tests/csv.hh - rows of a CSV file.
#ifndef BITEMU_TESTS_CSV_HH
#define BITEMU_TESTS_CSV_HH

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace shim {

inline std::vector<std::vector<std::string>> read_csv(const std::string &path)
{
    std::vector<std::vector<std::string>> rows;
    std::ifstream f(path);
    EXPECT_TRUE(f.good()) << path;
    bool quoted = false;
    for (std::string line; std::getline(f, line);) {
        if (!quoted) rows.emplace_back(1);
        for (char ch : line) {
            if (ch == '\r') continue;
            if (ch == '"') quoted = !quoted;
            else if (ch == ',' && !quoted) rows.back().emplace_back();
            else rows.back().back() += ch;
        }
    }
    return rows;
}

inline int column(const std::vector<std::vector<std::string>> &csv, const std::string &name)
{
    for (size_t i = 0; i < csv[0].size(); i++)
        if (csv[0][i] == name) return (int)i;
    ADD_FAILURE() << "no column " << name;
    return 0;
}

} // namespace shim

#endif
