#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What real boards answered (published MLPerf Tiny accuracy logs) against the emulator under every profile that runs
these networks: groups of boards whose arithmetic is known must be equal as often as stated below. Then ResNet-8 on the whole CIFAR-10 test set under `litert-ref`,
and the unmodified logs of one board through `bitemu compare`."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import Checks, bitemu, bitemu_json, need_numpy, need_shared

np = need_numpy()
shared = need_shared()
checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp())
KWS = shared / "models" / "mlc_kws_ref_model.tflite"
IC = shared / "models" / "mlc_pretrainedResnet_quant.tflite"
TINY = shared / "data" / "mlperf_tiny"


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


PROFILES = ("tflm", "litert-ref", "ruy", "xnnpack", "tflite-single-round")
# group: (profile, vectors that are equal); a change either way is news.
EXPLAINED = {"30ab42f7": ("tflm", 1000), "c0d76191": ("xnnpack", 1000), "b5cac33a": ("ruy", 1000), "5f12d91a": ("xnnpack", 998),
             "e5817c74": ("tflm", 200), "7a175ce9": ("ruy", 200), "b124ae37": ("tflite-single-round", 200), "762a38e0": ("tflite-single-round", 199),
             "3139e3e3": ("tflm", 199), "c1661b7c": ("tflm", 200), "699bb6fc": ("xnnpack", 200)}


def outputs(model, x, name):
    """Outputs under every profile."""
    np.save(tmp / "x.npy", x)
    dump = tmp / f"{name}.npz"
    result = {}
    for profile in PROFILES:
        done = bitemu("run", model, "--input", tmp / "x.npy", "--dump", dump, "--threads", 2, "--profile", profile)
        if not checks.check(done.returncode == 0, f"{name}: {done.stderr}"):
            checks.finish()
        result[profile] = np.load(dump)["out0"]
    return result


def against_boards(name, got):
    z = np.load(shared / "oracles" / "silicon" / f"{name}.npz", allow_pickle=False)
    submissions = (shared / "oracles" / "silicon" / "submissions.csv").read_text()
    for i, g in enumerate(z["groups"]):
        same = {p: int((y.reshape(z["outputs"][i].shape) == z["outputs"][i]).all(axis=1).sum()) for p, y in got.items()}
        best = max(same, key=same.get)
        print(f"{name} group {g} ({submissions.count(f'{name},{g},')} logs): {same[best]} of {len(z['inputs'])} vectors equal under {best}; "
              + ", ".join(f"{p} {n}" for p, n in same.items()))
        if str(g) in EXPLAINED:
            profile, equal = EXPLAINED[str(g)]
            checks.check(same[profile] == equal, f"{name}: group {g} under {profile}: {same[profile]} equal, known {equal}")


def against_log(name, model, x, names):
    np.save(tmp / "x.npy", x)
    (tmp / "names.txt").write_text("\n".join(names) + "\n")
    trace = tmp / f"{name}.jsonl"
    done = bitemu("run", model, "--input", tmp / "x.npy", "--names", tmp / "names.txt", "--trace", trace)
    checks.check(done.returncode == 0, f"{name}: {done.stderr}")
    return trace


kws = np.load(TINY / "kws01_x.npy")
against_boards("kws", outputs(KWS, kws, "kws"))
logs = shared / "logs" / "accuracy"
kws_trace = against_log("kws", KWS, kws, (TINY / "kws01_names.txt").read_text().split())
done = bitemu("compare", logs / "l4r5zi_tflm_kws.log.gz", kws_trace)
print(done.stdout.strip())
checks.check(done.returncode == 0, f"kws log of the NUCLEO-L4R5ZI running TFLM differs: {done.stdout}{done.stderr}")

images, labels = cifar_test()
if images is not None:
    codes = (images.astype(np.int16) - 128).astype(np.int8)
    for name, idx in (("ic_a", "ic01_mlcommons_idx.npy"), ("ic_b", "ic01_energyrunner_idx.npy")):
        pick = np.load(TINY / idx)
        names = [str(n) for n in np.load(shared / "oracles" / "silicon" / f"{name}.npz")["inputs"]]
        listed = (TINY / idx.replace("_idx.npy", "_names.txt")).read_text().split()
        order = [listed.index(n) for n in names] if set(names) == set(listed) else range(len(names))
        against_boards(name, outputs(IC, codes[pick][list(order)], name))
    np.save(tmp / "cifar.npy", codes)
    np.save(tmp / "labels.npy", labels)
    run = bitemu_json("run", IC, "--input", tmp / "cifar.npy", "--labels", tmp / "labels.npy", "--profile", "litert-ref", "--threads", 2)
    print(f"ResNet-8, {run['inputs']} CIFAR-10 test images, litert-ref: top-1 {100 * run['top1']:.2f} %")
    checks.check(run["inputs"] == 10000 and round(100 * run["top1"], 2) == 87.07, f"top-1 {run['top1']}")
    for log, which, equal in (("l4r5zi_microtvm_cmsisnn_ic.log.gz", "mlcommons", True), ("l4r5zi_xcubeai_ic.log.gz", "energyrunner", False)):
        names = (TINY / f"ic01_{which}_names.txt").read_text().split()
        done = bitemu("compare", logs / log, against_log("ic", IC, codes[np.load(TINY / f"ic01_{which}_idx.npy")], names))
        print(log, "->", done.stdout.strip())
        checks.check(done.returncode == (0 if equal else 1) and "200 inputs compared" in done.stdout, f"{log}: exit {done.returncode} {done.stderr}")
checks.finish()
