# SPDX-License-Identifier: Apache-2.0
"""Joint training of all widths (AdaBits, arXiv:1912.09666): for every batch each width's loss, gradients added up, one step. Normalization
and clips are per width, weights are shared. With `distill` d > 0 a narrower width's loss is (1 - d) cross entropy with the label + d cross
entropy with the widest one's answer (arXiv:1911.07346). With `draw` d a step takes the widest and d - 1 of the others, in turn: more steps for the
same time.

Weights: SGD with Nesterov momentum, weight decay on convolutions and classifier. Clips: Adam on their logarithms (a clip's gradient sums
over a whole tensor, its scale fits no common rate). Both follow one warm-up and cosine.

An epoch's randomness is drawn from (seed, epoch) alone; a checkpoint holds weights and optimizers and is replaced atomically: killed at any
moment, a training resumes with the bits of an undisturbed one on the same PyTorch, machine type and number of threads. After the last epoch
`calibrate` takes the normalization statistics anew, in float32, where codes and accumulators are exact; no test image is seen before the
report."""
import csv
import hashlib
import json
import math
import os
import sys
import time

import torch
import torch.nn.functional as F

from ..data import cifar10
from ..networks import resnet

LOG = ["epoch", "lr", "loss", "train_accuracy", "seconds"]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Diverged(ValueError):
    pass


def prepare(cfg):
    torch.set_num_threads(cfg["threads"])
    torch.use_deterministic_algorithms(True)
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
    clips, decayed, rest = [], [], []
    for name, p in net.named_parameters():
        (clips if name.endswith(".log") else decayed if name.endswith("weight") or name == "head" else rest).append(p)
    sgd = torch.optim.SGD([{"params": decayed, "weight_decay": c["weight_decay"]}, {"params": rest, "weight_decay": 0.0}],
                          lr=c["lr"], momentum=0.9, nesterov=True)
    return sgd, torch.optim.Adam(clips, lr=c["clip_lr"])


def batches(part, batch, rng):
    order = torch.randperm(len(part.y), generator=rng)
    for at in range(0, len(order) - batch + 1, batch):
        ix = order[at:at + batch].to(part.x.device)
        yield cifar10.codes(cifar10.augment(part.x[ix], rng)), part.y[ix]


def turn(n, draw, i):
    """Widths (indices, widest first) of step i: the widest and the next draw - 1 of the others."""
    return [0] + sorted((i * (draw - 1) + j) % (n - 1) + 1 for j in range(draw - 1))


def step(net, x, y, c, chosen, scale=1.0):
    """Gradients of the chosen widths (the widest first), times scale; returns (mean loss, right answers of the widest)."""
    early = net.early(x)
    r = early.detach().requires_grad_()  # the stem runs once
    total, right, teacher, n = 0.0, 0, None, len(chosen)
    for k in chosen:
        logits = net.late(r, [k] * net.n_choices)
        loss = F.cross_entropy(logits, y)
        if k == 0:
            teacher = torch.softmax(logits.detach(), 1)
            right = (logits.argmax(1) == y).sum().item()
        elif c["distill"]:
            loss = (1 - c["distill"]) * loss - c["distill"] * (teacher * F.log_softmax(logits, 1)).sum(1).mean()
        (loss * (scale / n)).backward()
        total += loss.item() / n
    early.backward(r.grad)
    return total, right


def unscale(net, scale):
    """Divides gradients by the loss scale; False if one is not finite."""
    grads = [p.grad for p in net.parameters() if p.grad is not None]
    for g in grads:
        g.div_(scale)
    return all(bool(torch.isfinite(g).all()) for g in grads)


def run_epoch(net, opts, part, cfg, epoch, scaler):
    c, start, rng = cfg["train"], time.time(), epoch_rng(cfg["seed"], epoch)
    peaks, total, right, n = (c["lr"], c["clip_lr"]), 0.0, 0, 0
    per_epoch = len(part.y) // c["batch"]
    for i, (x, y) in enumerate(batches(part, c["batch"], rng)):
        share = rate(c, epoch + i / per_epoch)
        for opt, peak in zip(opts, peaks):
            opt.zero_grad()
            for g in opt.param_groups:
                g["lr"] = peak * share
        loss, hit = step(net, x, y, c, turn(len(net.widths), c["draw"], i), scaler["scale"])
        if not math.isfinite(loss):
            raise Diverged(f"epoch {epoch}, step {i}: the loss is {loss}; the last good checkpoint is kept")
        if scaler["dynamic"]:  # arXiv:1710.03740: half on overflow, twice after 2000 good steps
            if not unscale(net, scaler["scale"]):
                scaler["scale"], scaler["good"] = scaler["scale"] / 2, 0
                continue
            scaler["good"] += 1
            if scaler["good"] == 2000:
                scaler["scale"], scaler["good"] = scaler["scale"] * 2, 0
        for opt in opts:
            opt.step()
        net.constrain()
        total, right, n = total + loss * len(y), right + hit, n + len(y)
    return {"epoch": epoch, "lr": opts[0].param_groups[0]["lr"], "loss": total / max(n, 1), "train_accuracy": right / max(n, 1),
            "seconds": round(time.time() - start, 1)}


