# SPDX-License-Identifier: Apache-2.0
"""The two reference networks in NumPy with every rounding replaceable: what `search.py` tries out.
A rule set is a dict: conv, dw, fc = (product, multiplier, rounding); add, pool = a name; softmax = a name or None.
Independent of the C emulator: only the model's numbers come from `bitemu inspect --save`."""
import io
import itertools
import zipfile

import numpy as np
import yaml

F = np.float32


class Layer:
    """One operator: tensors by name, numbers as arrays."""

    def __init__(self, spec, tensors, load):
        self.op, self.attrs = spec["op"], spec["attrs"]
        self.inputs, self.output = spec["inputs"], spec["outputs"][0]
        self.scale = [np.array(tensors[t].get("scale", [0]), F) for t in self.inputs]
        self.zero = [int(tensors[t].get("zero_point", [0])[0]) for t in self.inputs]
        self.so, self.zo = F(tensors[self.output].get("scale", [0])[0]), int(tensors[self.output].get("zero_point", [0])[0])
        self.shape = tensors[self.output]["shape"]
        self.data = [load(tensors[t]["data"]) if "data" in tensors[t] else None for t in self.inputs]
        self.relu = self.attrs.get("activation") == "relu"
        self.low = max(self.zo, -128) if self.relu else -128


