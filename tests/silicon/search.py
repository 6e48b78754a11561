#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which arithmetic did a board run? Tries rule sets (product of scales, multiplier, rounding, ADD, pool, softmax) against what groups of
boards answered and prints the best with their counts. First a beam over one rule at a time on the vectors where groups disagree, then the
best on all vectors.    search.py [--group 4393841b] [--limit 40] [--beam 3] [--top 5]"""
import argparse
import pathlib
import subprocess
import tempfile

import boards
import numpy as np
import operators
from support import BITEMU

MACS = [(p, m, h) for p in ("f64", "half", "f32") for m, h in (("q31", "up"), ("q31", "twice"), ("q31", "uptwice"), ("q31", "cut"), ("q31", "floor"),
                                                            ("q15", "up"), ("q16", "up"), ("q24", "up"), ("f64", "away"))]
MACS += [("f32", "f32", h) for h in operators.ROUND] + [("f64", "f32", "even"), ("half", "f32", "even")]
ADDS = ["xnn", *(f"tflite:q31-{h}" for h in ("twice", "up", "uptwice")), *(f"{k}:{h}" for k in ("real", "f32") for h in operators.ROUND)]
ADDS += [f"{k}:{m}" for k in ("apart", "onto0", "onto1") for m in ("q31-up", "q31-twice", "q31-floor", "f32-even")]
ADDS += [f"{k}:{bits}-{h}" for k in ("codes", "fixed") for bits in (*range(6, 21),) for h in ("up", "floor")]
ADDS += [f"fused{i}:{h}" for i in (0, 1, 2) for h in ("even", "away", "floor")]
POOLS = [f"{k}:{h}" for k in ("raw", "centred", "f32") for h in operators.ROUND] + ["q31:up", "q31:twice", "q31:floor"]
SPACE = {"conv": MACS, "dw": MACS, "fc": MACS, "add": ADDS, "pool": POOLS, "softmax": ["f64", "f32", "floor"]}
TWICE, ONCE, FLOAT, TVM = ("f64", "q31", "twice"), ("f64", "q31", "up"), ("f32", "f32", "even"), ("half", "q31", "up")
STARTS = [{"conv": m, "dw": m, "fc": m, "add": a, "pool": p, "softmax": "f64"}
          for m, a, p in ((TWICE, "tflite:q31-twice", "raw:away"), (ONCE, "tflite:q31-up", "raw:away"), (FLOAT, "xnn", "raw:away"), (TVM, "apart:q31-up", "raw:trunc"))]


def text(rules, used):
    return "  ".join(f"{k} {'/'.join(v) if isinstance(v, tuple) else v}" for k, v in rules.items() if k in used)


def score(run, rules, want):
    got = run.output(rules).astype(np.int16)
    return int((got == want).all(1).sum()), -int(np.minimum(np.abs(got - want).sum(1), 40).sum())


def beam(run, want, used, width, space):
    """Best rule sets by changing one rule at a time until nothing improves."""
    freeze = lambda r: tuple(sorted(r.items()))
    seen = {freeze(s): score(run, s, want) for s in STARTS}
    frontier = sorted(seen, key=seen.get, reverse=True)[:width]
    while True:
        for base in frontier:
            for name in used:
                for value in space[name]:
                    other = dict(base, **{name: value})
                    if name == "conv" and dict(base)["dw"] == dict(base)["conv"] == dict(base)["fc"]:
                        other.update(dw=value, fc=value)  # all three together first
                    if freeze(other) not in seen:
                        seen[freeze(other)] = score(run, other, want)
        best = sorted(seen, key=seen.get, reverse=True)[:width]
        if best == frontier:
            return [dict(r) for r in sorted(seen, key=seen.get, reverse=True)], len(seen)
        frontier = best


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--group", action="append", help="hexadecimal name; default: all")
    args.add_argument("--limit", type=int, default=40, help="vectors of the first pass")
    args.add_argument("--beam", type=int, default=3, help="rule sets that are varied further")
    args.add_argument("--top", type=int, default=3, help="rule sets confirmed on all vectors")
    args = args.parse_args()
    tmp = pathlib.Path(tempfile.mkdtemp())
    for name in ("kws", "ic_a", "ic_b"):
        answers = boards.oracle(name)
        groups = [g for g in answers if not args.group or g in args.group]
        if not groups:
            continue
        subprocess.run([BITEMU, "inspect", boards.MODEL[name.split("_")[0]], "--save", tmp / "m.bitemu"], check=True, stdout=subprocess.DEVNULL)
        net = operators.Network(tmp / "m.bitemu")
        x = boards.inputs(name)
        x = x.reshape(len(x), 49, 10, 1) if name == "kws" else x
        ops = {layer.op for layer in net.layers}
        used = [k for k, op in (("conv", "CONV_2D"), ("dw", "DEPTHWISE_CONV_2D"), ("fc", "FULLY_CONNECTED"), ("add", "ADD"), ("pool", "AVERAGE_POOL_2D"), ("softmax", "SOFTMAX"))
                if op in ops]
        every = operators.Run(net, x, keep=60)
        first = [every.output(s) for s in STARTS]
        for g in groups:
            want = answers[g]
            # telling vectors: the starts disagree there; the group's own oddities (no start equals it) first
            odd = np.array([-1.0 * (len({f[i].tobytes() for f in first}) > 1) - 0.5 * all((f[i] != want[i]).any() for f in first) for i in range(len(x))])
            pick = np.sort(np.argsort(odd, kind="stable")[: args.limit])
            found, tried = beam(operators.Run(net, x[pick], keep=400), want[pick].astype(np.int16), used, args.beam, SPACE)
            counts = sorted(((score(every, r, want.astype(np.int16)), i) for i, r in enumerate(found[: args.top])), key=lambda c: (-c[0][0], -c[0][1], c[1]))
            print(f"{name} {g}: {tried} rule sets tried on {len(pick)} vectors", flush=True)
            for (equal, _), i in counts:
                print(f"  {equal:5d} of {len(x)}  {text(found[i], used)}", flush=True)


main()
