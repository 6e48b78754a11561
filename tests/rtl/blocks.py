# SPDX-License-Identifier: Apache-2.0
"""Random blocks of RV32IMC as assembler text. A program is a row of blocks; each starts from random registers and memory, runs between two reads
of mcycle, and leaves its cycles, its instructions and all registers in the results. The memory it works on is compared whole.

A block: arithmetic, loads and stores at any alignment, multiplications and divisions with awkward operands, forward branches and jumps to
labels at any alignment, short counted loops, calls through registers. It always ends."""
import random

DATA_BYTES = 2048   # what loads and stores of blocks touch; s10 points to its middle
LINK_WORD = 0       # of the data: where calls save the link, which no other store touches
BASE = "s10"        # never written by a block
COUNTER = "s11"     # counts loops: written by nothing else in a block
RESULTS = "gp"      # where results go: written by nothing in a block
LINK = "ra"
FREE = [f"x{i}" for i in range(32) if i not in (0, 1, 3, 26, 27)]
REGISTERS = [f"x{i}" for i in range(1, 32)]
COMPRESSED = [f"x{i}" for i in range(8, 16)]
AWKWARD = [0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x80, 0xffffff80, 0x8000, 0x10000, 0x5555, 0xaaaaaaaa]

RR = "add sub sll slt sltu xor srl sra or and".split()
RI = "addi slti sltiu xori ori andi".split()
SHIFT = "slli srli srai".split()
MUL = "mul mulh mulhsu mulhu".split()
DIV = "div divu rem remu".split()
LOADS = {"lb": 1, "lbu": 1, "lh": 2, "lhu": 2, "lw": 4}
STORES = {"sb": 1, "sh": 2, "sw": 4}
BRANCHES = "beq bne blt bge bltu bgeu".split()