@torch.no_grad()
def calibrate(net, part, cfg):
    """Statistics of every width as plain means over batches of training images, in float32 on exact codes; then frozen."""
    net.dtype = torch.float32
    net.freeze(False)
    for i, (x, _) in enumerate(batches(part, min(500, len(part.y)), epoch_rng(cfg["seed"], 10 ** 6))):
        if i == cfg["train"]["calibration"]:
            break
        for m in net.norms():
            m.momentum = 1 / (i + 1)
        r = net.early(x)
        for k in range(len(net.widths)):
            net.late(r, [k] * net.n_choices)
    net.freeze()


@torch.no_grad()
def accuracy(net, part, k, batch=500):
    right = 0
    for at in range(0, len(part.y), batch):
        right += (net(cifar10.codes(part.x[at:at + batch]), [k] * net.n_choices).argmax(1) == part.y[at:at + batch]).sum().item()
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
    widest one, clips in the proportion of fresh ones."""
    state = torch.load(path, map_location="cpu")
    have, want = state["config"]["network"], cfg["network"]
    for key in ("depth", "nesting"):
        if have[key] != want[key]:
            raise ValueError(f"{path}: a network of {key} {have[key]} cannot start one of {key} {want[key]}")
    index = torch.tensor([have["widths"].index(b) if b in have["widths"] else 0 for b in want["widths"]])
    fresh = {name: value if resnet.shared(name) else value[index] for name, value in state["network"].items()}
    moved = torch.tensor([0.0 if b in have["widths"] else math.log(resnet.first_clip(b) / resnet.first_clip(have["widths"][0])) for b in want["widths"]])
    for name in fresh:
        if name.endswith(".log") and not resnet.shared(name):
            fresh[name] = fresh[name] + moved
    net.load_state_dict(fresh)


def digest(path):
    """SHA-256 of the file `start` names; None for "none"."""
    if path == "none":
        return None
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def train(cfg, part, out, resume=False, stop_after=None, log=sys.stderr):
    """Trains and returns the network, calibrated and frozen (on the CPU); None if stop_after ended it early."""
    prepare(cfg)
    c, device = cfg["train"], cfg["device"]
    net, started = resnet.build(cfg["network"], torch.Generator().manual_seed(cfg["seed"])), digest(cfg["start"])
    if started and not resume:
        warm_start(net, cfg["start"], cfg)
    net = net.to(device=device, memory_format=torch.channels_last)
    net.dtype = DTYPES[c["dtype"]]
    opts = optimizers(net, c)
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
        for opt, saved in zip(opts, state["optimizers"]):
            opt.load_state_dict(saved)
        scaler, start, rows = state["scaler"], state["epoch"], read_log(out, state["epoch"])
    data = on_device(part, device)
    for epoch in range(start, c["epochs"] if stop_after is None else min(c["epochs"], stop_after)):
        rows = rows + [run_epoch(net, opts, data, cfg, epoch, scaler)]
        write_log(out, rows)  # first: what a checkpoint stands for is always logged
        save(checkpoint, {"config": cfg, "network": net.state_dict(), "optimizers": [o.state_dict() for o in opts], "scaler": scaler,
                          "start": started, "epoch": epoch + 1})
        print("epoch {epoch} lr {lr:.4f} loss {loss:.4f} train accuracy (widest) {train_accuracy:.4f} {seconds:.0f} s".format(**rows[-1]),
              file=log, flush=True)
    if stop_after is not None and stop_after < c["epochs"]:
        return None
    calibrate(net, data, cfg)
    return net.to("cpu")


def load(path):
    """(network on the CPU, configuration, epochs trained) of a checkpoint, or of a finished training: then frozen, and epochs None."""
    state = torch.load(path, map_location="cpu")
    net = resnet.build(state["config"]["network"], torch.Generator())
    net.load_state_dict(state["network"])
    net.freeze("epoch" not in state)
    return net, state["config"], state.get("epoch")
