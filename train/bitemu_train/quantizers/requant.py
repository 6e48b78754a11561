# SPDX-License-Identifier: Apache-2.0
"""Rounding to codes with the gradients of a straight-through estimator, one autograd function for each integer operation, so that
training computes what the integers compute and spends few passes over memory. Scalars are tensors: nothing waits for the device.

PACT (arXiv:1805.06085): u = N round(clip(z, 0, alpha) / alpha). The clip enters as ratio = 1 / alpha:
  du/dz = N ratio inside (0, alpha), 0 outside        du/dratio = N z inside, 0 outside.
Normalization in front takes the ratio into its scale (networks/resnet.py): `quantize` has none and costs no pass for it.
Where batch normalization follows, the loss does not depend on the scale of u, so sum(g u) = 0, and the gradient to alpha becomes
(1/alpha) (sum over clipped g N + sum inside g (u - N z / alpha)): PACT's where z is clipped plus LSQ's rounding error (arXiv:1902.08153)."""
import torch

FAST = int(torch.__version__.split(".")[0]) >= 2  # before, hardtanh_backward knows no 16-bit floats on CPUs


def _inside(g, z, top):
    """g where 0 < z < top, else 0; a new tensor."""
    if g.dtype == torch.float32 or FAST:
        return torch.ops.aten.hardtanh_backward(g, z, 0.0, top)
    return torch.where((z > 0) & (z < top), g, torch.zeros((), dtype=g.dtype, device=g.device))


def _dot(a, b):
    """sum(a b), summed in float32: a 16-bit sum, a matrix product's on some processors too, would stop growing."""
    return torch.sum(a * b, dtype=torch.float32)


class _Quantize(torch.autograd.Function):
    """round(top clamp(z, 0, 1))"""
    @staticmethod
    def forward(ctx, z, top):
        ctx.save_for_backward(z, top)
        return z.clamp(0, 1).mul_(top).round_()

    @staticmethod
    def backward(ctx, g):
        z, top = ctx.saved_tensors
        return _inside(g, z, 1.0).mul_(top), None


class _Requant(torch.autograd.Function):
    """round(top clamp(r * ratio, 0, 1))"""
    @staticmethod
    def forward(ctx, r, ratio, top):
        ctx.save_for_backward(r, ratio, top)
        return (r * ratio).clamp_(0, 1).mul_(top).round_()

    @staticmethod
    def backward(ctx, g):
        r, ratio, top = ctx.saved_tensors
        inside = _inside(g, r * ratio, 1.0)
        return inside * (ratio * top), _dot(inside, r) * top, None


class _Join(torch.autograd.Function):
    """clamp(round(a) + round(b * ratio), 0, top): the sum at the end of a residual block, rectified. No ratio: None."""
    @staticmethod
    def forward(ctx, a, b, ratio, top):
        out = a.round().add_((b if ratio is None else b * ratio).round()).clamp_(0, top)
        ctx.save_for_backward(b, ratio, out)
        ctx.top = float(top)
        return out

    @staticmethod
    def backward(ctx, g):
        b, ratio, out = ctx.saved_tensors
        inside = _inside(g, out, ctx.top)
        if ratio is None:
            return inside, inside, None, None
        return inside, inside * ratio, _dot(inside, b), None


class _Pool(torch.autograd.Function):
    """Mean over the image of non-negative codes, half up: (sum + n/2) / n, as TFLite pools integers. NCHW -> NC, float32."""
    @staticmethod
    def forward(ctx, x):
        n = x.shape[2] * x.shape[3]
        ctx.shape, ctx.dtype = x.shape, x.dtype
        return torch.floor((x.sum((2, 3), dtype=torch.float32) + n // 2) / n)

    @staticmethod
    def backward(ctx, g):
        n = ctx.shape[2] * ctx.shape[3]
        return (g / n).to(ctx.dtype)[:, :, None, None].expand(ctx.shape).contiguous(memory_format=torch.channels_last)


quantize, requant, join, pool = _Quantize.apply, _Requant.apply, _Join.apply, _Pool.apply
