# SPDX-License-Identifier: Apache-2.0
"""Quantizers, one file each, found by the file's name: add a file with a class `Weights`, `Activations` or both, and
configurations may name it. Nothing else needs to change: export, emulation and the tests go through what is stated here.

  Weights(shape, bits)         start(w)           parameters from the weights as they are when quantization begins
                               forward(w)         float weights on the grid, with the paper's gradient
                               codes(w)           the same as integers: Codes; forward(w) == value(codes(w))
                               penalty(w)         added to the loss
                               gradients()        after the backward pass: clip gradients of own parameters
                               limit(w)           after a step: keep w and own parameters in range, in place
                               epoch(w, done)     before each epoch and at the end, done = share of the training behind it
  Activations(bits)            start(z), forward(z), penalty(), gradients(), limit() likewise, and
                               steps()            Steps: code 0 .. top stands for code * step (binary: 2 code - 1)
  Gradients(bits)              forward(x) = x; its backward pass quantizes (DoReFa alone has them)

Class attributes: WIDTHS (bits it has), RATE (learning rate of its parameters over that of the network), SHIFTS (every scale is a power of
two), EXTRAGRADIENT (its weights take extragradient steps of plain SGD). Activations round half up, as profile bitemu does."""
import importlib
import math
import pkgutil
from typing import NamedTuple, Optional

import torch
from torch import nn

from .. import grids, integer


class Codes(NamedTuple):
    """Weights as integers: value = scale * number(grid, code); ternary2: codes -1 have scale_n. A nesting: codes are 8-bit masters."""
    codes: torch.Tensor              # int64, of the weights' shape
    grid: dict                       # docs/FORMAT.md, "Weight grids"
    bits: int
    scale: torch.Tensor              # [1], or one an output channel
    scale_n: Optional[torch.Tensor] = None
    nesting: Optional[str] = None

    def stored_bits(self):
        return self.bits if self.nesting is None else 8

    def numbers(self):
        """int64: what the codes, narrowed, stand for."""
        codes = self.codes if self.nesting is None else integer.nest(self.codes, 8, self.bits, self.nesting)
        return grids.values(self.grid, self.bits, codes)


class Steps(NamedTuple):
    step: float
    top: int
    binary: bool = False


def value(c):
    """Codes as float weights."""
    shape = (-1,) + (1,) * (c.codes.dim() - 1)
    n, p = c.numbers().float(), c.scale.view(shape)
    return n * p if c.scale_n is None else torch.where(n < 0, n * c.scale_n.view(shape), n * p)


class Quantizer(nn.Module):
    WIDTHS, RATE, SHIFTS, EXTRAGRADIENT = (), 1.0, False, False

    def start(self, x):
        pass

    def penalty(self, *w):
        return 0.0

    def gradients(self):
        pass

    def limit(self, *w):
        pass

    def epoch(self, w, done):
        pass


def half_up(x):
    return torch.floor(x + 0.5)


POWERS = torch.tensor([math.ldexp(1.0, e) for e in range(-126, 128)])


def power_of_two(x):
    """The nearest one in the logarithm; exact, which pow is not everywhere."""
    return POWERS.to(x.dtype)[(half_up(torch.log2(x)).clamp(-126, 127) + 126).long()]


def through(x, to):
    """The value of `to`, the gradient of x (straight-through)."""
    return x + (to - x).detach()


def find(name, kind):
    """Class `kind` (Weights, Activations, Gradients) of the file `name`; None if there is none."""
    if name.startswith("_") or name not in {m.name for m in pkgutil.iter_modules(__path__)}:
        return None
    return getattr(importlib.import_module(f"{__name__}.{name}"), kind, None)


def names(kind):
    return tuple(m.name for m in pkgutil.iter_modules(__path__) if find(m.name, kind))
