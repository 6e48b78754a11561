# SPDX-License-Identifier: Apache-2.0
"""What the Python tests share: the program, the shared material, counted checks with a readable end."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(os.environ.get("BITEMU_SOURCE", pathlib.Path(__file__).resolve().parent.parent))
BITEMU = os.environ.get("BITEMU", str(SOURCE / "build" / "cli" / "bitemu"))
SHARED = pathlib.Path(os.environ["BITEMU_SHARED"]) if os.environ.get("BITEMU_SHARED") else None
SKIP = 77  # meson's exit status for a skipped test


def skip(why):
    print("SKIPPED:", why)
    sys.exit(SKIP)


def need_shared():
    if SHARED is None or not SHARED.is_dir():
        skip("no shared test material beside this checkout (BITEMU_SHARED)")
    return SHARED


def need_numpy():
    try:
        import numpy
    except ImportError:
        skip("numpy is not installed (Debian: python3-numpy)")
    return numpy


def bitemu(*args, **kw):
    return subprocess.run([BITEMU, *map(str, args)], capture_output=True, text=True, **kw)


def bitemu_json(*args):
    done = bitemu(*args, "--format", "json")
    if done.returncode:
        raise RuntimeError(f"bitemu {' '.join(map(str, args))}: exit {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def compile_once(folder, *compilers):
    """From here on compilers that are called by name come through ccache, if it is installed: a file that many programs share is compiled once."""
    if not shutil.which("ccache"):
        return
    names = pathlib.Path(folder) / "ccache"
    names.mkdir()
    for name in compilers:
        (names / name).symlink_to(shutil.which("ccache"))
    os.environ.update(PATH=f"{names}{os.pathsep}{os.environ['PATH']}", CCACHE_DIR=str(names / "objects"), CCACHE_NOHASHDIR="1", CCACHE_TEMPDIR=str(names / "tmp"))


class Checks:
    """Counts what held and what did not; `finish` prints the sum and exits."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, ok, what):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED:", what)
        return ok

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)
