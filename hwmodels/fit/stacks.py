#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes hwmodels/stacks/*.yaml: cycles per counted instruction of every published software stack, by core and operator class.

usage: stacks.py FOLDER [--write | --table]      (needs numpy; FOLDER holds instr_counts.csv, mlperf_tiny_results.csv, mlperf_tiny_layers.csv,
published_kernels.csv)

A stack is a column `stack_class` of the published results (xcubeai), or one version of it (xcubeai-8.1). Published cycles of a network =
sum over operator classes of factor x counted instructions (fit.py, plain C build for Cortex-M0+, DSP build else). Per stack and core the
median over boards is taken for each benchmark, then the factors come from least squares on relative residuals, with a pull (weight PULL)
of every class towards a common factor, since four networks cannot tell five classes apart. A core on which a stack was never measured
takes the stack's factors on the core that it has, times the median ratio of the two cores over the stacks that were measured on both;
without such a stack it is left out. error_pct is the 90 % quantile of the relative error when one board is left out (at least FLOOR);
for cores that were not measured the same with whole cores left out.

Stacks of which only whole MobileNetV1-0.25 person detectors are published (TinyMaix, TFLM with and without ESP-NN: published_kernels.csv) get one
factor for all classes from their cycles per MAC and the counted plain C instructions per MAC of the same topology (vww).
"""
import argparse
import collections
import contextlib
import io
import re
import sys
from pathlib import Path

import numpy as np

import fit

CLASSES = ["conv", "pointwise", "depthwise", "fully_connected", "other"]
PULL, FLOOR = 0.15, 5.0
CORES = ["Cortex-M0+", "Cortex-M4", "Cortex-M7", "Cortex-M33", "Cortex-M85"] # among these figures are carried over
VERSIONS = {"xcubeai": r"v(\d+\.\d+)", "hale": r"HALE (1\.0\.\d+|1\.0)"}
TITLES = {"hale": "Bosch HALE", "microtvm_cmsisnn": "microTVM with CMSIS-NN", "microtvm_native": "microTVM, its own kernels",
          "onnc_cmsisnn": "ONNC with CMSIS-NN", "plumerai": "Plumerai inference engine", "tflm_cmsisnn": "TensorFlow Lite Micro with CMSIS-NN",
          "tflm_reference": "TensorFlow Lite Micro, reference kernels", "xcubeai": "ST X-CUBE-AI / ST Edge AI", "tflm_andesnn": "TensorFlow Lite Micro with Andes NN",
          "onnc_andesnn": "ONNC with Andes NN", "csi_nn2": "Sinian on T-Head CSI-NN2", "tinymaix": "TinyMaix", "tflm_espnn": "TensorFlow Lite Micro with ESP-NN"}


def slug(core):
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\+$", "plus", core.lower())).strip("-")


def counted(folder):
    """benchmark -> class -> instructions, of the DSP and of the plain C build."""
    counts, shapes = fit.read(folder, "instr_counts.csv"), fit.read(folder, "mlperf_tiny_layers.csv")
    with contextlib.redirect_stdout(io.StringIO()):
        tables = {"cmsis-nn": fit.tables(counts, "cmsisnn", fit.DSP), "portable-c": fit.tables(counts, "cmsisnn", fit.PLAIN)}
    result = {}
    for name, table in tables.items():
        for bench, model in fit.MODELS.items():
            total = collections.Counter()
            for e in fit.layers(shapes, model):
                if ("w8a8", e["class"]) in table:
                    total[e["class"]] += sum(v * e[k] for k, v in table["w8a8", e["class"]].items())
                else:
                    event, weight = fit.OTHER[e["class"]]
                    total["other"] += weight * e[event]
            result[name, bench] = np.array([total[c] for c in CLASSES])
    return result


def rows(folder):
    for r in fit.read(folder, "mlperf_tiny_results.csv"):
        if r["plain_cpu"] != "yes" or r["dtype"] != "int8" or not r["cycles"] or r["benchmark"] not in fit.MODELS or r["stack_class"] == "proprietary":
            continue
        names = [r["stack_class"]]
        found = re.search(VERSIONS.get(r["stack_class"], "$^"), r["software_stack"])
        if found:
            names.append(f"{r['stack_class']}-{found.group(1)}")
        if r["stack_class"] == "plumerai":
            names.append(f"plumerai-mlperf-{r['round']}")
        for name in names:
            yield {"stack": name, "core": r["core_family"], "board": re.sub(r"(-P|-Q)$", "", r["board"].upper()), "bench": r["benchmark"],
                   "cycles": float(r["cycles"]), "round": r["round"]}


def kernels_of(stack):
    return "portable-c" if stack.startswith(("tflm_reference", "tflm_espnn", "tinymaix")) else "cmsis-nn"


SINGLE = {"TinyMaix (fastest of INT8/FP16 options)": "tinymaix", "TFLM + esp-nn": "tflm_espnn", "TFLM reference kernels (no esp-nn)": "tflm_reference"}
SAME = {"ARM CM0+": "Cortex-M0+", "ARM CM3": "Cortex-M3", "ARM CM4": "Cortex-M4", "ARM CM4F": "Cortex-M4", "ARM CM7": "Cortex-M7", "ARM CM33": "Cortex-M33",
        "ARMv8-M Star-MC1": "Cortex-M33", "AVR": "AVR ATmega"}


def singles(folder):
    """(stack, core) -> boards and cycles per MAC of whole networks; one median a board."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for r in fit.read(folder, "published_kernels.csv"):
        stack = SINGLE.get(r["stack"])
        network = r["layer_or_network"]
        wanted = network in ("vww96", "mbnet128_0.25") or network.startswith("person_detection") or (r["core"] == "AVR" and network == "mnist_arduino")
        if not stack or not wanted or not r["cycles_per_mac"]:
            continue
        core = SAME.get(r["core"], r["core"])
        if r["board"] == "ESP32-C3":
            core = "RV32IMC"
        elif core.startswith("RV32") and "P4" in r["board"]:
            core = "RV32 ESP32-P4"
        if core in SAME.values() or r["board"].startswith("ESP32"):
            found[stack, core][r["board"]].append(float(r["cycles_per_mac"]))
    return found


