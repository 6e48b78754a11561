#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What real boards answered (published MLPerf Tiny accuracy logs) against the emulator under every profile that runs these networks: groups
of boards whose arithmetic is known must be equal as often as stated below, and so must the share of logs that are reproduced. Then ResNet-8
on the whole CIFAR-10 test set under `litert-ref`, and the unmodified logs of two boards through `bitemu compare`.
`--write` renews the table in docs/PROFILES.md from this very run."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import boards
from boards import IMAGES, MODEL, TINY, np, shared
from support import SOURCE, Checks, bitemu, bitemu_json

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp())
PROFILES = ("tflm", "litert-ref", "ruy", "xnnpack", "tflite-single-round", "tflm-rx", "x-cube-ai", "plumerai", "microtvm-native")
# (benchmark, group): (stack, profile, vectors that are equal); a change either way is news.
EXPLAINED = {
    ("kws", "c0d76191"): ("X-CUBE-AI 7.1 to 8.1 and of round 1.2; Plumerai", "x-cube-ai", 1000),
    ("kws", "30ab42f7"): ("TFLM, alone and with CMSIS-NN; microTVM with CMSIS-NN", "tflm", 1000),
    ("kws", "5f12d91a"): ("microTVM native", "x-cube-ai", 998),
    ("kws", "b5cac33a"): ("TFLM with Andes' library", "ruy", 1000),
    ("kws", "5dd01792"): ("LEIP 1.9.3 (TVM), int8", "microtvm-native", 1000),
    ("ic_a", "4393841b"): ("Plumerai", "plumerai", 200),
    ("ic_a", "e5817c74"): ("TFLM with CMSIS-NN; microTVM with CMSIS-NN", "tflm", 200),
    ("ic_a", "941d5e5c"): ("microTVM native", "microtvm-native", 200),
    ("ic_a", "7a175ce9"): ("TFLM with Andes' library", "ruy", 200),
    ("ic_a", "762a38e0"): ("X-CUBE-AI of round 1.2, two boards", "x-cube-ai", 199),
    ("ic_a", "b124ae37"): ("X-CUBE-AI of round 1.2, one board", "x-cube-ai", 200),
    ("ic_a", "3139e3e3"): ("TFLM on Renesas RX", "tflm-rx", 200),
    ("ic_b", "699bb6fc"): ("X-CUBE-AI 7.1 to 8.1", "x-cube-ai", 200),
    ("ic_b", "c1661b7c"): ("TFLM", "tflm", 200),
}
# CPU boards that no rule set explains; they count against us.
OPEN = {
    ("kws", "24ecf222"): "ONNC with CMSIS-NN: outputs look like a 7-bit softmax of powers of two: another quantization",
    ("ic_a", "f4d1bc20"): "ONNC with CMSIS-NN: as its kws",
    ("ic_a", "371c2426"): "ONNC with Andes' library: as its kws",
    ("ic_a", "f8480ff9"): "self-developed stack on RISC-V, model unknown",
}
# Not the reference int8 model on a CPU.
OTHER = {
    ("kws", "f13828af"): "Syntiant NDP accelerator", ("ic_a", "d45332b0"): "Syntiant NDP accelerator",
    ("kws", "b80a2a48"): "Qualcomm sensing hub", ("ic_b", "92082e5f"): "Qualcomm sensing hub",
    ("kws", "b22214c6"): "LEIP, float32 model", ("ic_b", "a22e79de"): "LEIP, float32 model",
    ("kws", "0cc823c2"): "fpgaConvNet, FPGA", ("kws", "85bdd090"): "fpgaConvNet, FPGA", ("kws", "241d14a5"): "fpgaConvNet, FPGA",
    ("ic_a", "3a32700f"): "fpgaConvNet, FPGA", ("ic_a", "7f330869"): "fpgaConvNet, FPGA", ("ic_a", "2ef13ece"): "fpgaConvNet, FPGA",
}
REPRODUCED, CPU_LOGS = 72, 80  # logs equal in at least 99.5 % of their vectors, of all CPU boards' logs of int8 models
LOGS = boards.logs()
rows, reproduced = [], 0


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
    global reproduced
    for g, want in boards.oracle(name).items():
        logs = len(LOGS[name, g])
        same = {p: int((y.reshape(want.shape) == want).all(axis=1).sum()) for p, y in got.items()}
        best = max(same, key=same.get)
        print(f"{name} group {g} ({logs} logs): {same[best]} of {len(want)} vectors equal under {best}; " + ", ".join(f"{p} {n}" for p, n in same.items()))
        checks.check(((name, g) in EXPLAINED) + ((name, g) in OPEN) + ((name, g) in OTHER) == 1, f"{name}: group {g} is not accounted for once")
        stack = OPEN.get((name, g)) or OTHER.get((name, g))
        shown = f"none (`{best}`)" if same[best] else "none"
        if not stack:
            stack, profile, equal = EXPLAINED[name, g]
            checks.check(same[profile] == equal, f"{name}: group {g} under {profile}: {same[profile]} equal, known {equal}")
            checks.check(same[best] == equal, f"{name}: group {g}: {best} is better: {same[best]}")
            best = profile
            shown = f"`{best}`"
            reproduced += logs * (200 * equal >= 199 * len(want))
        rows.append(f"| {name} {g} | {logs} | {stack} | {shown} | {same[best]}/{len(want)} |")


