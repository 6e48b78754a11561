# SPDX-License-Identifier: Apache-2.0
"""A short training of the any-precision residual network, from YAML to integers: the emulator equals the PyTorch reference on every logit,
a resumed training equals an undisturbed one byte for byte, bad input is named. The images are made here: no data set is needed."""
import contextlib
import io
import json
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
    from bitemu_train import cli, config, cost, integer, native, training
    from bitemu_train.data import cifar10
    from bitemu_train.networks import resnet
    from bitemu_train.quantizers import nested
    from bitemu_train.networks import resnet_export
    from bitemu_train.schemes import adabits, bitmixer, cascade
    from bitemu_train.controller import one_hot
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
        net, _, epoch = training.load(self.root / "whole" / "final.pt")
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

    def scheme(self, name, changes):
        """The smoke training with a scheme of its own; returns the model file."""
        text = SMOKE.read_text()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        path = self.root / f"{name}.yaml"
        path.write_text(text)
        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            got = cli.main(["cifar10", "--config", str(path), "--data", str(self.root), "--out", str(self.root / name)])
        self.assertEqual(0, got, errors.getvalue())
        return self.root / name / "smoke.bitemu"

    def emulated(self, model, policy="controller"):
        """Outputs and decisions of the emulator."""
        dump, trace = self.root / "e.npz", self.root / "e.jsonl"
        subprocess.run([BITEMU, "run", model, "--input", self.root / "x.npy", "--policy", policy, "--dump", dump, "--trace", trace], check=True, stdout=subprocess.DEVNULL)
        return np.load(dump)["out0"].reshape(len(self.x), -1)

    def test_bitmixer(self):
        """Three stages; tables keyed by the transition; any mixture equals the reference."""
        path = self.scheme("mixer", [("scheme: adabits", "scheme: bitmixer\nstages: [1, 2]"), ("norm: own ", "norm: transition "), ("epochs: 2", "epochs: 3"), ("draw: 4", "draw: 3")])
        graph = native.read(path)
        keys = next(l for l in graph["layers"] if l["name"] == "conv2")["integer"]["keys"]
        self.assertEqual(["conv1", "conv2"], keys)
        for mix in ([3, 0, 1, 2, 3, 3], [0, 3, 2, 2, 1, 0]):
            logits, _ = integer.Model(graph).run(self.x, mix)
            np.testing.assert_array_equal(self.emulated(path, "layers:" + ",".join(str(WIDTHS[k]) for k in mix)), logits.numpy())
        net, cfg, _ = training.load(self.root / "mixer" / "final.pt")
        drawn = bitmixer.Scheme(net, cfg)
        rng = torch.Generator().manual_seed(1)
        self.assertEqual([[0] * 6], drawn.assignments(0, 0, rng))
        second, third = drawn.assignments(1, 0, rng), drawn.assignments(2, 0, rng)
        self.assertTrue(len(second) == len(third) == 3 and all(len(set(m)) == 1 for m in second) and any(len(set(m)) > 1 for m in third))

    def test_dqnet(self):
        """The controller's decisions, with and without a hidden layer, and the logits under them equal the reference."""
        for hidden in (0, 6):
            path = self.scheme(f"dq{hidden}", [
                ("scheme: adabits", f"scheme: dqnet\ncontroller: {{pool: 8, hidden: {hidden}, lr: 0.01, tau: [1.0, 0.4], cost_weight: 1.0, cost_target: 0.2, cost: {{term: bitops, board: none}}}}"),
                ("start: none", f"start: {self.root / 'whole' / 'final.pt'}"), ("lr: 0.1", "lr: 0.001"), ("epochs: 2", "epochs: 1"), ("draw: 4", "draw: 2")])
            model = integer.Model(native.read(path))
            logits, chosen = model.run(self.x)
            np.testing.assert_array_equal(self.emulated(path), logits.numpy())
            net, _, _ = training.load(self.root / f"dq{hidden}" / "final.pt")
            p = net.path(net.normalized(), net.uniform(0))
            with torch.no_grad():
                r = net.early(cifar10.codes(torch.from_numpy(self.x)), p)
                wanted = net.controller(r, net.out[0].exp() / 255).argmax(2)
            self.assertGreater(float((wanted == chosen).float().mean()), 0.98)  # the stem's codes differ by rare ties
        with self.assertRaisesRegex(ValueError, "starts from a finished training"):
            cfg = dict(training.load(self.root / "dq0" / "final.pt")[1], start=str(self.root / "whole" / "checkpoint.pt"))
            training.train(cfg, cifar10.load(self.root, "train"), str(self.root / "dq0"), log=io.StringIO())

    def test_d2nn(self):
        """Control nodes in front of the blocks, priced in a board's cycles: decisions and logits equal the reference; a skipped block is its shortcut."""
        path = self.scheme("d2", [
            ("scheme: adabits", "scheme: d2nn\nwidth: 4\ncontroller: {grid: 4, hidden: 0, lr: 0.02, tau: [1.0, 0.4], cost_weight: 4.0, cost_target: 0.5, "
                                "cost: {term: cycles, board: 'nucleo-l4r5zi:cmix-nn'}}"),
            ("start: none", f"start: {self.root / 'whole' / 'final.pt'}"), ("lr: 0.1", "lr: 0.001")])
        model = integer.Model(native.read(path))
        logits, chosen = model.run(self.x)
        net, _, _ = training.load(self.root / "d2" / "final.pt")
        p = net.path(net.normalized(), net.uniform(1))
        with torch.no_grad():
            wanted = net.controller[0](net.early(cifar10.codes(torch.from_numpy(self.x)), p), net.out[0].exp() / 255)[:, 0].argmax(1)
        self.assertGreater(float((wanted == chosen[:, 0]).float().mean()), 0.98)  # the stem's codes differ by rare ties
        np.testing.assert_array_equal(self.emulated(path), logits.numpy())
        once, _ = model.run(self.x, [0, 1, 0])
        np.testing.assert_array_equal(self.emulated(path, "layers:4,0,4"), once.numpy())
        self.assertEqual(integer.Model(native.read(path)).bitops(torch.zeros(1, 3, dtype=torch.int64)).item(), integer.Model(native.read(self.model)).bitops(torch.ones(1, 6, dtype=torch.int64)).item())

    def test_cost_terms(self):
        """By hand: shares of bits, of MACs w a, and of the cycles that the board's table states."""
        graph = native.read(self.model)
        self.assertEqual([[8.0, 4.0, 3.0, 2.0]] * 6, cost.table(graph, "mean_bits").tolist())
        macs = [32 * 32 * 9 * 16 * 16] * 2 + [16 * 16 * 9 * 16 * 32, 16 * 16 * 9 * 32 * 32, 8 * 8 * 9 * 32 * 64, 8 * 8 * 9 * 64 * 64]
        self.assertEqual([[float(m * b * b) for b in WIDTHS] for m in macs], cost.table(graph, "bitops").tolist())
        board = "nucleo-l4r5zi:cmix-nn"
        done = subprocess.run([BITEMU, "cost", self.model, "--board", board, "--lut"], capture_output=True, text=True)
        rows = {r["name"]: {(c["w"], c["a"]): c["cycles"] for c in r["candidates"]} for r in json.loads(done.stdout)["layers"]}
        got = cost.table(graph, "cycles", board)
        for i in range(6):  # its kernels have no 3 bits: those of 4
            want = [rows[f"conv{i + 1}"][b, b] for b in (8, 4, 4, 2)]
            np.testing.assert_allclose(got[i].numpy(), want, rtol=1e-6)
        self.assertAlmostEqual(1.0, float(cost.shares(graph, "cycles", board).amax(1).sum()), places=5)
        text = (SOURCE / "train" / "configs" / "resnet8-gate.yaml").read_text().replace("term: bitops, board: none", "term: cycles, board: nucleo-x")
        line = next(i for i, l in enumerate(text.splitlines()) if "nucleo-x" in l)
        with self.assertRaisesRegex(config.ConfigError, f"c:{line + 1}:{text.splitlines()[line].index('nucleo-x') + 1}: unknown board 'nucleo-x'; known: apollo510-evb"):
            config.parse(text, "c", config.GATE, config.check_gate)

    def test_cascade(self):
        """Images whose answer is not sure pass again: decisions by hand from the first pass's logits, the sum of both, equal in the emulator."""
        net, _, _ = training.load(self.root / "whole" / "final.pt")
        path, margin = self.root / "cascade.bitemu", 12
        native.write(path, resnet_export.cascade(net, "c", 2, 4, margin, cascade.PER_UNIT))
        model = integer.Model(native.read(path))
        logits, chosen = model.run(self.x)
        once, _ = model.run(self.x, [0, 0, 0])
        both, _ = model.run(self.x, [0, 1, 1])
        again = chosen[:, 1] == 1
        self.assertTrue(0 < int(again.sum()) < len(self.x), "a margin that decides nothing")
        self.assertTrue(torch.equal(chosen[:, 1], chosen[:, 2]))
        self.assertTrue(torch.equal(logits, torch.where(again[:, None], both, once)))
        best = once.topk(2, 1).values.float() / 256 * cascade.PER_UNIT
        gap = best[:, 0] - best[:, 1]
        self.assertTrue(bool((again[gap < margin - 1]).all()) and not bool((again[gap > margin + 1]).any()))
        np.testing.assert_array_equal(self.emulated(path), logits.numpy())
        errors = io.StringIO()
        config_file = self.root / "cascade.yaml"
        config_file.write_text((SOURCE / "train" / "configs" / "resnet8-cascade.yaml").read_text().replace("again: 0.2", "again: 0.5").replace("first: 3", "first: 6"))
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            self.assertEqual(2, cli.main(["cascade", "--config", str(config_file), "--checkpoint", str(self.root / "whole" / "final.pt"), "--data", str(self.root), "--out", str(self.root / "c")]))
        self.assertIn("no 6 bits (first)", errors.getvalue())

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
            training.train(config.load(changed, config.cifar10, config.check_cifar10), cifar10.load(self.root, "train"),
                          str(self.root / "whole"), resume=True)

    def test_a_training_starts_from_another(self):
        """Weights equal; sets of a width the other has not are its widest one's, clips in proportion; the steps take the widths in turn."""
        text = SMOKE.read_text().replace("[8, 4, 3, 2]", "[8, 4]").replace("draw: 4", "draw: 2")
        one, two = self.root / "one.yaml", self.root / "two.yaml"
        one.write_text(text)
        first, path = self.root / "first", self.root / "first" / "checkpoint.pt"
        first.mkdir()
        part = cifar10.load(self.root, "train")
        training.train(config.load(one, config.cifar10, config.check_cifar10), part, str(first), stop_after=1, log=io.StringIO())
        two.write_text(SMOKE.read_text().replace("start: none", f"start: {path}").replace("draw: 4", "draw: 3"))
        cfg = config.load(two, config.cifar10, config.check_cifar10)
        net = resnet.build(cfg["network"], torch.Generator())
        training.warm_start(net, str(path), cfg)
        old, new = torch.load(path, map_location="cpu")["network"], net.state_dict()
        self.assertEqual(set(old), set(new))
        for name, value in old.items():
            if resnet.shared(name):
                self.assertTrue(torch.equal(value, new[name]), name)
                continue
            self.assertEqual(4, len(new[name]), name)
            for k, source in enumerate((0, 1, 0, 0)):
                clip = {2: 2.5 / 4, 3: 2.0 / 4}.get(k, 1.0) if name == "clip" else None
                want = value[source] if clip is None else value[source] + np.log(clip)
                np.testing.assert_allclose(new[name][k].numpy(), want.numpy(), rtol=1e-6, err_msg=name)
        self.assertEqual({"weight", "out"}, {n for n in old if resnet.shared(n)})
        for out in ("warm", "again"):
            (self.root / out).mkdir()
        training.train(cfg, part, str(self.root / "warm"), log=io.StringIO())
        training.train(cfg, part, str(self.root / "again"), stop_after=1, log=io.StringIO())
        training.train(cfg, part, str(self.root / "again"), resume=True, log=io.StringIO())
        self.assertEqual(*((self.root / out / "checkpoint.pt").read_bytes() for out in ("warm", "again")))
        deep = dict(cfg, network=dict(cfg["network"], depth=20))
        with self.assertRaisesRegex(ValueError, "depth 8 cannot start one of depth 20"):
            training.warm_start(net, str(path), deep)
        path.write_bytes((self.root / "whole" / "final.pt").read_bytes())
        with self.assertRaisesRegex(ValueError, "started from another"):
            training.train(cfg, part, str(self.root / "again"), resume=True, log=io.StringIO())

    def test_widths_of_a_step(self):
        """By hand: all at once, or the widest and the others in turn."""
        self.assertEqual([0, 1, 2, 3], adabits.turn(4, 4, 7))
        self.assertEqual([[0, 1], [0, 2], [0, 3], [0, 1]], [adabits.turn(4, 2, i) for i in range(4)])
        self.assertEqual([[0, 1, 2], [0, 1, 3], [0, 2, 3]], [adabits.turn(4, 3, i) for i in range(3)])
        self.assertEqual([0], adabits.turn(1, 1, 5))
        with self.assertRaisesRegex(config.ConfigError, "draw counts"):
            config.parse(SMOKE.read_text().replace("draw: 4", "draw: 1"), "c", config.cifar10, config.check_cifar10)

    def test_nan_stops_and_keeps_the_checkpoint(self):
        cfg = config.load(SMOKE, config.cifar10, config.check_cifar10)
        part, out = cifar10.load(self.root, "train"), str(self.root / "nan")
        os.mkdir(out)
        training.train(cfg, part, out, stop_after=1, log=io.StringIO())
        before = (self.root / "nan" / "checkpoint.pt").read_bytes()
        whole = training.gradients

        def broken(*args):
            return whole(*args)[0] * float("nan"), torch.tensor(0)
        training.gradients = broken
        try:
            with self.assertRaisesRegex(training.Diverged, "epoch 1, step 0: the loss is nan"):
                training.train(cfg, part, out, resume=True, log=io.StringIO())
        finally:
            training.gradients = whole
        self.assertEqual(before, (self.root / "nan" / "checkpoint.pt").read_bytes())

    def test_unknown_words_have_line_and_column(self):
        text = SMOKE.read_text()
        for old, new, word, message in (("nesting: floor", "nesting: flor", "flor", "'flor' is unknown; known: floor, half_up"),
                                        ("scheme: adabits", "scheme: adabit", "adabit", "'adabit' is unknown; known: adabits"),
                                        ("3, 2]", "3, 9]", "9]", "'9' is unknown"), ("  lr: 0.1", "  rl: 0.1", "rl:", "unknown key 'rl'")):
            lines = text.replace(old, new).splitlines()
            row = next(i for i, line in enumerate(lines) if new in line)
            with self.assertRaises(config.ConfigError) as e:
                config.parse(text.replace(old, new), "c", config.cifar10, config.check_cifar10)
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
        """By hand: ratio 2/3, top 3; z = -1 | 0.6 | 1.2 | 9 -> codes 0, 1, 2, 3; gradient g 3 ratio inside, to the ratio 3 sum g z inside."""
        from bitemu_train.quantizers.requant import join, quantize, requant
        z = torch.tensor([-1.0, 0.6, 1.2, 9.0], requires_grad=True)
        ratio, top = torch.tensor(2 / 3, requires_grad=True), torch.tensor(3.0)
        u = requant(z, ratio, top)
        self.assertEqual([0, 1, 2, 3], u.tolist())
        u.backward(torch.tensor([1.0, 10.0, 100.0, 1000.0]))
        self.assertEqual([0, 20, 200, 0], z.grad.tolist())
        self.assertAlmostEqual(3 * 126.0, ratio.grad.item(), places=3)
        z = torch.tensor([-1.0, 0.4, 0.9, 9.0], requires_grad=True)
        u = quantize(z, top)
        self.assertEqual([0, 1, 3, 3], u.tolist())
        u.backward(torch.tensor([1.0, 10.0, 100.0, 1000.0]))
        self.assertEqual([0, 30, 300, 0], z.grad.tolist())
        a, b = torch.tensor([1.4, -3.0, 2.0], requires_grad=True), torch.tensor([3.0, 1.0, 9.0], requires_grad=True)
        half = torch.tensor(0.5, requires_grad=True)
        out = join(a, b, half, 5)  # 1 + 2 (1.5 to even), -3 + 0, 2 + 4
        self.assertEqual([3, 0, 5], out.tolist())
        out.sum().backward()
        self.assertEqual([1, 0, 0], a.grad.tolist())
        self.assertEqual([0.5, 0, 0], b.grad.tolist())
        self.assertEqual(3, half.grad.item())
        self.assertEqual([4, 0, 5], join(a, b, None, 5).tolist())

    def test_scalar_gradients_in_16_bits(self):
        """The sum behind a ratio's gradient is held in float32: 4096 products of 1 would stop at 256 in bfloat16."""
        from bitemu_train.quantizers.requant import requant
        for dtype in (torch.float32, torch.bfloat16):
            z = torch.ones(2, 8, 16, 16, dtype=dtype).contiguous(memory_format=torch.channels_last)
            ratio = torch.tensor(2.0, requires_grad=True)
            requant(z / 4, ratio, torch.tensor(4.0)).sum(dtype=torch.float32).backward()
            self.assertEqual(4096, ratio.grad.item())

    def test_paths_are_the_layers_one_by_one(self):
        """The path's tables against a network written out: normalization, clips and codes of each layer by itself, trained and frozen."""
        import torch.nn.functional as F
        rng = torch.Generator().manual_seed(4)
        for keyed in ("own", "transition"):
            net = resnet.ResNet(8, [8, 4, 2], "half_up", keyed, rng)
            with torch.no_grad():
                for p in (net.gamma, net.var):
                    p.copy_(torch.rand(p.shape, generator=rng) + 0.5)
                for p in (net.beta, net.mean, net.head_bias):
                    p.copy_(torch.randn(p.shape, generator=rng) * 0.3)
            x, chosen = torch.randint(-128, 128, (4, 3, 32, 32), generator=rng).float(), [1, 0, 2, 1, 1, 2]
            for frozen in (False, True):
                net.freeze(frozen)
                out, clip = net.out.exp(), net.clip.exp()

                def conv(u, i, row, bits):
                    w, at, unit = net.weight.split([s.numel() for s in net.shapes])[i].view(net.shapes[i]), net.channels(i), 2.0 ** (1 - 2 * bits)
                    rms = w.double().pow(2).mean((1, 2, 3), keepdim=True).sqrt()
                    master = torch.floor((w / (2.2 * rms.float())).clamp(-1, 127 / 128) * 128)
                    codes = nested.narrow(master, bits, "half_up").permute(0, 3, 1, 2)
                    acc = resnet.convolve(u, codes, net.convs[i].stride) * unit
                    if not frozen:
                        return F.batch_norm(acc, None, None, net.gamma[row, at], net.beta[row, at], True)
                    gamma, sigma = net.gamma[row, at], torch.sqrt(net.var[row, at] + 1e-5)
                    bias = torch.floor((net.beta[row, at] * sigma / gamma - net.mean[row, at]) / unit + 0.5)
                    return (acc / unit + bias.view(-1, 1, 1)) * (gamma / sigma * unit).view(-1, 1, 1)

                def row(before, own):
                    return own if keyed == "own" else before * 3 + own
                r = torch.round(conv(x, 0, 0, 8).div(out[0]).clamp(0, 1) * 255)
                at = 1
                for b in range(3):
                    k1, k2 = chosen[2 * b], chosen[2 * b + 1]
                    n1, n2 = 2 ** net.widths[k1] - 1, 2 ** net.widths[k2] - 1
                    u = torch.round((r * (out[b] / 255 / clip[k1, 2 * b])).clamp(0, 1) * n1)
                    z = conv(u, at, row(0, k1), net.widths[k1])
                    z = conv(torch.round((z / clip[k2, 2 * b + 1]).clamp(0, 1) * n2), at + 1, row(k1, k2), net.widths[k2]) * (255 / out[b + 1])
                    other, at = r * (out[b] / out[b + 1]), at + 2
                    if b:
                        other, at = conv(r, at, row(0, k2), 8) * (255 / out[b + 1]), at + 1
                    r = (torch.round(z) + torch.round(other)).clamp(0, 255)
                p = net.path(net.normalized(), chosen)
                with torch.no_grad():
                    want = net.head(r, p, p.bias, p.gain)
                    logits = net.late(net.early(x, p), p)
                # Ties of the rounding may fall differently: nearly all codes, hence the logits nearly, are the same.
                self.assertLess(float((logits - want).abs().mean() / want.abs().mean()), 0.05, (keyed, frozen))

    def test_blended_images_are_those_of_their_paths(self):
        """A batch whose images all take the same candidates, and one of different mixtures, image by image."""
        rng = torch.Generator().manual_seed(5)
        net = resnet.ResNet(8, [8, 3], "floor", "own", rng)
        x = torch.randint(-128, 128, (6, 3, 32, 32), generator=rng).float()
        net.collect([(x, [net.uniform(0), net.uniform(1)])])
        leaf = net.normalized()
        paths = [net.path(leaf, net.uniform(k), mixed=True) for k in range(2)]
        r = net.early(x, paths[0])
        chosen = torch.randint(2, (6, 6), generator=rng)
        with torch.no_grad():
            got = net.blended(r, paths, one_hot(chosen, 2))
            for i in range(6):
                want = net.late(r[i:i + 1], net.path(leaf, chosen[i].tolist()))[0]
                np.testing.assert_allclose(got[i].numpy(), want.numpy(), rtol=0.05, atol=0.05 * float(want.abs().max()))

    def test_gradients_add_up(self):
        """One step's gradients are those of the mean of the paths' losses, computed in one piece."""
        import torch.nn.functional as F
        rng = torch.Generator().manual_seed(6)
        net = resnet.ResNet(8, [8, 4, 2], "floor", "own", rng)
        x, y = torch.randint(-128, 128, (8, 3, 32, 32), generator=rng).float(), torch.arange(8)
        chosen = torch.tensor([net.uniform(0), [2, 1, 0, 1, 2, 2]])
        loss, right = training.gradients(net, 0.5, x, y, chosen, torch.tensor(4.0))
        got = {n: p.grad.clone() for n, p in net.named_parameters()}
        first, second = net(x, chosen[0]), net(x, chosen[1])
        soft = -(torch.softmax(first.detach(), 1) * F.log_softmax(second, 1)).sum(1).mean()
        want = (F.cross_entropy(first, y) + 0.5 * F.cross_entropy(second, y) + 0.5 * soft) / 2
        grads = torch.autograd.grad(want * 4, list(net.parameters()))
        self.assertAlmostEqual(want.item(), loss.item(), places=5)
        self.assertEqual((first.argmax(1) == y).sum().item(), right.item())
        for (name, _), g in zip(net.named_parameters(), grads):
            np.testing.assert_allclose(got[name].numpy(), g.numpy(), rtol=1e-3, atol=1e-4 * float(g.abs().max()), err_msg=name)

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
        w = torch.tensor([3.0, 4.0, 100.0, 2.0, 1.0], dtype=torch.float64, requires_grad=True)  # rows of 2 and 3 weights
        x = nested.Rows([2, 3]).normalized(w)
        self.assertAlmostEqual(4 / (2.2 * 12.5 ** 0.5), x[1].item())
        shapes = [torch.Size((1, 1, 1, 2)), torch.Size((1, 1, 1, 3))]
        codes = nested.codes(x, torch.tensor([4.0, 4, 8, 8, 8]), torch.ones(5), "floor", shapes, torch.float64)
        self.assertEqual([[3.0, 4.0], [1.0, 0.0]], [codes[0].flatten().tolist(), (codes[1].flatten()[1:] > 1).double().tolist()])
        codes[0].sum().backward()
        rms = (12.5) ** 0.5
        # sum x = (w0 + w1) / (2.2 rms); d rms/dw0 = w0 / (2 rms)
        want = [8 / 2.2 * (1 / rms - 7 * v / (2 * rms ** 3)) for v in (3, 4)]
        np.testing.assert_allclose(w.grad.numpy(), [*want, 0, 0, 0], rtol=1e-6)


if __name__ == "__main__":
    unittest.main()
