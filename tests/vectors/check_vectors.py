#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`bitemu vectors` on every recorded kernel of the shared material. What is not equal is declared below, by library and operator, with its
exact count: a case more or less fails. `--write` renews the proof table in docs/PROFILES.md from this very run."""
import collections
import json
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import SOURCE, Checks, bitemu, bitemu_json, need_numpy, need_shared

# (library, operator): (differ, unsupported, defect, why). The list of what is still unproven.
GAPS = {
    ("muriscvnn", "conv2d"): (0, 0, 10, "grouped convolution reads weights beyond their end"),
    ("espnn", "conv2d"): (0, 0, 1, "1x1 kernel ignores groups and reads weights beyond their end"),
    ("pulpnn_mixed", "pointwise"): (0, 0, 40, "left-over pixel of an odd width: sub-byte inputs are read as packed bytes at unpacked offsets, past what is known behind them"),
    ("tflite_interp", "fully_connected"): (0, 0, 1, "a shift of 15, undefined in the library"),
}


def proof_table(files):
    lines = ["| library | operator | widths | profile | cases | equal | differ | unsupported | defect |", "|---|---|---|---|--:|--:|--:|--:|--:|"]
    rows = collections.OrderedDict()
    for f in files:
        _, op, bits = pathlib.Path(f["file"]).stem.split("__")
        row = rows.setdefault((f["library"], op, f["profile"]), [[], 0, 0, 0, 0, 0])
        row[0].append(bits)
        for i, key in enumerate(("cases", "equal", "differ", "unsupported", "defect")):
            row[i + 1] += f[key]
    for (library, op, profile), (bits, *counts) in rows.items():
        shown = " ".join(bits) if len(bits) <= 4 else f"{len(bits)} combinations, {bits[0]} … {bits[-1]}"
        lines.append(f"| {library} | {op} | {shown} | {profile or 'tflm, litert-ref, ruy, xnnpack' if library == 'tflite_interp' else profile or '–'} | "
                     + " | ".join(map(str, counts)) + " |")
    return lines


# Recorded operation -> operator that it proves.
PROVES = {"conv2d": "CONV_2D", "pointwise": "CONV_2D", "bconv2d": "CONV_2D", "depthwise": "DEPTHWISE_CONV_2D", "fully_connected": "FULLY_CONNECTED",
          "fully_connected_perch": "FULLY_CONNECTED", "fully_connected_out32": "FULLY_CONNECTED", "avg_pool": "AVERAGE_POOL_2D", "max_pool": "MAX_POOL_2D",
          "bmaxpool": "MAX_POOL_2D", "mean": "MEAN", "mean_hw": "MEAN", "add": "ADD", "mul": "MUL", "softmax": "SOFTMAX", "sigmoid_tanh": "LOGISTIC TANH",
          "logistic": "LOGISTIC", "logistic_lut": "LOGISTIC", "tanh": "TANH", "hard_swish": "HARD_SWISH"}
MOVING = set("ARG_MAX ASSIGN_VARIABLE CALL_ONCE CONCATENATION PACK PAD READ_VARIABLE RESHAPE SHAPE STRIDED_SLICE TILE TRANSPOSE VAR_HANDLE".split())
INTERPRETED = ("tflm", "litert-ref", "ruy", "xnnpack")
BOARDS = {"x-cube-ai", "plumerai", "microtvm-native", "tflm-rx"}
ON_BOARDS = "CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED AVERAGE_POOL_2D ADD SOFTMAX RESHAPE".split()


def operator_table(files, shared):
    """Every profile's operators by what proves them; the rest is unproven."""
    recorded = collections.defaultdict(set)
    for f in files:
        for profile in INTERPRETED if f["library"] == "tflite_interp" else (f["profile"],):
            recorded[profile].update(PROVES.get(pathlib.Path(f["file"]).stem.split("__")[1].removesuffix("_fpreq"), "").split())
    random_models = set(re.findall(r'"([A-Z_0-9]+)": \(\w+, ', (SOURCE / "tests/differential/cases.py").read_text()))
    networks = set()
    for model in (shared / "models").glob("*.tflite"):
        done = bitemu("inspect", model, "--format", "json")
        networks |= {op["op"] for op in json.loads(done.stdout)["operators"]} if done.returncode == 0 else set()
    lines = ["| profile | version | proven by recorded kernels | by random models of its interpreter | by whole networks or boards | unproven |", "|---|---|---|---|---|---|"]
    for p in bitemu_json("profiles"):
        left, cells = set(p["operators"]) - MOVING, []
        for proven in (recorded[p["name"]], random_models if p["name"] in INTERPRETED else set(),
                       networks if p["name"] in INTERPRETED[:2] else set(ON_BOARDS) if p["name"] in BOARDS else set()):
            now = left & proven
            cells.append(" ".join(sorted(now)) or "–")
            left -= now
        if p["name"] == "bitemu":
            cells[2] = "its own definition: `exhaustive`, `train`"
            left = set()
        lines.append(f"| `{p['name']}` | {p['version']} | " + " | ".join(cells) + f" | {' '.join(sorted(left)) or '–'} |")
    return lines


