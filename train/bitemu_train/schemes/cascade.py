# SPDX-License-Identifier: Apache-2.0
"""An input-aware version of a finished any-precision network: every image at the width `first`; again at `second` where the two best classes are
closer than a margin, and then the answer is that of both. A cascade (big/little, early exit) whose second network is the first one at another
width: weights are stored once. Nothing is trained; `margin` is the smallest one that sends the share `again` of the training images, augmented, a
second time. Confidence on images that were trained on is higher than on others: expect a larger share there.

The control layers are integers: 8-bit logits, their largest, what the others lack to it, one sum, argmax (networks/resnet_export.py)."""
import math

import torch

from ..training import batches, epoch_rng

PER_UNIT = 8  # codes that a logit of 1 is worth: 8 bits hold -16 .. 15.9
MOST = 127


@torch.no_grad()
def gaps(net, part, first, cfg):
    """Best less second best logit of training images."""
    out, x0 = [], net.normalized()
    path = net.path(x0, net.uniform(net.widths.index(first)))
    for i, (x, _) in enumerate(batches(part, min(500, len(part.y)), epoch_rng(cfg["seed"], 10 ** 7))):
        if i == cfg["batches"]:
            break
        best = net.late(net.early(x, path), path).topk(2, 1).values
        out.append(best[:, 0] - best[:, 1])
    return torch.cat(out)


def margin(net, part, cfg):
    """In codes."""
    torch.set_num_threads(cfg["threads"])
    g = gaps(net, part, cfg["first"], cfg).sort().values
    wanted = float(g[min(len(g) - 1, int(cfg["again"] * len(g)))]) * PER_UNIT
    if not 1 <= math.ceil(wanted) <= MOST:
        raise ValueError(f"again: {cfg['again']} of the images takes a margin of {wanted / PER_UNIT:.3g} logits; 1/{PER_UNIT} to {MOST / PER_UNIT:.3g} can be had")
    return math.ceil(wanted)
