#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the families of bitemu's own kernels (device/kernels): kernels/bitemu-CORE.yaml and stacks/bitemu-CORE.yaml for ibex-small, ibex-maxperf and
cv32e40p, by wait states of their memories.

usage: device.py [--write] [--core CORE] [--models FOLDER]      (needs numpy, the RISC-V compiler and a build; run from anywhere)

Cycles of layers are measured in the instruction-set simulator, whose cycles are the RTL's (docs/ISS.md): `bitemu cost --exact`. Cycles of one trip of every loop
(hwmodels/trips.h) are least squares of the relative error, no figure negative, of layers of networks drawn by a seed (drawn.py), of shipped ones, of those of tests/device, and with --models
of MLCommons' kws and ic, which have SOFTMAX. Held out: ResNet-20, the digits, every fifth drawn network. error_pct is the 90 % quantile of residuals and held-out errors together,
at least 1 %, of kinds with fewer than ten layers 60 %. With wait states fewer networks run, as simulation takes longer."""
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
WAITS = ((0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (2, 1))  # of instruction memory, of data memory
DRAWN, DRAWN_WAITING, FEW = 90, 40, 10  # fewer layers of a kind vouch for nothing
KINDS = {"CONV_2D": "convolutions", "FULLY_CONNECTED": "convolutions", "DEPTHWISE_CONV_2D": "depthwise", "ADD": "sums", "QUANTIZE": "sums", "AVERAGE_POOL_2D": "pools", "MAX_POOL_2D": "pools",
         "RESHAPE": "moves", "CONCATENATION": "moves", "ARG_MAX": "moves", "SOFTMAX": "softmax"}


def call(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True)
    if not done.stdout:
        sys.exit(f"{' '.join(map(str, args))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def layers(model, x, policy, core, waits):
    """Of every layer whose loops are counted: trips of them, cycles."""
    cost = [BITEMU, "cost", model, "--core", core, "--clock-hz", "1e6", "--kernels", f"bitemu-{core}", "--format", "json", *(["--policy", policy] if policy else [])]
    states = call(*cost)["layers"]
    cycles = [[one["cycles"] for one in call(*cost, "--exact", "--input", x, "--fetch-wait", f, "--data-wait", d)["layers"]] for f, d in waits]
    for i, s in enumerate(states):
        if s.get("trips") and s["type"] in KINDS:
            yield {"network": Path(model).stem, "kind": KINDS[s["type"]], "trips": s["trips"], "cycles": {w: c[i] for w, c in zip(waits, cycles)}}


def fit(rows, names, waits):
    """Figures >= 0 of least squares in the relative error (Lawson and Hanson), and the errors in per cent."""
    y = np.array([r["cycles"][waits] for r in rows], float)
    a = np.array([[r["trips"].get(n, 0) for n in names] for r in rows], float) / y[:, None]
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


def errors_of(rows, figures, waits):
    return np.array([100 * (sum(n * figures[k] for k, n in r["trips"].items()) / r["cycles"][waits] - 1) for r in rows])


def spread(errors):
    a = np.abs(errors)
    return f"median {np.median(a):.2f} %, 90 % within {np.quantile(a, 0.9):.1f} %, worst {a.max():.1f} %" if len(a) else "none"


def corpus(folder, models):
    """(model, inputs, policy, with wait states too)"""
    networks, shipped, image = drawn.networks, ROOT / "models", folder / "image.npy"
    np.save(image, np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3)).astype(np.uint8))
    for w in (8, 4, 2):
        yield shipped / "digits" / "digits.bitemu", shipped / "digits" / "digits_x.npy", f"fixed:{w}", True
    for w in (8, 4, 3, 2):
        yield shipped / "resnet8" / "resnet8.bitemu", image, f"fixed:{w}", w == 4
        yield shipped / "resnet20" / "resnet20.bitemu", image, f"fixed:{w}", False
    yield shipped / "resnet8-cascade" / "resnet8-cascade.bitemu", image, "layers:3,4,8", False
    for make in (networks.ds_cnn, networks.resnet8, lambda f: networks.odd(f, "int8")):
        model, x = make(folder)
        for w in (8, 4, 2):
            yield model, x, f"fixed:{w}", make is networks.ds_cnn
    for name, shape in (("mlc_kws_ref_model", (1, 49, 10, 1)), ("mlc_pretrainedResnet_quant", (1, 32, 32, 3))) if models else ():
        np.save(folder / f"{name}.npy", np.random.default_rng(2).integers(-128, 128, shape).astype(np.int8))
        yield models / f"{name}.tflite", folder / f"{name}.npy", None, "kws" in name
    for seed in range(DRAWN):
        model, x, policies = drawn.network(folder, seed)
        for policy in policies:
            yield model, x, policy, seed < DRAWN_WAITING


def held_out(row):
    name = row["network"]
    return name in ("resnet20", "digits") or (name.startswith("drawn") and int(name[5:]) % 5 == 0)


def trips(core, rows):
    """Loop -> (cycles, error in per cent) at each of the wait states, None where no layer tells."""
    out = {}
    for waits in WAITS:
        for kind in dict.fromkeys(KINDS.values()):
            here = [r for r in rows if r["kind"] == kind and waits in r["cycles"]]
            mine, held = [r for r in here if not held_out(r)], [r for r in here if held_out(r)]
            if not mine:
                continue
            figures, residuals = fit(mine, sorted({n for r in mine for n in r["trips"]}), waits)
            held = [r for r in held if all(n in figures for n in r["trips"])]
            miss = errors_of(held, figures, waits)
            error = max(1.0 if len(here) >= FEW else 60.0, float(np.quantile(np.abs([*residuals, *miss]), 0.9)))
            for name, v in figures.items():
                out.setdefault(name, {})[waits] = (v, error)
            print(f"  {core} {waits[0]}/{waits[1]} {kind}: {len(mine)} layers, residuals {spread(residuals)}; {len(held)} held out: {spread(miss)}", flush=True)
    return out


def kernels_yaml(core, loops):
    lines = ["# SPDX-License-Identifier: Apache-2.0", "# Written by hwmodels/fit/device.py. Schema: docs/HARDWARE.md.", "bitemu_kernels: 1", f"name: bitemu-{core}",
             f"title: bitemu's own kernels (device/) on {CORES[core]}", "weight_containers: [2, 4, 8]", "activation_containers: [8, 16, 32]",
             "columns: {pixels: 4, bytes: 1, source: code} # im2col: pixels at a time, bytes of a gathered value",
             f"row: {'xpulp' if core == 'cv32e40p' else 'rv32'} # whose loops are counted: hwmodels/trips.h",
             f"waits: [{', '.join(f'[{f}, {d}]' for f, d in WAITS)}] # wait states of instruction and data memory",
             "trips:"]
    for name, at in loops.items():
        cycles = ", ".join(f"{at[w][0]:.5g}" if w in at else "unknown" for w in WAITS)
        errors = ", ".join(f"{at[w][1]:.1f}" if w in at else "unknown" for w in WAITS)
        lines.append(f"  {name}: {{cycles: [{cycles}], error_pct: [{errors}], unit: cycles/trip, source: simulator}}")
    return "\n".join(lines + ["operators: {} # all that is known is above", "sources:", "  simulator: >-",
                              "    fitted (hwmodels/fit/device.py) to cycles of layers in bitemu iss, whose cycles are the RTL's (docs/ISS.md); error = the 90 % quantile of residuals and held-out errors",
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
    p.add_argument("--models", type=Path, help="folder of MLCommons' models")
    o = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        for core in o.core or CORES:
            rows = [r for model, x, policy, waiting in corpus(Path(tmp), o.models) for r in layers(model, x, policy, core, WAITS if waiting else WAITS[:1])]
            texts = {f"kernels/bitemu-{core}.yaml": kernels_yaml(core, trips(core, rows)), f"stacks/bitemu-{core}.yaml": stack_yaml(core)}
            for name, text in texts.items() if o.write else ():
                (ROOT / "hwmodels" / name).write_text(text)
                print("wrote", ROOT / "hwmodels" / name)


if __name__ == "__main__":
    main()