def table_of(stack, core):
    return "portable-c" if core == "Cortex-M0+" or kernels_of(stack) == "portable-c" else "cmsis-nn"


def factors(group, instructions, stack):
    """Least squares over the benchmarks' medians; unknowns: one factor a class, and the common one they are pulled to."""
    n, a, y = len(CLASSES), [], []
    for bench in sorted({r["bench"] for r in group}):
        cycles = np.median([r["cycles"] for r in group if r["bench"] == bench])
        a.append(np.append(instructions[kernels_of(stack), bench] / cycles, 0))
        y.append(1)
    for c in range(n):
        pull = np.zeros(n + 1)
        pull[c], pull[n] = PULL, -PULL
        a.append(pull)
        y.append(0)
    scale = np.median(1 / np.array([row[:n].sum() for row in a[:-n]]))
    return np.maximum(np.linalg.lstsq(np.array(a), np.array(y), rcond=None)[0][:n], 0.05 * scale)


def carried(all_rows, instructions, stack, core, cache):
    """Factors of a stack on a core where it was never measured, and the core they come from; None without a relative."""
    own = sorted({r["core"] for r in all_rows if r["stack"] == stack and r["core"] in CORES and r["core"] != core})
    best = None
    for base in own if core in CORES else []:
        common = [s for s in {r["stack"] for r in all_rows} if s != stack and "-" not in s and (s, base) in cache and (s, core) in cache]
        if common and (best is None or len(common) > best[0]):
            ratio = np.median([cache[s, core] / cache[s, base] for s in common], axis=0)
            best = (len(common), cache[stack, base] * ratio, base, common)
    return best


def estimate(f, instructions, stack, bench):
    return float(f @ instructions[kernels_of(stack), bench])


def errors(all_rows, instructions, stack, core):
    """Relative errors of the stack's rows on a core, each board left out in turn (benchmark by benchmark where there is one board)."""
    group, found = [r for r in all_rows if r["stack"] == stack and r["core"] == core], []
    for r in group:
        rest = [q for q in group if q["board"] != r["board"]] or [q for q in group if q["bench"] != r["bench"]]
        if rest:
            found.append(abs(estimate(factors(rest, instructions, stack), instructions, stack, r["bench"]) / r["cycles"] - 1) * 100)
    return found


def yaml(stack, cells, boards, rounds):
    lines = ["# SPDX-License-Identifier: Apache-2.0", "# Written by hwmodels/fit/stacks.py from published measurements. Schema: docs/COSTS.md.", "bitemu_stack: 1",
             f"name: {stack}", f"title: {TITLES.get(stack.split('-')[0], stack)}" + (f" {stack.split('-', 1)[1]}" if "-" in stack else ""),
             f"kernels: {kernels_of(stack)} # what the factors multiply", "cores:"]
    for core in sorted(cells):
        f, error, base, _ = cells[core]
        lines.append(f"  {slug(core)}:")
        if base:
            lines.append(f"    estimated_from: {base}; never measured on {core}")
        lines.append("    cycles_per_instruction:")
        lines += [f"      {c}: {{value: {v:.4g}, unit: cycles/instruction, error_pct: {error:.0f}, source: mlperf}}" for c, v in zip(CLASSES, f)]
    source = f"MLCommons Tiny, closed division, rounds {', '.join(sorted(rounds))}" if rounds else "published times of MobileNetV1-0.25 person detectors (TinyMaix benchmark.md, esp-nn README)"
    lines += ["sources:", "  mlperf: >-", f"    fitted to {source}; boards {', '.join(sorted(boards))}"]
    return "\n".join(lines) + "\n"


