# SPDX-License-Identifier: Apache-2.0
"""CIFAR-10 (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009): 50,000 + 10,000 RGB images of 32x32. Pixel
values are the input codes. Read from a folder in one of two layouts:

  python   cifar-10-batches-py/data_batch_1 .. 5, test_batch: the official archive, unpacked, or torchvision's download
  grids    train_00.webp .. train_19.webp, test_00 .. test_03: lossless, 2,500 images each on a 50x50 grid, row-major; *_labels.npy

The whole set lies in memory as one uint8 tensor on the device that trains, and is augmented there."""
import os
import pickle
from collections import namedtuple

import numpy as np
import torch

SIZE, CHANNELS, CLASSES, ZERO = 32, 3, 10, 128  # ZERO: the code that stands for 0, also outside the image
PAD = 4

Part = namedtuple("Part", "x y")  # uint8 [n,32,32,3], int64 [n]


def _python(folder, names):
    xs, ys = [], []
    for name in names:
        with open(os.path.join(folder, name), "rb") as f:
            d = pickle.load(f, encoding="bytes")  # the data set's own format: trust the folder you name
        xs.append(np.asarray(d[b"data"], np.uint8).reshape(-1, CHANNELS, SIZE, SIZE).transpose(0, 2, 3, 1))
        ys.append(np.asarray(d[b"labels"], np.int64))
    return Part(np.concatenate(xs), np.concatenate(ys))


def _grids(folder, kind, count):
    from PIL import Image
    xs = []
    for i in range(count):
        grid = np.asarray(Image.open(os.path.join(folder, f"{kind}_{i:02d}.webp")).convert("RGB"))
        side = grid.shape[0] // SIZE
        xs.append(grid.reshape(side, SIZE, side, SIZE, CHANNELS).transpose(0, 2, 1, 3, 4).reshape(-1, SIZE, SIZE, CHANNELS))
    return Part(np.concatenate(xs), np.load(os.path.join(folder, f"{kind}_labels.npy")).astype(np.int64))


def load(folder, part):
    """part "train" or "test"."""
    inner = os.path.join(folder, "cifar-10-batches-py")
    inner = inner if os.path.isdir(inner) else folder
    if os.path.exists(os.path.join(inner, "test_batch")):
        out = _python(inner, [f"data_batch_{i}" for i in range(1, 6)] if part == "train" else ["test_batch"])
    elif os.path.exists(os.path.join(folder, "test_labels.npy")):
        out = _grids(folder, part, 20 if part == "train" else 4)
    else:
        raise FileNotFoundError(f"{folder}: no CIFAR-10 here (neither cifar-10-batches-py/ nor test_labels.npy and .webp grids)")
    if len(out.x) != len(out.y):
        raise ValueError(f"{folder}: {len(out.x)} images but {len(out.y)} labels")
    return out


def draws(n, rng):
    """Where the crops of n images begin, and which are mirrored. On the CPU, so every device agrees."""
    return torch.randint(0, 2 * PAD + 1, (n, 2), generator=rng), torch.randint(0, 2, (n, 1), generator=rng)


def crop(x, begin, mirrored):
    """Images padded by 4, cropped to their size again, some mirrored. x uint8 [n,32,32,3] -> the same; draws on its device."""
    n = len(x)
    line = torch.arange(SIZE, device=x.device)
    rows = begin[:, :1] + line
    cols = begin[:, 1:] + torch.where(mirrored == 1, SIZE - 1 - line, line)
    padded = torch.full((n, SIZE + 2 * PAD, SIZE + 2 * PAD, CHANNELS), ZERO, dtype=torch.uint8, device=x.device)
    padded[:, PAD:PAD + SIZE, PAD:PAD + SIZE] = x
    return padded[torch.arange(n, device=x.device)[:, None, None], rows[:, :, None], cols[:, None, :]]


def augment(x, rng):
    return crop(x, *(d.to(x.device) for d in draws(len(x), rng)))


def codes(x, dtype=torch.float32):
    """uint8 NHWC -> codes minus their zero, NCHW, channels last in memory."""
    return (x.to(dtype) - ZERO).permute(0, 3, 1, 2)
