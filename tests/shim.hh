// SPDX-License-Identifier: Apache-2.0
// tests/shim.hh - how GoogleTest sees the C code: one extern "C" block, and failures that carry the error's place and text.
#ifndef BITEMU_TESTS_SHIM_HH
#define BITEMU_TESTS_SHIM_HH

#include <gtest/gtest.h>

extern "C" {
#include "base/arena.h"
#include "base/file.h"
#include "base/status.h"
}

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace shim {

inline std::string text(const err &e) { return std::string(e.where) + ": " + e.msg; }

// EXPECT_OK(f(..., &e), e)
#define EXPECT_OK(call, e) EXPECT_EQ(ST_OK, (call)) << shim::text(e)
#define ASSERT_OK(call, e) ASSERT_EQ(ST_OK, (call)) << shim::text(e)

// An arena that ends with its scope.
struct Arena {
    arena *a;
    explicit Arena(size_t budget = 0) : a(arena_create(budget)) {}
    ~Arena() { arena_destroy(&a); }
    Arena(const Arena &) = delete;
    Arena &operator=(const Arena &) = delete;
    operator arena *() const { return a; }
};

// First index where two arrays differ, both values, and how many differ; "" when equal.
template <typename T>
std::string first_difference(const T *expected, const T *got, size_t n)
{
    size_t first = n, count = 0;
    for (size_t i = 0; i < n; i++) {
        if (expected[i] == got[i]) continue;
        if (first == n) first = i;
        count++;
    }
    if (!count) return "";
    return "index " + std::to_string(first) + ": expected " + std::to_string(expected[first]) + ", got " + std::to_string(got[first]) + " (" +
           std::to_string(count) + " of " + std::to_string(n) + " differ)";
}

// The folder of shared test material, or "" when this checkout has none.
inline std::string shared()
{
    const char *given = std::getenv("BITEMU_SHARED");
    return given ? given : "";
}

// Seed of random tests: BITEMU_SEED, else fixed; printed so that a failure can be repeated.
inline unsigned long seed()
{
    const char *given = std::getenv("BITEMU_SEED");
    unsigned long s = given ? std::strtoul(given, nullptr, 10) : 20260101ul;
    std::printf("BITEMU_SEED=%lu\n", s);
    return s;
}

} // namespace shim

#define NEEDS_SHARED()                                                                                                           \
    if (shim::shared().empty()) GTEST_SKIP() << "no shared test material (BITEMU_SHARED is not set)"

#endif
