# SPDX-License-Identifier: Apache-2.0
"""python -m bitemu_train digits --config C.yaml --out FOLDER [--resume]: trains, exports, reports."""
import argparse
import os
import sys

import numpy as np
import torch

from . import config, export, integer, loop, native
from .data import digits as data


def policies(model):
    """Name -> what Model.run takes, widest first, the controller last if the model has one."""
    widths = [c["w"] for c in model.graph["choices"][0]["candidates"]]
    n = len(model.graph["choices"])
    table = {f"fixed:{b}": [k] * n for k, b in sorted(enumerate(widths), key=lambda kb: -kb[1])}
    decided = all("decision" in c for c in model.graph["choices"])
    return {**table, "controller": "controller"} if decided else table


def report(model, x, y, batch=1000):
    """Rows (policy, accuracy, mean bits, BitOps of the dynamic layers over those at the widest) from the integer reference."""
    widths = np.array([c["w"] for c in model.graph["choices"][0]["candidates"]])
    rows, full = [], None
    for name, policy in policies(model).items():
        parts = [model.run(x[at:at + batch], policy) for at in range(0, len(x), batch)]
        logits, chosen = (torch.cat(p) for p in zip(*parts))
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


QUANTIZERS = os.path.join(os.path.dirname(__file__), "..", "configs", "quantizers")


def quantizer(args):
    """Trains a small network with a quantizer, exports it and compares: float simulation, integer reference, emulator."""
    from .networks import chain
    from .schemes import single
    path = args.config or os.path.join(QUANTIZERS, args.name + ".yaml")
    if not os.path.exists(path):
        known = ", ".join(sorted(f[:-5] for f in os.listdir(QUANTIZERS))) if os.path.isdir(QUANTIZERS) else "none"
        raise FileNotFoundError(f"{path}: no such configuration; --name knows {known}")
    cfg = config.load(path, config.quantizer_schema, lambda cfg, path: None)
    parts = data.split(cfg["data"])
    os.makedirs(args.out, exist_ok=True)
    net = single.train(cfg, parts.train)
    out = os.path.join(args.out, cfg["name"] + ".bitemu")
    native.write(out, chain.graph(net, cfg["name"], (data.SIZE, data.SIZE)))
    x, y = parts.test.x, parts.test.y
    np.save(os.path.join(args.out, "digits_x.npy"), x)
    np.save(os.path.join(args.out, "digits_y.npy"), y)
    with torch.no_grad():
        simulated = net(data.codes(x)).argmax(1).numpy()
    graph = native.read(out)
    logits, _ = integer.Model(graph, "bitemu").run(x, [0] * len(graph["choices"]))
    answers = logits.argmax(1).numpy()
    kind = [f"{cfg[k]['quantizer']} {cfg[k]['bits']}" for k in ("weights", "activations")]
    print(f"{cfg['name']}: weights {kind[0]} bit, activations {kind[1]} bit; {out}: {os.path.getsize(out)} bytes")
    print(f"top-1 float simulation {100 * (simulated == y).mean():.2f}%, integers {100 * (answers == y).mean():.2f}%; same answer {(simulated == answers).sum()}/{len(y)}")
    if args.bitemu:
        got = emulate(args.bitemu, out, os.path.join(args.out, "digits_x.npy"), graph, os.path.join(args.out, "dump.npz"))
        same = (got.reshape(len(y), -1) == logits.numpy()).all(1).sum()
        print(f"emulator, profile bitemu: logits equal for {same}/{len(y)} digits")
        if same != len(y):
            raise ValueError("the emulator differs from the integer reference")


def emulate(bitemu, model, inputs, graph, dump):
    """The emulator's outputs; a choice has one candidate here."""
    import subprocess
    policy = ["--policy", "layers:" + ",".join(str(c["candidates"][0]["a"]) for c in graph["choices"])] if graph["choices"] else []
    subprocess.run([bitemu, "run", model, "--input", inputs, "--profile", "bitemu", "--dump", dump, *policy], check=True, stdout=subprocess.DEVNULL)
    return np.load(dump)["out0"]


