# SPDX-License-Identifier: Apache-2.0
"""Residual networks for CIFAR-10 at several widths out of one set of weights: ResNet-8 (MLCommons Tiny; one block a stack) and ResNet-20
(arXiv:1512.03385; three), stacks of 16/32/64 channels, 1x1 convolutions where a block changes the shape.

  image (8 bit) -> stem 3x3 (8 bit) -> r0;   r: 8-bit codes of the rectified sum, one step for all widths
  block:  r -> QUANTIZE to a1 -> conv 3x3 (w1) -> rounded straight to a2 -> conv 3x3 (w2) -> int16 in steps of the block's output
          r -> as it is, or conv 1x1 (8 bit) -> int16 in the same steps
          ADD: clamp(round(left) + round(right), 0, 255) -> r
  head:   average pool -> linear (8 bit); its bias per width

Every 3x3 convolution of a block is a choice conv1, conv2 ...: width w of its weights and a of its input codes. Batch normalization and
clips are per candidate of the own choice (switchable, arXiv:1912.09666); a shortcut follows the choice of the second convolution.

Convolutions run on codes, scaled by a power of two, so that float32 (below 2^24) holds them exactly; bfloat16 and float16 hold the codes
exactly but round accumulators: they are for speed, `calibrate` and the export work in float32 with exact codes."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

from ..data.cifar10 import CHANNELS, CLASSES, SIZE, ZERO
from ..integers import Graph, conv_attrs, multiplier, pool_attrs, table
from ..quantizers import nested
from ..quantizers.latent import master_codes, round_ste
from ..quantizers.requant import join, pool, requant

MASTER, TOP = 8, 255
STACKS = (16, 32, 64)
FIRST_CLIP = {1: 1.5, 2: 2.0, 3: 2.5, 4: 3.0}  # near the least-squares clip of a half normal; 4.0 above
GAMMA_MIN = 1e-3                               # positive slopes keep multipliers positive


def first_clip(bits):
    return FIRST_CLIP.get(bits, 4.0)


class Norm(nn.Module):
    """Batch normalization with parameters and statistics per candidate, times a ratio. `frozen`: running statistics, the shift rounded to whole
    units of the accumulator, as the exported bias is."""
    def __init__(self, sets, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(sets, channels))
        self.beta = nn.Parameter(torch.zeros(sets, channels))
        self.register_buffer("mean", torch.zeros(sets, channels))
        self.register_buffer("var", torch.ones(sets, channels))
        self.eps, self.momentum, self.frozen = 1e-5, 0.1, False

    def fold(self, k, unit):
        """(slope, bias), float64: z = slope (acc + bias), both in whole accumulator units of `unit`; bias rounded."""
        sigma = torch.sqrt(self.var[k].double() + self.eps)
        gamma = self.gamma[k].double()
        return gamma / sigma * unit, torch.floor((self.beta[k].double() * sigma / gamma - self.mean[k].double()) / unit + 0.5)

    def forward(self, acc, k, unit, ratio):
        if self.frozen:
            slope, bias = self.fold(k, unit)
            return ((acc / unit + bias.float().view(-1, 1, 1)) * (slope * ratio).float().view(-1, 1, 1)).to(acc.dtype)
        return F.batch_norm(acc, self.mean[k], self.var[k], self.gamma[k] * ratio, self.beta[k] * ratio, True, self.momentum, self.eps)


class Conv(nn.Module):
    def __init__(self, c_in, c_out, kernel, stride, rule, rng):
        super().__init__()
        self.kernel, self.stride, self.rule = kernel, stride, rule
        self.weight = nn.Parameter(torch.randn(c_out, c_in, kernel, kernel, generator=rng) * (2 / (c_in * kernel * kernel)) ** 0.5)

    def forward(self, u, bits, a_bits):
        """Input codes -> accumulators times unit(bits, a_bits)."""
        w = (nested.codes(self.weight, bits, self.rule) * unit(bits, a_bits)).to(u.dtype)
        size = u.shape[-1]
        total = max((-(-size // self.stride) - 1) * self.stride + self.kernel - size, 0)  # padding "same" as TFLite lays it
        if total % 2:
            u = F.pad(u, (total // 2, total - total // 2) * 2)
            total = 0
        return F.conv2d(u, w.contiguous(memory_format=torch.channels_last), stride=self.stride, padding=total // 2)


def unit(w_bits, a_bits):
    """A power of two that keeps sums near 1 (float16's range): what one step of an accumulator is worth."""
    return 2.0 ** (1 - w_bits - a_bits)


class Clips(nn.Module):
    """Logarithms of positive clips."""
    def __init__(self, first):
        super().__init__()
        self.log = nn.Parameter(torch.tensor(first).log())

    def __getitem__(self, k):
        return self.log[k].exp()


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride, widths, rule, rng):
        super().__init__()
        n = len(widths)
        self.widths = widths
        self.conv1, self.conv2 = Conv(c_in, c_out, 3, stride, rule, rng), Conv(c_out, c_out, 3, 1, rule, rng)
        self.norm1, self.norm2 = Norm(n, c_out), Norm(n, c_out)
        change = c_in != c_out or stride != 1
        self.short = Conv(c_in, c_out, 1, stride, rule, rng) if change else None
        self.norm_s = Norm(n, c_out) if change else None
        first = [first_clip(b) for b in widths]
        self.clip1, self.clip2 = Clips([1.4 * a for a in first]), Clips(first)
        self.out = Clips([6.0])

    def forward(self, r, step, k1, k2):
        """r: codes of step `step`; candidates of the two convolutions. Returns (codes, step)."""
        b1, b2 = self.widths[k1], self.widths[k2]
        n1, n2 = 2 ** b1 - 1, 2 ** b2 - 1
        out_step = self.out[0] / TOP
        u = requant(r, step * n1 / self.clip1[k1], n1)
        z = self.norm1(self.conv1(u, b1, b1), k1, unit(b1, b1), n2 / self.clip2[k2])
        u = requant(z, 1.0, n2)
        z = self.norm2(self.conv2(u, b2, b2), k2, unit(b2, b2), 1 / out_step)
        if self.short is None:
            return join(z, 1.0, r, step / out_step, TOP), out_step
        s = self.norm_s(self.short(r, MASTER, MASTER), k2, unit(MASTER, MASTER), 1 / out_step)
        return join(z, 1.0, s, 1.0, TOP), out_step


