#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the small .tflite files of this corpus, by hand: a flatbuffer is written back to front as nested tables.
usage: make_tflite.py FOLDER"""
import pathlib
import struct
import sys


class Buffer:
    """Flatbuffer bytes, laid front to back: a table's children follow it, offsets point forward."""

    def __init__(self):
        self.b = bytearray()

    def align(self, n):
        while len(self.b) % n:
            self.b.append(0)

    def table(self, fields):
        """fields: {index: ("i32"|"u8"|"f32", value) or a callable that writes a child}. Returns the table's position."""
        n = max(fields, default=-1) + 1
        self.align(4)
        vtable = len(self.b)
        self.b += bytes(4 + 2 * n + (2 * n) % 4)
        self.align(4)
        start = len(self.b)
        self.b += struct.pack("<i", start - vtable)
        children = []
        for i, v in fields.items():
            self.align(4)
            struct.pack_into("<H", self.b, vtable + 4 + 2 * i, len(self.b) - start)
            if callable(v):
                children.append((len(self.b), v))
                self.b += bytes(4)
            else:
                self.b += struct.pack({"i32": "<i", "u8": "<B", "f32": "<f"}[v[0]], v[1])
        self.align(4)
        struct.pack_into("<HH", self.b, vtable, 4 + 2 * n, len(self.b) - start)
        for at, child in children:
            to = child()
            struct.pack_into("<I", self.b, at, to - at)
        return start

    def vector(self, data, size, n):
        self.align(8)
        self.b += bytes(4)  # elements of 8 bytes stay aligned behind the count
        at = len(self.b)
        self.b += struct.pack("<I", n) + data
        return at

    def tables(self, makers):
        self.align(4)
        at = len(self.b)
        self.b += struct.pack("<I", len(makers)) + bytes(4 * len(makers))
        for i, make in enumerate(makers):
            to = make()
            struct.pack_into("<I", self.b, at + 4 + 4 * i, to - (at + 4 + 4 * i))
        return at


def model(opcode=9, weights=(1, 2, 3, 4, 5, 6), out=2, options=True):
    """int8 [1,3] -> FULLY_CONNECTED [2,3] -> int8 [1,2]."""
    f = Buffer()
    f.b += bytes(4) + b"TFL3"
    ints = lambda *v: lambda: f.vector(struct.pack(f"<{len(v)}i", *v), 4, len(v))
    text = lambda s: lambda: f.vector(s.encode() + b"\0", 1, len(s))

    def quant(scale, zero):
        return lambda: f.table({2: lambda: f.vector(struct.pack("<f", scale), 4, 1), 3: lambda: f.vector(struct.pack("<q", zero), 8, 1)})

    def tensor(name, shape, kind, buffer, scale, zero):
        return lambda: f.table({0: ints(*shape), 1: ("u8", kind), 2: ("i32", buffer), 3: text(name), 4: quant(scale, zero)})
    tensors = [tensor("x", (1, 3), 9, 0, 0.5, -1), tensor("w", (2, 3), 9, 1, 0.25, 0), tensor("y", (1, out), 9, 0, 1.0, 3)]
    op = {0: ("i32", 0), 1: ints(0, 1, -1), 2: ints(2)}
    if options:
        op[3], op[4] = ("u8", 8), lambda: f.table({0: ("u8", 0)})
    graph = lambda: f.table({0: lambda: f.tables(tensors), 1: ints(0), 2: ints(2), 3: lambda: f.tables([lambda: f.table(op)])})
    buffers = [lambda: f.table({}), lambda: f.table({0: lambda: f.vector(bytes(weights), 1, len(weights))})]
    root = f.table({0: ("i32", 3), 1: lambda: f.tables([lambda: f.table({0: ("u8", min(opcode, 127)), 3: ("i32", opcode)})]),
                    2: lambda: f.tables([graph]), 4: lambda: f.tables(buffers)})
    struct.pack_into("<I", f.b, 0, root)
    return bytes(f.b)


def main(folder):
    folder = pathlib.Path(folder)
    (folder / "good-fully-connected.tflite").write_bytes(model())
    (folder / "good-no-options.tflite").write_bytes(model(options=False))
    (folder / "bad-weights-short.tflite").write_bytes(model(weights=(1, 2, 3)))
    (folder / "bad-output-shape.tflite").write_bytes(model(out=3))
    (folder / "unsupported-operator.tflite").write_bytes(model(opcode=36))  # GATHER
    (folder / "bad-cut.tflite").write_bytes(model()[:100])


if __name__ == "__main__":
    main(sys.argv[1])
