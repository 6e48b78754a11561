#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`bitemu check` on whole networks: no accumulator of any input that was run lies outside the proven bounds; every bound is confirmed by
the emulator (check does that itself, and fails otherwise) under several libraries, widths and both overflows."""
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import SHARED, SOURCE, Checks, bitemu, bitemu_json

checks = Checks()


def proven(model, *args):
    done = bitemu("check", model, "--format", "json", *args)
    if done.returncode == 3 and not done.stdout:  # the profile lacks an operator
        return None
    checks.check(done.returncode in (0, 1, 3), f"{model.name} {args}: exit {done.returncode} {done.stderr.strip()}")
    return json.loads(done.stdout)["layers"]


def crcs(model, x, limit, *args):
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder) / "t.jsonl"
        done = bitemu("run", model, "--input", x, "--profile", "tflm", "--trace", trace, *limit, *args)
        checks.check(done.returncode == 0, f"{model.name} {args}: {done.stderr.strip()}")
        return [json.loads(line).get("crc") for line in trace.read_text().splitlines()]


def one(model, x, limit):
    bounds = proven(model, "--profile", "tflm")
    for args in (("--accumulator", "8"), ("--accumulator", "16:saturate"), ("--accumulator", "24:saturate", "--profile", "cmsis-nn"),
                 ("--profile", "cmsis-nn"), ("--profile", "muriscv-nn", "--accumulator", "64"), ("--profile", "xnnpack")):
        proven(model, *args)
    if x is None or bounds is None:
        return
    whole, steps = crcs(model, x, limit), crcs(model, x, limit, "--accumulator", "32:saturate")
    checks.check(whole == steps, f"{model.name}: 32 bits that saturate, and never do, compute other codes")
    seen = {layer["index"]: layer for layer in bitemu_json("run", model, "--input", x, "--profile", "tflm", *limit)["layers"]}
    for b in bounds:
        s = seen[b["index"]]
        if b["verdict"] == "not examined" or s["acc_min"] is None:
            continue
        checks.check(b["acc_min"] <= s["acc_min"] and s["acc_max"] <= b["acc_max"],
                     f"{model.name} layer {b['index']}: [{s['acc_min']}, {s['acc_max']}] is not within [{b['acc_min']}, {b['acc_max']}]")


one(SOURCE / "models" / "digits" / "digits.bitemu", SOURCE / "models" / "digits" / "digits_x.npy", ())
if SHARED is None:
    print("SKIPPED: .tflite models, no shared test material")
else:
    for path in sorted((SHARED / "models").glob("*.tflite")):
        x = SHARED / "oracles" / "models" / (path.stem + ".npz")
        one(path, x if x.exists() else None, ("--limit", 2))
checks.finish()
