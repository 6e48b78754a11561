# SPDX-License-Identifier: Apache-2.0
"""A chain of convolutions with any quantizers; what it consists of is a network's own file (plain, mobilenet, dscnn).

  codes -> first (`ends`) -> convolutions, depthwise ones too (`weights`), each with batch normalization and `activations` -> average pool
        -> linear (`ends`) -> logits

The activations of the last convolution are the `ends`' own. `frozen`: running statistics, and the bias rounded to whole units as it is exported."""
import importlib
from collections import namedtuple

import torch
from torch import nn
import torch.nn.functional as F

from .. import quantizers, stated
from ..integers import Graph, conv_attrs, pool_attrs
from ..quantizers import Steps, power_of_two, through
from ..quantizers.requant import pool

GAMMA_MIN = 1e-3

# Of a convolution: its kernel and stride (height, width); depthwise: a filter a channel.
Spec = namedtuple("Spec", "c_in c_out kernel stride depthwise")


class Norm(nn.Module):
    """Batch normalization; `shifts`: its slope is a power of two, straight through."""
    def __init__(self, channels, shifts):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))
        self.shifts, self.momentum, self.eps = shifts, 0.1, 1e-5

    def slope(self, var):
        slope = self.gamma / torch.sqrt(var + self.eps)
        return through(slope, power_of_two(slope.detach())) if self.shifts else slope

    def fold(self):
        """slope and offset in float64: z = slope v + offset."""
        slope = self.slope(self.var).double()
        return slope, self.beta.double() - self.mean.double() * slope

    def forward(self, v):
        mean, var = v.mean((0, 2, 3)), v.var((0, 2, 3), unbiased=False)
        with torch.no_grad():
            self.mean += self.momentum * (mean - self.mean)
            self.var += self.momentum * (var - self.var)
        slope = self.slope(var)
        return (v - mean.view(-1, 1, 1)) * slope.view(-1, 1, 1) + self.beta.view(-1, 1, 1)