def write_page(result, shared):
    page = SOURCE / "docs" / "PROFILES.md"
    text = page.read_text()
    start, end = "<!-- table: tests/vectors/check_vectors.py --write -->\n", "<!-- end -->"
    head, rest = text.split(start)
    tail = rest.split(end)[1]
    t = result["totals"]
    lines = [f"{t['cases']} recorded cases in {t['files']} files: {t['equal']} equal, {t['differ']} differ, {t['unsupported']} unsupported, {t['defect']} defects.", ""]
    lines += proof_table(result["files"]) + ["", "What is not equal:", ""]
    lines += [f"* {library} {op}: {d} differ, {u} unsupported, {x} defects. {why[0].upper() + why[1:]}." for (library, op), (d, u, x, why) in GAPS.items()]
    lines += ["", "Operators of every profile, by the first thing that proves them (those that only move data are one code under all profiles, proven under `tflm` and `litert-ref`, and left out):", ""]
    lines += operator_table(result["files"], shared)
    page.write_text(head + start + "\n".join(lines) + "\n" + end + tail)


def check_bad_files(checks, np):
    """Wrong offset, shape, type: exit 4, naming file and case."""
    with tempfile.TemporaryDirectory() as tmp:
        stem = pathlib.Path(tmp) / "mine"
        np.savez(f"{stem}.npz", input=np.arange(8, dtype=np.int8), output=np.arange(2, dtype=np.int8))
        case = {"id": 7, "in_h": 2, "in_w": 2, "in_c": 2, "k_h": 2, "k_w": 2, "out_h": 1, "out_w": 1, "stride_h": 1, "stride_w": 1, "act_min": -128, "act_max": 127,
                "shapes": {"input": [1, 2, 2, 2], "output": [1, 1, 1, 2]}, "offset": {"input": 0, "output": 0}}

        def run(**change):
            c = {**case, **change}
            d = {"meta": {"library": "cmsisnn", "op": "max_pool"}, "arrays": {"input": "int8", "output": "int8"}, "cases": [c]}
            pathlib.Path(f"{stem}.json").write_text(json.dumps(d))
            return bitemu("vectors", f"{stem}.json")
        done = run()
        checks.check(done.returncode == 1 and "recorded 0, computed 6" in done.stdout and "output[0, 0, 0, 0]" in done.stdout, f"a wrong record differs: {done.stdout}{done.stderr}")
        done = run(offset={"input": 1, "output": 0})
        checks.check(done.returncode == 4 and "case 7" in done.stderr and "mine.json" in done.stderr, f"an offset beyond the array: {done.stderr}")
        done = run(shapes={"input": [1, 2, 2, "x"], "output": [1, 1, 1, 2]})
        checks.check(done.returncode == 4 and "case 7" in done.stderr, f"a shape that is none: {done.stderr}")
        done = run(shapes={"input": [1, 2, 2, 2], "output": [1, 1, 2]}, stride_h=0)
        checks.check(done.returncode == 4, f"a stride of 0: exit {done.returncode} {done.stderr}")
        np.savez(f"{stem}.npz", input=np.arange(8, dtype=np.int16), output=np.arange(2, dtype=np.int8))
        done = run()
        checks.check(done.returncode == 4 and "int16" in done.stderr, f"another type than stated: {done.stderr}")
        checks.check(bitemu("vectors", tmp + "/none.json").returncode == 4, "no such file")


checks = Checks()
check_bad_files(checks, need_numpy())
if checks.failed:
    checks.finish()
shared = need_shared()
result = json.loads(bitemu("vectors", shared / "oracles" / "kernels", "--format", "json").stdout)
found = collections.defaultdict(lambda: [0, 0, 0])
for f in result["files"]:
    for i, key in enumerate(("differ", "unsupported", "defect")):
        found[f["library"], f["operator"]][i] += f[key]
for key, counts in found.items():
    declared = GAPS.get(key, (0, 0, 0, ""))[:3]
    checks.check(tuple(counts) == declared, f"{key[0]} {key[1]}: differ, unsupported, defect are {tuple(counts)}, declared {declared}")
t = result["totals"]
checks.check(t["cases"] == t["equal"] + t["differ"] + t["unsupported"] + t["defect"] and t["cases"] > 10000, f"totals add up: {t}")
print(t)
if "--write" in sys.argv:
    write_page(result, shared)
checks.finish()
