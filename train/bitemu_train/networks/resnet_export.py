# SPDX-License-Identifier: Apache-2.0
"""A frozen residual network (networks/resnet.py) as the native format's graph: integers only (docs/FORMAT.md).

  graph     every 3x3 convolution of a block its own choice of all widths; a controller behind the stem decides, or nobody (a policy does)
  skipping  a choice a block, one width or none: a control node in front of each block decides (schemes/d2nn.py)
  cascade   the network twice over the same weights: again at another width where the first answer was not sure (schemes/cascade.py)"""
import itertools

import numpy as np
import torch

from ..data.cifar10 import CHANNELS, CLASSES, SIZE, ZERO
from ..integers import Graph, conv_attrs, multiplier, pool_attrs, table
from ..quantizers import nested
from ..quantizers.latent import master_codes, round_ste
from .resnet import EPS, MASTER, STACKS, TOP

ONE = multiplier(1.0)


def unit(bits):
    return 2.0 ** (1 - 2 * bits)


def fixed(bias):
    """The one row of a table of biases."""
    return np.asarray(bias).astype(np.int64).astype(np.int32)[None]


class _Export:
    """The stem and what all passes share."""
    def __init__(self, net):
        self.net, self.g, self.made = net, Graph(), set()
        self.out, self.clip = net.out.exp().tolist(), net.clip.exp().tolist()
        self.masters = nested.master(net.normalized()).split([s.numel() for s in net.shapes])
        self.choices = []
        g = self.g
        image = g.tensor("image", "uint8", MASTER, (1, SIZE, SIZE, CHANNELS))
        y = g.tensor("stem", "uint8", MASTER, (1, SIZE, SIZE, STACKS[0]))
        entry = self.entry(0, 0, MASTER, TOP / self.out[0])
        self.stem = g.layer("stem", "CONV_2D", [image, self.weights("stem", 0)], y, attrs=conv_attrs(1), integer=table([entry], [], 0, TOP, ZERO))

    def choice(self, name, widths, tensor=None, element=0):
        decision = {} if tensor is None else {"decision": {"tensor": tensor, "element": element}}
        self.choices.append({"name": name, "candidates": [{"w": b, "a": b} for b in widths], **decision})
        return name

    def weights(self, name, i):
        shape = (CLASSES, STACKS[-1]) if name == "head" else tuple(self.net.shapes[i])
        if name in self.made:
            return f"{name}_w"
        self.made.add(name)
        return self.g.tensor(f"{name}_w", "int8", MASTER, shape, self.masters[i].view(*shape).numpy())

    def entry(self, i, row, bits, ratio):
        """(biases, multipliers, shifts) of one table entry: round(slope (acc + bias) ratio), everything in whole units of the accumulator."""
        net, at = self.net, self.net.channels(i)
        gamma, beta, mean, var = (t[row, at].double() for t in (net.gamma, net.beta, net.mean, net.var))
        sigma, u = torch.sqrt(var + EPS), unit(bits)
        pairs = [multiplier(r) for r in (gamma / sigma * u * ratio).tolist()]
        return torch.floor((beta * sigma / gamma - mean) / u + 0.5).numpy(), [p[0] for p in pairs], [p[1] for p in pairs]

    def linear(self, name, x, codes, bias, dtype="int32", **more):
        """A fully connected layer of 8-bit codes [out, in], its output the accumulator unless a table says otherwise."""
        w = self.g.tensor(f"{name}_w", "int8", MASTER, tuple(codes.shape), np.asarray(codes))
        y = self.g.tensor(name, dtype, 32 if dtype == "int32" else MASTER, (1, len(codes)))
        return self.g.layer(name, "FULLY_CONNECTED", [x, w], y, integer={"keys": [], "bias": fixed(bias), "in_zero": [0], **more})

    def argmax(self, name, logits, decisions, candidates):
        """The tensor of the decisions [decisions], each the first largest of its row of logits."""
        g = self.g
        if "axis" not in self.made:
            self.made.add("axis")
            g.tensor("axis", "int32", 32, (), 1)
        rows = g.layer(f"{name}_rows", "RESHAPE", [logits], g.tensor(f"{name}_rows", "int32", 32, (decisions, candidates)))
        decision = g.tensor(f"{name}_decision", "int32", 32, (decisions,))
        return g.layer(f"{name}_decision", "ARG_MAX", [rows, "axis"], decision)

    def controller(self, name, gate, x, x_step, size, candidates):
        """Controller layers on 8-bit codes x [size, size, c]: pool, linear map (perhaps with a hidden layer), argmax."""
        g, side, c, step = self.g, size // gate.pool, gate.features // (size // gate.pool) ** 2, torch.tensor(x_step)
        pooled = g.tensor(f"{name}_pool", "uint8", MASTER, (1, side, side, c))
        g.layer(f"{name}_pool", "AVERAGE_POOL_2D", [x], pooled, attrs=pool_attrs(gate.pool))
        x = pooled
        if gate.hidden:
            next_step = gate.hidden_step()
            m, s = multiplier(float(gate.step(step).double() / next_step.double()))
            bias = round_ste(gate.hidden_bias / gate.step(step)).numpy()
            x = self.linear(f"{name}_hidden", x, master_codes(gate.hidden_latent).numpy(), bias, "uint8", multiplier=np.full((1, gate.hidden), m, np.int32),
                            shift=np.full((1, gate.hidden), s, np.int8), out_zero=[0], out_min=[0], out_max=[TOP])
            step = next_step
        logits = self.linear(name, x, master_codes(gate.latent).numpy(), round_ste(gate.bias / gate.step(step)).numpy())
        return self.argmax(name, logits, gate.layers, candidates)

    def file(self, name, logits):
        g = self.g
        return {"name": name, "profile": "tflm", "inputs": ["image"], "outputs": [logits], "tensors": g.tensors, "choices": self.choices, "layers": g.layers}