def _cifar10_folder(args):
    folder = args.data or os.environ.get("BITEMU_DATA")
    if not folder:
        raise ValueError("name the folder of CIFAR-10: --data FOLDER, or BITEMU_DATA")
    return folder


def _write_cifar10(net, cfg, folder, out):
    """OUT/NAME.bitemu, and the report from the integers in it."""
    from .data import cifar10 as pictures
    path = os.path.join(out, cfg["name"] + ".bitemu")
    native.write(path, net.scheme.export(net, cfg["name"]))
    test = pictures.load(folder, "test")
    print(f"{path}: {os.path.getsize(path)} bytes; {len(test.y)} test images, integer reference:")
    print_report(report(integer.Model(native.read(path)), test.x, test.y))


def cifar10(args):
    """Trains, exports, reports."""
    from . import training
    from .data import cifar10 as pictures
    cfg = config.load(args.config, config.cifar10, config.check_cifar10)
    folder = _cifar10_folder(args)
    os.makedirs(args.out, exist_ok=True)
    net = training.train(cfg, pictures.load(folder, "train"), args.out, args.resume, args.stop_after)
    if net is not None:
        training.save(os.path.join(args.out, "final.pt"), {"config": cfg, "network": net.state_dict()})
        _write_cifar10(net, cfg, folder, args.out)


def cifar10_export(args):
    """Exports a finished training (final.pt), or one as it stands (checkpoint.pt: its statistics are taken first)."""
    from . import training
    from .data import cifar10 as pictures
    folder = _cifar10_folder(args)
    net, cfg, epoch = training.load(args.checkpoint)
    if epoch is not None:
        print(f"{args.checkpoint}: after epoch {epoch} of {cfg['train']['epochs']}")
        training.calibrate(net, training.on_device(pictures.load(folder, "train"), "cpu"), cfg)
    os.makedirs(args.out, exist_ok=True)
    _write_cifar10(net, cfg, folder, args.out)


def gate(args):
    """An input-aware version of a finished network: which of its widths each image gets."""
    from . import training
    from .data import cifar10 as pictures
    from .networks.resnet_export import graph
    from .schemes import gate as scheme
    cfg = config.load(args.config, config.GATE, config.check_gate)
    folder = _cifar10_folder(args)
    net, _, epoch = training.load(args.checkpoint)
    if epoch is not None:
        raise ValueError(f"{args.checkpoint}: not a finished training (final.pt)")
    os.makedirs(args.out, exist_ok=True)
    part = training.on_device(pictures.load(folder, "train"), "cpu")
    controller = scheme.train(net, part, cfg)
    path = os.path.join(args.out, cfg["name"] + ".bitemu")
    native.write(path, graph(net, cfg["name"], controller))
    test = pictures.load(folder, "test")
    print(f"{path}: {os.path.getsize(path)} bytes; {len(test.y)} test images, integer reference:")
    print_report(report(integer.Model(native.read(path)), test.x, test.y))


def cascade(args):
    """An input-aware version of a finished network: again at another width where the first answer is not sure."""
    from . import training
    from .data import cifar10 as pictures
    from .networks import resnet_export
    from .schemes import cascade as scheme
    cfg = config.load(args.config, config.CASCADE, config.check_cascade)
    folder = _cifar10_folder(args)
    net, _, epoch = training.load(args.checkpoint)
    if epoch is not None:
        raise ValueError(f"{args.checkpoint}: not a finished training (final.pt)")
    for key in ("first", "second"):
        if cfg[key] not in net.widths:
            raise ValueError(f"{args.checkpoint}: no {cfg[key]} bits ({key}); it has {', '.join(map(str, net.widths))}")
    os.makedirs(args.out, exist_ok=True)
    margin = scheme.margin(net, training.on_device(pictures.load(folder, "train"), "cpu"), cfg)
    path = os.path.join(args.out, cfg["name"] + ".bitemu")
    native.write(path, resnet_export.cascade(net, cfg["name"], cfg["first"], cfg["second"], margin, scheme.PER_UNIT))
    print(f"{path}: {os.path.getsize(path)} bytes; again where the two best are within {margin / scheme.PER_UNIT:g} logits")
    test, model = pictures.load(folder, "test"), integer.Model(native.read(path))
    parts = [model.run(test.x[at:at + 500]) for at in range(0, len(test.y), 500)]
    logits, chosen = (torch.cat(p) for p in zip(*parts))
    n = [c["name"] for c in model.graph["choices"]].index("again")
    print(f"{len(test.y)} test images, integer reference: top-1 {100 * (logits.argmax(1).numpy() == test.y).mean():.2f}%, {100 * (chosen[:, n] == 1).double().mean():.2f}% of them again")


