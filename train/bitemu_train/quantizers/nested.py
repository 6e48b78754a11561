# SPDX-License-Identifier: Apache-2.0
"""Nested weight codes: one 8-bit code per weight is stored, narrower ones are made from it.

  floor    code_w = master >> (8 - w), arithmetic. Value code_w 2^(1-w): AdaBits' "modified" grid (arXiv:1912.09666), whose mean lies 2^-w below
           the weight's.
  half_up  code_w = min((master + 2^(7-w)) >> (8-w), 2^(w-1) - 1): rounding shift, ties up (Double Rounding, arXiv:2402.04050, with the tie
           rule named). No mean shift, but the largest codes clip.

x = w / (RANGE rms(w)) per output channel, clipped to [-1, 1 - 2^-7], master = floor(128 x). The normalization keeps the grid filled whatever
the length of w, which batch normalization makes free: SGD and weight decay act on w as in a float network. The gradient of a code to x is
2^(w-1) inside the clip, 0 outside; that of x to w is exact."""
import torch

MASTER_BITS = 8
RANGE = 2.2        # the clip stands at this many standard deviations
TOP = 1 - 2.0 ** (1 - MASTER_BITS)
RULES = ("floor", "half_up")


def normalized(w, per_channel=True):
    dims = tuple(range(1, w.dim())) if per_channel else tuple(range(w.dim()))
    plain = w.contiguous(memory_format=torch.contiguous_format).double() # the same sum however the tensor lies in memory
    rms = plain.pow(2).mean(dims, keepdim=True).add(1e-12).sqrt().to(w.dtype)
    return (w / (RANGE * rms)).clamp(-1, TOP)


def narrow(master, bits, rule):
    """Codes of width bits out of 8-bit codes; float or integer tensors."""
    drop = MASTER_BITS - bits
    if drop == 0:
        return master
    half = 0 if rule == "floor" else 2 ** (drop - 1)
    return torch.div(master + half, 2 ** drop, rounding_mode="floor").clamp(max=2 ** (bits - 1) - 1)


class _Codes(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, bits, rule):
        ctx.slope = 2.0 ** (bits - 1)
        return narrow(torch.floor(x * 2 ** (MASTER_BITS - 1)), bits, rule)

    @staticmethod
    def backward(ctx, g):
        return g * ctx.slope, None, None


def codes(w, bits, rule, per_channel=True):
    """Codes of width bits of the free weights w, as floats, with gradient."""
    return _Codes.apply(normalized(w, per_channel), bits, rule)


def master(w, per_channel=True):
    """int64 8-bit codes: what is stored."""
    with torch.no_grad():
        return torch.floor(normalized(w, per_channel) * 2 ** (MASTER_BITS - 1)).long()
