# SPDX-License-Identifier: Apache-2.0
"""A frozen residual network (networks/resnet.py) as the native format's graph: integers only (docs/FORMAT.md)."""
import numpy as np
import torch

from ..data.cifar10 import CHANNELS, CLASSES, SIZE, ZERO
from ..integers import Graph, conv_attrs, multiplier, pool_attrs, table
from ..quantizers import nested
from ..quantizers.latent import master_codes, round_ste
from .resnet import EPS, MASTER, STACKS, TOP


def unit(bits):
    return 2.0 ** (1 - 2 * bits)


class _Export:
    def __init__(self, net):
        self.net, self.g, self.widths = net, Graph(), net.widths
        self.tops = [2 ** b - 1 for b in self.widths]
        self.out, self.clip = net.out.exp().tolist(), net.clip.exp().tolist()
        self.masters = nested.master(net.normalized()).split([s.numel() for s in net.shapes])

    def weights(self, name, i):
        shape = self.net.shapes[i]
        if name == "head":
            shape = (CLASSES, STACKS[-1])
        return self.g.tensor(f"{name}_w", "int8", MASTER, tuple(shape), self.masters[i].view(*shape).numpy())

    def entry(self, i, row, bits, ratio):
        """(biases, multipliers, shifts) of one table entry: round(slope (acc + bias) ratio), everything in whole units of the accumulator."""
        net, at = self.net, self.net.channels(i)
        gamma, beta, mean, var = (t[row, at].double() for t in (net.gamma, net.beta, net.mean, net.var))
        sigma, u = torch.sqrt(var + EPS), unit(bits)
        pairs = [multiplier(r) for r in (gamma / sigma * u * ratio).tolist()]
        return torch.floor((beta * sigma / gamma - mean) / u + 0.5).numpy(), [p[0] for p in pairs], [p[1] for p in pairs]

    def entries(self, i, ratios, consumer=None):
        """Table of a convolution: entries and their keys. ratios: output codes per unit, one, or one for each candidate of `consumer`."""
        c, n, net = self.net.convs[i], range(len(self.widths)), self.net
        if c.norm is None:
            return [self.entry(i, 0, MASTER, ratios[0])], []
        keyed = net.keyed == "transition" and c.before is not None
        keys = [f"conv{k + 1}" for k in ([c.before] if keyed else []) + [c.norm] + ([] if consumer is None else [consumer])]
        rows = [(p * len(n) + k, k) for p in (n if keyed else [0]) for k in n]
        return [self.entry(i, row, MASTER if c.choice is None else self.widths[k], r) for row, k in rows for r in ratios], keys

    def conv(self, i, x, dtype, size, ratios, low, high, zero=0, consumer=None):
        c = self.net.convs[i]
        entries, keys = self.entries(i, ratios, consumer)
        w = self.weights(c.name, i)
        y = self.g.tensor(c.name, dtype, 16 if dtype == "int16" else 8, (1, size, size, c.c_out))
        bound = {} if c.choice is None else {"choice": f"conv{c.choice + 1}", "weights": {"nesting": self.net.rule, "bits": MASTER, "tensors": [w]}}
        if isinstance(high, list):
            high = high * (len(entries) // len(high))
        return self.g.layer(c.name, "CONV_2D", [x, w], y, attrs=conv_attrs(c.stride), **bound, integer=table(entries, keys, low, high, zero))

    def block(self, i, r, size):
        """One residual block; returns its output tensor and size."""
        g, b, name = self.g, self.net.blocks[i], f"block{i + 1}"
        first, second = self.net.convs[b.conv1], self.net.convs[b.conv2]
        step, out_step, out_size = self.out[i] / TOP, self.out[i + 1] / TOP, -(-size // first.stride)
        u = g.tensor(f"{name}_in", "uint8", MASTER, (1, size, size, first.c_in))
        ratio = [multiplier(step * top / clip[2 * i]) for top, clip in zip(self.tops, self.clip)]
        g.layer(f"{name}_in", "QUANTIZE", [r], u, integer=table([([], [m], [s]) for m, s in ratio], [first.name], 0, self.tops))
        ratios = [top / clip[2 * i + 1] for top, clip in zip(self.tops, self.clip)]
        y = self.conv(b.conv1, u, "uint8", out_size, ratios, 0, self.tops, consumer=second.choice)
        y = self.conv(b.conv2, y, "int16", out_size, [1 / out_step], -32768, 32767)
        other, scale = r, step / out_step
        if b.short is not None:
            other, scale = self.conv(b.short, r, "int16", out_size, [1 / out_step], -32768, 32767), 1.0
        out = g.tensor(name, "uint8", MASTER, (1, out_size, out_size, second.c_out))
        pairs = [multiplier(1.0), multiplier(scale)]
        sums = table([([], [p[0] for p in pairs], [p[1] for p in pairs])], [], 0, TOP)
        del sums["in_zero"]
        g.layer(name, "ADD", [y, other], out, integer=sums)
        return out, out_size

    def controller(self, gate, stem, decisions):
        """Controller layers behind the stem: pool, linear map (perhaps with a hidden layer), argmax. Returns the tensor of the decisions."""
        g, side, c, step = self.g, SIZE // gate.pool, STACKS[0], torch.tensor(self.out[0] / TOP)
        x = g.tensor("control_pool", "uint8", MASTER, (1, side, side, c))
        g.layer("control_pool", "AVERAGE_POOL_2D", [stem], x, attrs=pool_attrs(gate.pool))

        def linear(name, latent, bias, step, dtype, **more):
            w = g.tensor(f"{name}_w", "int8", MASTER, tuple(latent.shape), master_codes(latent).numpy())
            y = g.tensor(name, dtype, 32 if dtype == "int32" else MASTER, (1, len(latent)))
            whole = round_ste(bias / gate.step(step)).numpy().astype(np.int64).astype(np.int32)[None]
            return g.layer(name, "FULLY_CONNECTED", [x, w], y, integer={"keys": [], "bias": whole, "in_zero": [0], **more})
        if gate.hidden:
            next_step = gate.hidden_step()
            m, s = multiplier(float(gate.step(step).double() / next_step.double()))
            x = linear("control_hidden", gate.hidden_latent, gate.hidden_bias, step, "uint8", multiplier=np.full((1, gate.hidden), m, np.int32),
                       shift=np.full((1, gate.hidden), s, np.int8), out_zero=[0], out_min=[0], out_max=[TOP])
            step = next_step
        logits = linear("control", gate.latent, gate.bias, step, "int32")
        axis = g.tensor("axis", "int32", 32, (), 1)
        rows = g.layer("control_rows", "RESHAPE", [logits], g.tensor("control_rows", "int32", 32, (decisions, len(self.widths))))
        decision = g.tensor("decision", "int32", 32, (decisions,))
        g.layer("decision", "ARG_MAX", [rows, axis], decision)
        return decision


@torch.no_grad()
def graph(net, name, gate=None):
    """The frozen network as the native format's graph, arrays in place. gate: a Controller with one decision for all choices, or one a choice."""
    e, stem = _Export(net), net.convs[0].name
    g, size = e.g, SIZE
    image = g.tensor("image", "uint8", MASTER, (1, SIZE, SIZE, CHANNELS))
    r = e.conv(0, image, "uint8", SIZE, [TOP / e.out[0]], 0, TOP, ZERO)
    assert r == stem
    decision = e.controller(gate, r, gate.layers) if gate else None
    for i in range(len(net.blocks)):
        r, size = e.block(i, r, size)
    pooled = g.tensor("pool", "uint8", MASTER, (1, 1, 1, STACKS[-1]))
    g.layer("pool", "AVERAGE_POOL_2D", [r], pooled, attrs=pool_attrs(size))
    w = e.weights("head", len(net.convs))
    logits = g.tensor("logits", "int32", 32, (1, CLASSES))
    bias = torch.floor(net.head_bias / (e.out[-1] / TOP * 2.0 ** (1 - MASTER)) + 0.5).numpy()
    g.layer("head", "FULLY_CONNECTED", [pooled, w], logits, integer={"keys": [f"conv{net.n_choices}"], "bias": bias.astype(np.int64).astype(np.int32),
                                                                    "in_zero": [0] * len(net.widths)})
    candidates = [{"w": b, "a": b} for b in net.widths]

    def decided(i):
        return {} if gate is None else {"decision": {"tensor": decision, "element": i if gate.layers > 1 else 0}}
    return {"name": name, "profile": "tflm", "inputs": [image], "outputs": [logits], "tensors": g.tensors,
            "choices": [{"name": f"conv{i + 1}", "candidates": candidates, **decided(i)} for i in range(net.n_choices)], "layers": g.layers}
