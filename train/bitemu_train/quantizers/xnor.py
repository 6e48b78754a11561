# SPDX-License-Identifier: Apache-2.0
"""XNOR-Net (arXiv:1603.05279). Weights: alpha sign(w), alpha = mean|w| of a filter, sign(0) = +1; gradient g (1/n + alpha 1{|w| < 1}) (sec. 3.1),
n weights a filter. As the authors' code does, w is centred over its input channels and clamped to [-1, 1] after each step; the factor
(1 - 1/c) n that it puts on the gradient is left out, Adam takes it away again. Activations: sign(z), gradient 1{|z| < 1}; no input scale K, as in
the released network. A padding tap counts 0."""
import torch

from . import Codes, Quantizer, Steps


def signs(x):
    return torch.where(x >= 0, torch.ones_like(x), -torch.ones_like(x))


class _Filter(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w):
        ctx.save_for_backward(w)
        return signs(w) * w.abs().flatten(1).mean(1).view((-1,) + (1,) * (w.dim() - 1))

    @staticmethod
    def backward(ctx, g):
        w, = ctx.saved_tensors
        alpha = w.abs().flatten(1).mean(1).view((-1,) + (1,) * (w.dim() - 1))
        return g * (1 / w[0].numel() + alpha * (w.abs() < 1))


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return signs(z)

    @staticmethod
    def backward(ctx, g):
        z, = ctx.saved_tensors
        return g * (z.abs() < 1)


class Weights(Quantizer):
    WIDTHS = (1,)

    def __init__(self, shape, bits):
        super().__init__()

    def start(self, w):
        self.limit(w)

    def forward(self, w):
        return _Filter.apply(w)

    @torch.no_grad()
    def limit(self, w):
        w.sub_(w.mean(1, keepdim=True)).clamp_(-1, 1)

    @torch.no_grad()
    def codes(self, w):
        return Codes((w >= 0).long(), {"weights": "binary"}, 1, w.abs().flatten(1).mean(1))


class Activations(Quantizer):
    WIDTHS = (1,)

    def __init__(self, bits):
        super().__init__()

    def forward(self, z):
        return _Sign.apply(z)

    def steps(self):
        return Steps(1.0, 1, True)
