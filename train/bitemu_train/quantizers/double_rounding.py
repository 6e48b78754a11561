# SPDX-License-Identifier: Apache-2.0
"""Double Rounding (arXiv:2402.04050): Wh = clip(round(w / s), 8 bits) is stored, Wl = clip(round(Wh / 2^D)), D = 8 - b, value Wl s 2^D.
Ties go to the even code in the second rounding (torch.round): nesting half_even. s is learned, with LSQ's gradient at the step s 2^D:
Wl - w / (s 2^D) inside, times 2^D; -Qn 2^D or Qp 2^D outside; to w: 1 inside."""
import torch
from torch import nn

from . import Codes, Quantizer, half_up


class _Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, s, bits, gain):
        wide = 2.0 ** (8 - bits)
        ctx.low, ctx.high, ctx.wide, ctx.gain = -2 ** (bits - 1), 2 ** (bits - 1) - 1, wide, gain
        narrow = torch.round(half_up((w / s).clamp(-128, 127)) / wide).clamp(ctx.low, ctx.high)
        ctx.save_for_backward(w, s, narrow)
        return narrow * (s * wide)

    @staticmethod
    def backward(ctx, g):
        w, s, narrow = ctx.saved_tensors
        x = w / (s * ctx.wide)
        inside = (x > ctx.low) & (x < ctx.high)
        d_s = torch.where(inside, narrow - x, x.clamp(ctx.low, ctx.high)) * ctx.wide
        return g * inside, (g * d_s).sum() * ctx.gain, None, None


class Weights(Quantizer):
    WIDTHS, RATE = tuple(range(2, 9)), 0.01

    def __init__(self, shape, bits):
        super().__init__()
        self.bits, self.s = bits, nn.Parameter(torch.tensor(1 / 128))

    @torch.no_grad()
    def start(self, w):
        self.s.copy_(2 * w.abs().mean() / (2 ** (self.bits - 1) - 1) ** 0.5 / 2 ** (8 - self.bits) + 1e-8)

    def forward(self, w):
        return _Twice.apply(w, self.s, self.bits, (w.numel() * (2 ** (self.bits - 1) - 1)) ** -0.5)

    @torch.no_grad()
    def limit(self, w):
        self.s.clamp_(min=1e-8)

    @torch.no_grad()
    def codes(self, w):
        master = half_up((w / self.s).clamp(-128, 127)).long()
        return Codes(master, {"weights": "affine"}, self.bits, (self.s * 2.0 ** (8 - self.bits)).view(1), nesting="half_even")
