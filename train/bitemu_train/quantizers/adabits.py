# SPDX-License-Identifier: Apache-2.0
"""AdaBits (arXiv:1912.09666), the "modified" grid: u = (tanh(w) / max|tanh(w)| + 1) / 2, q = min(floor(2^b u), 2^b - 1), value 2 q / 2^b - 1.
Gradient: floor and min passed straight through, tanh as DoReFa has it. The code q - 2^(b-1) of any width is the 8-bit one shifted right; one
8-bit code is stored, whatever the width."""
import torch

from . import Codes, Quantizer
from .dorefa import straight, tanh_unit


class Weights(Quantizer):
    WIDTHS = tuple(range(1, 9))

    def __init__(self, shape, bits):
        super().__init__()
        self.bits = bits

    @staticmethod
    def _codes(x, bits):
        return torch.floor((x + 1) / 2 * 2 ** bits).clamp(max=2 ** bits - 1) - 2 ** (bits - 1)

    def forward(self, w):
        x = tanh_unit(w)
        return straight(x, self._codes(x.detach(), self.bits) * 2.0 ** (1 - self.bits))

    @torch.no_grad()
    def codes(self, w):
        return Codes(self._codes(tanh_unit(w), 8).long(), {"weights": "affine"}, self.bits, torch.tensor([2.0 ** (1 - self.bits)]), nesting="floor")
