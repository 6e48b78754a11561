#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the demo's reports and traces into the comparison table on standard output and one self-contained HTML page.
usage: demo_page.py FOLDER (with NAME.json and NAME.jsonl of the runs). Standard library only."""
import collections
import html
import json
import pathlib
import sys

RUNS = ("controller", "fixed8", "fixed4", "fixed2")
TITLE = {"controller": "input-aware controller", "fixed8": "static 8 bit", "fixed4": "static 4 bit", "fixed2": "static 2 bit"}
COLOR = {"controller": "#c0392b", "fixed8": "#2c3e50", "fixed4": "#2980b9", "fixed2": "#7f8c8d"}
BITS_COLOR = {"8": "#2c3e50", "4": "#2980b9", "2": "#aab7b8"}


def number(v, fmt="{:,.0f}"):
    return "unknown" if v is None else fmt.format(v)


def rows(reports):
    for name in RUNS:
        r, t = reports[name], reports[name]["totals"]
        bits = r["decisions"]["mean_bits"]
        yield (TITLE[name], f"{100 * r['top1']:.2f} %", f"{bits:.2f}", number(t["bitops"]), number(t["cycles"]),
               "" if t["cycles_error_pct"] is None else f"±{t['cycles_error_pct']:.0f} %", number(t["latency_ms"], "{:.3f}"),
               number(t["energy_uj"], "{:.2f}"))


HEADINGS = ("policy", "top-1", "mean bits", "BitOps/input", "cycles/input", "error", "ms", "µJ")


def text_table(reports):
    table = [HEADINGS, *rows(reports)]
    widths = [max(len(r[i]) for r in table) for i in range(len(HEADINGS))]
    return "\n".join("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))) for r in table)


def html_table(reports):
    head = "".join(f"<th>{html.escape(h)}</th>" for h in HEADINGS)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in r) + "</tr>" for r in rows(reports))
    return f"<table><tr>{head}</tr>{body}</table>"


def svg(width, height, body):
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">{"".join(body)}</svg>'


def label(x, y, text, anchor="start", size=12, color="#333"):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{color}">{html.escape(str(text))}</text>'


def rect(x, y, w, h, color, tip):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(w, 0):.1f}" height="{max(h, 0):.1f}" fill="{color}"><title>{html.escape(tip)}</title></rect>'


def plot_tradeoff(reports):
    """Accuracy over cost: cycles where the board's model knows them, BitOps otherwise."""
    key = "cycles" if all(reports[n]["totals"]["cycles"] is not None for n in RUNS) else "bitops"
    points = [(n, reports[n]["totals"][key], 100 * reports[n]["top1"]) for n in RUNS]
    x_max, y_min = max(p[1] for p in points) * 1.15, min(p[2] for p in points) - 1
    y_max = max(p[2] for p in points) + 0.5
    at = lambda x, y: (60 + 500 * x / x_max, 270 - 240 * (y - y_min) / (y_max - y_min))
    body = [f'<path d="M60 20V270H570" stroke="#999" fill="none"/>', label(565, 303, f"mean {key} per input", "end"), label(8, 14, "top-1 %")]
    for k in range(5):
        y = y_min + (y_max - y_min) * k / 4
        body.append(label(54, at(0, y)[1] + 4, f"{y:.1f}", "end", 11))
        x = x_max * k / 4
        body.append(label(at(x, 0)[0], 285, f"{x:,.0f}", "middle", 10))
    for name, x, y in points:
        px, py = at(x, y)
        body.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="6" fill="{COLOR[name]}"/>')
        body.append(label(px + 9, py + 4, TITLE[name], color=COLOR[name]))
    return svg(680, 310, body)


def plot_decisions(report):
    body, y = [], 10
    for name, histogram in report["decisions"]["histogram"].items():
        total, x = sum(histogram.values()) or 1, 130
        body.append(label(122, y + 15, name, "end"))
        for bits, count in histogram.items():
            w = 420 * count / total
            body.append(rect(x, y, w, 22, BITS_COLOR.get(bits, "#16a085"), f"{name}: {bits} bit, {count} inputs"))
            if w > 46:
                body.append(label(x + w / 2, y + 15, f"{bits} bit {100 * count / total:.0f} %", "middle", 11, "#fff"))
            x += w
        y += 30
    return svg(570, y + 5, body)


