#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes operating_points of hwmodels/boards/*.yaml: the power that published energy runs state, by board, supply and stack.

usage: power.py FOLDER [--write]      (needs numpy; FOLDER as of stacks.py)

  log power of a run  =  board + regulator + log supply voltage (linear regulator only) + stack + its versions' steps + submission

A microcontroller behind its linear regulator draws a current that does not depend on the supply; behind a switched one (SMPS), a power that does not. Every term
is drawn to 0 with the standard deviation in SPREAD (ridge regression), so that a stack that was never measured on a board still gets the board's power.
Printed: errors of power and, with the cycles of speeds.py, of energy, each submission left out of both. error_pct: 90 % of the left out runs lie within it.

Points at a lower clock are those of the streaming benchmark (sww, round 1.3): active = (average - (1 - duty) x idle power of the board file) / duty."""
import argparse
import collections
import re
from pathlib import Path

import numpy as np

import fit
import speeds
import stacks

SPREAD = {"board": 3, "regulator": 0.4, "stack": 0.1, "version": 0.1, "submission": 0.06}
NOISE = 0.03  # of the log of the power of a run
FLOOR = 5.0   # per cent
ALSO = {("nucleo-l4r5zi", "tflm_cmsisnn"): "tflm-2.3.1", ("nucleo-l4r5zi", "microtvm_cmsisnn"): "microtvm-1.0"}  # the board file's own names of these stacks


def runs(folder):
    """Published energy runs; the H7A3's submissions all use its SMPS."""
    for r in fit.read(folder, "mlperf_tiny_results.csv"):
        if r["plain_cpu"] != "yes" or not r["energy_uj_per_inf"] or r["dtype"] != "int8" or r["stack_class"] == "proprietary":
            continue
        stack = r["stack_class"]
        version = re.search(stacks.VERSION[stack], r["software_stack"]).group(1) if stack in stacks.VERSION else ""
        board = re.sub(r"(-P|-Q)$", "", r["board"].upper())
        smps = "SMPS" in r["hardware_notes"]
        stated = re.search(r"at ([\d.]+) ?V", r["hardware_notes"])
        volt = float(stated.group(1)) if stated else float(r["energy_voltage_mv"]) / 1000
        point = f"{min(volt, 3):g}v" + ("-smps" if smps else "")
        yield {"board": board, "point": point, "smps": smps, "volt": volt, "stack": stack, "version": version, "steps": stacks.steps(stack, version), "round": r["round"],
               "bench": r["benchmark"], "clock": float(r["clock_mhz"]), "power": float(r["energy_run_power_uw"]) / 1000, "energy": float(r["energy_uj_per_inf"]), "cycles": float(r["cycles"]),
               "duty": float(r["latency_ms"]) / 32}


def terms(r):
    versions = [("version", r["stack"], v) for v in r["steps"]]
    return [("board", r["board"]), ("regulator", r["board"], r["smps"]), ("stack", r["stack"]), *versions, ("submission", r["stack"], r["version"], r["board"], r["point"])]


class Powers:
    def __init__(self, rows):
        self.index = {n: i for i, n in enumerate(dict.fromkeys(n for r in rows for n in terms(r)))}
        design = np.array([self._row(r) for r in rows])
        y = np.array([np.log(r["power"]) - self._supply(r) for r in rows])
        self.mean = y.mean()
        hessian = design.T @ design / NOISE ** 2 + np.diag([SPREAD[n[0]] ** -2 for n in self.index])
        self.theta, self.covariance = np.linalg.solve(hessian, design.T @ (y - self.mean)) / NOISE ** 2, np.linalg.inv(hessian)

    def _row(self, r):
        x = np.zeros(len(self.index))
        for n in terms(r):
            if n in self.index:
                x[self.index[n]] = 1
        return x

    @staticmethod
    def _supply(r):
        return 0.0 if r["smps"] else float(np.log(r["volt"]))

    def power(self, r):
        return float(np.exp(self.mean + self._supply(r) + self._row(r) @ self.theta))

    def deviation(self, r):
        unseen = sum(SPREAD[n[0]] ** 2 for n in terms(r) if n not in self.index)
        return float(np.sqrt(self._row(r) @ self.covariance @ self._row(r) + unseen + NOISE ** 2))


def submission(r):
    return r["stack"], r["version"], r["board"]


def left_out(data, cycles):
    """(run, relative errors of power, cycles and energy, deviation of the log of power), its submission left out of both fits."""
    full = speeds.Speeds(cycles)
    for cell in dict.fromkeys(submission(r) for r in data):
        rest = [r for r in data if submission(r) != cell]
        if not any(r["board"] == cell[2] for r in rest):
            continue
        powers, fast = Powers(rest), speeds.Speeds([c for c in cycles if submission(c) != cell], full)
        for r in data:
            if submission(r) == cell:
                c = next(c for c in cycles if submission(c) == cell and c["bench"] == r["bench"])
                p, t = powers.power(r) / r["power"], fast.cycles(c) / r["cycles"]
                yield r, p - 1, t - 1, p * t * r["power"] / r["energy"] * r["cycles"] / r["clock"] / 1e3 - 1, powers.deviation(r)