class ResNet(nn.Module):
    def __init__(self, blocks, widths, rule, rng):
        super().__init__()
        self.widths, self.rule, self.dtype = widths, rule, torch.float32
        self.stem = Conv(CHANNELS, STACKS[0], 3, 1, rule, rng)
        self.stem_norm, self.stem_clip = Norm(1, STACKS[0]), Clips([4.0])
        layers, c = [], STACKS[0]
        for s, width in enumerate(STACKS):
            for i in range(blocks):
                layers.append(Block(c, width, 2 if s and not i else 1, widths, rule, rng))
                c = width
        self.blocks = nn.ModuleList(layers)
        self.head = nn.Parameter(torch.randn(CLASSES, c, generator=rng))
        self.head_bias = nn.Parameter(torch.zeros(len(widths), CLASSES))
        self.head_gain = nn.Parameter(torch.zeros(len(widths)))  # log2; positive scale changes no answer
        self.n_choices = 2 * len(layers)

    def constrain(self):
        """After each step: positive slopes."""
        with torch.no_grad():
            for m in self.modules():
                if isinstance(m, Norm):
                    m.gamma.clamp_(min=GAMMA_MIN)

    def norms(self):
        return [m for m in self.modules() if isinstance(m, Norm)]

    def freeze(self, frozen=True):
        for m in self.norms():
            m.frozen = frozen

    def early(self, x):
        """Image codes minus their zero, NCHW -> the stem's codes. The same for every candidate."""
        z = self.stem_norm(self.stem(x.to(self.dtype), MASTER, MASTER), 0, unit(MASTER, MASTER), TOP / self.stem_clip[0])
        return requant(z, 1.0, TOP)

    def late(self, r, chosen):
        """chosen: a candidate index per choice. Returns float32 logits."""
        step = self.stem_clip[0] / TOP
        for i, b in enumerate(self.blocks):
            r, step = b(r, step, chosen[2 * i], chosen[2 * i + 1])
        k = chosen[-1]
        acc = pool(r) @ nested.codes(self.head, MASTER, self.rule, False).t()
        step = step * 2.0 ** (1 - MASTER)
        bias = self.head_bias[k] / step.detach()
        bias = bias + (torch.floor(bias + 0.5) - bias).detach()
        return (acc + bias) * (step * 0.3 * torch.exp2(self.head_gain[k]))

    def forward(self, x, chosen):
        return self.late(self.early(x), chosen)