class Network:
    def __init__(self, path):
        with zipfile.ZipFile(path) as z:
            spec = yaml.load(z.read("model.yaml"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            tensors = {t["name"]: t for t in spec["tensors"]}
            self.layers = [Layer(s, tensors, lambda f: np.load(io.BytesIO(z.read(f)))) for s in spec["layers"]]
        self.input = spec["inputs"][0]
        self.made_by = {layer.output: layer for layer in self.layers}


# ---- real number to integer -------------------------------------------------------------------------------------------------
def away(v):
    return np.trunc(v + np.copysign(v.dtype.type(0.5), v))


ROUND = {"even": np.rint, "away": away, "up": lambda v: np.floor(v + v.dtype.type(0.5)), "floor": np.floor, "trunc": np.trunc}


def shift_round(p, s, how):
    """p / 2^s in integers, s >= 1."""
    half = np.int64(1) << (s - 1)
    if how == "up":
        return (p + half) >> s
    if how == "floor":
        return p >> s
    if how == "trunc":
        return np.where(p < 0, -(-p >> s), p >> s)
    if how == "away":
        return np.where(p < 0, -((-p + half) >> s), (p + half) >> s)
    q = (p + half) >> s
    return q - ((((p + half) & ((np.int64(1) << s) - 1)) == 0) & ((q & 1) == 1))


def fixed(real, bits):
    """Multiplier of `bits` bits and shift: real = m 2^(shift - bits)."""
    mant, shift = np.frexp(np.asarray(real, np.float64))
    m = away(mant * 2.0**bits).astype(np.int64)
    top = m == 1 << bits
    return np.where(top, m >> 1, m), (shift + top).astype(np.int64)


def requant(x, real, multiplier, how):
    """x (int64) times real: the integer without zero point. multiplier: q31, q24, q15, f32, f64."""
    if multiplier == "f32":
        return ROUND[how](x.astype(F) * np.asarray(real, F)).astype(np.int64)
    if multiplier == "f64":
        return ROUND[how](x.astype(np.float64) * np.asarray(real, np.float64)).astype(np.int64)
    bits = int(multiplier[1:])
    m, s = fixed(real, bits)
    if how in ("twice", "uptwice", "cut"):  # at the multiplier's last bit, then at the shift
        left, right = np.maximum(s, 0), np.maximum(-s, 0)
        p = (x << left) * m
        x = p >> bits if how == "cut" else shift_round(p, bits, "up")
        y = shift_round(x, np.maximum(right, 1), "away" if how == "twice" else "up")
        return np.where(right > 0, y, x)
    return shift_round(x * m, bits - s, how)


def effective(s_in, s_w, s_out, product):
    if product == "f32":
        return (F(s_in) * np.asarray(s_w, F) / F(s_out)).astype(np.float64)
    if product == "half":  # float32 product, double quotient
        return (F(s_in) * np.asarray(s_w, F)).astype(np.float64) / np.float64(s_out)
    return np.float64(s_in) * np.asarray(s_w, np.float64) / np.float64(s_out)


# ---- operators --------------------------------------------------------------------------------------------------------------
def same(n_in, n_out, k, stride):
    need = max((n_out - 1) * stride + k - n_in, 0)
    return need // 2, need - need // 2


def patches(layer, x, k_h, k_w):
    a, (_, h, w, _) = layer.attrs, layer.shape
    sh, sw = a["stride_h"], a["stride_w"]
    pads = (same(x.shape[1], h, k_h, sh), same(x.shape[2], w, k_w, sw)) if a["padding"] == "same" else ((0, 0), (0, 0))
    x = np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=layer.zero[0])
    for dy, dx in itertools.product(range(k_h), range(k_w)):
        yield x[:, dy:dy + (h - 1) * sh + 1:sh, dx:dx + (w - 1) * sw + 1:sw]


def accumulate(layer, x):
    """int32 accumulators, bias included. Sums of raw codes stay below 2^24, so float32 is exact in any order."""
    w, bias = layer.data[1], layer.data[2].astype(np.int64)
    if layer.op == "FULLY_CONNECTED":
        return (x.reshape(len(x), -1).astype(np.int64) - layer.zero[0]) @ w.T.astype(np.int64) + bias
    if layer.op == "DEPTHWISE_CONV_2D":
        taps = w.reshape(-1, w.shape[-1]).astype(np.int32)
        acc = sum((p.astype(np.int32) - layer.zero[0]) * t for p, t in zip(patches(layer, x, *w.shape[1:3]), taps))
        return acc + bias.astype(np.int32)
    k, flat = w.shape[0], w.reshape(w.shape[0], -1)
    assert int(np.abs(flat.astype(np.int64)).sum(1).max()) * 128 < 1 << 24
    start = (bias - layer.zero[0] * flat.astype(np.int64).sum(1)).astype(np.int32)
    out = np.empty((len(x), *layer.shape[1:3], k), np.int32)
    for i in range(0, len(x), 16):
        cols = np.stack([p.astype(F) for p in patches(layer, x[i:i + 16], *w.shape[1:3])], axis=3)
        out[i:i + 16] = (cols.reshape(-1, flat.shape[1]) @ flat.T.astype(F)).astype(np.int32).reshape(-1, *out.shape[1:]) + start
    return out


def add(layer, a, b, rule):
    """a, b: codes without zero point (int64). Result without zero point."""
    sa, sb, so = (np.float64(s) for s in (layer.scale[0][0], layer.scale[1][0], layer.so))
    kind, _, how = rule.partition(":")
    if kind == "tflite":  # 20 bits left, both onto twice the larger scale
        multiplier, _, how = how.rpartition("-")
        t = 2 * max(sa, sb)
        x, y = (requant(v << 20, s / t, multiplier or "q31", how) for v, s in ((a, sa), (b, sb)))
        return requant(x + y, t / (2.0**20 * so), multiplier or "q31", how)
    if kind == "xnn":
        ra, rb = F(sa) / F(so), F(sb) / F(so)
        k = 21 - max(np.frexp(ra)[1], np.frexp(rb)[1])
        return shift_round(a * int(np.rint(np.ldexp(ra, k))) + b * int(np.rint(np.ldexp(rb, k))), np.int64(k), how or "up")
    if kind == "fixed":  # fixed:<bits>-<rounding>: both factors share one power of two
        bits, how = how.split("-")
        k = int(bits) - max(np.frexp(sa / so)[1], np.frexp(sb / so)[1])
        return shift_round(a * int(np.rint(sa / so * 2.0**k)) + b * int(np.rint(sb / so * 2.0**k)), np.int64(k), how)
    if kind == "codes":  # codes:<bits>-<rounding>: rounded factors of the codes themselves, both zero points in one rounded constant
        bits, how = how.split("-")
        za, zb, k = *layer.zero, int(bits)
        start = int(np.rint((-za * sa / so - zb * sb / so) * 2.0**k))
        return shift_round((a + za) * int(np.rint(sa / so * 2.0**k)) + (b + zb) * int(np.rint(sb / so * 2.0**k)) + start, np.int64(k), how)
    if kind == "apart":  # each operand alone
        multiplier, how = how.split("-")
        return requant(a, sa / so, multiplier, how) + requant(b, sb / so, multiplier, how)
    if kind == "onto0" or kind == "onto1":  # one operand onto the other's scale, the sum onto the output's
        multiplier, how = how.split("-")
        if kind == "onto0":
            return requant(a + requant(b, sb / sa, multiplier, how), sa / so, multiplier, how)
        return requant(b + requant(a, sa / sb, multiplier, how), sb / so, multiplier, how)
    if kind == "real":
        return ROUND[how]((a * sa + b * sb) / so).astype(np.int64)
    if kind == "f32":  # dequantize, add, quantize
        return ROUND[how]((a.astype(F) * F(sa) + b.astype(F) * F(sb)) / F(so)).astype(np.int64)
    raise KeyError(rule)


def pool(layer, x, rule):
    """x: codes [n, h, w, c]. Codes out."""
    n = x.shape[1] * x.shape[2]
    total = x.sum((1, 2), dtype=np.int64)
    kind, _, how = rule.partition(":")
    if kind == "raw":  # sum of codes
        return ROUND[how](total / n)
    if kind == "centred":  # zero point out first
        return ROUND[how]((total - n * layer.zero[0]) / n) + layer.zo
    if kind == "f32":  # times float32(1/n)
        return ROUND[how]((total - n * layer.zero[0]).astype(F) * F(1 / n)) + layer.zo
    if kind == "q31":
        return requant(total - n * layer.zero[0], np.float64(layer.scale[0][0]) / np.float64(layer.so) / n, "q31", how) + layer.zo
    raise KeyError(rule)


def softmax(layer, x, rule):
    s = layer.scale[0][0]
    d = x.astype(np.int64) - x.max(1, keepdims=True).astype(np.int64)
    e = np.exp((d.astype(F) * s) if rule == "f32" else d * np.float64(s))
    p = e / e.sum(1, keepdims=True)
    if rule == "floor":
        return np.floor(p * 256) - 128
    return np.rint(p / layer.so) + layer.zo


def clamp(layer, v):
    return np.clip(v + layer.zo, layer.low, 127).astype(np.int8)


class Run:
    """Evaluates rule sets over the same inputs; layers whose rules agree so far are computed once."""

    def __init__(self, network, x, keep=600):
        self.net, self.x, self.keep, self.cache = network, x, keep, {}

    def memo(self, key, make):
        if key not in self.cache:
            if len(self.cache) >= self.keep:
                for old in list(self.cache)[: self.keep // 4]:
                    del self.cache[old]
            self.cache[key] = make()
        return self.cache[key]

    def key(self, name, rules):
        """What the tensor depends on: the rules of all layers before it."""
        layer = self.net.made_by.get(name)
        if not layer:
            return 0
        own = {"CONV_2D": "conv", "DEPTHWISE_CONV_2D": "dw", "FULLY_CONNECTED": "fc", "ADD": "add", "AVERAGE_POOL_2D": "pool", "SOFTMAX": "softmax"}.get(layer.op)
        number = self.net.layers.index(layer)
        rule = rules.get(f"{own}{number}", rules.get(own))
        live = [t for t, d in zip(layer.inputs, layer.data) if d is None]
        return hash((number, rule, tuple(self.key(t, rules) for t in live)))

    def acc(self, layer, rules):
        return self.memo(("acc", layer.output, self.key(layer.inputs[0], rules)), lambda: accumulate(layer, self.tensor(layer.inputs[0], rules)))

    def scaled(self, name, rules, kind, so):
        """A branch of a fused ADD as a real number in output codes: the convolution's accumulator unrounded, or the codes."""
        layer = self.net.made_by[name]
        if layer.op == "CONV_2D" and kind:
            v = self.acc(layer, rules).astype(F) * effective(layer.scale[0][0], layer.scale[1], so, "f32").astype(F)
            return np.maximum(v, F(0)) if layer.relu else v
        return (self.tensor(name, rules).astype(np.int64) - layer.zo).astype(F) * (layer.so / F(so))

    def tensor(self, name, rules):
        layer = self.net.made_by.get(name)
        return self.x if layer is None else self.memo(self.key(name, rules), lambda: self.compute(layer, rules))

    def compute(self, layer, rules):
        number = self.net.layers.index(layer)
        rule = lambda own: rules.get(f"{own}{number}", rules.get(own))
        if layer.op in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            own = {"CONV_2D": "conv", "DEPTHWISE_CONV_2D": "dw", "FULLY_CONNECTED": "fc"}[layer.op]
            product, multiplier, how = rule(own)
            real = effective(layer.scale[0][0], layer.scale[1], layer.so, product)
            return clamp(layer, requant(self.acc(layer, rules).astype(np.int64), real, multiplier, how))
        if layer.op == "ADD":
            kind, _, how = rule("add").partition(":")
            if kind.startswith("fused"):  # fused0, fused1: that branch's convolution; fused2: both
                v = [self.scaled(t, rules, kind in (f"fused{i}", "fused2"), layer.so) for i, t in enumerate(layer.inputs)]
                return clamp(layer, ROUND[how](v[0] + v[1]).astype(np.int64))
            a, b = (self.tensor(t, rules).astype(np.int64) - z for t, z in zip(layer.inputs, layer.zero))
            return clamp(layer, add(layer, a, b, rule("add")))
        x = self.tensor(layer.inputs[0], rules)
        if layer.op == "AVERAGE_POOL_2D":
            return np.clip(pool(layer, x, rule("pool")), -128, 127).astype(np.int8).reshape(len(x), *layer.shape[1:])
        if layer.op == "RESHAPE":
            return x.reshape(len(x), *layer.shape[1:])
        return np.clip(softmax(layer, x, rule("softmax")), -128, 127).astype(np.int8)

    def output(self, rules):
        return self.tensor(self.net.layers[-1].output, rules).reshape(len(self.x), -1)
