#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The native format keeps every bit: each .tflite model saved as .bitemu computes the same outputs and checksums; saving what was
loaded gives the same bytes. The shipped model round-trips even without the shared material."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import SHARED, SOURCE, Checks, bitemu, need_numpy

np = need_numpy()
checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp())


def save(model, to):
    done = bitemu("inspect", model, "--save", to)
    return checks.check(done.returncode == 0, f"{model.name}: {done.stderr.strip()}")


def dump(model, x, to):
    done = bitemu("run", model, "--input", x, "--limit", 3, "--dump", to, "--profile", "tflm")
    return np.load(to) if checks.check(done.returncode == 0, f"{model}: {done.stderr.strip()}") else None


def one(model, x):
    first, second = tmp / "1.bitemu", tmp / "2.bitemu"
    if not save(model, first) or not save(first, second):
        return
    checks.check(first.read_bytes() == second.read_bytes(), f"{model.name}: saved again, other bytes")
    if x is None:
        return
    a, b = dump(model, x, tmp / "a.npz"), dump(first, x, tmp / "b.npz")
    if a is not None and b is not None:
        checks.check(all(np.array_equal(a[k], b[k]) for k in a.files) and a.files == b.files, f"{model.name}: the native copy computes other bits")


digits = SOURCE / "models" / "digits"
one(digits / "digits.bitemu", digits / "digits_x.npy")
if SHARED is None:
    print("SKIPPED: .tflite models, no shared test material")
else:
    for path in sorted((SHARED / "models").glob("*.tflite")):
        x = SHARED / "oracles" / "models" / (path.stem + ".npz")
        one(path, x if x.exists() else None)
checks.finish()
