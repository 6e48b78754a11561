# SPDX-License-Identifier: Apache-2.0
"""The emulator equals the PyTorch integer reference on every logit and every decision of every shipped digit, for the controller, the
static widths and random width vectors."""
import json
import os
import pathlib
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
    import torch  # noqa: F401
    from bitemu_train import equal, integer, native
except ImportError as missing:
    np = None
    WHY = f"SKIPPED: {missing} (Debian: python3-torch python3-yaml)"
    print(WHY)

MODEL = SOURCE / "models" / "digits" / "digits.bitemu"


@unittest.skipIf(np is None, "PyTorch is not installed")
class Equal(unittest.TestCase):
    def emulator(self, policy):
        with tempfile.TemporaryDirectory() as tmp:
            dump, trace = pathlib.Path(tmp) / "d.npz", pathlib.Path(tmp) / "t.jsonl"
            subprocess.run([BITEMU, "run", MODEL, "--input", MODEL.with_name("digits_x.npy"), "--policy", policy, "--dump", dump,
                            "--trace", trace, "--threads", "2"], check=True, stdout=subprocess.DEVNULL)
            z = np.load(dump)
            traced = [json.loads(line)["decisions"] for line in trace.read_text().splitlines() if '"layer":"output"' in line]
            return z["out0"].reshape(len(traced), -1), z["decisions"], np.array(traced)

    def equal(self, policy, candidates):
        model = integer.Model(native.read(MODEL))
        logits, chosen = model.run(np.load(MODEL.with_name("digits_x.npy")), candidates)
        got, decisions, traced = self.emulator(policy)
        np.testing.assert_array_equal(got, logits.numpy())
        np.testing.assert_array_equal(decisions, chosen.numpy())
        np.testing.assert_array_equal(traced, chosen.numpy())
        return chosen.numpy()

    def test_controller(self):
        chosen = self.equal("controller", "controller")
        self.assertGreater(len(np.unique(chosen, axis=0)), 1, "the controller must decide by input")

    def test_static(self):
        for k, bits in enumerate((2, 4, 8)):
            self.equal(f"fixed:{bits}", [k] * 4)

    def test_shipped_networks(self):
        """What `bitemu_train equal` compares over a whole test set, here over pictures of noise."""
        x = np.random.default_rng(1).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
        for name, policies in (("resnet8", 5), ("resnet8-bitmixer", 5), ("resnet8-cascade", 1)):
            answers = list(equal.compare(BITEMU, SOURCE / "models" / name / f"{name}.bitemu", x, np.zeros(8, int)))
            self.assertEqual(policies, len(answers))
            for policy, same, images, *_ in answers:
                self.assertEqual((name, policy, images), (name, policy, same))

    def test_random_widths(self):
        seed = int(os.environ.get("BITEMU_SEED", "20260101"))
        print(f"BITEMU_SEED={seed}")
        rng = random.Random(seed)
        for _ in range(6):
            k = [rng.randrange(3) for _ in range(4)]
            self.equal("layers:" + ",".join(str((2, 4, 8)[i]) for i in k), k)


if __name__ == "__main__":
    unittest.main()
