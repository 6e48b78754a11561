#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed of bitemu compare: MB/s of both files together on one core, and its largest memory, for traces of two sizes (memory must not grow with the
inputs). A trace is that of models/digits, over and over with indices that go on; the second is the same bytes, or what a board prints: a prefix on
every line, measured cycles instead of events.
usage: bench/compare.py [--mb 200] [--keep FOLDER]"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
import support  # noqa: E402

MODEL = HERE.parent / "models" / "digits" / "digits.bitemu"
TURNS = 3


def base_trace(folder):
    """Header, and all records of one pass split where their input's index stands."""
    path = folder / "base.jsonl"
    done = support.bitemu("run", MODEL, "--input", MODEL.with_name("digits_x.npy"), "--policy", "fixed:8", "--board", "nucleo-l4r5zi", "--trace", path)
    if done.returncode:
        sys.exit(done.stderr)
    lines = path.read_text().splitlines()
    return json.loads(lines[0]), lines[1:]


def board_line(line):
    r = json.loads(line)
    for key in ("wraps", "clamps", "acc_min", "acc_max"):
        r.pop(key, None)
    if "cycles" in r:
        r["cycles_measured"] = int(r.pop("cycles"))
    return json.dumps(r, separators=(",", ":"))


def grow(path, header, lines, inputs, passes, prefix):
    parts = [line.removeprefix('{"input":').split(",", 1) for line in lines]
    with open(path, "w", encoding="utf-8") as f:
        f.write(prefix + json.dumps({**header, "inputs": inputs * passes}, separators=(",", ":")) + "\n")
        for k in range(passes):
            f.write("".join(f'{prefix}{{"input":{int(i) + k * inputs},{rest}\n' for i, rest in parts))


def resident(pid):
    """Largest resident memory of a running program so far, MB (the child's own: rusage counts what it was forked from)."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def measure(a, b):
    best, memory = [], 0
    for _ in range(TURNS):
        start = time.perf_counter()
        p = subprocess.Popen([support.BITEMU, "compare", str(a), str(b), "--subset"], stdout=subprocess.PIPE, text=True)
        while p.poll() is None:
            memory = max(memory, resident(p.pid))
            time.sleep(0.005)
        best.append(time.perf_counter() - start)
        if p.returncode:
            sys.exit(f"not equal: {p.stdout.read()}")
    size = a.stat().st_size + b.stat().st_size
    return size / 1e6 / statistics.median(best), memory, size / 1e6


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--mb", type=int, default=200, help="of each file")
    ask.add_argument("--keep", type=pathlib.Path, help="leave the traces there")
    a = ask.parse_args()
    with tempfile.TemporaryDirectory() as temp:
        folder = a.keep or pathlib.Path(temp)
        header, lines = base_trace(folder)
        inputs = header["inputs"]
        print(f"{'case':10} {'inputs':>9} {'MB':>7} {'MB/s':>7} {'peak MB':>8}   (medians of {TURNS} turns)")
        for name, prefix, second in (("same", "", lines), ("board", "dut: ", [board_line(x) for x in lines])):
            for size in (a.mb * 10**6 // 20, a.mb * 10**6):
                passes = max(1, size // sum(len(line) + 1 for line in lines))
                grow(folder / "a.jsonl", header, lines, inputs, passes, "")
                grow(folder / "b.jsonl", header, second, inputs, passes, prefix)
                speed, memory, mb = measure(folder / "a.jsonl", folder / "b.jsonl")
                print(f"{name:10} {passes * inputs:9} {mb:7.0f} {speed:7.0f} {memory:8.1f}")


if __name__ == "__main__":
    main()
