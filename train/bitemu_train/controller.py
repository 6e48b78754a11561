# SPDX-License-Identifier: Apache-2.0
"""The controller: average pool of the stem's 8-bit map, one linear map to a logit per layer and candidate, argmax. At inference it
has no noise and no float; training draws Gumbel noise (arXiv:1611.01144) and passes the gradient straight through the choice."""
import torch
from torch import nn

from .quantizers.latent import round_ste, weight_codes, weight_step, MASTER_BITS

POOL = 2


def average_pool_codes(x, size):
    """Mean of non-negative codes, half up: (sum + n/2) / n, as TFLite pools integers. x NCHW."""
    n = size * size
    total = nn.functional.avg_pool2d(x, size, divisor_override=1)
    return total / n + (torch.floor((total + n // 2) / n) - total / n).detach()


class Controller(nn.Module):
    def __init__(self, features, layers, candidates, rng, pool=POOL):
        super().__init__()
        self.layers, self.candidates, self.pool = layers, candidates, pool
        self.latent = nn.Parameter(torch.randn(layers * candidates, features, generator=rng) * 0.05)
        self.bias = nn.Parameter(torch.zeros(layers * candidates))
        self.gain = nn.Parameter(torch.zeros(()))  # log2; positive scale changes no decision

    def inputs(self, codes):
        """Stem codes NCHW -> pooled codes [n, features], features in NHWC order as the file has them."""
        return average_pool_codes(codes, self.pool).permute(0, 2, 3, 1).flatten(1)

    def step(self, input_step):
        return input_step * weight_step(MASTER_BITS)

    def forward(self, codes, input_step):
        return self.logits(self.inputs(codes), input_step)

    def logits(self, pooled, input_step):
        """Logits [n, layers, candidates] of pooled codes; the integer accumulator times a positive number."""
        step = self.step(input_step).detach()
        acc = pooled @ weight_codes(self.latent, MASTER_BITS).t() + round_ste(self.bias / step)
        return (acc * step * torch.exp2(self.gain)).view(-1, self.layers, self.candidates)


def gumbel_decide(logits, tau, rng):
    """One-hot draws with the softmax's gradient."""
    u = torch.rand(logits.shape, generator=rng).clamp(1e-9, 1 - 1e-7)
    soft = torch.softmax((logits - torch.log(-torch.log(u))) / tau, -1)
    return one_hot(soft.argmax(-1), logits.shape[-1]) + soft - soft.detach()


def one_hot(index, n):
    return nn.functional.one_hot(index, n).float()


def argmax_decide(logits):
    return one_hot(logits.argmax(-1), logits.shape[-1])
