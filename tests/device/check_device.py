#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the exported program compute, on the workstation and on every simulated board, what the emulator computes: every decision, every
layer's checksum, every input? And is a board that does not, found and named?

  check_device.py host     the runtime compiled natively with sanitizers: all networks that are here
  check_device.py boards   QEMU's Cortex-M boards
  check_device.py avr      an ATmega in simavr
  check_device.py riscv    RISC-V cores in the instruction-set simulator (tests/rtl holds it against their RTL)
  check_device.py faults   planted faults, refusals, runaway programs, the log header in a foreign program"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import BITEMU, SHARED, SOURCE, Checks, bitemu, compile_once, need_numpy, skip

np = need_numpy()
import networks

ISS = ("ibex-small-iss", "ibex-maxperf-iss", "cv32e40p-iss")
QEMU = ("qemu-m3", "qemu-m4", "qemu-m7", "qemu-m55")
SANITIZE = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
DIGITS = (SOURCE / "models" / "digits" / "digits.bitemu", SOURCE / "models" / "digits" / "digits_x.npy")
RESNET8 = SOURCE / "models" / "resnet8" / "resnet8.bitemu"
POLICIES = ("controller", "fixed:2", "fixed:4", "fixed:8", "layers:8,2,4,2", "random:7")
checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp())


def tool(*args):
    return subprocess.run([sys.executable, *map(str, args)], capture_output=True, text=True, env={**os.environ, "BITEMU": BITEMU})


def images(n):
    """CIFAR-10's first test images; without the shared material, noise of the same kind."""
    path = tmp / f"images{n}.npy"
    if SHARED:
        from PIL import Image
        grid = np.asarray(Image.open(SHARED / "data" / "cifar10" / "test_00.webp").convert("RGB"))[:32, :32 * n]
        np.save(path, grid.reshape(32, n, 32, 3).transpose(1, 0, 2, 3))
    else:
        print("no shared test material: noise instead of photographs")
        np.save(path, np.random.default_rng(5).integers(0, 256, (n, 32, 32, 3)).astype(np.uint8))
    return path


def recorded():
    """(model, inputs) of the MLCommons and other networks that boards have kernels for."""
    for name in ("mlc_kws_ref_model", "mlc_ad01_int8", "mlc_vww_96_int8", "mlc_pretrainedResnet_quant", "mlc_str_ww_ref_model", "aeq_ic_w4a8", "tflm_person_detect", "tflm_micro_speech_quantized",
                 "tflm_hello_world_int8", "silabs_image_example1", "st_resnet_v1_32_32_cifar100_int8"):
        if SHARED:
            x = tmp / f"{name}.npz"
            with np.load(SHARED / "oracles" / "models" / f"{name}.npz") as z:
                np.savez(x, in0=z["in0"][:2])
            yield SHARED / "models" / f"{name}.tflite", x


def native(model, x, limit, *how):
    """Exported with known answers, compiled with sanitizers, run here, compared; both ways of comparing must agree."""
    label = f"host {model.name} {' '.join(how)}"
    folder, trace, log = tmp / "host", tmp / "host.jsonl", tmp / "host.log"
    shutil.rmtree(folder, ignore_errors=True)
    done = bitemu("export", model, "--board", "host", "--input", x, "--limit", limit, "--kat", "-o", folder, *how)
    if not checks.check(done.returncode == 0, f"{label}: export: {done.stderr.strip()}"):
        return
    made = subprocess.run(["make", "-s", "-j2", "-C", folder, f"FLAGS={SANITIZE}"], capture_output=True, text=True)
    if not checks.check(made.returncode == 0 and not made.stderr, f"{label}: make is silent: {made.stderr[:2000]}"):
        return
    ran = subprocess.run([folder / "firmware.elf"], capture_output=True, text=True)
    log.write_text(ran.stdout)
    bitemu("run", model, "--input", x, "--limit", limit, "--trace", trace, *how)
    done = bitemu("compare", trace, log, "--format", "json")
    verdict = json.loads(done.stdout) if done.returncode in (0, 1) else {}
    checks.check(verdict.get("equal") and verdict["inputs_equal"] == limit, f"{label}: {done.stdout} {done.stderr}")
    checks.check(ran.returncode == 0 and f"known answers: {limit} inputs right, wrong: 0" in ran.stdout, f"{label}: {ran.stdout[-300:]} {ran.stderr[:500]}")