class _Pass:
    """One pass through the blocks. widths: of the candidates, 0: skipped. name_of(i): the choice of 3x3 convolution i; wide: the choice that 8-bit
    layers are bound to, of the same decision, where the pass may be skipped as a whole."""
    def __init__(self, e, widths, name_of, prefix="", wide=None):
        self.e, self.net, self.g, self.prefix, self.name_of, self.wide = e, e.net, e.g, prefix, name_of, wide
        self.widths = [b or max(widths) for b in widths]  # entries at 0 bits are not read
        self.row = [e.net.widths.index(b) for b in self.widths]
        self.tops = [2 ** b - 1 for b in self.widths]

    def entries(self, i, ratios, consumer=None):
        """Table of a convolution: entries, keys, the candidates of `consumer`. ratios: output codes per unit, one, or one for each candidate of it."""
        c = self.net.convs[i]
        own, then = self.name_of(c.norm), None if consumer is None else self.name_of(consumer)
        before = self.name_of(c.before) if self.net.keyed == "transition" and c.before is not None else None
        keys = [k for k in dict.fromkeys((before, own, then)) if k is not None]
        out, taken = [], []
        for combination in itertools.product(range(len(self.widths)), repeat=len(keys)):
            at = dict(zip(keys, combination))
            k, j = at[own], at.get(then, 0)
            row = self.row[k] + (self.row[at[before]] * len(self.net.widths) if before else 0)
            out.append(self.e.entry(i, row, MASTER if c.choice is None else self.widths[k], ratios[j]))
            taken.append(j)
        return out, keys, taken

    def conv(self, i, x, dtype, size, ratios, low, high, consumer=None):
        c = self.net.convs[i]
        entries, keys, taken = self.entries(i, ratios, consumer)
        w, name = self.e.weights(c.name, i), self.prefix + c.name
        y = self.g.tensor(name, dtype, 16 if dtype == "int16" else 8, (1, size, size, c.c_out))
        choice = self.wide if c.choice is None else self.name_of(c.choice)
        bound = {} if choice is None else {"choice": choice, "weights": {"nesting": self.net.rule, "bits": MASTER, "tensors": [w]}}
        high = [high[j] for j in taken] if isinstance(high, list) else high
        return self.g.layer(name, "CONV_2D", [x, w], y, attrs=conv_attrs(c.stride), **bound, integer=table(entries, keys, low, high))

    def block(self, i, r, size):
        """One residual block; returns its output tensor and size."""
        g, e, b, name = self.g, self.e, self.net.blocks[i], f"{self.prefix}block{i + 1}"
        first, second = self.net.convs[b.conv1], self.net.convs[b.conv2]
        step, out_step, out_size = e.out[i] / TOP, e.out[i + 1] / TOP, -(-size // first.stride)
        clip = [[e.clip[row][2 * i + j] for row in self.row] for j in (0, 1)]
        u = g.tensor(f"{name}_in", "uint8", MASTER, (1, size, size, first.c_in))
        ratio = [multiplier(step * top / c) for top, c in zip(self.tops, clip[0])]
        g.layer(f"{name}_in", "QUANTIZE", [r], u, integer=table([([], [m], [s]) for m, s in ratio], [self.name_of(first.choice)], 0, self.tops))
        y = self.conv(b.conv1, u, "uint8", out_size, [top / c for top, c in zip(self.tops, clip[1])], 0, self.tops, consumer=second.choice)
        y = self.conv(b.conv2, y, "int16", out_size, [1 / out_step], -32768, 32767)
        other, scale = r, step / out_step
        if b.short is not None:
            other, scale = self.conv(b.short, r, "int16", out_size, [1 / out_step], -32768, 32767), 1.0
        out = g.tensor(name, "uint8", MASTER, (1, out_size, out_size, second.c_out))
        pairs = [ONE, multiplier(scale)]
        sums = table([([], [p[0] for p in pairs], [p[1] for p in pairs])], [], 0, TOP)
        del sums["in_zero"]
        return g.layer(name, "ADD", [y, other], out, integer=sums), out_size

    def pooled(self, r, size):
        y = self.g.tensor(f"{self.prefix}pool", "uint8", MASTER, (1, 1, 1, STACKS[-1]))
        return self.g.layer(f"{self.prefix}pool", "AVERAGE_POOL_2D", [r], y, attrs=pool_attrs(size))

    def head(self, name, x, dtype="int32", low=0, high=0, zero=0, per_unit=None):
        """The classifier; per_unit: codes that a logit of 1 is worth, None: the accumulator."""
        net, e, step = self.net, self.e, self.e.out[-1] / TOP * 2.0 ** (1 - MASTER)
        bias = torch.floor(net.head_bias / step + 0.5)[self.row].numpy().astype(np.int64).astype(np.int32)
        t = {"keys": [self.name_of(net.n_choices - 1)], "bias": bias, "in_zero": [0] * len(bias)}
        if per_unit is not None:
            pairs = [multiplier(step * 0.3 * 2.0 ** float(net.head_gain[row]) * per_unit) for row in self.row]
            t.update(multiplier=np.array([[p[0]] * CLASSES for p in pairs], np.int32), shift=np.array([[p[1]] * CLASSES for p in pairs], np.int8),
                     out_zero=[zero] * len(bias), out_min=[low] * len(bias), out_max=[high] * len(bias))
        w = e.weights("head", len(net.convs))
        y = self.g.tensor(name, dtype, {"int32": 32, "int16": 16}.get(dtype, 8), (1, CLASSES))
        bound = {} if self.wide is None else {"choice": self.wide, "weights": {"nesting": net.rule, "bits": MASTER, "tensors": [w]}}
        return self.g.layer(name, "FULLY_CONNECTED", [x, w], y, **bound, integer=t)


@torch.no_grad()
def graph(net, name, gate=None):
    """gate: a Controller behind the stem, with one decision for all choices or one a choice."""
    e = _Export(net)
    decision = e.controller("control", gate, e.stem, e.out[0] / TOP, SIZE, len(net.widths)) if gate else None
    p, r, size = _Pass(e, net.widths, lambda i: f"conv{i + 1}"), e.stem, SIZE
    for i in range(net.n_choices):
        e.choice(p.name_of(i), net.widths, decision, i if gate and gate.layers > 1 else 0)
    for i in range(len(net.blocks)):
        r, size = p.block(i, r, size)
    return e.file(name, p.head("logits", p.pooled(r, size)))


@torch.no_grad()
def skipping(net, name, width, gates):
    """gates: a Controller in front of each block, two candidates: the block at `width`, or its shortcut alone."""
    e, widths = _Export(net), [width, 0]
    p, r, size = _Pass(e, widths, lambda i: f"block{i // 2 + 1}"), e.stem, SIZE
    for i, gate in enumerate(gates):
        e.choice(f"block{i + 1}", widths, e.controller(f"control{i + 1}", gate, r, e.out[i] / TOP, size, 2))
        r, size = p.block(i, r, size)
    return e.file(name, p.head("logits", p.pooled(r, size)))


@torch.no_grad()
def cascade(net, name, first, second, margin, per_unit):
    """At `first` bits; again at `second` where another class comes within `margin` codes of the best one, per_unit of them a logit of 1. The answer is the
    sum of the logits there are."""
    e = _Export(net)
    g, codes = e.g, 256
    g.tensor("once", "int32", 32, (1,), np.zeros(1))
    e.choice("first", [first], "once")
    p, r, size = _Pass(e, [first], lambda i: "first"), e.stem, SIZE
    for i in range(len(net.blocks)):
        r, size = p.block(i, r, size)
    pool = p.pooled(r, size)
    one = p.head("first_logits", pool, "int16", -32768, 32767, per_unit=codes)
    near = p.head("sure", pool, "uint8", 0, TOP, zero=128, per_unit=per_unit)
    line = g.layer("sure_line", "RESHAPE", [near], g.tensor("sure_line", "uint8", 8, (1, 1, CLASSES, 1)))
    attrs = {"padding": "valid", "stride_h": 1, "stride_w": CLASSES, "filter_h": 1, "filter_w": CLASSES}
    best = g.layer("best", "MAX_POOL_2D", [line], g.tensor("best", "uint8", 8, (1, 1, 1, 1)), attrs=attrs)
    best = g.layer("best_row", "RESHAPE", [best], g.tensor("best_row", "uint8", 8, (1, 1)))
    both = g.layer("sure_best", "CONCATENATION", [near, best], g.tensor("sure_best", "uint8", 8, (1, CLASSES + 1)), attrs={"axis": 1})
    # near[i] = clamp(code i - best + margin): `margin` for the best, more than 0 for those within it. Again if the sum passes the best one's share.
    differences = np.concatenate([np.eye(CLASSES), -np.ones((CLASSES, 1))], 1)
    close = e.linear("close", both, differences, np.full(CLASSES, margin), "uint8", multiplier=np.full((1, CLASSES), ONE[0], np.int32),
                     shift=np.full((1, CLASSES), ONE[1], np.int8), out_zero=[0], out_min=[0], out_max=[TOP])
    logits = e.linear("control", close, np.stack([np.zeros(CLASSES), np.ones(CLASSES)]), [margin, 0])
    decision = e.argmax("control", logits, 1, 2)
    e.choice("again", [0, second], decision)
    e.choice("again_8bit", [0, MASTER], decision)
    p, r, size = _Pass(e, [0, second], lambda i: "again", "again_", "again_8bit"), e.stem, SIZE
    for i in range(len(net.blocks)):
        r, size = p.block(i, r, size)
    two = p.head("again_logits", p.pooled(r, size), "int16", -32768, 32767, per_unit=codes)
    sums = {"keys": [], "multiplier": np.array([[ONE[0]] * 2], np.int32), "shift": np.array([[ONE[1]] * 2], np.int8), "out_zero": [0], "out_min": [-32768],
            "out_max": [32767]}
    return e.file(name, g.layer("logits", "ADD", [one, two], g.tensor("logits", "int16", 16, (1, CLASSES)), integer=sums))
