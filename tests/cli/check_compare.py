#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`bitemu compare` beyond two equal traces: estimates against logs of boards, baselines, checksums, damaged logs. Logs are written here, their figures are
round numbers; published ones (../shared/logs) are read at the end."""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import BITEMU, SHARED, SOURCE, Checks, bitemu, bitemu_json

checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp())
MODEL = SOURCE / "models" / "digits" / "digits.bitemu"
X = MODEL.with_name("digits_x.npy")


def write(name, text):
    path = tmp / name
    path.write_text(text)
    return path


def compare(code, words, *args):
    """Exit status and words of the output."""
    done = bitemu("compare", *args)
    said = done.stdout + done.stderr
    checks.check(done.returncode == code and all(w in said for w in words), f"compare {' '.join(map(str, args))}: exit {done.returncode}, expected {code}, {words}:\n{said}")
    return done


def result(*args):
    return json.loads(bitemu("compare", *args, "--format", "json").stdout)


# estimate and profiler
estimate = write("cost.json", bitemu("cost", MODEL, "--board", "nucleo-l4r5zi", "--policy", "fixed:8", "--format", "json").stdout)
layers = json.loads(estimate.read_text())["layers"]
tags, n = [x["type"] for x in layers], len(layers)


def run(ticks, end=" (0 ms).\n"):
    return "".join(f"{t} took {v} ticks{end}" for t, v in zip(tags, ticks))


exact = [round(x["cycles"]) for x in layers]
log = write("exact.txt", "boot\n" + run(exact) + "All(1) took 5 ticks (0 ms)\n")
compare(0, ["TFLM", "averaged over 1 complete run of 12 operators", "a tick is 1 cycle (--cycles-per-tick)", "without a figure", "the first is line 1", "measured 5 cycles"], estimate, log, "--cycles-per-tick", 1)
now = result(estimate, log, "--cycles-per-tick", 1)
checks.check([x["index"] for x in now["layers"]] == list(range(n)) and all(abs(x["error_pct"]) < 0.5 for x in now["layers"]), f"an exact log: {now['layers']}")
checks.check(now["kind"] == "measured" and now["matched"] and now["complete_runs"] == 1 and abs(now["totals"]["layers_error_pct"]) < 0.1 and now["totals"]["measured_cycles"] == 5, f"totals {now['totals']}")
twice = result(estimate, write("twice.txt", run(exact) + run([3 * v for v in exact])), "--cycles-per-tick", 2)
checks.check(all(x["measured_cycles"] == 4 * v and x["runs"] == 2 and x["measured_least"] == 2 * v and x["measured_most"] == 6 * v for x, v in zip(twice["layers"], exact)), "two runs are averaged, in cycles")
# ticks of 1 us by their milliseconds: 100000 to 100001 us
micro = write("micro.txt", run([1000] * n) + "All(10) took 1000000 ticks (1000 ms)\n")
compare(0, ["a tick is a microsecond, 120 cycles at 120 MHz", "measured 12000000 cycles"], estimate, micro)
checks.check(result(estimate, micro, "--clock-hz", "60e6")["layers"][0]["measured_cycles"] == 60000, "--clock-hz")
compare(2, ["exact.txt:2", "--cycles-per-tick"], estimate, log)
compare(2, ["--clock-hz"], estimate, log, "--clock-hz", "-1")
compare(2, ["ESTIMATE.json"], log, estimate)
compare(4, ["cut.json:"], write("cut.json", estimate.read_text()[:-200]), log)
compare(4, ["line 1", "no figure"], estimate, write("prose.txt", "hello\n"))
compare(4, ["is it the network of this log"], estimate, write("other.txt", "SVDF took 5 ticks\nTILE took 5 ticks\n"), "--cycles-per-tick", 1)
compare(2, ["--tolerance", "two traces"], estimate, log, "--tolerance", 1)

# for CI: a test case and an annotation, of what broke
compare(0, ["::notice title=bitemu compare::", "%0Aaveraged over 1 complete run"], estimate, log, "--cycles-per-tick", 1, "--github", "--junit", tmp / "x.xml")
suite = xml.etree.ElementTree.parse(tmp / "x.xml").getroot()[0]
checks.check(suite.get("failures") == "0" and "averaged over 1 complete run" in suite[0].find("system-out").text, "JUnit of an estimate that is met")
compare(1, ["::error title=bitemu compare::", "median_abs_error_pct is"], estimate, log, "--cycles-per-tick", 2, "--fail-if", "median_abs_error_pct>20", "--github", "--junit", tmp / "x.xml")
failure = xml.etree.ElementTree.parse(tmp / "x.xml").getroot()[0][0].find("failure")
checks.check(failure.get("message") == "a condition is broken" and "median_abs_error_pct is 50.00, more than 20" in failure.text, f"JUnit of a broken condition: {failure.text}")

# damage: cut, noise, repeated, interleaved. What is lost is said with a line; nothing shifts.
lines = run(exact).splitlines(keepends=True)
compare(1, ["no run in the log has all 12 operators", "not measured"], estimate, write("d.txt", "".join(lines[:7])), "--cycles-per-tick", 1)
compare(1, ["averaged over 1 complete run", "not matched: 7 operator rows of the log, the first is line 1: CONV_2D"], estimate, write("d.txt", "".join(lines[:7]) + "reset\n" + run(exact)), "--cycles-per-tick", 1)
compare(0, ["--subset"][:0], estimate, tmp / "d.txt", "--cycles-per-tick", 1, "--subset")
compare(1, ["not matched: 1 operator rows", "line 3"], estimate, write("d.txt", "".join(lines[:2] + lines[1:])), "--cycles-per-tick", 1)
compare(0, ["averaged over 1 complete run", "without a figure", "2 lines, the first is line 2"], estimate, write("d.txt", lines[0] + "\x1b[31mtemperature 31\n" + "".join(lines[1:]) + "more\n"), "--cycles-per-tick", 1)
compare(1, ["skipped in", "1 lines, the first is line 2: an operator's line that is cut"], estimate, write("d.txt", lines[0] + lines[1][:-14] + "\n" + "".join(lines[2:])), "--cycles-per-tick", 1)
rng = random.Random(11)
whole = "boot\n" + run(exact) + '"Event","Tag","Ticks"\n' + "".join(f"{i},{t},{v}\n" for i, (t, v) in enumerate(zip(tags, exact))) + "All(1) took 5 ticks (0 ms)\n"
for i in range(60):
    bad = bytearray(whole.encode())
    for _ in range(1 + i % 5):
        at = rng.randrange(len(bad))
        bad[at:at + rng.randrange(3)] = bytes(rng.randrange(256) for _ in range(rng.randrange(3)))
    (tmp / "fuzz.txt").write_bytes(bytes(bad[:len(bad) - rng.randrange(2) * rng.randrange(len(bad))]))
    done = bitemu("compare", estimate, tmp / "fuzz.txt", "--cycles-per-tick", "1")
    checks.check(done.returncode in (0, 1, 4), f"damaged log {i}: exit {done.returncode} {done.stderr[:200]}")

# a board's own trace
trace = write("board.jsonl", "".join(json.dumps({"input": i, "layer": k, "op": t, "crc": 1, "cycles_measured": v + i}) + "\n" for i in range(3) for k, (t, v) in enumerate(zip(tags, exact))))
now = result(estimate, trace)
checks.check(now["format"] == "trace" and now["complete_runs"] == 3 and now["layers"][1]["measured_cycles"] == exact[1] + 1, "cycles_measured of a trace")

# whole inferences
runner = write("runner.txt", "".join(f"0001{i}.000 dut: m-infer-start-10\n0001{i}.000 dut: m-lap-us-{1000000 * i}\n0001{i}.500 dut: m-lap-us-{1000000 * i + 500000 + 100 * i}\n0001{i}.600 dut: m-infer-done\n" for i in range(5)))
now = result(estimate, runner)
checks.check(now["windows"] == 5 and now["totals"]["measured_cycles"] == 120 * 50020 and now["layers"][0]["measured_cycles"] is None and now["matched"], f"EnergyRunner: {now['totals']}")
compare(0, ["measured 29207.010 uJ", "median of 3"], estimate, write("results.txt", "".join(f"1.1 ulp-ml:   Energy/Inf.  :    {v} uJ/inf.\n" for v in (29208, 29207.010, 29199))))

# baselines of measured results
base = write("base.json", bitemu("compare", estimate, log, "--cycles-per-tick", "1", "--format", "json").stdout)
limits = ("--cycles-per-tick", 1, "--baseline", base, "--fail-if")
compare(0, [], estimate, log, *limits, "measured_cycles>+0%,layers.measured_cycles>+0%")
grown = list(exact)
grown[3] = round(grown[3] * 1.1)
slow = write("slow.txt", run(grown) + "All(1) took 5 ticks (0 ms)\n")
compare(0, [], estimate, slow, *limits, "layers.measured_cycles>+12%")
compare(1, [f"layer 3 {tags[3]}: measured_cycles grew from {exact[3]} to {grown[3]}"], estimate, slow, *limits, "layers.measured_cycles>+5%")
compare(1, ["measured_cycles grew from 5 to 6"], estimate, write("slow.txt", run(exact) + "All(1) took 6 ticks (0 ms)\n"), *limits, "measured_cycles>+3%")
compare(1, ["median_abs_error_pct is"], estimate, write("slow.txt", run([2 * v for v in exact])), "--cycles-per-tick", 1, "--fail-if", "median_abs_error_pct>20")
compare(2, ["--fail-if"], estimate, log, "--cycles-per-tick", 1, "--baseline", base)
compare(2, ["needs --baseline"], estimate, log, "--cycles-per-tick", 1, "--fail-if", "measured_cycles>+3%")
compare(4, ["of the same kind"], estimate, log, *limits[:2], "--baseline", estimate, "--fail-if", "measured_cycles>+3%")

# traces: records that lack a partner, repeated ones, nothing in common, cut
bitemu("run", MODEL, "--input", X, "--limit", 6, "--policy", "fixed:8", "--trace", tmp / "a.jsonl")
rows = [json.loads(line) for line in open(tmp / "a.jsonl", encoding="utf-8")]


def traced(name, rows):
    return write(name, "".join(json.dumps(r) + "\n" for r in rows))


def changed(*victims):
    return [{**r, "crc": r["crc"] ^ 1} if (r.get("input"), r.get("layer")) in victims else r for r in rows]


compare(0, ["passed over: 6 records that only"], tmp / "a.jsonl", traced("b.jsonl", [r for r in rows if r.get("layer") != 5]))
compare(1, ["cut:", "announces 1 inputs more"], tmp / "a.jsonl", traced("b.jsonl", [r for r in rows if r.get("input") != 5]))
compare(1, ["announces 1 inputs more"], tmp / "b.jsonl", tmp / "b.jsonl")
compare(0, [], tmp / "b.jsonl", tmp / "b.jsonl", "--subset")
again = [r for r in rows for _ in range(1 + (r.get("input") == 2 and r.get("layer") == 5))]
compare(0, ["1 records repeated"], tmp / "a.jsonl", traced("b.jsonl", again))
second = next(i for i, r in enumerate(again) if r.get("input") == 2 and r.get("layer") == 5) + 1
again[second] = {**again[second], "crc": again[second]["crc"] ^ 1}
compare(1, ["input 2, layer 5"], tmp / "a.jsonl", traced("b.jsonl", again))
compare(1, ["input 2, layer 5"], tmp / "b.jsonl", tmp / "a.jsonl")
compare(1, ["1 have nothing in common to check"], tmp / "a.jsonl", traced("b.jsonl", [{k: v for k, v in r.items() if k not in ("crc", "codes", "decisions")} if r.get("input") == 3 else r for r in rows]))

# baselines of traces
known = traced("known.jsonl", changed((1, 7), (4, 2)))
base = write("base.json", bitemu("compare", tmp / "a.jsonl", known, "--format", "json").stdout)
first = json.loads(base.read_text())
checks.check(first["kind"] == "traces" and [(d["input"], d["layer"]) for d in first["differing"]] == [(1, 7), (4, 2)] and [(x["layer"], x["inputs"]) for x in first["layers"]] == [(7, 1), (2, 1)], f"differing: {first}")
compare(0, ["different"], tmp / "a.jsonl", known, "--baseline", base)
compare(0, ["different"], tmp / "a.jsonl", traced("b.jsonl", changed((4, 9))), "--baseline", base)
compare(0, ["equal"], tmp / "a.jsonl", tmp / "a.jsonl", "--baseline", base)
compare(1, ["input 1: differs earlier now, in layer 5, before in layer 7"], tmp / "a.jsonl", traced("b.jsonl", changed((1, 5), (4, 2))), "--baseline", base)
compare(1, ["input 3: differs now, in layer 2", "inputs that differ: 3, before 2"], tmp / "a.jsonl", traced("b.jsonl", changed((1, 7), (4, 2), (3, 2))), "--baseline", base)
compare(1, ["inputs compared: 5, before 6"], tmp / "a.jsonl", traced("b.jsonl", [r for r in rows if r.get("input") != 0]), "--baseline", base)
compare(4, ["none.json"], tmp / "a.jsonl", known, "--baseline", tmp / "none.json")
compare(4, ["broken.json:1:"], tmp / "a.jsonl", known, "--baseline", write("broken.json", "{"))
compare(2, ["--fail-if"], tmp / "a.jsonl", known, "--fail-if", "measured_cycles>5")
compare(2, ["text or json"], tmp / "a.jsonl", known, "--format", "csv")

# checksums of the generic benchmark against a trace
crc = {k: next(r["crc"] for r in rows if r.get("input") == 2 and r["layer"] == k) for k in (-1, 11)}
bench = "CONV_2D took 5 ticks\nInput CRC32: 0x%X\nOutput CRC32: 0x%X\n"
compare(0, ["equal: 1 inputs compared"], tmp / "a.jsonl", write("bench.txt", bench % (crc[-1], crc[11])), "--subset")
compare(1, ["layer 11", f"crc expected {crc[11]:08x}, got {crc[11] ^ 1:08x}"], tmp / "a.jsonl", write("bench.txt", bench % (crc[-1], crc[11] ^ 1)), "--subset")
compare(4, ["no input in common"], tmp / "a.jsonl", write("bench.txt", bench % (crc[-1] ^ 1, crc[11])), "--subset")
compare(0, ["1 lines, the first is line 4: an output's checksum"], tmp / "a.jsonl", write("bench.txt", bench % (crc[-1], crc[11]) + "Output CRC32: 0x5\n"), "--subset")

# a pipe is read as a file is
done = subprocess.run(f'cat "{tmp}/a.jsonl" | "{BITEMU}" compare "{tmp}/a.jsonl" /dev/stdin', shell=True, capture_output=True, text=True)
checks.check(done.returncode == 0 and "6 equal" in done.stdout, f"pipe: {done.stdout}{done.stderr}")

if SHARED and (SHARED / "logs" / "tflm").is_dir():
    logs = SHARED / "logs"

    def published(model, board, log, *more):
        write("published.json", bitemu("cost", SHARED / "models" / model, "--board", board, "--format", "json").stdout)
        return result(tmp / "published.json", logs / log, *more)

    pico = published("tflm_person_detect.tflite", "raspberry-pi-pico", "tflm/rp2040_pico_person_detection_benchmark.txt")
    checks.check(pico["complete_runs"] == 2 and pico["matched"] and pico["cycles_per_tick"] == 133 and pico["totals"]["measured_cycles"] == (823658 + 587400) / 2 * 133, f"RP2040: {pico['totals']}")
    checks.check(pico["layers"][1]["measured_least"] == 31942 * 133 and pico["layers"][1]["measured_most"] == 60260 * 133, "RP2040: one and two cores")
    ic = published("mlc_pretrainedResnet_quant.tflite", "nucleo-l4r5zi", "er3_v0.5_L4R5ZI_tflm_ic_performance/log.txt")
    checks.check(ic["windows"] == 5 and abs(ic["totals"]["measured_latency_ms"] - 704.256) < 0.001, f"EnergyRunner: {ic['totals']}")
    energy = published("mlc_pretrainedResnet_quant.tflite", "nucleo-l4r5zi", "er3_v0.5_L4R5ZI_tflm_ic_energy/results.txt")
    checks.check(energy["totals"]["measured_energy_uj"] == 29207.01 and energy["totals"]["energy_error_pct"] and "10 seconds" in energy["notes"][0], f"energy: {energy['totals']}")
    python = published("mlc_pretrainedResnet_quant.tflite", "nucleo-l4r5zi", "pyrunner_v1.3_U385_ic_energy/log.txt")
    checks.check(python["totals"]["measured_energy_uj"] == 965.582, f"Python runner: {python['totals']}")
    compare(4, ["energy mode", "results.txt"], tmp / "published.json", logs / "er3_v0.5_L4R5ZI_tflm_ic_energy" / "log.txt")
    cube = published("mlc_kws_ref_model.tflite", "nucleo-l4r5zi", "xcubeai/perftest_v3.3_F401_84MHz_float.txt")
    checks.check(cube["clock_hz"] == 84e6 and cube["totals"]["measured_cycles"] == (8350026 + 8348200) / 2, f"X-CUBE-AI: {cube['totals']}")
    nnom = published("mlc_kws_ref_model.tflite", "nucleo-l4r5zi", "nnom/nnom_model_stat.txt")
    checks.check(nnom["format"] == "NNoM" and nnom["totals"]["measured_latency_ms"] == 109.309 and not nnom["matched"], f"NNoM, of another network: {nnom['totals']}")
else:
    print("SKIPPED: published logs (no ../shared/logs beside this checkout)")
checks.finish()