def table(found):
    print("| board | point | stack | runs | power: median | cycles | energy |\n|---|---|---|--:|--:|--:|--:|")
    for key in dict.fromkeys((x[0]["board"], x[0]["point"], *submission(x[0])[:2]) for x in found):
        own = np.abs([x[1:4] for x in found if (x[0]["board"], x[0]["point"], *submission(x[0])[:2]) == key]) * 100
        print(f"| {key[0]} | {key[1]} | {key[2]} {key[3]} | {len(own)} | " + " | ".join(f"{v:.1f} %" for v in np.median(own, axis=0)) + " |")
    errors = np.abs([x[1:4] for x in found]) * 100
    print(f"left out submissions, {len(found)} runs: " + "; ".join(f"{what} median {np.median(e):.1f} %, 90 % within {np.quantile(e, 0.9):.1f} %"
                                                                  for what, e in zip(("power", "cycles", "energy"), errors.T)))


def figure(power, error):
    return f"{{value: {power:.3g}, unit: mW, error_pct: {error:.0f}, source: power}}"


def points(data, streams, powers, times, board, name, idle): # 3.3 V behind an SMPS is the point of 3 V
    """YAML of a board's operating points, most published runs first."""
    mine = [r for r in data if r["board"] == board]
    percent = lambda d: max(FLOOR, 100 * (np.exp(times * d) - 1))
    lines = ["operating_points: # the first is meant when nothing is said; others: " + name + "@NAME. Written by hwmodels/fit/power.py"]
    for point, _ in collections.Counter(r["point"] for r in mine).most_common():
        here = [r for r in mine if r["point"] == point]
        newest = max(here, key=lambda r: r["round"]) # the power of any stack: as if of a new submission there
        other = {**newest, "stack": "any", "version": "", "steps": [""]}
        lines += [f"  - name: {point}", f"    active_power: {figure(powers.power(other), percent(powers.deviation(other)))}", "    stacks:"]
        rows = {}
        for r in here:
            for key in {f"{r['stack']}-{r['version']}".rstrip("-"), ALSO.get((name, r["stack"]))} - {None}:
                rows[key] = figure(powers.power(r), percent(powers.deviation(r)))
            if r["stack"] in stacks.VERSIONS:
                last = r | {"version": stacks.VERSIONS[r["stack"]][-1], "steps": stacks.VERSIONS[r["stack"]]}
                rows[r["stack"]] = figure(powers.power(last), percent(powers.deviation(last)))
        lines += [f"      {k}: {rows[k]}" for k in sorted(rows)]
        for s in streams:
            if s["board"] == board and s["point"] == point and s["clock"] < newest["clock"]:
                active = (s["power"] - (1 - s["duty"]) * idle) / s["duty"]
                lines += [f"  - name: {point}-{s['clock']:.0f}mhz", f"    clock: {{value: {s['clock']:g}, unit: MHz, source: power}}", f"    active_power: {figure(active, 15)}"]
    rounds = sorted({r["round"] for r in mine + [s for s in streams if s["board"] == board]})
    return lines, f"MLCommons Tiny, closed, rounds {', '.join(rounds)}, energy runs on this board; fitted together with those of other boards (hwmodels/fit/power.py)"


def write(path, lines, source):
    text = path.read_text()
    text = re.sub(r"^operating_points:.*\n(?:[ -].*\n)*", "", text, flags=re.M)
    text = re.sub(r"^  power: >-\n    .*\n", "", text, flags=re.M)
    text = text.replace("\nstacks:", "\n" + "\n".join(lines) + "\nstacks:", 1).rstrip("\n") + f"\n  power: >-\n    {source}\n"
    path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--write", action="store_true", help="renew operating_points of hwmodels/boards")
    args = parser.parse_args()
    everything = list(runs(args.folder))
    data, streams = ([r for r in everything if (r["bench"] == "sww") == flag] for flag in (False, True))
    cycles = stacks.rows(args.folder, stacks.counted(args.folder))
    found = list(left_out(data, cycles))
    table(found)
    times = float(np.quantile([abs(np.log1p(x[1])) / x[4] for x in found], 0.9))
    print(f"deviations times {times:.2f} hold 90 % of the powers")
    powers = Powers(data)
    for board in dict.fromkeys(r["board"] for r in data):
        name = stacks.BOARDS[board]
        path = Path(__file__).resolve().parent.parent / "boards" / f"{name}.yaml"
        idle = re.search(r"^idle_power: \{value: ([\d.]+)", path.read_text(), re.M)
        lines, source = points(data, streams, powers, times, board, name, float(idle.group(1)) if idle else 0.0)
        if args.write:
            write(path, lines, source)


if __name__ == "__main__":
    main()
