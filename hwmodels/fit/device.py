#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the families of bitemu's own kernels (device/kernels): kernels/bitemu-CORE.yaml and stacks/bitemu-CORE.yaml for ibex-small, ibex-maxperf and
cv32e40p, memory without wait states.

usage: device.py [--write] [--core CORE]      (needs numpy, the RISC-V compiler and a build; run from anywhere)

Cycles of layers are measured in the instruction-set simulator, whose cycles are the RTL's (docs/ISS.md), on networks that come with the repository
and those of tests/device. A layer's cycles are weights times events of its class and width, least squares of the relative error, no weight
negative. Held out: every layer of resnet20 and of an odd network. What is printed per row: layers, largest residual, errors of held-out layers. The error in a table is
the 90 % quantile of both together, at least 1 %. Weights nested in an 8-bit master are narrowed while they are read: these are the figures below 8 bits, of rounding shifts half up and floor (half even
takes longer on Ibex)."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BITEMU = os.environ.get("BITEMU", str(ROOT / "build" / "cli" / "bitemu"))
CORES = {"cv32e40p": "OpenHW CV32E40P with Xpulp", "ibex-maxperf": "lowRISC Ibex maxperf", "ibex-small": "lowRISC Ibex small"}
WIDTHS = (8, 4, 3, 2)
EVENTS = {"conv": ["mac", "patch", "output", "call"], "pointwise": ["mac", "output", "call"], "depthwise": ["mac", "output", "call"],
          "fully_connected": ["mac", "output", "call"], "average_pool": ["window", "output", "call"], "max_pool": ["window", "output", "call"],
          "arg_max": ["window", "call"], "softmax": ["output", "call"], "add": ["output", "call"], "requantize": ["output", "call"], "move": ["output", "call"]}
CLASSES = {"DEPTHWISE_CONV_2D": "depthwise", "FULLY_CONNECTED": "fully_connected", "AVERAGE_POOL_2D": "average_pool", "MAX_POOL_2D": "max_pool", "ARG_MAX": "arg_max",
           "SOFTMAX": "softmax", "ADD": "add", "QUANTIZE": "requantize", "RESHAPE": "move", "CONCATENATION": "move", "PAD": "move"}


def call(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, env={**os.environ, "BITEMU": BITEMU})
    if not done.stdout:
        sys.exit(f"{' '.join(map(str, args))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def layers(model, x, policy, core):
    """Dicts of class, widths, events and cycles of every layer that runs."""
    how = ["--policy", policy] if policy else []
    measured = call(ROOT / "device" / "check", model, "--input", x, "--board", f"{core}-iss", "--format", "json", *how)["layers"]
    host = call(BITEMU, "run", model, "--input", x, "--limit", 1, "--format", "json", *how)["layers"]
    stated = call(BITEMU, "inspect", model, "--format", "json")["operators"]
    before = {}
    for m, h, s in zip(measured, host, stated):
        out = int(np.prod(s["shape"])) if s["shape"] else 1
        kind = CLASSES.get(m["op"])
        if m["op"] == "CONV_2D":
            kind = "pointwise" if s.get("kernel") == [1, 1] else "conv"
        inputs = before.get("out", out)
        before["out"] = out
        if kind is None or (h.get("macs", 0) == 0 and kind in ("conv", "pointwise", "depthwise", "fully_connected")):
            continue
        e = {"mac": h.get("macs") or 0, "output": out, "call": 1, "window": inputs, "patch": (h.get("macs") or 0) / s["shape"][-1]}
        w = round(h["w_bits"]) if h.get("w_bits") else 0
        yield {"class": kind, "w": w, "a": round(h["a_bits"]) if h.get("a_bits") else 0, "events": e, "cycles": m["cycles_measured"], "shipped": ROOT / "models" in Path(model).parents}


def fit(rows, names):
    """Weights >= 0 of least squares in the relative error, and the errors in per cent."""
    names = list(names)
    y = np.array([r["cycles"] for r in rows], float)
    while True:
        a = np.array([[r["events"][n] for n in names] for r in rows], float)
        x = np.linalg.lstsq(a / y[:, None], np.ones(len(y)), rcond=None)[0]
        if (x >= 0).all():
            return dict(zip(names, x)), (a @ x / y - 1) * 100
        del names[int(np.argmin(x))]


def corpus(folder):
    """(model, inputs, policy), those to fit first, and those held out."""
    sys.path.insert(0, str(ROOT / "tests"))
    sys.path.insert(0, str(ROOT / "tests" / "device"))
    sys.dont_write_bytecode = True
    import networks
    models, image = ROOT / "models", folder / "image.npy"
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


def tables(core, folder):
    mine, held = ([r for one in part for r in layers(*one, core) if r["shipped"] or r["w"] in (0, 8) or r["class"] == "depthwise"] for part in corpus(folder))
    out, errors = {}, []
    groups = sorted({(r["class"], r["w"] if r["w"] != 3 else 4) for r in mine})
    for kind, w in groups:
        def of(rows):
            return [r for r in rows if r["class"] == kind and (r["w"] if r["w"] != 3 else 4) == w]
        part, others = of(mine), of(held)
        x, e = fit(part, EVENTS[kind])
        miss = [(sum(v * r["events"][k] for k, v in x.items()) / r["cycles"] - 1) * 100 for r in others]
        errors += miss
        worst = max(1.0, float(np.quantile(np.abs([*e, *miss]), 0.9)))
        out[kind, w] = (x, worst, len(part))
        print(f"  {kind:16s} w{w} n={len(part):3d} " + " ".join(f"{k}={v:.3f}" for k, v in x.items()) + f"  residual {np.abs(e).max():.1f} %, held out {len(miss)}: "
              + (f"median {np.median(np.abs(miss)):.1f} %, worst {np.abs(miss).max():.1f} %" if miss else "none"), flush=True)
    print(f"{core}: {len(errors)} held-out layers: median {np.median(np.abs(errors)):.2f} %, 90 % within {np.quantile(np.abs(errors), 0.9):.1f} %, worst {np.abs(errors).max():.1f} %")
    return out


def kernels_yaml(core, table):
    lines = ["# SPDX-License-Identifier: Apache-2.0", "# Written by hwmodels/fit/device.py. Schema and events: docs/COSTS.md.", "bitemu_kernels: 1", f"name: bitemu-{core}",
             f"title: bitemu's own kernels (device/) on {CORES[core]}, memory without wait states", "weight_containers: [2, 4, 8]", "activation_containers: [8, 16, 32]",
             "columns: {pixels: 4, bytes: 1, source: code} # im2col: pixels at a time, bytes of a gathered value", "operators:"]
    for kind in EVENTS:
        mine = {w: v for (k, w), v in table.items() if k == kind}
        if mine:
            lines.append(f"  {kind}:")
        for w, (x, worst, _) in sorted(mine.items(), reverse=True):
            wide = {"add": "a8, a16", "arg_max": "a8, a16, a32", "move": "a8, a16, a32"}.get(kind, "a8")
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
            table = tables(core, Path(tmp))
            for name, text in ((f"kernels/bitemu-{core}.yaml", kernels_yaml(core, table)), (f"stacks/bitemu-{core}.yaml", stack_yaml(core))):
                if o.write:
                    (ROOT / "hwmodels" / name).write_text(text)
                    print("wrote", ROOT / "hwmodels" / name)


if __name__ == "__main__":
    main()