def against_log(name, model, x, names, profile="tflm"):
    np.save(tmp / "x.npy", x)
    (tmp / "names.txt").write_text("\n".join(names) + "\n")
    trace = tmp / f"{name}.jsonl"
    done = bitemu("run", model, "--input", tmp / "x.npy", "--names", tmp / "names.txt", "--trace", trace, "--profile", profile)
    checks.check(done.returncode == 0, f"{name}: {done.stderr}")
    return trace


def whole_test_set(codes, labels):
    np.save(tmp / "cifar.npy", codes)
    np.save(tmp / "labels.npy", labels)
    run = bitemu_json("run", MODEL["ic"], "--input", tmp / "cifar.npy", "--labels", tmp / "labels.npy", "--profile", "litert-ref", "--threads", 2)
    print(f"ResNet-8, {run['inputs']} CIFAR-10 test images, litert-ref: top-1 {100 * run['top1']:.2f} %")
    checks.check(run["inputs"] == 10000 and round(100 * run["top1"], 2) == 87.07, f"top-1 {run['top1']}")


def write_page():
    start, end = "<!-- table: tests/silicon/check_silicon.py --write -->\n", "<!-- end -->"
    lines = ["| log group | logs | stack | best profile | equal |", "|---|--:|---|---|--:|", *rows, "", share]
    page = SOURCE / "docs" / "PROFILES.md"
    head, rest = page.read_text().split(start)
    page.write_text(head + start + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1])


kws = boards.inputs("kws")
against_boards("kws", outputs(MODEL["kws"], kws, "kws"))
published = shared / "logs" / "accuracy"
done = bitemu("compare", published / "l4r5zi_tflm_kws.log.gz", against_log("kws", MODEL["kws"], kws, (TINY / "kws01_names.txt").read_text().split()))
print(done.stdout.strip())
checks.check(done.returncode == 0, f"kws log of the NUCLEO-L4R5ZI running TFLM differs: {done.stdout}{done.stderr}")

images, labels = boards.cifar_test()
if images is not None:
    codes = (images.astype(np.int16) - 128).astype(np.int8)
    for name in IMAGES:
        against_boards(name, outputs(MODEL["ic"], boards.inputs(name, codes), name))
    for log, which, profile, equal in (("l4r5zi_microtvm_cmsisnn_ic.log.gz", "mlcommons", "tflm", True), ("l4r5zi_xcubeai_ic.log.gz", "energyrunner", "tflm", False),
                                       ("l4r5zi_xcubeai_ic.log.gz", "energyrunner", "x-cube-ai", True)):
        names = (TINY / f"ic01_{which}_names.txt").read_text().split()
        done = bitemu("compare", published / log, against_log("ic", MODEL["ic"], codes[np.load(TINY / f"ic01_{which}_idx.npy")], names, profile))
        print(log, "->", done.stdout.strip())
        checks.check(done.returncode == (0 if equal else 1) and "200 inputs compared" in done.stdout, f"{log}: exit {done.returncode} {done.stderr}")
    total = sum(len(logs) for key, logs in LOGS.items() if key not in OTHER)
    share = (f"{reproduced} of {total} logs of CPU boards with an int8 model ({100 * reproduced / total:.1f} %) are equal in at least 99.5 % of their vectors, "
             f"{reproduced} of {sum(len(LOGS[k]) for k in EXPLAINED)} without ONNC and the self-developed stack, which seem to run networks of their own.")
    print(share)
    checks.check((reproduced, total) == (REPRODUCED, CPU_LOGS), f"{reproduced} of {total} logs reproduced, known {REPRODUCED} of {CPU_LOGS}")
    if "--write" in sys.argv:
        write_page()
    whole_test_set(codes, labels)
checks.finish()
