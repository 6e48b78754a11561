# SPDX-License-Identifier: Apache-2.0
"""Uhlich et al., "Mixed Precision DNNs" (arXiv:1905.11452), uniform case, theta = (d, qmax):
  Q = sign(x) d floor(|x| / d + 1/2) for |x| <= qmax, else sign(x) qmax;   rectified: 0 below 0
  gradient to d: (Q - x) / d inside, 0 outside; to qmax: 0 inside, sign(x) outside; to x: 1 inside; |gradients of d and qmax| <= d
Forward, d is the nearest power of two in [2^-8, 1] and qmax the nearest multiple of it, both straight through. The width is stated, not
bought by a penalty: after each step qmax is kept at (2^(b-1) - 1) d (rectified: (2^b - 1) d) or less. Every requantization is a shift."""
import torch
from torch import nn

from . import Codes, Quantizer, Steps, half_up, power_of_two

LEAST, MOST = 2.0 ** -8, 1.0


def forward_pair(d, qmax):
    """(d, qmax) as the forward pass has them."""
    d = power_of_two(d.clamp(LEAST, MOST))
    return d, half_up(qmax / d).clamp(min=1) * d


class _Uniform(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, d, qmax, rectified):
        d, qmax = forward_pair(d, qmax)
        size = torch.where(x.abs() <= qmax, d * half_up(x.abs() / d), qmax)
        q = torch.where(x > 0, size, torch.zeros_like(x) if rectified else torch.sign(x) * size)
        ctx.save_for_backward(x, q, d, qmax)
        ctx.rectified = rectified
        return q

    @staticmethod
    def backward(ctx, g):
        x, q, d, qmax = ctx.saved_tensors
        out = x.abs() > qmax
        if ctx.rectified:
            g = g * (x > 0)
        return g * ~out, (g * (q - x) / d * ~out).sum(), (g * torch.sign(x) * out).sum(), None


class _Pair(Quantizer):
    RATE, SHIFTS, RECTIFIED = 0.1, True, False

    def __init__(self, top):
        super().__init__()
        self.top, self.d, self.qmax = top, nn.Parameter(torch.tensor(2.0 ** -4)), nn.Parameter(torch.tensor(1.0))

    @torch.no_grad()
    def start(self, x):
        high = x.abs().max() if not self.RECTIFIED else x.max().clamp(min=LEAST)
        self.d.copy_(power_of_two((high / self.top).clamp(LEAST, MOST)))
        self.qmax.copy_(high)
        self.limit()

    def forward(self, x):
        return _Uniform.apply(x, self.d, self.qmax, self.RECTIFIED)

    def gradients(self):
        for p in (self.d, self.qmax):
            if p.grad is not None:
                p.grad.copy_(torch.maximum(torch.minimum(p.grad, self.d.detach()), -self.d.detach()))

    @torch.no_grad()
    def limit(self, *w):
        self.d.clamp_(LEAST, MOST)
        d = power_of_two(self.d)
        self.qmax.copy_(torch.minimum(torch.maximum(self.qmax, d), self.top * d))

    def integers(self):
        d, qmax = forward_pair(self.d.detach(), self.qmax.detach())
        return d, int(half_up(qmax / d))


class Weights(_Pair):
    WIDTHS = tuple(range(2, 9))

    def __init__(self, shape, bits):
        super().__init__(2 ** (bits - 1) - 1)
        self.bits = bits

    @torch.no_grad()
    def codes(self, w):
        d, top = self.integers()
        return Codes((torch.sign(w) * half_up(w.abs() / d).clamp(max=top)).long(), {"weights": "affine"}, self.bits, d.view(1).clone())


class Activations(_Pair):
    WIDTHS, RECTIFIED = tuple(range(1, 9)), True

    def __init__(self, bits):
        super().__init__(2 ** bits - 1)

    def steps(self):
        d, top = self.integers()
        return Steps(float(d), top)
