# SPDX-License-Identifier: Apache-2.0
"""Computes a native model exactly, in int64 PyTorch tensors: the reference that the emulator must equal on every logit and decision.
Follows docs/FORMAT.md, "Integer layers", with the requantization of profile tflm or bitemu. Shares no code with the C side, and takes its
integers from the file, not from the network that made it."""
import torch
import torch.nn.functional as F

from . import grids

INT32 = 2 ** 31
CODES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int32": (-INT32, INT32 - 1)}


def at(table, key, entry, otherwise):
    return table[key][entry] if key in table else otherwise


def wrap32(x):
    return (x + INT32) % (2 * INT32) - INT32


def requant(acc, multiplier, shift):
    """Saturating rounding doubling high multiply, then rounding division by a power of two, ties away from zero."""
    left, right = shift.clamp(min=0), (-shift).clamp(min=0)
    x = wrap32(acc * 2 ** left)
    high = torch.div(x * multiplier + 2 ** 30, 2 ** 31, rounding_mode="floor")
    mask = 2 ** right - 1
    rest = high & mask
    return torch.div(high, 2 ** right, rounding_mode="floor") + (rest > (mask >> 1) + (high < 0).long()).long()


def nest(master, bits, width, rule, unsigned=False):
    drop = bits - width
    if drop == 0 or rule == "separate":
        return master
    if rule == "floor":
        return torch.div(master, 2 ** drop, rounding_mode="floor")
    top = 2 ** (width if unsigned else width - 1) - 1
    if rule == "half_even":
        return torch.round(master.double() / 2 ** drop).long().clamp(max=top)  # ties to even
    return torch.div(master + 2 ** (drop - 1), 2 ** drop, rounding_mode="floor").clamp(max=top)


