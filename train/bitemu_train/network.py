# SPDX-License-Identifier: Apache-2.0
"""A small convolutional network in which each dynamic layer runs at one of several widths (weights and input activations alike).

  codes -> stem 3x3 (8 bit) -+-> controller -> a decision per dynamic layer
                             +-> widen 1x1 (8 bit) -> dynamic 3x3 ... -> average pool -> linear (8 bit) -> logits

A layer's output is rounded to the width of its consumer at once: there is no wider copy in between. Normalization and clip are
per candidate (switchable, as in arXiv:1912.09666). Accumulators are integers held exactly in float32 (below 2^24)."""
import torch
from torch import nn
import torch.nn.functional as F

from .controller import Controller, POOL, average_pool_codes
from .quantizers.latent import MASTER_BITS, activation_codes, round_ste, weight_codes, weight_step

INPUT_BITS, INPUT_STEP, SIZE, CLASSES = 5, 1 / 16, 8, 10
GAMMA_MIN, ALPHA_MIN = 0.05, 0.1  # gamma > 0 keeps integer multipliers positive
FIRST_ALPHA = {2: 2.0, 3: 2.5, 4: 3.0}  # near the least-squares clip of a half normal; 4.0 above


class Conv(nn.Module):
    """Nested weights; codes in, integer accumulator out. Padding "same" as TFLite lays it."""
    def __init__(self, c_in, c_out, kernel, stride, rng):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.latent = nn.Parameter((torch.randn(c_out, c_in, kernel, kernel, generator=rng) * 0.4).clamp(-0.99, 0.99))

    def pads(self, size):
        total = max((-(-size // self.stride) - 1) * self.stride + self.kernel - size, 0)
        return total // 2, total - total // 2

    def forward(self, x, bits):
        a, b = self.pads(x.shape[-1])
        return F.conv2d(F.pad(x, (a, b, a, b)), weight_codes(self.latent, bits), stride=self.stride)


class SwitchNorm(nn.Module):
    """Batch normalization with a set of parameters and statistics per candidate, on an integer accumulator times a step. `frozen`
    uses the running statistics, with the shift rounded to whole accumulator units: what the exported bias is."""
    def __init__(self, sets, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(sets, channels))
        self.beta = nn.Parameter(torch.zeros(sets, channels))
        self.register_buffer("mean", torch.zeros(sets, channels))
        self.register_buffer("var", torch.ones(sets, channels))
        self.eps, self.momentum, self.frozen = 1e-5, 0.1, False

    def fold(self, k, step):
        """(slope, bias): z = slope * (acc + bias), bias in accumulator units, not rounded."""
        sigma = torch.sqrt(self.var[k] + self.eps)
        return self.gamma[k] * step / sigma, (self.beta[k] * sigma / self.gamma[k] - self.mean[k]) / step

    def forward(self, acc, k, step):
        if self.frozen:
            slope, bias = self.fold(k, step)
            return slope.view(-1, 1, 1) * (acc + round_ste(bias).view(-1, 1, 1))
        u = acc * step
        mean = u.mean((0, 2, 3))
        var = u.var((0, 2, 3), unbiased=False)
        with torch.no_grad():
            self.mean[k] += self.momentum * (mean - self.mean[k])
            self.var[k] += self.momentum * (var - self.var[k])
        scale = self.gamma[k] / torch.sqrt(var + self.eps)
        return (u - mean.view(-1, 1, 1)) * scale.view(-1, 1, 1) + self.beta[k].view(-1, 1, 1)


class Clip(nn.Module):
    """Activation quantizer with a clip per width."""
    def __init__(self, widths):
        super().__init__()
        self.widths = widths
        self.alpha = nn.Parameter(torch.tensor([FIRST_ALPHA.get(b, 4.0) for b in widths]))

    def forward(self, z, k):
        return activation_codes(z, self.alpha[k], self.widths[k])


class Network(nn.Module):
    def __init__(self, cfg, rng):
        super().__init__()
        self.widths = cfg["candidates"]
        n = len(self.widths)
        channels = [cfg["widen"]] + cfg["dynamic"]
        self.stem = Conv(1, cfg["stem"], 3, 1, rng)
        self.stem_norm, self.stem_clip = SwitchNorm(1, cfg["stem"]), Clip([MASTER_BITS])
        self.widen = Conv(cfg["stem"], cfg["widen"], 1, 1, rng)
        self.widen_norm = SwitchNorm(1, cfg["widen"])
        self.convs = nn.ModuleList(Conv(a, b, 3, s, rng) for a, b, s in zip(channels, channels[1:], cfg["strides"]))
        self.norms = nn.ModuleList(SwitchNorm(n, c) for c in cfg["dynamic"])
        self.clips = nn.ModuleList(Clip(self.widths) for _ in cfg["dynamic"])  # of each dynamic layer's input
        self.head_clip = Clip([MASTER_BITS])
        self.head = nn.Parameter((torch.randn(CLASSES, channels[-1], generator=rng) * 0.3).clamp(-0.99, 0.99))
        self.head_bias = nn.Parameter(torch.zeros(CLASSES))
        self.head_gain = nn.Parameter(torch.zeros(()))  # log2; positive scale changes no answer
        self.controller = Controller((SIZE // POOL) ** 2 * cfg["stem"], len(self.convs), n, rng)
        self.register_buffer("macs", torch.tensor(self._macs(cfg), dtype=torch.float32), persistent=False)

    def _macs(self, cfg):
        """MACs of each dynamic layer, padding taps included."""
        out, size, c_in = [], SIZE, cfg["widen"]
        for c, s in zip(cfg["dynamic"], cfg["strides"]):
            size = -(-size // s)
            out.append(size * size * 9 * c_in * c)
            c_in = c
        return out

    def freeze(self, frozen=True):
        for m in self.modules():
            if isinstance(m, SwitchNorm):
                m.frozen = frozen

    @torch.no_grad()
    def constrain(self):
        """After each step: latents on their grid, positive slopes and clips."""
        for p in [c.latent for c in [self.stem, self.widen, *self.convs]] + [self.head, self.controller.latent]:
            p.clamp_(-1, 1 - 2.0 ** (1 - MASTER_BITS))
        for m in self.modules():
            if isinstance(m, SwitchNorm):
                m.gamma.clamp_(min=GAMMA_MIN)
            if isinstance(m, Clip):
                m.alpha.clamp_(min=ALPHA_MIN)

    def early(self, x):
        """Input codes -> the stem's 8-bit codes and their step."""
        acc = self.stem(x, MASTER_BITS)
        return self.stem_clip(self.stem_norm(acc, 0, INPUT_STEP * weight_step(MASTER_BITS)), 0)

    def decide(self, early):
        return self.controller(*early)

    def late(self, early, decisions):
        """decisions: [n, layers, candidates] one-hot, or a list of candidate indices for the whole batch. Returns logits."""
        codes, step = early
        z = self.widen_norm(self.widen(codes, MASTER_BITS), 0, step * weight_step(MASTER_BITS))
        for i, (conv, norm, clip) in enumerate(zip(self.convs, self.norms, self.clips)):
            if torch.is_tensor(decisions):
                parts = [self._candidate(z, conv, norm, clip, k) * decisions[:, i, k].view(-1, 1, 1, 1) for k in range(len(self.widths))]
                z = sum(parts)
            else:
                z = self._candidate(z, conv, norm, clip, decisions[i])
        codes, step = self.head_clip(z, 0)
        pooled = average_pool_codes(codes, codes.shape[-1]).flatten(1)
        step = step * weight_step(MASTER_BITS)
        acc = pooled @ weight_codes(self.head, MASTER_BITS).t() + round_ste(self.head_bias / step.detach())
        return acc * step * torch.exp2(self.head_gain)

    def _candidate(self, z, conv, norm, clip, k):
        codes, step = clip(z, k)
        return norm(conv(codes, self.widths[k]), k, step * weight_step(self.widths[k]))

    def cost(self, decisions):
        """BitOps (MACs * w * a) of the dynamic layers over those at 8 bits, per image."""
        squares = torch.tensor([float(b * b) for b in self.widths])
        ops = (decisions * squares).sum(-1) @ self.macs
        return ops / (self.macs.sum() * 64)
