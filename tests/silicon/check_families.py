#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kernel families named by library and build: are their files what hwmodels/fit/families.py writes, and do their prices hold what boards measured,
within the errors that they state? Measurements: kws layer by layer on Apollo510 (Cortex-M55), four networks on EK-RA8D1 (Cortex-M85)."""
import csv
import os
import pathlib
import re
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import SOURCE, Checks, bitemu_json, need_shared

shared = need_shared()
FOLDER = shared / "reference"
PYTHON = pathlib.Path(os.environ.get("BITEMU_DIFFERENTIAL", SOURCE / ".venv-differential")) / "bin" / "python"
NETWORKS = {"ad": "mlc_ad01_int8", "ic": "mlc_pretrainedResnet_quant", "kws": "mlc_kws_ref_model", "vww": "mlc_vww_96_int8"}
checks = Checks()


def rows(name):
    with open(FOLDER / name, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


if PYTHON.exists():
    done = subprocess.run([PYTHON, SOURCE / "hwmodels" / "fit" / "families.py", FOLDER], capture_output=True, text=True)
    checks.check(done.returncode == 0 and "is not what this script writes" not in done.stdout, f"families.py writes the shipped files: {done.stdout}{done.stderr}")
else:
    print("SKIPPED: no numpy environment (tools/setup.sh makes it); the shipped files are not compared with what families.py writes")

layers = {x["index"]: x for x in bitemu_json("cost", shared / "models" / "mlc_kws_ref_model.tflite", "--board", "apollo510-evb")["layers"]}
errors, outside = [], []
for r in rows("published_kernels.csv"):
    found = re.match(r"MLPerf KWS op(\d+) (CONV_2D|DEPTHWISE_CONV_2D) ", r["layer_or_network"])
    if not found or not r["board"].startswith("Apollo510"):
        continue
    x, cycles = layers[int(found[1])], float(r["cycles"])
    checks.check(x["type"] == found[2] and x["macs"] == int(r["macs"]), f"op {found[1]} is the published layer")
    errors.append(abs(x["cycles"] / cycles - 1) * 100)
    if abs(x["cycles"] - cycles) > x["cycles"] * x["cycles_error_pct"] / 100:
        outside.append(f"Apollo510 op {found[1]}: {x['cycles']:.0f} +-{x['cycles_error_pct']:.0f} %, measured {cycles:.0f}")
print(f"Apollo510, kws, {len(errors)} layers of CMSIS-NN with Helium: median error {statistics.median(errors):.1f} %, worst {max(errors):.1f} %")
checks.check(len(errors) == 9 and statistics.median(errors) <= 20, "median error of the layers")
for r in rows("mlperf_tiny_results.csv"):
    if r["core_family"] != "Cortex-M85" or r["stack_class"] != "tflm_cmsisnn" or r["benchmark"] not in NETWORKS:
        continue
    t = bitemu_json("cost", shared / "models" / f"{NETWORKS[r['benchmark']]}.tflite", "--board", "ek-ra8d1", "--kernels", "cmsis-nn:mve")["totals"]
    print(f"EK-RA8D1, {r['benchmark']}: {t['cycles']:.0f} +-{t['cycles_error_pct']:.0f} %, measured {r['cycles']} ({100 * (t['cycles'] / float(r['cycles']) - 1):+.0f} %)")
    if abs(t["cycles"] - float(r["cycles"])) > t["cycles"] * t["cycles_error_pct"] / 100:
        outside.append(f"EK-RA8D1 {r['benchmark']}")
print(f"outside the stated error: {outside or 'none'}")
checks.check(len(outside) <= 1, f"the bands are to hold 90 % of the rows; of 13 these are outside: {outside}")
checks.finish()
