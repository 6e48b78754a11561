# SPDX-License-Identifier: Apache-2.0
"""Integer codes with gradients. Everything returned is a float tensor that holds integers exactly.

Weights: one latent x in [-1, 1) per weight. Its code of width w is floor(2^(w-1) x), in -2^(w-1) .. 2^(w-1) - 1, with value
code * 2^-(w-1). Because floor(floor(128 x) / 2^(8-w)) = floor(2^(w-1) x), the narrow code is the 8-bit code shifted right
(AdaBits' "modified" grid, arXiv:1912.09666): only 8 bits are stored. The mean of the grid is 2^-w below that of x; training
sees the very codes, so weights and normalization learn around it.

Activations: PACT (arXiv:1805.06085), clip(z, 0, alpha) on 2^a - 1 steps, alpha learned per layer and width."""
import torch

MASTER_BITS = 8


class _Floor(torch.autograd.Function):
    """floor, gradient 1."""
    @staticmethod
    def forward(ctx, x):
        return torch.floor(x)

    @staticmethod
    def backward(ctx, g):
        return g


class _Round(torch.autograd.Function):
    """Half away from zero, as the integer requantization rounds; gradient 1."""
    @staticmethod
    def forward(ctx, x):
        return torch.sign(x) * torch.floor(x.abs() + 0.5)

    @staticmethod
    def backward(ctx, g):
        return g


floor_ste = _Floor.apply
round_ste = _Round.apply


def weight_codes(latent, bits):
    """Codes of width bits. Gradient 2^(bits-1) inside [-1, 1), 0 outside, so that the value's gradient is 1."""
    half = 2 ** (bits - 1)
    return floor_ste(latent.clamp(-1, 1 - 2.0 ** (1 - MASTER_BITS)) * half)


def weight_step(bits):
    return 2.0 ** (1 - bits)


def master_codes(latent):
    """int64 8-bit codes: what is stored."""
    with torch.no_grad():
        return weight_codes(latent, MASTER_BITS).long()


def nest_floor(master, bits):
    """Code of width bits of an 8-bit code; arithmetic shift."""
    return master >> (MASTER_BITS - bits)


def activation_codes(z, alpha, bits):
    """Codes 0 .. 2^bits - 1 of z and their step alpha / (2^bits - 1). Through code * step, the gradient to z is 1 inside the clip;
    to alpha it is 1 above the clip and the rounding error / alpha inside."""
    top = 2 ** bits - 1
    return round_ste((z / alpha).clamp(0, 1) * top), alpha / top