class Layer(nn.Module):
    """A convolution or (no kernel) a linear layer with a bias; the quantizer of its weights and, unless it is the last, of its output."""
    def __init__(self, spec, weights, activations, gradients, rng):
        super().__init__()
        kernel, c_out, inputs = spec.kernel, spec.c_out, 1 if spec.depthwise else spec.c_in
        shape = (c_out, inputs, *kernel) if kernel else (c_out, inputs)
        self.spec, self.quantized, self.frozen = spec, False, False
        fan = inputs * (kernel[0] * kernel[1] if kernel else 1)
        self.weight = nn.Parameter(torch.randn(shape, generator=rng) * (2 / fan) ** 0.5)
        self.quantizer = quantizers.find(weights["quantizer"], "Weights")(shape, weights["bits"])
        self.out = activations and quantizers.find(activations["quantizer"], "Activations")(activations["bits"])
        self.norm = Norm(c_out, self.quantizer.SHIFTS and self.out.SHIFTS) if kernel else None
        self.bias = None if kernel else nn.Parameter(torch.zeros(c_out))
        self.gradients = quantizers.find("dorefa", "Gradients")(gradients) if gradients else None

    def fold(self):
        return self.norm.fold() if self.norm else (torch.ones(len(self.bias)).double(), self.bias.double())

    def sums(self, x):
        w = self.quantizer(self.weight) if self.quantized else self.weight
        if w.dim() == 2:
            return F.linear(x, w)
        pads = []
        for size, k, stride in zip(x.shape[:1:-1], self.spec.kernel[::-1], self.spec.stride[::-1]):  # padding "same" as TFLite lays it, width first
            total = max((-(-size // stride) - 1) * stride + k - size, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), w, stride=self.spec.stride, groups=self.spec.c_in if self.spec.depthwise else 1)

    def preactivation(self, x, in_step):
        v = self.sums(x)
        v = self.gradients(v) if self.gradients is not None and self.quantized else v
        if not self.frozen:
            return self.norm(v) if self.norm else v + self.bias
        slope, offset = self.fold()
        codes = self.quantizer.codes(self.weight)
        if codes.scale_n is None and not (self.out is not None and self.out.steps().binary):
            unit = stated.units(codes, in_step)
            offset = stated.whole_bias(slope, offset, unit) * slope * unit
        shape = (-1, 1, 1) if v.dim() == 4 else (-1,)
        return (v.double() * slope.view(shape) + offset.view(shape)).float()

    def forward(self, x, in_step):
        z = self.preactivation(x, in_step)
        if self.out is None:
            return z
        return self.out(z) if self.quantized else F.relu(z)


class Chain(nn.Module):
    """specs: of the convolutions; image: Steps of the input's codes."""
    def __init__(self, specs, cfg, image, classes, rng):
        super().__init__()
        ends, n = cfg["ends"], len(specs)
        self.image = image
        end, last = {"quantizer": ends["weights"], "bits": 8}, {"quantizer": ends["activations"], "bits": 8}
        self.convs = nn.ModuleList(Layer(spec, cfg["weights"] if i else end, cfg["activations"] if i < n - 1 else last, cfg["gradients"], rng)
                                   for i, spec in enumerate(specs))
        self.head = Layer(Spec(specs[-1].c_out, classes, None, None, False), end, None, 0, rng)

    def layers(self):
        return [*self.convs, self.head]

    def quantize(self, x):
        """Starts every quantizer from what the layers hold and see, x input codes."""
        with torch.no_grad():
            x, step = x * self.image.step, self.image.step
            for one in self.convs:
                one.quantizer.start(one.weight)
                one.quantized = True
                z = one.preactivation(x, step)
                one.out.start(z)
                x = one.out(z)
            self.head.quantizer.start(self.head.weight)
            self.head.quantized = True

    def freeze(self):
        for one in self.layers():
            one.frozen = True

    @torch.no_grad()
    def limit(self):
        """After each step."""
        for one in self.layers():
            if one.norm:
                one.norm.gamma.clamp_(min=GAMMA_MIN)
            if one.quantized:
                one.quantizer.limit(one.weight)
                if one.out is not None:
                    one.out.limit()

    def penalty(self):
        quantized = [one for one in self.layers() if one.quantized]
        return sum(one.quantizer.penalty(one.weight) for one in quantized) + sum(one.out.penalty() for one in quantized if one.out is not None)

    def epoch(self, done):
        for one in self.layers():
            one.quantizer.epoch(one.weight, done)

    def gradients(self):
        for one in self.layers():
            one.quantizer.gradients()
            if one.out is not None:
                one.out.gradients()

    def forward(self, x):
        x, step = x * self.image.step, self.image.step
        for one in self.convs:
            x = one(x, step)
            step = one.out.steps().step if one.quantized else None
        if not self.head.quantized:
            return self.head(x.mean((2, 3)), None)
        codes = through(x / step, torch.round(x.detach() / step))
        return self.head(pool(codes) * step, step)


def build(cfg, image, channels, classes, rng):
    """The network that cfg["network"] names."""
    net = cfg["network"]
    kind = importlib.import_module(f"{__package__}.{net.get('kind', 'plain')}")
    return Chain(kind.specs(net, channels), cfg, image, classes, rng)


@torch.no_grad()
def graph(net, name, size):
    """The frozen network for images of size (height, width) as the native format's graph."""
    g, entered = Graph(), net.image
    x = image = g.tensor("image", "uint8", entered.top.bit_length(), (1, *size, net.convs[0].spec.c_in))
    for i, one in enumerate(net.convs):
        size = tuple(-(-n // s) for n, s in zip(size, one.spec.stride))
        out, (slope, offset) = one.out.steps(), one.fold()
        x = stated.layer(g, f"conv{i}", x, one.quantizer.codes(one.weight), slope, offset, entered, out, size, conv_attrs(one.spec.stride),
                         entered.top.bit_length(), one.spec.depthwise)
        entered = out
    pooled = g.tensor("pool", "uint8", entered.top.bit_length(), (1, 1, 1, g.tensors[-1]["shape"][3]))
    g.layer("pool", "AVERAGE_POOL_2D", [x], pooled, attrs=pool_attrs(size))
    slope, offset = net.head.fold()
    logits = stated.layer(g, "logits", pooled, net.head.quantizer.codes(net.head.weight), slope, offset, Steps(entered.step, entered.top), None)
    return {"name": name, "profile": "bitemu", "inputs": [image], "outputs": [logits], "tensors": g.tensors, "choices": g.choices, "layers": g.layers}
