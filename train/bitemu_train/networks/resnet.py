# SPDX-License-Identifier: Apache-2.0
"""Residual networks for CIFAR-10 at several widths out of one set of weights: ResNet-8 (MLCommons Tiny; one block a stack) and ResNet-20
(arXiv:1512.03385; three), stacks of 16/32/64 channels, 1x1 convolutions where a block changes the shape.

  image (8 bit) -> stem 3x3 (8 bit) -> r0;   r: 8-bit codes of the rectified sum, one step for all widths
  block:  r -> QUANTIZE to a1 -> conv 3x3 (w1) -> rounded straight to a2 -> conv 3x3 (w2) -> int16 in steps of the block's output
          r -> as it is, or conv 1x1 (8 bit) -> int16 in the same steps
          ADD: clamp(round(left) + round(right), 0, 255) -> r
  head:   average pool -> linear (8 bit); its bias per width

Every 3x3 convolution of a block is a choice conv1, conv2 ...: width w of its weights and a of its input codes. Batch normalization and
clips are per candidate (switchable, arXiv:1912.09666); a shortcut follows the choice of the second convolution. `norm: transition` keys the
normalization by the choice in front as well (Bit-Mixer, arXiv:2103.17267).

All weights are one vector, all normalizations one table: `path` makes of them what an assignment of candidates needs, in as many passes for
twenty layers as for one. Convolutions run on codes, scaled by a power of two, so that float32 (below 2^24) holds them exactly; bfloat16 and
float16 hold the codes exactly but round accumulators: they are for speed, `collect` and the export work in float32 with exact codes."""
from collections import namedtuple

import torch
from torch import nn
import torch.nn.functional as F

from ..data.cifar10 import CHANNELS, CLASSES
from ..quantizers import nested
from ..quantizers.requant import join, pool, quantize, requant

MASTER, TOP = 8, 255
STACKS = (16, 32, 64)
FIRST_CLIP = {1: 1.5, 2: 2.0, 3: 2.5, 4: 3.0}  # near the least-squares clip of a half normal; 4.0 above
FIRST_OUT = (4.0, 6.0)                         # of the stem, of a block
GAMMA_MIN = 1e-3                               # positive slopes keep multipliers positive
EPS = 1e-5

# A convolution: the choice of its width (None: 8 bits), the choice whose candidate picks its normalization, and the choice in front of that
# (none behind a sum: its codes have 8 bits whatever came before).
Conv = namedtuple("Conv", "name c_in c_out kernel stride choice norm before")
Block = namedtuple("Block", "conv1 conv2 short")  # numbers of its convolutions; short: None where the block keeps the shape
Path = namedtuple("Path", "weights scale shift ratio top clip blend bias gain step")


def first_clip(bits):
    return FIRST_CLIP.get(bits, 4.0)


