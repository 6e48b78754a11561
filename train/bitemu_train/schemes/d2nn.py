# SPDX-License-Identifier: Apache-2.0
"""D2NN-style block skipping (arXiv:1701.00299): a control node in front of every residual block looks at the codes that enter it and runs the block
or leaves its shortcut alone. The paper trains its nodes by Q-learning; here their hard draws (Gumbel, arXiv:1611.01144) pass straight through, as
DQNet's do. A finished network of this package at one of its widths, behind its exported normalization; trained jointly with the nodes:

  cross entropy of the whole network + cross entropy of the path taken + cost_weight max(0, mean cost - cost_target)

In the exported model a block's choice has two candidates, the width and 0 bits; each node is pool, linear map, argmax in integers."""
import torch
from torch import nn
import torch.nn.functional as F

from .. import cost
from ..controller import Controller, gumbel_decide
from ..data.cifar10 import SIZE
from ..networks import resnet_export
from ..networks.resnet import TOP
from ..quantizers.requant import join, quantize, requant
from . import dqnet


class Scheme(dqnet.Scheme):
    def control(self, cfg):
        net, c = self.net, self.c
        self.width = net.widths.index(cfg["width"])
        rng, nodes, size = torch.Generator().manual_seed(cfg["seed"]), [], SIZE
        for b in net.blocks:
            conv = net.convs[b.conv1]
            nodes.append(Controller((size // (size // c["grid"])) ** 2 * conv.c_in, 1, 2, rng, size // c["grid"], c["hidden"]))
            size //= conv.stride
        for node in nodes:
            with torch.no_grad():
                node.bias[0] = 1.0  # at first most blocks run
        net.controller = nn.ModuleList(nodes)

    def prices(self):
        c = self.c["cost"]
        return cost.shares(self.export(self.net, "network"), c["term"], c["board"])

    def export(self, net, name):
        return resnet_export.skipping(net, name, net.widths[self.width], net.controller)

    def assignments(self, epoch, i, rng):
        return [self.net.uniform(self.width)]

    def noise(self, batch, rng):
        return torch.rand((batch, len(self.net.blocks), 2), generator=rng)

    def own_path(self, x, r, y, tau, noise):
        net = self.net
        p = net.path(x, torch.full((net.n_choices,), self.width, device=x.device))
        steps, spent = net.out.detach().exp() / TOP, 0.0
        for i, b in enumerate(net.blocks):
            run = gumbel_decide(net.controller[i](r.detach().float(), steps[i]), tau, noise[:, i:i + 1])[:, 0, 0]
            u = quantize(net.conv(p, b.conv1, requant(r, p.ratio[i], p.top[2 * i])), p.top[2 * i + 1])
            z = net.conv(p, b.conv2, u) * run.to(u.dtype).view(-1, 1, 1, 1)
            r = join(z, r, p.blend[i], TOP) if b.short is None else join(z, net.conv(p, b.short, r), None, TOP)
            spent = spent + run.mean() * net.price[i, 0]
        return F.cross_entropy(net.head(r, p, p.bias, p.gain), y) + self.c["cost_weight"] * F.relu(spent - self.c["cost_target"])