def host():
    need("make", "cc")
    for policy in POLICIES:
        native(*DIGITS, 40, "--policy", policy)
    for policy in ("fixed:8", "fixed:4", "fixed:3", "fixed:2", "random:3"):
        native(RESNET8, images(2), 2, "--policy", policy)
    for make, args in ((networks.ds_cnn, ()), (networks.resnet8, ()), (networks.odd, ("int8",)), (networks.odd, ("uint8",))):
        model, x = make(tmp, *args)
        for bits in networks.WIDTHS:
            native(model, x, 1, "--policy", f"fixed:{bits}")
    native(*networks.containers(tmp), 3, "--policy", "fixed:8")
    native(*networks.binary(tmp), 3)
    for dtype, profile in (("int8", "tflm"), ("uint8", "bitemu")):
        for bits in (8, 4):
            native(*networks.depthwise(tmp, dtype, profile), 1, "--policy", f"fixed:{bits}")
    for model, x in recorded():
        native(model, x, 2)
    if SHARED:
        native(SHARED / "models" / "mlc_kws_ref_model.tflite", tmp / "mlc_kws_ref_model.npz", 2, "--profile", "cmsis-nn")


def on_board(board, model, x, limit, *how):
    label = f"{board} {model.name} {' '.join(how)}"
    done = tool(SOURCE / "device" / "check", model, "--input", x, "--limit", limit, "--board", board, "--format", "json", *how)
    if not checks.check(done.returncode == 0, f"{label}: exit {done.returncode}: {done.stdout[-1500:]} {done.stderr}"):
        return
    r = json.loads(done.stdout)
    checks.check(r["equal"] and r["inputs"] == limit and r["layers"] and "no_cycles" in r and all(l["cycles_measured"] is None for l in r["layers"]), f"{label}: {r}")
    checks.check(all(l["instructions"] > 0 for l in r["layers"]), f"{label}: instructions: {r['layers']}")
    checks.check(0 < r["code_bytes"] < 32768 and 0 < r["stack_bytes"] < 4096, f"{label}: code {r['code_bytes']}, stack {r['stack_bytes']}")
    print(f"{label}: equal, {limit} inputs; code {r['code_bytes']}, stack {r['stack_bytes']}, SRAM {r['sram_bytes']} bytes")


def on_core(board, model, x, limit, *how):
    """As on_board, where cycles are known."""
    label = f"{board} {model.name} {' '.join(how)}"
    done = tool(SOURCE / "device" / "check", model, "--input", x, "--limit", limit, "--board", board, "--format", "json", *how)
    if not checks.check(done.returncode == 0, f"{label}: exit {done.returncode}: {done.stdout[-1500:]} {done.stderr}"):
        return
    r = json.loads(done.stdout)
    checks.check(r["equal"] and r["inputs"] == limit and "no_cycles" not in r and all(l["cycles_measured"] > 0 for l in r["layers"]), f"{label}: {r}")
    measured, predicted = sum(l["cycles_measured"] for l in r["layers"]), [l["cycles_predicted"] for l in r["layers"]]
    if model.name == "digits.bitemu" and board.endswith("-iss"):
        checks.check(None not in predicted and abs(sum(predicted) / measured - 1) < 0.25, f"{label}: {measured} cycles, {predicted} predicted")
    print(f"{label}: equal, {limit} inputs; {sum(l['cycles_measured'] for l in r['layers'])} cycles, code {r['code_bytes']}, stack {r['stack_bytes']} bytes")


