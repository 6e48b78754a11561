#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fits the weights that hwmodels/kernels/*.yaml and hwmodels/boards/*.yaml state; prints them with their residuals.

usage: fit.py FOLDER      (needs numpy; FOLDER holds the five tables below)

Inputs, all measured or published by others than this script:
  instr_counts.csv         instructions executed per kernel call on a simulated Cortex-M4, gcc 12.2 -O3: CMSIS-NN 99f736a63036
                           (DSP and plain C builds), CMix-NN a97415fd56bb
  mlperf_tiny_results.csv  published board measurements (MLCommons Tiny rounds 0.5-1.3, closed division)
  mlperf_tiny_layers.csv   shapes and MACs of every layer of the benchmark models
  published_kernels.csv    per-layer times of a Raspberry Pi Pico (checked against only: its clock is assumed, not published)

Method: (1) instructions of a call = a * MACs + b * patch elements + c * outputs, least squares on relative residuals per
operator class and width pair; patch elements = MACs / output channels = values gathered into the im2col buffer. (2) cycles per
instruction of a board and software stack = the factor that centres the four published models' ratio published / counted
(geometric mean of the extremes), so that error_pct is the half width of their spread. Nothing is fitted to single layers of a
board.
"""
import ast
import csv
import re
import sys
from pathlib import Path

import numpy as np

DSP = "Cortex-M4 (DSP)"
PLAIN = "Cortex-M3 ISA (plain C, run on M4 model)"
MODELS = {"ad": "ad01_int8.tflite", "ic": "pretrainedResnet_quant.tflite", "kws": "kws_ref_model.tflite",
          "vww": "vww_96_int8.tflite"}


def read(folder, name):
    with open(Path(folder) / name, newline="") as f:
        return list(csv.DictReader(f))


def shape(row):
    """Operator class and events of one instr_counts row; events are checked against the row's own MACs."""
    macs = int(row["macs"])
    if row["op"] == "fully_connected":
        k, out = map(int, row["shape"].split("->"))
        assert k * out == macs
        return {"class": "fully_connected", "mac": macs, "patch": k, "output": out}
    m = re.match(r"in(\d+)x(\d+)x(\d+) k(\d+)(?:x(\d+))?(?: out(\d+))? s(\d+) p(\d+)(?: mult(\d+))?", row["shape"])
    _, _, c, kh, kw, out_c, _, _, mult = (int(v) if v else 0 for v in m.groups())
    kw = kw or kh
    if row["op"] == "depthwise":
        mult = mult or 1
        cls = "depthwise" if mult == 1 else "depthwise_multiplier"
        return {"class": cls, "mac": macs, "patch": macs, "output": macs // (kh * kw)}
    cls = "pointwise" if kh == kw == 1 else "conv"
    return {"class": cls, "mac": macs, "patch": macs // out_c, "output": macs // (kh * kw * c)}


def fit(rows, names):
    events = [shape(r) for r in rows]
    a = np.array([[e[n] for n in names] for e in events], float)
    y = np.array([int(r["instructions"]) for r in rows], float)
    names = list(names)
    while True:  # drop events whose weight would be negative: a cost cannot be
        x = np.linalg.lstsq(a / y[:, None], np.ones(len(y)), rcond=None)[0]
        if (x >= 0).all():
            break
        i = int(np.argmin(x))
        del names[i]
        a = np.delete(a, i, 1)
    return dict(zip(names, x)), (a @ x / y - 1) * 100


def tables(rows, library, target):
    out = {}
    mine = [r for r in rows if r["library"] == library and r["target"] == target and r["build"] == "gcc12.2 -O3"
            and r["op"] in ("conv2d", "depthwise", "fully_connected") and not re.search(r" (PL|PACT_CH_ICN)$", r["shape"])]
    for bits in sorted({r["bits"] for r in mine}):
        for cls in ("conv", "pointwise", "depthwise", "depthwise_multiplier", "fully_connected"):
            part = [r for r in mine if r["bits"] == bits and shape(r)["class"] == cls]
            if not part:
                continue
            names = {"conv": ["mac", "patch", "output"], "depthwise_multiplier": ["mac"]}.get(cls, ["mac", "output"])
            x, e = fit(part, names)
            out[bits, cls] = x
            print(f"  {library} {bits:7s} {cls:21s} n={len(part)} " + " ".join(f"{k}={v:.3f}" for k, v in x.items())
                  + f"  residual {e.min():+.1f} .. {e.max():+.1f} %")
    return out


def layers(rows, model):
    for r in rows:
        if r["model"] != model or r["op_index"] == "TOTAL":
            continue
        out = int(np.prod(ast.literal_eval(r["out_shape"])))
        ins = ast.literal_eval(r["in_shape"])
        e = {"mac": int(r["macs"]), "output": out, "window": int(np.prod(ins)), "class": r["op"].lower()}
        if r["op"] == "CONV_2D":
            w = ast.literal_eval(r["weight_shape"])
            e.update({"class": "pointwise" if w[1] == w[2] == 1 else "conv", "patch": e["mac"] // w[0]})
        if r["op"] == "DEPTHWISE_CONV_2D":
            e["class"] = "depthwise"
        yield e


# instructions per event of operators without MACs (one measured shape each, in instr_counts.csv; move: one load and one store)
OTHER = {"add": ("output", 81.613), "average_pool_2d": ("window", 11.695), "softmax": ("output", 259.83),
         "reshape": ("output", 2.0)}


def counted(rows, table, bits, model):
    total = 0.0
    for e in layers(rows, model):
        if (bits, e["class"]) in table:
            total += sum(v * e[k] for k, v in table[bits, e["class"]].items())
        else:
            event, weight = OTHER[e["class"]]
            total += weight * e[event]
    return total


def stack(results, where, instructions):
    """Factor and half width over the benchmarks of one published submission."""
    ratio = {}
    for r in results:
        if all(r[k].startswith(v) for k, v in where.items()) and r["benchmark"] in instructions and r["dtype"] == "int8":
            ratio[r["benchmark"]] = float(r["cycles"]) / instructions[r["benchmark"]]
    lo, hi = min(ratio.values()), max(ratio.values())
    mid = (lo * hi) ** 0.5
    half = max(hi / mid - 1, 1 - lo / mid) * 100
    print("   ", where, " ".join(f"{k}={v:.2f}" for k, v in ratio.items()), f"-> {mid:.3f} +- {half:.1f} % of the estimate;",
          f"leave one out: worst {leave_one_out(ratio):.1f} %")
    return mid


def leave_one_out(ratio):
    worst = 0.0
    for k in ratio:
        rest = [v for n, v in ratio.items() if n != k]
        worst = max(worst, abs((min(rest) * max(rest)) ** 0.5 / ratio[k] - 1) * 100)
    return worst


def main(folder):
    counts, results = read(folder, "instr_counts.csv"), read(folder, "mlperf_tiny_results.csv")
    shapes = read(folder, "mlperf_tiny_layers.csv")
    print("instructions per event, Cortex-M4 DSP build")
    dsp = tables(counts, "cmsisnn", DSP)
    tables(counts, "cmixnn", DSP)
    print("instructions per event, plain C build")
    plain = tables(counts, "cmsisnn", PLAIN)
    n_dsp = {b: counted(shapes, dsp, "w8a8", m) for b, m in MODELS.items()}
    n_plain = {b: counted(shapes, plain, "w8a8", m) for b, m in MODELS.items()}
    for what, n in (("DSP", n_dsp), ("plain C", n_plain)):
        print(f"counted instructions, {what}:", {k: int(v) for k, v in n.items()})
    print("cycles per counted instruction, NUCLEO-L4R5ZI")
    for soft in ("microTVM + CMSIS-NN", "TensorFlow Lite", "ONNC + CMSIS-NN"):
        rounds = {"microTVM + CMSIS-NN": "1.0", "TensorFlow Lite": "0.5", "ONNC + CMSIS-NN": "1.1"}[soft]
        where = {"round": rounds, "mcu": "", "clock_mhz": "120", "software_stack": soft}
        stack([r for r in results if "L4R5" in r["board"]], where, n_dsp)
    print("cycles per counted plain-C instruction, NUCLEO-G0B1RE")
    g0 = [r for r in results if "G0B1" in r["board"]]
    stack(g0, {"round": "1.1"}, n_plain)
    mid = stack(g0, {"round": "1.2"}, n_plain)
    pico = [r for r in read(folder, "published_kernels.csv")
            if r["board"].startswith("Raspberry Pi Pico") and "single" in r["stack"]]
    total = next(float(r["cycles"]) for r in pico if r["layer_or_network"].endswith("TOTAL"))
    macs = next(float(r["macs"]) for r in pico if r["layer_or_network"].endswith("TOTAL"))
    print(f"check: Raspberry Pi Pico, person_detect: {total / macs:.1f} cycles/MAC published, "
          f"{mid * n_plain['vww'] / 7489664:.1f} by the G0B1RE factor on vww (same network, RGB input)")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