def plot_layers(reports):
    names = [(l["index"], l["op"], l["name"]) for l in reports["fixed8"]["layers"] if l["cycles"]]
    top = max(l["cycles"] for n in RUNS for l in reports[n]["layers"] if l["cycles"] is not None) if names else 1
    body, y = [], 5
    for index, op, name in names:
        body.append(label(200, y + 22, f"{index} {name}"[:30], "end", 11))
        for run in RUNS:
            cycles = reports[run]["layers"][index]["cycles"]
            if cycles is not None:
                body.append(rect(208, y, 340 * cycles / top, 8, COLOR[run], f"{op} {name}, {TITLE[run]}: {cycles:,.0f} cycles"))
            y += 9
        y += 8
    return svg(570, y + 5, body) if names else "<p>No cycles known for this board.</p>"


def plot_inputs(folder):
    """How cycles spread over inputs under the controller: a histogram from the trace."""
    cycles = collections.Counter()
    for line in open(folder / "controller.jsonl", encoding="utf-8"):
        record = json.loads(line)
        if "cycles" in record:
            cycles[record["input"]] += record["cycles"]
    if not cycles:
        return "<p>No cycles known for this board.</p>"
    low, high = min(cycles.values()), max(cycles.values())
    bins, step = [0] * 24, (high - low) / 24 or 1
    for c in cycles.values():
        bins[min(int((c - low) / step), 23)] += 1
    tall = max(bins)
    body = [rect(40 + 20 * i, 150 - 130 * n / tall, 18, 130 * n / tall, COLOR["controller"], f"{low + i * step:,.0f} cycles: {n} inputs")
            for i, n in enumerate(bins)]
    body += [label(40, 168, f"{low:,.0f}", size=11), label(520, 168, f"{high:,.0f} cycles", "end", 11), label(4, 14, f"{tall} inputs", size=11)]
    return svg(570, 175, body)


def page(folder, reports):
    first = reports["controller"]
    legend = " ".join(f'<span style="color:{COLOR[n]}">■ {TITLE[n]}</span>' for n in RUNS)
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>bitemu: digits with input-aware bit widths</title>
<style>body{{font:15px/1.45 system-ui,sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#222}}table{{border-collapse:collapse}}
td,th{{white-space:nowrap;padding:.25em .6em;text-align:right;border-bottom:1px solid #ddd}}td:first-child,th:first-child{{text-align:left}}svg{{max-width:100%;height:auto}}</style>
<h1>Digits with input-aware bit widths</h1>
<p>{first['inputs']} held-out images, profile {html.escape(first['profile'])}, board {html.escape(str(first['board']))}, kernels {html.escape(str(first['kernels']))}.
Integers are exact; cycles and energy are estimates with the error bar stated. SRAM {first['totals']['sram_bytes']:,} bytes, flash
{first['totals']['flash_bytes']:,} bytes (weights and tables, code not counted), whatever the policy.</p>
{html_table(reports)}
<h2>Accuracy against cost</h2>{plot_tradeoff(reports)}
<h2>What the controller decides</h2>{plot_decisions(first)}
<h2>Cycles by layer</h2><p>{legend}</p>{plot_layers(reports)}
<h2>Cycles by input, under the controller</h2>{plot_inputs(folder)}
<p>Made by <code>./run-demo</code>; the numbers behind it: <code>{html.escape(folder.name)}/*.json</code>, <code>*.jsonl</code> (traces), <code>*.npz</code> (every CRC).</p></html>
"""


def main():
    folder = pathlib.Path(sys.argv[1])
    reports = {n: json.loads((folder / f"{n}.json").read_text()) for n in RUNS}
    print(f"\n{reports['controller']['inputs']} held-out digits on {reports['controller']['board']}, per input:\n")
    print(text_table(reports))
    (folder / "index.html").write_text(page(folder, reports), encoding="utf-8")
    print(f"\nplots: {folder / 'index.html'}    traces: {folder}/*.jsonl")


if __name__ == "__main__":
    main()
