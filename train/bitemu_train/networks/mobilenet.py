# SPDX-License-Identifier: Apache-2.0
"""MobileNetV1 (arXiv:1704.04861, table 1): a 3x3 convolution and thirteen pairs of a 3x3 depthwise and a 1x1 convolution. `network: {kind: mobilenet,
width, first_stride}`: channels times width (MLCommons Tiny's visual wake words: 0.25), the stride of the first convolution (2; 1 for small images)."""
from .chain import Spec

PAIRS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1))


def specs(net, channels):
    def scaled(c):
        return max(1, round(c * net["width"]))
    c, first = scaled(32), net["first_stride"]
    out = [Spec(channels, c, (3, 3), (first, first), False)]
    for wide, stride in PAIRS:
        out += [Spec(c, c, (3, 3), (stride, stride), True), Spec(c, scaled(wide), (1, 1), (1, 1), False)]
        c = scaled(wide)
    return out
