# SPDX-License-Identifier: Apache-2.0
"""The digits of scikit-learn: 1797 images of 8x8 pixels, values 0..16, from the test part of "Optical Recognition of Handwritten
Digits" (E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998). Pixel values are the input codes: nothing is rescaled."""
from collections import namedtuple

import numpy as np
import torch
import torch.nn.functional as F

TOP = 16  # largest code
SIZE = 8

Split = namedtuple("Split", "train validation test")  # of Part
Part = namedtuple("Part", "index x y")                # index into scikit-learn's order, x uint8 [n,8,8,1], y int64 [n]


def split(cfg):
    """Stratified: each class gives its share to test and validation, in an order drawn from split_seed."""
    from sklearn.datasets import load_digits
    digits = load_digits()
    x = digits.images
    assert x.min() == 0 and x.max() == TOP and (x == np.rint(x)).all()
    x, y = x.astype(np.uint8)[..., None], digits.target.astype(np.int64)
    rng = np.random.RandomState(cfg["split_seed"])  # legacy generator: its sequence is frozen by NumPy's policy
    order = rng.permutation(len(y))
    # Round robin over classes keeps any prefix balanced.
    rank = np.zeros(len(y))
    for c in range(10):
        own = order[y[order] == c]
        rank[own] = (np.arange(len(own)) + 0.5) / len(own)
    order = order[np.argsort(rank[order], kind="stable")]
    n, v = cfg["test"], cfg["validation"]
    assert n > 0 and v >= 0 and n + v < len(y)

    def part(ix):
        ix = np.sort(ix)
        return Part(ix, x[ix], y[ix])
    return Split(part(order[n + v:]), part(order[n:n + v]), part(order[:n]))


def codes(x):
    """uint8 NHWC -> float codes NCHW."""
    return torch.from_numpy(np.ascontiguousarray(x)).permute(0, 3, 1, 2).float()


def augment(x, cfg, rng):
    """Random shift (pixels), rotation (degrees) and noise (codes) of codes [n,1,8,8]; the result is codes again."""
    n = x.shape[0]
    draw = torch.rand(n, 3, generator=rng) * 2 - 1
    angle = draw[:, 0] * (cfg["rotate"] * np.pi / 180)
    move = draw[:, 1:] * (cfg["shift"] * 2 / x.shape[-1])
    cos, sin = torch.cos(angle), torch.sin(angle)
    theta = torch.stack([torch.stack([cos, -sin, move[:, 0]], 1), torch.stack([sin, cos, move[:, 1]], 1)], 1)
    y = F.grid_sample(x, F.affine_grid(theta, list(x.shape), align_corners=False), align_corners=False)
    y = y + torch.randn(y.shape, generator=rng) * cfg["noise"]
    return y.round().clamp(0, TOP)
