# SPDX-License-Identifier: Apache-2.0
"""A chain of 3x3 convolutions with any quantizers: what a quantizer is tried on.

  codes -> stem 3x3 (`ends`) -> 3x3 ... (`weights`), each with batch normalization and `activations` -> average pool -> linear (`ends`) -> logits

The activations of the last convolution are the `ends`' own. `frozen`: running statistics, and the bias rounded to whole units as it is exported."""
import torch
from torch import nn
import torch.nn.functional as F

from .. import quantizers, stated
from ..integers import Graph, conv_attrs, pool_attrs
from ..quantizers import Steps, power_of_two, through
from ..quantizers.requant import pool

GAMMA_MIN = 1e-3


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
    """A convolution or (kernel 0) a linear layer with a bias; the quantizer of its weights and, unless it is the last, of its output."""
    def __init__(self, c_in, c_out, kernel, stride, weights, activations, gradients, rng):
        super().__init__()
        shape = (c_out, c_in, kernel, kernel) if kernel else (c_out, c_in)
        self.stride, self.quantized, self.frozen = stride, False, False
        self.weight = nn.Parameter(torch.randn(shape, generator=rng) * (2 / (c_in * max(kernel, 1) ** 2)) ** 0.5)
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
        size, kernel = x.shape[-1], w.shape[-1]
        total = max((-(-size // self.stride) - 1) * self.stride + kernel - size, 0)  # padding "same" as TFLite lays it
        return F.conv2d(F.pad(x, (total // 2, total - total // 2) * 2), w, stride=self.stride)

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


class Plain(nn.Module):
    """image: Steps of the input's codes."""
    def __init__(self, cfg, image, classes, rng):
        super().__init__()
        net, ends = cfg["network"], cfg["ends"]
        self.image = image
        body, channels = cfg["weights"], [net["stem"]] + net["channels"]
        outs = [cfg["activations"]] * len(net["channels"]) + [{"quantizer": ends["activations"], "bits": 8}]
        end = {"quantizer": ends["weights"], "bits": 8}
        layers = [Layer(1, channels[0], 3, 1, end, outs[0], cfg["gradients"], rng)]
        for a, b, stride, out in zip(channels, channels[1:], net["strides"], outs[1:]):
            layers.append(Layer(a, b, 3, stride, body, out, cfg["gradients"], rng))
        self.convs = nn.ModuleList(layers)
        self.head = Layer(channels[-1], classes, 0, 1, end, None, 0, rng)

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


@torch.no_grad()
def graph(net, name, size):
    """The frozen network for images of size x size, one channel, as the native format's graph."""
    g, entered = Graph(), net.image
    x = g.tensor("image", "uint8", entered.top.bit_length(), (1, size, size, 1))
    image = x
    for i, one in enumerate(net.convs):
        size = -(-size // one.stride)
        out, (slope, offset) = one.out.steps(), one.fold()
        x = stated.layer(g, f"conv{i}", x, one.quantizer.codes(one.weight), slope, offset, entered, out, (size, size), conv_attrs(one.stride),
                         entered.top.bit_length())
        entered = out
    pooled = g.tensor("pool", "uint8", entered.top.bit_length(), (1, 1, 1, g.tensors[-1]["shape"][3]))
    g.layer("pool", "AVERAGE_POOL_2D", [x], pooled, attrs=pool_attrs(size))
    slope, offset = net.head.fold()
    logits = stated.layer(g, "logits", pooled, net.head.quantizer.codes(net.head.weight), slope, offset, Steps(entered.step, entered.top), None)
    return {"name": name, "profile": "bitemu", "inputs": [image], "outputs": [logits], "tensors": g.tensors, "choices": g.choices, "layers": g.layers}
