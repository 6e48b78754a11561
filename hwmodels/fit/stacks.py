#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes hwmodels/stacks/*.yaml: cycles per counted instruction of every published software stack, by core, board and operator class.

usage: stacks.py FOLDER [--write]      (needs numpy; FOLDER holds instr_counts.csv, mlperf_tiny_results.csv, mlperf_tiny_layers.csv,
published_kernels.csv)

A stack is a column `stack_class` of the published results, or one version of it (xcubeai-8.1). The name alone means the newest published version. All
published cycles are one fit (speeds.py), so that a stack on a core, or a version on a board, where it was never measured is still estimated from all
others; such cores say `estimated_from`. error_pct: 90 % of the rows lie within it when their submission (a version on a board) is left out of the fit;
the deviation that the fit itself states for a row is scaled by one number to make that so, what the kernel table's own weights add is taken off, and it is
at least FLOOR.

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
from speeds import CLASSES, Speeds

FLOOR, TABLE_PCT = 5.0, 8.0 # TABLE_PCT: the kernel tables' own errors add 6 to 10 % to a network's band
LONE = 60.0 # at least, where a core was measured under one other stack only: nothing says whether another gains as much there
CORES = ["Cortex-M0+", "Cortex-M4", "Cortex-M7", "Cortex-M33", "Cortex-M85"] # among these figures are carried over
VERSIONS = {"xcubeai": ["7.1", "7.3", "8.0", "8.1", "10.2"], "hale": ["1.0", "1.0.175"], "plumerai": ["mlperf-0.7", "mlperf-1.0", "mlperf-1.1"]} # oldest first
VERSION = {"xcubeai": r"v(\d+\.\d+)", "hale": r"HALE (1\.0\.\d+|1\.0)"} # of software_stack; plumerai's is its round
# Filters of vww whose weights are not all zero, convolution by convolution (each depthwise layer has as many channels as the layer before it): the others
# give one constant each, and these versions leave them out. kws, ic and ad have no such filters.
LIVE = [8, 16, 32, 32, 64, 60, 107, 57, 30, 19, 19, 27, 32, 22]
REMOVES = {"xcubeai": ["8.1", "10.2"], "plumerai": ["mlperf-1.1"], "onnc_cmsisnn": [""]}
TITLES = {"hale": "Bosch HALE", "microtvm_cmsisnn": "microTVM with CMSIS-NN", "microtvm_native": "microTVM, its own kernels",
          "onnc_cmsisnn": "ONNC with CMSIS-NN", "plumerai": "Plumerai inference engine", "tflm_cmsisnn": "TensorFlow Lite Micro with CMSIS-NN",
          "tflm_reference": "TensorFlow Lite Micro, reference kernels", "xcubeai": "ST X-CUBE-AI / ST Edge AI", "tflm_andesnn": "TensorFlow Lite Micro with Andes NN",
          "onnc_andesnn": "ONNC with Andes NN", "csi_nn2": "Sinian on T-Head CSI-NN2", "tinymaix": "TinyMaix", "tflm_espnn": "TensorFlow Lite Micro with ESP-NN"}


def slug(core):
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\+$", "plus", core.lower())).strip("-")