def equal(args):
    """Logits and decisions of the integer reference and of the emulator, over CIFAR-10's test images."""
    from . import equal as check
    from .data import cifar10 as pictures
    test = pictures.load(_cifar10_folder(args), "test")
    n = args.limit or len(test.y)
    differ = 0
    for policy, same, images, right, there in check.compare(args.bitemu, args.model, test.x[:n], test.y[:n], args.seed):
        print(f"{args.model} {policy}: logits and decisions equal for {same} of {images}; top-1 {100 * right / images:.2f}%, emulator {100 * there / images:.2f}%", flush=True)
        differ += images - same
    if differ:
        raise ValueError(f"{args.model}: the emulator differs from the integer reference")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="bitemu_train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("digits", help="the any-precision digits network with its controller")
    one.add_argument("--config", required=True)
    one.add_argument("--out", required=True)
    one.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    one.set_defaults(run=digits)
    two = commands.add_parser("cifar10", help="residual networks for CIFAR-10 at several widths out of one set of weights")
    two.add_argument("--config", required=True)
    two.add_argument("--out", required=True)
    two.add_argument("--data", help="folder of CIFAR-10: cifar-10-batches-py or .webp grids (default: BITEMU_DATA)")
    two.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    two.add_argument("--stop-after", type=int, metavar="EPOCHS", help="end early, to be resumed")
    two.set_defaults(run=cifar10)
    three = commands.add_parser("cifar10-export", help="final.pt or checkpoint.pt of such a training as a model file, with its accuracy")
    three.add_argument("--checkpoint", required=True)
    three.add_argument("--out", required=True)
    three.add_argument("--data", help="folder of CIFAR-10 (default: BITEMU_DATA)")
    three.set_defaults(run=cifar10_export)
    four = commands.add_parser("gate", help="an input-aware version of a finished cifar10 training: a controller picks each image's width")
    four.add_argument("--config", required=True)
    four.add_argument("--checkpoint", required=True, help="final.pt")
    four.add_argument("--out", required=True)
    four.add_argument("--data", help="folder of CIFAR-10 (default: BITEMU_DATA)")
    four.set_defaults(run=gate)
    more = commands.add_parser("cascade", help="an input-aware version of a finished cifar10 training: again at another width where the first answer is not sure")
    more.add_argument("--config", required=True)
    more.add_argument("--checkpoint", required=True, help="final.pt")
    more.add_argument("--out", required=True)
    more.add_argument("--data", help="folder of CIFAR-10 (default: BITEMU_DATA)")
    more.set_defaults(run=cascade)
    last = commands.add_parser("equal", help="the integer reference against the emulator, over CIFAR-10's test images, under every policy of a model")
    last.add_argument("--model", required=True)
    last.add_argument("--bitemu", metavar="PROGRAM", required=True)
    last.add_argument("--data", help="folder of CIFAR-10 (default: BITEMU_DATA)")
    last.add_argument("--limit", type=int, help="only the first images")
    last.add_argument("--seed", type=int, default=1, help="of the mixture of widths (default 1)")
    last.set_defaults(run=equal)
    five = commands.add_parser("quantizer", help="a small digits network with one quantizer: trained, exported, compared")
    which = five.add_mutually_exclusive_group(required=True)
    which.add_argument("--name", help="train/configs/quantizers/NAME.yaml")
    which.add_argument("--config")
    five.add_argument("--out", required=True)
    five.add_argument("--bitemu", metavar="PROGRAM", help="run the emulator too, and demand equal logits")
    five.set_defaults(run=quantizer)
    args = parser.parse_args(argv)
    try:
        args.run(args)
    except (config.ConfigError, FileNotFoundError, ValueError) as e:
        print(f"bitemu_train: {e}", file=sys.stderr)
        return 2
    return 0
