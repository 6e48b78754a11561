# SPDX-License-Identifier: Apache-2.0
"""What every export needs: multipliers, tables, the graph under construction (docs/FORMAT.md)."""
import math

import numpy as np


def multiplier(real):
    """real > 0 as m * 2^(s-31), 2^30 <= m < 2^31 (TFLite QuantizeMultiplier)."""
    q, s = math.frexp(real)
    m = int(math.floor(q * 2 ** 31 + 0.5))
    if m == 2 ** 31:
        m, s = m // 2, s + 1
    assert real > 0 and -31 <= s <= 30, real
    return m, s


def table(entries, keys, low, high, in_zero=0):
    """entries: (biases, multipliers, shifts) each; low and high: a number for all entries or a list. No biases: none in the table."""
    n = len(entries)
    t = {"keys": keys}
    if len(entries[0][0]):
        bias = np.array([e[0] for e in entries], np.float64)
        assert np.abs(bias).max() < 2 ** 31
        t["bias"] = bias.astype(np.int64).astype(np.int32)
    t["multiplier"] = np.array([e[1] for e in entries], np.int32)
    t["shift"] = np.array([e[2] for e in entries], np.int8)
    t["in_zero"] = [in_zero] * n
    t["out_zero"] = [0] * n
    t["out_min"] = low if isinstance(low, list) else [low] * n
    t["out_max"] = high if isinstance(high, list) else [high] * n
    return t


def _pair(n):
    return n if isinstance(n, tuple) else (n, n)


def conv_attrs(stride):
    """stride: a number, or (height, width); likewise in pool_attrs."""
    h, w = _pair(stride)
    return {"padding": "same", "stride_h": h, "stride_w": w, "dilation_h": 1, "dilation_w": 1}


def pool_attrs(size):
    h, w = _pair(size)
    return {"padding": "valid", "stride_h": h, "stride_w": w, "filter_h": h, "filter_w": w}


class Graph:
    def __init__(self):
        self.tensors, self.layers, self.choices = [], [], []

    def tensor(self, name, dtype, bits, shape, data=None):
        t = {"name": name, "dtype": dtype, "bits": bits, "shape": list(shape)}
        if data is not None:
            t["data"] = np.asarray(data).astype(dtype).reshape(shape)
        self.tensors.append(t)
        return name

    def layer(self, name, op, inputs, output, **more):
        self.layers.append({"name": name, "op": op, "inputs": inputs, "outputs": [output], **more})
        return output
