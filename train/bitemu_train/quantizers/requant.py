# SPDX-License-Identifier: Apache-2.0
"""Rounding to codes with the gradients of a straight-through estimator, one autograd function for each integer operation, so that
training computes what the integers compute and spends few passes over memory.

PACT (arXiv:1805.06085): u = round(clip(z, 0, alpha) N / alpha). Here the clip enters as ratio = N / alpha, and the gradients are
  du/dz = ratio inside (0, N), 0 outside        du/dratio = z inside, 0 outside.
A ratio that is a number has no gradient; 1 costs no pass: normalization in front takes the ratio into its scale (networks/resnet.py).
Where batch normalization follows, the loss does not depend on the scale of u, so sum(g u) = 0, and the gradient to alpha becomes
(1/alpha) (sum over clipped g N + sum inside g (u - z ratio)): PACT's where z is clipped plus LSQ's rounding error (arXiv:1902.08153)."""
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


class _Requant(torch.autograd.Function):
    """round(clamp(z * ratio, 0, top)); ratio a scalar tensor or a number."""
    @staticmethod
    def forward(ctx, z, ratio, top):
        r = float(ratio)
        ctx.save_for_backward(z)
        ctx.r, ctx.top = r, top
        return (z.clamp(0, top) if r == 1 else (z * r).clamp_(0, top)).round_()

    @staticmethod
    def backward(ctx, g):
        z, = ctx.saved_tensors
        inside = _inside(g, z, ctx.top / ctx.r)
        d_ratio = _dot(inside, z) if ctx.needs_input_grad[1] else None
        if not ctx.needs_input_grad[0]:
            return None, d_ratio, None
        return (inside if ctx.r == 1 else inside.mul_(ctx.r)), d_ratio, None


class _Join(torch.autograd.Function):
    """clamp(round(a * ra) + round(b * rb), 0, top): the sum at the end of a residual block, rectified."""
    @staticmethod
    def forward(ctx, a, ra, b, rb, top):
        x, y = float(ra), float(rb)
        out = a.round() if x == 1 else (a * x).round_()
        out.add_(b if y == 1 else (b * y).round_()).clamp_(0, top)
        ctx.save_for_backward(a, b, out)
        ctx.x, ctx.y, ctx.top = x, y, top
        return out

    @staticmethod
    def backward(ctx, g):
        a, b, out = ctx.saved_tensors
        inside = _inside(g, out, float(ctx.top))
        d_ra = _dot(inside, a) if ctx.needs_input_grad[1] else None
        d_rb = _dot(inside, b) if ctx.needs_input_grad[3] else None
        d_b = (inside if ctx.y == 1 else inside * ctx.y) if ctx.needs_input_grad[2] else None
        return (inside if ctx.x == 1 else inside * ctx.x), d_ra, d_b, d_rb, None


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


requant, join, pool = _Requant.apply, _Join.apply, _Pool.apply