def unoptimized(board):
    """Somebody debugs: kernels in assembly must build and be right at any level."""
    folder, trace, log = tmp / "levels", tmp / "levels.jsonl", tmp / "levels.log"
    bitemu("run", DIGITS[0], "--input", DIGITS[1], "--limit", 1, "--trace", trace)
    for level in ("-O0", "-Os"):
        shutil.rmtree(folder, ignore_errors=True)
        bitemu("export", DIGITS[0], "--board", board, "--input", DIGITS[1], "--limit", 1, "-o", folder)
        flags = re.search(r"^FLAGS = (.*)$", (folder / "Makefile").read_text(), re.M).group(1)
        made = subprocess.run(["make", "-s", "-j2", "-C", folder, f"FLAGS={flags} {level}"], capture_output=True, text=True)
        log.write_text(tool(SOURCE / "device" / "run", board, folder / "firmware.elf").stdout)
        checks.check(made.returncode == 0 and bitemu("compare", trace, log).returncode == 0, f"{board} {level}: {made.stderr[:500]}")


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"{program} is not installed (tools/setup.sh lists the packages): no exported program was tried")


def boards():
    need("qemu-system-arm", "arm-none-eabi-gcc", "make", "cc")
    sets = [networks.ds_cnn(tmp), networks.resnet8(tmp)]
    small = [networks.odd(tmp, "int8"), networks.odd(tmp, "uint8")]
    containers, greatest = networks.containers(tmp), [networks.greatest(tmp, bits) for bits in networks.WIDTHS]
    kws = next(recorded(), None)
    for board in ("qemu-m0", *QEMU):
        on_board(board, *DIGITS, 20)
        on_board(board, *DIGITS, 20, "--policy", "random:7")
        on_board(board, *containers, 3, "--policy", "fixed:8")
        for model, x in greatest:
            on_board(board, model, x, 1)
        on_board(board, *networks.binary(tmp), 3)
        for model, x in small:
            for bits in networks.WIDTHS:
                on_board(board, model, x, 3, "--policy", f"fixed:{bits}")
    for board in ("qemu-m0", "qemu-m4", "qemu-m55"):
        on_board(board, *networks.depthwise(tmp), 1, "--policy", "fixed:8")
        on_board(board, *networks.depthwise(tmp, "uint8", "bitemu"), 1, "--policy", "fixed:4")
    for board in QEMU:
        for model, x in sets:
            for bits in networks.WIDTHS:
                on_board(board, model, x, 1, "--policy", f"fixed:{bits}")
        on_board(board, RESNET8, images(1), 1, "--policy", "fixed:4")
        if kws:
            on_board(board, *kws, 2)
    for board in ("qemu-m4", "qemu-m55"):
        unoptimized(board)
    if not kws:
        print("SKIPPED: the MLCommons networks (no shared test material)")


DELAY = r"""#include "device/board.h"
#define SPIN(N) __asm__ volatile("ldi r24, " #N "\n1: dec r24\nbrne 1b" ::: "r24")
int main(void)
{
    uint64_t a, b, c;
    board_cycles(&a);
    SPIN(100);
    board_cycles(&b);
    SPIN(200);
    board_cycles(&c);
    for (uint32_t t = (uint32_t)(c - b) - (uint32_t)(b - a); t; t--) board_put(NULL, ".", 1);
    board_exit(7);
}
"""


def avr():
    need("avr-gcc", "make", "cc")
    if not pathlib.Path("/usr/include/simavr/sim_avr.h").is_file():
        skip("simavr's library is not installed (Debian: libsimavr-dev)")
    board = "avr-mega2560"
    on_core(board, *DIGITS, 10)
    on_core(board, *DIGITS, 10, "--policy", "random:7")
    for model, x in (networks.odd(tmp, "int8"), networks.odd(tmp, "uint8")):
        for bits in networks.WIDTHS:
            on_core(board, model, x, 1, "--policy", f"fixed:{bits}")
    on_core(board, *networks.containers(tmp), 1, "--policy", "fixed:8")
    on_core(board, *networks.depthwise(tmp, narrow=True), 1, "--policy", "fixed:4")
    for bits in networks.WIDTHS:
        on_core(board, *networks.greatest(tmp, bits), 1)
    on_core(board, *networks.binary(tmp), 3)
    unoptimized(board)
    (tmp / "delay.c").write_text(DELAY)
    sources = [tmp / "delay.c", SOURCE / "device" / "boards" / "avr" / "board.c"]
    subprocess.run(["avr-gcc", "-mmcu=atmega2560", "-std=gnu11", "-O2", "-I", SOURCE, "-o", tmp / "delay.elf", *sources], check=True)
    done = tool(SOURCE / "device" / "run", board, tmp / "delay.elf")
    checks.check(done.returncode == 7 and done.stdout == 300 * ".", f"100 rounds of 3 cycles: {len(done.stdout)}, exit {done.returncode} {done.stderr}")
    (tmp / "delay.c").write_text('#include "device/board.h"\nint main(void) { __asm__ volatile(".word 0x0001"); board_exit(0); }')
    subprocess.run(["avr-gcc", "-mmcu=atmega2560", "-std=gnu11", "-O2", "-I", SOURCE, "-o", tmp / "delay.elf", *sources], check=True)
    done = tool(SOURCE / "device" / "run", board, tmp / "delay.elf")
    checks.check(done.returncode == 4 and "CRASH at pc" in done.stdout and "(main+" in done.stdout, f"an illegal instruction: {done.returncode} {done.stdout} {done.stderr}")
    done = bitemu("export", RESNET8, "--policy", "fixed:4", "--board", board, "-o", tmp / "large")
    checks.check(done.returncode == 3 and "of 8192" in done.stderr and "too many" in done.stderr, f"what does not fit: {done.stderr}")


