# SPDX-License-Identifier: Apache-2.0
"""Training schemes, one file each. Those of switchable residual networks (training.py) have a class `Scheme(net, cfg)` with

  FROZEN                               whether it trains behind the exported normalization of a finished network
  start()                              called once, when the network has its weights
  export(net, name)                    the finished network as the native format's graph
  assignments(epoch, i, rng)           the paths of step i: candidates of every choice, the first the teacher
  calibration(i, rng)                  the paths that batch i of the final statistics takes
  more(done, batch, device, rng)       what a path of its own (`net.own_path`) needs, as tensors; done in epochs"""
import importlib


def find(name):
    return importlib.import_module(f"{__name__}.{name}").Scheme
