# SPDX-License-Identifier: Apache-2.0
"""DoReFa-Net (arXiv:1606.06160), N = 2^b - 1.
  weights      b = 1: sign(w) E, E = mean|w| of the tensor, gradient 1;   b > 1: t = tanh(w), 2 round(N (t / (2 max|t|) + 1/2)) / N - 1,
               gradient of t / max|t|, the rounding passed straight through. Odd grid: (2 q - N) / N.
  activations  round(N clip(x, 0, 1)) / N, gradient 1 inside the clip
  gradients    m = max|g| of a sample: 2 m (round(N clip(g / (2 m) + 1/2 + u, 0, 1)) / N - 1/2), u uniform in +-1/(2 N)"""
import torch
from torch import nn

from . import Codes, Quantizer, Steps, half_up


class _Tanh(torch.autograd.Function):
    """t / max|t|, t = tanh(w). With e = 1 - t^2 and M the place of the largest: d/dw_i = g_i e_i / m - [i = M] sign(t_M) e_M / m^2 sum g t."""
    @staticmethod
    def forward(ctx, w):
        t = torch.tanh(w)
        place = t.abs().argmax()
        ctx.save_for_backward(t, place)
        return t / t.flatten()[place].abs()

    @staticmethod
    def backward(ctx, g):
        t, place = ctx.saved_tensors
        top = t.flatten()[place]
        e = 1 - t * t
        out = g * e / top.abs()
        out.view(-1)[place] -= torch.sign(top) * e.view(-1)[place] / top ** 2 * (g * t).sum()
        return out


class _Straight(torch.autograd.Function):
    """`to`, gradient 1 to x."""
    @staticmethod
    def forward(ctx, x, to):
        return to.clone()

    @staticmethod
    def backward(ctx, g):
        return g, None


tanh_unit, straight = _Tanh.apply, _Straight.apply


class Weights(Quantizer):
    WIDTHS = tuple(range(1, 9))

    def __init__(self, shape, bits):
        super().__init__()
        self.bits, self.n = bits, 2 ** bits - 1

    def _codes(self, x):
        return half_up(((x + 1) / 2).clamp(0, 1) * self.n)

    def forward(self, w):
        if self.bits == 1:
            return straight(w, torch.where(w >= 0, 1.0, -1.0) * w.detach().abs().mean())
        x = tanh_unit(w)
        return straight(x, (2 * self._codes(x.detach()) - self.n) / self.n)

    @torch.no_grad()
    def codes(self, w):
        if self.bits == 1:
            return Codes((w >= 0).long(), {"weights": "binary"}, 1, w.abs().mean().view(1))
        return Codes(self._codes(tanh_unit(w)).long(), {"weights": "odd"}, self.bits, torch.ones(1) / self.n)


class _Clip(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, n):
        ctx.save_for_backward(x)
        return half_up(x.clamp(0, 1) * n) / n

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return g * ((x >= 0) & (x <= 1)), None


class Activations(Quantizer):
    WIDTHS = tuple(range(1, 9))

    def __init__(self, bits):
        super().__init__()
        self.n = 2 ** bits - 1

    def forward(self, z):
        return _Clip.apply(z, self.n)

    def steps(self):
        return Steps(1 / self.n, self.n)


class _Gradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, n, rng):
        ctx.n, ctx.rng = n, rng
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        top = g.abs().flatten(1).amax(1).clamp(min=1e-30).view((-1,) + (1,) * (g.dim() - 1))
        u = (torch.rand(g.shape, generator=ctx.rng) - 0.5) / ctx.n
        return 2 * top * (half_up((g / (2 * top) + 0.5 + u).clamp(0, 1) * ctx.n) / ctx.n - 0.5), None, None


class Gradients(nn.Module):
    WIDTHS = tuple(range(1, 9))

    def __init__(self, bits):
        super().__init__()
        self.n, self.rng = 2 ** bits - 1, torch.Generator().manual_seed(bits)

    def forward(self, x):
        return _Gradient.apply(x, self.n, self.rng)