# A fault in one kernel, as an edit of the exported folder: board, file, text, instead, the operator that shows it first
FAULTS = (("qemu-m3", "device/kernels/portable.c", "a11 += (int16_t)(w1[I] * x1[I]);", "a11 += (int16_t)(w1[I] * x1[I] + 1);", "CONV_2D"),
          ("qemu-m4", "device/kernels/armv7em.c", 'smlad r5, " W ", " P ", r5', 'smlad r5, " W ", " Q ", r5', "CONV_2D"),
          ("qemu-m55", "device/kernels/mve.c", "c = vmladavaq_s8(c, v, y)", "c = vmladavaq_s8(c, w, y)", "CONV_2D"),
          ("ibex-small-iss", "device/kernels/rv32.c", "BOTH(y, pd, qd)", "BOTH(y, pd, qc)", "CONV_2D"),
          ("cv32e40p-iss", "device/kernels/xpulp.c", """DOT("%[s3]", "%[lanes]", "%[odd]")""", """DOT("%[s3]", "%[lanes]", "%[even]")""", "CONV_2D"),
          ("qemu-m4", "device/ops_window.c", "sum + count / 2", "sum + count / 4", "AVERAGE_POOL_2D"),
          ("qemu-m7", "device/weights.h", "return code < top ? code : top;", "return code < top ? code : (int16_t)(top - 1);", None))


def riscv():
    need("riscv64-unknown-elf-gcc", "make")
    kws = next(recorded(), None)
    for board in ("ibex-maxperf-iss", "cv32e40p-iss"):
        unoptimized(board)
    for board in ISS:
        on_core(board, *DIGITS, 20)
        on_core(board, *DIGITS, 20, "--policy", "random:7")
        for model, x in (networks.ds_cnn(tmp), networks.resnet8(tmp), networks.odd(tmp, "int8"), networks.odd(tmp, "uint8")):
            for bits in networks.WIDTHS:
                on_core(board, model, x, 1, "--policy", f"fixed:{bits}")
        on_core(board, *networks.containers(tmp), 3, "--policy", "fixed:8")
        for bits in networks.WIDTHS:
            on_core(board, *networks.greatest(tmp, bits), 1)
        on_core(board, *networks.binary(tmp), 3)
        on_core(board, *networks.depthwise(tmp), 1, "--policy", "fixed:8")
        on_core(board, *networks.depthwise(tmp, "uint8", "bitemu"), 1, "--policy", "fixed:4")
        on_core(board, RESNET8, images(1), 1, "--policy", "fixed:4")
        if kws:
            on_core(board, *kws, 2)
    if not kws:
        print("SKIPPED: the MLCommons network (no shared test material)")


