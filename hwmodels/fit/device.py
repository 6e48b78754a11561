#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the families of bitemu's own kernels (device/kernels): kernels/bitemu-CORE.yaml and stacks/bitemu-CORE.yaml for ibex-small, ibex-maxperf and
cv32e40p, memory without wait states.

usage: device.py [--write] [--core CORE]      (needs numpy, the RISC-V compiler and a build; run from anywhere)

Cycles of layers are measured in the instruction-set simulator, whose cycles are the RTL's (docs/ISS.md).
  trips      cycles of one trip of every loop (hwmodels/trips.h), from networks drawn by a seed (drawn.py) and shipped ones
  operators  where loops are not counted: weights times events of the layer's class and width, from shipped networks and those of tests/device
Both are least squares of the relative error, no figure negative. Held out: ResNet-20, the digits, every fifth drawn network; for operators ResNet-20 and an odd
network. error_pct is the 90 % quantile of residuals and held-out errors together, at least 1 %."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import drawn

ROOT = Path(__file__).resolve().parents[2]
BITEMU = os.environ.get("BITEMU", str(ROOT / "build" / "cli" / "bitemu"))
CORES = {"cv32e40p": "OpenHW CV32E40P with Xpulp", "ibex-maxperf": "lowRISC Ibex maxperf", "ibex-small": "lowRISC Ibex small"}
WIDTHS, DRAWN = (8, 4, 3, 2), 90
EVENTS = {"arg_max": ["window", "call"], "softmax": ["output", "call"], "move": ["output", "call"]}
COUNTED = {"CONV_2D": "convolutions", "FULLY_CONNECTED": "convolutions", "DEPTHWISE_CONV_2D": "depthwise", "ADD": "sums", "QUANTIZE": "sums", "AVERAGE_POOL_2D": "pools", "MAX_POOL_2D": "pools"}
CLASSES = {"ARG_MAX": "arg_max", "SOFTMAX": "softmax", "RESHAPE": "move", "CONCATENATION": "move", "PAD": "move"}


def call(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, env={**os.environ, "BITEMU": BITEMU})
    if not done.stdout:
        sys.exit(f"{' '.join(map(str, args))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def layers(model, x, policy, core):
    """Dicts of every layer that runs: class, width, events, trips of its loops, cycles."""
    how = ["--policy", policy] if policy else []
    measured = call(ROOT / "device" / "check", model, "--input", x, "--board", f"{core}-iss", "--format", "json", *how)["layers"]
    stated = call(BITEMU, "cost", model, "--core", core, "--clock-hz", "1e6", "--kernels", f"bitemu-{core}", "--format", "json", *how)["layers"]
    shapes = [o["shape"] for o in call(BITEMU, "inspect", model, "--format", "json")["operators"]]
    before = None
    for m, s, shape in zip(measured, stated, shapes):
        out = int(np.prod(shape)) if shape else 1
        events = {"mac": s["macs"], "output": out, "call": 1, "window": before if before else out}
        before = out
        yield {"network": Path(model).stem, "op": m["op"], "class": CLASSES.get(m["op"]), "w": s["w_bits"], "events": events, "trips": s.get("trips"), "cycles": m["cycles_measured"],
               "shipped": ROOT / "models" in Path(model).parents}


def fit(rows, names, counts):
    """Figures >= 0 of least squares in the relative error (Lawson and Hanson), and the errors in per cent."""
    y = np.array([r["cycles"] for r in rows], float)
    a = np.array([[r[counts].get(n, 0) for n in names] for r in rows], float) / y[:, None]
    size = a.max(0)
    a = a / size
    x, passive = np.zeros(len(names)), np.zeros(len(names), bool)
    while not passive.all():
        gradient = a.T @ (1 - a @ x)
        if gradient[~passive].max() <= 1e-9:
            break
        passive[np.flatnonzero(~passive)[np.argmax(gradient[~passive])]] = True
        while True:
            s = np.zeros(len(names))
            s[passive] = np.linalg.lstsq(a[:, passive], np.ones(len(y)), rcond=None)[0]
            if s[passive].min() > 0:
                x = s
                break
            k = passive & (s <= 0)
            x = x + (x[k] / (x[k] - s[k])).min() * (s - x)
            passive &= x > 1e-14
    return dict(zip(names, x / size)), (a @ x - 1) * 100


def errors_of(rows, figures, counts):
    return np.array([100 * (sum(n * figures.get(k, 0) for k, n in r[counts].items()) / r["cycles"] - 1) for r in rows])


def spread(errors):
    a = np.abs(errors)
    return f"median {np.median(a):.2f} %, 90 % within {np.quantile(a, 0.9):.1f} %, worst {a.max():.1f} %" if len(a) else "none"


def corpus(folder):
    """(model, inputs, policy), those to fit first, and those held out."""
    networks, models, image = drawn.networks, ROOT / "models", folder / "image.npy"
    np.save(image, np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3)).astype(np.uint8))
    mine = [(models / "digits" / "digits.bitemu", models / "digits" / "digits_x.npy", f"fixed:{w}") for w in (8, 4, 2)]
    for w in WIDTHS:
        mine.append((models / "resnet8" / "resnet8.bitemu", image, f"fixed:{w}"))
    mine.append((models / "resnet8-cascade" / "resnet8-cascade.bitemu", image, "layers:3,4,8"))
    for make in (networks.ds_cnn, networks.resnet8):
        model, x = make(folder)
        mine += [(model, x, f"fixed:{w}") for w in (8, 4, 2)]
    held = [(models / "resnet20" / "resnet20.bitemu", image, f"fixed:{w}") for w in (8, 4, 2)]
    model, x = networks.odd(folder, "int8")
    return mine, held + [(model, x, f"fixed:{w}") for w in (8, 4, 2)]


