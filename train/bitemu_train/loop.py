# SPDX-License-Identifier: Apache-2.0
"""Training in two parts.

joint       every batch at each uniform width and at one random width per layer; gradients add up, one step (arXiv:1912.09666,
            random mixes as in Bit-Mixer). The widest teaches the others (arXiv:1911.07346).
controller  normalization frozen as it will be exported; the same paths, mixes now drawn per image, and the controller's own path:
            cross entropy + weight * max(0, mean BitOps - target) (the form of DQNet's loss, with MACs counted).

An epoch's randomness is drawn from (seed, epoch) alone, and a checkpoint holds weights and optimizer: resuming at any epoch gives
the bits of an uninterrupted run on the same PyTorch, machine type and one thread."""
import csv
import math
import os
import sys

import torch
import torch.nn.functional as F

from .data import digits as data
from .controller import argmax_decide, gumbel_decide, one_hot
from .network import Network, SwitchNorm

LOG = ["epoch", "part", "lr", "tau", "loss", "train_controller_accuracy", "train_controller_cost"]
CALIBRATION_PASSES = 6


def epoch_rng(seed, epoch):
    return torch.Generator().manual_seed(seed * 100003 + epoch)


def prepare(seed):
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)


def groups(net, lr):
    """Clips and the controller have their own rates: few parameters, long paths."""
    ids = {id(p) for p in net.controller.parameters()}
    control = list(net.controller.parameters())
    return [{"params": [p for p in net.parameters() if id(p) not in ids], "lr": lr}, {"params": control, "lr": lr}]


def cosine(lr, done):
    return lr * (0.5 + 0.5 * math.cos(math.pi * done))


def random_mix(net, rng):
    return torch.randint(len(net.widths), (len(net.convs),), generator=rng).tolist()


def random_decisions(net, n, rng):
    return one_hot(torch.randint(len(net.widths), (n, len(net.convs)), generator=rng), len(net.widths))


def task_loss(logits, y, teacher, cfg):
    loss = F.cross_entropy(logits, y, label_smoothing=cfg["label_smoothing"])
    if teacher is None or cfg["distill"] == 0:
        return loss
    soft = -(teacher * F.log_softmax(logits, 1)).sum(1).mean()
    return (1 - cfg["distill"]) * loss + cfg["distill"] * soft


def shared_losses(net, early, y, mixes, cfg):
    """Loss of every uniform width, widest first, and of the given mixes; and the teacher."""
    top = len(net.widths) - 1
    logits = net.late(early, [top] * len(net.convs))
    teacher = torch.softmax(logits.detach(), 1)
    loss = task_loss(logits, y, None, cfg)
    for mix in [[k] * len(net.convs) for k in range(top)] + mixes:
        loss = loss + task_loss(net.late(early, mix), y, teacher, cfg)
    return loss, teacher