def faults():
    need("qemu-system-arm", "arm-none-eabi-gcc", "riscv64-unknown-elf-gcc", "make", "cc")
    plant = tmp / "plant.py"
    plant.write_text("import sys\np, a, b = sys.argv[1:]\ns = open(p).read()\nassert a in s\nopen(p, 'w').write(s.replace(a, b, 1))\n")
    model, x = networks.ds_cnn(tmp)
    for board, file, text, instead, op in FAULTS:
        patch = f"{sys.executable} {plant} bitemu/{file} '{text}' '{instead}'"
        done = tool(SOURCE / "device" / "check", model, "--input", x, "--board", board, "--policy", "fixed:2", "--patch", patch, "--format", "json")
        said = tool(SOURCE / "device" / "check", model, "--input", x, "--board", board, "--policy", "fixed:2", "--patch", patch)
        if not checks.check(done.returncode == 1 and said.returncode == 1, f"fault in {file}: exit {done.returncode}: {done.stderr}"):
            continue
        first = json.loads(done.stdout)["divergence"]["first"]
        checks.check(re.search(r"\[\d+,", said.stdout) and str(first["layer"]) in said.stdout, f"fault in {file}: coordinates: {said.stdout} {first}")
        layer = next(l for l in json.loads(done.stdout)["layers"] if l["index"] == first["layer"])
        checks.check(op is None or layer["op"] == op, f"fault in {file}: named {layer}")
        # the board itself says the same with known answers
        folder = tmp / "kat"
        shutil.rmtree(folder, ignore_errors=True)
        bitemu("export", model, "--board", board, "--input", x, "--limit", 1, "--kat", "--policy", "fixed:2", "-o", folder)
        subprocess.run(patch, shell=True, cwd=folder, check=True)
        subprocess.run(["make", "-s", "-C", folder], check=True)
        ran = tool(SOURCE / "device" / "run", board, folder / "firmware.elf")
        told = re.search(r"MISMATCH input 0, layer (\d+) (\w+) \(\w+\) at \[[\d,]+\]: got -?\d+, expected -?\d+", ran.stdout)
        checks.check(ran.returncode == 1 and told and int(told.group(1)) == first["layer"], f"fault in {file}: known answers: {ran.returncode} {ran.stdout[-400:]}")
        print(f"fault in {file}: {said.stdout.splitlines()[0]} | {told.group(0) if told else ''}")
    refusals()
    stopped()
    foreign_log()


def refused(code, words, *args):
    done = bitemu("export", *args)
    checks.check(done.returncode == code and all(w in done.stderr for w in words), f"{args}: exit {done.returncode}: {done.stderr}")


def refusals():
    out = tmp / "refused"
    refused(3, ["does not fit", "too many", "arena", "CONV_2D"], RESNET8, "--policy", "fixed:8", "--board", "qemu-m0", "-o", out)
    many = tmp / "many.npy"
    np.save(many, np.zeros((5000, 8, 8, 1), np.uint8))
    refused(3, ["flash", "inputs 320000", "--limit"], DIGITS[0], "--board", "qemu-m0", "--input", many, "-o", out)
    refused(2, ["no board 'stm32'", "qemu-m4"], DIGITS[0], "--board", "stm32", "-o", out)
    refused(2, ["-o"], DIGITS[0], "--board", "qemu-m4")
    refused(2, ["--kat"], DIGITS[0], "--board", "qemu-m4", "--kat", "-o", out)
    refused(3, ["no board kernel rescales as profile ruy"], DIGITS[0], "--board", "qemu-m4", "--profile", "ruy", "-o", out)
    checks.check(not out.exists() and not list(tmp.glob("refused.*")), "a refusal leaves nothing behind")
    out.mkdir()
    (out / "mine").write_text("mine")
    refused(2, ["there already"], DIGITS[0], "--board", "qemu-m4", "-o", out)
    checks.check([p.name for p in out.iterdir()] == ["mine"] and not list(tmp.glob("refused.*")), "a folder in use is left alone")
    for board, *flags in (("nucleo-f401re",), ("ek-ra8d1", "FLAGS=-mcpu=cortex-m55 -mthumb -mfloat-abi=hard")):
        library = tmp / board
        done = bitemu("export", DIGITS[0], "--board", board, "-o", library)
        made = subprocess.run(["make", "-s", "-C", library, *flags], capture_output=True, text=True)
        checks.check(done.returncode == 0 and made.returncode == 0 and not made.stderr and (library / "libnetwork.a").is_file(), f"a library for {board}: {done.stderr} {made.stderr}")
    program = tmp / "meson"
    bitemu("export", DIGITS[0], "--board", "qemu-m4", "--input", DIGITS[1], "--limit", 1, "-o", program)
    made = subprocess.run(f"cd {program} && meson setup build --cross-file cross.ini && ninja -C build", shell=True, capture_output=True, text=True)
    ran = tool(SOURCE / "device" / "run", "qemu-m4", program / "build" / "firmware.elf")
    checks.check(made.returncode == 0 and "warning:" not in made.stdout and ran.returncode == 0 and '"layer":"output"' in ran.stdout, f"meson: {made.stdout[-800:]} {made.stderr} {ran.stderr}")