def single(boards, per_mac):
    """One factor for all classes from one kind of network; stated wide: a factor of 1.6 either way, or what the boards span."""
    values = [float(np.median(v)) for v in boards.values()]
    mid = float(np.exp(np.mean(np.log(values))))
    spread = max(max(values) / mid - 1, 1 - min(values) / mid) * 100
    return np.full(len(CLASSES), mid / per_mac), max(60.0, spread), None, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--write", action="store_true", help="renew hwmodels/stacks")
    parser.add_argument("--table", action="store_true", help="validation table, as in docs/COSTS.md")
    args = parser.parse_args()
    instructions, data = counted(args.folder), list(rows(args.folder))
    cells = {(s, k): factors([r for r in data if (r["stack"], r["core"]) == (s, k)], instructions, s) for s, k in {(r["stack"], r["core"]) for r in data}}
    per_mac = float(instructions["portable-c", "vww"].sum()) / 7489664
    once = singles(args.folder)
    every, target = [], Path(__file__).resolve().parent.parent / "stacks"
    missed = []                 # whole cores left out
    for s, k in cells:
        if k in CORES and "-" not in s:
            rest = {key: v for key, v in cells.items() if key != (s, k)}
            found = carried([r for r in data if (r["stack"], r["core"]) != (s, k)], instructions, s, k, rest)
            if found:
                missed += [abs(estimate(found[1], instructions, s, r["bench"]) / r["cycles"] - 1) * 100 for r in data if (r["stack"], r["core"]) == (s, k)]
    unmeasured = max(50.0, float(np.quantile(missed, 0.9)))
    print("| stack | core | boards | rows | leaving one board out: median | 90 % |\n|---|---|--:|--:|--:|--:|")
    for stack in sorted({r["stack"] for r in data}):
        group = [r for r in data if r["stack"] == stack]
        out = {}
        for core in sorted({r["core"] for r in group}):
            e = errors(data, instructions, stack, core)
            if "-" not in stack:
                every += e
            own = [r for r in group if r["core"] == core]
            fitted = [abs(estimate(cells[stack, core], instructions, stack, r["bench"]) / r["cycles"] - 1) * 100 for r in own]
            out[core] = (cells[stack, core], max(FLOOR, float(np.quantile(e + fitted, 0.9))) if e else 100.0, None, None)
            print(f"| {stack} | {core} | {len({r['board'] for r in own})} | {len(own)} | " + (f"{np.median(e):.1f} % | {np.quantile(e, 0.9):.1f} %" if e else "– | –") + " |")
        for core in CORES:
            found = core not in out and carried(data, instructions, stack, core, cells)
            if found:
                out[core] = (found[1], unmeasured, f"{found[2]} and the ratio of the cores under {', '.join(sorted(found[3]))}", None)
        for core in sorted({k for s, k in once if s == stack}):
            out[core] = single(once[stack, core], per_mac)
        if args.write:
            target.mkdir(exist_ok=True)
            (target / f"{stack}.yaml").write_text(yaml(stack, out, {r["board"] for r in group} | {b for s, k in once if s == stack for b in once[s, k]}, {r["round"] for r in group}))
    for stack in sorted({s for s, _ in once} - {r["stack"] for r in data}):
        out = {core: single(boards, per_mac) for (s, core), boards in once.items() if s == stack}
        for core, (f, error, _, _) in sorted(out.items()):
            print(f"| {stack} | {core} | {len(once[stack, core])} | {len(once[stack, core])} | – | {error:.0f} % stated |")
        if args.write:
            (target / f"{stack}.yaml").write_text(yaml(stack, out, {b for s, k in once if s == stack for b in once[s, k]}, set()))
    print(f"\nall classes of stacks (versions apart not counted): median {np.median(every):.1f} %, 90 % {np.quantile(every, 0.9):.1f} % of {len(every)} rows;"
          f" a core left out: median {np.median(missed):.0f} %, 90 % {np.quantile(missed, 0.9):.0f} % of {len(missed)} rows")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()