def lean(layers):
    """The layers of vww without filters that give constants: conv and pointwise lose filters and input channels, the others input channels."""
    filters, share = iter(LIVE), 1.0 # of the input channels
    for e in layers:
        out = 1.0 if e["class"] == "fully_connected" else share
        if "patch" in e:
            out = next(filters) / (e["mac"] // e["patch"])
        inputs = 1.0 if e["class"] == "depthwise" else share
        yield e | {"mac": e["mac"] * inputs * out, "patch": e.get("patch", 0) * inputs, "output": e["output"] * out, "window": e["window"] * share}
        share = out


def counted(folder):
    """(kernel table, benchmark, without constant channels?) -> instructions by class."""
    counts, shapes = fit.read(folder, "instr_counts.csv"), fit.read(folder, "mlperf_tiny_layers.csv")
    with contextlib.redirect_stdout(io.StringIO()):
        tables = {"cmsis-nn": fit.tables(counts, "cmsisnn", fit.DSP), "portable-c": fit.tables(counts, "cmsisnn", fit.PLAIN)}
    result = {}
    for name, table in tables.items():
        for bench, model in fit.MODELS.items():
            whole = list(fit.layers(shapes, model))
            for removed in (False, True):
                total = collections.Counter()
                for e in lean(whole) if removed and bench == "vww" else whole:
                    if ("w8a8", e["class"]) in table:
                        total[e["class"]] += sum(v * e[k] for k, v in table["w8a8", e["class"]].items())
                    else:
                        event, weight = fit.OTHER[e["class"]]
                        total["other"] += weight * e[event]
                result[name, bench, removed] = np.array([total[c] for c in CLASSES])
    return result


def rows(folder, instructions):
    """Published cycles, the geometric mean where a submission was published more than once."""
    found = collections.defaultdict(list)
    for r in fit.read(folder, "mlperf_tiny_results.csv"):
        if r["plain_cpu"] != "yes" or r["dtype"] != "int8" or not r["cycles"] or r["benchmark"] not in fit.MODELS or r["stack_class"] == "proprietary":
            continue
        stack = r["stack_class"]
        version = f"mlperf-{r['round']}" if stack == "plumerai" else re.search(VERSION[stack], r["software_stack"]).group(1) if stack in VERSION else ""
        board = re.sub(r"(-P|-Q)$", "", r["board"].upper().replace("_", "-"))
        found[stack, version, r["core_family"], board, r["benchmark"]].append(r)
    return [{"stack": stack, "version": version, "steps": steps(stack, version), "core": core, "board": board, "bench": bench, "table": kernels_of(stack),
             "counts": instructions[kernels_of(stack), bench, version in REMOVES.get(stack, [])], "cycles": float(np.exp(np.mean([np.log(float(r["cycles"])) for r in all_]))),
             "round": {r["round"] for r in all_}} for (stack, version, core, board, bench), all_ in found.items()]


def steps(stack, version):
    known = VERSIONS.get(stack, [version])
    return known[:known.index(version) + 1]


def kernels_of(stack):
    return "portable-c" if stack.startswith(("tflm_reference", "tflm_espnn", "tinymaix")) else "cmsis-nn"


SINGLE = {"TinyMaix (fastest of INT8/FP16 options)": "tinymaix", "TFLM + esp-nn": "tflm_espnn", "TFLM reference kernels (no esp-nn)": "tflm_reference"}
BOARDS = {"NUCLEO-L4R5ZI": "nucleo-l4r5zi", "NUCLEO-U575ZI": "nucleo-u575zi", "NUCLEO-H7A3ZI": "nucleo-h7a3zi", "NUCLEO-G0B1RE": "nucleo-g0b1re", "DISCO-F746NG": "disco-f746ng",
          "CY8CPROTO-062-4343W": "cy8cproto-062-4343w", "NUMAKER-M467HJ": "numaker-m467hj", "EK-RA8D1": "ek-ra8d1", "RX65N-CLOUD-KIT": "rx65n-cloud-kit",
          "RENESAS RH850/F1KM-S4 R7F701649": "rh850-f1km-s4"} # as hwmodels/boards names them
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


def boards_of(data, stack, core):
    """Boards of a core with their rows: those that the stack was measured on, else all."""
    own = collections.Counter(r["board"] for r in data if (r["stack"], r["core"]) == (stack, core))
    return own or collections.Counter(r["board"] for r in data if r["core"] == core)


def on_core(speeds, row, boards):
    """Factors on a typical board of a core: the geometric mean over published rows; deviation of the log of a network's cycles there."""
    each = np.average([np.log(speeds.factors(row | {"board": b})) for b in boards], axis=0, weights=list(boards.values()))
    return np.exp(each), speeds.deviation(row | {"board": None})


SUBMISSION, PAIR = ("stack", "version", "board"), ("stack", "core")


def left_out(data, full, what):
    """(row, error and deviation on its board, error and deviation on its core), with all rows left out that are as this one in what."""
    cells = collections.defaultdict(lambda: ([], []))
    for cell in {tuple(r[k] for k in what): None for r in data}:
        for r in data:
            cells[cell][tuple(r[k] for k in what) == cell].append(r)
    for rest, inside in cells.values():
        speeds = Speeds(rest, full)
        for r in inside:
            boards = boards_of(rest, r["stack"], r["core"]) or {None: 1}
            factors, deviation = on_core(speeds, r, boards)
            yield r, speeds.cycles(r) / r["cycles"] - 1, speeds.deviation(r), float(r["counts"] @ factors) / r["cycles"] - 1, deviation


def has_relatives(data, r, what=SUBMISSION):
    """Are the stack and the core of r known from rows that are not as r in what?"""
    other = [q for q in data if any(q[k] != r[k] for k in what)]
    return any(q["stack"] == r["stack"] for q in other) and any(q["core"] == r["core"] for q in other)


def scale(errors, deviations):
    """What deviations are multiplied by so that 90 % of the errors are within (table's part included)."""
    needed = [np.log1p(max(0, abs(e) - TABLE_PCT / 100)) / d for e, d in zip(errors, deviations)]
    return float(np.quantile(needed, 0.9))


def percent(times, deviation):
    return min(999.0, max(FLOOR, 100 * (np.exp(times * deviation) - 1)))


def figures(indent, factors, error):
    return [f"{indent}{c}: {{value: {v:.4g}, unit: cycles/instruction, error_pct: {error:.0f}, source: mlperf}}" for c, v in zip(CLASSES, factors)]


def yaml(stack, cells, boards, rounds):
    """cells: core -> (factors, error in percent, what they are estimated from or None, {board: (factors, error)})."""
    name, _, version = stack.partition("-")
    newest = VERSIONS[name][-1] if not version and name in VERSIONS else None
    lines = ["# SPDX-License-Identifier: Apache-2.0", "# Written by hwmodels/fit/stacks.py from published measurements. Schema: docs/HARDWARE.md.", "bitemu_stack: 1",
             f"name: {stack}", f"title: {TITLES.get(name, stack)} {version or newest or ''}".rstrip() + (" (newest that was published)" if newest else ""),
             f"kernels: {kernels_of(stack)} # what the factors multiply", *(["removes_constant_channels: yes"] if (version or newest or "") in REMOVES.get(name, []) else []), "cores:"]
    for core in sorted(cells):
        factors, error, base, on = cells[core]
        lines.append(f"  {slug(core)}:")
        if base:
            lines.append(f"    estimated_from: {base}")
        lines += ["    cycles_per_instruction:", *figures("      ", factors, error)]
        if on:
            lines.append("    boards:")
            for board, (factors, error) in sorted(on.items()):
                lines += [f"      {board}:", *figures("        ", factors, error)]
    source = f"MLCommons Tiny, closed division, rounds {', '.join(sorted(rounds))}" if rounds else "published times of MobileNetV1-0.25 person detectors (TinyMaix benchmark.md, esp-nn README)"
    lines += ["sources:", "  mlperf: >-", f"    fitted to {source}; boards {', '.join(sorted(boards))}"]
    return "\n".join(lines) + "\n"


def single(boards, per_mac):
    """One factor for all classes from one kind of network; stated wide: a factor of 1.6 either way, or what the boards span."""
    values = [float(np.median(v)) for v in boards.values()]
    mid = float(np.exp(np.mean(np.log(values))))
    spread = max(max(values) / mid - 1, 1 - min(values) / mid) * 100
    return np.full(len(CLASSES), mid / per_mac), max(60.0, spread), None, {}


def cells(data, speeds, stack, version, scales):
    """What yaml() writes of a version: cores that the stack was measured on, and Arm cores that any stack was measured on."""
    out = {}
    mine = [r for r in data if r["stack"] == stack]
    arm = any(r["core"] in CORES for r in mine)
    for core in sorted({r["core"] for r in mine} | ({r["core"] for r in data if r["core"] in CORES} if arm else set())):
        any_row = next(r for r in mine) | {"version": version, "steps": steps(stack, version), "core": core}
        rows_of = [any_row | {"counts": r["counts"]} for r in {r["bench"]: r for r in mine}.values()]
        boards = boards_of(data, stack, core)
        factors, _ = on_core(speeds, rows_of[0], boards)
        measured = any(r["core"] == core for r in mine)
        exact = any(r["core"] == core and r["version"] == version for r in mine)
        others = sorted({q["stack"] for q in data if q["core"] == core and q["stack"] != stack})
        error = percent(scales[1 if measured else 2], max(on_core(speeds, r, boards)[1] for r in rows_of))
        if not measured and len(others) < 2:
            error = max(error, LONE)
        base = None if exact else ("its other versions on this core" if measured else f"its figures on {', '.join(sorted({r['core'] for r in mine}))} and the speed of this core under {', '.join(others)}")
        on = {}
        for board in sorted({r["board"] for r in data if r["core"] == core}):
            name = BOARDS.get(board)
            if name and measured:
                here = [r | {"board": board} for r in rows_of]
                on[name] = (speeds.factors(here[0]), percent(scales[0], max(speeds.deviation(r) for r in here)))
        out[core] = (factors, error, base, on)
    return out


def table(data, found):
    """Errors of left out submissions, by stack and core, and of all."""
    print("| stack | core | submissions | rows | on its board: median | 90 % | on its core: median | 90 % |\n|---|---|--:|--:|--:|--:|--:|--:|")
    for stack, core in sorted({(r["stack"], r["core"]) for r in data}):
        own = [x for x in found if (x[0]["stack"], x[0]["core"]) == (stack, core)]
        board, where = (np.abs([x[i] for x in own]) * 100 for i in (1, 3))
        known = has_relatives(data, own[0][0])
        print(f"| {stack} | {core} | {len({(x[0]['version'], x[0]['board']) for x in own})} | {len(own)} | "
              + (f"{np.median(board):.1f} % | {np.quantile(board, 0.9):.1f} % | {np.median(where):.1f} % | {np.quantile(where, 0.9):.1f} % |" if known else "no relative | | | |"))
    for what, some in (("with relatives", [x for x in found if has_relatives(data, x[0])]), ("all", found)):
        board, where = (np.abs([x[i] for x in some]) * 100 for i in (1, 3))
        print(f"left out submissions, {what}: {len(some)} rows; on its board median {np.median(board):.1f} %, 90 % within {np.quantile(board, 0.9):.1f} %; "
              f"on its core, board unknown, median {np.median(where):.1f} %, 90 % within {np.quantile(where, 0.9):.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--write", action="store_true", help="renew hwmodels/stacks")
    args = parser.parse_args()
    instructions = counted(args.folder)
    data = rows(args.folder, instructions)
    per_mac = float(instructions["portable-c", "vww", False].sum()) / 7489664
    once, target = singles(args.folder), Path(__file__).resolve().parent.parent / "stacks"
    speeds = Speeds(data)
    found = list(left_out(data, speeds, SUBMISSION))
    table(data, found)
    related = [x for x in found if has_relatives(data, x[0])]
    apart = [x for x in left_out(data, speeds, PAIR) if has_relatives(data, x[0], PAIR)]
    scales = [scale([x[i] for x in rows_], [x[i + 1] for x in rows_]) for rows_, i in ((related, 1), (related, 3), (apart, 3))]
    away = np.abs([x[3] for x in apart]) * 100
    print(f"a stack on a core where it was never measured: {len(apart)} rows of {len({(x[0]['stack'], x[0]['core']) for x in apart})} left out pairs; "
          f"median {np.median(away):.1f} %, 90 % within {np.quantile(away, 0.9):.1f} %")
    print(f"deviations times {scales[0]:.2f} (on a board), {scales[1]:.2f} (on a core), {scales[2]:.2f} (on a core without the stack) hold 90 % of them; largest misses of the fit itself: "
          + ", ".join(f"{r['stack']} {r['version']} {r['board']} {r['bench']} {100 * (speeds.cycles(r) / r['cycles'] - 1):+.0f} %"
                      for r in sorted(data, key=lambda r: -abs(np.log(speeds.cycles(r) / r["cycles"])))[:4]))
    if not args.write:
        return
    for stack in sorted({r["stack"] for r in data} | {s for s, _ in once}):
        mine = [r for r in data if r["stack"] == stack]
        for version in [""] + [v for v in VERSIONS.get(stack, []) if any(r["version"] == v for r in mine)]:
            meant = version or (VERSIONS[stack][-1] if stack in VERSIONS else "")
            out = cells(data, speeds, stack, meant, scales) if mine else {}
            out |= {core: single(boards, per_mac) for (s, core), boards in once.items() if s == stack and not version}
            own = [r for r in mine if r["version"] == version] if version else mine
            boards = {r["board"] for r in own} | {b for s, k in once if s == stack and not version for b in once[s, k]}
            name = f"{stack}-{version}" if version else stack
            (target / f"{name}.yaml").write_text(yaml(name, out, boards, set().union(*(r["round"] for r in own))))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()
