// SPDX-License-Identifier: Apache-2.0
// tests/recorded.hh - recorded operator calls of other libraries: NAME.json lists cases, NAME.npz holds each role's elements of all
// cases one after the other (shared/oracles/kernels/README.md).
#ifndef BITEMU_TESTS_RECORDED_HH
#define BITEMU_TESTS_RECORDED_HH

#include "tests/shim.hh"

extern "C" {
#include "base/npy.h"
}

#include <jansson.h>

#include <cstring>
#include <map>

namespace shim {

struct Recorded {
    Arena mem;
    json_t *root = nullptr;
    std::string path;
    struct Array {
        npy_info info;
        const void *data;
    };
    std::map<std::string, Array> arrays;

    explicit Recorded(const std::string &name) : path(shared() + "/oracles/kernels/" + name)
    {
        json_error_t why;
        root = json_load_file((path + ".json").c_str(), 0, &why);
        EXPECT_NE(nullptr, root) << path << ".json:" << why.line << ": " << why.text;
    }
    ~Recorded() { json_decref(root); }
    Recorded(const Recorded &) = delete;
    Recorded &operator=(const Recorded &) = delete;

    size_t size() const { return json_array_size(json_object_get(root, "cases")); }

    // One case: its parameters and its arrays.
    struct Case {
        Recorded *of;
        const json_t *j;

        bool has(const char *role) const { return json_object_get(json_object_get(j, "shapes"), role) != nullptr; }
        double number(const char *key, double absent = 0) const
        {
            const json_t *v = json_object_get(j, key);
            return v ? json_number_value(v) : absent;
        }
        int integer(const char *key, int absent = 0) const { return (int)number(key, absent); }
        std::string text(const char *key) const
        {
            const char *s = json_string_value(json_object_get(j, key));
            return s ? s : "";
        }
        std::vector<int> shape(const char *role) const
        {
            std::vector<int> out;
            const json_t *a = json_object_get(json_object_get(j, "shapes"), role);
            for (size_t i = 0; i < json_array_size(a); i++) out.push_back((int)json_integer_value(json_array_get(a, i)));
            return out;
        }
        // The elements of a role; T must be the recorded type.
        template <typename T>
        std::vector<T> get(const char *role) const
        {
            const Array &a = of->array(role);
            size_t n = 1, at = (size_t)json_integer_value(json_object_get(json_object_get(j, "offset"), role));
            for (int d : shape(role)) n *= (size_t)d;
            std::vector<T> out(n);
            EXPECT_EQ(sizeof(T), npy_type_bytes(a.info.type)) << role;
            if (sizeof(T) != npy_type_bytes(a.info.type) || at + n > a.info.n_elems) {
                ADD_FAILURE() << of->path << ": " << role << " is not as the JSON says";
                return out;
            }
            std::memcpy(out.data(), (const T *)a.data + at, n * sizeof(T));
            return out;
        }
    };
    Case at(size_t i) { return {this, json_array_get(json_object_get(root, "cases"), i)}; }

    const Array &array(const char *role)
    {
        auto found = arrays.find(role);
        if (found != arrays.end()) return found->second;
        Array a = {};
        err e = {};
        EXPECT_OK(npy_load((path + ".npz").c_str(), role, mem, &a.info, &a.data, &e), e);
        return arrays[role] = a;
    }
};

} // namespace shim

#endif
