# SPDX-License-Identifier: Apache-2.0
"""What a candidate costs, for the cost term of a training: a number for each choice and candidate, sums over the layers bound to the choice.

  mean_bits   w a layer                   bitops   MACs w a
  cycles      of a board, from the table that `bitemu cost --lut` writes for this very network; a width the board has no kernels for takes
              the next wider one's figure

The program is found as BITEMU says, in this source tree's build folder, or on the PATH."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import torch

from . import native

TERMS = ("mean_bits", "bitops", "cycles")


def program():
    built = pathlib.Path(__file__).resolve().parents[2] / "build" / "cli" / "bitemu"
    return os.environ.get("BITEMU") or (str(built) if built.exists() else shutil.which("bitemu"))


def board_error(name):
    """What is wrong with the name of a board (or BOARD:STACK), or None."""
    tool = program()
    if not tool:
        return "cycles need the program bitemu: build it, or set BITEMU"
    if os.path.exists(name):
        return None
    done = subprocess.run([tool, "boards", "--format", "json"], capture_output=True, text=True)
    if done.returncode:
        return f"{tool} boards: {done.stderr.strip()}"
    names = [b["name"] for b in json.loads(done.stdout)]
    return None if name.split(":")[0] in names else f"unknown board '{name}'; known: {', '.join(names)}"


def rule(value, fail):
    """Of the configuration's `cost: {term, board}`."""
    wrong = board_error(value["board"]) if value["term"] == "cycles" else None
    if wrong:
        fail("board", wrong)


SCHEMA = {"term": TERMS, "board": str}


def _cycles(graph, board):
    """Layer name -> {(w, a): cycles}."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.bitemu")
        native.write(path, graph)
        done = subprocess.run([program(), "cost", path, "--board", board, "--lut"], capture_output=True, text=True)
    if not done.stdout:
        raise ValueError(f"bitemu cost --lut --board {board}: {done.stderr.strip()}")
    rows = json.loads(done.stdout)["layers"]
    return {r["name"]: {(c["w"], c["a"]): c["cycles"] for c in r["candidates"]} for r in rows}


def _priced(name, table, w, a, board):
    """Cycles at the narrowest pair the board has that holds both widths."""
    fit = [(x * y, c) for (x, y), c in table.items() if x >= w and y >= a and c is not None]
    if not fit:
        raise ValueError(f"board {board} has no figure for layer {name} at {w} bit weights and {a} bit activations")
    return min(fit)[1]


def table(graph, term, board="none"):
    """float32 [choices, candidates]; 0 at 0 bits. graph: as native.write takes it. Choices of fewer candidates are filled up with their first."""
    cycles = _cycles(graph, board) if term == "cycles" else {}
    shape = {t["name"]: t["shape"] for t in graph["tensors"]}
    out = []
    for choice in graph["choices"]:
        row = []
        for k in choice["candidates"]:
            w, a, total = k["w"], k["a"], 0.0
            for layer in graph["layers"]:
                if layer.get("choice") != choice["name"] or not w:
                    continue
                weights, y = shape[layer["inputs"][1]], shape[layer["outputs"][0]]
                depth = 1
                for n in weights[1:]:
                    depth *= n
                macs = depth * weights[0] * (y[1] * y[2] if len(y) == 4 else 1)
                total += {"mean_bits": w, "bitops": macs * w * a}[term] if term != "cycles" else _priced(layer["name"], cycles[layer["name"]], w, a, board)
            row.append(float(total))
        out.append(row)
    most = max(map(len, out))
    return torch.tensor([row + row[:1] * (most - len(row)) for row in out])


def shares(graph, term, board="none"):
    """The table over the cost of every choice's dearest candidate."""
    t = table(graph, term, board)
    return t / t.amax(1).sum()
