#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random single-operator models: what tflite-micro and LiteRT compute (requirements.txt) against bitemu under the profile that names
them, equal in every element. Needs the environment that tools/setup.sh makes (.venv-differential); the seed is printed, BITEMU_SEED sets it.
  check_differential.py [--seed S] [--cases N] [--op CONV_2D] [--profile ruy] [--only INDEX] [--keep FOLDER] [--table]"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import SOURCE, BITEMU, skip

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = pathlib.Path(os.environ.get("BITEMU_DIFFERENTIAL", SOURCE / ".venv-differential")) / "bin" / "python"
PROFILES = ("tflm", "litert-ref", "ruy", "xnnpack")

# (operator, kind, profile): why no case of it can be compared. A declaration that is not needed any more fails.
NEVER = {
    **{("TILE", kind, "tflm"): "tflite-micro's interpreter for Python does not have it" for kind in ("int8", "int16", "int32", "float32")},
    ("TRANSPOSE", "int32", "tflm"): "tflite-micro refuses the type",
    ("SOFTMAX", "u8", "tflm"): "tflite-micro refuses the type",
    ("QUANTIZE", "float32-uint8", "tflm"): "tflite-micro refuses the type",
    **{("QUANTIZE", "int8-int32", profile): "LiteRT refuses the type" for profile in PROFILES[1:]},
    **{("LOG_SOFTMAX", "float32", profile): "a vectorized exponential in float32: the profile does not have the operator" for profile in PROFILES[2:]},
}
# (operator, kind, profile): (largest share of cases that may differ, what is not emulated). All of it lies in extremes: results beyond what the
# library's vectors hold, or one unit in a tie of float32. Everything else must be equal.
BEYOND_32 = "a product beyond 32 bits: what XNNPACK makes of it depends on the CPU's vectors"
KNOWN = {
    **{("MUL", "a8", profile): (0.02, "a result beyond 16 bits wraps in LiteRT's vectors; whose runs are not known under broadcasting") for profile in PROFILES[2:]},
    ("ADD", "a8", "ruy"): (0.02, "a result beyond 16 bits under broadcasting, as in MUL"),
    ("ADD", "a8", "xnnpack"): (0.02, "ties of scales that are powers of two"),
    ("MEAN", "a8", "xnnpack"): (0.06, "ties of equal scales"),
    ("CONV_2D", "w8a8", "xnnpack"): (0.02, BEYOND_32), ("DEPTHWISE_CONV_2D", "w8a8", "xnnpack"): (0.02, BEYOND_32),
    ("FULLY_CONNECTED", "w8a8", "xnnpack"): (0.02, BEYOND_32), ("FULLY_CONNECTED", "w4a8", "xnnpack"): (0.02, BEYOND_32),
    ("TRANSPOSE_CONV", "w8a8", "xnnpack"): (0.04, BEYOND_32 + "; layers that the delegate leaves to the built-in kernel"),
    **{("FULLY_CONNECTED", "w8a16", profile): (0.02, "a product beyond 32 bits without bias") for profile in PROFILES[1:]},
    ("SOFTMAX", "a16", "tflm"): (0.03, "an entry of the exponential's table at input scales below 2^-13"),
    ("LOGISTIC", "a8", "xnnpack"): (0.02, "one unit in XNNPACK's table at input scales below 2^-8"),
}
# (operator, profile): largest share of cases that bitemu may refuse although the library runs them.
MOST_REFUSED = collections.defaultdict(lambda: 0.1, {})


