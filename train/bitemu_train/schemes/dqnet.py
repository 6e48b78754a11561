# SPDX-License-Identifier: Apache-2.0
"""DQNet: a controller behind the stem chooses each layer's width for each image. It is trained jointly with a finished any-precision network,
behind that network's exported normalization: next to the uniform widths (in turn, as AdaBits has them) a step has the controller's own path

  cross entropy + cost_weight max(0, mean cost - cost_target)

whose decisions are hard draws (Gumbel, arXiv:1611.01144), straight through, tau falling from the first to the last value. The cost is that of
`cost: {term, board}` (cost.py) over the widest candidates'. The controller reads the stem's codes but does not bend them; at inference its decisions are the argmax."""
import torch
import torch.nn.functional as F

from .. import cost
from ..controller import Controller, gumbel_decide
from ..data.cifar10 import SIZE
from ..networks.resnet import STACKS, TOP
from ..networks.resnet_export import graph
from .adabits import turn


class Scheme:
    FROZEN = True

    def __init__(self, net, cfg):
        self.net, self.c, self.epochs, self.draw, self.n = net, cfg["controller"], cfg["train"]["epochs"], cfg["train"]["draw"], len(net.widths)
        self.control(cfg)
        net.register_buffer("price", None, False)
        net.own_path = self.own_path

    def control(self, cfg):
        features = (SIZE // self.c["pool"]) ** 2 * STACKS[0]
        self.net.controller = Controller(features, self.net.n_choices, self.n, torch.Generator().manual_seed(cfg["seed"]), self.c["pool"], self.c["hidden"])

    def prices(self):
        c = self.c["cost"]
        return cost.shares(self.export(self.net, "network"), c["term"], c["board"])

    def start(self):
        """When the weights are there."""
        self.net.price = self.prices()

    def export(self, net, name):
        return graph(net, name, net.controller)

    def assignments(self, epoch, i, rng):
        return [self.net.uniform(k) for k in turn(self.n, self.draw, i)]

    def noise(self, batch, rng):
        return torch.rand((batch, self.net.n_choices, self.n), generator=rng)

    def more(self, done, batch, device, rng):
        first, last = self.c["tau"]
        tau = first * (last / first) ** (done / self.epochs)
        return torch.tensor(tau).to(device), self.noise(batch, rng).to(device)

    def own_path(self, x, r, y, tau, noise):
        net = self.net
        logits = net.controller(r.detach().float(), net.out[0].detach().exp() / TOP)
        decisions = gumbel_decide(logits, tau, noise)
        paths = [net.path(x, torch.full((net.n_choices,), k, device=x.device), mixed=True) for k in range(self.n)]
        spent = (decisions * net.price).sum((1, 2)).mean()
        return F.cross_entropy(net.blended(r, paths, decisions), y) + self.c["cost_weight"] * F.relu(spent - self.c["cost_target"])
