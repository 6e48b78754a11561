# SPDX-License-Identifier: Apache-2.0
"""Training of residual networks at several widths out of one set of weights: one loop for all schemes (schemes/*.py). A step takes a batch on
several paths through the network (assignments of candidates to its choices): gradients of their losses are added up, then one update. With
`distill` d > 0 every loss but the first path's is (1 - d) cross entropy with the label + d cross entropy with the first path's answer
(arXiv:1911.07346).

Weights: SGD with Nesterov momentum, weight decay on convolutions and classifier. Clips: Adam on their logarithms (a clip's gradient sums
over a whole tensor, its scale fits no common rate). Both follow one warm-up and cosine.

An epoch's randomness is drawn from (seed, epoch) alone; a checkpoint holds weights and optimizers and is replaced atomically: killed at any
moment, a training resumes with the bits of an undisturbed one on the same PyTorch, machine type and number of threads (CPU). After the last
epoch the normalization's statistics are taken, in float32, where codes and accumulators are exact; no test image is seen before the report."""
import csv
import hashlib
import json
import math
import os
import sys
import time

import torch
import torch.nn.functional as F

from . import schemes
from .data import cifar10
from .networks import resnet
from .steps import Replay

LOG = ["epoch", "lr", "loss", "train_accuracy", "seconds"]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Diverged(ValueError):
    pass


def prepare(cfg):
    torch.set_num_threads(cfg["threads"])
    torch.use_deterministic_algorithms(cfg["device"] == "cpu")
    torch.backends.cudnn.benchmark = cfg["device"] == "cuda"
    if hasattr(torch.utils, "deterministic"):
        torch.utils.deterministic.fill_uninitialized_memory = False  # a debugging aid that costs half the time
    torch.manual_seed(cfg["seed"])


def epoch_rng(seed, epoch):
    return torch.Generator().manual_seed(seed * 100003 + epoch)


def rate(c, done):
    """Share of the peak learning rate after `done` epochs: linear warm-up, then half a cosine to lr_last."""
    if done < c["warmup"]:
        return (done + 1e-3) / (c["warmup"] + 1e-3)
    last = c["lr_last"] / c["lr"]
    return last + (1 - last) * (0.5 + 0.5 * math.cos(math.pi * (done - c["warmup"]) / (c["epochs"] - c["warmup"])))


def optimizers(net, c):
    """SGD and Adam, each group with its peak rate."""
    named = dict(net.named_parameters())
    clips = [named.pop("clip"), named.pop("out")]
    control = [named.pop(name) for name in list(named) if name.startswith("controller.")]
    weight, rest = named.pop("weight"), list(named.values())
    sgd = torch.optim.SGD([{"params": [weight], "weight_decay": c["weight_decay"]}, {"params": rest, "weight_decay": 0.0}], lr=c["lr"], momentum=0.9,
                          nesterov=True)
    adam = torch.optim.Adam([{"params": clips, "lr": c["clip_lr"]}] + ([{"params": control, "lr": c["controller_lr"]}] if control else []))
    return [(opt, [g["lr"] for g in opt.param_groups]) for opt in (sgd, adam)]


def batches(part, batch, rng):
    """Augmented training images as codes minus their zero, and labels."""
    order, (begin, mirrored) = torch.randperm(len(part.y), generator=rng), cifar10.draws(len(part.y), rng)
    order, begin, mirrored = (t.to(part.x.device) for t in (order, begin, mirrored))
    for at in range(0, len(order) - batch + 1, batch):
        ix = order[at:at + batch]
        yield cifar10.codes(cifar10.crop(part.x[ix], begin[at:at + batch], mirrored[at:at + batch])), part.y[ix]


def add(total, parts):
    return [b if a is None else a if b is None else a + b for a, b in zip(total, parts)]


def gradients(net, distill, x, y, chosen, scale, *more):
    """Sets the gradients of the mean loss of the paths `chosen` [paths, choices] times scale; returns (mean loss, right answers of the first).
    A scheme with a path of its own (`net.own_path`) gets r, the weights and `more`."""
    n, own = len(chosen), getattr(net, "own_path", None)
    params = [p for name, p in net.named_parameters() if name != "weight"]
    whole = net.normalized()                   # one pass for all paths
    leaf = whole.detach().requires_grad_()
    early = net.early(x, net.path(leaf, chosen[0]))
    r = early.detach().requires_grad_()        # the stem runs once
    wanted, grads, losses, right, teacher = [r, leaf, *params], [None] * (len(params) + 2), [], None, None
    for k in range(n + (own is not None)):
        if k == n:
            loss = own(leaf, r, y, *more)
        else:
            logits = net.late(r, net.path(leaf, chosen[k]))
            if k == 0:
                teacher = torch.softmax(logits.detach(), 1)
                right = (logits.detach().argmax(1) == y).sum()
            loss = F.cross_entropy(logits, y) / n
            if k and distill:
                loss = (1 - distill) * loss - distill / n * (teacher * F.log_softmax(logits, 1)).sum(1).mean()
        losses.append(loss.detach())
        grads = add(grads, torch.autograd.grad(loss * scale, wanted, allow_unused=True))
    grads[1:] = add(grads[1:], torch.autograd.grad(early, wanted[1:], grads[0], allow_unused=True))
    weight, = torch.autograd.grad(whole, [net.weight], grads[1])
    for p, g in [(net.weight, weight), *zip(params, grads[2:])]:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
        p.grad.copy_(torch.zeros_like(p) if g is None else g)
    return torch.stack(losses).sum(), right


