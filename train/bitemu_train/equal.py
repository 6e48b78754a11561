# SPDX-License-Identifier: Apache-2.0
"""Is the emulator equal to the integer reference, image by image? Logits and decisions of every policy that a model knows: each width that all of
its choices have, one mixture drawn by a seed, its controller."""
import os
import random
import subprocess
import tempfile

import numpy as np

from . import integer, native


def policies(graph, seed):
    """The emulator's name of a policy -> what integer.Model.run takes."""
    choices = graph["choices"]
    if choices and all("decision" in c for c in choices):
        return {"controller": "controller"}
    widths = [[k["w"] for k in c["candidates"]] for c in choices]
    shared = sorted(set.intersection(*map(set, widths)) if widths else set(), reverse=True)
    table = {f"fixed:{b}": [row.index(b) for row in widths] for b in shared}
    if len(shared) > 1:
        rng = random.Random(seed)
        drawn = [rng.choice(row) for row in widths]
        table["layers:" + ",".join(map(str, drawn))] = [row.index(b) for row, b in zip(widths, drawn)]
    return table or {"fixed:8": []}


def emulated(program, path, x, policy, folder):
    """(logits, decisions) of the emulator for images x."""
    inputs, dump = os.path.join(folder, "x.npy"), os.path.join(folder, "dump.npz")
    np.save(inputs, x)
    subprocess.run([program, "run", path, "--input", inputs, "--policy", policy, "--dump", dump, "--threads", "1"], check=True, stdout=subprocess.DEVNULL)
    with np.load(dump) as z:
        return z["out0"].reshape(len(x), -1), z["decisions"] if "decisions" in z else np.zeros((len(x), 0))


def compare(program, path, x, y, seed=1, batch=250):
    """Yields (policy, images equal, images, right answers of the reference, of the emulator)."""
    graph = native.read(path)
    model = integer.Model(graph)
    for policy, candidates in policies(graph, seed).items():
        same = right = right_there = 0
        for at in range(0, len(x), batch):
            images, labels = x[at:at + batch], y[at:at + batch]
            logits, chosen = (t.numpy() for t in model.run(images, candidates))
            with tempfile.TemporaryDirectory() as folder:
                there, decided = emulated(program, path, images, policy, folder)
            same += int(((logits == there).all(1) & (chosen == decided).all(1)).sum())
            right += int((logits.argmax(1) == labels).sum())
            right_there += int((there.argmax(1) == labels).sum())
        yield policy, same, len(x), right, right_there
