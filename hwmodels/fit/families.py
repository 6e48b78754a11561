#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the kernel families that are named after a library and its build, not after a published stack: kernels/{cmsis-nn-mve,cmix-nn,
pulp-nn,tinyengine}.yaml and stacks/{cmsis-nn-c,cmsis-nn-dsp,cmsis-nn-mve,cmix-nn,pulp-nn,tinyengine,portable-c}.yaml.

usage: families.py FOLDER [--write]      (needs numpy; FOLDER as for fit.py)

A kernel table holds instructions per event, least squares on counted calls as in fit.py. A stack holds one factor a core, cycles per counted
instruction = geometric mean of published / counted over the rows at hand; its error is the 90 % quantile of the error of one row when the
factor comes from the others, at least FLOOR. A core on which a family was never measured takes its nearest relative: the same core under
another build of the library, or another core times the ratio of the two cores under the stacks that were measured on both. Such a factor
names what it was taken from, and its error is that of its relative widened by WIDEN or by the spread of the ratio.
"""
import argparse
import contextlib
import io
import re
import sys
from pathlib import Path

import numpy as np

import fit

FLOOR, WIDEN = 10.0, 40.0
MVE, PATCHED = "Cortex-M55 (MVE)", "gcc12.2 -O3, constant predicates patched around a GCC 12.2 miscompile"
CLASSES = ["conv", "pointwise", "depthwise", "depthwise_multiplier", "fully_connected"]
WITHOUT = {"average_pool": "window", "max_pool": "window", "add": "output", "softmax": "output"}  # operators without weights
HERE = Path(__file__).resolve().parent.parent


def counts(folder, library, target, build):
    rows = [r for r in fit.read(folder, "instr_counts.csv") if r["library"] == library and r["target"] == target and r["build"].startswith(build)]
    return [r for r in rows if not re.search(r" (PL|PACT_CH_ICN)$", r["shape"])]


def table(rows, least, widths=lambda bits: re.sub(r"o\d+$", "", bits)):
    """(class, widths) -> event -> (instructions, error %): residual of the fit, at least `least`."""
    out = {}
    for bits in sorted({r["bits"] for r in rows if r["op"] in ("conv2d", "depthwise", "fully_connected")}):
        for c in CLASSES:
            part = [r for r in rows if r["bits"] == bits and r["op"] in ("conv2d", "depthwise", "fully_connected") and fit.shape(r)["class"] == c]
            if part:
                names = {"conv": ["mac", "patch", "output"], "fully_connected": ["mac", "patch", "output"], "depthwise_multiplier": ["mac"]}.get(c, ["mac", "output"])
                x, e = fit.fit(part, names)
                out[c, widths(bits)] = {k: (float(v), max(least, float(np.ceil(np.abs(e).max())))) for k, v in x.items()}
    return out


def per_element(rows, error):
    names = {"avg_pool": "average_pool", "max_pool": "max_pool", "add": "add", "softmax": "softmax", "mul": "mul"}
    out = {}
    for op, name in names.items():
        found = [float(r["instr_per_mac"]) for r in rows if r["op"] == op]
        if found:
            out[name, "a8"] = {WITHOUT.get(name, "output"): (float(np.mean(found)), error)}
    return out


def counted(shapes, entries, model):
    """Instructions of a published network's int8 operators; operators the table lacks count 2 an output."""
    total = 0.0
    for e in fit.layers(shapes, model):
        name = {"average_pool_2d": "average_pool", "max_pool_2d": "max_pool"}.get(e["class"], e["class"])
        w = entries.get((name, "w8a8")) or entries.get((name, "a8")) or {"output": (2.0, 100)}
        if name == "fully_connected":
            e["patch"] = e["mac"] // e["output"]
        total += sum(v[0] * e[k] for k, v in w.items())
    return total


def centre(ratios):
    """Geometric mean, and the 90 % quantile of how far a row lies from the mean of the others, in per cent of that mean."""
    r = np.log(np.array(ratios, float))
    if len(r) == 1:
        return float(np.exp(r[0])), 60.0
    left = [abs(np.exp(x - (r.sum() - x) / (len(r) - 1)) - 1) * 100 for x in r]
    return float(np.exp(r.mean())), max(FLOOR, float(np.quantile(left, 0.9)))


