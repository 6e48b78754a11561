#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bitemu iss against the core's RTL under Verilator: every register, every word of memory, every cycle equal.
   check_rtl.py [--core CORE]... [--blocks N] [--seed N]     blocks: random blocks a core; seed: of the first of them
Skips without Verilator, the RISC-V compiler, or the RTL packages (tools/setup.sh: rtl_environment)."""
import argparse
import concurrent.futures
import itertools
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))
import blocks  # noqa: E402
import support  # noqa: E402
import xpulp  # noqa: E402

BOARD = support.SOURCE / "device" / "boards" / "rv32"
GCC = "riscv64-unknown-elf-gcc"
CORES = {"ibex-small": blocks.Block, "ibex-maxperf": blocks.Block, "cv32e40p": xpulp.XpulpBlock}
PER_PROGRAM = 250
WAITS = [(1, 0), (0, 1), (1, 1), (2, 3), (5, 0), (0, 7), (15, 15)]  # wait states on fetch and on data
RTL = support.SOURCE / "build-rtl"


def compile_program(sources, into, extra=(), march="rv32imc"):
    done = subprocess.run([GCC, f"-march={march}", "-mabi=ilp32", "-ffreestanding", "-nostdlib", "-fno-tree-loop-distribute-patterns", "-O2", *extra, f"-I{support.SOURCE}",
                           f"-T{BOARD / 'rv32.ld'}", str(BOARD / "start.c"), str(BOARD / "memory.c"), *map(str, sources), "-lgcc", "-o", str(into)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{into}: {done.stderr[-2000:]}")


def symbol(elf, name):
    for line in subprocess.run(["riscv64-unknown-elf-nm", str(elf)], capture_output=True, text=True, check=True).stdout.splitlines():
        address, _, found = line.split()
        if found == name:
            return int(address, 16)
    raise KeyError(name)


def run_both(core, elf, folder, options=()):
    """(exit, stdout, RAM) of the simulator and of the RTL."""
    results = []
    for program in ([support.BITEMU, "iss", "--core", core], [str(RTL / f"{core}-rtl")]):
        dump = folder / f"{elf.stem}.{core}.{len(results)}.ram"
        done = subprocess.run([*program, *options, "--ram", str(0x400000), "--dump", str(dump), str(elf)], capture_output=True, text=True, errors="replace", timeout=300)
        ram = dump.read_bytes() if dump.exists() else b""
        dump.unlink(missing_ok=True)
        results.append((done.returncode, done.stdout, ram, done.stderr))
    return results


def control(folder):
    """The comparison must tell cores apart: maxperf's cycles are not small's."""
    source, elf = folder / "control.S", folder / "control.elf"
    source.write_text(blocks.program(1, 20))
    compile_program([source], elf, ["-Wa,-mno-relax"], "rv32imc_zicsr")
    return run_both("ibex-small", elf, folder)[1][2] != run_both("ibex-maxperf", elf, folder)[0][2]


def check_blocks(core, seed, n, folder, options=()):
    """Failures (texts) of one program of n blocks."""
    source, elf = folder / f"{core}.{seed}.S", folder / f"{core}.{seed}.elf"
    what = f"{core} {' '.join(options)} seed {seed}"
    source.write_text(blocks.program(seed, n, CORES[core], minstret=not options))
    compile_program([source], elf, ["-Wa,-mno-relax"], "rv32imc_zicsr")
    (iss_exit, _, iss_ram, iss_err), (rtl_exit, _, rtl_ram, rtl_err) = run_both(core, elf, folder, options)
    if iss_exit or rtl_exit:
        return [f"{what}: simulator exit {iss_exit} {iss_err.strip()}, RTL exit {rtl_exit} {rtl_err.strip()}"]
    at, data, absolute, bad = symbol(elf, "results"), symbol(elf, "data"), symbol(elf, "absolute"), []
    words = lambda ram, start, k: [int.from_bytes(ram[start + 4 * w:start + 4 * w + 4], "little") for w in range(k)]
    if iss_ram == rtl_ram and all(words(rtl_ram, at + 4 * blocks.RESULT_WORDS * i, 1)[0] > 4 for i in range(n)):  # they did run
        return []
    names = ["cycles", "instructions"] + blocks.REGISTERS
    for i in range(n):
        got, expected = (words(ram, at + 4 * blocks.RESULT_WORDS * i, blocks.RESULT_WORDS) for ram in (iss_ram, rtl_ram))
        for name, g, x in zip(names, got, expected):
            if g != x:
                bad.append(f"{what} block {i}: {name}: simulator {g}, RTL {x}")
    for k, (g, x) in enumerate(zip(words(iss_ram, absolute, 6), words(rtl_ram, absolute, 6))):
        if g != x:
            bad.append(f"{what}: {('mcycle', 'minstret', 'mcycleh')[k % 3]} at the {'start' if k < 3 else 'end'}: simulator {g}, RTL {x}")
    if iss_ram[data:absolute] != rtl_ram[data:absolute]:
        bad.append(f"{what}: memory of the blocks differs")
    return bad or [f"{what}: memory differs outside results and data"]


BETWEEN = ("lhu x0, 3(s10)", "lhu x0, 4(s10)", "lhu x5, 3(s10)", "lhu x5, 4(s10)", "lw x0, 1(s10)", "lw x5, 1(s10)", "sw x5, 1(s10)", "sw x5, 4(s10)", "nop", "mul x5, x6, x7",
           "mulh x5, x6, x7", "mulh x0, x6, x7", "div x5, x6, x7", "addi x5, x6, 1", "lw x5, 0(s10)\nlw x0, 3(s10)")
JUMPS = ("ret", "jalr x5, 0(ra)", "jalr ra, 0(ra)", "c.jr ra", "c.jalr ra", "jalr x0, 0(ra)\nnop")


def check_returns(core, folder):
    """Failures of jumps to a register that was loaded just before, with one or two instructions between: every pair of the lists above."""
    cases = list(itertools.product(("lw ra, 0(s10)", "lw ra, 0(s10)\nnop", "nop"), BETWEEN, JUMPS))
    out = [".globl main", ".text", "main:", "la gp, results"]
    for k, (first, between, jump) in enumerate(cases):
        out += [".option norvc", "la s10, data", ".balign 4", f"la ra, T{k}", "sw ra, 0(s10)", "li x6, 12345", "li x7, 999", "nop", "nop", "csrr t1, mcycle", ".option rvc", first, between, jump, ".option norvc",
                ".balign 4", "nop", f"T{k}:", "csrr t2, mcycle", "sub t2, t2, t1", "sw t2, 0(gp)", "addi gp, gp, 4"]
    out += ["li a0, 0", "tail rv32_exit", ".data", ".balign 16", "data:", ".zero 64", ".globl results", "results:", f".zero {4 * len(cases)}"]
    source, elf = folder / f"{core}.returns.S", folder / f"{core}.returns.elf"
    source.write_text("\n".join(out) + "\n")
    compile_program([source], elf, ["-Wa,-mno-relax"], "rv32imc_zicsr")
    iss, rtl = run_both(core, elf, folder)
    at = symbol(elf, "results")
    cycles = [[int.from_bytes(ram[at + 4 * k:at + 4 * k + 4], "little") for k in range(len(cases))] for ram in (iss[2], rtl[2])]
    bad = [f"{core} {' / '.join(case)}: simulator {g}, RTL {x} cycles".replace("\n", " ; ") for case, g, x in zip(cases, *cycles) if g != x or not x]
    return bad + ["exit"] * bool(iss[0] or rtl[0])


def check_kernels(core, folder, levels=("-O2", "-O3", "-Os"), options=()):
    """Failures of the C programs in kernels/: console (checksums, cycles and instructions of each section), exit code, memory."""
    bad, sections = [], 0
    for source in sorted((HERE / "kernels").glob("*.c")):
        for level in levels:
            elf = folder / f"{source.stem}{level}.{core}.elf"
            compile_program([source], elf, [level] + ["-DWAIT_STATES"] * bool(options))
            iss, rtl = run_both(core, elf, folder, options)
            sections += rtl[1].count("cycles")
            if iss[:3] != rtl[:3] or " cycles " not in rtl[1]:
                bad.append(f"{core} {source.name} {level} {' '.join(options)}: simulator exit {iss[0]} {iss[3].strip()}\n{iss[1]}RTL exit {rtl[0]} {rtl[3].strip()}\n{rtl[1]}"
                           f"memory {'equal' if iss[2] == rtl[2] else 'differs'}")
    return bad, sections


def check_network(core, model, x, limit, folder, *how):
    """Failures of a whole network as bitemu export writes it: its log, with the cycles of every layer, byte for byte."""
    out = folder / f"{core}.{model.stem}"
    shutil.rmtree(out, ignore_errors=True)
    done = support.bitemu("export", model, "--board", f"{core}-rtl", "--input", x, "--limit", limit, "-o", out, *how)
    if done.returncode:
        return [f"{model.name}: export: {done.stderr.strip()}"]
    subprocess.run(["make", "-s", "-C", str(out)], check=True)
    iss, rtl = run_both(core, out / "firmware.elf", folder)
    print(f"{core} {model.name}: {rtl[1].count('cycles_measured')} layers")
    return [] if iss[:3] == rtl[:3] and "cycles_measured" in rtl[1] else [f"{core} {model.name}: simulator exit {iss[0]}\n{iss[1][-3000:]}\nRTL exit {rtl[0]}\n{rtl[1][-3000:]}"]


def report(checks, what, bad):
    for b in bad[:20]:
        print(b)
    if checks.check(not bad, f"{what}: {len(bad)} differences"):
        print(f"{what}: equal")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--core", action="append", choices=list(CORES))
    p.add_argument("--blocks", type=int, default=3000)
    p.add_argument("--long", action="store_true", help="also ResNet-8 as a whole")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--keep", type=pathlib.Path, help="folder that keeps the programs")
    args = p.parse_args()
    cores = args.core or list(CORES)
    if not shutil.which(GCC):
        support.skip(f"{GCC} is not installed (Debian: gcc-riscv64-unknown-elf)")
    built = subprocess.run([sys.executable, str(support.SOURCE / "device" / "rtl" / "build"), "--into", str(RTL), *[c + "-rtl" for c in cores]], stderr=subprocess.PIPE, text=True)
    if built.returncode == 3:
        support.skip(built.stderr.strip())
    if built.returncode:
        sys.exit(f"RTL simulators cannot be built: {built.stderr}")
    c = support.Checks()
    print(f"seed {args.seed} (--seed N for others)")
    with tempfile.TemporaryDirectory() as temp, concurrent.futures.ThreadPoolExecutor(2) as pool:
        folder = args.keep or pathlib.Path(temp)
        if {"ibex-small", "ibex-maxperf"} <= set(cores):
            c.check(control(folder), "control: the cycles of two cores cannot be told apart")
        for core in cores:
            parts = [(args.seed + at // PER_PROGRAM, min(PER_PROGRAM, args.blocks - at)) for at in range(0, args.blocks, PER_PROGRAM)]
            report(c, f"{core}: {args.blocks} random blocks", [b for bad in pool.map(lambda p: check_blocks(core, *p, folder), parts) for b in bad])
            report(c, f"{core}: jumps to loaded registers", check_returns(core, folder))
            bad, sections = check_kernels(core, folder)
            report(c, f"{core}: {sections} C kernels", bad + ["nothing was run"] * (sections == 0))
            digits, resnet8 = support.SOURCE / "models" / "digits", support.SOURCE / "models" / "resnet8"
            report(c, f"{core}: digits, whole", check_network(core, digits / "digits.bitemu", digits / "digits_x.npy", 1, folder))
            if args.long:
                numpy = support.need_numpy()
                numpy.save(folder / "image.npy", numpy.random.default_rng(args.seed).integers(0, 256, (1, 32, 32, 3)).astype(numpy.uint8))
                report(c, f"{core}: ResNet-8, whole", check_network(core, resnet8 / "resnet8.bitemu", folder / "image.npy", 1, folder, "--policy", "fixed:4"))
            for fetch, data in WAITS:
                options, share = ("--fetch-wait", str(fetch), "--data-wait", str(data)), max(1, args.blocks // 10)
                parts = [(args.seed + at // PER_PROGRAM, min(PER_PROGRAM, share - at)) for at in range(0, share, PER_PROGRAM)]
                bad = [b for bad in pool.map(lambda p: check_blocks(core, *p, folder, options), parts) for b in bad]
                kernels, sections = check_kernels(core, folder, ("-O2",), options)
                report(c, f"{core}: {share} random blocks and {sections} C kernels, {fetch} wait states on fetch, {data} on data", bad + kernels)
    c.finish()


if __name__ == "__main__":
    main()
