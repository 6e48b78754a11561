# SPDX-License-Identifier: Apache-2.0
"""Who answers: tflite-micro and LiteRT (each raises Refused with its reason), and bitemu by its C API or its program."""
import ctypes
import os
import pathlib
import re
import subprocess
import tempfile

import numpy as np


HEADER = pathlib.Path(__file__).resolve().parents[2] / "include" / "bitemu" / "bitemu.h"


class Refused(Exception):
    """This engine does not run the model; the text is its reason."""


class Talk:
    """What native code writes to standard error: kept in a file, its first line of substance is the reason for a refusal."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()
        os.dup2(self.file.fileno(), 2)

    def clear(self):
        self.file.seek(0)
        self.file.truncate()

    def reason(self, error):
        self.file.seek(0)
        lines = self.file.read().decode(errors="replace").splitlines() + str(error).splitlines()
        lines = [l for l in map(str.strip, lines) if l and not l.startswith(("INFO", "WARNING", "W0", "I0")) and "RuntimeError" not in l]
        return re.sub(r"\d+", "N", re.sub(r"\S*/", "", lines[0] if lines else "no reason given"))[:100]


class Micro:
    """tflite-micro's interpreter."""

    def __init__(self, talk):
        from tflite_micro.python.tflite_micro import runtime
        self.runtime, self.talk = runtime, talk

    def run(self, case):
        self.talk.clear()
        try:
            it = self.runtime.Interpreter.from_bytes(case.model, arena_size=256 << 10)
            out = []
            for run in case.inputs:
                for i, x in enumerate(run):
                    it.set_input(x, i)
                it.invoke()
                out.append(np.array(it.get_output(0)))
            return out
        except (RuntimeError, ValueError) as e:
            raise Refused(self.talk.reason(e)) from None


class LiteRT:
    def __init__(self, talk, resolver):
        from ai_edge_litert import interpreter
        self.talk, self.make = talk, interpreter.Interpreter
        self.resolver = getattr(interpreter.OpResolverType, resolver)

    def run(self, case):
        self.talk.clear()
        try:
            it = self.make(model_content=case.model, experimental_op_resolver_type=self.resolver, num_threads=1)
            it.allocate_tensors()
            ins, outs, out = it.get_input_details(), it.get_output_details(), []
            for run in case.inputs:
                for d, x in zip(ins, run):
                    it.set_tensor(d["index"], x)
                it.invoke()
                out.append(it.get_tensor(outs[0]["index"]))
            return out
        except (RuntimeError, ValueError) as e:
            raise Refused(self.talk.reason(e)) from None


def oracles(talk):
    """profile: the engine whose bits it is."""
    return {"tflm": Micro(talk), "litert-ref": LiteRT(talk, "BUILTIN_REF"), "ruy": LiteRT(talk, "BUILTIN_WITHOUT_DEFAULT_DELEGATES"),
            "xnnpack": LiteRT(talk, "BUILTIN")}


class _Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("where", ctypes.c_char * 192), ("message", ctypes.c_char * 832)]


def _mirror(name):
    """The struct of the public header as a ctypes one, so that a field added there is never missing here."""
    scalars = {"int": ctypes.c_int, "size_t": ctypes.c_size_t, "float": ctypes.c_float, "int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64}
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    body = re.search(r"typedef struct %s \{(.*?)\} %s;" % (name, name), text, re.S).group(1)
    fields = []
    for kind, star, field, many in re.findall(r"(?:const )?(\w+) (\*?)(\w+)(?:\[(\d+)\])?;", body):
        c = ctypes.c_char_p if star else scalars[kind]
        fields.append((field, c * int(many) if many else c))
    return type(name, (ctypes.Structure,), {"_fields_": fields})


_Options, _Tensor = _mirror("bitemu_options"), _mirror("bitemu_tensor")


UNSUPPORTED = 2


class Library:
    """bitemu by its public API (include/bitemu/bitemu.h)."""

    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        self.c.bitemu_close.restype = None

    def run(self, model, case, profile):
        e, net, t = _Error(), ctypes.c_void_p(), _Tensor()
        o = _Options(model=os.fsencode(model), profile=profile.encode())
        if self.c.bitemu_open(ctypes.byref(o), ctypes.byref(net), ctypes.byref(e)):
            if e.code == UNSUPPORTED:
                raise Refused(re.sub(r"-?\d[\d.e+-]*", "N", e.message.decode()))
            raise RuntimeError(f"{e.where.decode()}: {e.message.decode()}")
        try:
            if self.c.bitemu_output(net, 0, ctypes.byref(t)):
                raise RuntimeError("no output 0")
            out = []
            for run in case.inputs:
                y = np.empty(t.dims[:t.n_dims], t.type.decode())
                x = b"".join(a.tobytes() for a in run)
                if self.c.bitemu_run(net, x, y.ctypes.data_as(ctypes.c_void_p), ctypes.byref(e)):
                    raise RuntimeError(e.message.decode())
                out.append(y)
            return out
        finally:
            self.c.bitemu_close(ctypes.byref(net))


class Program:
    """bitemu by its command line: for builds whose library cannot be loaded here (sanitizers)."""

    def __init__(self, path):
        self.path = path

    def run(self, model, case, profile):
        with tempfile.TemporaryDirectory() as tmp:
            np.savez(tmp + "/x.npz", **{f"in{i}": np.stack([r[i] for r in case.inputs]) for i in range(len(case.inputs[0]))})
            done = subprocess.run([self.path, "run", model, "--input", tmp + "/x.npz", "--profile", profile, "--dump", tmp + "/y.npz"],
                                  capture_output=True, text=True)
            if done.returncode == 3:
                raise Refused(re.sub(r"-?\d[\d.e+-]*", "N", done.stderr.strip().split(": ", 2)[-1]))
            if done.returncode:
                raise RuntimeError(done.stderr.strip()[-1500:])
            return list(np.load(tmp + "/y.npz")["out0"])
