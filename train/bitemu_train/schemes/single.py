# SPDX-License-Identifier: Apache-2.0
"""Training with one quantizer at one width: some epochs in float, then with every quantizer; Adam, cosine; extragradient SGD for weights whose quantizer
asks for it (a step along the gradient there, then the gradient found there is applied here). Statistics of the normalization are taken last, over all
training images at once. One thread, one seed: the same bits on the same PyTorch and machine type."""
import torch
import torch.nn.functional as F

from ..data import digits as data
from ..loop import cosine, epoch_rng, prepare
from ..networks import chain
from ..quantizers import Steps

SGD = 5.0  # rate of extragradient steps over Adam's


def optimizers(net, lr, quantized):
    """Adam with a group a rate, and SGD for weights that take extragradient steps (None: there are none)."""
    extra = [one.weight for one in net.layers() if quantized and one.quantizer.EXTRAGRADIENT]
    own, seen = [], {id(w) for w in extra}
    for one in net.layers():
        for q in (one.quantizer, one.out):
            if q is not None and list(q.parameters()):
                own.append({"params": list(q.parameters()), "lr": lr * q.RATE, "rate": q.RATE})
                seen |= {id(p) for p in q.parameters()}
    rest = {"params": [p for p in net.parameters() if id(p) not in seen], "lr": lr, "rate": 1.0}
    return torch.optim.Adam([rest, *own]), torch.optim.SGD(extra, lr=lr * SGD) if extra else None


def step(net, x, y, opt, sgd):
    def back():
        opt.zero_grad()
        if sgd:
            sgd.zero_grad()
        loss = F.cross_entropy(net(x), y) + net.penalty()
        loss.backward()
        net.gradients()
        return float(loss.detach())
    loss = back()
    if sgd:
        here = [p.detach().clone() for p in sgd.param_groups[0]["params"]]
        sgd.step()
        back()
        with torch.no_grad():
            for p, at in zip(sgd.param_groups[0]["params"], here):
                p.copy_(at)
        sgd.step()
    opt.step()
    net.limit()
    return loss


def phase(net, part, cfg, epochs, first, quantized):
    c = cfg["train"]
    opt, sgd = optimizers(net, c["lr"], quantized)
    x, y = data.codes(part.x), torch.from_numpy(part.y)
    n = max(1, len(y) // c["batch"])
    for e in range(epochs):
        rng = epoch_rng(cfg["seed"], first + e)
        if quantized:
            net.epoch(e / epochs)
        order = torch.randperm(len(y), generator=rng)
        for i in range(n):
            lr = cosine(c["lr"], (e + i / n) / epochs)
            for group in opt.param_groups:
                group["lr"] = lr * group["rate"]
            if sgd:
                sgd.param_groups[0]["lr"] = lr * SGD
            ix = order[i * c["batch"]:(i + 1) * c["batch"]]
            last = step(net, data.augment(x[ix], cfg["data"], rng), y[ix], opt, sgd)
            if last != last:
                raise ValueError(f"epoch {first + e}, step {i}: the loss is nan")
    if quantized:
        net.epoch(1.0)


@torch.no_grad()
def calibrate(net, x):
    for one in net.convs:
        one.norm.momentum = 1.0
    net(x)


def train(cfg, part):
    """The frozen network."""
    prepare(cfg["seed"])
    net = chain.build(cfg, Steps(1 / data.TOP, 31), 1, 10, torch.Generator().manual_seed(cfg["seed"]))
    phase(net, part, cfg, cfg["train"]["pretrain"], 0, False)
    net.quantize(data.codes(part.x))
    phase(net, part, cfg, cfg["train"]["epochs"], cfg["train"]["pretrain"], True)
    calibrate(net, data.codes(part.x))
    net.freeze()
    return net
