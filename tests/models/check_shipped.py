#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shipped models on real images: right answers of the first 500 test images of CIFAR-10, exactly as counted when the model was made."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import SOURCE, Checks, bitemu_json, need_numpy, need_shared, skip

COUNTED = [  # model, policy, right answers
    ("resnet8", "fixed:8", 439), ("resnet8", "fixed:4", 440), ("resnet8", "fixed:3", 435), ("resnet8", "fixed:2", 435),
    ("resnet20", "fixed:8", 467), ("resnet20", "fixed:4", 467), ("resnet20", "fixed:3", 465), ("resnet20", "fixed:2", 460),
    ("resnet8-bitmixer", "fixed:8", 434), ("resnet8-bitmixer", "fixed:2", 415), ("resnet8-bitmixer", "random:1", 424), ("resnet8-bitmixer", "layers:2,8,4,3,2,4", 415),
    ("resnet8-cascade", "controller", 436), ("resnet20-cascade", "controller", 466),
]
IMAGES = 500

np = need_numpy()
data = need_shared() / "data" / "cifar10"
try:
    from PIL import Image
except ImportError:
    skip("python3-pil is not installed")
grid = np.asarray(Image.open(data / "test_00.webp").convert("RGB"))
side = grid.shape[0] // 32
x = grid.reshape(side, 32, side, 32, 3).transpose(0, 2, 1, 3, 4).reshape(-1, 32, 32, 3)[:IMAGES]
y = np.load(data / "test_labels.npy")[:IMAGES].astype(np.int64)
checks = Checks()
with tempfile.TemporaryDirectory() as tmp:
    np.save(f"{tmp}/x.npy", x)
    np.save(f"{tmp}/y.npy", y)
    for model, policy, right in COUNTED:
        done = bitemu_json("run", SOURCE / "models" / model / f"{model}.bitemu", "--input", f"{tmp}/x.npy", "--labels", f"{tmp}/y.npy", "--policy", policy, "--threads", "2")
        got = round(done["top1"] * IMAGES) if "top1" in done else done
        checks.check(got == right, f"{model} {policy}: {got} right answers, {right} when it was made")
checks.finish()
