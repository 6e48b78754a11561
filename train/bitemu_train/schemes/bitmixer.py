# SPDX-License-Identifier: Apache-2.0
"""Bit-Mixer (arXiv:2103.17267): a width for every layer, any mixture of them good. Three stages, each from the weights of the one before:

  1  the widest alone                  2  one width for all layers, drawn for each path of a step          3  a width for each layer

`stages: [a, b]`: the epochs at which 2 and 3 begin. The widest is always the first path of a step and teaches the draw - 1 others. The
normalization is keyed by the transition (candidate in front, own candidate): `norm: transition`, tables of integers in the exported model."""
import torch

from . import adabits

MIXES = 8  # of a batch of the final statistics, so that every transition is seen


class Scheme(adabits.Scheme):
    def __init__(self, net, cfg):
        super().__init__(net, cfg)
        self.stages = cfg["stages"]

    def mix(self, rng):
        return torch.randint(self.n, (self.net.n_choices,), generator=rng).tolist()

    def assignments(self, epoch, i, rng):
        top = self.net.uniform(0)
        if epoch < self.stages[0]:
            return [top]
        if epoch < self.stages[1]:
            return [top] + [self.net.uniform(int(torch.randint(self.n, (1,), generator=rng))) for _ in range(self.draw - 1)]
        return [top] + [self.mix(rng) for _ in range(self.draw - 1)]

    def calibration(self, i, rng):
        return [self.net.uniform(k) for k in range(self.n)] + [self.mix(rng) for _ in range(MIXES)]