class Block:
    FENCE = True  # does the simulator know what a fence costs on this core?

    def __init__(self, rng, name, length=30):
        self.rng, self.name, self.length, self.lines, self.labels, self.recent = rng, name, length, [], 0, FREE[0]
        # Some blocks use few registers, so that neighbours depend on each other; some those that compress well.
        self.pool = rng.choice([FREE, COMPRESSED, rng.sample(FREE, 4), rng.sample(COMPRESSED, 3)])

    def source(self):
        return self.recent if self.rng.random() < 0.3 else self.rng.choice(self.pool + ["x0"] * (self.rng.random() < 0.2))

    def target(self):
        if self.rng.random() < 0.03:
            return "x0"
        self.recent = self.recent if self.rng.random() < 0.2 and self.recent in FREE else self.rng.choice(self.pool)
        return self.recent

    def label(self):
        self.labels += 1
        return f".L{self.name}_{self.labels}"

    def put(self, text):
        self.lines.append(text)

    def arithmetic(self):
        r = self.rng
        kind = r.random()
        d, a, b = self.target(), self.source(), self.source()
        if kind < 0.4:
            if r.random() < 0.5:
                a = d  # the compressed form
            self.put(f"{r.choice(RR)} {d}, {a}, {b}")
        elif kind < 0.65:
            self.put(f"{r.choice(RI)} {d}, {d if r.random() < 0.5 else a}, {r.choice([r.randint(-32, 31), r.randint(-2048, 2047)])}")
        elif kind < 0.8:
            self.put(f"{r.choice(SHIFT)} {d}, {d if r.random() < 0.5 else a}, {r.randint(1, 31)}")
        elif kind < 0.9:
            self.put(f"lui {d}, {r.choice([r.randint(1, 31), r.randint(0, 0xfffff)])}")
        elif kind < 0.94:
            self.put(f"auipc {d}, {r.randint(0, 0xfffff)}")
        elif kind < 0.95 and self.FENCE:
            self.put("fence")
        else:
            self.put(f"li {d}, {r.choice(AWKWARD + [r.getrandbits(32)])}")

    def multiply(self):
        self.put(f"{self.rng.choice(MUL)} {self.target()}, {self.source()}, {self.source()}")

    def divide(self):
        b = self.source()
        if self.rng.random() < 0.4:
            b = self.target()
            self.put(f"li {b}, {self.rng.choice(AWKWARD + [self.rng.getrandbits(self.rng.randint(1, 32))])}")
        self.put(f"{self.rng.choice(DIV)} {self.target()}, {self.source()}, {b}")

    def offset(self, size):
        r = self.rng
        at = r.randint(4 * LINK_WORD + 4 - DATA_BYTES // 2, DATA_BYTES // 2 - 4)
        return at if r.random() < 0.3 else at & -size  # most are aligned

    def load(self):
        op, size = self.rng.choice(list(LOADS.items()))
        self.put(f"{op} {self.target()}, {self.offset(size)}({BASE})")

    def store(self):
        op, size = self.rng.choice(list(STORES.items()))
        self.put(f"{op} {self.source()}, {self.offset(size)}({BASE})")

    def near(self):
        """Compressed loads and stores: a small offset to a pointer in x8..x15, made here."""
        r = self.rng
        p = r.choice(COMPRESSED)
        self.put(f"addi {p}, {BASE}, {self.offset(4)}")
        for _ in range(r.randint(1, 3)):
            if r.random() < 0.6:
                d = r.choice([c for c in COMPRESSED if c != p])
                self.put(f"lw {d}, {4 * r.randint(0, 31)}({p})")
                self.recent = d
            else:
                self.put(f"sw {r.choice(COMPRESSED)}, {4 * r.randint(0, 31)}({p})")

    def some(self, n):
        for _ in range(n):
            self.plain()

    def forward(self):
        r, l = self.rng, self.label()
        if r.random() < 0.7:
            self.put(f"{r.choice(BRANCHES)} {self.source()}, {self.source()}, {l}")
        elif r.random() < 0.5:
            p = r.choice(COMPRESSED)
            self.put(f"{r.choice(['beqz', 'bnez'])} {p}, {l}")
        else:
            self.put(f"j {l}")
        self.some(r.randint(0, 4))
        self.put(f"{l}:")

    def loop(self):
        l = self.label()
        self.put(f"li {COUNTER}, {self.rng.randint(1, 5)}")
        if self.rng.random() < 0.3:
            self.put(".balign 4")
        self.put(f"{l}:")
        self.some(self.rng.randint(1, 5))
        self.put(f"addi {COUNTER}, {COUNTER}, -1")
        self.some(self.rng.randint(0, 1))
        self.put(f"{self.rng.choice(['bnez ' + COUNTER, 'blt x0, ' + COUNTER, 'bgtu ' + COUNTER + ', x0'])}, {l}")

    def call(self):
        """Over a small function to its call, through jal or a register, and back."""
        r = self.rng
        f, after = self.label(), self.label()
        self.put(f"j {after}")
        self.put(f"{f}:")
        saved = r.random() < 0.5  # the link goes through memory, as in functions that call others
        if saved:
            self.put(f"sw {LINK}, {4 * LINK_WORD - DATA_BYTES // 2}({BASE})")
        self.some(r.randint(0, 3))
        if saved:
            self.put(f"lw {LINK}, {4 * LINK_WORD - DATA_BYTES // 2}({BASE})")
            self.some(r.randint(0, 2))
        self.put("ret")
        self.put(f"{after}:")
        if r.random() < 0.5:
            self.put(f"jal {LINK}, {f}")
        else:
            self.put(f"la {LINK}, {f}")
            self.some(r.randint(0, 1))
            self.put(f"jalr {LINK}, {LINK}, 0")

    def plain(self):
        kinds = [(self.arithmetic, 10), (self.load, 5), (self.store, 3), (self.multiply, 3), (self.divide, 0.6), (self.near, 1)]
        self.rng.choices([k for k, _ in kinds], [w for _, w in kinds])[0]()

    def text(self):
        structures = [(self.plain, 12), (self.forward, 3), (self.loop, 1), (self.call, 1)]
        while sum(1 for l in self.lines if not l.endswith(":")) < self.length:
            self.rng.choices([k for k, _ in structures], [w for _, w in structures])[0]()
        return self.lines


RESULT_WORDS = 2 + len(REGISTERS)


def program(seed, n_blocks, block=Block, minstret=True):
    """Assembler text of n_blocks blocks; block i has the results RESULT_WORDS * i words after `results`. minstret=False: it is not read (with wait
    states Ibex' own counter is wrong by an instruction or more)."""
    read = lambda reg, csr: f"csrr {reg}, {csr}" if minstret or csr != "minstret" else f"li {reg}, 0"
    absolute = lambda at: ["la t0, absolute"] + [x for k, csr in enumerate(("mcycle", "minstret", "mcycleh")) for x in (read("t1", csr), f"sw t1, {at + 4 * k}(t0)")]
    out = [".globl main", ".text", "main:"] + absolute(0) + [f"la {RESULTS}, results"]
    saved = random.Random(f"{seed} memory")
    for i in range(n_blocks):
        r = random.Random(f"{seed} {i}")
        start = [r.choice(AWKWARD) if r.random() < 0.3 else r.getrandbits(r.choice([8, 16, 32])) for _ in REGISTERS]
        # The two reads of the counters go to memory at once, so that no register but the link is lost to them.
        out += [".option norvc", f"block_{i}:"] + [f"li {reg}, {v}" for reg, v in zip(REGISTERS, start) if reg not in ("x3", "x26")]
        out += [f"la {BASE}, data + {DATA_BYTES // 2}", ".balign 4"]
        out += [read(LINK, "minstret"), f"sw {LINK}, 4({RESULTS})", f"csrr {LINK}, mcycle", f"sw {LINK}, 0({RESULTS})", f"li {LINK}, 0x{start[0]:x}"]
        if r.random() < 0.5:
            out += [".option rvc", "c.nop"]  # the block begins at pc mod 4 = 2
        out += [".option rvc"] + block(r, str(i)).text() + [".option norvc", ".balign 4"]
        out += [f"sw {reg}, {8 + 4 * k}({RESULTS})" for k, reg in enumerate(REGISTERS)]
        for k, csr in ((0, "mcycle"), (1, "minstret")):
            out += [read("t0", csr), f"lw t1, {4 * k}({RESULTS})", "nop", "sub t0, t0, t1", f"sw t0, {4 * k}({RESULTS})"]
        out += [f"addi {RESULTS}, {RESULTS}, {4 * RESULT_WORDS}"]
    out += absolute(12) + ["li a0, 0", "tail rv32_exit", ".data", ".balign 16", ".globl data", "data:"]
    out += [".word " + ", ".join(str(saved.getrandbits(32)) for _ in range(8)) for _ in range(DATA_BYTES // 32)]
    out += [".zero 128"]  # Block.near reaches beyond its pointer
    out += [".globl absolute", "absolute:", ".zero 32"]  # the counters themselves, at the first and the last instruction
    out += [".globl results", "results:", f".zero {4 * RESULT_WORDS * n_blocks}"]
    return "\n".join(out) + "\n"
