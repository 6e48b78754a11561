#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The native format keeps every bit: each .tflite model saved as .bitemu computes the same outputs and checksums; saving what was
loaded gives the same bytes. The shipped model round-trips even without the shared material."""
import json
import pathlib
import sys
import tempfile
import zipfile

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

# accumulators stated by the file
def restated(text, name):
    """digits with `text` added to layer `name`."""
    path = tmp / "restated.bitemu"
    with zipfile.ZipFile(digits / "digits.bitemu") as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            data = old.read(member)
            if member == "model.yaml":
                data = data.replace(f'- {{"name": "{name}", "op"'.encode(), f'- {{"name": "{name}", "accumulator": {text}, "op"'.encode(), 1)
            new.writestr(member, data)
    return path


stated = restated("{bits: 12, overflow: saturate}", "conv1")
one(stated, digits / "digits_x.npy")
rows = json.loads(bitemu("check", tmp / "1.bitemu", "--format", "json").stdout)["layers"]
got = {row["name"]: (row["accumulator"]["bits"], row["accumulator"]["overflow"], row["verdict"]) for row in rows}
checks.check(got["conv1"] == (12, "saturate", "overflows") and got["conv2"] == (32, "wrap", "cannot overflow"), f"stated accumulator: {got}")
rows = json.loads(bitemu("check", stated, "--accumulator", "24:wrap", "--format", "json").stdout)["layers"]
checks.check(all(row["accumulator"] == {"bits": 24, "overflow": "wrap"} for row in rows), "--accumulator goes before the file")
for text, code, words in (("{bits: 7}", 4, "bits"), ("{bits: 33}", 4, "8 to 32 bits, or 64"), ("{bits: 16, overflow: clip}", 4, "overflow"),
                          ("{overflow: wrap}", 4, "bits"), ("{bits: 16, order: any}", 4, "order"), ("16", 4, "model.yaml")):
    done = bitemu("check", restated(text, "conv1"))
    checks.check(done.returncode == code and words in done.stderr and "model.yaml:" in done.stderr, f"accumulator {text}: {done.returncode} {done.stderr}")
done = bitemu("check", restated("{bits: 16}", "pool"))
checks.check(done.returncode == 3 and "pool" in done.stderr, f"accumulator of a pool: {done.returncode} {done.stderr}")

if SHARED is None:
    print("SKIPPED: .tflite models, no shared test material")
else:
    for path in sorted((SHARED / "models").glob("*.tflite")):
        x = SHARED / "oracles" / "models" / (path.stem + ".npz")
        one(path, x if x.exists() else None)
checks.finish()
