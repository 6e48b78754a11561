# SPDX-License-Identifier: Apache-2.0
"""3x3 convolutions one behind the other: what a quantizer is tried on. `network: {stem, channels, strides}`."""
from .chain import Spec


def specs(net, channels):
    widths, strides = [channels, net["stem"], *net["channels"]], [1, *net["strides"]]
    return [Spec(a, b, (3, 3), (s, s), False) for a, b, s in zip(widths, widths[1:], strides)]
