#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every operator output of every shared model: CRC-32 equal to TensorFlow Lite Micro's under `tflm` and to LiteRT's reference
resolver's under `litert-ref`, all inputs. Where an oracle lacks one side, that is said. Recorded by running those libraries."""
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import Checks, bitemu, need_numpy, need_shared

np = need_numpy()
shared = need_shared()
checks = Checks()
SIDES = {"tflm": "tflm_", "litert-ref": ""}


def compare(dump, oracle, prefix):
    """First divergence, or ''."""
    mine = {(int(op), int(t)): i for i, (op, t) in enumerate(zip(dump["crc_op"], dump["crc_tensor"]))}
    want = oracle[prefix + "crc"]
    ops = list(zip(oracle[prefix + "crc_op"], oracle[prefix + "crc_tensor"]))
    missing = [o for o in ops if (int(o[0]), int(o[1])) not in mine]
    if missing:
        return f"no output for (op, tensor) {missing[:3]}"
    got = dump["crc"][:, [mine[(int(o), int(t))] for o, t in ops]]
    if got.shape != want.shape:
        return f"shape {got.shape}, oracle {want.shape}"
    bad = np.argwhere(got != want)
    if len(bad):
        i, k = bad[0]
        layers = sorted({int(ops[c][0]) for _, c in bad})
        return f"input {i}, op {ops[k][0]}: {len(bad)} of {want.size} CRCs differ, ops {layers[:12]}"
    for key in [k for k in oracle.files if k.startswith(prefix + "out")]:
        name = key[len(prefix):]
        if not np.array_equal(dump[name].reshape(oracle[key].shape), oracle[key]):
            return f"{name} differs"
    return ""


def one(path, profile, prefix):
    meta = json.loads(path.with_suffix(".json").read_text())
    oracle = np.load(path, allow_pickle=False)
    model = shared / "models" / (path.stem + ".tflite")
    if prefix + "crc" not in oracle.files:
        print(f"no oracle: {path.stem} {profile} ({meta.get('ref_error') or 'not recorded for this side'})")
        return
    with tempfile.TemporaryDirectory() as tmp:
        out = pathlib.Path(tmp) / "dump.npz"
        reset = ["--reset-state", "each"] if meta.get("state", "").startswith("reset") else []
        done = bitemu("run", model, "--input", path, "--profile", profile, "--dump", out, *reset)
        if not checks.check(done.returncode == 0, f"{path.stem} {profile}: exit {done.returncode}: {done.stderr.strip()}"):
            return
        dump = np.load(out, allow_pickle=False)
        what = compare(dump, oracle, prefix)
        if checks.check(not what, f"{path.stem} {profile}: {what}"):
            print(f"equal: {path.stem} {profile}: {dump['crc'].shape[0]} inputs x {oracle[prefix + 'crc'].shape[1]} outputs")


def own_vector(path):
    """Checksums recorded by us from the library named in the file, for networks whose shared oracle lacks that side."""
    v = json.loads(path.read_text())
    with tempfile.TemporaryDirectory() as tmp:
        out = pathlib.Path(tmp) / "dump.npz"
        done = bitemu("run", shared / "models" / (v["model"] + ".tflite"), "--input", shared / "oracles" / "models" / (v["model"] + ".npz"),
                      "--limit", len(v["crc"]), "--profile", v["profile"], "--dump", out)
        if checks.check(done.returncode == 0, f"{v['model']}: {done.stderr.strip()}"):
            z = np.load(out)
            same = np.array_equal(z["crc"], np.array(v["crc"], np.uint32)) and z["crc_op"].tolist() == v["crc_op"] and z["crc_tensor"].tolist() == v["crc_tensor"]
            if checks.check(same, f"{v['model']} {v['profile']}: differs from {path.name}"):
                print(f"equal: {v['model']} {v['profile']}: {len(v['crc'])} inputs x {len(v['crc_op'])} outputs ({path.name})")


only = sys.argv[1:]
for npz in sorted((shared / "oracles" / "models").glob("*.npz")):
    if only and npz.stem not in only:
        continue
    for name, key in SIDES.items():
        one(npz, name, key)
for vector in sorted(pathlib.Path(__file__).resolve().parents[1].glob("vectors/*.json")) if not only else []:
    own_vector(vector)
for model in sorted((shared / "models").glob("*.tflite")):
    if not (shared / "oracles" / "models" / (model.stem + ".npz")).exists():
        print(f"no oracle: {model.stem}, any profile")
checks.finish()
