# SPDX-License-Identifier: Apache-2.0
"""PACT (arXiv:1805.06085): y = (|x| - |x - a| + a) / 2 = clip(x, 0, a), round(y N / a) a / N; a learned, one a layer.
Gradient to a: 1 where x >= a, else 0; to x: 1 inside the clip. The loss has decay * a^2. The paper pairs it with DoReFa's weights."""
import torch
from torch import nn

from . import Quantizer, Steps, half_up

FIRST, DECAY, LEAST = 8.0, 2e-4, 0.05


class _Pact(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, a, n):
        ctx.save_for_backward(x, a)
        step = a / n
        return half_up(torch.minimum(x.clamp(min=0), a) / step) * step

    @staticmethod
    def backward(ctx, g):
        x, a = ctx.saved_tensors
        above = x >= a
        return g * ((x > 0) & ~above), (g * above).sum(), None


class Activations(Quantizer):
    WIDTHS, RATE = tuple(range(1, 9)), 8.0

    def __init__(self, bits):
        super().__init__()
        self.n, self.a = 2 ** bits - 1, nn.Parameter(torch.tensor(FIRST))

    def forward(self, z):
        return _Pact.apply(z, self.a, self.n)

    def penalty(self):
        return DECAY * self.a ** 2

    @torch.no_grad()
    def limit(self):
        self.a.clamp_(min=LEAST)

    def steps(self):
        return Steps(float(self.a.detach().double() / self.n), self.n)
