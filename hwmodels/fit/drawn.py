# SPDX-License-Identifier: Apache-2.0
"""Networks drawn by a seed, whose layers together run every loop of bitemu's own kernels: sizes, strides, borders, widths, rounding and containers of all kinds."""
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "device")]
sys.dont_write_bytecode = True
import networks  # noqa: E402

WIDTHS = (8, 4, 2, 1)
WINDOWS = [(1, 1)] * 3 + [(3, 3)] * 3 + [(5, 5), (2, 3), (1, 3), (4, 1)]


def network(folder, seed):
    """(model, inputs, policies): four to seven convolutions with pools, sums and concatenations between them, a fully connected layer."""
    rng = np.random.default_rng(seed)
    pick = lambda *v: v[rng.integers(len(v))]
    stored = rng.random() < 0.35  # weights stored at their width; else nested in 8 bits, four widths
    profile, kind = pick("tflm", "bitemu"), pick("int8", "int8", "uint8")
    n = networks.Network(f"drawn{seed}", (int(rng.integers(3, 14)), int(rng.integers(3, 14)), int(pick(1, 3, 4, 5, 8, 16, 20, 32))), kind, seed, profile, widths=None if stored else (1, 2, 4, 8))

    def codes(bits):
        return ("affine", bits, rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), 991).astype(np.int8))

    for _ in range(int(rng.integers(4, 8))):
        window = tuple(min(a, b) for a, b in zip(pick(*WINDOWS), n.shape[:2]))
        out, grid = int(pick(1, 2, 3, 4, 6, 7, 8, 12, 16, 17, 24, 32)), None
        if stored:
            grid = codes(int(pick(1, 2, 4, 8)))
            if profile == "bitemu" and rng.random() < 0.3:
                grid = pick(("binary", 1, None), ("odd", int(pick(2, 4)), None))
        if np.prod(n.shape) * out * np.prod(window) > 3e6:
            out = 4
        n.mac("CONV_2D", out, window, int(pick(1, 1, 1, 2)), pick("same", "same", "valid"), nesting=pick("half_up", "floor", "half_even"), grid=grid,
              in_zero=int(pick(0, 3) if kind == "int8" else pick(0, 3, 200)))
        if rng.random() < 0.45:
            window = tuple(min(a, b) for a, b in zip(pick((3, 3), (3, 3), (3, 3), (5, 5), (2, 3), (1, 3), (3, 1), (3, 4)), n.shape[:2]))
            times = int(pick(1, 1, 1, 2)) if n.shape[2] < 20 else 1
            n.mac("DEPTHWISE_CONV_2D", times * n.shape[2], window, int(pick(1, 1, 2, 3)), pick("same", "same", "valid"), nesting=pick("half_up", "floor", "half_even"),
                  grid=codes(int(pick(1, 2, 4, 8))) if stored else None, in_zero=int(pick(0, 3) if kind == "int8" else pick(0, 3, 200)))
        if rng.random() < 0.3 and min(n.shape[:2]) > 1:
            side = int(rng.integers(2, min(n.shape[:2]) + 1))
            n.pool(pick("AVERAGE_POOL_2D", "MAX_POOL_2D"), side, int(pick(1, 2, side)))
        if rng.random() < 0.25:
            n.add(n.last, n.last)
            if kind == "int8" and rng.random() < 0.5:  # as TFLite adds: three multipliers
                n.graph["layers"][-1]["integer"] |= {"multiplier": rng.integers(1 << 30, (1 << 31) - 1, (1, 3)).astype(np.int32), "shift": np.array([[0, -1, -18]], np.int8), "left_shift": 20,
                                                     "in_zero": [3], "in_zero2": [3]}
        if rng.random() < 0.25 and n.shape[2] <= 12:
            n._layer("CONCATENATION", [n.last] * int(pick(2, 3)), [*n.shape[:2], 0], attrs={"axis": 3})
            n.shape[2] = n.graph["tensors"][-1]["shape"][3] = n.shapes[n.last][2] = len(n.graph["layers"][-1]["inputs"]) * n.shapes[n.graph["layers"][-1]["inputs"][0]][2]
    if rng.random() < 0.5:
        n._layer("RESHAPE", [n.last], [int(np.prod(n.shape))])
    n.mac("FULLY_CONNECTED", int(pick(3, 10, 12, 40)), raw=bool(rng.random() < 0.5), grid=codes(8) if stored else None)
    if rng.random() < 0.5:
        n._layer("ARG_MAX", [n.last, n._tensor([], "int32", np.array(1, np.int32))], [], "int32")
    model, x = n.write(folder, 1)
    return model, x, [None] if stored else [f"fixed:{w}" for w in WIDTHS]
