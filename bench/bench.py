#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed of the reference kernels as a ratio against TensorFlow Lite Micro's host interpreter (PyPI tflite-micro), same machine, same
run, one thread, turn by turn. Prints inputs per second (median) and the ratio, then peak memory over the number of inputs.
usage: bench.py MODELS_FOLDER     (models: mlc_kws_ref_model, mlc_pretrainedResnet_quant, mlc_vww_96_int8, mlc_ad01_int8 .tflite)
needs: pip install tflite-micro numpy"""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from tflite_micro import runtime

BITEMU = os.environ.get("BITEMU", str(pathlib.Path(__file__).resolve().parent.parent / "build" / "cli" / "bitemu"))
MODELS = ("mlc_kws_ref_model", "mlc_pretrainedResnet_quant", "mlc_vww_96_int8", "mlc_ad01_int8")
ROUNDS, SECONDS = 7, 1.0


def tflm_seconds(model, x, n):
    interpreter = runtime.Interpreter.from_file(str(model), arena_size=4 << 20)
    start = time.perf_counter()
    for i in range(n):
        interpreter.set_input(x[i % len(x)][None], 0)
        interpreter.invoke()
        interpreter.get_output(0)
    return (time.perf_counter() - start) / n


def run(model, path, n):
    start = time.perf_counter()
    subprocess.run([BITEMU, "run", model, "--input", path, "--limit", str(n), "--format", "json"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def bitemu_seconds(model, path, n):
    """Per input, start-up taken out by a run of one input."""
    return (run(model, path, n) - run(model, path, 1)) / (n - 1)


def peak_kib(model, path, n):
    """Measured from a bare interpreter: a child's peak counts what its parent held when it was started."""
    program = ("import os, sys; pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, "
               "file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]); print(os.wait4(pid, 0)[2].ru_maxrss)")
    done = subprocess.run([sys.executable, "-S", "-c", program, BITEMU, "run", str(model), "--input", str(path), "--limit", str(n)], check=True,
                          capture_output=True, text=True)
    return int(done.stdout)


def main(folder):
    rng = np.random.default_rng(1)
    print(f"{'model':30} {'bitemu/s':>10} {'tflm/s':>10} {'ratio':>7}  (median of {ROUNDS} turns, min..max)")
    with tempfile.TemporaryDirectory() as tmp:
        for name in MODELS:
            model, path = folder / f"{name}.tflite", pathlib.Path(tmp) / "x.npy"
            shape = runtime.Interpreter.from_file(str(model), arena_size=4 << 20).get_input_details(0)["shape"][1:]
            x = rng.integers(-128, 128, (2000, *shape), dtype=np.int8)
            np.save(path, x)
            n = max(8, min(2000, int(SECONDS / tflm_seconds(model, x, 4))))
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(bitemu_seconds(model, path, n))
                theirs.append(tflm_seconds(model, x, n))
            ratios = sorted(t / o for t, o in zip(theirs, ours))
            print(f"{name:30} {1 / statistics.median(ours):10.1f} {1 / statistics.median(theirs):10.1f} {statistics.median(ratios):6.2f}x  "
                  f"({ratios[0]:.2f}..{ratios[-1]:.2f})", flush=True)
        print("\npeak memory of bitemu run,", MODELS[0])
        for n in (10, 100, 1000):
            print(f"  {n:5} inputs: {peak_kib(folder / (MODELS[0] + '.tflite'), prepare(folder, tmp, rng), n)} KiB")


def prepare(folder, tmp, rng):
    path = pathlib.Path(tmp) / "kws.npy"
    if not path.exists():
        np.save(path, rng.integers(-128, 128, (1000, 490), dtype=np.int8))
    return path


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
