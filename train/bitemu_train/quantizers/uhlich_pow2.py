# SPDX-License-Identifier: Apache-2.0
"""Uhlich et al. (arXiv:1905.11452), power-of-two case, theta = (qmin, qmax):
  Q = sign(x) { qmin for |x| <= qmin; 2^floor(log2|x| + 1/2) up to qmax; qmax beyond }, with a code for 0 taken below qmin / sqrt 2
The code for 0 and where it begins are this file's choice.
  gradient to qmin: sign(x) where Q = +-qmin below qmin, to qmax: sign(x) beyond qmax, to x: 1 up to qmax
Forward, both are powers of two, straight through. The width is stated: qmax <= 2^(2^(b-1) - 2) qmin, what grid pow2 has beside 0."""
import torch
from torch import nn

from . import Codes, Quantizer, half_up, power_of_two

LEAST, MOST = 2.0 ** -16, 127.0


class _Powers(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, qmin, qmax):
        qmin, qmax = power_of_two(qmin), power_of_two(qmax)
        a = x.abs()
        size = power_of_two(torch.minimum(torch.maximum(a, qmin), qmax))
        ctx.save_for_backward(x, qmin, qmax)
        return torch.where(a < qmin * 0.5 ** 0.5, torch.zeros_like(x), torch.sign(x) * size)

    @staticmethod
    def backward(ctx, g):
        x, qmin, qmax = ctx.saved_tensors
        a, s = x.abs(), torch.sign(x)
        low = (a <= qmin) & (a >= qmin * 0.5 ** 0.5)
        return g * (a <= qmax), (g * s * low).sum(), (g * s * (a > qmax)).sum()


class Weights(Quantizer):
    WIDTHS, RATE, SHIFTS = tuple(range(2, 6)), 0.1, True

    def __init__(self, shape, bits):
        super().__init__()
        self.bits, self.span = bits, 2.0 ** min(2 ** (bits - 1) - 2, 20)
        self.qmin, self.qmax = nn.Parameter(torch.tensor(0.1)), nn.Parameter(torch.tensor(1.0))

    @torch.no_grad()
    def start(self, w):
        self.qmax.copy_(power_of_two(w.abs().max().clamp(LEAST, MOST)))
        self.qmin.copy_(self.qmax / self.span)
        self.limit()

    def forward(self, w):
        return _Powers.apply(w, self.qmin, self.qmax)

    def gradients(self):
        for p in (self.qmin, self.qmax):
            if p.grad is not None:
                p.grad.clamp_(-float(self.qmin.detach()), float(self.qmin.detach()))

    @torch.no_grad()
    def limit(self, *w):
        self.qmax.clamp_(LEAST, MOST)
        top = power_of_two(self.qmax)
        self.qmin.copy_(torch.minimum(torch.maximum(self.qmin, top / self.span), top))

    @torch.no_grad()
    def codes(self, w):
        q, low = _Powers.apply(w, self.qmin, self.qmax), power_of_two(self.qmin)
        f = torch.where(q == 0, torch.zeros_like(q), half_up(torch.log2(q.abs().clamp(min=2.0 ** -60) / low)) + 1).long()
        return Codes(f + 2 ** (self.bits - 1) * (q < 0).long(), {"weights": "pow2"}, self.bits, low.view(1).clone())
