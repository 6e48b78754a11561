# SPDX-License-Identifier: Apache-2.0
"""LSQ (arXiv:1902.08153, sec. 2): k = round(clip(v / s, -Qn, Qp)), value k s; s learned, one a layer, first 2 mean|v| / sqrt(Qp).
Gradient to s: k - v / s inside, -Qn or Qp outside, times 1 / sqrt(count Qp) (count: weights, or features of one image); to v: 1 inside."""
import torch
from torch import nn

from . import Codes, Quantizer, Steps, half_up


class _Lsq(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v, s, low, high, gain):
        ctx.save_for_backward(v, s)
        ctx.low, ctx.high, ctx.gain = low, high, gain
        return half_up((v / s).clamp(low, high)) * s

    @staticmethod
    def backward(ctx, g):
        v, s = ctx.saved_tensors
        x = v / s
        inside = (x > ctx.low) & (x < ctx.high)
        d_s = torch.where(inside, half_up(x) - x, x.clamp(ctx.low, ctx.high))
        return g * inside, (g * d_s).sum() * ctx.gain, None, None, None


lsq = _Lsq.apply


class _Step(Quantizer):
    RATE = 0.1

    def __init__(self, low, high):
        super().__init__()
        self.low, self.high, self.count, self.s = low, high, 1, nn.Parameter(torch.tensor(1.0))

    @torch.no_grad()
    def first(self, v, count):
        self.s.copy_(2 * v.abs().mean() / self.high ** 0.5 + 1e-6)
        self.count = count

    def forward(self, v):
        return lsq(v, self.s, self.low, self.high, (self.count * self.high) ** -0.5)

    @torch.no_grad()
    def limit(self, *w):
        self.s.clamp_(min=1e-6)


class Weights(_Step):
    WIDTHS = tuple(range(2, 9))

    def __init__(self, shape, bits):
        super().__init__(-2 ** (bits - 1), 2 ** (bits - 1) - 1)
        self.bits = bits

    def start(self, w):
        self.first(w, w.numel())

    @torch.no_grad()
    def codes(self, w):
        return Codes(half_up((w / self.s).clamp(self.low, self.high)).long(), {"weights": "affine"}, self.bits, self.s.view(1).clone())


class Activations(_Step):
    WIDTHS = tuple(range(1, 9))

    def __init__(self, bits):
        super().__init__(0, 2 ** bits - 1)

    def start(self, z):
        self.first(z.clamp(min=0), z[0].numel())

    def steps(self):
        return Steps(float(self.s.detach()), self.high)
