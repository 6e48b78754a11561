#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does `bitemu cost --exact` state the cycles that the program itself measures on the simulated core, layer by layer? (tests/rtl holds the simulator
against the cores' RTL.)"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import BITEMU, SHARED, SOURCE, Checks, bitemu, bitemu_json, compile_once, need_numpy, skip

np = need_numpy()
GCC = "riscv64-unknown-elf-gcc"
if not shutil.which(GCC) or not shutil.which("make"):
    skip(f"{GCC} or make is not installed (Debian: gcc-riscv64-unknown-elf make)")
checks = Checks()
CORES = ("ibex-small", "ibex-maxperf", "cv32e40p")
DIGITS = SOURCE / "models" / "digits"


def measured(model, x, core, *policy):
    """Cycles of the layers, as device/check reports them."""
    done = subprocess.run([sys.executable, SOURCE / "device" / "check", model, "--input", x, "--board", f"{core}-iss", "--format", "json", *policy],
                          capture_output=True, text=True, env={**os.environ, "BITEMU": BITEMU})
    return {one["index"]: one["cycles_measured"] for one in json.loads(done.stdout)["layers"]}


with tempfile.TemporaryDirectory() as tmp:
    compile_once(tmp, GCC)
    os.environ["TMPDIR"] = f"{tmp}/exact"
    os.mkdir(os.environ["TMPDIR"])
    cases = [(DIGITS / "digits.bitemu", DIGITS / "digits_x.npy", core, policy) for core in CORES for policy in ("fixed:8", "layers:8,2,4,2")]
    if SHARED:
        with np.load(SHARED / "oracles" / "models" / "mlc_kws_ref_model.npz") as z:
            np.savez(f"{tmp}/kws.npz", in0=z["in0"][:1])
        cases += [(SHARED / "models" / "mlc_kws_ref_model.tflite", f"{tmp}/kws.npz", core, None) for core in CORES[1:]]
    else:
        print("no shared test material: the MLCommons network is left out")
    for model, x, core, policy in cases:
        asked = ("--policy", policy) if policy else ()
        own, there = bitemu_json("cost", model, "--core", core, "--clock-hz", "50e6", "--exact", "--input", x, *asked), measured(model, x, core, *asked)
        here = {one["index"]: one["cycles"] for one in own["layers"]}
        checks.check(there and here == there, f"{model.name} {core} {policy}: {here} stated, {there} measured")
        checks.check(own["totals"]["cycles"] == sum(there.values()) and own["totals"]["cycles_error_pct"] == 0, f"{model.name} {core} {policy}: the sum")
        checks.check(own["kernels"] == f"bitemu-{core}/bitemu-{core}", f"{core}: whose kernels")
        checks.check(not [m for m in own["missing"] if "weights for" in m or "no weight" in m], f"{model.name} {core}: {own['missing']}")
    # what is estimated without running: other figures, close to these
    for model, x, core, policy in cases:
        for waits in ((0, 0), (1, 1)):
            how = ("cost", model, "--core", core, "--clock-hz", "50e6", "--kernels", f"bitemu-{core}", "--fetch-wait", waits[0], "--data-wait", waits[1], *(("--policy", policy) if policy else ()))
            exact, estimate = bitemu_json(*how, "--exact", "--input", x), bitemu_json(*how)
            off = sorted(abs(e["cycles"] / m["cycles"] - 1) for e, m in zip(estimate["layers"], exact["layers"]) if e.get("trips") and m["cycles"])
            total = abs(estimate["totals"]["cycles"] / exact["totals"]["cycles"] - 1)
            print(f"{model.name} {core} {policy} at wait states {waits}: {len(off)} layers estimated, median {100 * off[len(off) // 2]:.2f} %, worst {100 * off[-1]:.1f} %, total {100 * total:.2f} %")
            checks.check(off[len(off) // 2] < (0.03 if any(waits) else 0.015) and 100 * total < estimate["totals"]["cycles_error_pct"], f"{model.name} {core} {policy} {waits}: estimates are off by {off}, {total}")
    drawn = bitemu_json("cost", DIGITS / "digits.bitemu", "--board", "x-heep-pynq-z2", "--exact")
    checks.check(drawn["best_case"]["cycles"] <= drawn["totals"]["cycles"] <= drawn["worst_case"]["cycles"], "codes of its own, every width")
    slow = [bitemu_json("cost", DIGITS / "digits.bitemu", "--core", "ibex-maxperf", "--clock-hz", "1e6", "--policy", "fixed:4", "--exact", "--input", DIGITS / "digits_x.npy", *wait)["totals"]["cycles"]
            for wait in ((), ("--data-wait", "1"), ("--fetch-wait", "1"), ("--fetch-wait", "2", "--data-wait", "1"))]
    checks.check(slow[0] < slow[1] and slow[0] < slow[2] < slow[3], f"wait states: {slow}")
    for want, words, *args in ((2, "cv32e40p", "--core", "cortex-m4", "--clock-hz", "1e6", "--exact"), (2, "--exact", "--core", "cv32e40p", "--clock-hz", "1e6", "--input", "x.npy"),
                               (4, "none.npy", "--core", "cv32e40p", "--clock-hz", "1e6", "--exact", "--input", "none.npy")):
        done = bitemu("cost", DIGITS / "digits.bitemu", *args)
        checks.check(done.returncode == want and words in done.stderr, f"{args}: {done.returncode} {done.stderr}")
    done = bitemu("cost", DIGITS / "digits.bitemu", "--core", "cv32e40p", "--clock-hz", "1e6", "--exact", env={**os.environ, "PATH": "/nonexistent"})
    checks.check(done.returncode == 3 and "make" in done.stderr, f"without make: {done.returncode} {done.stderr}")
    checks.check(not os.listdir(os.environ["TMPDIR"]), "nothing is left behind")
checks.finish()
