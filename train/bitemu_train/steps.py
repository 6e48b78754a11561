# SPDX-License-Identifier: Apache-2.0
"""Steps of a training on CUDA devices: small kernels by the hundred. A Replay records a function of tensors once and launches it as one graph.
Elsewhere it calls the function."""
import torch


class Replay:
    """f(*tensors) -> tensors without side effects but on tensors that stay where they are (gradients). On a CUDA device there is a graph for each
    set of shapes, and the results are overwritten by the next call."""
    WARM = 3

    def __init__(self, f, device):
        self.f, self.cuda, self.graphs = f, device == "cuda", {}

    def _record(self, tensors):
        inputs, side, graph = [t.clone() for t in tensors], torch.cuda.Stream(), torch.cuda.CUDAGraph()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(self.WARM):
                self.f(*inputs)
        torch.cuda.current_stream().wait_stream(side)
        with torch.cuda.graph(graph):
            outputs = self.f(*inputs)
        return graph, inputs, outputs

    def __call__(self, *tensors):
        if not self.cuda:
            return self.f(*tensors)
        key = tuple(t.shape for t in tensors)
        if key not in self.graphs:
            self.graphs[key] = self._record(tensors)
        graph, inputs, outputs = self.graphs[key]
        for to, t in zip(inputs, tensors):
            to.copy_(t, non_blocking=True)
        graph.replay()
        return outputs