def exact_requant(t, entry, sums):
    """Profile bitemu, in Python's integers: sums = the accumulators [.., channels] of each multiplier ([acc], or [acc_p, acc_n])."""
    def row(key, default):
        return [int(v) for v in t[key][entry]] if key in t else [default]
    shape, channels = sums[0].shape, sums[0].shape[-1]
    columns = [row(k, d) for k, d in (("multiplier", 1), ("multiplier_n", 0), ("shift", 0), ("addend", 0))]
    flat = [s.flatten().tolist() for s in sums] + ([[0] * sums[0].numel()] if len(sums) == 1 else [])
    out = []
    for i, (p, n) in enumerate(zip(*flat)):
        m, m_n, s, add = (c[i % channels if len(c) > 1 else 0] for c in columns)
        total, down = p * m - n * m_n + add, -s if "multiplier" not in t else 31 - s
        if down <= 0:
            out.append(p * 2 ** -down + add)
        else:
            out.append((2 * total + 2 ** down) // 2 ** (down + 1))  # half up
        if "multiplier" in t:
            out[-1] = (out[-1] + INT32) % (2 * INT32) - INT32
    return torch.tensor(out).reshape(shape)


def _pad(attrs, size, k, stride):
    if attrs.get("padding") != "same":
        return (size - k) // stride + 1, 0
    out = -(-size // stride)
    return out, max((out - 1) * stride + k - size, 0) // 2


def _windows(x, attrs, k_h, k_w):
    """Yields (ky, kx, the pixels [n, out_h, out_w, c] under that tap, whether each lies inside [out_h, out_w])."""
    s_h, s_w = attrs["stride_h"], attrs["stride_w"]
    out_h, top = _pad(attrs, x.shape[1], k_h, s_h)
    out_w, left = _pad(attrs, x.shape[2], k_w, s_w)
    for ky in range(k_h):
        for kx in range(k_w):
            iy = torch.arange(out_h) * s_h + ky - top
            ix = torch.arange(out_w) * s_w + kx - left
            inside = ((iy >= 0) & (iy < x.shape[1]))[:, None] & ((ix >= 0) & (ix < x.shape[2]))
            yield ky, kx, x[:, iy.clamp(0, x.shape[1] - 1)][:, :, ix.clamp(0, x.shape[2] - 1)], inside


def exact_conv(x, w, attrs, outside=0, depthwise=False):
    """int64 codes x NHWC, w OHWI (depthwise: 1HWC) -> int64 accumulators NHWC; taps outside the image are `outside`. Computed in floating point, yet exactly: no
    partial sum passes max|x| sum|w|, and whole numbers below 2^24 (2^53) add without rounding in float32 (float64), in any order."""
    w = w.permute(3, 0, 1, 2) if depthwise else w.permute(0, 3, 1, 2)
    bound = int(x.abs().max()) * int(w.abs().flatten(1).sum(1).max())
    assert bound < 2 ** 53
    real, pads = torch.float32 if bound < 2 ** 24 else torch.float64, []
    for size, k, stride in ((x.shape[2], w.shape[3], attrs["stride_w"]), (x.shape[1], w.shape[2], attrs["stride_h"])):
        out, before = _pad(attrs, size, k, stride)
        pads += [before, max((out - 1) * stride + k - size - before, 0)]
    y = F.conv2d(F.pad(x.permute(0, 3, 1, 2).to(real), pads, value=outside), w.to(real), stride=(attrs["stride_h"], attrs["stride_w"]),
                 groups=x.shape[3] if depthwise else 1)
    return y.long().permute(0, 2, 3, 1)


class Model:
    def __init__(self, graph, profile="tflm"):
        self.graph, self.profile = {"choices": [], **graph}, profile
        self.choices = {c["name"]: i for i, c in enumerate(self.graph["choices"])}
        self.const = {t["name"]: torch.from_numpy(t["data"].astype("int64")) for t in graph["tensors"] if "data" in t}
        self.dtype = {t["name"]: t["dtype"] for t in graph["tensors"]}
        self.bits = {t["name"]: t.get("bits", 8) for t in graph["tensors"]}
        self.shape = {t["name"]: t["shape"] for t in graph["tensors"]}

    def _entry(self, layer, chosen):
        """Row of the layer's tables."""
        entry = 0
        for key in layer["integer"].get("keys", []):
            entry = entry * len(self.graph["choices"][self.choices[key]]["candidates"]) + chosen[self.choices[key]]
        return entry

    def _clamp(self, layer, entry, y):
        """Rounded accumulators to codes: zero point, clamp to the table's range or the output type's."""
        t = layer["integer"]
        low, high = CODES[self.dtype[layer["outputs"][0]]]
        y = y + at(t, "out_zero", entry, 0)
        return (wrap32(y) if "multiplier" in t else y).clamp(at(t, "out_min", entry, low), at(t, "out_max", entry, high))

    def _quantize(self, layer, x, chosen):
        t, e = layer["integer"], self._entry(layer, chosen)
        m, s = (torch.tensor(int(t[k][e][0])) for k in ("multiplier", "shift"))
        return (requant(x - t["in_zero"][e], m, s) + t["out_zero"][e]).clamp(t["out_min"][e], t["out_max"][e])

    def _rescale(self, x, m, s):
        """The profile's rounding of one 32-bit number."""
        if self.profile == "tflm":
            return requant(x, torch.tensor(int(m)), torch.tensor(int(s)))
        return wrap32(torch.div(x * int(m) + 2 ** (30 - int(s)), 2 ** (31 - int(s)), rounding_mode="floor"))

    def _pointwise(self, layer, a, b):
        """ADD with three columns, MUL with one: zero points and the profile's rounding."""
        t = layer["integer"]
        columns = list(zip(t["multiplier"][0], t["shift"][0]))
        a, b = a - at(t, "in_zero", 0, 0), b - at(t, "in_zero2", 0, 0)
        if layer["op"] == "MUL":
            y = self._rescale(wrap32(a * b), *columns[0])
        else:
            parts = [self._rescale(wrap32(x * 2 ** t.get("left_shift", 0)), *c) for x, c in zip((a, b), columns)]
            y = self._rescale(wrap32(parts[0] + parts[1]), *columns[2])
        low, high = CODES[self.dtype[layer["outputs"][0]]]
        return (y + at(t, "out_zero", 0, 0)).clamp(at(t, "out_min", 0, low), at(t, "out_max", 0, high))

    def _add(self, layer, a, b):
        t = layer["integer"]
        if t["multiplier"].shape[1] == 3:
            return self._pointwise(layer, a, b)
        parts = [requant(x, torch.tensor(int(m)), torch.tensor(int(s))) for x, m, s in zip((a, b), t["multiplier"][0], t["shift"][0])]
        return (parts[0] + parts[1] + t["out_zero"][0]).clamp(t["out_min"][0], t["out_max"][0])

    def _mac(self, layer, x, chosen):
        """CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED of the images x, which all took the candidates `chosen`."""
        t, w, entry = layer["integer"], self.const[layer["inputs"][1]], self._entry(layer, chosen)
        grid, width = grids.of(layer), self.bits[layer["inputs"][1]]
        if "choice" in layer:
            c, rule = self.choices[layer["choice"]], layer["weights"]
            width = self.graph["choices"][c]["candidates"][chosen[c]]["w"]
            if rule["nesting"] == "separate":
                w = self.const[rule["tensors"][chosen[c]]]
            w = nest(w, rule.get("bits", 8), width, rule["nesting"], grid["weights"] == "odd" or self.dtype[layer["inputs"][1]] == "uint8")
        binary, outside = grid.get("input") == "binary", 0
        if binary:
            x, outside = 2 * x - 1, int(grid.get("pad") == "one")
        elif "in_zero" in t:
            x = x - t["in_zero"][entry]
        wide = self.dtype[layer["inputs"][0]] == "int16"

        def total(values, bias=None):
            acc = x.flatten(1) @ values.t() if layer["op"] == "FULLY_CONNECTED" else exact_conv(x, values, layer["attrs"], outside, layer["op"] == "DEPTHWISE_CONV_2D")
            if bias is not None:
                acc = acc + torch.from_numpy(bias[entry].astype("int64"))
            return acc if wide else wrap32(acc)
        if grid["weights"] == "ternary2":
            return self._clamp(layer, entry, exact_requant(t, entry, [total((w == 1).long()), total((w == -1).long())]))
        acc = total(grids.values(grid, width, w), t.get("bias", t.get("bias64")))
        if "threshold" in t:
            above = acc >= torch.from_numpy(t["threshold"][entry].astype("int64"))
            return torch.where(above, at(t, "out_max", entry, 1), at(t, "out_min", entry, 0))
        if "shift" not in t:
            return wrap32(acc)
        if self.profile == "bitemu":
            return self._clamp(layer, entry, exact_requant(t, entry, [acc]))
        m, s = (torch.from_numpy(t[k][entry].astype("int64")) for k in ("multiplier", "shift"))
        return (requant(acc, m, s) + t["out_zero"][entry]).clamp(t["out_min"][entry], t["out_max"][entry])

    def _pool(self, layer, x):
        a = layer["attrs"]
        total = sum(p for _, _, p, _ in _windows(x, a, a["filter_h"], a["filter_w"]))  # padding valid, codes >= 0
        n = a["filter_h"] * a["filter_w"]
        return torch.div(total + n // 2, n, rounding_mode="floor")

    def _grouped(self, layer, x, chosen):
        """_mac or _quantize for every group of images that took the same candidates of the choices this layer looks at."""
        needs = [self.choices[k] for k in layer["integer"].get("keys", [])] + ([self.choices[layer["choice"]]] if "choice" in layer else [])
        key = chosen[:, needs]
        out = None
        for group in torch.unique(key, dim=0) if needs else key[:1]:
            rows = (key == group).all(1).nonzero()[:, 0]
            part = self._skipped(layer, x[rows], chosen[rows[0]].tolist())
            part = part if part is not None else (self._quantize if layer["op"] == "QUANTIZE" else self._mac)(layer, x[rows], chosen[rows[0]].tolist())
            out = torch.zeros((len(x), *part.shape[1:]), dtype=torch.int64) if out is None else out
            out[rows] = part
        return out

    def _skipped(self, layer, x, chosen):
        """The output of a layer whose choice has 0 bits: its zero point; None: it runs."""
        if "choice" not in layer:
            return None
        c = self.choices[layer["choice"]]
        if self.graph["choices"][c]["candidates"][chosen[c]]["w"]:
            return None
        zero = at(layer["integer"], "out_zero", self._entry(layer, chosen), 0)
        return torch.full((len(x), *self.shape[layer["outputs"][0]][1:]), int(zero), dtype=torch.int64)

    def run(self, codes, policy="controller"):
        """codes uint8 [n, h, w, c]; policy "controller" or a candidate index per choice. Returns (logits [n, classes], candidates [n, choices])."""
        x = torch.from_numpy(codes.astype("int64"))
        values = {self.graph["inputs"][0]: x}
        chosen = torch.zeros((len(x), len(self.choices)), dtype=torch.int64)
        for c, choice in enumerate(self.graph["choices"]):  # decided by a constant
            if policy == "controller" and choice["decision"]["tensor"] in self.const:
                chosen[:, c] = self.const[choice["decision"]["tensor"]].flatten()[choice["decision"]["element"]]
        if policy != "controller":
            chosen[:] = torch.tensor(policy)
        for layer in self.graph["layers"]:
            src, dst = values[layer["inputs"][0]], layer["outputs"][0]
            if layer["op"] in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "QUANTIZE"):
                values[dst] = self._grouped(layer, src, chosen)
            elif layer["op"] == "ADD" and not layer["integer"].get("keys"):
                values[dst] = self._add(layer, src, values[layer["inputs"][1]])
            elif layer["op"] == "MUL":
                values[dst] = self._pointwise(layer, src, values[layer["inputs"][1]])
            elif layer["op"] == "AVERAGE_POOL_2D":
                values[dst] = self._pool(layer, src)
            elif layer["op"] == "MAX_POOL_2D":
                a = layer["attrs"]
                values[dst] = torch.stack([v for _, _, v, _ in _windows(src, a, a["filter_h"], a["filter_w"])]).amax(0)
            elif layer["op"] == "CONCATENATION":
                values[dst] = torch.cat([values[name].flatten(1) if len(self.shape[dst]) == 2 else values[name] for name in layer["inputs"]], layer["attrs"]["axis"])
            elif layer["op"] == "RESHAPE":
                shape = self.shape[dst]
                values[dst] = src.reshape(len(x), *(shape[1:] if len(shape) == 4 else shape))
            elif layer["op"] == "ARG_MAX":  # first largest along axis 1 of one image
                best = src.amax(2, keepdim=True)
                values[dst] = (src == best).long().argmax(2)
            else:
                raise ValueError(f"layer {layer['name']}: no integer rule for {layer['op']}")
            if policy == "controller":
                for c, choice in enumerate(self.graph["choices"]):
                    if choice["decision"]["tensor"] == dst:
                        chosen[:, c] = values[dst][:, choice["decision"]["element"]]
        return values[self.graph["outputs"][0]].flatten(1), chosen

    def bitops(self, chosen):
        """MACs x w x a of the dynamic layers, per image."""
        total = torch.zeros(len(chosen), dtype=torch.int64)
        for layer in self.graph["layers"]:
            if "choice" not in layer:
                continue
            c = self.choices[layer["choice"]]
            w, out = self.shape[layer["inputs"][1]], self.shape[layer["outputs"][0]]
            macs = out[1] * out[2] * w[0] * w[1] * w[2] * w[3] if len(w) == 4 else w[0] * w[1]
            ops = torch.tensor([macs * k["w"] * k["a"] for k in self.graph["choices"][c]["candidates"]])
            total += ops[chosen[:, c]]
        return total
