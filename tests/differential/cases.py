# SPDX-License-Identifier: Apache-2.0
"""Random cases: one operator, its shapes, scales, constants, and inputs. Case i of a seed is always the same, whatever else is run."""
import dataclasses
import math

import numpy as np

from write_tflite import Tensor, write

RANGE = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
# LiteRT refuses a convolution without bias, and its optimized depthwise kernels crash.
NO_BIAS = {"CONV_2D": ("tflm",), "DEPTHWISE_CONV_2D": ("tflm", "litert-ref"), "FULLY_CONNECTED": (), "TRANSPOSE_CONV": ()}
PROFILES = ("tflm", "litert-ref", "ruy", "xnnpack")
SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3


@dataclasses.dataclass
class Case:
    index: int
    op: str
    kind: str      # widths: "w8a8", "a16", "int8-float32"
    model: bytes
    inputs: list   # runs: each a list of arrays, one per model input
    profiles: tuple  # () = every engine; else those that neither refuse nor crash on such a model


class Maker:
    """Random numbers with a taste for the extreme."""

    def __init__(self, seed, index, attempt, op):
        self.op = op
        self.rng = np.random.default_rng([seed, index, attempt])
        self.tensors, self.given, self.profiles = [], [], ()

    def chance(self, p):
        return self.rng.random() < p

    def pick(self, *of):
        return of[int(self.rng.integers(len(of)))]

    def whole(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def power(self, low, high):
        """2^x, x uniform in [low, high], as float32."""
        return float(np.float32(2.0 ** self.rng.uniform(low, high)))

    def scale(self):
        if self.chance(0.15):
            return 2.0 ** self.whole(-12, 0)
        return self.power(-16, 6) if self.chance(0.15) else self.power(-9, -1)

    def zero(self, dtype):
        low, high = RANGE[dtype]
        return 0 if dtype == "int16" else self.pick(low, high, (low + high + 1) // 2, self.whole(low, high), self.whole(low, high))

    def dim(self, most):
        return self.whole(1, most) if self.chance(0.8) else self.whole(1, 3 * most)

    def add(self, *args, **kw):
        self.tensors.append(Tensor(*args, **kw))
        return len(self.tensors) - 1

    def codes(self, shape, dtype="int8"):
        """Constant or input codes: usually spread, sometimes narrow or at the ends."""
        low, high = RANGE[dtype]
        how = self.rng.random()
        if how < 0.6:
            return self.rng.integers(low, high + 1, shape).astype(dtype)
        if how < 0.8:
            return np.clip(np.round(self.rng.normal(0, (high - low) / 8, shape) + (low + high) / 2), low, high).astype(dtype)
        if how < 0.95:
            return self.rng.choice(np.array([low, high, low + 1, (low + high + 1) // 2], dtype), shape)
        return np.full(shape, self.pick(low, high), dtype)

    def input(self, shape, dtype, scale=None, zero=None):
        shape = tuple(shape)
        scales = () if dtype in ("float32", "int32", "int64") and scale is None else (scale if scale is not None else self.scale(),)
        zeros = () if not scales else (zero if zero is not None else self.zero(dtype) if dtype in RANGE else 0,)
        i = self.add(shape, dtype, scales, zeros)
        self.given.append(i)
        return i

    def runs(self, n=5):
        """n runs: all lowest, all highest, then as codes() likes."""
        out = []
        for k in range(n):
            run = []
            for i in self.given:
                t = self.tensors[i]
                if t.type == "float32":
                    x = (self.rng.normal(0, 1, t.shape) * 10 ** self.rng.uniform(-2, 3)).astype(np.float32)
                    x = np.round(x) / 2 if k == 0 else x  # ties
                elif k == 2 and len(self.given) == 1 and t.type in RANGE:
                    low, high = RANGE[t.type]
                    count = np.prod(t.shape, dtype=int)
                    x = (np.arange(count) if t.type != "int16" else self.rng.integers(0, 1 << 16, count)).reshape(t.shape) % (high - low + 1) + low
                    x = x.astype(t.type)  # every code of 8 bits, if there is room
                elif t.type in RANGE:
                    x = np.full(t.shape, RANGE[t.type][k], t.type) if k < 2 else self.codes(t.shape, t.type)
                else:
                    x = self.rng.integers(-1 << 31, 1 << 31, t.shape).astype(t.type)
                run.append(x)
            out.append(run)
        return out

    def output_scale(self, typical):
        """Most often such that results of size `typical` (real) fill the codes, sometimes far off: multipliers over 1 and tiny ones."""
        if self.chance(0.12):
            return float(np.float32(typical * 2.0 ** self.rng.uniform(-24, 16)))
        return float(np.float32(typical * 2.0 ** self.rng.uniform(-3, 3)))

    def activation(self):
        return self.pick(NONE, NONE, RELU, RELU_N1_TO_1, RELU6)


def image(m, most=8, channels=9):
    return (m.pick(1, 1, 1, 2), m.dim(most), m.dim(most), m.dim(channels))


def windows(padding, size, k, stride, dilation=1):
    return -(-size // stride) if padding == SAME else (size - (k - 1) * dilation - 1) // stride + 1


def place(m, size, padding, dilations=True):
    """Window, stride, dilation along one side."""
    k = m.pick(1, 2, 3, 3, 5, m.whole(1, 7))
    d = m.pick(1, 1, 1, 2, 3) if dilations else 1
    if padding == VALID:
        k = min(k, size)
        d = 1 if k == 1 else min(d, max(1, (size - 1) // (k - 1)))
    return k, m.pick(1, 1, 2, 3), d


def mac_constants(m, kind, shape, out_c, axis, depth, in_scale, per_tensor):
    """Weights and bias; returns their tensors and the output's scale."""
    four = kind.startswith("w4")
    low, high = (-8, 7) if four else (-128, 127)
    how = m.rng.random()
    if how < 0.7:
        w = m.rng.integers(low if m.chance(0.3) else low + 1, high + 1, shape)
    elif how < 0.9:
        w = np.clip(np.round(m.rng.normal(0, high / 4, shape)), low, high)
    else:
        w = np.full(shape, m.pick(low, high))
    base, spread = m.scale(), m.pick(0.5, 2, 8)
    n = 1 if per_tensor else out_c
    scales = tuple(float(np.float32(base * 2.0 ** m.rng.uniform(-spread, spread))) for _ in range(n))
    wide = kind.endswith("a16")
    typical = in_scale * float(np.median(scales)) * math.sqrt(depth) * (3 if four else 50) * (16 if wide else 32)
    out_scale = m.output_scale(typical / (16 if wide else 1))
    bias = "none" if m.chance(0.06) else m.pick("small", "small", "typical", "extreme")
    if bias == "none":
        b, btype = -1, ""
        m.profiles = NO_BIAS[m.op]
    else:
        btype = "int32" if not wide else "int64" if m.op == "DEPTHWISE_CONV_2D" else m.pick("int64", "int64", "int32")
        if wide and btype == "int32" and m.op == "TRANSPOSE_CONV":
            m.profiles = PROFILES[1:]  # tflite-micro takes it for int64
        size = {"small": 1000, "typical": max(1, int(math.sqrt(depth) * 2000)), "extreme": 1 << 31}[bias]
        values = m.rng.integers(-size, size, out_c)
        if bias == "extreme" and m.chance(0.5):
            values = m.rng.choice(np.array([-1 << 31, (1 << 31) - 1, 0, 1]), out_c)
        b = m.add((out_c,), btype, tuple(float(np.float32(in_scale * s)) for s in scales), (0,) * n, 0, values)
    weights = m.add(shape, "int4" if four else "int8", scales, (0,) * n, axis if n > 1 else 0, w)
    return weights, b, btype, out_scale


def activations(kind):
    return "int16" if kind.endswith("a16") else "int8"


def bias_type(btype):
    return {"QuantizedBiasType": 2} if btype == "int32" else {}


def conv(m, op, kind):
    dtype, padding = activations(kind), m.pick(SAME, VALID)
    n, h, w, c = image(m)
    (kh, sh, dh), (kw, sw, dw) = place(m, h, padding), place(m, w, padding)
    depthwise = op == "DEPTHWISE_CONV_2D"
    multiplier = m.pick(1, 1, 1, 2, 3, 4)
    groups = m.pick(2, c) if not depthwise and c % 2 == 0 and m.chance(0.1) else 1
    out_c = c * multiplier if depthwise else groups * m.dim(max(1, 10 // groups))
    x = m.input((n, h, w, c), dtype)
    shape = (1, kh, kw, out_c) if depthwise else (out_c, kh, kw, c // groups)
    depth = kh * kw * (1 if depthwise else c // groups)
    wt, b, btype, scale = mac_constants(m, kind, shape, out_c, 3 if depthwise else 0, depth, m.tensors[x].scales[0], False)
    y = m.add((n, windows(padding, h, kh, sh, dh), windows(padding, w, kw, sw, dw), out_c), dtype, (scale,), (m.zero(dtype),))
    options = {"Padding": padding, "StrideW": sw, "StrideH": sh, "FusedActivationFunction": m.activation(), "DilationWFactor": dw, "DilationHFactor": dh}
    if depthwise:
        return write(op, ("DepthwiseConv2DOptions", {**options, "DepthMultiplier": multiplier}), m.tensors, [x, wt] + [b] * (b >= 0), [y])
    return write(op, ("Conv2DOptions", {**options, **bias_type(btype)}), m.tensors, [x, wt] + [b] * (b >= 0), [y])


def fully_connected(m, op, kind):
    dtype = activations(kind)
    rows, depth, out_c = m.pick(1, 1, m.dim(6)), m.dim(40), m.dim(12)
    keep = m.chance(0.2)
    x = m.input((rows, m.whole(1, 3), depth) if keep else (rows, depth), dtype)
    wt, b, btype, scale = mac_constants(m, kind, (out_c, depth), out_c, 0, depth, m.tensors[x].scales[0], m.chance(0.5))
    y = m.add(m.tensors[x].shape[:-1] + (out_c,), dtype, (scale,), (m.zero(dtype),))
    options = {"FusedActivationFunction": m.activation(), "KeepNumDims": keep, **bias_type(btype)}
    return write(op, ("FullyConnectedOptions", options), m.tensors, [x, wt] + [b] * (b >= 0), [y])


def pool(m, op, kind):
    dtype, padding = activations(kind), m.pick(SAME, VALID)
    n, h, w, c = image(m, 10, 12)
    (kh, sh, _), (kw, sw, _) = place(m, h, padding, False), place(m, w, padding, False)
    if m.chance(0.15):
        kh, kw, sh, sw, padding = h, w, 1, 1, VALID
    x = m.input((n, h, w, c), dtype)
    y = m.add((n, windows(padding, h, kh, sh), windows(padding, w, kw, sw), c), dtype, m.tensors[x].scales, m.tensors[x].zeros)
    options = {"Padding": padding, "StrideW": sw, "StrideH": sh, "FilterWidth": kw, "FilterHeight": kh, "FusedActivationFunction": m.activation()}
    return write(op, ("Pool2DOptions", options), m.tensors, [x], [y])


def mean(m, op, kind):
    dtype = activations(kind)
    rank = m.pick(2, 3, 4, 4, 4)
    shape = tuple(m.dim(8) for _ in range(rank))
    axes = [1, 2] if rank == 4 and m.chance(0.6) else sorted(m.rng.choice(rank, m.whole(1, rank - 1), replace=False).tolist())
    keep = m.chance(0.5)
    x = m.input(shape, dtype)
    a = m.add((len(axes),), "int32", data=np.array([i - rank if m.chance(0.2) else i for i in axes]))
    left = tuple(1 if i in axes else d for i, d in enumerate(shape) if keep or i not in axes)
    if m.chance(0.25):
        q = m.tensors[x].scales, m.tensors[x].zeros
    else:
        q = (m.output_scale(m.tensors[x].scales[0]),), (m.zero(dtype),)
    y = m.add(left, dtype, *q)
    return write(op, ("ReducerOptions", {"KeepDims": keep}), m.tensors, [x, a], [y])


def binary(m, op, kind):
    dtype = activations(kind)
    shape = image(m, 5, 12)[m.whole(0, 2):]
    other = m.pick(shape, shape, shape, (1,), (shape[-1],), tuple(d if m.chance(0.5) else 1 for d in shape))
    if m.chance(0.3):
        shape, other = other, shape
    pot = dtype == "int16" and m.chance(0.4)
    power = (lambda: 2.0 ** m.whole(-16, -10)) if pot else lambda: None
    close = m.scale()
    x1 = m.input(shape, dtype, power() or (close if m.chance(0.7) else None))
    x2 = m.input(other, dtype, power() or (close * m.power(-3, 3) if m.chance(0.7) else None))
    s1, s2 = m.tensors[x1].scales[0], m.tensors[x2].scales[0]
    size = 2.0 ** (7 if dtype == "int8" else 15)
    scale = (max(s1, s2) * 2 if m.chance(0.7) else power() or m.scale()) if op == "ADD" else m.output_scale(s1 * s2 * size / 2)
    y = m.add(np.broadcast_shapes(shape, other), dtype, (float(np.float32(scale)),), (m.zero(dtype),))
    options = {"FusedActivationFunction": m.activation()}
    if op == "ADD":
        options["PotScaleInt16"] = m.chance(0.7) if pot else m.chance(0.2)
    return write(op, ("AddOptions" if op == "ADD" else "MulOptions", options), m.tensors, [x1, x2], [y])


def softmax(m, op, kind):
    from_type, to_type = {"a8": ("int8", "int8"), "a16": ("int16", "int16"), "a8o16": ("int8", "int16"), "u8": ("uint8", "uint8")}[kind]
    shape = m.pick((m.dim(4), m.dim(30)), (1, m.dim(100)), (1, m.dim(3), m.dim(3), m.dim(20)), (m.dim(50),))
    x = m.input(shape, from_type, m.power(-12, 1) if from_type != "int16" else m.power(-16, -8))
    y = m.add(shape, to_type, ({"a8o16": 1 / 65536, "a16": 1 / 32768}.get(kind, 1 / 256),), ({"a8": -128, "a8o16": -32768}.get(kind, 0),))
    return write(op, ("SoftmaxOptions", {"Beta": m.pick(1.0, 1.0, m.power(-2, 2))}), m.tensors, [x], [y])


def every_code(m, dtype):
    """A shape for all codes of 8 bits, or a sample of 16."""
    return (1, m.pick(256, 261, 279)) if dtype != "int16" else (1, 1501)


def pointwise(m, op, kind):
    dtype = activations(kind)
    scale = m.power(-10, 0) if dtype == "int8" else m.pick(2.0 ** m.whole(-16, -9), 2.0 ** m.pick(-12, -11, -10), m.power(-17, -8))
    x = m.input(every_code(m, dtype), dtype, scale)
    if op == "LOGISTIC":
        q = (1 / 256,), (-128,)
    elif op == "TANH":
        q = (1 / 128,), (0,)
    else:
        q = (m.output_scale(scale),), (m.zero(dtype),)
    if dtype == "int16" and op in ("LOGISTIC", "TANH"):
        q = (1 / 32768,), (0,)
    y = m.add(m.tensors[x].shape, dtype, *q)
    alpha = float(np.float32(m.pick(0.1, 0.01, 0.3, 0.0, 1.5, -0.5, m.rng.uniform(-1, 1))))
    options = ("LeakyReluOptions", {"Alpha": alpha}) if op == "LEAKY_RELU" else ("HardSwishOptions", {}) if op == "HARD_SWISH" else None
    return write(op, options, m.tensors, [x], [y])


def quantize(m, op, kind):
    from_type, to_type = kind.split("-")
    scale = m.scale()
    x = m.input(every_code(m, from_type) if from_type != "float32" else (1, 301), from_type, None if from_type == "float32" else scale,
                0 if from_type == "int32" else None)
    q = ((), ()) if to_type == "float32" else ((max(m.output_scale(scale), 1e-5 if from_type == "float32" else 0),), (0 if to_type == "int32" else m.zero(to_type),))
    y = m.add(m.tensors[x].shape, to_type, *q)
    return write(op, (("QuantizeOptions" if op == "QUANTIZE" else "DequantizeOptions"), {}), m.tensors, [x], [y])


def same(m, x):
    """Scale and zero point of tensor x."""
    return m.tensors[x].scales, m.tensors[x].zeros


def reshape(m, op, kind):
    shape = image(m, 5, 6)
    x = m.input(shape, kind)
    size = math.prod(shape)
    to = m.pick((size,), (shape[0], size // shape[0]), (shape[0] * shape[1], shape[2] * shape[3]), (1,) + shape[1:] + (shape[0],))
    s = m.add((len(to),), "int32", data=np.array(to))
    y = m.add(to, kind, *same(m, x))
    return write(op, ("ReshapeOptions", {}), m.tensors, [x, s], [y])


def transpose(m, op, kind):
    rank = m.whole(2, 4)
    shape, perm = tuple(m.dim(6) for _ in range(rank)), m.rng.permutation(rank)
    x = m.input(shape, kind)
    p = m.add((rank,), "int32", data=perm)
    y = m.add(tuple(shape[i] for i in perm), kind, *same(m, x))
    return write(op, ("TransposeOptions", {}), m.tensors, [x, p], [y])


def pad(m, op, kind):
    rank = m.whole(2, 4)
    shape = tuple(m.dim(6) for _ in range(rank))
    pads = m.rng.integers(0, 4, (rank, 2)) * (m.rng.random((rank, 2)) < 0.7)
    x = m.input(shape, kind)
    p = m.add((rank, 2), "int32", data=pads)
    y = m.add(tuple(int(d + a + b) for d, (a, b) in zip(shape, pads)), kind, *same(m, x))
    return write(op, ("PadOptions", {}), m.tensors, [x, p], [y])


def tile(m, op, kind):
    rank = m.whole(1, 4)
    shape, times = tuple(m.dim(5) for _ in range(rank)), m.rng.integers(1, 4, rank)
    x = m.input(shape, kind)
    t = m.add((rank,), "int32", data=times)
    y = m.add(tuple(int(d * k) for d, k in zip(shape, times)), kind, *same(m, x))
    return write(op, ("TileOptions", {}), m.tensors, [x, t], [y])


def concatenation(m, op, kind):
    rank = m.whole(1, 4)
    shape, axis, n = [m.dim(5) for _ in range(rank)], m.whole(0, rank - 1), m.whole(1, 4)
    scale, zero = (m.scale(), m.zero(kind)) if kind in RANGE else (None, None)
    inputs, total = [], 0
    for _ in range(n):
        shape[axis] = m.dim(5)
        total += shape[axis]
        inputs.append(m.input(tuple(shape), kind, scale, zero))
    shape[axis] = total
    y = m.add(tuple(shape), kind, *same(m, inputs[0]))
    return write(op, ("ConcatenationOptions", {"Axis": axis - rank if m.chance(0.3) else axis}), m.tensors, inputs, [y])


def pack(m, op, kind):
    rank = m.whole(1, 3)
    shape, axis, n = tuple(m.dim(5) for _ in range(rank)), m.whole(0, rank), m.whole(1, 4)
    scale, zero = (m.scale(), m.zero(kind)) if kind in RANGE else (None, None)
    inputs = [m.input(shape, kind, scale, zero) for _ in range(n)]
    y = m.add(shape[:axis] + (n,) + shape[axis:], kind, *same(m, inputs[0]))
    return write(op, ("PackOptions", {"ValuesCount": n, "Axis": axis}), m.tensors, inputs, [y])


def strided_slice(m, op, kind):
    rank = m.whole(1, 4)
    shape = tuple(m.dim(6) for _ in range(rank))
    begin, end, stride, to, begin_mask, end_mask = [], [], [], [], 0, 0
    for i, d in enumerate(shape):
        s = m.pick(1, 1, 2, 3, -1, -2)
        b = m.whole(0, d - 1)
        e = m.whole(b + 1, d) if s > 0 else (m.whole(0, b - 1) if b > 0 else -d - 1)
        if m.chance(0.2):
            begin_mask |= 1 << i
            b = 0 if s > 0 else d - 1
            begin.append(m.whole(0, d - 1))
        else:
            begin.append(b - d if m.chance(0.2) else b)
        if m.chance(0.2):
            end_mask |= 1 << i
            e = d if s > 0 else -d - 1
        end.append(e)
        to.append(len(range(d)[slice(b, None if e == -d - 1 else e, s)]))
        stride.append(s)
    if 0 in to:
        return None
    x = m.input(shape, kind)
    consts = [m.add((rank,), "int32", data=np.array(v)) for v in (begin, end, stride)]
    y = m.add(tuple(to), kind, *same(m, x))
    return write(op, ("StridedSliceOptions", {"BeginMask": begin_mask, "EndMask": end_mask}), m.tensors, [x, *consts], [y])


def shape_of(m, op, kind):
    x = m.input(tuple(m.dim(5) for _ in range(m.whole(1, 4))), kind)
    y = m.add((len(m.tensors[x].shape),), "int32")
    return write(op, ("ShapeOptions", {"OutType": 2}), m.tensors, [x], [y])


def arg_max(m, op, kind):
    rank = m.whole(1, 4)
    shape, axis = tuple(m.dim(8) for _ in range(rank)), m.whole(0, rank - 1)
    x = m.input(shape, kind)
    a = m.add((), "int32", data=np.array(axis - rank if m.chance(0.3) else axis))
    y = m.add(shape[:axis] + shape[axis + 1:], "int32")
    return write(op, ("ArgMaxOptions", {"OutputType": 2}), m.tensors, [x, a], [y])


def transpose_conv(m, op, kind):
    dtype, padding = activations(kind), m.pick(SAME, VALID)
    n, h, w, c = image(m, 6, 6)
    kh, kw, sh, sw, out_c = m.whole(1, 5), m.whole(1, 5), m.pick(1, 2, 3), m.pick(1, 2, 3), m.dim(6)
    out = [size * s if padding == SAME else (size - 1) * s + k for size, s, k in ((h, sh, kh), (w, sw, kw))]
    x = m.input((n, h, w, c), dtype)
    wt, b, btype, scale = mac_constants(m, kind, (out_c, kh, kw, c), out_c, 0, kh * kw * c, m.tensors[x].scales[0], False)
    s = m.add((4,), "int32", data=np.array([n, *out, out_c]))
    y = m.add((n, *out, out_c), dtype, (scale,), (m.zero(dtype),))
    options = {"Padding": padding, "StrideW": sw, "StrideH": sh, "FusedActivationFunction": m.pick(NONE, NONE, RELU, RELU6), **bias_type(btype)}
    return write(op, ("TransposeConvOptions", options), m.tensors, [s, wt, x] + [b] * (b >= 0), [y], version=4)


def resize_bilinear(m, op, kind):
    shape, to = image(m, 8, 5), (m.dim(10), m.dim(10))
    x = m.input(shape, kind)
    s = m.add((2,), "int32", data=np.array(to))
    y = m.add((shape[0], *to, shape[3]), kind, *same(m, x))
    align, half = m.pick((False, False), (True, False), (False, True))
    return write(op, ("ResizeBilinearOptions", {"AlignCorners": align, "HalfPixelCenters": half}), m.tensors, [x, s], [y], version=3)


def svdf(m, op, kind):
    batch, size, units, rank, memory = m.pick(1, 1, 2), m.dim(10), m.dim(6), m.pick(1, 1, 2), m.whole(1, 8)
    filters, time = units * rank, "int8" if kind == "w8a8t8" else "int16"
    if time == "int8":
        m.profiles = ("tflm",)  # LiteRT takes the state for int16
    x = m.input((batch, size), "int8")
    f_scale, t_scale = m.scale(), m.power(-10, -4)
    s_scale = m.output_scale(m.tensors[x].scales[0] * f_scale * math.sqrt(size) * 50 / (100 if time == "int16" else 1))
    f = m.add((filters, size), "int8", (f_scale,), (0,), 0, m.rng.integers(-127, 128, (filters, size)))
    low, high = RANGE[time]
    t = m.add((filters, memory), time, (t_scale,), (0,), 0, m.rng.integers(low // 16, high // 16, (filters, memory)))
    b = m.add((units,), "int32", (float(np.float32(s_scale * t_scale)),), (0,), 0, m.rng.integers(-1000, 1000, units)) if time == "int8" or m.chance(0.8) else -1
    if b < 0:
        m.profiles = PROFILES[1:]  # tflite-micro crashes
    state = m.add((batch, memory * filters), time, (s_scale,), (0,), variable=True)
    y = m.add((batch, units), "int8", (m.output_scale(s_scale * t_scale * (high / 16) * (20 if time == "int16" else 5)),), (m.zero("int8"),))
    return write(op, ("SVDFOptions", {"Rank": rank, "FusedActivationFunction": RELU}), m.tensors, [x, f, t, b, state], [y], version=3)


def log_softmax(m, op, kind):
    x = m.input((m.dim(4), m.dim(20)), "float32")
    y = m.add(m.tensors[x].shape, "float32")
    return write(op, ("LogSoftmaxOptions", {}), m.tensors, [x], [y])


MACS = (("w8a8",) * 3 + ("w8a16", "w4a8"))
MOVED = ("int8", "int16", "int32", "float32")
# operator: (maker, kinds, weight in the rotation)
OPS = {
    "CONV_2D": (conv, MACS, 6), "DEPTHWISE_CONV_2D": (conv, MACS, 6), "FULLY_CONNECTED": (fully_connected, MACS, 5),
    "AVERAGE_POOL_2D": (pool, ("a8", "a8", "a16"), 2), "MAX_POOL_2D": (pool, ("a8", "a8", "a16"), 2), "MEAN": (mean, ("a8", "a8", "a16"), 3),
    "ADD": (binary, ("a8", "a8", "a16"), 3), "MUL": (binary, ("a8", "a8", "a16"), 3), "SOFTMAX": (softmax, ("a8", "a8", "a16", "a8o16", "u8"), 2),
    "LOGISTIC": (pointwise, ("a8", "a16"), 2), "TANH": (pointwise, ("a8", "a16"), 2), "LEAKY_RELU": (pointwise, ("a8", "a16"), 1),
    "HARD_SWISH": (pointwise, ("a8",), 1),
    "QUANTIZE": (quantize, ("int8-int8", "int16-int16", "int8-int16", "int16-int8", "int8-int32", "int16-int32", "uint8-int8", "int8-uint8",
                            "float32-int8", "float32-int16", "float32-uint8", "int32-int8", "int32-int16"), 3),
    "DEQUANTIZE": (quantize, ("int8-float32", "int16-float32", "uint8-float32"), 1),
    "RESHAPE": (reshape, MOVED, 1), "TRANSPOSE": (transpose, MOVED, 1), "PAD": (pad, MOVED, 1), "TILE": (tile, MOVED, 1),
    "CONCATENATION": (concatenation, MOVED, 1), "PACK": (pack, MOVED, 1), "STRIDED_SLICE": (strided_slice, MOVED, 1), "SHAPE": (shape_of, MOVED, 1),
    "ARG_MAX": (arg_max, ("int8", "float32"), 1), "TRANSPOSE_CONV": (transpose_conv, ("w8a8", "w8a16"), 2),
    "RESIZE_BILINEAR": (resize_bilinear, ("int8",), 1), "SVDF": (svdf, ("w8a8t8", "w8a8t16"), 1), "LOG_SOFTMAX": (log_softmax, ("float32",), 1),
}
_WEIGHT = max(w for _, _, w in OPS.values())
ROTATION = [op for turn in range(_WEIGHT) for op, (_, _, w) in OPS.items() if w > turn]


def op_of(index):
    return ROTATION[index % len(ROTATION)]


def make(seed, index):
    op = op_of(index)
    maker, kinds, _ = OPS[op]
    for attempt in range(100):
        m = Maker(seed, index, attempt, op)
        kind = m.pick(*kinds)
        model = maker(m, op, kind)
        if model is not None:
            break
    return Case(index, op, kind, model, m.runs(), m.profiles)
