#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which folder may include which: data flows one way, siblings never see each other. Fails with file:line."""
import pathlib
import re
import sys

MAY = {
    "base": [],
    "quant": ["base"],
    "model": ["base", "quant"],
    "controller": ["base", "quant"],
    "emu": ["base", "quant", "model"],
    "hwmodels": ["base", "model", "emu/events.h", "device/boards/rv32/map.h", "device/depthwise.h", "device/kernels/rows.h"],
    "traces": ["base"],
    "sim": ["base", "quant", "model", "controller", "emu", "hwmodels", "traces", "device", "include"],
    "device": ["base/status.h", "quant", "controller/controller.h", "network.h"],
    "cli": ["base", "model", "emu", "hwmodels", "traces", "sim", "include"],
    "include": [],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def main(root):
    bad = seen = 0
    for folder, allowed in MAY.items():
        for path in sorted((root / folder).rglob("*.[ch]")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                seen += 1
                name = match.group(1)
                if name.startswith("bitemu/"):
                    name = "include/" + name
                top = name.split("/")[0]
                if top != folder and top not in allowed and name not in allowed:
                    print(f"{path.relative_to(root)}:{number}: {folder}/ may not include {name}")
                    bad += 1
    print(f"{seen} includes checked, {bad} broken rules")
    return 1 if bad or not seen else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
