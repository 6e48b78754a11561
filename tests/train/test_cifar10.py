# SPDX-License-Identifier: Apache-2.0
"""A short training of the any-precision residual network, from YAML to integers: the emulator equals the PyTorch reference on every logit,
a resumed training equals an undisturbed one byte for byte, bad input is named. The images are made here: no data set is needed."""
import contextlib
import io
import os
import pathlib
import pickle
import random
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("BITEMU_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BITEMU = os.environ.get("BITEMU", str(SOURCE / "build" / "cli" / "bitemu"))
sys.path.insert(0, str(SOURCE / "train"))
try:
    import numpy as np
    import torch
    from bitemu_train import cli, config, integer, native
    from bitemu_train.data import cifar10
    from bitemu_train.networks import resnet
    from bitemu_train.quantizers import nested
    from bitemu_train.schemes import adabits
except ImportError as missing:
    np = None
    print(f"SKIPPED: {missing} (Debian: python3-torch python3-yaml)")

SMOKE = SOURCE / "train" / "configs" / "smoke.yaml"
WIDTHS = (8, 4, 3, 2)


def write_images(folder, per_batch):
    """The python layout of CIFAR-10: each class its own colour and stripes, under noise."""
    rng = np.random.RandomState(1)
    inner = folder / "cifar-10-batches-py"
    inner.mkdir()
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        y = rng.randint(0, 10, per_batch)
        colour = (np.arange(10)[:, None] * (37, 91, 53) % 256)[y][:, :, None, None]
        stripes = 60 * (np.arange(32) // (1 + y[:, None] % 5) % 2)[:, None, None, :]
        x = np.clip(colour + stripes + rng.randint(-40, 40, (per_batch, 3, 32, 32)), 0, 255).astype(np.uint8)
        with open(inner / name, "wb") as f:
            pickle.dump({b"data": x.reshape(per_batch, -1), b"labels": y.tolist()}, f)


@unittest.skipIf(np is None, "PyTorch is not installed")
class Smoke(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.tmp.name)
        write_images(cls.root, 64)
        cls.train("whole")
        cls.model = cls.root / "whole" / "smoke.bitemu"
        cls.x = cifar10.load(cls.root, "test").x
        np.save(cls.root / "x.npy", cls.x)

    @classmethod
    def tearDownClass(cls):
        cls.tmp.cleanup()

    @classmethod
    def train(cls, out, *more, code=0):
        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            got = cli.main(["cifar10", "--config", str(SMOKE), "--data", str(cls.root), "--out", str(cls.root / out), *more])
        assert got == code, errors.getvalue()
        return errors.getvalue()

    def equal(self, policy, candidates):
        logits, _ = integer.Model(native.read(self.model)).run(self.x, candidates)
        dump = self.root / "d.npz"
        subprocess.run([BITEMU, "run", self.model, "--input", self.root / "x.npy", "--policy", policy, "--dump", dump], check=True,
                       stdout=subprocess.DEVNULL)
        np.testing.assert_array_equal(np.load(dump)["out0"].reshape(len(self.x), -1), logits.numpy())
        return logits

    def test_emulator_equals_reference(self):
        answers = [self.equal(f"fixed:{b}", [k] * 6) for k, b in enumerate(WIDTHS)]
        self.assertFalse(torch.equal(answers[0], answers[3]))
        seed = int(os.environ.get("BITEMU_SEED", "20260101"))
        print(f"BITEMU_SEED={seed}")
        rng = random.Random(seed)
        for _ in range(4):
            k = [rng.randrange(4) for _ in range(6)]
            self.equal("layers:" + ",".join(str(WIDTHS[i]) for i in k), k)

    def test_simulation_agrees_with_the_integers(self):
        """Float simulation of the frozen network differs only by rare rounding ties of its float32 multiplications; at 2 bits one tie
        moves an activation by a third of its range, so the bound is on the mean, and on the answers."""
        net, _, epoch = adabits.load(self.root / "whole" / "final.pt")
        self.assertIsNone(epoch)
        model = integer.Model(native.read(self.model))
        for k in range(4):
            logits, _ = model.run(self.x, [k] * 6)
            with torch.no_grad():
                simulated = net(cifar10.codes(torch.from_numpy(self.x)), [k] * 6)
            scale = (logits.float() * simulated).sum() / (logits.float() ** 2).sum()
            error = (simulated - logits.float() * scale).abs().mean() / simulated.abs().mean()
            self.assertLess(float(error), 0.05)
            self.assertGreaterEqual(float((simulated.argmax(1) == logits.argmax(1)).float().mean()), 0.9)

    def gate(self, out, change=("", ""), code=0):
        """A gate on the smoke network; the training is a few full-batch steps."""
        text = (SOURCE / "train" / "configs" / "resnet8-gate.yaml").read_text().replace("steps: 300", "steps: 20").replace("pool: 8", "pool: 16")
        config_file = self.root / "gate.yaml"
        config_file.write_text(text.replace(*change))
        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            got = cli.main(["gate", "--config", str(config_file), "--checkpoint", str(self.root / "whole" / "final.pt"), "--data", str(self.root), "--out", str(self.root / out)])
        self.assertEqual(code, got, errors.getvalue())
        return errors.getvalue()

    def test_gate_decides_in_integers(self):
        self.gate("gate1")
        self.gate("gate2")
        path = self.root / "gate1" / "resnet8-gate.bitemu"
        self.assertEqual(path.read_bytes(), (self.root / "gate2" / "resnet8-gate.bitemu").read_bytes())
        model = integer.Model(native.read(path))
        logits, chosen = model.run(self.x)
        dump, trace = self.root / "g.npz", self.root / "g.jsonl"
        subprocess.run([BITEMU, "run", path, "--input", self.root / "x.npy", "--dump", dump, "--trace", trace], check=True, stdout=subprocess.DEVNULL)
        np.testing.assert_array_equal(np.load(dump)["out0"].reshape(len(self.x), -1), logits.numpy())
        self.assertTrue((chosen == chosen[:, :1]).all())  # one decision for all choices
        for k in range(4):  # and each image's logits are those of the width it got
            static, _ = model.run(self.x, [k] * 6)
            self.assertTrue(torch.equal(logits[chosen[:, 0] == k], static[chosen[:, 0] == k]))
        self.assertIn("gate.yaml:", self.gate("none", ("budget: 0.25", "budget: cheap"), 2))
        self.assertIn("budget", self.gate("none", ("budget: 0.25", "budget: 1.5"), 2))

    def test_resumed_equals_undisturbed(self):
        self.train("parts", "--stop-after", "1")
        self.train("parts", "--resume")
        for name in ("checkpoint.pt", "final.pt", "smoke.bitemu"):
            self.assertEqual(*((self.root / out / name).read_bytes() for out in ("whole", "parts")), name)

    def test_other_configuration_is_refused(self):
        text = SMOKE.read_text().replace("seed: 1", "seed: 2")
        changed = self.root / "changed.yaml"
        changed.write_text(text)
        with self.assertRaisesRegex(ValueError, "another configuration"):
            adabits.train(config.load(changed, config.CIFAR10, config.check_cifar10), cifar10.load(self.root, "train"),
                          str(self.root / "whole"), resume=True)

    def test_a_training_starts_from_another(self):
        """Weights equal; sets of a width the other has not are its widest one's, clips in proportion; the steps take the widths in turn."""
        text = SMOKE.read_text().replace("[8, 4, 3, 2]", "[8, 4]").replace("draw: 4", "draw: 2")
        one, two = self.root / "one.yaml", self.root / "two.yaml"
        one.write_text(text)
        first, path = self.root / "first", self.root / "first" / "checkpoint.pt"
        first.mkdir()
        part = cifar10.load(self.root, "train")
        adabits.train(config.load(one, config.CIFAR10, config.check_cifar10), part, str(first), stop_after=1, log=io.StringIO())
        two.write_text(SMOKE.read_text().replace("start: none", f"start: {path}").replace("draw: 4", "draw: 3"))
        cfg = config.load(two, config.CIFAR10, config.check_cifar10)
        net = resnet.build(cfg["network"], torch.Generator())
        adabits.warm_start(net, str(path), cfg)
        old, new = torch.load(path, map_location="cpu")["network"], net.state_dict()
        self.assertEqual(set(old), set(new))
        for name, value in old.items():
            if resnet.shared(name):
                self.assertTrue(torch.equal(value, new[name]), name)
                continue
            self.assertEqual(4, len(new[name]), name)
            for k, source in enumerate((0, 1, 0, 0)):
                clip = {2: 2.5 / 4, 3: 2.0 / 4}.get(k, 1.0) if name.endswith(".log") else None
                want = value[source] if clip is None else value[source] + np.log(clip)
                np.testing.assert_allclose(new[name][k].numpy(), want.numpy(), rtol=1e-6, err_msg=name)
        self.assertTrue({"head", "stem.weight", "stem_norm.gamma", "blocks.2.out.log", "blocks.2.short.weight"} <= {n for n in old if resnet.shared(n)})
        for out in ("warm", "again"):
            (self.root / out).mkdir()
        adabits.train(cfg, part, str(self.root / "warm"), log=io.StringIO())
        adabits.train(cfg, part, str(self.root / "again"), stop_after=1, log=io.StringIO())
        adabits.train(cfg, part, str(self.root / "again"), resume=True, log=io.StringIO())
        self.assertEqual(*((self.root / out / "checkpoint.pt").read_bytes() for out in ("warm", "again")))
        deep = dict(cfg, network=dict(cfg["network"], depth=20))
        with self.assertRaisesRegex(ValueError, "depth 8 cannot start one of depth 20"):
            adabits.warm_start(net, str(path), deep)
        path.write_bytes((self.root / "whole" / "final.pt").read_bytes())
        with self.assertRaisesRegex(ValueError, "started from another"):
            adabits.train(cfg, part, str(self.root / "again"), resume=True, log=io.StringIO())

    def test_widths_of_a_step(self):
        """By hand: all at once, or the widest and the others in turn."""
        self.assertEqual([0, 1, 2, 3], adabits.turn(4, 4, 7))
        self.assertEqual([[0, 1], [0, 2], [0, 3], [0, 1]], [adabits.turn(4, 2, i) for i in range(4)])
        self.assertEqual([[0, 1, 2], [0, 1, 3], [0, 2, 3]], [adabits.turn(4, 3, i) for i in range(3)])
        self.assertEqual([0], adabits.turn(1, 1, 5))
        with self.assertRaisesRegex(config.ConfigError, "draw counts"):
            config.parse(SMOKE.read_text().replace("draw: 4", "draw: 1"), "c", config.CIFAR10, config.check_cifar10)

    def test_nan_stops_and_keeps_the_checkpoint(self):
        cfg = config.load(SMOKE, config.CIFAR10, config.check_cifar10)
        part, out = cifar10.load(self.root, "train"), str(self.root / "nan")
        os.mkdir(out)
        adabits.train(cfg, part, out, stop_after=1, log=io.StringIO())
        before = (self.root / "nan" / "checkpoint.pt").read_bytes()
        whole = adabits.step

        def broken(*args):
            whole(*args)
            return float("nan"), 0
        adabits.step = broken
        try:
            with self.assertRaisesRegex(adabits.Diverged, "epoch 1, step 0: the loss is nan"):
                adabits.train(cfg, part, out, resume=True, log=io.StringIO())
        finally:
            adabits.step = whole
        self.assertEqual(before, (self.root / "nan" / "checkpoint.pt").read_bytes())

    def test_unknown_words_have_line_and_column(self):
        text = SMOKE.read_text()
        for old, new, word, message in (("nesting: floor", "nesting: flor", "flor", "'flor' is unknown; known: floor, half_up"),
                                        ("scheme: adabits", "scheme: adabit", "adabit", "'adabit' is unknown; known: adabits"),
                                        ("3, 2]", "3, 9]", "9]", "'9' is unknown"), ("  lr: 0.1", "  rl: 0.1", "rl:", "unknown key 'rl'")):
            lines = text.replace(old, new).splitlines()
            row = next(i for i, line in enumerate(lines) if new in line)
            with self.assertRaises(config.ConfigError) as e:
                config.parse(text.replace(old, new), "c", config.CIFAR10, config.check_cifar10)
            self.assertIn(f"c:{row + 1}:{lines[row].index(word) + 1}: ", str(e.exception))
            self.assertIn(message, str(e.exception))


@unittest.skipIf(np is None, "PyTorch is not installed")
class Pieces(unittest.TestCase):
    def test_exact_convolution_is_the_sum(self):
        """exact_conv against integer loops, at the largest codes and in both float types."""
        rng = torch.Generator().manual_seed(1)
        for c in (3, 80):  # 80 channels of 3x3: above 2^24, so float64
            x = torch.randint(200, 256, (1, 5, 4, c), generator=rng)
            w = torch.randint(-128, -100, (2, 3, 3, c), generator=rng)
            got = integer.exact_conv(x, w, {"padding": "same", "stride_h": 2, "stride_w": 1})
            padded = torch.nn.functional.pad(x, (0, 0, 1, 1, 1, 1))
            for oy in range(3):
                for ox in range(4):
                    want = (padded[0, 2 * oy:2 * oy + 3, ox:ox + 3][None] * w).sum((1, 2, 3))
                    self.assertEqual(want.tolist(), got[0, oy, ox].tolist())

    def test_both_layouts_read_alike(self):
        from PIL import Image
        with tempfile.TemporaryDirectory() as tmp:
            tmp = pathlib.Path(tmp)
            x = np.random.RandomState(2).randint(0, 256, (16, 32, 32, 3)).astype(np.uint8)
            for i in range(4):  # 2x2 grids
                grid = x[4 * i:4 * i + 4].reshape(2, 2, 32, 32, 3).transpose(0, 2, 1, 3, 4).reshape(64, 64, 3)
                Image.fromarray(grid).save(tmp / f"test_{i:02d}.webp", lossless=True)
            np.save(tmp / "test_labels.npy", np.arange(16) % 10)
            np.testing.assert_array_equal(x, cifar10.load(tmp, "test").x)

    def test_augmentation_crops_and_flips(self):
        x = torch.arange(32 * 32 * 3).remainder(251).to(torch.uint8).view(1, 32, 32, 3).expand(64, -1, -1, -1)
        y = cifar10.augment(x, torch.Generator().manual_seed(3))
        padded = np.full((40, 40, 3), 128, np.uint8)
        padded[4:36, 4:36] = x[0].numpy()
        seen = {(r, c, f): padded[r:r + 32, c:c + 32][:, ::-1 if f else 1].tobytes() for r in range(9) for c in range(9) for f in (0, 1)}
        where = [next(k for k, v in seen.items() if v == one.numpy().tobytes()) for one in y]
        self.assertGreater(len(set(where)), 40)

    def test_gradients_of_a_requantization(self):
        """By hand: ratio 2, top 3; z = -1 | 0.6 | 1.2 | 9 -> codes 0, 1, 2, 3; gradient g ratio inside, to the ratio sum g z inside."""
        from bitemu_train.quantizers.requant import join, requant
        z = torch.tensor([-1.0, 0.6, 1.2, 9.0], requires_grad=True)
        ratio = torch.tensor(2.0, requires_grad=True)
        u = requant(z, ratio, 3)
        self.assertEqual([0, 1, 2, 3], u.tolist())
        u.backward(torch.tensor([1.0, 10.0, 100.0, 1000.0]))
        self.assertEqual([0, 20, 200, 0], z.grad.tolist())
        self.assertAlmostEqual(126.0, ratio.grad.item(), places=4)
        a, b = torch.tensor([1.4, -3.0, 2.0], requires_grad=True), torch.tensor([3.0, 1.0, 9.0], requires_grad=True)
        out = join(a, torch.tensor(1.0), b, torch.tensor(0.5), 5)  # 1 + 2 (1.5 to even), -3 + 0, 2 + 4
        self.assertEqual([3, 0, 5], out.tolist())
        out.sum().backward()
        self.assertEqual([1, 0, 0], a.grad.tolist())
        self.assertEqual([0.5, 0, 0], b.grad.tolist())

    def test_scalar_gradients_in_16_bits(self):
        """The sum behind a ratio's gradient is held in float32: 4096 products of 1 would stop at 256 in bfloat16."""
        from bitemu_train.quantizers.requant import requant
        for dtype in (torch.float32, torch.bfloat16):
            z = torch.ones(2, 8, 16, 16, dtype=dtype).contiguous(memory_format=torch.channels_last)
            ratio = torch.tensor(2.0, requires_grad=True)
            requant(z, ratio, 3).sum(dtype=torch.float32).backward()
            self.assertEqual(4096, ratio.grad.item())

    def test_normalization_takes_the_ratio(self):
        """norm(acc) ratio and norm with the ratio inside: the same values and gradients, trained and frozen."""
        rng = torch.Generator().manual_seed(4)
        acc = torch.randn(4, 3, 5, 5, generator=rng)
        out = []
        for inside in (False, True):
            norm, ratio = resnet.Norm(2, 3), torch.tensor(1.7, requires_grad=True)
            z = norm(acc, 1, 0.25, ratio) if inside else norm(acc, 1, 0.25, 1.0) * ratio
            z.pow(3).sum().backward()
            norm.frozen = True
            frozen = norm(acc, 1, 0.25, ratio) if inside else norm(acc, 1, 0.25, 1.0) * ratio
            out.append([z, frozen, ratio.grad, norm.gamma.grad, norm.beta.grad])
        for a, b in zip(*out):
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=2e-5, atol=1e-4)

    def test_nested_codes(self):
        """By hand: master codes -128, -33, -1, 0, 31, 32, 127 at 2 bits; the code of a narrower one is the shifted code of a wider one."""
        m = torch.tensor([-128.0, -33, -1, 0, 31, 32, 127])
        self.assertEqual([-2, -1, -1, 0, 0, 0, 1], nested.narrow(m, 2, "floor").tolist())
        self.assertEqual([-2, -1, 0, 0, 0, 1, 1], nested.narrow(m, 2, "half_up").tolist())
        every = torch.arange(-128.0, 128)
        for wide in range(2, 9):
            for w in range(2, wide + 1):
                self.assertTrue(torch.equal(nested.narrow(every, w, "floor"), torch.div(nested.narrow(every, wide, "floor"), 2 ** (wide - w), rounding_mode="floor")))

    def test_gradient_of_the_weights(self):
        """Of the code: 2^(w-1) dx/dw inside the clip. One weight moved: the code's slope follows x = w / (2.2 rms)."""
        w = torch.tensor([[3.0, 4.0]], dtype=torch.float64, requires_grad=True)
        nested.codes(w, 4, "floor").sum().backward()
        rms = (12.5) ** 0.5
        # sum x = (w0 + w1) / (2.2 rms); d rms/dw0 = w0 / (2 rms)
        want = [8 / 2.2 * (1 / rms - 7 * v / (2 * rms ** 3)) for v in (3, 4)]
        np.testing.assert_allclose(w.grad.numpy()[0], want, rtol=1e-6)


if __name__ == "__main__":
    unittest.main()
