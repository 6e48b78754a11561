# SPDX-License-Identifier: Apache-2.0
"""Trained ternary quantization (arXiv:1612.01064): t = 0.05 max|w| of the layer; +Wp above t, -Wn below -t, else 0; Wp, Wn > 0 learned, first 1.
Gradient to Wp: sum of g over the +1, to Wn: minus that over the -1; to w: Wp g, g, Wn g above, between, below. (The released code
passes g alone.) Grid ternary2: an accumulator for each sign, two multipliers, one rounding."""
import torch
from torch import nn

from . import Codes, Quantizer

THRESHOLD, LEAST = 0.05, 1e-3


def ternary(w):
    t = THRESHOLD * w.abs().max()
    return (w > t).to(w.dtype) - (w < -t).to(w.dtype)


class _Ternary(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, p, n):
        q = ternary(w)
        ctx.save_for_backward(q, p, n)
        return torch.where(q > 0, p, torch.where(q < 0, -n, torch.zeros_like(p)))

    @staticmethod
    def backward(ctx, g):
        q, p, n = ctx.saved_tensors
        slope = torch.where(q > 0, p, torch.where(q < 0, n, torch.ones_like(p)))
        return g * slope, (g * (q > 0)).sum(), -(g * (q < 0)).sum()


class Weights(Quantizer):
    WIDTHS = (2,)

    def __init__(self, shape, bits):
        super().__init__()
        self.p, self.n = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(1.0))

    def forward(self, w):
        return _Ternary.apply(w, self.p, self.n)

    @torch.no_grad()
    def limit(self, w):
        self.p.clamp_(min=LEAST)
        self.n.clamp_(min=LEAST)

    @torch.no_grad()
    def codes(self, w):
        return Codes(ternary(w).long(), {"weights": "ternary2"}, 2, self.p.view(1).clone(), self.n.view(1).clone())
