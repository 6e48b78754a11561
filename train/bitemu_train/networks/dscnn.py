# SPDX-License-Identifier: Apache-2.0
"""DS-CNN (arXiv:1711.07128) as MLCommons Tiny has it for keywords: a 10x4 convolution of stride 2 and four pairs of a 3x3 depthwise and a 1x1
convolution of 64 channels. `network: {kind: dscnn, channels, blocks}`."""
from .chain import Spec


def specs(net, channels):
    c = net["channels"]
    return [Spec(channels, c, (10, 4), (2, 2), False)] + [Spec(c, c, k, (1, 1), k == (3, 3)) for _ in range(net["blocks"]) for k in ((3, 3), (1, 1))]
