# SPDX-License-Identifier: Apache-2.0
"""Random blocks with Xpulp instructions of CV32E40P, which Debian's assembler does not know: encoded here, row by row from the user manual."""
from blocks import BASE, COMPRESSED, COUNTER, Block

LOADS = {"lb": (0, 1), "lbu": (4, 1), "lh": (1, 2), "lhu": (5, 2), "lw": (2, 4)}  # funct3, bytes
LOADS_REGISTER = {"lb": 0, "lbu": 8, "lh": 1, "lhu": 9, "lw": 2}                   # funct7; + 4: indexed
STORES = {"sb": (0, 1), "sh": (1, 2), "sw": (2, 4)}
REGISTER = {"extractr": 0x18, "extractur": 0x19, "insertr": 0x1a, "bclrr": 0x1c, "bsetr": 0x1d, "ror": 0x20, "sle": 0x29, "sleu": 0x2a, "min": 0x2b, "minu": 0x2c, "max": 0x2d,
            "maxu": 0x2e, "clipr": 0x3a, "clipur": 0x3b, "addNr": 0x40, "adduNr": 0x41, "addRNr": 0x42, "adduRNr": 0x43, "subNr": 0x44, "subuNr": 0x45, "subRNr": 0x46,
            "subuRNr": 0x47, "mac": 0x48, "msu": 0x49}
ONE = {"ff1": 0x21, "fl1": 0x22, "clb": 0x23, "cnt": 0x24, "abs": 0x28, "exths": 0x30, "exthz": 0x31, "extbs": 0x32, "extbz": 0x33}
CLIP = {"clip": 0x38, "clipu": 0x39}
FIELD = {"extract": (0, 0), "extractu": (0, 1), "insert": (0, 2), "bclr": (1, 0), "bset": (1, 1)}  # funct3, f2
SHIFTED = [(f3, f2) for f3 in range(2, 8) for f2 in range(4)]                      # addN.., subN.., mulsN.., muluN.., macsN.., macuN..
VECTOR = list(range(14)) + list(range(16, 22))                                     # funct5, every mode
SHIFTS = (8, 9, 10)