def published(folder, classes, core):
    return [r for r in fit.read(folder, "mlperf_tiny_results.csv") if r["stack_class"] in classes and r["core_family"] == core and r["plain_cpu"] == "yes"
            and r["dtype"] == "int8" and r["benchmark"] in fit.MODELS and r["cycles"]]


def core_ratio(folder, core, base):
    """Cycles of a core over those of another, geometric mean over stacks and networks measured on both, and its spread."""
    logs = []
    for s in ("hale", "plumerai", "xcubeai"):
        for b in fit.MODELS:
            a, c = ([float(r["cycles"]) for r in published(folder, [s], k) if r["benchmark"] == b] for k in (core, base))
            if a and c:
                logs.append(np.log(np.median(a) / np.median(c)))
    logs = np.array(logs)
    return float(np.exp(logs.mean())), float((np.exp(np.quantile(np.abs(logs - logs.mean()), 0.9)) - 1) * 100)


EEESLAB = re.compile(r"\d+ (Conv|DW|PW)/s\d+ (?:k\d+ )?(\d+)x(\d+)->(\d+)x(\d+)$")


def mobilenet_h743(folder, entries):
    """Published cycles over counted instructions, layer by layer (CMSIS-NN's uint8 kernels of 2019 on an STM32H743)."""
    for r in fit.read(folder, "published_kernels.csv"):
        m = EEESLAB.search(r["layer_or_network"]) if "EEESlab" in r["source"] else None
        if m:
            kind, in_c, _, out_c, side = m[1], *map(int, m.groups()[1:])
            mac, out = int(r["macs"]), out_c * side * side
            e = {"mac": mac, "patch": mac / (1 if kind == "DW" else out_c), "output": out}
            c = {"Conv": "conv", "PW": "pointwise", "DW": "depthwise"}[kind]
            yield float(r["cycles"]) / sum(v[0] * e[k] for k, v in entries[c, "w8a8"].items()), c


APOLLO = re.compile(r"MLPerf KWS op\d+ (CONV_2D|DEPTHWISE_CONV_2D) out 1\*(\d+)\*(\d+)\*(\d+) filt (\d+)\*(\d+)\*(\d+)\*(\d+)")


def m55(folder, entries):
    """Layers on Cortex-M55: MLPerf Tiny kws on Apollo510, MobileNetV2 on Alif E8."""
    for r in fit.read(folder, "published_kernels.csv"):
        m = APOLLO.search(r["layer_or_network"])
        name = r["layer_or_network"]
        if m:
            out = int(m[2]) * int(m[3]) * int(m[4])
            kind = "depthwise" if m[1].startswith("DEPTH") else "pointwise" if m[6] == m[7] == "1" else "conv"
            channels = 1 if kind == "depthwise" else int(m[4])
        elif name.startswith("torchvision MobileNetV2:") and r["core"] == "Cortex-M55":
            side = int(re.search(r"(\d+)(?:x\d+)?$", name)[1])
            kind = {"conv": "conv", "DW": "depthwise", "pw": "pointwise"}[re.search(r": (\w+)", name)[1]]
            c = re.search(r"(\d+)->(\d+)", name) if kind != "depthwise" else re.search(r"s\d (\d+)", name)
            filters = int(c[2] if kind != "depthwise" else c[1])
            out, channels = filters * side * side, 1 if kind == "depthwise" else filters
        else:
            continue
        e = {"mac": int(r["macs"]), "patch": int(r["macs"]) / channels, "output": out}
        yield float(r["cycles"]) / sum(v[0] * e[k] for k, v in entries[kind, "w8a8"].items())


def number(v, unit, error, source):
    return f"{{value: {v:.4g}, unit: {unit}, error_pct: {error:.0f}, source: {source}}}"


