# SPDX-License-Identifier: Apache-2.0
"""An input-aware version of a finished any-precision network (training.py): a linear controller on the pooled codes of the stem picks
one of the network's widths for each image; all choices follow it. After DQNet's gate (its gate chooses per layer), but
the network stays as it is and the number of answers is small, so the expected loss is summed, not sampled:

  loss = sum over widths k of p_k(x) (cross entropy of width k on x + lambda price_k),   p = softmax of the controller

over augmented training images; price_k: the cost of width k (cost.py) over the dearest. lambda is searched (bisection) so that the decisions, argmax without noise, cost at most `budget` of the
dearest one's cost on the training images. The controller is integers from the stem on: pool, int8 weights, int32 logits, argmax."""
import numpy as np
import torch
import torch.nn.functional as F

from .. import cost
from ..controller import Controller
from ..data import cifar10
from ..networks.resnet import STACKS, TOP
from ..networks.resnet_export import graph
from ..training import batches, epoch_rng

ROUNDS = 9  # of the search for lambda


@torch.no_grad()
def gather(net, part, gate, passes, seed):
    """Pooled stem codes [n, features] and every width's cross entropy [n, widths] over augmented training images."""
    features, losses, x0 = [], [], net.normalized()
    paths = [net.path(x0, net.uniform(k)) for k in range(len(net.widths))]
    for i in range(passes):
        for x, y in batches(part, min(500, len(part.y)), epoch_rng(seed, 10 ** 7 + i)):
            r = net.early(x, paths[0])
            features.append(gate.inputs(r))
            losses.append(torch.stack([F.cross_entropy(net.late(r, p), y, reduction="none") for p in paths], 1))
    return torch.cat(features), torch.cat(losses)


def fit(gate, features, losses, price, weight, cfg, input_step):
    """Trains the gate's parameters for one lambda. The integer controller is simulated exactly; its gradients pass straight through."""
    opt = torch.optim.Adam(gate.parameters(), lr=cfg["lr"], weight_decay=cfg["decay"])
    target = losses + weight * price
    for _ in range(cfg["steps"]):
        opt.zero_grad()
        p = torch.softmax(gate.logits(features, input_step)[:, 0], 1)
        (p * target).sum(1).mean().backward()
        opt.step()


def train(net, part, cfg, log=print):
    """Returns the gate. net: frozen, on the CPU; part: training images as tensors."""
    torch.set_num_threads(cfg["threads"])
    torch.use_deterministic_algorithms(True)
    n, side = len(net.widths), cifar10.SIZE // cfg["pool"]
    price = cost.shares(graph(net, "network"), cfg["cost"]["term"], cfg["cost"]["board"]).sum(0)
    input_step = torch.tensor(float(net.out[0].exp()) / TOP)

    def fresh():
        return Controller(side * side * STACKS[0], 1, n, torch.Generator().manual_seed(cfg["seed"]), cfg["pool"])
    features, losses = gather(net, part, fresh(), cfg["passes"], cfg["seed"])
    low, high, best = 0.0, 4.0, None
    for _ in range(ROUNDS):
        weight = (low + high) / 2
        gate = fresh()
        fit(gate, features, losses, price, weight, cfg, input_step)
        with torch.no_grad():
            chosen = gate.logits(features, input_step)[:, 0].argmax(1)
        spent, loss = price[chosen].mean().item(), losses[torch.arange(len(chosen)), chosen].mean().item()
        log(f"lambda {weight:.4f}: {100 * spent:.2f} % of the dearest one's cost, loss {loss:.4f}, widths {np.bincount(chosen, minlength=n) / len(chosen)}")
        if spent <= cfg["budget"]:
            high, best = weight, gate
        else:
            low = weight
    if best is None:
        raise ValueError(f"no lambda up to {high} brings the cost down to {cfg['budget']}")
    return best
