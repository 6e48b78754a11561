# SPDX-License-Identifier: Apache-2.0
"""Every quantizer: forward by hand, gradient against the paper's formula written out here, codes that stand for exactly what forward gives, its layer
exported with the emulator equal to the integer reference and both within a rounding of the real sum; a short training of every configuration."""
import contextlib
import io
import os
import re
import pathlib
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("BITEMU_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BITEMU = os.environ.get("BITEMU", str(SOURCE / "build" / "cli" / "bitemu"))
sys.path.insert(0, str(SOURCE / "train"))
try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from bitemu_train import cli, config, grids, integer, native, quantizers, stated
    from bitemu_train.integers import Graph, conv_attrs
    from bitemu_train.quantizers import Steps, admm, codebook, dorefa, lsq, pact, ttq, uhlich, uhlich_pow2, xnor
    from bitemu_train.schemes import single
except ImportError as missing:
    np = None
    print(f"SKIPPED: {missing} (Debian: python3-torch python3-yaml)")

SEED = int(os.environ.get("BITEMU_SEED", "20260101"))
CONFIGS = SOURCE / "train" / "configs" / "quantizers"
SHORT = ("pretrain: 10", "pretrain: 1"), ("pretrain: 0", "pretrain: 1"), ("epochs: 20", "epochs: 1"), ("epochs: 30", "epochs: 1")


def d(*values):
    return torch.tensor(values, dtype=torch.float64)


def gradient(f, x, g):
    """f(x) and the gradient of sum(g f(x)) to x."""
    x = x.clone().requires_grad_(True)
    y = f(x)
    y.backward(g)
    return y.detach(), x.grad


def near(got, want):
    np.testing.assert_allclose(np.asarray(got, np.float64), np.asarray(want, np.float64), rtol=1e-6, atol=1e-9)


def set_(q, **values):
    q.double()
    with torch.no_grad():
        for k, v in values.items():
            getattr(q, k).fill_(v)
    return q


def unit(*x):
    """Weights whose tanh / max|tanh| is x; one of x is 1 or -1."""
    return torch.atanh(d(*x) * 0.8)


@unittest.skipIf(np is None, "PyTorch is not installed")
class ByHand(unittest.TestCase):
    def tanh_gradient(self, w, g):
        """Jacobian of t_i / max|t| as a matrix."""
        t = np.tanh(w.numpy())
        m, e = np.abs(t).argmax(), 1 - t * t
        top = abs(t[m])
        jacobian = np.diag(e / top)
        jacobian[:, m] -= t * np.sign(t[m]) * e[m] / top ** 2
        return g.numpy() @ jacobian

    def test_dorefa_weights(self):
        w, g = d(0.5, -1.5, 1, 0), d(1, 2, 3, 4)
        y, grad = gradient(dorefa.Weights((4,), 1), w, g)
        near(y, [0.75, -0.75, 0.75, 0.75])
        near(grad, g)
        w = unit(-1, -0.5, 0.1, 0.9)  # 3 (x + 1) / 2 = 0, 0.75, 1.65, 2.85
        q = dorefa.Weights((4,), 2)
        y, grad = gradient(q, w, g)
        near(y, [-1, -1 / 3, 1 / 3, 1])
        near(grad, self.tanh_gradient(w, g))
        self.assertEqual([0, 1, 2, 3], q.codes(w).codes.tolist())

    def test_dorefa_activations_and_gradients(self):
        y, grad = gradient(dorefa.Activations(2), d(-1, 0.2, 0.5, 0.9, 2), d(1, 2, 3, 4, 5))
        near(y, [0, 1 / 3, 2 / 3, 1, 1])
        near(grad, [0, 2, 3, 4, 0])
        for bits in (1, 2, 6):
            n, module = 2 ** bits - 1, dorefa.Gradients(bits)
            g = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
            u = (torch.rand(3, 4, generator=torch.Generator().manual_seed(bits)).numpy().astype(np.float64) - 0.5) / n
            y, got = gradient(module, torch.ones(3, 4), g)
            near(y, np.ones((3, 4)))
            top = np.abs(g.numpy()).max(1, keepdims=True)
            want = 2 * top * (np.floor(np.clip(g.numpy() / (2 * top) + 0.5 + u, 0, 1) * n + 0.5) / n - 0.5)
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-5, atol=1e-6)

    def test_dorefa_gradients_are_unbiased(self):
        """The uniform noise makes the mean of many quantized gradients the gradient."""
        g = torch.tensor([[1.0, 0.5, -0.3, 0.1]]).repeat(4000, 1)
        _, got = gradient(dorefa.Gradients(2), torch.zeros(4000, 4), g)
        np.testing.assert_allclose(got.mean(0).numpy()[1:], g[0].numpy()[1:], atol=0.05)

    def test_pact(self):
        q = set_(pact.Activations(2), a=2.0)
        y, grad = gradient(q, d(-1, 0.5, 1.2, 2, 3), d(1, 2, 3, 4, 5))
        near(y, [0, 2 / 3, 4 / 3, 2, 2])
        near(grad, [0, 2, 3, 0, 0])
        near(q.a.grad, 9)
        near(q.penalty().detach(), 2e-4 * 4)
        self.assertEqual((3, False), q.steps()[1:])

    def test_lsq(self):
        v, g = d(-3, -0.7, 0.2, 0.3, 9), d(1, 2, 3, 4, 5)  # v / s = -6 -1.4 0.4 0.6 18
        q = set_(lsq.Weights((5,), 3), s=0.5)
        q.count = 5
        y, grad = gradient(q, v, g)
        near(y, [-2, -0.5, 0, 0.5, 1.5])
        near(grad, [0, 2, 3, 4, 0])
        near(q.s.grad, (1 * -4 + 2 * 0.4 + 3 * -0.4 + 4 * 0.4 + 5 * 3) / 15 ** 0.5)
        self.assertEqual([-4, -1, 0, 1, 3], q.codes(v).codes.tolist())
        q.start(v)
        near(q.s.detach(), 2 * 2.64 / 3 ** 0.5 + 1e-6)
        a = set_(lsq.Activations(2), s=0.5)
        a.count = 7
        y, grad = gradient(a, d(-1, 0.4, 1.1, 4), d(1, 2, 3, 4))  # -2 0.8 2.2 8
        near(y, [0, 0.5, 1, 1.5])
        near(grad, [0, 2, 3, 0])
        near(a.s.grad, (2 * 0.2 + 3 * -0.2 + 4 * 3) / 21 ** 0.5)

    def test_uhlich(self):
        q = set_(uhlich.Weights((6,), 4), d=0.3, qmax=1.1)  # forward: d = 1/4, qmax = 4 d
        x, g = d(-2, -0.6, 0.1, 0.2, 0.9, 1.3), d(1, 2, 3, 4, 5, 6)
        y, grad = gradient(q, x, g)
        near(y, [-1, -0.5, 0, 0.25, 1, 1])
        near(grad, [0, 2, 3, 4, 5, 0])
        near(q.d.grad, 2 * 0.4 + 3 * -0.4 + 4 * 0.2 + 5 * 0.4)
        near(q.qmax.grad, 1 * -1 + 6)
        self.assertEqual([-4, -2, 0, 1, 4, 4], q.codes(x).codes.tolist())
        q.gradients()
        near([float(q.d.grad), float(q.qmax.grad)], [0.3, 0.3])
        set_(q, qmax=9.0).limit(x)
        near(q.qmax.detach(), 7 * 0.25)
        a = set_(uhlich.Activations(3), d=0.25, qmax=1.0)
        y, grad = gradient(a, d(-3, -0.1, 0.6, 2), d(1, 2, 3, 4))
        near(y, [0, 0, 0.5, 1])
        near(grad, [0, 0, 3, 0])
        near([float(a.d.grad), float(a.qmax.grad)], [3 * -0.4, 4])
        self.assertEqual((0.25, 4), a.steps()[:2])

    def test_uhlich_powers_of_two(self):
        q = set_(uhlich_pow2.Weights((7,), 3), qmin=0.25, qmax=1.0)
        x, g = d(-3, -0.6, 0.2, 0.1, 0.3, 0.8, -0.9), d(1, 2, 3, 4, 5, 6, 7)
        y, grad = gradient(q, x, g)
        near(y, [-1, -0.5, 0.25, 0, 0.25, 1, -1])
        near(grad, [0, 2, 3, 4, 5, 6, 7])
        near([float(q.qmin.grad), float(q.qmax.grad)], [3, -1])
        self.assertEqual([7, 6, 1, 0, 1, 3, 7], q.codes(x).codes.tolist())
        set_(q, qmin=0.01).limit(x)
        near(q.qmin.detach(), 0.25)

    def test_adabits(self):
        w, g = unit(-1, -0.6, -0.1, 0.3, 0.9), d(1, 2, 3, 4, 5)
        q = quantizers.find("adabits", "Weights")((5,), 2)
        y, grad = gradient(q, w, g)  # floor(4 u) = 0, 0.8, 1.8, 2.6, 3.8
        near(y, [-1, -1, -0.5, 0, 0.5])
        near(grad, self.tanh_gradient(w, g))
        w = torch.randn(500, generator=torch.Generator().manual_seed(1))
        for b in range(1, 9):  # the paper's grid, code by code, is the stored one shifted
            t = np.tanh(w.numpy())
            u = (t / np.abs(t).max() + 1) / 2
            want = np.minimum(np.floor(2 ** b * u), 2 ** b - 1) - 2 ** (b - 1)
            np.testing.assert_array_equal(quantizers.find("adabits", "Weights")((500,), b).codes(w).numbers().numpy(), want)

    def test_double_rounding(self):
        q = set_(quantizers.find("double_rounding", "Weights")((7,), 2), s=1 / 128)
        w, g = d(-200, -33, 31, 32, 33, 96, 127) / 128, d(1, 2, 3, 4, 5, 6, 7)
        y, grad = gradient(q, w, g)  # master / 64 = -2, -0.52, 0.48, 0.5 to even, 0.52, 1.5 -> 2 -> 1, 1.98
        near(y, d(-2, -1, 0, 0, 1, 1, 1) * 0.5)
        near(grad, [0, 2, 3, 4, 5, 0, 0])
        x = w.numpy() * 2
        slope = np.where((x > -2) & (x < 1), np.array([-2, -1, 0, 0, 1, 1, 1]) - x, np.clip(x, -2, 1)) * 64
        near(q.s.grad, (g.numpy() * slope).sum() / 7 ** 0.5)
        self.assertEqual([-128, -33, 31, 32, 33, 96, 127], q.codes(w).codes.tolist())

    def test_xnor(self):
        w, g = d(0.5, -2, 0, 0.5, -0.5, -0.5).view(2, 3), d(1, 2, 3, 4, 5, 6).view(2, 3)
        y, grad = gradient(xnor.Weights((2, 3), 1), w, g)
        a = 2.5 / 3
        near(y, [[a, -a, a], [0.5, -0.5, -0.5]])
        near(grad, [[1 * (1 / 3 + a), 2 / 3, 3 * (1 / 3 + a)], [4 * (1 / 3 + 0.5), 5 * (1 / 3 + 0.5), 6 * (1 / 3 + 0.5)]])
        y, grad = gradient(xnor.Activations(1), d(-2, -0.5, 0, 0.5, 1), d(1, 2, 3, 4, 5))
        near(y, [-1, -1, 1, 1, 1])
        near(grad, [0, 2, 3, 4, 0])
        w = d(1, 2, 6).view(1, 3).clone()
        xnor.Weights((1, 3), 1).limit(w)
        near(w, [[-1, -1, 1]])  # -2 -1 3, clamped

    def test_ttq(self):
        q = set_(ttq.Weights((5,), 2), p=0.5, n=2.0)
        w, g = d(1, 0.06, 0.04, -0.04, -0.3), d(1, 2, 3, 4, 5)
        y, grad = gradient(q, w, g)
        near(y, [0.5, 0.5, 0, 0, -2])
        near(grad, [0.5, 1, 3, 4, 10])
        near([float(q.p.grad), float(q.n.grad)], [3, -5])
        c = q.codes(w)
        self.assertEqual([1, 1, 0, 0, -1], c.codes.tolist())
        near([float(c.scale), float(c.scale_n)], [0.5, 2])

    def test_admm(self):
        w = d(0.9, -1.1, 0.1, 0)
        q = admm.Weights((4,), 2).double()
        q.start(w)
        near(q.q, [1, -1, 0, 0])
        near(q.alpha, 1)
        q.epoch(w, 0.0)
        near(q.dual, [-0.1, -0.1, 0.1, 0])
        y, grad = gradient(lambda v: q(v) * 0 + q.penalty(v), w, torch.ones(4).double() / 4)
        near(grad, admm.RHO * (w - d(1, -1, 0, 0) + q.dual))
        q.epoch(w, 1.0)
        y, grad = gradient(q, w, d(1, 2, 3, 4))
        near(y, quantizers.value(q.codes(w)))
        near(grad, [0, 0, 0, 0])
        v = torch.randn(400, generator=torch.Generator().manual_seed(1)).double()
        for bits, levels in admm.LEVELS.items():  # a fixed point of both halves of the projection, better than 400 other scales
            got, alpha = admm.project(v, levels)
            near(alpha, (v * got).sum() / (got * got).sum())

            def error(a):
                return min_distance(v / a, levels) * a * a
            best = min(float(error(a)) for a in np.linspace(0.05, 2, 400))
            self.assertLess(float(((v - alpha * got) ** 2).sum()), 1.05 * best)

    def test_extragradient(self):
        """W1 = W - r g(W), W <- W - r g(W1), for the cross entropy of two logits W: g = softmax(W) - onehot."""
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.w = torch.nn.Parameter(d(0.3, -0.2).view(1, 2))

            def forward(self, x):
                return self.w * x

            def penalty(self):
                return 0.0

            def gradients(self):
                pass

            def limit(self):
                pass
        net = Net()
        idle = torch.nn.Parameter(torch.zeros(1))
        single.step(net, torch.ones(1, 1).double(), torch.tensor([0]), torch.optim.Adam([idle]), torch.optim.SGD([net.w], lr=0.5))
        w = np.array([0.3, -0.2])

        def g(w):
            return np.exp(w) / np.exp(w).sum() - [1, 0]
        near(net.w.detach()[0], w - 0.5 * g(w - 0.5 * g(w)))

    def test_codebook(self):
        w, g = d(1, 1.2, -1, -1.2, 0.1, -0.1, 2, 2.2), d(1, 2, 3, 4, 5, 6, 7, 8)
        q = codebook.Weights((8,), 2)
        q.start(w)
        y, grad = gradient(q, w, g)
        near(y, [0, 1.2, 0, -1.2, 0, 0, 2, 2.2])
        near(grad, [0, 2, 0, 4, 0, 0, 7, 8])
        q.epoch(w.float(), 0.5)  # -1.2 | 1.2 | 2, 2.2
        step = 2.1 / 127
        y, _ = gradient(lambda v: q(v) + 0 * v.float(), w.float(), g.float())
        near(y, np.float32([0, 73 * step, 0, -73 * step, 0, 0, 2.1, 2.1]))
        near(q.centroids.grad, [0, 4, 2, 15])
        c = q.codes(w)
        self.assertEqual([0, -73, 73, 127], c.grid["table"])
        self.assertEqual([0, 2, 0, 1, 0, 0, 3, 3], c.codes.tolist())


