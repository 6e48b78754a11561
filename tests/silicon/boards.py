# SPDX-License-Identifier: Apache-2.0
"""Published accuracy logs of real boards: their inputs, what each group of boards answered, and which logs it holds."""
import collections
import csv
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import need_numpy, need_shared

np = need_numpy()
shared = need_shared()
TINY = shared / "data" / "mlperf_tiny"
MODEL = {"kws": shared / "models" / "mlc_kws_ref_model.tflite", "ic": shared / "models" / "mlc_pretrainedResnet_quant.tflite"}
IMAGES = {"ic_a": "ic01_mlcommons", "ic_b": "ic01_energyrunner"}


def cifar_test():
    """[10000,32,32,3] uint8 from the 50x50 grids, and labels; None without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        print("SKIPPED: CIFAR-10 needs Pillow to read WebP (Debian: python3-pil)")
        return None, None
    parts = []
    for f in sorted((shared / "data" / "cifar10").glob("test_*.webp")):
        grid = np.asarray(Image.open(f).convert("RGB")).reshape(50, 32, 50, 32, 3)
        parts.append(grid.transpose(0, 2, 1, 3, 4).reshape(-1, 32, 32, 3))
    return np.concatenate(parts), np.load(shared / "data" / "cifar10" / "test_labels.npy")


def oracle(name):
    """{group: [input, class] int8}, in the order of `inputs`."""
    z = np.load(shared / "oracles" / "silicon" / f"{name}.npz", allow_pickle=False)
    return dict(zip(map(str, z["groups"]), z["outputs"]))


def image_order(name):
    """Indices into the CIFAR-10 test set, in the order of the group's outputs."""
    names = [str(n) for n in np.load(shared / "oracles" / "silicon" / f"{name}.npz")["inputs"]]
    listed = (TINY / f"{IMAGES[name]}_names.txt").read_text().split()
    order = [listed.index(n) for n in names] if set(names) == set(listed) else range(len(names))
    return np.load(TINY / f"{IMAGES[name]}_idx.npy")[list(order)]


def inputs(name, codes=None):
    """int8 inputs of one benchmark; codes: CIFAR-10 as int8, read here if not given."""
    if name == "kws":
        return np.load(TINY / "kws01_x.npy")
    if codes is None:
        images, _ = cifar_test()
        if images is None:
            return None
        codes = (images.astype(np.int16) - 128).astype(np.int8)
    return codes[image_order(name)]


def logs():
    """{(benchmark, group): [log, ...]}"""
    found = collections.defaultdict(list)
    with open(shared / "oracles" / "silicon" / "submissions.csv") as f:
        for row in csv.DictReader(f):
            found[row["benchmark"], row["group"]].append(row["log"])
    return found
