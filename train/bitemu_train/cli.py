# SPDX-License-Identifier: Apache-2.0
"""python -m bitemu_train digits --config C.yaml --out FOLDER [--resume]: trains, exports, reports."""
import argparse
import os
import sys

import numpy as np

from . import config, data, export, integer, loop, native


def policies(model):
    """Name -> what Model.run takes, widest first, the controller last."""
    widths = [c["w"] for c in model.graph["choices"][0]["candidates"]]
    n = len(model.graph["choices"])
    table = {f"fixed:{b}": [k] * n for k, b in reversed(list(enumerate(widths)))}
    return {**table, "controller": "controller"}


def report(model, x, y):
    """Rows (policy, accuracy, mean bits, BitOps of the dynamic layers over those at the widest) from the integer reference."""
    widths = np.array([c["w"] for c in model.graph["choices"][0]["candidates"]])
    rows, full = [], None
    for name, policy in policies(model).items():
        logits, chosen = model.run(x, policy)
        bitops = model.bitops(chosen).double().mean().item()
        full = full or bitops
        rows.append((name, (logits.argmax(1).numpy() == y).mean(), widths[chosen.numpy()].mean(), bitops / full))
    return rows


def print_report(rows, out=sys.stdout):
    print(f"{'policy':12} {'top-1':>8} {'mean bits':>10} {'BitOps':>8}", file=out)
    for name, accuracy, bits, ops in rows:
        print(f"{name:12} {100 * accuracy:7.2f}% {bits:10.3f} {100 * ops:7.1f}%", file=out)


def digits(args):
    cfg = config.load(args.config)
    parts = data.split(cfg["data"])
    os.makedirs(args.out, exist_ok=True)
    net = loop.train(cfg, parts.train, args.out, resume=args.resume)
    path = os.path.join(args.out, cfg["name"] + ".bitemu")
    native.write(path, export.graph(net, cfg["name"]))
    np.save(os.path.join(args.out, "digits_x.npy"), parts.test.x)
    np.save(os.path.join(args.out, "digits_y.npy"), parts.test.y)
    print(f"{path}: {os.path.getsize(path)} bytes; {len(parts.test.y)} held-out digits, integer reference:")
    print_report(report(integer.Model(native.read(path)), parts.test.x, parts.test.y))


def main(argv=None):
    parser = argparse.ArgumentParser(prog="bitemu_train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("digits", help="the any-precision digits network with its controller")
    one.add_argument("--config", required=True)
    one.add_argument("--out", required=True)
    one.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    one.set_defaults(run=digits)
    args = parser.parse_args(argv)
    try:
        args.run(args)
    except (config.ConfigError, FileNotFoundError, ValueError) as e:
        print(f"bitemu_train: {e}", file=sys.stderr)
        return 2
    return 0