def min_distance(x, levels):
    return (x[:, None] - torch.tensor(levels).double()).abs().min(1).values.pow(2).sum()


@unittest.skipIf(np is None, "PyTorch is not installed")
class Exported(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tmp = pathlib.Path(folder.name)
        print(f"BITEMU_SEED={SEED}")
        self.rng = np.random.default_rng(SEED)
        torch.set_num_threads(1)

    def weights(self, name, bits, shape):
        w = torch.from_numpy(self.rng.normal(0, 0.1, shape).astype(np.float32))
        q = quantizers.find(name, "Weights")(shape, bits)
        q.start(w)
        for done in (0.0, 1.0):
            q.epoch(w, done)
        q.limit(w)
        return q, w

    def every(self, shape=(6, 5, 3, 3)):
        for name in quantizers.names("Weights"):
            for bits in quantizers.find(name, "Weights").WIDTHS:
                yield name, bits, *self.weights(name, bits, shape)
        for p, n in ((0.7, 1.6), (3.0, 0.01)):  # two scales that differ, either way round
            q, w = self.weights("ttq", 2, shape)
            set_(q, p=p, n=n).float()
            yield "ttq", 2, q, w

    def test_codes_are_the_forward_pass(self):
        seen = set()
        for name, bits, q, w in self.every():
            with self.subTest(name, bits=bits):
                c = q.codes(w)
                low, high = grids.code_range(c.grid, c.stored_bits())
                self.assertTrue(c.codes.dtype == torch.int64 and low <= int(c.codes.min()) and int(c.codes.max()) <= high)
                np.testing.assert_allclose(quantizers.value(c).numpy(), q(w).detach().numpy(), rtol=2e-6, atol=1e-9)
                self.assertGreater(len(c.numbers().unique()), 1)
                self.assertEqual(bits, c.bits)
                seen.add(c.grid["weights"])
        self.assertEqual({"affine", "odd", "binary", "ternary", "ternary2", "pow2", "codebook"}, seen)

    def emulator_equals_reference(self, g, image, outputs, x):
        graph = {"profile": "bitemu", "inputs": [image], "outputs": [outputs], "tensors": g.tensors, "choices": g.choices, "layers": g.layers}
        path = self.tmp / "m.bitemu"
        native.write(path, graph)
        np.save(self.tmp / "x.npy", x)
        want = integer.Model(native.read(path), "bitemu").run(x, [0] * len(g.choices))[0].numpy()
        got = cli.emulate(BITEMU, str(path), str(self.tmp / "x.npy"), graph, str(self.tmp / "d.npz")).reshape(len(x), -1)
        np.testing.assert_array_equal(got, want)
        return want

    def test_layers(self):
        """A convolution of every quantizer and width: next codes within a rounding of the sum in float64, or bits where they are binary."""
        entered = Steps(0.02, 255)
        for name, bits, q, w in self.every():
            with self.subTest(name, bits=bits):
                c = q.codes(w)
                x = self.rng.integers(0, 256, (6, 7, 6, 5)).astype(np.uint8)
                planes = torch.from_numpy(x).permute(0, 3, 1, 2).double() * entered.step
                v = F.conv2d(F.pad(planes, (0, 1, 1, 1)), value64(c), stride=2).permute(0, 2, 3, 1).numpy()
                slope = self.rng.uniform(0.5, 2, 6) / v.std()
                offset = self.rng.normal(0, 1, 6)
                real = v * slope + offset
                for out in (Steps(4 / 255, 255), Steps(0.4, 7), Steps(1.0, 1, True)):
                    if out.binary and c.scale_n is not None:
                        continue
                    g = Graph()
                    g.tensor("x", "uint8", 8, (1, 7, 6, 5))
                    stated.layer(g, "y", "x", c, torch.from_numpy(slope), torch.from_numpy(offset), entered, out, (4, 3), conv_attrs(2))
                    y = self.emulator_equals_reference(g, "x", "y", x).reshape(real.shape)
                    self.assertGreater(len(np.unique(y)), 1)
                    if out.binary:
                        sure = np.abs(real) > 1e-9
                        np.testing.assert_array_equal(y[sure], real[sure] > 0)
                        continue
                    unit = stated.units(c, entered.step).numpy() * slope / out.step
                    bound = 0.5 + (1e-5 if c.scale_n is not None else 0.5 * unit + 1e-5)
                    self.assertTrue((np.abs(y - np.clip(real / out.step, 0, out.top)) <= bound).all())

    def test_layers_of_binary_inputs(self):
        for name, bits in (("xnor", 1), ("dorefa", 1), ("admm", 1)):
            q, w = self.weights(name, bits, (9, 33, 3, 3))
            c = q.codes(w)
            x = self.rng.integers(0, 2, (6, 7, 6, 33)).astype(np.uint8)
            planes = torch.from_numpy(x).permute(0, 3, 1, 2).double() * 2 - 1
            v = F.conv2d(F.pad(planes, (0, 1, 1, 1)), value64(c), stride=2).permute(0, 2, 3, 1).numpy()
            slope, offset = self.rng.uniform(0.5, 2, 9) / v.std(), self.rng.normal(0, 1, 9)
            for out in (Steps(1.0, 1, True), Steps(0.1, 31)):
                g = Graph()
                g.tensor("x", "uint8", 1, (1, 7, 6, 33))
                stated.layer(g, "y", "x", c, torch.from_numpy(slope), torch.from_numpy(offset), Steps(1.0, 1, True), out, (4, 3), conv_attrs(2))
                y = self.emulator_equals_reference(g, "x", "y", x).reshape(v.shape)
                self.assertEqual("threshold" in g.layers[0]["integer"], out.binary)
                if out.binary:
                    np.testing.assert_array_equal(y, v * slope + offset >= 0)

    def test_logits(self):
        for name, bits, q, w in self.every((4, 20)):
            with self.subTest(name, bits=bits):
                c = q.codes(w)
                if len(c.scale) > 1 or c.scale_n is not None:
                    with self.assertRaisesRegex(ValueError, "one scale"):
                        stated.table(c, torch.ones(4).double(), torch.zeros(4).double(), 0.1, None)
                    continue
                g = Graph()
                g.tensor("x", "uint8", 8, (1, 20))
                offset = torch.from_numpy(self.rng.normal(0, 1, 4))
                stated.layer(g, "y", "x", c, torch.ones(4).double(), offset, Steps(0.1, 255), None)
                x = self.rng.integers(0, 256, (5, 20)).astype(np.uint8)
                y = self.emulator_equals_reference(g, "x", "y", x)
                unit = float(c.scale) * 0.1
                np.testing.assert_allclose(y * unit, x @ value64(c).numpy().T * 0.1 + offset.numpy(), atol=unit * 0.51)

    def test_powers_of_two_are_shifts_alone(self):
        q, w = self.weights("uhlich", 4, (6, 5, 3, 3))
        t = stated.table(q.codes(w), torch.ones(6).double() * 0.5, torch.zeros(6).double(), 0.125, Steps(0.25, 15))
        self.assertIn("shift", t)
        self.assertNotIn("multiplier", t)

    def test_a_table_entry_that_does_not_fit(self):
        q, w = self.weights("lsq", 4, (6, 5, 3, 3))
        with self.assertRaisesRegex(ValueError, "does not fit int32"):
            stated.table(q.codes(w), torch.ones(6).double(), torch.ones(6).double() * 1e12, 0.125, Steps(0.25, 15))


def value64(c):
    shape = (-1,) + (1,) * (c.codes.dim() - 1)
    n, p = c.numbers().double(), c.scale.double().view(shape)
    return n * p if c.scale_n is None else torch.where(n < 0, n * c.scale_n.double().view(shape), n * p)


@unittest.skipIf(np is None, "PyTorch is not installed")
class Runs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tmp = pathlib.Path(folder.name)

    def text(self, name):
        text = (CONFIGS / f"{name}.yaml").read_text()
        for old, new in SHORT:
            text = text.replace(old, new)
        return text

    def train(self, text, code=0):
        (self.tmp / "c.yaml").write_text(text)
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            got = cli.main(["quantizer", "--config", str(self.tmp / "c.yaml"), "--out", str(self.tmp / "out"), "--bitemu", BITEMU])
        self.assertEqual(got, code, errors.getvalue())
        return out.getvalue() + errors.getvalue()

    def test_every_configuration_in_short(self):
        try:
            import sklearn  # noqa: F401
        except ImportError:
            self.skipTest("scikit-learn is not installed (Debian: python3-sklearn)")
        names = sorted(p.stem for p in CONFIGS.glob("*.yaml"))
        used = {config.load(p, config.quantizer_schema, lambda c, p: None)["weights"]["quantizer"] for p in CONFIGS.glob("*.yaml")}
        self.assertEqual(set(quantizers.names("Weights")), used, "a quantizer has no configuration")
        for name in names:
            with self.subTest(name):
                said = self.train(self.text(name))
                self.assertIn("logits equal for 449/449", said)
                same = int(said.split("same answer ")[1].split("/")[0])
                self.assertGreaterEqual(same, 440, said)
                if name.startswith("uhlich"):
                    graph = native.read(self.tmp / "out" / f"{name}.bitemu")
                    self.assertFalse(any("multiplier" in layer.get("integer", {}) for layer in graph["layers"]), "requantization is to be by shifts alone")

    def test_networks_in_short(self):
        """MobileNetV1-0.25 and DS-CNN, two epochs: their layers and strides, depthwise ones among them, and equal logits."""
        try:
            import sklearn  # noqa: F401
        except ImportError:
            self.skipTest("scikit-learn is not installed (Debian: python3-sklearn)")
        for name, depthwise, channels in (("mobilenet", 13, [8, 16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256]), ("dscnn", 4, [64] * 5)):
            with self.subTest(name):
                text = (CONFIGS.parent / "networks" / f"{name}.yaml").read_text()
                said = self.train(re.sub(r"pretrain: \d+, epochs: \d+", "pretrain: 1, epochs: 1", text))
                self.assertIn("logits equal for 449/449", said)
                graph = native.read(self.tmp / "out" / f"{name}.bitemu")
                ops = [layer["op"] for layer in graph["layers"]]
                self.assertEqual(depthwise, ops.count("DEPTHWISE_CONV_2D"))
                shape = {t["name"]: t["shape"] for t in graph["tensors"]}
                self.assertEqual(channels, [shape[layer["outputs"][0]][3] for layer in graph["layers"] if layer["op"] == "CONV_2D"])
        text = (CONFIGS.parent / "networks" / "dscnn.yaml").read_text()
        for old, new, message in (("kind: dscnn", "kind: dscn", "'dscn' is unknown; known: plain, mobilenet, dscnn"), ("blocks: 4", "blocks: 0", "blocks must be positive")):
            changed = text.replace(old, new)
            line = next(i for i, l in enumerate(changed.splitlines()) if new in l)
            with self.assertRaises(config.ConfigError) as e:
                config.parse(changed, "c", config.quantizer_schema, lambda c, p: None)
            self.assertIn(f"c:{line + 1}:", str(e.exception))
            self.assertIn(message, str(e.exception))

    def test_own_quantizer_is_one_file(self):
        (self.tmp / "three.py").write_text(
            "import torch\nfrom bitemu_train.quantizers import Codes, Quantizer, through\n"
            "class Weights(Quantizer):\n    WIDTHS = (2,)\n"
            "    def __init__(self, shape, bits):\n        super().__init__()\n"
            "    def forward(self, w):\n        return through(w, torch.sign(w) * 0.5)\n"
            "    def codes(self, w):\n        return Codes(torch.sign(w).long(), {'weights': 'ternary'}, 2, torch.tensor([0.5]))\n")
        quantizers.__path__.append(str(self.tmp))
        self.addCleanup(quantizers.__path__.remove, str(self.tmp))
        self.addCleanup(sys.modules.pop, "bitemu_train.quantizers.three", None)
        text = self.text("ttq").replace("{quantizer: ttq,", "{quantizer: three,")
        cfg = config.parse(text, "c", config.quantizer_schema, lambda c, p: None)
        self.assertEqual("three", cfg["weights"]["quantizer"])
        self.assertIn("three", quantizers.names("Weights"))
        try:
            import sklearn  # noqa: F401
        except ImportError:
            return
        self.assertIn("logits equal for 449/449", self.train(text))

    def test_bad_words_have_line_and_column(self):
        text = (CONFIGS / "ttq.yaml").read_text()
        for old, new, word, message in (
                ("quantizer: ttq,", "quantizer: tqt,", "tqt,", "quantizer: 'tqt' is unknown; known: adabits, admm"),
                ("quantizer: ttq,", "quantizer: nested,", "nested,", "'nested' is unknown"),
                ("bits: 2}", "bits: 3}", "3}", "quantizer ttq has 2 bits for weights, not 3"),
                ("bits: 4}", "bits: 9}", "9}", "quantizer pact has 1, 2, 3, 4, 5, 6, 7, 8 bits for activations, not 9"),
                ("quantizer: pact,", "quantizer: ttq,", "ttq, bits: 4", "'ttq' is unknown; known: dorefa, lsq, pact"),
                ("weights: lsq", "weights: ttq", "ttq, activations", "the ends have 8 bits"),
                ("gradients: 0", "gradients: 9", "9 ", "gradients: '9' is unknown"),
                ("strides: [2, 1]", "strides: [2]", "[2]", "one entry for each"), ("strides: [2, 1]", "strides: [2, 3]", "[2, 3]", "1 or 2"),
                ("{quantizer: pact, bits: 4}", "{quantizer: xnor, bits: 1}", None, "not with ttq of 2 bits"),
                ("batch: 64", "batch: 1", "1", "batch: 1 is below 2"), ("  lr:", "  rl:", "rl:", "unknown key 'rl'")):
            changed = text.replace(old, new)
            self.assertNotEqual(text, changed)
            with self.assertRaises(config.ConfigError) as e:
                config.parse(changed, "c", config.quantizer_schema, lambda c, p: None)
            lines = changed.splitlines()
            if word is not None:
                row = next(i for i, line in enumerate(lines) if new in line and word in line)
                self.assertIn(f"c:{row + 1}:{lines[row].index(word, lines[row].index(new)) + 1}: ", str(e.exception))
            self.assertRegex(str(e.exception), r"^c:\d+:\d+: ")
            self.assertIn(message, str(e.exception))

    def test_unknown_name_lists_the_known(self):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            self.assertEqual(2, cli.main(["quantizer", "--name", "nothing", "--out", str(self.tmp)]))
        self.assertIn("--name knows adabits, admm", errors.getvalue())


if __name__ == "__main__":
    unittest.main()
