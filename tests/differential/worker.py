# SPDX-License-Identifier: Apache-2.0
"""A process that may die: makes cases, asks the oracles and bitemu, says for each what came out. One JSON line in, JSON lines out.
in:  {"seed", "index", "profiles", "keep": folder or null}
out: {"index", "op", "kind", "at": who is asked now}; then {"index", "done": {profile: [verdict, detail, elements]}}"""
import json
import os
import pathlib
import signal
import sys
import tempfile

import numpy as np

from cases import make
from oracles import Library, Program, Refused, Talk, oracles


def first_difference(want, got):
    """Run and coordinates of the first different element, or None."""
    for k, (a, b) in enumerate(zip(want, got)):
        if a.dtype != b.dtype or a.shape != b.shape:
            return f"run {k}: {a.dtype}{list(a.shape)} recorded, {b.dtype}{list(b.shape)} computed"
        # floats by their bits: -0 is not 0, a NaN equals itself
        bits = (lambda v: v.view(np.uint32)) if a.dtype == np.float32 else (lambda v: v)
        differ = np.argwhere(bits(np.ascontiguousarray(a)) != bits(np.ascontiguousarray(b)))
        if len(differ):
            at = tuple(int(i) for i in differ[0])
            return f"run {k}, output{list(at)}: the library {a[at]}, bitemu {b[at]}; {len(differ)} of {a.size} differ"
    return None


def keep(folder, case, profile, want):
    folder = pathlib.Path(folder) / f"{case.index}-{case.op.lower()}-{profile}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(case.model)
    np.savez(folder / "x.npz", **{f"in{i}": np.stack([r[i] for r in case.inputs]) for i in range(len(case.inputs[0]))})
    np.save(folder / "library.npy", np.stack(want))
    return str(folder)


def main():
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # libraries may print
    library = os.environ.get("BITEMU_LIBRARY")
    ours = Library(library) if library else Program(os.environ["BITEMU"])
    engines = oracles(Talk())
    with tempfile.TemporaryDirectory() as tmp:
        model = tmp + "/model.tflite"
        for line in sys.stdin:
            ask = json.loads(line)
            case = make(ask["seed"], ask["index"])
            done = {}

            def say(who):
                signal.alarm(300)  # an engine that hangs dies by it
                print(json.dumps({"index": case.index, "op": case.op, "kind": case.kind, "at": who}), file=answers)
            pathlib.Path(model).write_bytes(case.model)
            for profile in ask["profiles"]:
                if case.profiles and profile not in case.profiles:
                    continue
                say(profile)
                try:
                    want = engines[profile].run(case)
                except Refused as e:
                    done[profile] = ["library", str(e), 0]
                    continue
                say("bitemu " + profile)
                try:
                    got = ours.run(model, case, profile)
                except Refused as e:
                    done[profile] = ["bitemu", str(e), 0]
                    continue
                except RuntimeError as e:
                    done[profile] = ["differ", f"bitemu fails: {e}; {keep(ask['keep'], case, profile, want)}", 0]
                    continue
                different = first_difference(want, got)
                if different:
                    done[profile] = ["differ", f"{different}; {keep(ask['keep'], case, profile, want)}", 0]
                else:
                    done[profile] = ["equal", "", sum(a.size for a in want)]
            signal.alarm(0)
            print(json.dumps({"index": case.index, "op": case.op, "kind": case.kind, "done": done}), file=answers)


main()