def stopped():
    folder = tmp / "loop"
    bitemu("export", DIGITS[0], "--board", "qemu-m4", "-o", folder)
    main = folder / "bitemu" / "device" / "main.c"
    text = main.read_text()
    for change, word in (("for (volatile int i = 0;;) i = 1;", "stopped"), ("*(volatile int *)0xF0000001 = 1; __asm__ volatile(\"udf #0\");", "FAULT")):
        main.write_text(text.replace("    bool ok = true;\n", f"    bool ok = true;\n    {change}\n"))
        subprocess.run(["make", "-s", "-C", folder], check=True, capture_output=True)
        done = tool(SOURCE / "device" / "run", "qemu-m4", folder / "firmware.elf", "--timeout", 3)
        checks.check(done.returncode == 4 and word in done.stdout + done.stderr, f"{word}: {done.returncode} {done.stdout} {done.stderr}")
    done = tool(SOURCE / "device" / "run", "qemu-m9", folder / "firmware.elf")
    checks.check(done.returncode == 2 and "qemu-m4" in done.stderr, f"no such board: {done.stderr}")


FOREIGN = r"""#include <stdio.h>
#include "bitemu_log.h"
static void put(void *ctx, const char *text, size_t n) { (void)ctx; fwrite(text, 1, n, stdout); }
int main(void)
{
    static const int8_t x[4] = {1, -2, 3, -4};
    static const int32_t y[2] = {-2147483647 - 1, 7};
    const uint16_t shape[] = {1, 2, 2};
    struct bitemu_log log = {.put = put, .dump = true};
    bitemu_log_header(&log, "tflm", "mine", "a \"quoted\" \x01 name", NULL, 0, 1);
    bitemu_log_layer(&log, &(struct bitemu_log_record){.input = 0, .layer = 3, .op = "CONV_2D", .shape = shape, .n_dims = 3, .w_bits = 4, .codes = x, .bytes = 4, .has_cycles = true, .cycles = 12345678901234567ull});
    bitemu_log_output(&log, 0, y, 2, NULL, 0);
    return 0;
}
"""


def foreign_log():
    """The header alone in somebody's program: JSON, zlib's checksum, every key right."""
    import zlib
    source = tmp / "foreign.c"
    source.write_text(FOREIGN)
    made = subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wno-sign-conversion", "-Werror", "-I", SOURCE / "device", "-o", tmp / "foreign", source], capture_output=True, text=True)
    if not checks.check(made.returncode == 0, f"bitemu_log.h alone: {made.stderr}"):
        return
    head, layer, out = [json.loads(line) for line in subprocess.run([tmp / "foreign"], capture_output=True, text=True).stdout.splitlines()]
    codes = bytes((1, 254, 3, 252))
    checks.check(head["bitemu_trace"] == 1 and head["model"] == 'a "quoted" \x01 name' and head["board"] == "mine" and "policy" not in head, f"header: {head}")
    checks.check(layer == {"input": 0, "layer": 3, "op": "CONV_2D", "shape": [1, 2, 2], "w_bits": 4, "crc": zlib.crc32(codes), "cycles_measured": 12345678901234567, "dump": codes.hex()}, f"layer: {layer}")
    checks.check(out == {"input": 0, "layer": "output", "codes": [-(1 << 31), 7]}, f"output: {out}")


compile_once(tmp, "cc", "avr-gcc", "arm-none-eabi-gcc", "riscv64-unknown-elf-gcc")
{"host": host, "boards": boards, "avr": avr, "riscv": riscv, "faults": faults}[sys.argv[1]]()
checks.finish()
