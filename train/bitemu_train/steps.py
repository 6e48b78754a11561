# SPDX-License-Identifier: Apache-2.0
"""Steps of a training on CUDA devices: small kernels by the hundred. A Replay records a function of tensors once and launches it as one graph;
Lanes run what does not depend on one another side by side inside it. Elsewhere both do the plain thing."""
import contextlib

import torch


class Lanes:
    def __init__(self, device, n):
        self.streams = [torch.cuda.Stream() for _ in range(n)] if device == "cuda" else None
        self.first = None

    @contextlib.contextmanager
    def lane(self, k):
        """Work of lane k; what was done before in no lane is done."""
        if self.streams is None:
            yield
            return
        self.streams[k].wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.streams[k]):
            yield

    def mark(self):
        """In lane 0: the others can wait for what is done so far."""
        if self.streams is not None:
            self.first = torch.cuda.current_stream().record_event()

    def wait(self):
        if self.streams is not None:
            torch.cuda.current_stream().wait_event(self.first)

    def join(self):
        """What follows comes after all lanes."""
        for s in self.streams or ():
            torch.cuda.current_stream().wait_stream(s)


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