def kernels_yaml(name, title, entries, sources, containers, columns, unit="instructions"):
    lines = ["# SPDX-License-Identifier: Apache-2.0", "# Written by hwmodels/fit/families.py. Schema and events: docs/COSTS.md.", "bitemu_kernels: 1", f"name: {name}",
             f"title: {title}", f"weight_containers: {containers[0]}", f"activation_containers: {containers[1]}",
             f"columns: {{pixels: {columns[0]}, bytes: {columns[1]}, source: code}} # im2col: pixels at a time, bytes of a gathered value", "operators:"]
    sources = sources | {"code": columns[2]}
    order = CLASSES + ["add", "mul", "average_pool", "max_pool", "softmax", "arg_max", "requantize", "move", "mean", "function", "convert"]
    for c in order:
        mine = {}
        for k, weights in entries.items():
            if k[0] == c:
                mine.setdefault(tuple(weights.items()), []).append(k[1])
        if mine:
            lines.append(f"  {c}:")
        for weights, widths in mine.items():
            lines.append(f"    - widths: [{', '.join(widths)}]")
            for event, w in weights:
                value, error, source, u = (*w, "counted", unit)[:4] if len(w) == 2 else w
                lines.append(f"      per_{event}: {number(value, u + '/' + event, error, source)}")
    lines += ["sources:"] + [f"  {k}: >-\n    {v}" for k, v in sources.items()]
    return "\n".join(lines) + "\n"


def stack_yaml(name, title, kernels, cores, sources):
    lines = ["# SPDX-License-Identifier: Apache-2.0", "# Written by hwmodels/fit/families.py. Schema: docs/COSTS.md.", "bitemu_stack: 1", f"name: {name}", f"title: {title}",
             f"kernels: {kernels} # what the factors multiply", "cores:"]
    for core in sorted(cores):
        value, error, base, source, *classes = cores[core]
        lines.append(f"  {core}:")
        if base:
            lines.append(f"    estimated_from: {base}")
        lines.append("    cycles_per_instruction:")
        lines += [f"      {c}: {number(v, 'cycles/instruction', e, source)}" for c, (v, e) in [*(classes[0].items() if classes else ()), ("other", (value, error))]]
    lines += ["sources:"] + [f"  {k}: >-\n    {v}" for k, v in sources.items()]
    return "\n".join(lines) + "\n"


COUNTED = "fitted (hwmodels/fit/families.py) to executed instructions counted in simulation (instr_counts.csv): {what}; error = largest residual"
GUESSED = {  # operators that no count covers: instructions, error, as kernels/cmsis-nn.yaml derives them
    ("arg_max", "a8, a16, a32"): {"window": (10.592, 100, "derived", "instructions")}, ("requantize", "a8"): {"output": (45, 100, "derived", "instructions")},
    ("move", "a2, a4, a8, a16, a32"): {"output": (2, 100, "derived", "instructions")}, ("mean", "a8, a16"): {"window": (70, 100, "derived", "instructions")},
    ("function", "a8, a16, a32"): {"output": (60, 100, "derived", "instructions")}, ("convert", "a8, a16, a32"): {"output": (12, 100, "derived", "instructions")}}
DERIVED = "derived - as kernels/cmsis-nn.yaml has them, where their sources stand; error widened for the other library"


def relative(entries, keys, error, source="relative"):
    return {k: {e: (v[0], error, source, "instructions") for e, v in entries[k].items()} for k in keys if k in entries}