def shared(name):
    """Whether all widths use this tensor of the network; the others have a row a width."""
    return name == "head" or name.endswith(".weight") or name.startswith("stem_") or ".out." in name


def build(cfg, rng):
    return ResNet({8: 1, 20: 3}[cfg["depth"]], cfg["widths"], cfg["nesting"], rng)


def _weights(conv):
    return nested.master(conv.weight).permute(0, 2, 3, 1).numpy()  # OHWI


def _entry(norm, k, step, ratio):
    """(biases, multipliers, shifts) of one table entry: round(slope (acc + bias) ratio)."""
    slope, bias = norm.fold(k, step)
    pairs = [multiplier(r) for r in (slope * ratio).tolist()]
    return bias.numpy(), [p[0] for p in pairs], [p[1] for p in pairs]


class _Export:
    def __init__(self, net):
        self.net, self.g, self.widths = net, Graph(), net.widths
        self.tops = [2 ** b - 1 for b in self.widths]
        self.w8 = unit(MASTER, MASTER)

    def conv(self, name, conv, x, dtype, size, entries, keys, low, high, zero=0, choice=None):
        c_out, c_in = conv.weight.shape[:2]
        w = self.g.tensor(f"{name}_w", "int8", MASTER, (c_out, conv.kernel, conv.kernel, c_in), _weights(conv))
        y = self.g.tensor(name, dtype, 16 if dtype == "int16" else 8, (1, size, size, c_out))
        bound = {} if choice is None else {"choice": choice, "weights": {"nesting": self.net.rule, "bits": MASTER, "tensors": [w]}}
        return self.g.layer(name, "CONV_2D", [x, w], y, attrs=conv_attrs(conv.stride), **bound,
                            integer=table(entries, keys, low, high, zero))

    def block(self, i, b, r, step, size):
        """One residual block; returns its output tensor, step and size."""
        g, n, name = self.g, range(len(self.widths)), f"block{i + 1}"
        key1, key2 = f"conv{2 * i + 1}", f"conv{2 * i + 2}"
        out_step, out_size = float(b.out[0]) / TOP, -(-size // b.conv1.stride)
        c_in = b.conv1.weight.shape[1]
        u = g.tensor(f"{name}_in", "uint8", MASTER, (1, size, size, c_in))
        ratio = [multiplier(step * self.tops[k] / float(b.clip1[k])) for k in n]
        g.layer(f"{name}_in", "QUANTIZE", [r], u, integer=table([([], [m], [s]) for m, s in ratio], [key1], 0, self.tops))
        units = [unit(w, w) for w in self.widths]
        entries = [_entry(b.norm1, k, units[k], self.tops[j] / float(b.clip2[j])) for k in n for j in n]
        y = self.conv(key1, b.conv1, u, "uint8", out_size, entries, [key1, key2], 0, self.tops * len(n), choice=key1)
        entries = [_entry(b.norm2, k, units[k], 1 / out_step) for k in n]
        y = self.conv(key2, b.conv2, y, "int16", out_size, entries, [key2], -32768, 32767, choice=key2)
        scale = 1.0
        if b.short is None:
            other, scale = r, step / out_step
        else:
            entries = [_entry(b.norm_s, k, self.w8, 1 / out_step) for k in n]
            other = self.conv(f"{name}_short", b.short, r, "int16", out_size, entries, [key2], -32768, 32767)
        out = g.tensor(name, "uint8", MASTER, (1, out_size, out_size, b.conv2.weight.shape[0]))
        pairs = [multiplier(1.0), multiplier(scale)]
        sums = table([([], [p[0] for p in pairs], [p[1] for p in pairs])], [], 0, TOP)
        del sums["in_zero"]
        g.layer(name, "ADD", [y, other], out, integer=sums)
        return out, out_step, out_size


def _gate(e, gate, stem, step):
    """Controller layers behind the stem: pool, linear map, argmax. One decision for all choices; returns the tensor that holds it."""
    g, side, c = e.g, SIZE // gate.pool, STACKS[0]
    pooled = g.tensor("control_pool", "uint8", MASTER, (1, side, side, c))
    g.layer("control_pool", "AVERAGE_POOL_2D", [stem], pooled, attrs=pool_attrs(gate.pool))
    w = g.tensor("control_w", "int8", MASTER, tuple(gate.latent.shape), master_codes(gate.latent).numpy())
    out = g.tensor("control", "int32", 32, (1, len(e.widths)))
    bias = round_ste(gate.bias / gate.step(torch.tensor(step))).numpy()
    g.layer("control", "FULLY_CONNECTED", [pooled, w], out, integer={"keys": [], "bias": bias.astype(np.int64).astype(np.int32)[None], "in_zero": [0]})
    axis = g.tensor("axis", "int32", 32, (), 1)
    decision = g.tensor("decision", "int32", 32, (1,))
    rows = g.layer("control_rows", "RESHAPE", [out], g.tensor("control_rows", "int32", 32, (1, len(e.widths))))
    g.layer("decision", "ARG_MAX", [rows, axis], decision)
    return decision


@torch.no_grad()
def graph(net, name, gate=None):
    """The frozen network as the native format's graph, arrays in place. Integers only: docs/FORMAT.md. gate: see schemes/gate.py."""
    e = _Export(net)
    g, last = e.g, f"conv{net.n_choices}"
    image = g.tensor("image", "uint8", MASTER, (1, SIZE, SIZE, CHANNELS))
    step = float(net.stem_clip[0]) / TOP
    r = e.conv("stem", net.stem, image, "uint8", SIZE, [_entry(net.stem_norm, 0, e.w8, 1 / step)], [], 0, TOP, ZERO)
    decision = _gate(e, gate, r, step) if gate else None
    size = SIZE
    for i, b in enumerate(net.blocks):
        r, step, size = e.block(i, b, r, step, size)
    c = net.head.shape[1]
    pooled = g.tensor("pool", "uint8", MASTER, (1, 1, 1, c))
    g.layer("pool", "AVERAGE_POOL_2D", [r], pooled, attrs=pool_attrs(size))
    w = g.tensor("head_w", "int8", MASTER, (CLASSES, c), nested.master(net.head, False).numpy())
    logits = g.tensor("logits", "int32", 32, (1, CLASSES))
    bias = torch.floor(net.head_bias / (step * 2.0 ** (1 - MASTER)) + 0.5).numpy()
    g.layer("head", "FULLY_CONNECTED", [pooled, w], logits,
            integer={"keys": [last], "bias": bias.astype(np.int64).astype(np.int32), "in_zero": [0] * len(net.widths)})
    candidates = [{"w": b, "a": b} for b in net.widths]
    return {"name": name, "profile": "tflm", "inputs": [image], "outputs": [logits], "tensors": g.tensors,
            "choices": [{"name": f"conv{i + 1}", "candidates": candidates, **({"decision": {"tensor": decision, "element": 0}} if gate else {})}
                        for i in range(net.n_choices)], "layers": g.layers}
