# SPDX-License-Identifier: Apache-2.0
"""Nested weight codes: one 8-bit code per weight is stored, narrower ones are made from it.

  floor    code_w = master >> (8 - w), arithmetic. Value code_w 2^(1-w): AdaBits' "modified" grid (arXiv:1912.09666), whose mean lies 2^-w below
           the weight's.
  half_up  code_w = min((master + 2^(7-w)) >> (8-w), 2^(w-1) - 1): rounding shift, ties up (Double Rounding, arXiv:2402.04050, with the tie
           rule named). No mean shift, but the largest codes clip.

x = w / (RANGE rms(w)) per row (the weights of an output channel), clipped to [-1, 1 - 2^-7], master = floor(128 x). The normalization keeps
the grid filled whatever the length of w, which batch normalization makes free: SGD and weight decay act on w as in a float network. The
gradient of a code to x is 2^(w-1) inside the clip, 0 outside; that of x to w is exact.

A network keeps all its weights in one vector (Rows), so that a step quantizes them in a few passes, however many layers it has."""
import torch

MASTER_BITS = 8
RANGE = 2.2        # the clip stands at this many standard deviations
TOP = 1 - 2.0 ** (1 - MASTER_BITS)
RULES = ("floor", "half_up")


class _Gather(torch.autograd.Function):
    """x[to] of a vector; back[i] is the place of x[i] in the result: both ways read, neither adds."""
    @staticmethod
    def forward(ctx, x, to, back):
        ctx.save_for_backward(to, back)
        return x[to]

    @staticmethod
    def backward(ctx, g):
        to, back = ctx.saved_tensors
        return g.reshape(-1)[back], None, None


class Rows(torch.nn.Module):
    """Rows of different lengths that lie one behind the other in a vector."""
    def __init__(self, lengths):
        super().__init__()
        n, longest = torch.tensor(lengths), max(lengths)
        first, column = n.cumsum(0) - n, torch.arange(longest)
        inside = column < n[:, None]
        to = torch.where(inside, first[:, None] + column, torch.zeros((), dtype=torch.long))
        self.register_buffer("place", to, False)
        self.register_buffer("inside", inside, False)
        self.register_buffer("back", inside.flatten().nonzero().flatten(), False)
        self.register_buffer("count", n[:, None].double(), False)

    def normalized(self, w):
        """x of the weights w, a vector."""
        table = _Gather.apply(w, self.place, self.back) * self.inside
        rms = (table.double().pow(2).sum(1, keepdim=True) / self.count).add(1e-12).sqrt().to(w.dtype)
        # Cells outside hold 0 and are masked: that `to` points at some weight there changes no gradient.
        return _Gather.apply((table / (RANGE * rms)).clamp(-1, TOP).flatten(), self.back, self.place.flatten())


def narrow(master, bits, rule):
    """Codes of width bits out of 8-bit codes; float or integer tensors, bits a number or a tensor of as many."""
    if torch.is_tensor(bits):
        scale, top = torch.exp2(MASTER_BITS - bits), torch.exp2(bits - 1) - 1
    else:
        scale, top = 2 ** (MASTER_BITS - bits), 2 ** (bits - 1) - 1
    if rule == "floor":
        return torch.div(master, scale, rounding_mode="floor")
    codes = torch.div(master + scale // 2, scale, rounding_mode="floor")
    return torch.minimum(codes, top) if torch.is_tensor(top) else codes.clamp(max=top)


class _Codes(torch.autograd.Function):
    """Codes of width bits (a number a weight) of x, times a unit, as `dtype`, cut into tensors of OHWI shapes that are returned as OIHW."""
    @staticmethod
    def forward(ctx, x, bits, unit, rule, shapes, dtype):
        ctx.save_for_backward(torch.exp2(bits - 1) * unit)
        flat = (narrow(torch.floor(x * 2 ** (MASTER_BITS - 1)), bits, rule) * unit).to(dtype)
        sizes = [s.numel() for s in shapes]
        return tuple(part.view(s).permute(0, 3, 1, 2) for part, s in zip(flat.split(sizes), shapes))

    @staticmethod
    def backward(ctx, *g):
        slope, = ctx.saved_tensors
        return torch.cat([one.permute(0, 2, 3, 1).reshape(-1) for one in g]) * slope, None, None, None, None, None


codes = _Codes.apply


def master(x):
    """int64 8-bit codes of x: what is stored."""
    return torch.floor(x.detach() * 2 ** (MASTER_BITS - 1)).long()
