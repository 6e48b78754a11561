# SPDX-License-Identifier: Apache-2.0
"""One layer of any quantizers as a native layer with stated integers (docs/FORMAT.md). With v = the sum of weights times inputs, the next code is
round((slope v + offset) / step), slope > 0 and offset from batch normalization or a bias. In whole numbers acc, v = unit acc:

  unit = scale of the weights x step of the input;  ratio = slope unit / step;  bias = round(offset / (slope unit))
  code = round(ratio (acc + bias))               multiplier and shift; every ratio a power of two: shift alone
  ternary2: round(ratio_p acc+ - ratio_n acc- + offset / step), the last as addend at the scale of the products
  binary output: acc >= threshold = ceil(-offset / (slope unit));  no output step: acc + bias as it is (logits)"""
import math

import numpy as np
import torch

from .integers import multiplier


def units(codes, in_step):
    return codes.scale.double() * in_step


def whole_bias(slope, offset, unit):
    """In accumulator units, float64."""
    return torch.floor(offset / (slope * unit) + 0.5)


def _row(values, dtype):
    out = np.array([values])
    info = np.iinfo(dtype)
    if out.min() < info.min or out.max() > info.max:
        raise ValueError(f"a table entry {out.max()} or {out.min()} does not fit {np.dtype(dtype).name}")
    return out.astype(dtype)


def _pair(p, n):
    """Two ratios with one shift: (m_p, m_n, s), the larger one Q0.31."""
    m, s = multiplier(max(p, n))
    least = math.floor(min(p, n) * 2.0 ** (31 - s) + 0.5)
    return (m, least, s) if p >= n else (least, m, s)


def table(codes, slope, offset, in_step, out):
    """The layer's `integer:`. slope and offset float64 [channels]; out: the Steps of the next codes, None for raw sums."""
    unit = units(codes, in_step)
    t = {"keys": []}
    if out is None:
        bias = whole_bias(slope, offset, unit)
        if len(unit) > 1 or codes.scale_n is not None:
            raise ValueError("raw sums need one scale for all channels")
        return {**t, "bias": _row(bias.long().tolist(), np.int32)}
    if out.binary or codes.scale_n is None:
        bias = whole_bias(slope, offset, unit)
    if out.binary:
        if codes.scale_n is not None:
            raise ValueError("grid ternary2 has no threshold")
        return {**t, "threshold": _row(torch.ceil(-offset / (slope * unit)).clamp(-2 ** 31, 2 ** 31 - 1).long().tolist(), np.int32)}
    t.update(out_zero=[0], out_min=[0], out_max=[out.top])
    if codes.scale_n is not None:
        ratios = [(slope * scale.double() * in_step / out.step).tolist() for scale in (codes.scale, codes.scale_n)]
        rows = [_pair(p, n) for p, n in zip(*ratios)]
        add = [math.floor(o / out.step * 2.0 ** (31 - r[2]) + 0.5) for o, r in zip(offset.tolist(), rows)]
        return {**t, "multiplier": _row([r[0] for r in rows], np.int32), "multiplier_n": _row([r[1] for r in rows], np.int32),
                "shift": _row([r[2] for r in rows], np.int8), "addend": _row(add, np.int64)}
    t["bias"] = _row(bias.long().tolist(), np.int32)
    ratios = (slope * unit / out.step).expand(len(slope)).tolist()
    if all(math.frexp(r)[0] == 0.5 for r in ratios):
        return {**t, "shift": _row([math.frexp(r)[1] - 1 for r in ratios], np.int8)}
    pairs = [multiplier(r) for r in ratios]
    return {**t, "multiplier": _row([p[0] for p in pairs], np.int32), "shift": _row([p[1] for p in pairs], np.int8)}


def layer(g, name, x, codes, slope, offset, entered, out, size=None, attrs=None, width=8, depthwise=False):
    """Adds a convolution (size: height and width of its output; attrs) or a fully connected layer to the Graph g, with its weights and its output;
    codes: Codes of OIHW or OI. entered: Steps of the tensor x. width: bits of x as a choice with nested weights states it."""
    numbers = codes.codes.permute((1, 2, 3, 0) if depthwise else (0, 2, 3, 1)) if codes.codes.dim() == 4 else codes.codes
    dtype = "uint8" if int(numbers.max()) > 127 else "int8"
    w = g.tensor(f"{name}_w", dtype, codes.stored_bits(), numbers.shape, numbers.numpy())
    n = len(codes.codes)
    shape = (1, *size, n) if size else (1, n)
    y = g.tensor(name, "int32" if out is None else "uint8", 32 if out is None else out.top.bit_length(), shape)
    grid = dict(codes.grid)
    if entered.binary:
        if grid["weights"] != "binary":
            raise ValueError(f"layer {name}: a binary input goes with binary weights")
        grid.update(input="binary", pad="zero")
    more = {} if grid == {"weights": "affine"} else {"grid": grid}
    if codes.nesting is not None:
        choice = {"name": name, "candidates": [{"w": codes.bits, "a": width}]}
        g.choices.append(choice)
        more.update(choice=name, weights={"nesting": codes.nesting, "bits": 8, "tensors": [w]})
    if attrs:
        more["attrs"] = attrs
    g.layer(name, "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D" if size else "FULLY_CONNECTED", [x, w], y, **more, integer=table(codes, slope, offset, entered.step, out))
    return y
