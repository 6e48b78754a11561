# SPDX-License-Identifier: Apache-2.0
"""Joint training of all widths (AdaBits, arXiv:1912.09666): every batch at each width, normalization and clips per width. With `draw` d a step
takes the widest and d - 1 of the others, in turn: more steps for the same time."""

from ..networks.resnet_export import graph


def turn(n, draw, i):
    """Widths (indices, widest first) of step i: the widest and the next draw - 1 of the others."""
    return [0] + sorted((i * (draw - 1) + j) % (n - 1) + 1 for j in range(draw - 1))


class Scheme:
    FROZEN = False

    def __init__(self, net, cfg):
        self.net, self.draw, self.n = net, cfg["train"]["draw"], len(net.widths)

    def start(self):
        pass

    def export(self, net, name):
        return graph(net, name)

    def assignments(self, epoch, i, rng):
        return [self.net.uniform(k) for k in turn(self.n, self.draw, i)]

    def calibration(self, i, rng):
        return [self.net.uniform(k) for k in range(self.n)]

    def more(self, done, batch, device, rng):
        return ()
