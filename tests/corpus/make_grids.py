#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes good-grids.bitemu of this corpus: a layer on each kind of weight grid, every integer table.
usage: PYTHONPATH=train make_grids.py FOLDER"""
import pathlib
import sys

import numpy as np
from bitemu_train import native

GRIDS = [("odd", 3, {}), ("ternary", 2, {}), ("pow2", 4, {}), ("apot", 4, {"terms": [[0, 4, 1, 2], [0, 8]]}), ("codebook", 2, {"table": [-300, 0, 7, 90]}),
         ("ternary2", 2, {})]


def main(folder):
    rng = np.random.default_rng(1)
    tensors, layers = [{"name": "x0", "dtype": "int8", "bits": 8, "shape": [1, 4, 4, 2]}], []
    attrs = {"padding": "same", "stride_h": 1, "stride_w": 1}
    for i, (kind, k, more) in enumerate(GRIDS):
        low, high = (-1, 1) if kind.startswith("ternary") else (0, 2 ** k - 1)
        tensors += [{"name": f"w{i}", "dtype": "int8", "bits": k, "shape": [2, 3, 3, 2], "data": rng.integers(low, high + 1, (2, 3, 3, 2)).astype(np.int8)},
                    {"name": f"x{i + 1}", "dtype": "int8", "bits": 8, "shape": [1, 4, 4, 2]}]
        t = {"keys": [], "shift": np.array([[-5, -6]], np.int8)}
        if i % 2:
            t.update(multiplier=rng.integers(2 ** 30, 2 ** 31, (1, 2)).astype(np.int32), addend=rng.integers(-2 ** 35, 2 ** 35, (1, 2)))
        if kind == "ternary2":
            t["multiplier_n"] = t["multiplier"]
        else:
            t["bias" if i % 2 else "bias64"] = rng.integers(-9, 9, (1, 2)).astype(np.int32 if i % 2 else np.int64)
        layers.append({"name": kind, "op": "CONV_2D", "inputs": [f"x{i}", f"w{i}"], "outputs": [f"x{i + 1}"], "attrs": attrs, "grid": {"weights": kind, **more}, "integer": t})
    add = {"keys": [], "multiplier": np.full((1, 3), 2 ** 30, np.int32), "shift": np.array([[0, 0, -19]], np.int8), "in_zero": [1], "in_zero2": [2], "left_shift": 20}
    tensors.append({"name": "sum", "dtype": "int8", "bits": 8, "shape": [1, 4, 4, 2]})
    layers.append({"name": "sum", "op": "ADD", "inputs": ["x0", f"x{len(GRIDS)}"], "outputs": ["sum"], "integer": add})
    native.write(folder / "good-grids.bitemu", {"inputs": ["x0"], "outputs": ["sum"], "tensors": tensors, "layers": layers})


main(pathlib.Path(sys.argv[1]))