class XpulpBlock(Block):
    FENCE = False

    def r(self, opcode, f3, f7, d, a, b):
        self.put(f".insn r 0x{opcode:x}, {f3}, 0x{f7:x}, {d}, {a}, {b}")

    def i(self, opcode, f3, d, a, imm):
        self.put(f".insn i 0x{opcode:x}, {f3}, {d}, {a}, {imm}")

    def scalar(self):
        rng, d, a, b = self.rng, self.target(), self.source(), self.source()
        kind = rng.random()
        if kind < 0.4:
            name = rng.choice(list(REGISTER))
            if name == "insertr":  # the sum of position and length is limited
                b = self.target()
                low = rng.randint(0, 31)
                self.put(f"addi {b}, x0, {low | rng.randint(0, 31 - low) << 5}")
            self.r(0x2b, 3, REGISTER[name], d, a, b)
        elif kind < 0.55:
            self.r(0x2b, 3, ONE[rng.choice(list(ONE))], d, a, "x0")
        elif kind < 0.65:
            self.r(0x2b, 3, CLIP[rng.choice(list(CLIP))], d, a, f"x{rng.randint(0, 31)}")
        elif kind < 0.8:
            f3, f2 = FIELD[rng.choice(list(FIELD))]
            low = rng.randint(0, 31)
            self.r(0x5b, f3, f2 << 5 | rng.randint(0, 31 - low), d, a, f"x{low}")
        else:
            f3, f2 = rng.choice(SHIFTED)
            self.r(0x5b, f3, f2 << 5 | rng.randint(0, 31), d, a, b)

    def vector(self):
        rng, d, a, b = self.rng, self.target(), self.source(), self.source()
        kind, size = rng.random(), rng.randint(0, 1)
        if kind < 0.75:
            compare = rng.random() < 0.2
            f5 = rng.randint(0, 9) if compare else rng.choice(VECTOR)
            mode = rng.choice([0, 4, 6])
            low = 0
            if mode == 6:
                imm = rng.randint(0, 7 if size else 15) if f5 in SHIFTS and not compare else rng.randint(0, 63)
                b, low = f"x{imm >> 1}", imm & 1
            self.r(0x7b, mode + size, f5 << 2 | compare << 1 | low, d, a, b)
        elif kind < 0.8:
            self.r(0x7b, size, 14 << 2, d, a, "x0")  # abs
        elif kind < 0.87:
            lane = rng.randint(0, 3 if size else 1)
            self.r(0x7b, rng.choice([0, 2, 4]) + size, 23 << 2 | lane & 1, d, a, f"x{lane >> 1}")
        elif kind < 0.92:
            if rng.random() < 0.5:
                self.r(0x7b, size, 24 << 2, d, a, b)
            else:
                imm = rng.randint(0, 63 if size else 3)
                self.r(0x7b, 6 + size, (24 + (rng.randint(0, 3) if size else 0)) << 2 | imm & 1, d, a, f"x{imm >> 1}")
        elif kind < 0.96:
            self.r(0x7b, size, 28 << 2, d, a, b)
        else:
            f5, low = rng.choice([(30, 0), (30, 1), (31, 0), (31, 1)])
            self.r(0x7b, f5 & 1, f5 << 2 | low, d, a, b)

    def access(self, p):
        """One post-incremented or indexed access at p, whose register keeps near where it is."""
        rng = self.rng
        kind = rng.random()
        d = rng.choice([r for r in self.pool if r != p] or ["x5"])
        if kind < 0.4:
            f3, size = LOADS[rng.choice(list(LOADS))]
            self.i(0x0b, f3, d, p, rng.choice([size, -size, 4, 0, 3]))
            self.recent = d
        elif kind < 0.6:
            f3, size = STORES[rng.choice(list(STORES))]
            self.put(f".insn s 0x2b, {f3}, {self.source()}, {rng.choice([size, -size, 4, 0, 1])}({p})")
        else:
            o = rng.choice([r for r in self.pool if r not in (p, d)] or ["x6"])
            self.put(f"addi {o}, x0, {rng.choice([1, 2, 4, -4])}")
            indexed = 4 * (rng.random() < 0.4)
            if rng.random() < 0.6:
                self.r(0x2b, 3, LOADS_REGISTER[rng.choice(list(LOADS_REGISTER))] + indexed, d, p, o)
                self.recent = d
            else:  # the offset is in rd's field
                self.r(0x2b, 3, 0x10 + STORES[rng.choice(list(STORES))][0] + indexed, o, p, self.source())

    def near(self):
        p = self.rng.choice(COMPRESSED)
        pool, self.pool = self.pool, [r for r in self.pool if r != p] or ["x5", "x6"]
        self.put(f"addi {p}, {BASE}, {self.rng.randint(-400, 400) & (-4 if self.rng.random() < 0.7 else -1)}")
        for _ in range(self.rng.randint(1, 4)):
            self.access(p)
        self.pool = pool

    def plain(self):
        kinds = [(super().plain, 10), (self.scalar, 6), (self.vector, 8)]
        self.rng.choices([k for k, _ in kinds], [w for _, w in kinds])[0]()

    def forward(self):
        if self.rng.random() < 0.7:
            return super().forward()
        rng, l = self.rng, self.label()  # cv.beqimm, cv.bneimm; often against what a register holds
        imm, r = rng.randint(0, 31), self.source()
        if rng.random() < 0.5 and r != "x0":
            self.put(f"addi {r}, x0, {(imm ^ 16) - 16}")
            self.recent = r
        self.put(f".insn b 0x0b, {rng.choice([6, 7])}, {r}, x{imm}, {l}")
        self.some(rng.randint(0, 4))
        self.put(f"{l}:")

    def body(self, n):
        """n or more lines of exactly one instruction each."""
        outer, self.lines = self.lines, []
        while len(self.lines) < n:
            before = len(self.lines)
            self.rng.choice([self.plain, self.plain, lambda: self.access(COUNTER)])()
            if any(l.startswith("li ") for l in self.lines[before:]):
                del self.lines[before:]
        body, self.lines = self.lines, outer
        return body

    def set_loop(self, which, count, length):
        """The instructions that start a loop of `length` instructions, which follow at once."""
        rng, kind = self.rng, self.rng.random()
        if kind < 0.4 and length < 31:
            self.i(0x2b, 4, f"x{6 << 1 | which}", f"x{length + 1}", count)
        elif kind < 0.7:
            r = self.target() if rng.random() < 0.5 else "x7"
            r = r if r != "x0" else "x7"
            self.put(f"addi {r}, x0, {count}")
            self.i(0x2b, 4, f"x{7 << 1 | which}", r, length + 1)
        else:  # starti, endi, counti or count
            self.i(0x2b, 4, f"x{0 << 1 | which}", "x0", 4)
            self.i(0x2b, 4, f"x{2 << 1 | which}", "x0", length + 3)
            self.put("addi x7, x0, " + str(count))
            if rng.random() < 0.5:
                self.i(0x2b, 4, f"x{5 << 1 | which}", "x7", 0)
            else:
                self.i(0x2b, 4, f"x{4 << 1 | which}", "x0", count)

    def loop(self):
        if self.rng.random() < 0.3:
            return super().loop()
        rng = self.rng
        self.put(f"addi {COUNTER}, {BASE}, {rng.randint(-300, 300) & (-4 if rng.random() < 0.8 else -1)}")
        self.lines += [".balign 4", ".option norvc"]
        if rng.random() < 0.3:  # one loop within the other
            inner, after = self.body(rng.randint(3, 6)), self.body(rng.randint(2, 4))  # two instructions or more behind the inner one
            before = self.body(rng.randint(0, 2))
            lines, self.lines = self.lines, []
            self.set_loop(0, rng.randint(1, 4), len(inner))
            nested = before + self.lines + inner + after
            self.lines = lines
            self.set_loop(1, rng.randint(1, 4), len(nested))
            self.lines += nested
        else:
            body = self.body(rng.randint(3, 9))
            self.set_loop(rng.randint(0, 1), rng.randint(1, 7), len(body))
            self.lines += body
        self.put(".option rvc")
