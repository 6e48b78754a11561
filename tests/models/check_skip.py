#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Candidates of 0 bits: the layer does not run, its output is its zero point everywhere; what follows computes on that; nothing is counted or
paid for it; boards do the same. On the digits network with conv2's 2-bit candidate made one of 0 bits."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import BITEMU, SOURCE, Checks, bitemu, bitemu_json, need_numpy

np = need_numpy()
checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp())
digits = SOURCE / "models" / "digits"
X = digits / "digits_x.npy"


def changed(old, new):
    """digits with the candidates of conv2 rewritten."""
    path = tmp / "skip.bitemu"
    with zipfile.ZipFile(digits / "digits.bitemu") as old_file, zipfile.ZipFile(path, "w") as new_file:
        for member in old_file.namelist():
            data = old_file.read(member)
            if member == "model.yaml":
                at = data.index(b'"name": "conv2", "candidates"') if b'"name": "conv2", "candidates"' in data else data.index(b"choices:")
                checks.check(old in data[at:], f"conv2 has no {old}")
                data = data[:at] + data[at:].replace(old, new, 1)
            new_file.writestr(member, data)
    return path


def trace(model, policy):
    bitemu("run", model, "--input", X, "--limit", 3, "--policy", policy, "--trace", tmp / "t.jsonl")
    records = [json.loads(line) for line in (tmp / "t.jsonl").read_text().splitlines()]
    return [r for r in records if isinstance(r.get("layer"), int) and r["layer"] >= 0]


TWO = b'{"w": 2, "a": 2}'
model = changed(TWO, b'{"w": 0, "a": 0}')
static = "layers:8,0,8,8"
skipped, whole = trace(model, static), trace(model, "fixed:8")
checks.check(len(skipped) == len(whole) > 0, f"{len(skipped)} records, {len(whole)}")
for a, b in zip(skipped, whole):
    n = int(np.prod(a["shape"]))
    if a["name"] == "conv2":
        checks.check(a["crc"] == zlib.crc32(bytes(n)), f"conv2 of input {a['input']} is not all zero")
        checks.check("w_bits" not in a and "a_bits" not in a, f"a skipped layer has widths: {a}")
    if a["name"] in ("stem", "widen"):
        checks.check(a["crc"] == b["crc"], f"{a['name']} does not follow conv2")
    if a["name"] == "conv3":
        checks.check(a["crc"] != b["crc"], "conv3 reads zeros and answers as before")

for board in ("nucleo-l4r5zi", "nucleo-f401re"):
    cost = {p: bitemu_json("cost", model, "--board", board, "--kernels", "cmix-nn", "--policy", p) for p in (static, "fixed:8")}
    rows = {p: {r["name"]: r for r in c["layers"]} for p, c in cost.items()}
    checks.check(rows[static]["conv2"]["cycles"] == 0 and rows[static]["conv2"]["macs"] == 0 and rows[static]["conv2"]["bitops"] == 0, f"{board}: {rows[static]['conv2']}")
    rest = sum(r["cycles"] for name, r in rows[static].items() if name != "conv2")
    checks.check(abs(cost[static]["totals"]["cycles"] - rest) < 1, f"{board}: total is not the sum of what runs")
counted = {p: bitemu_json("run", model, "--input", X, "--limit", 3, "--policy", p) for p in (static, "fixed:8")}
macs = {p: {r["name"]: r["macs"] for r in c["layers"]} for p, c in counted.items()}
checks.check(macs[static]["conv2"] == 0 < macs["fixed:8"]["conv2"], f"MACs counted: {macs[static]['conv2']}")

if shutil.which("make") and shutil.which("cc"):
    done = subprocess.run([SOURCE / "device" / "check", model, "--input", X, "--limit", "3", "--policy", static, "--board", "host", "--format", "json"], capture_output=True, text=True,
                          env={**os.environ, "BITEMU": str(BITEMU)})
    checks.check(done.returncode == 0 and json.loads(done.stdout)["equal"], f"exported: {done.stdout} {done.stderr}")

for new, why in ((b'{"w": 0, "a": 4}', "0 of both"), (b'{"w": 4, "a": 0}', "0 of both")):
    done = bitemu("inspect", changed(TWO, new))
    checks.check(done.returncode != 0 and why in done.stderr, f"{new}: {done.stderr}")
checks.finish()
