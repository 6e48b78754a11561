# SPDX-License-Identifier: Apache-2.0
"""What weight codes mean, from docs/FORMAT.md, "Weight grids": codes (int64 tensors) to integer values, and quantizers' values back to codes
where a grid has one code a value."""
import torch

AFFINE = {"weights": "affine"}


def of(layer):
    """The layer's `grid:` as a dict; a name alone is short for {weights: name}."""
    g = layer.get("grid", AFFINE)
    return {"weights": g} if isinstance(g, str) else {**AFFINE, **g}


def _apot(codes, bits, terms):
    size, rest = torch.zeros_like(codes), codes % 2 ** (bits - 1)
    for table in terms:
        size, rest = size + torch.tensor(table)[rest % len(table)], torch.div(rest, len(table), rounding_mode="floor")
    return torch.where(codes >= 2 ** (bits - 1), -size, size)


def values(grid, bits, codes):
    kind = grid["weights"]
    if kind in ("affine", "ternary", "ternary2"):
        return codes
    if kind == "odd":
        return 2 * codes - (2 ** bits - 1)
    if kind == "binary":
        return 2 * codes - 1
    if kind == "pow2":
        return _apot(codes, bits, [[0] + [2 ** e for e in range(2 ** (bits - 1) - 1)]])
    if kind == "apot":
        return _apot(codes, bits, grid["terms"])
    if kind == "codebook":
        return torch.tensor(grid["table"])[codes]
    raise ValueError(f"unknown grid {kind}")


def code_range(grid, bits):
    """Smallest and largest code of signed affine storage or of the grid."""
    kind = grid["weights"]
    if kind == "affine":
        return -2 ** (bits - 1), 2 ** (bits - 1) - 1
    return (-1, 1) if kind.startswith("ternary") else (0, 2 ** bits - 1)