def unscale(net, scale):
    """Divides gradients by the loss scale; False if one is not finite."""
    grads = [p.grad for p in net.parameters()]
    for g in grads:
        g.div_(scale)
    return all(bool(torch.isfinite(g).all()) for g in grads)


def run_epoch(net, scheme, step, opts, part, cfg, epoch, scaler):
    c, start, rng = cfg["train"], time.time(), epoch_rng(cfg["seed"], epoch)
    per_epoch, device = len(part.y) // c["batch"], part.x.device
    chosen = torch.tensor([scheme.assignments(epoch, i, rng) for i in range(per_epoch)], device=device)
    losses, right, scale = torch.zeros(per_epoch, device=device), torch.zeros((), device=device), torch.tensor(scaler["scale"], device=device)
    for i, (x, y) in enumerate(batches(part, c["batch"], rng)):
        share = rate(c, epoch + i / per_epoch)
        for opt, peaks in opts:
            for g, peak in zip(opt.param_groups, peaks):
                g["lr"] = peak * share
        loss, hit = step(x, y, chosen[i], scale, *scheme.more(epoch + i / per_epoch, len(y), device, rng))
        losses[i] = loss
        right += hit
        if scaler["dynamic"]:  # arXiv:1710.03740: half on overflow, twice after 2000 good steps
            if not unscale(net, scaler["scale"]):
                scaler["scale"], scaler["good"] = scaler["scale"] / 2, 0
                scale.fill_(scaler["scale"])
                continue
            scaler["good"] += 1
            if scaler["good"] == 2000:
                scaler["scale"], scaler["good"] = scaler["scale"] * 2, 0
                scale.fill_(scaler["scale"])
        for opt, _ in opts:
            opt.step()
        net.constrain()
    losses = losses.cpu()
    bad = (~torch.isfinite(losses)).nonzero().flatten().tolist()
    if bad:
        raise Diverged(f"epoch {epoch}, step {bad[0]}: the loss is {losses[bad[0]].item()}; the last good checkpoint is kept")
    return {"epoch": epoch, "lr": opts[0][0].param_groups[0]["lr"], "loss": losses.double().mean().item(),
            "train_accuracy": right.item() / (per_epoch * c["batch"]), "seconds": round(time.time() - start, 1)}


def calibrate(net, part, cfg):
    """Takes the statistics of the normalization on the paths that the scheme names; the network is frozen then."""
    scheme, rng = net.scheme, epoch_rng(cfg["seed"], 10 ** 6)
    images = batches(part, min(500, len(part.y)), rng)
    net.collect((x, scheme.calibration(i, rng)) for i, (x, _) in zip(range(cfg["train"]["calibration"]), images))


@torch.no_grad()
def accuracy(net, part, k, batch=500):
    """Of the float simulation: progress only; reported figures come from the integers."""
    right = 0
    for at in range(0, len(part.y), batch):
        right += (net(cifar10.codes(part.x[at:at + batch]), net.uniform(k)).argmax(1) == part.y[at:at + batch]).sum().item()
    return right / len(part.y)


def on_device(part, device):
    return cifar10.Part(torch.from_numpy(part.x).to(device), torch.from_numpy(part.y).to(device))


def write_log(out, rows):
    """train_log.csv and train_log.json, both whole, both replaced atomically."""
    with open(os.path.join(out, "train_log.csv.new"), "w", newline="") as f:
        w = csv.DictWriter(f, LOG, lineterminator="\n")
        w.writeheader()
        w.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in r.items()} for r in rows)
    with open(os.path.join(out, "train_log.json.new"), "w") as f:
        json.dump(rows, f, indent=1)
    for name in ("train_log.csv", "train_log.json"):
        os.replace(os.path.join(out, name + ".new"), os.path.join(out, name))


def read_log(out, epochs):
    with open(os.path.join(out, "train_log.json")) as f:
        return json.load(f)[:epochs]


def save(path, state):
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)