def measured(core, folder):
    """Rows to fit, rows held out, and of these those of the operators' corpus."""
    mine, held = ([r for one in part for r in layers(*one, core)] for part in corpus(folder))
    drawn_rows = []
    for seed in range(DRAWN):
        model, x, policies = drawn.network(folder, seed)
        for policy in policies:
            drawn_rows += [{**r, "held": seed % 5 == 0} for r in layers(model, x, policy, core)]
    return mine, held, drawn_rows


def trips(core, mine, held, drawn_rows):
    """Kind of layers -> (figures of their loops, error in per cent)."""
    out = {}
    for kind in dict.fromkeys(COUNTED.values()):
        counted = [r for r in mine + held + drawn_rows if r["trips"] and COUNTED.get(r["op"]) == kind]
        out_of = [r for r in counted if r.get("held") or r["network"] in ("resnet20", "digits")]
        rows = [r for r in counted if not any(r is o for o in out_of)]
        figures, residuals = fit(rows, sorted({n for r in rows for n in r["trips"]}), "trips")
        out_of = [r for r in out_of if all(n in figures for n in r["trips"])]
        miss = errors_of(out_of, figures, "trips")
        out[kind] = (figures, max(1.0, float(np.quantile(np.abs([*residuals, *miss]), 0.9))))
        print(f"  {core} {kind}: {len(rows)} layers, residuals {spread(residuals)}; {len(miss)} held out: {spread(miss)}", flush=True)
    return out


def operators(core, mine, held):
    out = {}
    mine, held = ([r for r in part if r["class"] and (r["shipped"] or r["w"] in (0, 8))] for part in (mine, held))
    narrow = lambda r: 4 if r["w"] == 3 else r["w"]
    for kind, w in sorted({(r["class"], narrow(r)) for r in mine}):
        part, others = ([r for r in rows if (r["class"], narrow(r)) == (kind, w)] for rows in (mine, held))
        figures, residuals = fit(part, EVENTS[kind], "events")
        miss = errors_of(others, {k: v for k, v in figures.items()}, "events") if others else np.array([])
        out[kind, w] = (figures, max(1.0, float(np.quantile(np.abs([*residuals, *miss]), 0.9))))
        print(f"  {core} {kind} w{w}: {len(part)} layers, residuals {spread(residuals)}; {len(miss)} held out: {spread(miss)}", flush=True)
    return out


def kernels_yaml(core, loops, table):
    lines = ["# SPDX-License-Identifier: Apache-2.0", "# Written by hwmodels/fit/device.py. Schema and events: docs/COSTS.md.", "bitemu_kernels: 1", f"name: bitemu-{core}",
             f"title: bitemu's own kernels (device/) on {CORES[core]}, memory without wait states", "weight_containers: [2, 4, 8]", "activation_containers: [8, 16, 32]",
             "columns: {pixels: 4, bytes: 1, source: code} # im2col: pixels at a time, bytes of a gathered value",
             f"row: {'xpulp' if core == 'cv32e40p' else 'rv32'} # whose loops are counted: hwmodels/trips.h", "trips:"]
    for figures, error in loops.values():
        lines += [f"  {k}: {{value: {v:.5g}, unit: cycles/trip, error_pct: {error:.1f}, source: simulator}}" for k, v in figures.items()]
    lines.append("operators: # what has no loops counted")
    for kind in EVENTS:
        mine = {w: v for (k, w), v in table.items() if k == kind}
        if mine:
            lines.append(f"  {kind}:")
        for w, (x, worst) in sorted(mine.items(), reverse=True):
            wide = {"arg_max": "a8, a16, a32", "move": "a8, a16, a32"}.get(kind, "a8")
            lines.append(f"    - widths: [{f'w{w}a8' if w else wide}]")
            lines += [f"      per_{k}: {{value: {v:.4g}, unit: cycles/{k}, error_pct: {worst:.0f}, source: simulator}}" for k, v in x.items()]
    return "\n".join(lines + ["sources:", "  simulator: >-", "    fitted (hwmodels/fit/device.py) to cycles of layers in bitemu iss, whose cycles are the RTL's (docs/ISS.md); error = the 90 % quantile of residuals and held-out errors",
                              f"  code: device/kernels/{'xpulp' if core == 'cv32e40p' else 'rv32'}.c"]) + "\n"


def stack_yaml(core):
    return f"""# SPDX-License-Identifier: Apache-2.0
# Written by hwmodels/fit/device.py. Schema: docs/COSTS.md.
bitemu_stack: 1
name: bitemu-{core}
title: bitemu's own kernels on {CORES[core]}
kernels: bitemu-{core} # in cycles; the factor is for figures in instructions, of which it has none
cores:
  {core}:
    cycles_per_instruction:
      other: {{value: 1, unit: cycles/instruction, error_pct: 0, source: unit}}
sources:
  unit: the figures are cycles already
"""


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--write", action="store_true", help="replace the files; without it, print")
    p.add_argument("--core", choices=sorted(CORES), action="append")
    o = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        for core in o.core or CORES:
            mine, held, drawn_rows = measured(core, Path(tmp))
            loops, table = trips(core, mine, held, drawn_rows), operators(core, mine, held)
            for name, text in ((f"kernels/bitemu-{core}.yaml", kernels_yaml(core, loops, table)), (f"stacks/bitemu-{core}.yaml", stack_yaml(core))):
                if o.write:
                    (ROOT / "hwmodels" / name).write_text(text)
                    print("wrote", ROOT / "hwmodels" / name)


if __name__ == "__main__":
    main()
