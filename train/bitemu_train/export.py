# SPDX-License-Identifier: Apache-2.0
"""A trained network as integers: normalization and clips become a bias, a Q0.31 multiplier and a shift per channel and table entry.
A layer's table is keyed by its own candidate (normalization, step) and its consumer's (clip, width of the output)."""
import numpy as np
import torch

from .controller import POOL
from .integers import Graph, conv_attrs, multiplier, pool_attrs
from .network import CLASSES, INPUT_BITS, INPUT_STEP, SIZE
from .quantizers.latent import MASTER_BITS, master_codes, round_ste, weight_step


def _entry(norm, k, step, alpha, top):
    """(bias, multiplier, shift) arrays of one table entry: code = round(slope (acc + bias) / alpha * top)."""
    slope, bias = norm.fold(k, step)
    ratio = (slope.double() * top / float(alpha)).tolist()
    pairs = [multiplier(r) for r in ratio]
    return round_ste(bias).numpy().astype(np.int64), [p[0] for p in pairs], [p[1] for p in pairs]


def _table(entries, keys, tops):
    bias = np.array([e[0] for e in entries])
    assert np.abs(bias).max() < 2 ** 31
    n = len(entries)
    return {"keys": keys, "bias": bias.astype(np.int32), "multiplier": np.array([e[1] for e in entries], np.int32),
            "shift": np.array([e[2] for e in entries], np.int8), "in_zero": [0] * n, "out_zero": [0] * n, "out_min": [0] * n, "out_max": tops}


def _raw(bias):
    """A layer whose output is the accumulator."""
    return {"keys": [], "bias": np.array(bias, np.int64).astype(np.int32)[None], "in_zero": [0]}


def _weights(conv):
    return master_codes(conv.latent).permute(0, 2, 3, 1).numpy()  # OHWI


@torch.no_grad()
def graph(net, name):
    """The network as the native format's graph, arrays in place."""
    g, widths, n = Graph(), net.widths, len(net.convs)
    choices = [f"conv{i + 1}" for i in range(n)]
    tops = [2 ** b - 1 for b in widths]
    stem_c, widen_c = net.stem.latent.shape[0], net.widen.latent.shape[0]
    w8 = weight_step(MASTER_BITS)

    image = g.tensor("image", "uint8", INPUT_BITS, (1, SIZE, SIZE, 1))
    stem_w = g.tensor("stem_w", "int8", 8, (stem_c, 3, 3, 1), _weights(net.stem))
    stem = g.tensor("stem", "uint8", 8, (1, SIZE, SIZE, stem_c))
    alpha = float(net.stem_clip.alpha[0])
    g.layer("stem", "CONV_2D", [image, stem_w], stem, attrs=conv_attrs(1),
            integer=_table([_entry(net.stem_norm, 0, INPUT_STEP * w8, alpha, 255)], [], [255]))

    pooled = g.tensor("control_pool", "uint8", 8, (1, SIZE // POOL, SIZE // POOL, stem_c))
    g.layer("control_pool", "AVERAGE_POOL_2D", [stem], pooled, attrs=pool_attrs(POOL))
    features, outputs = net.controller.latent.shape[1], n * len(widths)
    step = net.controller.step(torch.tensor(alpha / 255))
    control_w = g.tensor("control_w", "int8", 8, (outputs, features), master_codes(net.controller.latent).numpy())
    control = g.tensor("control", "int32", 32, (1, outputs))
    g.layer("control", "FULLY_CONNECTED", [pooled, control_w], control, integer=_raw(round_ste(net.controller.bias / step).numpy()))
    rows = g.tensor("control_rows", "int32", 32, (n, len(widths)))
    g.layer("control_rows", "RESHAPE", [control], rows)
    axis = g.tensor("axis", "int32", 32, (), 1)
    decision = g.tensor("decision", "int32", 32, (n,))
    g.layer("decision", "ARG_MAX", [rows, axis], decision)

    widen_w = g.tensor("widen_w", "int8", 8, (widen_c, 1, 1, stem_c), _weights(net.widen))
    x = g.tensor("widen", "uint8", max(widths), (1, SIZE, SIZE, widen_c))
    entries = [_entry(net.widen_norm, 0, alpha / 255 * w8, net.clips[0].alpha[k], tops[k]) for k in range(len(widths))]
    g.layer("widen", "CONV_2D", [stem, widen_w], x, attrs=conv_attrs(1), integer=_table(entries, [choices[0]], tops))

    size = SIZE
    for i, (conv, norm) in enumerate(zip(net.convs, net.norms)):
        c_out, c_in = conv.latent.shape[:2]
        size = -(-size // conv.stride)
        last = i == n - 1
        w = g.tensor(f"conv{i + 1}_w", "int8", MASTER_BITS, (c_out, 3, 3, c_in), _weights(conv))
        y = g.tensor(f"conv{i + 1}", "uint8", 8 if last else max(widths), (1, size, size, c_out))
        after = [(net.head_clip.alpha[0], 255)] if last else [(net.clips[i + 1].alpha[j], tops[j]) for j in range(len(widths))]
        entries, out_max = [], []
        for k, b in enumerate(widths):
            in_step = float(net.clips[i].alpha[k]) / tops[k] * weight_step(b)
            for alpha_next, top in after:
                entries.append(_entry(norm, k, in_step, alpha_next, top))
                out_max.append(top)
        g.layer(f"conv{i + 1}", "CONV_2D", [x, w], y, attrs=conv_attrs(conv.stride), choice=choices[i],
                weights={"nesting": "floor", "bits": MASTER_BITS, "tensors": [w]},
                integer=_table(entries, [choices[i]] + ([] if last else [choices[i + 1]]), out_max))
        x = y

    pool = g.tensor("pool", "uint8", 8, (1, 1, 1, c_out))
    g.layer("pool", "AVERAGE_POOL_2D", [x], pool, attrs=pool_attrs(size))
    head_w = g.tensor("head_w", "int8", 8, (CLASSES, c_out), master_codes(net.head).numpy())
    logits = g.tensor("logits", "int32", 32, (1, CLASSES))
    step = net.head_clip.alpha[0] / 255 * w8
    g.layer("head", "FULLY_CONNECTED", [pool, head_w], logits, integer=_raw(round_ste(net.head_bias / step).numpy()))
    return {"name": name, "profile": "tflm", "inputs": [image], "outputs": [logits], "tensors": g.tensors,
            "choices": [{"name": c, "candidates": [{"w": b, "a": b} for b in widths], "decision": {"tensor": decision, "element": i}}
                        for i, c in enumerate(choices)], "layers": g.layers}