def warm_start(net, path, cfg):
    """Takes the weights of another training of the same network; normalization, clips and the classifier's bias of a width it has not come from its
    widest one, clips in the proportion of fresh ones. Returns whether the other one was finished (its statistics are good)."""
    state = torch.load(path, map_location="cpu")
    have, want = state["config"]["network"], cfg["network"]
    for key in ("depth", "nesting"):
        if have[key] != want[key]:
            raise ValueError(f"{path}: a network of {key} {have[key]} cannot start one of {key} {want[key]}")
    if have["norm"] != want["norm"] and have["norm"] != "own":
        raise ValueError(f"{path}: normalization keyed by transitions cannot start one that is not")
    n, pairs = len(have["widths"]), have["norm"] == "transition"
    index = torch.tensor([have["widths"].index(b) if b in have["widths"] else 0 for b in want["widths"]])
    square = (index[:, None] * n + index).flatten() if pairs else index.repeat(len(index))  # rows (before, own)
    tables = square if want["norm"] == "transition" else index
    fresh = {}
    for name, value in state["network"].items():
        if not name.startswith("controller."):
            fresh[name] = value if resnet.shared(name) else value[tables if name in ("gamma", "beta", "mean", "var") else index]
    moved = torch.tensor([0.0 if b in have["widths"] else math.log(resnet.first_clip(b) / resnet.first_clip(have["widths"][0])) for b in want["widths"]])
    fresh["clip"] = fresh["clip"] + moved[:, None]
    net.load_state_dict(fresh)
    return "epoch" not in state


def digest(path):
    """SHA-256 of the file `start` names; None for "none"."""
    if path == "none":
        return None
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def train(cfg, part, out, resume=False, stop_after=None, log=sys.stderr):
    """Trains and returns the network, frozen and with statistics (on the CPU); None if stop_after ended it early."""
    prepare(cfg)
    c, device = cfg["train"], cfg["device"]
    net, started = resnet.build(cfg["network"], torch.Generator().manual_seed(cfg["seed"])), digest(cfg["start"])
    finished = warm_start(net, cfg["start"], cfg) if started else False
    scheme = net.scheme = schemes.find(cfg["scheme"])(net, cfg)
    if scheme.FROZEN and not finished:
        raise ValueError(f"{cfg['start']}: scheme {cfg['scheme']} starts from a finished training (final.pt)")
    net.freeze(scheme.FROZEN)
    scheme.start()
    net = net.to(device)
    net.dtype = DTYPES[c["dtype"]]
    opts = optimizers(net, {**c, "controller_lr": cfg.get("controller", {}).get("lr")})
    scaler = {"dynamic": c["dtype"] == "float16", "scale": 65536.0 if c["dtype"] == "float16" else 1.0, "good": 0}
    start, rows, checkpoint = 0, [], os.path.join(out, "checkpoint.pt")
    if resume and not os.path.exists(checkpoint):
        raise FileNotFoundError(f"{checkpoint}: nothing to resume; run without --resume")
    if resume:
        state = torch.load(checkpoint, map_location=device)
        if state["config"] != cfg:
            raise ValueError(f"{checkpoint}: was made with another configuration; train from the start or give that one")
        if state["start"] != started:
            raise ValueError(f"{checkpoint}: started from another {cfg['start']}; train from the start or give that one")
        net.load_state_dict(state["network"])
        for (opt, _), saved in zip(opts, state["optimizers"]):
            opt.load_state_dict(saved)
        scaler, start, rows = state["scaler"], state["epoch"], read_log(out, state["epoch"])
    data = on_device(part, device)
    step = Replay(lambda *tensors: gradients(net, c["distill"], *tensors), device)
    for epoch in range(start, c["epochs"] if stop_after is None else min(c["epochs"], stop_after)):
        rows = rows + [run_epoch(net, scheme, step, opts, data, cfg, epoch, scaler)]
        write_log(out, rows)  # first: what a checkpoint stands for is always logged
        save(checkpoint, {"config": cfg, "network": net.state_dict(), "optimizers": [o.state_dict() for o, _ in opts], "scaler": scaler,
                          "start": started, "epoch": epoch + 1})
        print("epoch {epoch} lr {lr:.4f} loss {loss:.4f} train accuracy (widest) {train_accuracy:.4f} {seconds:.1f} s".format(**rows[-1]),
              file=log, flush=True)
    if stop_after is not None and stop_after < c["epochs"]:
        return None
    if not scheme.FROZEN:
        calibrate(net, data, cfg)
    return net.to("cpu")


def load(path):
    """(network on the CPU, configuration, epochs trained) of a checkpoint, or of a finished training: then frozen, and epochs None."""
    state = torch.load(path, map_location="cpu")
    net = resnet.build(state["config"]["network"], torch.Generator())
    net.scheme = schemes.find(state["config"]["scheme"])(net, state["config"])
    net.load_state_dict(state["network"])
    net.freeze("epoch" not in state)
    return net, state["config"], state.get("epoch")