def layout(depth):
    """The convolutions in order, and the blocks."""
    convs, blocks, c = [Conv("stem", CHANNELS, STACKS[0], 3, 1, None, None, None)], [], STACKS[0]
    for s, width in enumerate(STACKS):
        for i in range((depth - 2) // 6):
            k, stride = 2 * len(blocks), 2 if s and not i else 1
            at = len(convs)
            convs += [Conv(f"conv{k + 1}", c, width, 3, stride, k, k, None), Conv(f"conv{k + 2}", width, width, 3, 1, k + 1, k + 1, k)]
            if c != width or stride != 1:
                convs.append(Conv(f"block{len(blocks) + 1}_short", c, width, 1, stride, None, k + 1, None))
            blocks.append(Block(at, at + 1, at + 2 if len(convs) == at + 3 else None))
            c = width
    return convs, blocks


def convolve(u, w, stride):
    """Padding "same" as TFLite lays it."""
    size, kernel = u.shape[-1], w.shape[-1]
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    if total % 2:
        u, total = F.pad(u, (total // 2, total - total // 2) * 2), 0
    return F.conv2d(u, w, stride=stride, padding=total // 2)


class ResNet(nn.Module):
    def __init__(self, depth, widths, rule, norm, rng):
        super().__init__()
        self.widths, self.rule, self.keyed, self.dtype = widths, rule, norm, torch.float32
        self.convs, self.blocks = layout(depth)
        self.n_choices, n = 2 * len(self.blocks), len(widths)
        self.shapes = [torch.Size((c.c_out, c.kernel, c.kernel, c.c_in)) for c in self.convs] + [torch.Size((CLASSES, 1, 1, STACKS[-1]))]
        self.rows = nested.Rows([c.kernel ** 2 * c.c_in for c in self.convs for _ in range(c.c_out)] + [CLASSES * STACKS[-1]])
        self.weight = nn.Parameter(torch.cat([torch.randn(s.numel(), generator=rng) * (2 / (s.numel() / s[0])) ** 0.5 for s in self.shapes]))
        sets, channels = n if norm == "own" else n * n, [c.c_out for c in self.convs]
        self.gamma, self.beta = nn.Parameter(torch.ones(sets, sum(channels))), nn.Parameter(torch.zeros(sets, sum(channels)))
        self.register_buffer("mean", torch.zeros(sets, sum(channels)))
        self.register_buffer("var", torch.ones(sets, sum(channels)))
        clips = [[first_clip(b) * (1.4 if i % 2 == 0 else 1) for i in range(self.n_choices)] for b in widths]
        self.clip = nn.Parameter(torch.tensor(clips).log())  # logarithms; of a choice's input, a row a width
        self.out = nn.Parameter(torch.tensor([FIRST_OUT[0]] + [FIRST_OUT[1]] * len(self.blocks)).log())
        self.head_bias = nn.Parameter(torch.zeros(n, CLASSES))
        self.head_gain = nn.Parameter(torch.zeros(n))        # log2; positive scale changes no answer
        self.frozen, self.statistics = False, None
        self._indices(channels)

    def _indices(self, channels):
        n = self.n_choices

        def buffer(name, values):
            self.register_buffer(name, torch.tensor(values), False)
        buffer("bits", [float(b) for b in self.widths])
        buffer("width_at", [n if c.choice is None else c.choice for c in self.convs] + [n])  # a convolution's place in [bits of choices, 8]
        buffer("set_own", [n if c.norm is None else c.norm for c in self.convs])             # likewise in [candidates of choices, 0]
        buffer("set_before", [n if c.before is None else c.before for c in self.convs])
        self.register_buffer("conv_of_weight", torch.repeat_interleave(torch.arange(len(self.shapes)), torch.tensor([s.numel() for s in self.shapes])), False)
        self.register_buffer("conv_of_channel", torch.repeat_interleave(torch.arange(len(channels)), torch.tensor(channels)), False)
        # What a convolution's output is counted in: places in [clips of choices, outputs of stem and blocks].
        ends = {0: n}
        for i, b in enumerate(self.blocks):
            ends.update({b.conv1: 2 * i + 1, b.conv2: n + 1 + i, b.short: n + 1 + i})
        counted = [ends[i] for i in range(len(self.convs))]
        self.register_buffer("end_of_channel", F.one_hot(torch.tensor(counted), n + 1 + len(self.blocks)).float()[self.conv_of_channel], False)

    def channels(self, i):
        """Places of a convolution's channels in the table of normalizations."""
        first = sum(c.c_out for c in self.convs[:i])
        return slice(first, first + self.convs[i].c_out)

    def uniform(self, k):
        return [k] * self.n_choices

    @torch.no_grad()
    def constrain(self):
        """After each step: positive slopes."""
        self.gamma.clamp_(min=GAMMA_MIN)

    def freeze(self, frozen=True):
        """Frozen: running statistics, the shift rounded to whole units of the accumulator, as the exported bias is."""
        self.frozen = frozen

    def normalized(self):
        return self.rows.normalized(self.weight)

    def sets(self, chosen):
        """A row of the table of normalizations for each convolution; chosen: a tensor."""
        known = F.pad(chosen, (0, 1))
        own = known[self.set_own]
        return own if self.keyed == "own" else known[self.set_before] * len(self.widths) + own

    def path(self, x, chosen, mixed=False):
        """x: normalized(); chosen: int64 tensor, a candidate for each choice. mixed: `blend` puts several paths together, so normalization inside a
        block leaves the next clip to it."""
        chosen = torch.as_tensor(chosen, device=x.device)
        bits = F.pad(self.bits[chosen], (0, 1), value=float(MASTER))[self.width_at]
        unit = torch.exp2(1 - 2 * bits)  # a power of two that keeps sums near 1 (float16's range): what one step of an accumulator is worth
        weights = nested.codes(x, bits[self.conv_of_weight], unit[self.conv_of_weight], self.rule, self.shapes, self.dtype)
        clip, out = self.clip.gather(0, chosen[None])[0].exp(), self.out.exp()
        counted = torch.cat([1 / clip, 1 / out[:1], TOP / out[1:]]) # what the stem puts out is clipped at 1, a block's sum at 255
        if mixed:
            counted = torch.cat([torch.ones_like(clip), counted[self.n_choices:]])
        ratio = self.end_of_channel @ counted
        rows = self.sets(chosen)[self.conv_of_channel][None]
        gamma, beta = self.gamma.gather(0, rows)[0], self.beta.gather(0, rows)[0]
        if self.frozen:
            u, sigma = unit[self.conv_of_channel], torch.sqrt(self.var.gather(0, rows)[0] + EPS)
            bias = (beta * sigma / gamma - self.mean.gather(0, rows)[0]) / u
            gamma, beta = gamma / sigma, (bias + (torch.floor(bias + 0.5) - bias).detach()) * u * gamma / sigma
        sizes = [c.c_out for c in self.convs]
        top = torch.exp2(self.bits[chosen]) - 1
        step, last = out / TOP, chosen[-1:]
        return Path(weights, (gamma * ratio).split(sizes), (beta * ratio).split(sizes), (step[:-1] / clip[::2]).unbind(), top.unbind(), clip.unbind(),
                    (out[:-1] / out[1:]).unbind(), self.head_bias.index_select(0, last)[0], self.head_gain.index_select(0, last), step[-1] * 2.0 ** (1 - MASTER))

    def norm(self, p, i, acc):
        if self.statistics is not None:
            self.statistics(i, acc)
        if self.frozen:
            return acc * p.scale[i].to(acc.dtype).view(-1, 1, 1) + p.shift[i].to(acc.dtype).view(-1, 1, 1)
        return F.batch_norm(acc, None, None, p.scale[i], p.shift[i], True, 0.0, EPS)

    def conv(self, p, i, u):
        return self.norm(p, i, convolve(u, p.weights[i], self.convs[i].stride))

    def early(self, x, p):
        """Image codes minus their zero, NCHW -> the stem's codes. The same on every path."""
        return quantize(self.conv(p, 0, x.to(self.dtype)), torch.full_like(p.top[0], TOP))

    def late(self, r, p):
        """The stem's codes -> float32 logits."""
        for i, b in enumerate(self.blocks):
            u = quantize(self.conv(p, b.conv1, requant(r, p.ratio[i], p.top[2 * i])), p.top[2 * i + 1])
            z = self.conv(p, b.conv2, u)
            r = join(z, r, p.blend[i], TOP) if b.short is None else join(z, self.conv(p, b.short, r), None, TOP)
        return self.head(r, p, p.bias, p.gain)

    def head(self, r, p, bias, gain):
        acc = pool(r) @ p.weights[-1].flatten(1).float().t() / 2.0 ** (1 - 2 * MASTER)
        step = p.step
        bias = bias / step.detach()
        return (acc + bias + (torch.floor(bias + 0.5) - bias).detach()) * (step * 0.3 * torch.exp2(gain))

    def blended(self, r, paths, decisions):
        """Images that take their own candidates: paths (mixed) of every uniform width, decisions [n, choices, candidates] one-hot, with gradient."""
        def share(i, parts):
            return sum(z * d.to(z.dtype).view(-1, 1, 1, 1) for z, d in zip(parts, decisions[:, i].unbind(1)))
        for i, b in enumerate(self.blocks):
            z = share(2 * i, [self.conv(p, b.conv1, requant(r, p.ratio[i], p.top[2 * i])) for p in paths])
            z = share(2 * i + 1, [self.conv(p, b.conv2, requant(z, 1 / p.clip[2 * i + 1], p.top[2 * i + 1])) for p in paths])
            if b.short is None:
                r = join(z, r, paths[0].blend[i], TOP)
            else:
                acc = convolve(r, paths[0].weights[b.short], self.convs[b.short].stride)
                r = join(z, share(2 * i + 1, [self.norm(p, b.short, acc) for p in paths]), None, TOP)
        last = decisions[:, -1]
        return self.head(r, paths[0], last @ torch.stack([p.bias for p in paths]), last @ torch.stack([p.gain for p in paths]))

    def forward(self, x, chosen):
        p = self.path(self.normalized(), torch.as_tensor(chosen, device=self.weight.device))
        return self.late(self.early(x, p), p)

    @torch.no_grad()
    def collect(self, batches):
        """Statistics of the normalization as plain means over (images, assignments of candidates) pairs, in float32 on exact codes; then frozen."""
        self.dtype, self.frozen = torch.float32, False
        mean, var, count = torch.zeros_like(self.mean), torch.zeros_like(self.var), torch.zeros_like(self.mean)
        x = self.normalized()
        for images, assignments in batches:
            for chosen in assignments:
                rows = self.sets(torch.as_tensor(chosen, device=x.device)).tolist()

                def note(i, acc):
                    at = self.channels(i)
                    mean[rows[i], at] += acc.mean((0, 2, 3))
                    var[rows[i], at] += acc.var((0, 2, 3))
                    count[rows[i], at] += 1
                self.statistics = note
                p = self.path(x, chosen)
                self.late(self.early(images, p), p)
        self.statistics = None
        seen = count > 0
        self.mean.copy_(torch.where(seen, mean / count.clamp(min=1), self.mean))
        self.var.copy_(torch.where(seen, var / count.clamp(min=1), self.var))
        self.freeze()

    def macs(self):
        """MACs of each choice, padding taps included."""
        size, out = 32, []
        for b in self.blocks:
            for c in (self.convs[b.conv1], self.convs[b.conv2]):
                size = -(-size // c.stride)
                out.append(size * size * c.kernel ** 2 * c.c_in * c.c_out)
        return out


def shared(name):
    """Whether all widths use this tensor of the network; the others have a row a width (or a pair of widths)."""
    return name in ("weight", "out")


def build(cfg, rng):
    return ResNet(cfg["depth"], cfg["widths"], cfg["nesting"], cfg["norm"], rng)
