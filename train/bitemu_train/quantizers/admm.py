# SPDX-License-Identifier: Apache-2.0
"""Extremely low bit networks by ADMM (arXiv:1707.09870): min f(W) with W = G, G in alpha {+-1} (1 bit), {0, +-1} (2) or {0, +-1, +-2, +-4} (3).
  proximal    W: f(W) + rho/2 |W - G + lambda|^2, gradient rho (W - G + lambda) beside f's; extragradient steps (two gradients a step)
  projection  V = W + lambda: Q = nearest levels of V / alpha, alpha = <V, Q> / <Q, Q>, a few times; one alpha a layer
  dual        lambda += W - G
The standard scaled form, after the paper's abstract and the names it gives. Projection and dual update before each epoch. W is free until two thirds of the training; then the weights are G, and the rest adapts to them."""
import torch

from . import Codes, Quantizer

RHO, ROUNDS, FREE = 0.05, 8, 2 / 3
LEVELS = {1: (-1, 1), 2: (-1, 0, 1), 3: (-4, -2, -1, 0, 1, 2, 4)}


def project(v, levels):
    """(Q, alpha)."""
    levels = torch.tensor(levels, dtype=v.dtype)
    alpha = v.abs().mean() / levels.abs().mean()
    for _ in range(ROUNDS):
        q = levels[torch.bucketize(v / alpha, (levels[1:] + levels[:-1]) / 2)]
        if not q.any():
            break
        alpha = (v * q).sum() / (q * q).sum()
    return q, alpha


class _Projected(torch.autograd.Function):
    """G; it is constant."""
    @staticmethod
    def forward(ctx, w, g):
        return g.clone()

    @staticmethod
    def backward(ctx, g):
        return torch.zeros_like(g), None


class Weights(Quantizer):
    WIDTHS, EXTRAGRADIENT = tuple(LEVELS), True

    def __init__(self, shape, bits):
        super().__init__()
        self.bits, self.fixed = bits, False
        self.register_buffer("q", torch.zeros(shape))
        self.register_buffer("alpha", torch.tensor(1.0))
        self.register_buffer("dual", torch.zeros(shape))

    @torch.no_grad()
    def _project(self, w):
        q, alpha = project(w + self.dual, LEVELS[self.bits])
        self.q.copy_(q)
        self.alpha.copy_(alpha)

    def start(self, w):
        self._project(w)

    def forward(self, w):
        return _Projected.apply(w, self.alpha * self.q) if self.fixed else w

    def penalty(self, w):
        return 0.0 if self.fixed else RHO / 2 * ((w - self.alpha * self.q + self.dual) ** 2).sum()

    @torch.no_grad()
    def epoch(self, w, done):
        if not self.fixed:
            self._project(w)
            self.dual += w - self.alpha * self.q
            self.fixed = done >= FREE

    @torch.no_grad()
    def codes(self, w):
        q = self.q.long()
        if self.bits == 1:
            return Codes((q > 0).long(), {"weights": "binary"}, 1, self.alpha.view(1).clone())
        if self.bits == 2:
            return Codes(q, {"weights": "ternary"}, 2, self.alpha.view(1).clone())
        field = torch.tensor([0, 1, 2, 0, 3])[q.abs()]
        return Codes(field + 4 * (q < 0).long(), {"weights": "pow2"}, 3, self.alpha.view(1).clone())
