# SPDX-License-Identifier: Apache-2.0
"""Networks for boards: the layers of DS-CNN and ResNet-8 at 1, 2, 4 and 8 bits, and one of odd sizes and odd grids; random weights, fixed seed."""
import importlib.util

from support import SOURCE, need_numpy

np = need_numpy()
spec = importlib.util.spec_from_file_location("native", SOURCE / "train" / "bitemu_train" / "native.py")
native = importlib.util.module_from_spec(spec)
spec.loader.exec_module(native)

WIDTHS = (1, 2, 4, 8)


class Network:
    """Layers one after another; every layer with weights is bound to one choice of WIDTHS, nested in an 8-bit master. Activations keep all their bits
    (a = w only names the candidate, so that fixed:W picks it)."""

    def __init__(self, name, shape, dtype="int8", seed=1, profile="tflm", widths=WIDTHS):
        self.random = np.random.default_rng(seed)
        self.widths, self.shape = widths, list(shape)
        self.graph = {"name": name, "profile": profile, "inputs": ["x"], "outputs": [], "tensors": [{"name": "x", "dtype": dtype, "bits": 8, "shape": [1, *shape]}],
                      "choices": [{"name": "bits", "candidates": [{"w": w, "a": w} for w in widths]}] if widths else [], "layers": []}
        self.last, self.dtype, self.shapes, self.n = "x", dtype, {"x": list(shape)}, 0

    def _tensor(self, shape, dtype, data=None):
        self.n += 1
        t = {"name": f"t{self.n}", "dtype": dtype, "bits": {"int8": 8, "uint8": 8, "int32": 32}[dtype], "shape": list(shape)}
        if data is not None:
            t["data"] = data
        self.graph["tensors"].append(t)
        return t["name"]

    def _layer(self, op, inputs, out_shape, out_type=None, **more):
        out = self._tensor([1, *out_shape], out_type or self.dtype)
        self.graph["layers"].append({"name": f"l{len(self.graph['layers'])}", "op": op, "inputs": inputs, "outputs": [out], **more})
        self.last, self.shape, self.shapes[out] = out, list(out_shape), list(out_shape)
        return out

    def mac(self, op, out_c, k=(1, 1), stride=1, padding="same", nesting="half_even", keyed=True, raw=False, grid=None, in_zero=3, dilation=1):
        in_c = self.shape[-1]
        fc, depthwise = op == "FULLY_CONNECTED", op == "DEPTHWISE_CONV_2D"
        depth = int(np.prod(self.shape)) if fc else k[0] * k[1] * (1 if depthwise else in_c)
        shape = [out_c, depth] if fc else [1, *k, out_c] if depthwise else [out_c, *k, in_c]
        codes = self.random.integers(-128, 128, shape).astype(np.int8)
        more, entries, widths = {}, 1, self.widths
        if grid:
            widths = None
            kind, bits, codes = grid
            more["grid"] = kind
            codes = codes if codes is not None else self.random.integers(0, 1 << bits, shape).astype(np.uint8)
            codes = np.resize(codes, shape)
        w = self._tensor(shape, codes.dtype.name, codes)
        if grid:
            self.graph["tensors"][-1]["bits"] = grid[1]
        if widths:
            more |= {"choice": "bits", "weights": {"nesting": nesting, "bits": 8, "tensors": [w]}}
            entries = len(widths) if keyed else 1
        integer = {"keys": ["bits"] if widths and keyed else [], "bias": self.random.integers(-2000, 2000, (entries, out_c)).astype(np.int32), "in_zero": [in_zero] * entries}
        if not raw:
            spread = [np.sqrt(depth) * 60 * (2.0 ** (b - 1) if widths else 2 ** (grid[1] - 1)) / 60 for b in (widths if widths and keyed else (widths or (1,))[-1:])]
            low, high = (-128, 127) if self.dtype == "int8" else (0, 255)
            integer |= {"multiplier": self.random.integers(1 << 30, (1 << 31) - 1, (entries, out_c)).astype(np.int32),
                        "shift": np.stack([np.clip(self.random.integers(-1, 2, out_c) - int(np.log2(s + 1)), -31, 30) for s in spread]).astype(np.int8),
                        "out_zero": [in_zero] * entries, "out_min": [low] * entries, "out_max": [high] * entries}
        out = [out_c]
        if not fc:
            size = [(n + stride - 1) // stride if padding == "same" else (n - (f - 1) * dilation - 1) // stride + 1 for n, f in zip(self.shape, k)]
            out = [*size, out_c]
            more["attrs"] = {"padding": padding, "stride_h": stride, "stride_w": stride, "dilation_h": dilation, "dilation_w": dilation}
        return self._layer(op, [self.last, w], out, "int32" if raw else None, integer=integer, **more)

    def pool(self, op, k, stride):
        size = [(n - k) // stride + 1 for n in self.shape[:2]]
        return self._layer(op, [self.last], [*size, self.shape[2]], attrs={"padding": "valid", "stride_h": stride, "stride_w": stride, "filter_h": k, "filter_w": k})

    def add(self, a, b):
        m = self.random.integers(1 << 30, (1 << 31) - 1, (1, 2)).astype(np.int32)
        return self._layer("ADD", [a, b], self.shapes[a], integer={"keys": [], "multiplier": m, "shift": np.array([[0, -1]], np.int8), "out_zero": [-2]})

    def write(self, folder, inputs=2):
        self.graph["outputs"] = [self.last]
        path, x = folder / f"{self.graph['name']}.bitemu", folder / f"{self.graph['name']}_x.npy"
        native.write(path, self.graph)
        low, high = (-128, 128) if self.graph["tensors"][0]["dtype"] == "int8" else (0, 256)
        np.save(x, self.random.integers(low, high, (inputs, *self.graph["tensors"][0]["shape"][1:])).astype(self.graph["tensors"][0]["dtype"]))
        return path, x


def ds_cnn(folder):
    n = Network("ds_cnn_layers", (49, 10, 1))
    n.mac("CONV_2D", 64, (10, 4), 2)
    n.mac("DEPTHWISE_CONV_2D", 64, (3, 3), nesting="floor")
    n.mac("CONV_2D", 64, nesting="half_up")
    n.mac("DEPTHWISE_CONV_2D", 64, (3, 3), keyed=False)
    n.pool("AVERAGE_POOL_2D", 5, 5)
    n.mac("FULLY_CONNECTED", 12, raw=True, keyed=False)
    return n.write(folder)


def resnet8(folder):
    n = Network("resnet8_layers", (32, 32, 3), seed=2)
    a = n.mac("CONV_2D", 16, (3, 3))
    n.mac("CONV_2D", 32, (3, 3), 2, nesting="floor")
    b = n.mac("CONV_2D", 32, (3, 3))
    n.last, n.shape = a, n.shapes[a]
    c = n.mac("CONV_2D", 32, (1, 1), 2, keyed=False)
    n.add(b, c)
    n.mac("CONV_2D", 64, (3, 3), 2, nesting="half_up")
    n.pool("AVERAGE_POOL_2D", 8, 8)
    n.mac("FULLY_CONNECTED", 10, raw=True)
    return n.write(folder, 1)


def depthwise(folder, dtype="int8", profile="tflm", narrow=False):
    """Depthwise layers: windows with kernels of their own and others, strides, borders on every side, channels in fours, odd and multiplied, more than one band; narrow: an image of a quarter."""
    n = Network(f"depthwise_{dtype}", (11, 9, 3) if narrow else (23, 19, 3), dtype, 6, profile, (8, 4))
    zero = {"in_zero": 200 if dtype == "uint8" else -7}
    n.mac("DEPTHWISE_CONV_2D", 12, (3, 3), **zero)
    n.mac("DEPTHWISE_CONV_2D", 12, (3, 3), 2, nesting="floor", **zero)
    n.mac("DEPTHWISE_CONV_2D", 12, (3, 3), padding="valid", keyed=False, **zero)
    n.mac("CONV_2D", 7, **zero)
    n.mac("DEPTHWISE_CONV_2D", 7, (3, 3), dilation=2, **zero)
    n.mac("DEPTHWISE_CONV_2D", 7, (5, 3), **zero)
    n.mac("DEPTHWISE_CONV_2D", 7, (3, 3), 3, grid=("ternary", 2, n.random.integers(-1, 2, 63).astype(np.int8)), **zero)
    n.mac("DEPTHWISE_CONV_2D", 14, (2, 5), **zero)
    n.mac("DEPTHWISE_CONV_2D", 14, (3, 1), raw=True, **zero)
    return n.write(folder, 1)


def containers(folder):
    """Weights that are stored at 1, 2, 3 and 4 bits, signed as they are; depths below, at and beyond words and blocks."""
    n = Network("containers", (6, 6, 16), "int8", 4, "bitemu")
    for bits, out_c, k in ((4, 13, (3, 3)), (2, 16, (3, 2)), (1, 33, (1, 1)), (3, 7, (2, 2)), (1, 8, (3, 3)), (2, 5, (1, 1)), (4, 9, (1, 1))):
        n.mac("CONV_2D", out_c, k, grid=("affine", bits, n.random.integers(-(1 << (bits - 1)), 1 << (bits - 1), 991).astype(np.int8)))
    n.mac("DEPTHWISE_CONV_2D", 9, (3, 3), grid=("affine", 4, n.random.integers(-8, 8, 97).astype(np.int8)))
    n.mac("FULLY_CONNECTED", 11, raw=True)
    return n.write(folder, 3)


def greatest(folder, bits):
    """The greatest sums that there are: all codes and all weights the least, deeper than any kernel sums without a second thought."""
    n = Network(f"greatest_{bits}", (9, 11, 10), "int8", 7, widths=None)
    n.mac("FULLY_CONNECTED", 3, raw=True, grid=("affine", bits, np.full(1, -(1 << (bits - 1)), np.int8)))
    model, x = n.write(folder, 1)
    np.save(x, np.full_like(np.load(x), -128))
    return model, x


def binary(folder, profile="bitemu"):
    """Binary weights by binary inputs: both kinds of padding, strides, channels that fill no word, codes of one bit in between, sums as they are."""
    n = Network("binary", (9, 7, 5), "uint8", 8, profile, widths=None)
    n.graph["tensors"][0]["bits"] = 1
    for out_c, k, stride, padding, pad, shift in ((33, (3, 3), 1, "same", "one", -1), (16, (3, 2), 2, "same", "zero", 0), (7, (1, 1), 1, "same", "one", -2), (64, (2, 3), 1, "valid", "zero", -1)):
        n.mac("CONV_2D", out_c, k, stride, padding, grid=({"weights": "binary", "input": "binary", "pad": pad}, 1, None), in_zero=0)
        n.graph["tensors"][-1]["bits"] = 1
        n.graph["layers"][-1]["integer"] |= {"out_min": [0], "out_max": [1], "out_zero": [0], "bias": n.random.integers(-3, 4, (1, out_c)).astype(np.int32),
                                                "shift": np.full((1, out_c), shift, np.int8)}
    n.mac("FULLY_CONNECTED", 10, raw=True, grid=({"weights": "binary", "input": "binary", "pad": "zero"}, 1, None), in_zero=0)
    model, x = n.write(folder, 3)
    np.save(x, np.load(x) & 1)
    return model, x


def odd(folder, dtype):
    """Sizes that are no multiple of anything; weights of every grid; small enough for 16 KiB."""
    n = Network(f"odd_{dtype}", (7, 9, 5), dtype, 3, "bitemu")
    ternary = n.random.integers(-1, 2, 997).astype(np.int8)
    n.mac("CONV_2D", 11, (3, 2), in_zero=0 if dtype == "int8" else 200)
    n.mac("CONV_2D", 7, (3, 3), 2, "valid", grid=("binary", 1, None))
    n.mac("DEPTHWISE_CONV_2D", 21, (2, 3), grid=("ternary", 2, ternary))
    n.mac("CONV_2D", 9, grid=("odd", 3, None))
    n.pool("MAX_POOL_2D", 2, 1)
    n.mac("CONV_2D", 3, (1, 2), grid=({"weights": "codebook", "table": [-90, -3, 0, 41]}, 2, None))
    n.mac("FULLY_CONNECTED", 13, keyed=False)
    n.mac("FULLY_CONNECTED", 1, raw=True)
    return n.write(folder, 3)
