# SPDX-License-Identifier: Apache-2.0
"""The controller: average pool of the stem's 8-bit map, one linear map (or two, with rectified 8-bit codes between them) to a logit per layer
and candidate, argmax. At inference it has no noise and no float; training draws Gumbel noise (arXiv:1611.01144) and passes the gradient
straight through the choice."""
import torch
from torch import nn

from .quantizers.latent import activation_codes, round_ste, weight_codes, weight_step, MASTER_BITS

POOL = 2


def average_pool_codes(x, size):
    """Mean of non-negative codes, half up: (sum + n/2) / n, as TFLite pools integers. x NCHW."""
    n = size * size
    total = nn.functional.avg_pool2d(x, size, divisor_override=1)
    return total / n + (torch.floor((total + n // 2) / n) - total / n).detach()


class Controller(nn.Module):
    """layers: of decisions; hidden: codes between two linear maps, 0: one map."""
    def __init__(self, features, layers, candidates, rng, pool=POOL, hidden=0):
        super().__init__()
        self.features, self.layers, self.candidates, self.pool, self.hidden = features, layers, candidates, pool, hidden
        if hidden:
            self.hidden_latent = nn.Parameter(torch.randn(hidden, features, generator=rng) * 0.05)
            self.hidden_bias = nn.Parameter(torch.zeros(hidden))
            self.hidden_clip = nn.Parameter(torch.tensor(1.0))  # log2
        self.latent = nn.Parameter(torch.randn(layers * candidates, hidden or features, generator=rng) * 0.05)
        self.bias = nn.Parameter(torch.zeros(layers * candidates))
        self.gain = nn.Parameter(torch.zeros(()))  # log2; positive scale changes no decision

    def inputs(self, codes):
        """Stem codes NCHW -> pooled codes [n, features], features in NHWC order as the file has them."""
        return average_pool_codes(codes, self.pool).permute(0, 2, 3, 1).flatten(1)

    def step(self, input_step):
        return input_step * weight_step(MASTER_BITS)

    def hidden_step(self):
        """What a code between the two maps is worth."""
        return torch.exp2(self.hidden_clip) / (2 ** MASTER_BITS - 1)

    def forward(self, codes, input_step):
        return self.logits(self.inputs(codes), input_step)

    def logits(self, pooled, input_step):
        """Logits [n, layers, candidates] of pooled codes; the integer accumulator times a positive number."""
        def linear(x, latent, bias, step):
            return x @ weight_codes(latent, MASTER_BITS).t() + round_ste(bias / step.detach())
        step = self.step(input_step).detach()
        if self.hidden:
            acc = linear(pooled, self.hidden_latent, self.hidden_bias, step)
            pooled, input_step = activation_codes(acc * step, torch.exp2(self.hidden_clip), MASTER_BITS)
            step = self.step(input_step)
        return (linear(pooled, self.latent, self.bias, step) * step * torch.exp2(self.gain)).view(-1, self.layers, self.candidates)


def gumbel_decide(logits, tau, noise):
    """One-hot draws with the softmax's gradient; noise: uniform in 0 .. 1, of the logits' shape."""
    u = noise.clamp(1e-9, 1 - 1e-7)
    soft = torch.softmax((logits - torch.log(-torch.log(u))) / tau, -1)
    return one_hot(soft.argmax(-1), logits.shape[-1]) + soft - soft.detach()


def one_hot(index, n):
    return nn.functional.one_hot(index, n).float()


def argmax_decide(logits):
    return one_hot(logits.argmax(-1), logits.shape[-1])