class Worker:
    """One worker process, replaced when it dies."""

    def __init__(self):
        self.process, self.answered = None, 0

    def send(self, ask):
        if self.process is None:
            self.answered = 0
            self.process = subprocess.Popen([PYTHON, HERE / "worker.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            self.process.stdin.write(json.dumps(ask) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
        self.process = None

    def run(self, ask):
        """{"op", "kind", "done": {profile: [verdict, detail, elements]}} of one case; an engine that kills the process is a verdict too."""
        result, profiles = {"done": {}}, list(ask["profiles"])
        while profiles:
            self.send({**ask, "profiles": profiles})
            at = None
            while True:
                line = self.process.stdout.readline()
                if not line:
                    code = self.process.wait()
                    self.close()
                    if at is None and self.answered:
                        break  # an earlier case had corrupted its memory: a fresh process is asked again
                    if at is None:
                        raise RuntimeError(f"the worker does not start (exit {code}): run {PYTHON} {HERE / 'worker.py'} by hand")
                    result.update(op=at["op"], kind=at["kind"])
                    who = at["at"].split()[-1]
                    dead = profiles.index(who)
                    # what was answered before is asked again, without the one that died
                    result["done"][who] = ["differ" if at["at"].startswith("bitemu") else "library", f"the process dies (exit {code})", 0]
                    profiles.pop(dead)
                    break
                answer = json.loads(line)
                if "done" in answer:
                    self.answered += 1
                    result["done"].update(answer["done"])
                    return {**answer, "done": result["done"]}
                at = answer
        return result


def indices(args):
    sys.path.insert(0, str(HERE))
    if args.only is not None:
        return [args.only]
    rotation = json.loads(subprocess.run([PYTHON, "-c", "import cases, json; print(json.dumps(cases.ROTATION))"], cwd=HERE, capture_output=True, text=True,
                                         check=True).stdout)
    if args.op and args.op not in rotation:
        sys.exit(f"no operator {args.op}; one of {' '.join(sorted(set(rotation)))}")
    found = (i for i in range(1 << 40) if not args.op or rotation[i % len(rotation)] == args.op)
    return [next(found) for _ in range(args.cases)]


def sweep(args, keep):
    """Every case's result, by two workers."""
    asks, lock, results = iter(indices(args)), threading.Lock(), []

    def work():
        worker = Worker()
        while True:
            with lock:
                index = next(asks, None)
            if index is None:
                worker.close()
                return
            result = worker.run({"seed": args.seed, "index": index, "profiles": args.profile or PROFILES, "keep": str(keep)})
            with lock:
                results.append((index, result))
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for f in [pool.submit(work) for _ in range(args.jobs)]:
            f.result()
    return sorted(results, key=lambda r: r[0])


def report(args, results):
    """Prints what came out, returns the number of faults."""
    count, reasons, elements, faults = collections.defaultdict(collections.Counter), collections.Counter(), 0, 0
    shown = collections.Counter()
    for index, r in results:
        for profile, (verdict, detail, n) in r["done"].items():
            count[r["op"], r["kind"], profile][verdict] += 1
            elements += n
            if verdict in ("library", "bitemu"):
                reasons[r["op"], r["kind"], profile, verdict, detail] += 1
            if verdict == "differ" and (args.only is not None or (r["op"], r["kind"], profile) not in KNOWN):
                faults += 1
                shown[r["op"], r["kind"], profile] += 1
                if shown[r["op"], r["kind"], profile] <= 3:
                    print(f"FAILED: {r['op']} {r['kind']} under {profile}: {detail}\n  again: {sys.executable} {os.path.relpath(__file__)} "
                          f"--seed {args.seed} --only {index} --profile {profile}")
    total = sum(count.values(), collections.Counter())
    print(f"{len(results)} models, {elements} elements equal; comparisons: {total['equal']} equal, {total['differ']} differ, "
          f"{total['library']} refused by the library, {total['bitemu']} refused by bitemu only")
    for (op, kind, profile, who, why), n in sorted(reasons.items()):
        print(f"  {op} {kind} {profile}: {n} refused by {'the library' if who == 'library' else 'bitemu'}: {why}")
    if args.table:
        print_table(count)
    if args.only is None:
        faults += check_bounds(args, count)
    return faults


def print_table(count):
    ops = sorted({k[0] for k in count})
    print("\n| operator | " + " | ".join(PROFILES) + " |\n|---|" + "--:|" * len(PROFILES))
    for op in ops:
        cells = []
        for profile in PROFILES:
            c = sum((v for k, v in count.items() if k[0] == op and k[2] == profile), collections.Counter())
            cells.append(f"{c['equal']}" + (f", {c['differ']} differ" if c["differ"] else "") + (f" ({c['library']} / {c['bitemu']})" if c["library"] + c["bitemu"] else ""))
        print(f"| {op} | " + " | ".join(cells) + " |")


def check_bounds(args, count):
    """Refusals must stay few, and nothing may pass by never being compared."""
    faults = 0

    def fault(text):
        nonlocal faults
        faults += 1
        print("FAILED:", text)
    for (op, kind, profile), c in sorted(count.items()):
        declared = (op, kind, profile) in NEVER
        if declared and c["equal"] + c["differ"]:
            fault(f"{op} {kind} under {profile} is compared, but declared as never compared")
        if not declared and not c["equal"] and sum(c.values()) >= 4:
            fault(f"{op} {kind} under {profile}: not one equal case of {sum(c.values())}")
        most, why = KNOWN.get((op, kind, profile), (0, ""))
        if why and c["differ"] > max(3, most * sum(c.values())):
            fault(f"{op} {kind} under {profile}: {c['differ']} of {sum(c.values())} differ, more than the {most:.0%} that are declared ({why})")
        elif why and c["differ"]:
            print(f"  {op} {kind} {profile}: {c['differ']} of {sum(c.values())} differ as declared: {why}")
    for op, profile in sorted({(k[0], k[2]) for k in count}):
        c = sum((v for k, v in count.items() if k[0] == op and k[2] == profile and k not in NEVER), collections.Counter())
        ran = sum(c.values()) - c["library"]
        if ran >= 20 and c["bitemu"] > MOST_REFUSED[op, profile] * ran:
            fault(f"{op} under {profile}: bitemu refuses {c['bitemu']} of {ran} cases that the library runs")
    return faults


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=int(os.environ.get("BITEMU_SEED", "1")))
    p.add_argument("--cases", type=int, default=2000)
    p.add_argument("--op")
    p.add_argument("--profile", action="append", choices=PROFILES)
    p.add_argument("--only", type=int)
    p.add_argument("--keep", type=pathlib.Path)
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--table", action="store_true")
    args = p.parse_args()
    if not PYTHON.exists():
        skip(f"no environment with tflite-micro and LiteRT at {PYTHON.parent.parent} (tools/setup.sh makes it; ./run-tests calls it)")
    os.environ.setdefault("BITEMU", BITEMU)
    keep = args.keep or pathlib.Path(tempfile.gettempdir()) / "bitemu-differential"
    print(f"seed {args.seed} (BITEMU_SEED), {args.cases if args.only is None else 1} models", flush=True)
    start = time.monotonic()
    faults = report(args, sweep(args, keep))
    print(f"{time.monotonic() - start:.1f} s, {faults} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
