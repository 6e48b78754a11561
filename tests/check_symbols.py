#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shared library exports bitemu_* and nothing else."""
import subprocess
import sys

out = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], check=True, capture_output=True, text=True).stdout
names = [line.split()[-1] for line in out.splitlines() if len(line.split()) == 3]
strangers = [n for n in names if not n.startswith("bitemu_")]
print(f"{len(names)} exported symbols; strangers: {strangers or 'none'}")
sys.exit(1 if strangers or not names else 0)
