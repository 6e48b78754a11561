# SPDX-License-Identifier: Apache-2.0
"""Every weight grid and width as a native model: the emulator under profile bitemu equals the PyTorch integer reference on every logit of
random inputs, the file survives being read and written, and what is wrong in a file is named."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("BITEMU_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BITEMU = os.environ.get("BITEMU", str(SOURCE / "build" / "cli" / "bitemu"))
sys.path.insert(0, str(SOURCE / "train"))
try:
    import numpy as np
    import torch
    from bitemu_train import grids, integer, native
    from bitemu_train.integers import Graph, conv_attrs
except ImportError as missing:
    np = None
    print(f"SKIPPED: {missing} (Debian: python3-torch python3-yaml)")

SEED = int(os.environ.get("BITEMU_SEED", "20260101"))
IN_C, OUT_C, CLASSES, N = 5, 6, 3, 12
APOT = {3: [[0, 4, 1, 2]], 4: [[0, 4, 1, 2], [0, 8]], 5: [[0, 16, 4, 1], [0, 8, 2, 32]], 8: [[0, 64, 8, 1], [0, 32, 4, 2], [0, 16, 2, 1], [0, 8192]]}


def cases():
    """name, grid, width"""
    for k in (*range(1, 9), 16):
        yield f"affine{k}", {"weights": "affine"}, k
    for k in range(1, 9):
        yield f"odd{k}", {"weights": "odd"}, k
        yield f"codebook{k}", {"weights": "codebook", "table": [(37 * i * i - 90 * i) % 256 - 128 for i in range(2 ** k)]}, k
    yield "codebook of int16", {"weights": "codebook", "table": [-32768, -300, 0, 32767]}, 2
    yield "binary", {"weights": "binary"}, 1
    yield "ternary", {"weights": "ternary"}, 2
    yield "ternary2", {"weights": "ternary2"}, 2
    for k in range(2, 6):
        yield f"pow2 {k}", {"weights": "pow2"}, k
    for k, terms in APOT.items():
        yield f"apot{k}", {"weights": "apot", "terms": terms}, k


def weight_type(grid, k):
    low, high = grids.code_range(grid, k)
    return "int16" if k > 8 else "uint8" if high > 127 else "int8"


def weights(rng, grid, k, shape):
    low, high = grids.code_range(grid, k)
    return rng.integers(low, high + 1, shape)


def requant(rng, grid, x_top, w_top, n, out_top):
    """Tables of a layer of n products that use the output's range."""
    size = x_top * w_top * max(n, 1) ** 0.5
    real = out_top / size / 3
    shift = int(np.floor(np.log2(real))) + 1
    m = rng.integers(2 ** 30, 2 ** 31, OUT_C)
    t = {"multiplier": m[None].astype(np.int32), "shift": np.full((1, OUT_C), shift, np.int8)}
    if grid["weights"] == "ternary2":
        t["multiplier_n"] = rng.integers(2 ** 28, 2 ** 31, (1, OUT_C)).astype(np.int32)
        t["addend"] = rng.integers(-2 ** 40, 2 ** 40, (1, OUT_C))
    return t, size


def network(rng, grid, k, in_type="uint8", requantize=requant, out_type="int8"):
    """conv 3x3 same, stride 2, of the grid -> fully connected of 8 bits -> raw logits."""
    g = Graph()
    top = 32767 if in_type == "int16" else 255 if in_type == "uint8" else 127
    g.tensor("x", in_type, 16 if in_type == "int16" else 8, [1, 7, 6, IN_C])
    g.tensor("w", weight_type(grid, k), k, [OUT_C, 3, 3, IN_C], weights(rng, grid, k, [OUT_C, 3, 3, IN_C]))
    g.tensor("y", out_type, 16 if out_type == "int16" else 8, [1, 4, 3, OUT_C])
    values = grids.values(grids.of({"grid": grid}), k, torch.arange(grids.code_range(grid, k)[0], grids.code_range(grid, k)[1] + 1))
    out_top = 32767 if out_type == "int16" else 127
    t, size = requantize(rng, grid, top, max(int(values.abs().max()), 1), 9 * IN_C, out_top)
    t["keys"] = []
    if in_type != "int16":
        t["in_zero"] = [int(rng.integers(0, 100))]
    t["out_zero"] = [int(rng.integers(-20, 20))]
    if grid["weights"] != "ternary2":
        limit = int(min(size, 2 ** 31 - 1))
        t["bias64" if in_type == "int16" else "bias"] = rng.integers(-limit, limit, (1, OUT_C)).astype(np.int64 if in_type == "int16" else np.int32)
    g.layer("conv", "CONV_2D", ["x", "w"], "y", attrs=conv_attrs(2), grid=grid, integer=t)
    g.tensor("wf", "int8", 8, [CLASSES, 12 * OUT_C], rng.integers(-128, 128, [CLASSES, 12 * OUT_C]))
    g.tensor("logits", "int32", 32, [1, CLASSES])
    g.layer("fc", "FULLY_CONNECTED", ["y", "wf"], "logits", integer={"keys": []})
    return {"inputs": ["x"], "outputs": ["logits"], "tensors": g.tensors, "layers": g.layers}


