# SPDX-License-Identifier: Apache-2.0
"""Deep Compression (arXiv:1510.00149, sec. 2 and 3): prune by magnitude and retrain, then share weights. The first half of the training masks the
smallest weights and their gradients; then 1-D k-means, centroids spread evenly from the least to the largest remaining weight, gives 2^b - 1 values
beside 0, code 0 of pruned weights. From there only the centroids learn: the gradient of one is the sum over its members.
A centroid is a whole number of -127 .. 127 times max|centroid| / 127 (straight through). Huffman coding and relative indices are of the file, not of the arithmetic."""
import torch
from torch import nn

from . import Codes, Quantizer, half_up, through

SPARSITY, PRUNING, ROUNDS = 0.5, 0.5, 30


def k_means(x, k):
    """Sorted centroids of the numbers x, from an even spread."""
    c = torch.linspace(float(x.min()), float(x.max()), k)
    for _ in range(ROUNDS):
        member = torch.bucketize(x, (c[1:] + c[:-1]) / 2)
        count = torch.bincount(member, minlength=k)
        total = torch.zeros(k).index_add_(0, member, x)
        c = torch.sort(torch.where(count > 0, total / count.clamp(min=1), c)).values
    return c


class _Shared(torch.autograd.Function):
    """table[index]; index 0 is pruned and gives no gradient."""
    @staticmethod
    def forward(ctx, table, index):
        ctx.save_for_backward(index)
        ctx.n = len(table)
        return table[index]

    @staticmethod
    def backward(ctx, g):
        index, = ctx.saved_tensors
        out = torch.zeros(ctx.n, dtype=g.dtype).index_add_(0, index.flatten(), g.flatten())
        out[0] = 0
        return out, None


class Weights(Quantizer):
    WIDTHS, RATE = tuple(range(2, 9)), 0.1

    def __init__(self, shape, bits):
        super().__init__()
        self.bits, self.shared = bits, False
        self.register_buffer("mask", torch.ones(shape))
        self.register_buffer("index", torch.zeros(shape, dtype=torch.int64))
        self.centroids = nn.Parameter(torch.zeros(2 ** bits))

    @torch.no_grad()
    def start(self, w):
        self.mask.copy_(w.abs() > w.abs().flatten().kthvalue(max(1, int(SPARSITY * w.numel()))).values)

    @torch.no_grad()
    def epoch(self, w, done):
        if done >= PRUNING and not self.shared:
            kept = self.mask > 0
            c = k_means(w[kept], 2 ** self.bits - 1)
            self.centroids[1:] = c
            self.index[kept] = 1 + torch.bucketize(w[kept], (c[1:] + c[:-1]) / 2)
            self.shared = True

    def _table(self):
        """(whole numbers, their scale) of the centroids."""
        c = self.centroids.detach()
        scale = c.abs().max().clamp(min=1e-12) / 127
        return half_up(c / scale), scale

    def forward(self, w):
        if not self.shared:
            return w * self.mask
        whole, scale = self._table()
        return _Shared.apply(through(self.centroids, whole * scale), self.index)

    @torch.no_grad()
    def codes(self, w):
        whole, scale = self._table()
        return Codes(self.index.clone(), {"weights": "codebook", "table": [int(v) for v in whole]}, self.bits, scale.view(1))
