# SPDX-License-Identifier: Apache-2.0
"""Writes a .tflite file of one operator with the packages `tflite` (the schema) and `flatbuffers`."""
import dataclasses

import flatbuffers
import numpy as np
import tflite

TYPES = {"int8": tflite.TensorType.INT8, "uint8": tflite.TensorType.UINT8, "int16": tflite.TensorType.INT16, "int32": tflite.TensorType.INT32,
         "int64": tflite.TensorType.INT64, "float32": tflite.TensorType.FLOAT32, "int4": tflite.TensorType.INT4}


@dataclasses.dataclass
class Tensor:
    shape: tuple
    type: str                  # a key of TYPES; "int4" data are int8 codes, packed here
    scales: tuple = ()
    zeros: tuple = ()
    axis: int = 0
    data: np.ndarray | None = None  # None = computed, or given from outside
    variable: bool = False


def _bytes(t):
    if t.data is None:
        return b""
    if t.type != "int4":
        return np.ascontiguousarray(t.data, dtype=t.type).tobytes()
    codes = np.asarray(t.data, np.int8).ravel() & 15
    if len(codes) % 2:
        codes = np.append(codes, 0)
    return (codes[0::2] | codes[1::2] << 4).astype(np.uint8).tobytes()  # low nibble first


def _table(b, name, fields):
    """A table of `name` from {schema field in CamelCase: scalar or offset}."""
    getattr(tflite, name + "Start")(b)
    for field, value in fields.items():
        getattr(tflite, name + "Add" + field)(b, value)
    return getattr(tflite, name + "End")(b)


def _tables(b, offsets):
    b.StartVector(4, len(offsets), 4)
    for o in reversed(offsets):
        b.PrependUOffsetTRelative(o)
    return b.EndVector()


def _vector(b, values, dtype):
    return b.CreateNumpyVector(np.array(values, dtype))


def _tensor(b, i, t, buffer):
    name = b.CreateString(f"t{i}")
    shape = _vector(b, t.shape, np.int32)
    quant = None
    if t.scales:
        scale, zero = _vector(b, t.scales, np.float32), _vector(b, t.zeros, np.int64)
        quant = _table(b, "QuantizationParameters", {"Scale": scale, "ZeroPoint": zero, "QuantizedDimension": t.axis})
    fields = {"Shape": shape, "Type": TYPES[t.type], "Buffer": buffer, "Name": name, "IsVariable": t.variable}
    if quant is not None:
        fields["Quantization"] = quant
    return _table(b, "Tensor", fields)


def write(op, options, tensors, inputs, outputs, version=1):
    """op: BuiltinOperator's name; options: (name, {field: value}) or None; tensors: [Tensor]; inputs: indices, -1 = left out.
    The model's inputs are the operator's inputs that have neither data nor state. Returns the file's bytes."""
    b = flatbuffers.Builder(4096)
    buffers = [_table(b, "Buffer", {})]
    places = []
    for t in tensors:
        data = _bytes(t)
        places.append(len(buffers) if data else 0)
        if data:
            b.StartVector(1, len(data), 16)
            b.head -= len(data)
            b.Bytes[b.head:b.head + len(data)] = data
            vector = b.EndVector()
            buffers.append(_table(b, "Buffer", {"Data": vector}))
    made = [_tensor(b, i, t, places[i]) for i, t in enumerate(tensors)]
    code = getattr(tflite.BuiltinOperator, op)
    codes = [_table(b, "OperatorCode", {"DeprecatedBuiltinCode": min(code, 127), "BuiltinCode": code, "Version": version})]
    fields = {"OpcodeIndex": 0, "Inputs": _vector(b, inputs, np.int32), "Outputs": _vector(b, outputs, np.int32)}
    if options:
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, options[0])
        fields["BuiltinOptions"] = _table(b, *options)
    operators = [_table(b, "Operator", fields)]
    given = [i for i in inputs if i >= 0 and tensors[i].data is None and not tensors[i].variable]
    graph = {"Tensors": _tables(b, made), "Inputs": _vector(b, given, np.int32), "Outputs": _vector(b, outputs, np.int32), "Operators": _tables(b, operators)}
    graphs = _tables(b, [_table(b, "SubGraph", graph)])
    model = {"Version": 3, "OperatorCodes": _tables(b, codes), "Subgraphs": graphs, "Buffers": _tables(b, buffers)}
    b.Finish(_table(b, "Model", model), b"TFL3")
    return bytes(b.Output())