def build(folder):
    """name of a file below hwmodels -> text."""
    shapes = fit.read(folder, "mlperf_tiny_layers.csv")
    dsp_rows, mve_rows = counts(folder, "cmsisnn", fit.DSP, "gcc12.2 -O3"), counts(folder, "cmsisnn", MVE, "gcc12.2 -O3")
    dsp_rows = [r for r in dsp_rows if r["build"] == "gcc12.2 -O3"]
    dsp, plain = table(dsp_rows, 8) | per_element(dsp_rows, 60), table([r for r in counts(folder, "cmsisnn", fit.PLAIN, "gcc12.2 -O3") if r["build"] == "gcc12.2 -O3"], 8)
    plain |= per_element(dsp_rows, 100)
    mve = table([r for r in mve_rows if r["build"] == PATCHED], 10) | per_element(mve_rows, 60)
    cmix = table(counts(folder, "cmixnn", fit.DSP, "gcc12.2 -O3"), 15)
    tiny_rows = [dict(r, op={"conv2d_fpreq": "conv2d", "depthwise_fpreq": "depthwise"}[r["op"]],
                      shape=re.sub(r"in(\d+x\d+x\d+) 1x1 (out\d+) .*", r"in\1 k1x1 \2 s1 p0", r["shape"]) + (" p1" if "fpreq" in r["op"] and r["op"].startswith("depth") else ""))
                 for r in counts(folder, "tinyengine", "Cortex-M4F (DSP)", "gcc12.2 -O2")]
    tiny = table(tiny_rows, 20)

    # factors: published cycles over counted instructions
    ratio = {m: counted(shapes, dsp, f) for m, f in fit.MODELS.items()}
    m4 = centre([float(r["cycles"]) / ratio[r["benchmark"]] for r in published(folder, ["microtvm_cmsisnn", "onnc_cmsisnn"], "Cortex-M4")])
    h743 = list(mobilenet_h743(folder, dsp))
    m7 = centre([r for r, _ in h743])
    m7_classes = {c: centre([r for r, k in h743 if k == c]) for c in ("pointwise", "depthwise")}
    helium = {m: counted(shapes, mve, f) for m, f in fit.MODELS.items()}
    m85 = centre([float(r["cycles"]) / helium[r["benchmark"]] for r in published(folder, ["tflm_cmsisnn"], "Cortex-M85")])
    on_m55 = centre(list(m55(folder, mve)))
    r33, s33 = core_ratio(folder, "Cortex-M33", "Cortex-M4")
    m33 = (m4[0] * r33, m4[1] + s33)
    n_plain = {m: counted(shapes, plain, f) for m, f in fit.MODELS.items()}
    rows = fit.read(folder, "published_kernels.csv")
    pico = [r for r in rows if r["board"].startswith("Raspberry Pi Pico") and "single" in r["stack"] and r["layer_or_network"].endswith("TOTAL")][0]
    m0 = (float(pico["cycles_per_mac"]) / (n_plain["vww"] / 7489664), 60.0)
    readme = {k: {r["layer_or_network"]: float(r["time_ms"]) for r in rows if r["stack"] == k and r["time_ms"]} for k in ("TinyEngine", "CMSIS-NN @011bf32")}
    faster = centre([t / readme["CMSIS-NN @011bf32"][n] for n, t in readme["TinyEngine"].items() if n in readme["CMSIS-NN @011bf32"]])
    tiny |= relative(dsp, [("conv", "w8a8"), ("fully_connected", "w8a8"), ("add", "a8"), ("average_pool", "a8"), ("max_pool", "a8"), ("softmax", "a8")], 60)
    scale = faster[0] * ratio["vww"] / counted(shapes, tiny, fit.MODELS["vww"])
    ibex, cv32 = 127288502 / n_plain["ic"], 140054779 / n_plain["ic"]

    near = "never measured; taken from {}"
    carried = f"Cortex-M4 times {r33:.2f}, the ratio of the cores under hale, plumerai and xcubeai (spread {s33:.0f} %); this build was never measured on Cortex-M33"
    cmsis = {"mlperf": "published cycles over counted instructions, MLCommons Tiny, closed division, microTVM and ONNC with CMSIS-NN on NUCLEO-L4R5ZI and NUMAKER-M467HJ",
             "h743": "published cycles over counted instructions, EEESlab/mobilenet_v1_stm32_cmsis_nn README, 27 layers of MobileNetV1 on STM32H743 (uint8 kernels of 2019)",
             "relative": "see estimated_from"}
    families = {"cortex-m4": (m4, None, "mlperf"), "cortex-m7": (m7, None, "h743", m7_classes), "cortex-m33": (m33, carried, "relative")}

    def same(what, by):
        return {k: (f[0] * by, f[1] + WIDEN, near.format(what) + (f", itself from {b}" if b else ""), "relative",
                    *({c: (v * by, e + WIDEN) for c, (v, e) in x.items()} for x in more)) for k, (f, b, _, *more) in families.items()}

    c_cores = same("the DSP build on the same core", 1.0)
    c_cores["cortex-m3"] = (m4[0], m4[1] + 2 * WIDEN, near.format("the DSP build on Cortex-M4"), "relative")
    c_cores["cortex-m0plus"] = (*m0, None, "pico")
    files = {}
    files["stacks/cmsis-nn-dsp"] = stack_yaml("cmsis-nn-dsp", "CMSIS-NN, build with the DSP extension", "cmsis-nn", {k: (*f, b, *more) for k, (f, b, *more) in families.items()}, cmsis)
    files["stacks/cmsis-nn-c"] = stack_yaml("cmsis-nn-c", "CMSIS-NN, plain C build", "portable-c", c_cores, {
        "pico": "raspberrypi/pico-tflmicro benchmark_results.txt, person_detect on one core (125 MHz, the SDK's default, is assumed); one network, so 60 % is assumed", "relative": "see estimated_from"})
    files["stacks/cmsis-nn-mve"] = stack_yaml("cmsis-nn-mve", "CMSIS-NN, build with Helium (MVE)", "cmsis-nn-mve", {"cortex-m55": (*on_m55, None, "m55"), "cortex-m85": (*m85, None, "ra8d1")}, {
        "m55": "published cycles over counted instructions, layers of MLPerf Tiny kws on Apollo510 (AmbiqAI/neuralSPOT docs) and of MobileNetV2 on Alif Ensemble E8 (pytorch/executorch issue 17651)",
        "ra8d1": "published cycles over counted instructions, MLCommons Tiny v1.2, closed, Renesas EK-RA8D1"})
    files["stacks/cmix-nn"] = stack_yaml("cmix-nn", "CMix-NN", "cmix-nn", same("CMSIS-NN's DSP build on the same core", 1.0), {"relative": "see estimated_from; no published cycles are at hand"})
    tiny_cores = same("CMSIS-NN's DSP build on the same core and the times of both libraries on Cortex-M7", scale)
    tiny_cores["cortex-m7"] = (m7[0] * scale, m7[1] + faster[1], None, "readme")
    files["stacks/tinyengine"] = stack_yaml("tinyengine", "TinyEngine", "tinyengine", tiny_cores, {
        "readme": f"mit-han-lab/tinyengine README, {len(readme['TinyEngine'])} networks on STM32H743 - {faster[0]:.2f} +- {faster[1]:.0f} % of CMSIS-NN's time - times the factor of CMSIS-NN's DSP build there",
        "relative": "see estimated_from"})
    files["stacks/pulp-nn"] = stack_yaml("pulp-nn", "PULP-NN on a cluster of 8 cores", "pulp-nn", {"ri5cy-8": (1.25 / 8, 100, "one RI5CY core at 1.25 cycles an instruction, eight in parallel; only operators without weights need it", "derived")},
                                         {"derived": "derived - single issue in order; no count of these operators is published"})
    files["stacks/portable-c"] = stack_yaml("portable-c", "plain C on a RISC-V soft core, memory without wait states", "portable-c", {
        "ibex": (ibex, 60, None, "rtl"), "cv32e40p": (cv32, 60, None, "rtl")}, {
        "rtl": "one network - cycles of the RTL (Verilator 5.006; Ibex maxperf, CV32E40P; gcc 12 -O2, own plain C firmware) for MLPerf Tiny ic, over instructions of CMSIS-NN's plain C build on Thumb-2; 60 % is assumed"})

    move = dict(GUESSED)
    wide = ["[2, 4, 8]", "[2, 4, 8, 16, 32]"]
    files["kernels/cmsis-nn-mve"] = kernels_yaml("cmsis-nn-mve", "CMSIS-NN 99f736a6 with Helium (Armv8.1-M MVE, gcc 12.2 -O3)", mve | move, {
        "counted": COUNTED.format(what="CMSIS-NN 99f736a63036 for Cortex-M55, gcc 12.2 -O3, 2 to 7 shapes an operator and width; tails of vectors are in the residual"), "derived": DERIVED},
        ["[4, 8]", "[8, 16, 32]"], (4, 1, "arm_convolve_s8 of CMSIS-NN 99f736a63036 under Helium - four columns of int8 at a time"))
    dense = {("fully_connected", w): {"mac": (3.8 if w[1] != "8" else 1.918, 50, "relative", "instructions"), "patch": (p, 50, "relative", "instructions"), "output": (50.86, 50, "relative", "instructions")}
             for w in ("w8a8", "w8a4", "w8a2", "w4a8", "w4a4", "w4a2", "w2a8", "w2a4", "w2a2") for p in ({"8": 0.0, "4": 5.9, "2": 7.3}[w[3]],)}
    files["kernels/cmix-nn"] = kernels_yaml("cmix-nn", "CMix-NN a97415fd (Armv7E-M DSP, gcc 12.2 -O3)", cmix | dense | relative(dsp, [("add", "a8"), ("average_pool", "a8"), ("max_pool", "a8"), ("softmax", "a8")], 60) | move, {
        "counted": COUNTED.format(what="CMix-NN a97415fd56bb, per-channel ICN, gcc 12.2 -O3, 2 to 4 shapes a width pair; its depthwise kernels with 4 and 2 bit weights compute wrong values, a corrected one may differ"),
        "relative": "the library has no such operator; as kernels/cmsis-nn.yaml has it (dense - derived there from CMSIS-NN's dense and CMix-NN's unpacking), error widened", "derived": DERIVED}, wide,
        (2, 2, "CMix-NN a97415fd56bb - two columns of int16 at a time"))
    files["kernels/tinyengine"] = kernels_yaml("tinyengine", "TinyEngine (Armv7E-M DSP, gcc 12.2 -O2)", tiny | move, {
        "counted": COUNTED.format(what="TinyEngine's fp-requantizing kernels, gcc 12.2 -O2, 4 shapes of 1x1 and 3 of depthwise; int8 only"),
        "relative": "not counted - CMSIS-NN's DSP build (instr_counts.csv), error widened", "derived": DERIVED}, ["[8]", "[8, 16, 32]"],
        (2, 2, "TinyEngine's convolutions - two columns of int16 at a time"))
    files["kernels/pulp-nn"] = pulp(dsp, move)
    facts = {"cmsis-nn-dsp on cortex-m4": m4, "cortex-m7": m7, "cortex-m33": m33, "cmsis-nn-mve on cortex-m55": on_m55, "cortex-m85": m85, "cmsis-nn-c on cortex-m0plus": m0,
             "TinyEngine / CMSIS-NN": faster}
    return files, facts


