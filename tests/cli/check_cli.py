#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program as a user meets it: exit status, one clear line with place and cause, nothing half written, stable JSON keys. Uses the
model in models/digits only."""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from xml.etree import ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import BITEMU, SOURCE, Checks, bitemu, bitemu_json, need_numpy

np = need_numpy()
checks = Checks()
tmp = pathlib.Path(tempfile.mkdtemp())
MODEL = SOURCE / "models" / "digits" / "digits.bitemu"
X, Y = MODEL.with_name("digits_x.npy"), MODEL.with_name("digits_y.npy")
RUN = ("run", MODEL, "--input", X)


def fails(code, words, *args):
    """Exit status `code`, one line on stderr holding every word, nothing on stdout."""
    done = bitemu(*args)
    what = f"bitemu {' '.join(map(str, args))}: exit {done.returncode}: {done.stderr.strip()!r}"
    checks.check(done.returncode == code and done.stderr.count("\n") == 1, f"{what}; expected exit {code}, one line")
    for w in words:
        checks.check(w in done.stderr, f"{what}; expected to read {w!r}")
    checks.check(not done.stdout, f"{what}; printed {done.stdout[:80]!r}")


def write(name, data):
    path = tmp / name
    path.write_bytes(data) if isinstance(data, bytes) else path.write_text(data)
    return path


# usage
checks.check(bitemu().returncode == 2, "no command is usage")
checks.check(bitemu("--help").returncode == 0, "--help")
checks.check("bitemu" in bitemu("--version").stdout, "--version")
for command in ("run", "compare", "check", "inspect", "iss", "plan", "calibrate", "boards", "profiles", "vectors", "export"):
    done = bitemu(command, "--help")
    checks.check(done.returncode == 0 and "usage:" in done.stdout and "--" in done.stdout, f"{command} --help")
fails(2, ["frobnicate"], "frobnicate")
fails(2, ["--inptu", "--input"], "run", MODEL, "--inptu", X)
fails(2, ["--input"], "run", MODEL)
fails(3, ["cmix-nn", "FULLY_CONNECTED", "AVERAGE_POOL_2D"], *RUN, "--profile", "cmix-nn")  # all of them, at once
fails(2, ["--limit"], *RUN, "--limit", "-3")
for bad in ("7", "33", "63", "65", "40:clip", "16:", "16:wrapped", "", "-8", "0x10", "16 "):
    fails(2, ["--accumulator"], *RUN, "--accumulator", bad)
    fails(2, ["--accumulator"], "check", MODEL, "--accumulator", bad)
fails(2, ["--format", "yaml"], *RUN, "--format", "yaml")
fails(2, ["--profile", "tflm", "litert-ref"], *RUN, "--profile", "none")
fails(2, ["nowhere", "nucleo-l4r5zi"], *RUN, "--board", "nowhere")
for policy in ("fixed:7", "fixed:", "fixed:8x", "layers:8", "controler", "", "random:"):
    fails(2, ["--policy"], *RUN, "--policy", policy)

# inputs
fails(4, ["missing.npy"], "run", MODEL, "--input", tmp / "missing.npy")
fails(4, ["missing.bitemu"], "run", tmp / "missing.bitemu", "--input", X)
fails(4, ["empty.npy"], "run", MODEL, "--input", write("empty.npy", b""))
fails(4, ["cut.npy"], "run", MODEL, "--input", write("cut.npy", X.read_bytes()[:-5]))
x, y = np.load(X), np.load(Y)
np.save(tmp / "float.npy", x.astype(np.float32))
fails(4, ["float.npy", "float32"], "run", MODEL, "--input", tmp / "float.npy")
np.save(tmp / "shape.npy", x.reshape(len(x), -1)[:, :-1].copy())
fails(4, ["shape.npy"], "run", MODEL, "--input", tmp / "shape.npy")
np.save(tmp / "labels.npy", y[:-1])
fails(4, ["labels.npy"], *RUN, "--labels", tmp / "labels.npy")
np.save(tmp / "flabels.npy", y.astype(np.float64))
fails(4, ["flabels.npy"], *RUN, "--labels", tmp / "flabels.npy")
fails(4, ["names.txt"], *RUN, "--names", write("names.txt", "a\nb\n"))
fails(4, ["huge.npy"], "run", MODEL, "--input",
      write("huge.npy", X.read_bytes().replace(str(x.shape[:1])[1:-2].encode(), b"9" * len(str(len(x))), 1)))

# models
good = MODEL.read_bytes()
fails(4, ["empty.tflite"], "run", write("empty.tflite", b""), "--input", X)
fails(4, ["text.tflite"], "run", write("text.tflite", "hello, this is no model"), "--input", X)
rng = random.Random(7)
for i in range(40):
    done = bitemu("inspect", write("cut.bitemu", good[:rng.randrange(len(good))]))
    checks.check(done.returncode in (3, 4) and done.stderr.count("\n") == 1, f"cut model {i}: exit {done.returncode} {done.stderr[:120]!r}")
for i in range(60):
    bad = bytearray(good)
    for _ in range(1 + i % 3):
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
    done = bitemu("run", write("flip.bitemu", bytes(bad)), "--input", X, "--limit", "2")
    checks.check(done.returncode in (0, 2, 3, 4), f"flipped model {i}: exit {done.returncode} {done.stderr[:120]!r}")

# boards
checks.check(bitemu("boards").returncode == 0 and "nucleo-l4r5zi" in bitemu("boards").stdout, "boards lists the L4R5ZI")
board = SOURCE / "hwmodels" / "boards" / "nucleo-l4r5zi.yaml"
text = board.read_text()
fails(4, ["unknown.yaml:", "colour"], *RUN, "--board", write("unknown.yaml", text + "\ncolour: blue\n"))
fails(4, ["cut.yaml"], *RUN, "--board", write("cut.yaml", text[:len(text) // 2] + "\n: ]["))
fails(4, ["empty.yaml"], *RUN, "--board", write("empty.yaml", ""))

# nothing half written
for option in ("--trace", "--dump"):
    fails(4, ["no/such"], *RUN, option, tmp / "no" / "such" / "file")
    bitemu("run", MODEL, "--input", tmp / "cut.npy", option, tmp / "half")
    checks.check(not list(tmp.glob("half*")), f"{option}: a failed run left {list(tmp.glob('half*'))}")

# the report
one = bitemu_json(*RUN, "--labels", Y, "--board", "nucleo-l4r5zi")
for key in ("inputs", "top1", "profile", "board", "totals", "layers", "decisions"):
    checks.check(key in one, f"JSON key {key}")
for key in ("macs", "bitops", "cycles", "sram_bytes", "flash_bytes", "energy_uj", "wraps", "clamps"):
    checks.check(key in one["totals"], f"JSON key totals.{key}")
for key in ("index", "name", "op", "w_bits", "a_bits", "macs", "cycles", "wraps", "clamps", "acc_min", "acc_max"):
    checks.check(all(key in layer for layer in one["layers"]), f"JSON key layers.{key}")
checks.check(one["inputs"] == len(x) and one["decisions"]["mean_bits"] > 0, "inputs and decisions")
for counts in one["decisions"]["histogram"].values():
    checks.check(sum(counts.values()) == len(x), "every input has one decision per choice")
cheap, dear = bitemu_json(*RUN, "--policy", "fixed:2"), bitemu_json(*RUN, "--policy", "fixed:8")
checks.check(cheap["totals"]["bitops"] < one["totals"]["bitops"] < dear["totals"]["bitops"], "BitOps: 2 bit < controller < 8 bit")
checks.check(bitemu_json(*RUN, "--board", "nucleo-l4r5zi")["totals"]["cycles"] > 0, "cycles known")
checks.check(cheap["totals"]["cycles"] is None, "without a board cycles are unknown, not 0")

# threads and traces: same bytes
for threads in (1, 2, 3):
    bitemu(*RUN, "--threads", threads, "--trace", tmp / f"t{threads}.jsonl", "--dump", tmp / f"t{threads}.npz")
checks.check((tmp / "t1.jsonl").read_bytes() == (tmp / "t3.jsonl").read_bytes(), "the trace does not depend on threads")
a, b = np.load(tmp / "t1.npz"), np.load(tmp / "t2.npz")
checks.check(sorted(a.files) == sorted(b.files) and all(np.array_equal(a[k], b[k]) for k in a.files), "the dump does not depend on threads")
checks.check(a["crc"].dtype == np.uint32 and a["crc"].shape == (len(x), len(a["crc_op"])), "dump: crc")
lines = [json.loads(line) for line in open(tmp / "t1.jsonl", encoding="utf-8")]
checks.check(lines[0]["bitemu_trace"] == 1 and lines[0]["profile"] == "tflm", "trace header")
layers = [r for r in lines if r.get("input") == 3 and isinstance(r["layer"], int) and r["layer"] >= 0]
checks.check([r["crc"] for r in layers if "crc" in r] == list(a["crc"][3]), "trace and dump hold the same CRCs")

# compare
checks.check(bitemu("compare", tmp / "t1.jsonl", tmp / "t2.jsonl").returncode == 0, "equal traces")
broken = [json.dumps(r) for r in lines]
victim = next(i for i, r in enumerate(lines) if r.get("input") == 5 and r.get("op") == "CONV_2D")
lines[victim]["crc"] ^= 1
broken[victim] = json.dumps(lines[victim])
done = bitemu("compare", tmp / "t1.jsonl", write("broken.jsonl", "\n".join(broken) + "\n"))
checks.check(done.returncode == 1 and "5" in done.stdout and str(lines[victim]["layer"]) in done.stdout, f"a planted difference is named: {done.stdout}")
done = bitemu("compare", tmp / "t1.jsonl", tmp / "broken.jsonl", "--junit", tmp / "c.xml", "--github")
suite = xml.etree.ElementTree.parse(tmp / "c.xml").getroot()[0]
failure = suite[0].find("failure")
checks.check(done.returncode == 1 and suite.get("failures") == "1" and f"layer {lines[victim]['layer']}" in failure.text, f"JUnit: {failure.text}")
checks.check(f"::error title=bitemu compare::{tmp / 'broken.jsonl'}: first divergence: input 5" in done.stdout and "\n::" in done.stdout, f"GitHub: {done.stdout}")
done = bitemu("compare", tmp / "t1.jsonl", tmp / "t2.jsonl", "--junit", tmp / "c.xml", "--github")
checks.check(xml.etree.ElementTree.parse(tmp / "c.xml").getroot()[0].get("failures") == "0" and "::notice" in done.stdout, "JUnit and GitHub of equal traces")
fails(4, ["no", "c.xml"], "compare", tmp / "t1.jsonl", tmp / "t2.jsonl", "--junit", tmp / "no" / "c.xml")
done = bitemu("compare", tmp / "t1.jsonl", write("short.jsonl", "\n".join(broken[:40])))
checks.check(done.returncode in (1, 4), "a cut trace is not equal")
fails(4, ["empty.jsonl"], "compare", tmp / "t1.jsonl", write("empty.jsonl", ""))
fails(4, ["gone.jsonl"], "compare", tmp / "t1.jsonl", tmp / "gone.jsonl")

# dumps: the same by content, and coordinates of a planted difference
bitemu(*RUN, "--limit", 8, "--policy", "fixed:4", "--trace", tmp / "a.jsonl", "--dump", tmp / "a.npz", "--dump-tensors")
z = dict(np.load(tmp / "a.npz"))
z["t7"] = z["t7"].copy()
z["t7"][2, 0, 1, 2, 3] ^= 1
np.savez(tmp / "b.npz", **z)
rows = [json.loads(line) for line in open(tmp / "a.jsonl", encoding="utf-8")]
for r in rows:
    if r.get("input") == 2 and r.get("layer") == 7:
        r["crc"] ^= 5
write("b.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
done = bitemu("compare", tmp / "a.jsonl", tmp / "b.jsonl", "--dump-a", tmp / "a.npz", "--dump-b", tmp / "b.npz", "--format", "json")
first = json.loads(done.stdout)["first"]
checks.check(done.returncode == 1 and (first["input"], first["layer"], first["coordinates"]) == (2, 7, [0, 1, 2, 3]), f"coordinates: {first}")
checks.check(first["differ"] == 1 and first["largest"] == 1 and abs(first["expected"] - first["got"]) == 1 and "round" in first["hint"], f"values: {first}")
# likely causes, each planted in all codes of one layer
whole = np.load(tmp / "a.npz")["t7"]
row = whole[2].astype(np.int64)
planted = {"another layout": row.transpose(0, 3, 1, 2).reshape(row.shape), "zero point": row + 5, "one channel alone": row + 3 * (np.arange(row.shape[3]) == 2),
           "saturation": np.minimum(row, int(np.quantile(row, 0.8)) - 1), "other weights": (row + 1 + np.arange(row.size).reshape(row.shape) % 5) % 251}
for cause, codes in planted.items():
    z["t7"] = whole.copy()
    z["t7"][2] = codes.astype(whole.dtype)
    np.savez(tmp / "b.npz", **z)
    hint = json.loads(bitemu("compare", tmp / "a.jsonl", tmp / "b.jsonl", "--dump-a", tmp / "a.npz", "--dump-b", tmp / "b.npz", "--format", "json").stdout)["first"]["hint"]
    checks.check(cause in hint, f"{cause}: {hint}")
checks.check(bitemu("compare", tmp / "a.npz", tmp / "a.npz").returncode == 0, "a dump equals itself")
z["out0"] = z["out0"].copy()
z["out0"][5, 0, 3] += 7
np.savez(tmp / "c.npz", **z)
done = bitemu("compare", tmp / "a.npz", tmp / "c.npz")
checks.check(done.returncode == 1 and "input 5" in done.stdout and "element 3" in done.stdout, f"dumps differ: {done.stdout}")

# the other commands
plan = bitemu_json("plan", MODEL)
checks.check(plan["sram_bytes"] >= plan["bound_bytes"] > 0 and plan["buffers"] and "flash" in bitemu("plan", MODEL).stdout, "plan")
picture = tmp / "plan.svg"
done = bitemu("plan", MODEL, "--kernels", "cmsis-nn:dsp", "--svg", picture)
svg, ns = ElementTree.parse(picture).getroot(), "{http://www.w3.org/2000/svg}"
with_scratch = bitemu_json("plan", MODEL, "--kernels", "cmsis-nn")
peak = "".join(next(t for t in svg.iter(ns + "text") if t.get("id") == "peak").itertext())
op = bitemu_json("inspect", MODEL)["operators"][with_scratch["peak_op"]]
checks.check(done.returncode == 0 and f"op {with_scratch['peak_op']} " in peak and str(with_scratch["bound_bytes"]) in peak, f"svg names the peak: {peak}")
checks.check(op.get("op", op.get("type")) in peak, f"svg: type of {op} in {peak}")
titles = [t.text for t in svg.iter(ns + "title")]
checks.check(len(titles) == len(with_scratch["buffers"]) and all(any(t.startswith(b["name"]) for t in titles) for b in with_scratch["buffers"]), "svg: a rectangle a buffer")
words = {"".join(t.itertext()) for t in svg.iter(ns + "text")}
checks.check({"operator", "offset in the arena, bytes"} <= words and not any("href" in k for e in svg.iter() for k in e.attrib), "svg: axis labels, self-contained")
scratch = [b for b in with_scratch["buffers"] if b["name"].startswith("scratch of op")]
checks.check(scratch and all(b["first_op"] == b["last_op"] for b in scratch) and with_scratch["arena_bytes"] >= plan["arena_bytes"], "scratch buffers")
checks.check(plan["kernels"] is None and with_scratch["kernels"] == "cmsis-nn:dsp", "the plan says whose scratch it counts")
sizes = {p: bitemu_json("plan", MODEL, "--planner", p)["arena_bytes"] for p in ("greedy", "first-fit", "exact")}
checks.check(plan["bound_bytes"] <= sizes["exact"] <= min(sizes.values()) and sizes["greedy"] == plan["arena_bytes"], f"planners: {sizes}")
fails(2, ["--planner", "first-fit"], "plan", MODEL, "--planner", "last-fit")
fails(2, ["--kernels", "cmsis-nn:mve"], "plan", MODEL, "--kernels", "esp-nn")
fails(4, ["no/such"], "plan", MODEL, "--svg", tmp / "no" / "such" / "plan.svg")
checks.check(not list(tmp.glob("plan.svg.*")), "svg: no temporary is left")
checks.check({p["name"] for p in bitemu_json("profiles")} >= {"tflm", "litert-ref", "ruy", "xnnpack", "cmsis-nn", "cmix-nn", "pulp-nn", "tinyengine", "esp-nn", "muriscv-nn", "larq"} and "tflm" in bitemu("profiles").stdout, "profiles")
checks.check({b["name"] for b in bitemu_json("boards")} >= {"nucleo-l4r5zi", "nucleo-g0b1re"}, "boards as JSON")
checks.check(len(bitemu_json("inspect", MODEL)["operators"]) == 12, "inspect as JSON")
csv = bitemu(*RUN, "--format", "csv").stdout.splitlines()
checks.check(csv[0].startswith("index,name,op") and len(csv) == 13, "csv has a line a layer")
done = bitemu(*RUN, "--board", "nucleo-g0b1re")
checks.check(done.returncode == 5 and "missing" in done.stdout, "an incomplete estimate is exit 5 and lists what is missing")

# accumulators
sound = bitemu("check", MODEL)
checks.check(sound.returncode == 0 and "no accumulator can overflow" in sound.stdout and "32 wrap" in sound.stdout, f"check: {sound.stdout}")
done = bitemu("check", MODEL, "--accumulator", "8:wrap", "--witness", tmp / "witness", "--format", "json")
layers = {layer["index"]: layer for layer in json.loads(done.stdout)["layers"]}
checks.check(done.returncode == 1 and json.loads(done.stdout)["verdict"] == "overflows" and sorted(layers) == [0, 2, 5, 6, 7, 8, 9, 11], f"check: {done.stderr}")
checks.check(len(layers[6]["cases"]) == 9 and layers[0]["worst"]["network_input"] and not layers[6]["worst"]["network_input"], "check: cases, inputs")
for index, layer in layers.items():
    case = np.array([[c["final_min"], c["final_max"], c["partial_min"], c["partial_max"]] for c in layer["cases"]])
    checks.check(layer["verdict"] == "overflows" and case[:, 0].min() == layer["acc_min"] and case[:, 1].max() == layer["acc_max"], f"check: layer {index}")
    checks.check((tmp / "witness" / f"layer{index}.npy").exists(), f"check: witness of layer {index}")
witness = np.load(tmp / "witness" / "layer0.npy")
stem = bitemu_json("run", MODEL, "--input", tmp / "witness" / "layer0.npy", "--accumulator", "8")["layers"][0]
checks.check(witness.dtype == np.uint8 and witness.shape == (1, 8, 8, 1) and witness.max() <= 31, f"witness {witness.shape}")
checks.check(stem["wraps"] > 0 and layers[0]["worst"]["value"] in (stem["acc_min"], stem["acc_max"]), f"the first layer's witness overflows in run: {stem}")
done = bitemu("check", MODEL, "--accumulator", "15:saturate")
checks.check(done.returncode == 1 and "15 saturate" in done.stdout and "0 stem: channel" not in done.stdout and "6 conv1: channel" in done.stdout
             and "confirmed by running the layer" in done.stdout, f"check as text: {done.stdout}")
checks.check(bitemu("check", MODEL, "--accumulator", "22").returncode == 0, "22 bits are what the largest layer needs")
fails(2, ["--profile", "none"], "check", MODEL, "--profile", "none")
fails(2, ["text or json"], "check", MODEL, "--format", "csv")
fails(4, ["empty.tflite"], "check", tmp / "empty.tflite")
fails(4, ["no/such"], "check", MODEL, "--accumulator", "8", "--witness", tmp / "no" / "such")
narrow = bitemu_json(*RUN, "--accumulator", "14:saturate")
checks.check(narrow["accumulator"] == "14:saturate" and narrow["totals"]["saturations"] > 0 and narrow["totals"]["wraps"] == 0, "run: saturations")
checks.check(one["accumulator"] is None and one["totals"]["saturations"] == 0, "run: no accumulator asked for")
wide = bitemu(*RUN, "--limit", "3", "--trace", tmp / "wide.jsonl", "--accumulator", "32")
bitemu(*RUN, "--limit", "3", "--trace", tmp / "tight.jsonl", "--accumulator", "14:saturate")
bitemu(*RUN, "--limit", "3", "--trace", tmp / "own.jsonl")
checks.check((tmp / "wide.jsonl").read_text().replace(',"accumulator":"32:wrap"', "") == (tmp / "own.jsonl").read_text(), "32 bits that wrap are the default")
checks.check('"saturations":' in (tmp / "tight.jsonl").read_text(), "trace: saturations")
done = bitemu("compare", tmp / "own.jsonl", tmp / "tight.jsonl")
checks.check(done.returncode == 1 and "accumulator" in done.stdout and "14:saturate" in done.stdout, f"compare names the accumulator: {done.stdout}")

# a full standard output
full = subprocess.run([BITEMU, "run", str(MODEL), "--input", str(X), "--limit", "1"], stdout=open("/dev/full", "w"), stderr=subprocess.PIPE)
checks.check(full.returncode == 4, "a full disk on standard output is an error")
# cost: without inputs
L4 = ("cost", MODEL, "--board", "nucleo-l4r5zi")
cost = bitemu_json(*L4)
checks.check({"cycles", "cycles_error_pct", "latency_ms", "energy_uj", "energy_uj_error_pct", "sram_bytes", "flash_bytes"} <= set(cost["totals"]), f"totals: {sorted(cost['totals'])}")
t, best, worst = cost["totals"], cost["best_case"], cost["worst_case"]
checks.check(best["cycles"] <= t["cycles"] <= worst["cycles"] and all(m.startswith("code size") for m in cost["missing"]), f"best <= widest <= worst, {cost['missing']}")
checks.check(abs(sum(x["cycles"] for x in cost["layers"]) - t["cycles"]) < 1 and abs(t["latency_ms"] - t["cycles"] / cost["clock_hz"] * 1e3) < 1e-6, "layers add up")
every = [bitemu_json(*L4, "--policy", "layers:" + ",".join(str(b) for b in bits))["totals"]["cycles"] for bits in ((8, 8, 8, 8), (4, 8, 2, 4), (2, 2, 2, 2), (4, 4, 4, 8))
         if len(cost["worst_case"]["bits"]) == 4]
checks.check(all(best["cycles"] - 1 <= c <= worst["cycles"] + 1 for c in every), "no bit vector is outside the range")
lut = bitemu_json(*L4, "--lut")
checks.check(len(lut["layers"]) == len(cost["layers"]) and all(x["candidates"] for x in lut["layers"]), "lut: every layer has candidates")
what_if = bitemu_json("cost", MODEL, "--core", "Cortex-M4 ", "--clock-hz", "60e6", "--kernels", "OnNC_CMSISNN")
checks.check(what_if["totals"]["energy_uj"] is None and what_if["totals"]["cycles"] > 0 and any("energy" in m for m in what_if["missing"]), "what-if: no energy, and it says so")
prev = write("cost.json", json.dumps(cost))
checks.check(bitemu(*L4, "--baseline", prev, "--fail-if", "cycles>+0%,sram_bytes>+0%").returncode == 0, "nothing grew")
done = bitemu(*L4, "--policy", "fixed:8", "--fail-if", "cycles>10")
checks.check(done.returncode == 1 and "cycles is" in done.stderr, f"absolute limit: {done.returncode} {done.stderr}")
checks.check("cycles per instruction" in bitemu(*L4, "--explain").stdout, "explain prints the formula")
checks.check("8 bit" in bitemu(*L4, "--break-even").stdout, "break-even table")
even = bitemu_json(*L4, "--break-even", "--layouts", "fixed:2/fixed:4/fixed:8", "--svg", tmp / "even.svg")
ratio = {(p["w"], p["a"]): p["cycles_over_8x8"] for p in even["pairs"]}
checks.check(len(ratio) == 16 and ratio[8, 8] == 1 and max(ratio.values()) > 1, f"pairs of widths: {ratio}")
cascades = {(c["first"], c["second"]): c for c in even["cascades"]}
checks.check(set(cascades) == {("fixed:2", "fixed:4"), ("fixed:2", "fixed:8"), ("fixed:4", "fixed:8")}, f"cascades go from fewer bits to more: {list(cascades)}")
checks.check(all((c["pays_above_share"] is None) == (c["first_cycles"] >= c["second_cycles"]) for c in cascades.values()), "a cascade pays only behind a cheaper first pass")
for policy, key in (("fixed:2", "first_cycles"), ("fixed:8", "second_cycles")):
    checks.check(abs(bitemu_json(*L4, "--policy", policy)["totals"]["cycles"] / cascades["fixed:2", "fixed:8"][key] - 1) < 1e-9, f"a cascade's pass costs what {policy} does")
drawing = ElementTree.parse(tmp / "even.svg").getroot()
svg = "{http://www.w3.org/2000/svg}"
checks.check(len(drawing.findall(f".//{svg}g[@class='pair']")) == 16 and len(drawing.findall(f".//{svg}g[@class='cascade']")) == 3, "the picture shows every pair and cascade")
checks.check("w2a2 costs more than w8a8 here" in bitemu(*L4).stdout and any(w["costs_more"] for w in cost["widths"]), "fewer bits that cost more are called so")
checks.check("measured at 8 bits only" in bitemu(*L4).stdout and not cost["measured_below_8_bits"], "a published stack's narrow widths are not its own")
fails(2, ["--layouts", "w3a5"], *L4, "--break-even", "--layouts", "w3a5x/w8a8")
fails(2, ["--svg"], *L4, "--svg", tmp / "x.svg")
# events, controller, memory
first = {x["name"]: x for x in cost["layers"]}
checks.check(first["control"]["controller"] and not first["conv1"]["controller"] and 0 < t["controller_cycles"] < t["cycles"], "controller layers are told apart")
ev = first["conv1"]["events"]
checks.check(ev["macs"] == first["conv1"]["macs"] and ev["im2col_bytes"] > 0 and ev["streamed_weight_bytes"] >= ev["weight_bytes"] > 0 and ev["unpacked_words"] == 0, f"events: {ev}")
narrow = bitemu_json(*L4, "--policy", "fixed:2")
checks.check({x["name"]: x for x in narrow["layers"]}["conv1"]["events"]["unpacked_words"] > 0, "packed operands are unpacked")
checks.check(narrow["totals"]["sram_bytes"] < t["sram_bytes"] == cost["worst_case"]["sram_bytes"] == narrow["worst_case"]["sram_bytes"], "a fixed policy takes less SRAM than every reachable one")
mixed = bitemu_json(*L4, "--policy", "layers:8,2,8,2")["totals"]["events"]["switches"] if len(best["bits"]) == 4 else None
checks.check(mixed is None or mixed > t["events"]["switches"], "switches of widths are counted")
# an inference every so often: active power for its time, idle power for the rest
U5 = ("cost", MODEL, "--board", "nucleo-u575zi", "--period-ms", "50")
u5 = bitemu_json(*U5)
p, active = u5["period"], u5["totals"]
checks.check(abs(p["energy_uj"] - active["energy_uj"] - 4 * (50 - active["latency_ms"])) < 1e-6 and abs(p["duty_pct"] - 2 * active["latency_ms"]) < 1e-9, f"period: {p}")
checks.check(abs(p["average_power_mw"] * 50 / p["energy_uj"] - 1) < 1e-8 and "idle power 4 mW" in bitemu(*U5, "--explain").stdout, "average power and its formula")
done = bitemu(*L4, "--period-ms", "50", "--format", "json")
checks.check(done.returncode == 5 and any(m.startswith("idle power") for m in json.loads(done.stdout)["missing"]), f"no idle power: incomplete, not 0: {done.returncode}")
fails(2, ["--period-ms"], *L4, "--period-ms", "-3")
# energies of an architecture that is no board
arch = bitemu_json("cost", MODEL, "--kernels", "horowitz-45nm")
checks.check(arch["totals"]["cycles"] is None and arch["totals"]["energy_uj"] > 0 and arch["totals"]["energy_uj_error_pct"] > 0 and "no board" in arch["title"], "Horowitz: energy without time")
checks.check(bitemu_json("cost", MODEL, "--kernels", "horowitz-45nm", "--policy", "fixed:2")["totals"]["energy_uj"] < arch["totals"]["energy_uj"], "there, fewer bits take less energy")
fails(2, ["leave --board out"], *L4, "--kernels", "horowitz-45nm")
# kernel families by build, on a core where one was measured and on one where it was not
families = {k: bitemu_json("cost", MODEL, "--core", "cortex-m4", "--clock-hz", "1e8", "--kernels", k) for k in ("cmsis-nn", "cmsis-nn:dsp", "CMSIS-NN:C", "cmix-nn", "tinyengine")
            if bitemu("cost", MODEL, "--core", "cortex-m4", "--clock-hz", "1e8", "--kernels", k).returncode == 0}
checks.check({"cmsis-nn", "cmsis-nn:dsp", "cmix-nn"} <= set(families) and families["cmsis-nn"]["totals"] == families["cmsis-nn:dsp"]["totals"], f"families: {list(families)}")
checks.check("estimated_from" in families["cmix-nn"] and "estimated_from" not in families["cmsis-nn"] and families["cmix-nn"]["totals"]["cycles_error_pct"] > families["cmsis-nn"]["totals"]["cycles_error_pct"],
             "a family that was never measured on a core says so, and its error is wider")
X = [bitemu_json("cost", MODEL, "--core", core, "--clock-hz", "1e8", "--kernels", "xcubeai") for core in ("cortex-m33", "cortex-m3")]
checks.check("cortex-m33 times" in X[1]["estimated_from"] and "estimated_from" not in X[0] and X[1]["totals"]["cycles"] > X[0]["totals"]["cycles"]
             and X[1]["totals"]["cycles_error_pct"] > X[0]["totals"]["cycles_error_pct"] + 99, f"a core without measurements takes its nearest relative: {X[1].get('estimated_from')}")
eight = bitemu_json("cost", MODEL, "--core", "cortex-m4", "--clock-hz", "1e8", "--kernels", "tinyengine", "--policy", "fixed:2")["totals"]["cycles"]
checks.check(eight == families["tinyengine"]["totals"]["cycles"], "int8 kernels compute 2 bit codes as 8 bit ones")
fails(2, ["cortex-m55"], "cost", MODEL, "--core", "cortex-m4", "--clock-hz", "1e8", "--kernels", "cmsis-nn:mve")
fails(2, ["--clock-hz"], "cost", MODEL, "--core", "cortex-m4")
fails(2, ["cortex-m99", "cortex-m4"], "cost", MODEL, "--core", "cortex-m99", "--clock-hz", "1e6")
fails(2, ["greater than 0"], "cost", MODEL, "--core", "cortex-m4", "--clock-hz", "-1")
fails(2, ["depends on the input"], *L4, "--policy", "random:1")
fails(2, ["say where"], "cost", MODEL)
fails(2, ["nonesuch"], *L4, "--kernels", "nonesuch")
fails(2, ["nonesuch", "xcubeai"], "cost", MODEL, "--core", "cortex-m4", "--clock-hz", "1e6", "--kernels", "nonesuch")
checks.check("tflm_reference" in bitemu_json("cost", MODEL, "--core", "risc-v rv32imafc scepu02", "--clock-hz", "1e6", "--policy", "fixed:8")["kernels"], "a core without a named stack takes one that was measured there")
# calibrate: measurements made from known factors give the factors back
known = {"conv": 1.25, "pointwise": 2.5, "depthwise": 0.75, "fully_connected": 3.125, "other": 1.75}
stacks = tmp / "stacks"
stacks.mkdir()
(stacks / "known.yaml").write_text("bitemu_stack: 1\nname: known\ntitle: Known\nkernels: cmsis-nn\ncores:\n  cortex-m4:\n    cycles_per_instruction:\n" + "".join(
    f"      {c}: {{value: {v}, unit: cycles/instruction, source: s}}\n" for c, v in known.items()) + "sources: {s: made up}\n")
seen = {**os.environ, "BITEMU_STACKS": str(stacks)}


def stack_cost(stack):
    return json.loads(bitemu(*L4, "--kernels", stack, "--format", "json", env=seen).stdout)


made = stack_cost("known")
where = os.path.relpath(MODEL, tmp)
layers_csv = write("layers.csv", "board,model,op,cycles,core,note\n" + "".join(f'one,{where},{x["index"]},{x["cycles"]!r},Cortex-M4,"a, b"\n' for x in made["layers"])
                   + f"two,{where},0,1,Cortex-M7,\n")
CAL = ("calibrate", "--kernels", "cmsis-nn", "--board", "nucleo-l4r5zi")
done = bitemu(*CAL, layers_csv, "-o", stacks / "again.yaml", "--format", "json")
cal = json.loads(done.stdout)
found = {f["class"]: f["cycles_per_instruction"] for f in cal["factors"]}
checks.check(done.returncode == 0 and len(found) >= 3 and all(abs(v / known.get(c, known["other"]) - 1) < 1e-6 for c, v in found.items()), f"known factors: {found}")
checks.check(cal["other_cores"] == 1 and cal["used"] == len(made["layers"]) and cal["leaving_out"]["one"] == "measurement" and cal["pull"] == 0, "other cores, folds")
checks.check(abs(stack_cost("again")["totals"]["cycles"] / made["totals"]["cycles"] - 1) < 1e-6, "cost reads what calibrate wrote")
whole = write("whole.csv", f"cycles,model\r\n{made['totals']['cycles']!r},{where}\r\n")
done = bitemu(*CAL, whole)
checks.check(done.returncode == 0 and "pull 0.15" in done.stdout and "the error is not known" in done.stdout and " all " in done.stdout, f"whole network: {done.stdout}")
done = bitemu(*CAL, layers_csv)
checks.check(done.returncode == 0 and "leaving one measurement out: median error" in done.stdout and "not used: 1 measurements on other cores" in done.stdout, f"text: {done.stdout}")
for line, place, words in ((f"{where},-5,", "bad.csv:2:%d", "greater than 0"), (f"{where},0,", "bad.csv:2:%d", "greater than 0"), (f"{where},1e3x,", "bad.csv:2:%d", "'1e3x'"),
                           (f"{where},nan,", "bad.csv:2:%d", "not a number"), (f"{where},7,99", "bad.csv:2:%d", "no operator 99"), (f"{where},7,1.5", "bad.csv:2:%d", "no operator 1.5"),
                           (f"{where},,", "bad.csv:2:%d", "not a number"), ("none.tflite,7,", "bad.csv:2:1", "none.tflite"), (",7,", "bad.csv:2:1", "missing"), ('"x,7,', "bad.csv:2:1", "quote")):
    column = len(where) + 2 + (2 if line.startswith(f"{where},7,") else 0)
    fails(4, [place % column if "%" in place else place, words], *CAL, write("bad.csv", "model,cycles,op\n" + line + "\n"))
fails(4, ["bad.csv:1:1", "'cycles'"], *CAL, write("bad.csv", "model,ms\nx,1\n"))
fails(5, ["no measurement"], *CAL, write("bad.csv", "model,cycles\n"))
fails(2, ["--kernels", "portable-c"], "calibrate", "--kernels", "none", "--board", "nucleo-l4r5zi", layers_csv)
fails(2, ["--board"], "calibrate", "--kernels", "cmsis-nn", layers_csv)
fails(2, ["-o", "lower case"], *CAL, layers_csv, "-o", tmp / "My Stack.yaml")
fails(2, ["--pull"], *CAL, layers_csv, "--pull", "-1")
fails(2, ["--model"], *CAL, write("log.txt", "CONV_2D took 5 ticks (0 ms).\n"))
fails(2, ["log.txt:1", "--cycles-per-tick"], *CAL, "--model", MODEL, tmp / "log.txt")
ops = bitemu_json("inspect", MODEL)["operators"]
tags = [o.get("op", o.get("type")) for o in ops]
took = [f"{t} took {100 + i} ticks (0 ms).\n" for i, t in enumerate(tags)]
log = write("log.txt", "start\n" + "".join(took) + "All(1) took 9 ticks (0 ms)\n" + "".join(f"{i},{t},{200 + i}\r\n" for i, t in enumerate(tags)))
done = bitemu(*CAL, "--model", MODEL, "--cycles-per-tick", "4", log, "--format", "json")
checks.check(done.returncode == 0 and [m["cycles"] for m in json.loads(done.stdout)["measurements"]] == [4 * (150 + i) for i in range(len(tags))], f"two runs are averaged: {done.stderr}")
log = write("log.txt", "".join(t.replace("ticks (0 ms).", "us") for t in took))
checks.check(json.loads(bitemu(*CAL, "--model", MODEL, log, "--format", "json").stdout)["measurements"][0]["cycles"] == 100 * 120, "microseconds times the board's clock")
fails(4, ["log.txt:2", "operator 1"], *CAL, "--model", MODEL, "--cycles-per-tick", "4", write("log.txt", took[0] + "TILE took 5 ticks\n"))
fails(4, ["log.txt", "no complete run"], *CAL, "--model", MODEL, "--cycles-per-tick", "4", write("log.txt", "".join(took[:3])))

fits = bitemu_json("boards", MODEL)
checks.check({b["name"]: b["model"] for b in fits}["nucleo-l4r5zi"] == "fits" and len(fits) >= 14, "boards MODEL: verdicts")
cores = {b["core"] for b in fits}
checks.check(cores >= {"cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "cortex-m85", "xtensa-lx6", "xtensa-lx7", "rv32imc", "ri5cy-8", "avr-atmega", "ibex", "cv32e40p"},
             f"boards cover the cores: {sorted(cores)}")
small = {b["name"]: b for b in bitemu_json("boards", MODEL, "--policy", "fixed:2")}
checks.check(all(small[b["name"]]["needs_sram_bytes"] <= b["needs_sram_bytes"] for b in fits) and small["nucleo-l4r5zi"]["needs_sram_bytes"] < {b["name"]: b for b in fits}["nucleo-l4r5zi"]["needs_sram_bytes"],
             "boards --policy: fewer bits need less SRAM")
only = bitemu_json("boards", MODEL, "--kernels", "cmsis-nn:mve")
checks.check({b["core"] for b in only} == {"cortex-m55", "cortex-m85"}, "boards --kernels: those that the software has figures for")
fails(2, ["--policy"], "boards", "--policy", "fixed:2")
fails(2, ["nonesuch"], "boards", MODEL, "--kernels", "nonesuch")
regions = {b["name"]: b["memories"] for b in fits}
checks.check(sum(m["bytes"] for m in regions["nucleo-l4r5zi"]) == 640 * 1024 and {m["wait_states"] for m in regions["nucleo-f401re"]} == {None, 2}, "memories of boards")

# firmware
FIRMWARE = SOURCE / "tests" / "corpus" / "elf" / "good-tiny.elf"
done = bitemu("iss", FIRMWARE, "--core", "ibex-small", "--stats")
checks.check(done.returncode == 0 and done.stdout == "0123456789" and "cycles 585\n" in done.stderr and "instructions 101\n" in done.stderr, f"iss: {done}")
told = bitemu_json("iss", FIRMWARE, "--core", "ibex-maxperf")
checks.check(set(told) == {"core", "cycles", "instructions", "sections", "exit_code", "stopped", "console"} and told["console"] == "0123456789" and
             told["exit_code"] == 0 and told["stopped"] is None and told["instructions"] == 101, f"iss --format json: {told}")
bitemu("iss", FIRMWARE, "--core", "ibex-small", "--ram", 65536, "--dump", tmp / "ram", "--trace", tmp / "steps")
checks.check((tmp / "ram").stat().st_size == 65536 and len((tmp / "steps").read_text().splitlines()) == 101, "iss --dump --trace")
fails(2, ["--core"], "iss", FIRMWARE)
fails(2, ["cortex-m4", "ibex-small", "ibex-maxperf", "cv32e40p"], "iss", FIRMWARE, "--core", "cortex-m4")
fails(2, ["--format"], "iss", FIRMWARE, "--core", "ibex-small", "--format", "csv")
fails(2, ["wait states"], "iss", FIRMWARE, "--core", "ibex-small", "--data-wait", "16")
fails(2, ["ram_bytes"], "iss", FIRMWARE, "--core", "ibex-small", "--ram", "100")
fails(4, ["nothing.elf"], "iss", tmp / "nothing.elf", "--core", "ibex-small")
fails(4, ["RISC-V"], "iss", MODEL, "--core", "ibex-small")
fails(4, ["good-tiny.elf", "still running after 4 instructions", "pc 0x", "_start+"], "iss", FIRMWARE, "--core", "ibex-small", "--max-instructions", "4")

checks.finish()