def batches(part, cfg, batch, rng):
    x, y = data.codes(part.x), torch.from_numpy(part.y)
    order = torch.randperm(len(y), generator=rng)
    for at in range(0, len(y) - batch // 2, batch):
        ix = order[at:at + batch]
        yield data.augment(x[ix], cfg["data"], rng), y[ix]


@torch.no_grad()
def calibrate(net, part, cfg, rng):
    """Running statistics as plain means over random widths: what frozen normalization starts from."""
    norms = [m for m in net.modules() if isinstance(m, SwitchNorm)]
    seen = {}
    for m in norms:
        m.frozen, m.momentum = False, 0.0
    for _ in range(CALIBRATION_PASSES):
        for x, _ in batches(part, cfg, cfg["joint"]["batch"], rng):
            mix = random_mix(net, rng)
            for m, k in zip(norms[2:], mix):
                seen[m, k] = seen.get((m, k), 0) + 1
                m.momentum = 1 / seen[m, k]
            for m in norms[:2]:
                seen[m] = seen.get(m, 0) + 1
                m.momentum = 1 / seen[m]
            net.late(net.early(x), mix)


def joint_epoch(net, opt, part, cfg, epoch, rng):
    c, total, n = cfg["joint"], 0.0, 0
    per_epoch = max(1, (len(part.y) + c["batch"] // 2) // c["batch"])
    for i, (x, y) in enumerate(batches(part, cfg, c["batch"], rng)):
        lr = cosine(c["lr"], (epoch + i / per_epoch) / c["epochs"])
        opt.param_groups[0]["lr"] = lr
        loss, _ = shared_losses(net, net.early(x), y, [random_mix(net, rng)], c)
        opt.zero_grad()
        loss.backward()
        opt.step()
        net.constrain()
        total, n = total + loss.item() * len(y), n + len(y)
    return {"part": "joint", "lr": opt.param_groups[0]["lr"], "tau": "", "loss": total / n}


def controller_epoch(net, opt, part, cfg, epoch, rng):
    c, total, n, right, cost_sum = cfg["controller"], 0.0, 0, 0, 0.0
    first, last = c["tau"]
    done = epoch / c["epochs"]
    tau = first * (last / first) ** done
    per_epoch = max(1, (len(part.y) + cfg["joint"]["batch"] // 2) // cfg["joint"]["batch"])
    for i, (x, y) in enumerate(batches(part, cfg, cfg["joint"]["batch"], rng)):
        lr = cosine(c["lr"], (epoch + i / per_epoch) / c["epochs"])
        for g in opt.param_groups:
            g["lr"] = lr
        early = net.early(x)
        loss, _ = shared_losses(net, early, y, [random_decisions(net, len(y), rng)], cfg["joint"])
        # The controller reads the features but does not bend them, and learns from true labels alone.
        logits = net.decide((early[0].detach(), early[1].detach()))
        decisions = gumbel_decide(logits, tau, torch.rand(logits.shape, generator=rng))
        cost = net.cost(decisions)
        logits = net.late(early, decisions)
        loss = loss + F.cross_entropy(logits, y) + c["cost_weight"] * F.relu(cost.mean() - c["cost_target"])
        opt.zero_grad()
        loss.backward()
        opt.step()
        net.constrain()
        total, n = total + loss.item() * len(y), n + len(y)
        right += (logits.argmax(1) == y).sum().item()
        cost_sum += cost.sum().item()
    return {"part": "controller", "lr": opt.param_groups[0]["lr"], "tau": tau, "loss": total / n,
            "train_controller_accuracy": right / n, "train_controller_cost": cost_sum / n}


@torch.no_grad()
def evaluate(net, part, policy):
    """(accuracy, mean cost) of frozen normalization in float: progress only; reported figures come from the integers."""
    x, y = data.codes(part.x), torch.from_numpy(part.y)
    early = net.early(x)
    decisions = argmax_decide(net.decide(early)) if policy == "controller" else one_hot(
        torch.full((len(y), len(net.convs)), policy), len(net.widths))
    return (net.late(early, decisions).argmax(1) == y).float().mean().item(), net.cost(decisions).mean().item()


def _log_rows(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def _write_log(path, rows):
    with open(path, "w", newline="") as f:
        w = csv.DictWriter(f, LOG, lineterminator="\n", restval="")
        w.writeheader()
        w.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in r.items()} for r in rows)


def train(cfg, part, out, resume=False, stop_after=None, log=sys.stderr, watch=None):
    """Trains and returns the network; out/train_log.csv and out/checkpoint.pt after every epoch. stop_after: end early, to be
    resumed. watch: a Part whose accuracy is shown while tuning."""
    prepare(cfg["seed"])
    net = Network(cfg["network"], torch.Generator().manual_seed(cfg["seed"]))
    joint, total = cfg["joint"]["epochs"], cfg["joint"]["epochs"] + cfg["controller"]["epochs"]
    opt = torch.optim.Adam(groups(net, cfg["joint"]["lr"]))
    start, rows = 0, []
    checkpoint, log_path = os.path.join(out, "checkpoint.pt"), os.path.join(out, "train_log.csv")
    if resume:
        if not os.path.exists(checkpoint):
            raise FileNotFoundError(f"{checkpoint}: nothing to resume; run without --resume")
        state = torch.load(checkpoint, map_location="cpu")
        if state["config"] != cfg:
            raise ValueError(f"{checkpoint}: was made with another configuration; train from the start or give that one")
        net.load_state_dict(state["network"])
        start, rows = state["epoch"], _log_rows(log_path)[:state["epoch"]]
        if start > joint:
            opt = torch.optim.Adam(groups(net, cfg["controller"]["lr"]))
        opt.load_state_dict(state["optimizer"])
        net.freeze(start >= joint)
    for epoch in range(start, total if stop_after is None else min(total, stop_after)):
        rng = epoch_rng(cfg["seed"], epoch)
        if epoch == joint:
            calibrate(net, part, cfg, rng)
            opt = torch.optim.Adam(groups(net, cfg["controller"]["lr"]))
            net.freeze()
        row = joint_epoch(net, opt, part, cfg, epoch, rng) if epoch < joint else controller_epoch(net, opt, part, cfg, epoch - joint, rng)
        rows.append({"epoch": epoch, **row})
        _write_log(log_path, rows)
        torch.save({"config": cfg, "network": net.state_dict(), "optimizer": opt.state_dict(), "epoch": epoch + 1}, checkpoint + ".new")
        os.replace(checkpoint + ".new", checkpoint)
        text = f"epoch {epoch} {row['part']} loss {row['loss']:.4f}"
        if "train_controller_cost" in row:
            text += f" controller: accuracy {row['train_controller_accuracy']:.4f} BitOps {row['train_controller_cost']:.3f} of 8-bit"
        if watch is not None and (epoch % 10 == 9 or epoch == total - 1):
            frozen = epoch >= joint
            net.freeze()
            text += " | watch " + " ".join(f"{p}:{evaluate(net, watch, k)[0]:.4f}" for k, p in enumerate(net.widths))
            if frozen:
                text += " controller:%.4f@%.3f" % evaluate(net, watch, "controller")
            net.freeze(frozen)
        print(text, file=log, flush=True)
    net.freeze()
    return net
