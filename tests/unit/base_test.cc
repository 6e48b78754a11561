// SPDX-License-Identifier: Apache-2.0
// Memory budgets, YAML places, arrays: what do they accept, and what do they say?
#include "tests/shim.hh"

extern "C" {
#include "base/npy.h"
#include "base/yaml.h"
}

#include <cstring>
#include <unistd.h>

namespace {

TEST(Arena, BudgetAndOverflowAreOrdinaryFailures)
{
    shim::Arena a(1000);
    EXPECT_NE(nullptr, arena_alloc(a, 10, 50));
    EXPECT_EQ(nullptr, arena_alloc(a, 10, 100));
    EXPECT_EQ(nullptr, arena_alloc(a, SIZE_MAX / 2, 4));
    EXPECT_NE(nullptr, arena_alloc(a, 0, 8));
    EXPECT_EQ(0u, (uintptr_t)arena_alloc(a, 1, 1) % 16);
}

TEST(Err, KeepsTheFirstAndGathersThePlace)
{
    err e = {};
    EXPECT_EQ(ST_FORMAT, err_set(&e, ST_FORMAT, "3:4", "bad %d", 7));
    EXPECT_EQ(ST_IO, err_set(&e, ST_IO, "x", "later"));
    err_at(&e, "%s", "a.yaml");
    EXPECT_EQ("a.yaml:3:4: bad 7", shim::text(e));
    EXPECT_EQ(ST_ARG, err_set(nullptr, ST_ARG, "", "no err at all"));
}

std::string yaml_error(const char *text, const char *const *allowed = nullptr)
{
    shim::Arena a;
    yaml_node *root;
    err e = {};
    status s = yaml_parse((const uint8_t *)text, std::strlen(text), a, &root, &e);
    if (s == ST_OK && allowed) s = yaml_check_keys(root, allowed, nullptr, &e);
    return s == ST_OK ? "" : shim::text(e);
}

TEST(Yaml, ErrorsCarryLineAndColumn)
{
    static const char *const allowed[] = {"a", "b", nullptr};
    EXPECT_EQ("", yaml_error("a: 1\nb: [1, 2]\n", allowed));
    EXPECT_EQ(0u, yaml_error("a: 1\n  \nc: 2\n", allowed).find("3:1: unknown key 'c'"));
    EXPECT_EQ(0u, yaml_error("a: 1\na: 2\n").find("2:1:"));
    EXPECT_EQ(0u, yaml_error("a: &x 1\nb: *x\n").find("2:4:"));
    EXPECT_NE("", yaml_error(""));
    EXPECT_NE("", yaml_error("a: [1"));
    EXPECT_NE("", yaml_error("a: 1\n---\nb: 2\n"));
    EXPECT_NE("", yaml_error(std::string(200, '[').c_str()));
}

TEST(Yaml, NumbersMustBeWholeTextInRange)
{
    shim::Arena a;
    yaml_node *root;
    int64_t v;
    double r;
    const char *text = "[12, -3, 1x, 0x10, '', 99, 1.5, nan, inf, 1e3]";
    ASSERT_EQ(ST_OK, yaml_parse((const uint8_t *)text, std::strlen(text), a, &root, nullptr));
    EXPECT_EQ(ST_OK, yaml_int(&root->items[0], "n", 0, 20, &v, nullptr));
    EXPECT_EQ(12, v);
    EXPECT_EQ(ST_OK, yaml_int(&root->items[1], "n", -5, 20, &v, nullptr));
    for (int i : {2, 3, 4, 5, 6}) EXPECT_EQ(ST_FORMAT, yaml_int(&root->items[i], "n", 0, 20, &v, nullptr)) << i;
    for (int i : {2, 3, 4, 7, 8}) EXPECT_EQ(ST_FORMAT, yaml_real(&root->items[i], "n", -1e9, 1e9, &r, nullptr)) << i;
    EXPECT_EQ(ST_OK, yaml_real(&root->items[9], "n", 0, 1e9, &r, nullptr));
    EXPECT_EQ(1000, r);
}

TEST(Npy, WritesWhatItReadsRowByRow)
{
    std::string path = testing::TempDir() + "bitemu_base_test.npz";
    err e = {};
    npz_writer *w;
    int member, other;
    npy_info info = {};
    info.type = NPY_I16;
    info.n_dims = 2;
    info.dims[0] = -1;
    info.dims[1] = 3;
    ASSERT_OK(npz_create(path.c_str(), &w, &e), e);
    ASSERT_OK(npz_add(w, "x", &info, &member, &e), e);
    info.n_dims = 1;
    ASSERT_OK(npz_add(w, "empty", &info, &other, &e), e);
    const int16_t rows[2][3] = {{1, -2, 3}, {400, 5, -32768}};
    for (const auto &row : rows) ASSERT_OK(npz_put(w, member, row, sizeof row, &e), e);
    EXPECT_NE(0, access(path.c_str(), F_OK)) << "nothing under the name before commit";
    ASSERT_OK(npz_commit(&w, &e), e);
    npy_reader *r;
    ASSERT_OK(npy_open(path.c_str(), "x", &r, &e), e);
    EXPECT_EQ(2, npy_reader_info(r)->dims[0]);
    int16_t got[3];
    ASSERT_OK(npy_skip_rows(r, 1, &e), e);
    ASSERT_OK(npy_read_row(r, got, &e), e);
    EXPECT_EQ(0, std::memcmp(got, rows[1], sizeof got));
    EXPECT_EQ(ST_ARG, npy_read_row(r, got, nullptr));
    npy_close(&r);
    EXPECT_EQ(ST_FORMAT, npy_open(path.c_str(), "y", &r, nullptr));
    std::remove(path.c_str());
}

TEST(Npy, HeaderRoundTripsEveryShape)
{
    for (int n = 0; n <= NPY_MAX_DIMS; n++) {
        npy_info info = {}, back;
        info.type = NPY_U8;
        info.n_dims = n;
        size_t elems = 1;
        for (int d = 0; d < n; d++) elems *= (size_t)(info.dims[d] = d % 3 + 1);
        std::vector<uint8_t> bytes(256 + elems);
        size_t head = npy_header(&info, (char *)bytes.data());
        bytes.resize(head + elems);
        const uint8_t *data;
        err e = {};
        ASSERT_OK(npy_parse(bytes.data(), bytes.size(), &back, &data, &e), e);
        EXPECT_EQ(0u, head % 64);
        EXPECT_EQ(n, back.n_dims);
        EXPECT_EQ(elems, back.n_elems);
        EXPECT_EQ(ST_FORMAT, npy_parse(bytes.data(), bytes.size() - 1, &back, &data, nullptr));
    }
}

} // namespace
