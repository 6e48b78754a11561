#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed of bitemu iss in million instructions and cycles a second, and as a ratio against the core's RTL under Verilator, same program, same
machine, turn by turn (medians). The program: the kernels of tests/rtl/kernels/networks.c, over and over.
usage: bench/iss.py     needs: gcc-riscv64-unknown-elf; for the ratio also what device/rtl/build needs"""
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "tests" / "rtl")]
import check_rtl  # noqa: E402
import support  # noqa: E402

TURNS = 5


def seconds(command):
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, {k: int(v) for k, v in re.findall(r"^(cycles|instructions) (\d+)$", done.stderr, re.M)}


def turns(commands):
    times = [[] for _ in commands]
    for _ in range(TURNS):
        for k, command in enumerate(commands):
            t, counts = seconds(command)
            times[k].append(t / counts["cycles"])
            if k == 0:
                per_cycle = counts["instructions"] / counts["cycles"]
    return [1e-6 / statistics.median(t) for t in times], per_cycle


def main():
    subprocess.run([str(HERE.parent / "device" / "rtl" / "build")], stderr=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as temp:
        long, short = pathlib.Path(temp) / "long.elf", pathlib.Path(temp) / "short.elf"
        for elf, times in ((long, 400), (short, 2)):
            check_rtl.compile_program([check_rtl.HERE / "kernels" / "networks.c"], elf, ["-O2", f"-DTIMES={times}"])
        print(f"{'core':14} {'M instructions/s':>17} {'M cycles/s':>11} {'RTL M cycles/s':>15} {'ratio':>7}   (medians of {TURNS} turns)")
        for core, waits in (("ibex-small", ()), ("ibex-maxperf", ()), ("cv32e40p", ()), ("ibex-small", ("--fetch-wait", "2"))):
            iss = [support.BITEMU, "iss", "--core", core, "--stats", *waits, str(long)]
            rtl = [str(check_rtl.RTL / f"{core}-rtl"), "--stats", *waits, str(short)]
            (speed, *peer), per_cycle = turns([iss] + [rtl] * pathlib.Path(rtl[0]).exists())
            name = core + (" 2 waits" if waits else "")
            print(f"{name:14} {speed * per_cycle:17.1f} {speed:11.1f} " + (f"{peer[0]:15.2f} {speed / peer[0]:7.0f}" if peer else f"{'not built':>15}"))


if __name__ == "__main__":
    main()