def pulp(dsp, move):
    """Cycles a MAC on eight cores: the published peak; narrower weights between no cost and what unpacking takes on one core."""
    entries = {}
    for c, by in (("conv", 1.0), ("pointwise", 1.0), ("fully_connected", 1.33)):
        for w in (8, 4, 2):
            for a in (8, 4, 2):
                cycles, error, source = (1 / 15.5, 40, "peak") if w == a == 8 else (1.6 / 15.5, 60, "unpack")
                entries[c, f"w{w}a{a}"] = {"mac": (cycles * by, error + (60 if by > 1 else 0), source if by == 1 else "dense", "cycles")}
    return kernels_yaml("pulp-nn", "PULP-NN and PULP-NN mixed on a cluster of 8 RI5CY cores (XpulpV2)", entries | relative(dsp, [("add", "a8"), ("average_pool", "a8"), ("max_pool", "a8"), ("softmax", "a8")], 100) | move, {
        "peak": "Garofalo et al., PULP-NN, Phil. Trans. R. Soc. A 378 (2020), doi 10.1098/rsta.2019.0155 - up to 15.5 MACs a cycle at 8 bits; a peak, so real layers take longer, hence 40 %",
        "unpack": "derived - between the peak (Bruschi et al., arXiv 2007.07759, 16 MACs a cycle over all width pairs at best) and 2.6 times the cycles, what a 4 bit dot product takes over an 8 bit one on one CV32E40P in RTL simulation; middle and half width",
        "dense": "derived - as conv, times 1.33, the ratio of the two in CMSIS-NN's counts, error widened",
        "relative": "not published - CMSIS-NN's instruction counts, error 100 %", "derived": DERIVED}, ["[2, 4, 8]", "[2, 4, 8, 16, 32]"],
        (2, 1, "PULP-NN README - matrix product of four channels by two pixels; activations expanded to 8 bits"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--write", action="store_true", help="renew the files below hwmodels")
    args = parser.parse_args()
    with contextlib.redirect_stdout(io.StringIO()):
        files, facts = build(args.folder)
    for what, (value, error) in facts.items():
        print(f"{what}: {value:.3f} +- {error:.0f} %")
    for name, text in files.items():
        path = HERE / f"{name}.yaml"
        if args.write:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"{path.name} in {path.parent.name}/ is not what this script writes")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()