def inputs(rng, kind, shape=(7, 6, IN_C), top=None):
    info = np.iinfo(kind)
    return rng.integers(info.min if top is None else 0, (info.max if top is None else top) + 1, (N, *shape)).astype(kind)


@unittest.skipIf(np is None, "PyTorch is not installed")
class Grids(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) if hasattr(self, "enterContext") else pathlib.Path(tempfile.mkdtemp())
        print(f"BITEMU_SEED={SEED}")
        self.rng = np.random.default_rng(SEED)

    def bitemu(self, *args):
        return subprocess.run([BITEMU, *map(str, args)], capture_output=True, text=True)

    def compute(self, model, x, profile="bitemu", policy=None):
        np.save(self.tmp / "x.npy", x)
        more = ["--policy", policy] if policy else []
        done = self.bitemu("run", model, "--input", self.tmp / "x.npy", "--profile", profile, "--dump", self.tmp / "d.npz", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return np.load(self.tmp / "d.npz")["out0"].reshape(len(x), -1)

    def equal(self, name, graph, x, profile="bitemu", policy=None, candidates=()):
        """Emulator = reference; written, read and written again = the same bytes, and the same results."""
        a, b, c = (self.tmp / f"{n}.bitemu" for n in "abc")
        native.write(a, graph)
        with self.subTest(name):
            want = integer.Model(native.read(a), profile).run(x, list(candidates))[0].numpy()
            self.assertGreater(len(np.unique(want)), 2 if want.max() > 1 else 1, "a test that computes one number proves nothing")
            np.testing.assert_array_equal(self.compute(a, x, profile, policy), want)
            for source, to in ((a, b), (b, c)):
                done = self.bitemu("inspect", source, "--save", to)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(b.read_bytes(), c.read_bytes())
            np.testing.assert_array_equal(self.compute(b, x, profile, policy), want)
        return a

    def test_every_grid_and_width(self):
        for name, grid, k in cases():
            self.equal(name, network(self.rng, grid, k), inputs(self.rng, "uint8"))

    def test_int16_activations(self):
        for name, grid, k in cases():
            self.equal(name, network(self.rng, grid, k, "int16", out_type="int16"), inputs(self.rng, "int16"))

    def test_signed_activations(self):
        for name, grid, k in cases():
            self.equal(name, network(self.rng, grid, k, "int8"), inputs(self.rng, "int8"))

    def test_grids_within_int8_run_under_tflm(self):
        for name, grid, k in cases():
            if name in ("affine16", "ternary2", "codebook of int16", "odd8", "pow2 5", "apot8"):
                native.write(self.tmp / "a.bitemu", network(self.rng, grid, k))
                done = self.bitemu("inspect", self.tmp / "a.bitemu", "--profile", "tflm")
                self.assertEqual(done.returncode, 3, name)
                self.assertIn("tflm", done.stderr)
            else:
                graph = network(self.rng, grid, k)
                graph["layers"][0]["integer"].update(out_min=[-128], out_max=[127])
                self.equal(name, graph, inputs(self.rng, "uint8"), "tflm")

    def test_other_profiles_see_expanded_weights(self):
        """Under every profile a grid's layer equals the affine 8-bit layer of the same values, whatever its codes' width."""
        rng, tried = self.rng, 0
        names = [p["name"] for p in json.loads(self.bitemu("profiles", "--format", "json").stdout) if p["name"] != "larq"]
        for name, grid, k in (c for c in cases() if c[0] in ("odd4", "ternary", "pow2 4", "apot4", "codebook2", "codebook4")):
            for op, shape in (("CONV_2D", [OUT_C, 3, 3, IN_C]), ("DEPTHWISE_CONV_2D", [1, 3, 3, 2 * IN_C])):
                out_c = shape[0] if op == "CONV_2D" else shape[3]
                codes = weights(rng, grid, k, shape)
                twin = grids.values(grids.of({"grid": grid}), k, torch.from_numpy(codes)).numpy()
                t = {"keys": [], "multiplier": rng.integers(2 ** 30, 2 ** 31, (1, out_c)).astype(np.int32), "shift": np.full((1, out_c), -9, np.int8),
                     "bias": rng.integers(-9999, 9999, (1, out_c)).astype(np.int32)}
                for i, (values, bits, more) in enumerate(((codes, k, {"grid": grid}), (twin, 8, {}))):
                    g = Graph()
                    g.tensor("x", "int8", 8, [1, 7, 6, IN_C])
                    g.tensor("w", "int8", bits, shape, values)
                    g.tensor("y", "int8", 8, [1, 4, 3, out_c])
                    g.layer("it", op, ["x", "w"], "y", attrs=conv_attrs(2), integer=t, **more)
                    native.write(self.tmp / f"{i}.bitemu", {"inputs": ["x"], "outputs": ["y"], "tensors": g.tensors, "layers": g.layers})
                for profile in names:
                    with self.subTest(name, op=op, profile=profile):
                        codes01 = [self.bitemu("inspect", self.tmp / f"{i}.bitemu", "--profile", profile).returncode for i in (0, 1)]
                        self.assertEqual(codes01[0], codes01[1])
                        if codes01 == [0, 0]:
                            tried += 1
                            x = inputs(rng, "int8")
                            np.testing.assert_array_equal(self.compute(self.tmp / "0.bitemu", x, profile), self.compute(self.tmp / "1.bitemu", x, profile))
        self.assertGreater(tried, 100)

    def test_shift_alone_and_addends(self):
        def shift_only(rng, grid, x_top, w_top, n, out_top):
            size = x_top * w_top * n ** 0.5
            s = -int(np.log2(size / out_top))
            return {"shift": np.full((1, OUT_C), s, np.int8) + rng.integers(-1, 2, (1, OUT_C)).astype(np.int8)}, size

        def with_addend(rng, *args):
            t, size = requant(rng, *args)
            return {**t, "addend": rng.integers(-2 ** 38, 2 ** 38, (1, OUT_C))}, size
        for rule in (shift_only, with_addend):
            for kind in ("uint8", "int16"):
                self.equal(f"{rule.__name__} {kind}", network(self.rng, {"weights": "pow2"}, 4, kind, rule), inputs(self.rng, kind))

    def test_nested(self):
        for kind in ("affine", "odd"):
            for nesting in ("floor", "half_up", "half_even"):
                graph = network(self.rng, {"weights": kind}, 8)
                graph["choices"] = [{"name": "c", "candidates": [{"w": w, "a": w} for w in range(1, 9)]}]
                graph["layers"][0].update(choice="c", weights={"nesting": nesting, "bits": 8, "tensors": ["w"]})
                for w in range(1, 9):
                    self.equal(f"{kind} {nesting} {w}", graph, inputs(self.rng, "uint8"), "bitemu", f"fixed:{w}", [w - 1])

    def binary_network(self, pad, channels):
        """binary x binary with thresholds, twice."""
        g, rng = Graph(), self.rng
        g.tensor("x", "uint8", 1, [1, 7, 6, channels])
        for i, (name, size, c) in enumerate((("y", [1, 4, 3], channels), ("z", [1, 2, 2], 8))):
            out = (8, 33)[i]
            g.tensor(f"w{i}", "uint8", 1, [out, 3, 3, c], rng.integers(0, 2, [out, 3, 3, c]))
            g.tensor(name, "uint8", 1, [*size, out])
            grid = {"weights": "binary", "input": "binary", "pad": pad}
            t = {"keys": [], "threshold": rng.integers(-6, 7, (1, out)).astype(np.int32)}
            g.layer(name, "CONV_2D", [("x", "y")[i], f"w{i}"], name, attrs=conv_attrs(2), grid=grid, integer=t)
        return {"inputs": ["x"], "outputs": ["z"], "tensors": g.tensors, "layers": g.layers}

    def test_binary_by_binary(self):
        for pad in ("one", "zero"):
            for channels in (32, 5):
                x = inputs(self.rng, "uint8", (7, 6, channels), 1)
                model = self.equal(f"pad {pad}, {channels} channels", self.binary_network(pad, channels), x)
                if pad == "one" or channels % 2 == 0:
                    np.testing.assert_array_equal(self.compute(model, x, "larq"), self.compute(model, x, "bitemu"))

    def test_binary_output_feeds_a_pool_and_raw_sums(self):
        graph = self.binary_network("one", 32)
        graph["layers"] = graph["layers"][:1]
        graph["layers"][0]["integer"] = {"keys": []}
        graph["tensors"] = graph["tensors"][:3]
        graph["tensors"][2].update(dtype="int32", bits=32)
        graph["outputs"] = ["y"]
        self.equal("raw", graph, inputs(self.rng, "uint8", (7, 6, 32), 1))

    def refused(self, change, *words, code=4):
        graph = network(self.rng, {"weights": "codebook", "table": [1, 2, 3, 4]}, 2)
        change(graph, graph["layers"][0], next(t for t in graph["tensors"] if t["name"] == "w"))
        native.write(self.tmp / "bad.bitemu", graph)
        done = self.bitemu("inspect", self.tmp / "bad.bitemu")
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        return done.stderr

    def test_bad_files(self):
        place = r"bad\.bitemu:model\.yaml:\d+:\d+"

        def grid(**g):
            return lambda m, l, w: l.update(grid=g)
        for change, word in ((grid(weights="quaternary"), "quaternary"), (grid(weights="codebook", table=[1, 2, 3]), "3 values"),
                             (grid(weights="codebook", table=[1, 2, 3, 40000]), "40000"), (grid(weights="codebook"), "table"),
                             (grid(weights="odd", table=[1, 2]), "table"), (grid(weights="apot", terms=[[0, 3]]), "3 is not"),
                             (grid(weights="apot", terms=[[0, 1, 2]]), "3 values"), (grid(weights="apot", terms=[[0, 16384], [0, 16384]]), "beyond int16"),
                             (grid(weights="odd", pad="one"), "pad"), (grid(weights="odd", colour=1), "colour")):
            self.assertRegex(self.refused(change, word), place)
        for change, word in ((grid(weights="binary"), "2 bits"), (grid(weights="codebook", table=[5, 6]), "grid codebook has 1"),
                             (grid(weights="ternary"), "are -1 to 1"), (grid(weights="ternary2"), "multiplier_n"), (grid(weights="binary", input="binary"), "bits"),
                             (lambda m, l, w: w["data"].__setitem__((0, 0, 0, 0), 4), "code 4"),
                             (lambda m, l, w: l.pop("integer"), "integers")):
            self.assertIn("conv", self.refused(change, word))
        self.refused(lambda m, l, w: l["integer"].update(threshold=np.zeros((1, OUT_C), np.int32)), "threshold")
        self.refused(lambda m, l, w: m["layers"].append({"name": "flat", "op": "RESHAPE", "inputs": ["y"], "outputs": ["z"], "grid": "odd"})
                     or m["tensors"].append({"name": "z", "dtype": "int8", "bits": 8, "shape": [1, 12 * OUT_C]}), "flat", "grid")
        self.refused(lambda m, l, w: l["integer"].update(left_shift=3), "left_shift")
        self.refused(lambda m, l, w: l["integer"].update(bias64=np.zeros((1, OUT_C), np.int64)), "bias64")
        self.refused(lambda m, l, w: l["integer"].update(out_max=[128]), "out_max")

    def test_add_and_mul_with_zero_points(self):
        """ADD with three multipliers and a left shift, MUL with one, int8 and int16."""
        rng = self.rng
        for profile in ("tflm", "bitemu"):
            for kind in ("int8", "int16"):
                bits, top = (8, 127) if kind == "int8" else (16, 32767)
                g = Graph()
                for name in ("x", "sum", "product"):
                    g.tensor(name, kind, bits, [1, 4, 4, 2])
                add = {"keys": [], "left_shift": 20 if bits == 8 else 15, "out_zero": [3],
                       "multiplier": rng.integers(2 ** 30, 2 ** 31, (1, 3)).astype(np.int32), "shift": np.array([[-1, 0, -19 if bits == 8 else -14]], np.int8)}
                mul = {"keys": [], "multiplier": rng.integers(2 ** 30, 2 ** 31, (1, 1)).astype(np.int32), "shift": np.array([[2 - bits]], np.int8), "out_max": [top - 5]}
                if bits == 8:
                    add.update(in_zero=[-7], in_zero2=[11])
                    mul.update(in_zero=[2], in_zero2=[-9])
                g.layer("sum", "ADD", ["x", "x"], "sum", integer=add)
                g.layer("product", "MUL", ["sum", "x"], "product", integer=mul)
                graph = {"inputs": ["x"], "outputs": ["product"], "tensors": g.tensors, "layers": g.layers}
                self.equal(f"{profile} {kind}", graph, inputs(rng, kind, (4, 4, 2)), profile)

    def test_float_scales(self):
        """`scale` where the profile's rule is float32: xnnpack's nearest even; larq's scale and offset, float and int8 outputs."""
        rng = self.rng
        graph = network(rng, {"weights": "affine"}, 8, "int8")
        layer = graph["layers"].pop()
        graph["outputs"], t = ["y"], graph["layers"][0]["integer"]
        scale = rng.uniform(1e-4, 1e-3, (1, OUT_C)).astype(np.float32)
        del t["multiplier"], t["shift"]
        raw = {**graph, "layers": [{**graph["layers"][0], "integer": {k: t[k] for k in ("keys", "bias", "in_zero")}}],
               "tensors": [{**x, "dtype": "int32", "bits": 32} if x["name"] == "y" else x for x in graph["tensors"]]}
        t["scale"] = scale
        native.write(self.tmp / "a.bitemu", graph)
        x = inputs(rng, "int8")
        acc = integer.Model(raw).run(x, [])[0].numpy().reshape(N, -1, OUT_C)
        want = np.clip(np.rint(acc.astype(np.float32) * scale) + t["out_zero"][0], -128, 127).reshape(N, -1)
        np.testing.assert_array_equal(self.compute(self.tmp / "a.bitemu", x, "xnnpack"), want)
        self.assertEqual(self.bitemu("inspect", self.tmp / "a.bitemu", "--profile", "bitemu").returncode, 3)
        del layer

        g = self.binary_network("one", 32)
        g["layers"], g["tensors"], g["outputs"] = g["layers"][:1], g["tensors"][:3], ["y"]
        x = inputs(rng, "uint8", (7, 6, 32), 1)
        layer, y = g["layers"][0], g["tensors"][2]
        layer["integer"] = {"keys": []}
        y.update(dtype="int32", bits=32)
        acc = integer.Model({**g}).run(x, [])[0].numpy().reshape(N, -1, 8)
        layer["integer"] = {"keys": [], "scale": rng.uniform(-0.3, 0.3, (1, 8)).astype(np.float32), "offset": rng.uniform(-9, 9, (1, 8)).astype(np.float32),
                            "acc_min": [-40], "acc_max": [60]}
        real = (9 * 32 - np.clip(acc, -40, 60)).astype(np.float32) * layer["integer"]["scale"] + layer["integer"]["offset"]
        for kind, bits, want in (("float32", 32, real), ("int8", 8, np.clip(np.sign(real) * np.floor(np.abs(real) + np.float32(0.5)), -128, 127))):
            y.update(dtype=kind, bits=bits)
            native.write(self.tmp / "a.bitemu", g)
            for model in ("a", "b"):
                np.testing.assert_array_equal(self.compute(self.tmp / f"{model}.bitemu", x, "larq"), want.reshape(N, -1))
                self.assertEqual(self.bitemu("inspect", self.tmp / f"{model}.bitemu", "--save", self.tmp / "b.bitemu").returncode, 0)

    def test_flash(self):
        """Packed codes plus what a codebook takes."""
        def flash(grid, k):
            native.write(self.tmp / "f.bitemu", network(self.rng, grid, k))
            done = self.bitemu("plan", self.tmp / "f.bitemu", "--format", "json")
            self.assertEqual(done.returncode, 0, done.stderr)
            out = json.loads(done.stdout)
            return out["weight_bytes"], out["table_bytes"]
        fc, n = CLASSES * 12 * OUT_C, OUT_C * 9 * IN_C
        base = flash({"weights": "affine"}, 4)
        self.assertEqual(base[0], fc + -(-n * 4 // 8))
        for name, k, table in (("odd", 1, 0), ("binary", 1, 0), ("ternary", 2, 0), ("pow2", 5, 0)):
            self.assertEqual(flash({"weights": name}, k), (fc + -(-n * k // 8), base[1] + table))
        self.assertEqual(flash({"weights": "codebook", "table": list(range(16))}, 4)[1], base[1] + 16)
        self.assertEqual(flash({"weights": "codebook", "table": [1000] * 16}, 4)[1], base[1] + 32)


if __name__ == "__main__":
    unittest.main()
