# SPDX-License-Identifier: Apache-2.0
"""The native model file (docs/FORMAT.md): a zip of model.yaml and NumPy arrays. `write` takes the graph as plain dicts and lists with
arrays in place; `read` gives the same back. Equal graphs give equal bytes."""
import io
import json
import zipfile

import numpy as np
import yaml

VERSION = 1
ARRAY_KEYS = ("data", "bias", "bias64", "multiplier", "multiplier_n", "shift", "scale", "offset", "addend", "threshold")


def _npy(array):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.ascontiguousarray(array) if array.ndim else array, version=(1, 0), allow_pickle=False)
    return out.getvalue()


def _without_arrays(node, members):
    """The graph with every array replaced by its member's name; arrays are collected in order."""
    if isinstance(node, dict):
        out = {}
        for key, value in node.items():
            if key in ARRAY_KEYS and isinstance(value, np.ndarray):
                name = f"a{len(members)}.npy"
                members.append((name, _npy(value)))
                out[key] = name
            else:
                out[key] = _without_arrays(value, members)
        return out
    if isinstance(node, list):
        return [_without_arrays(x, members) for x in node]
    return node


def _dump(graph):
    """YAML in which every entry of the top lists is one line of flow style: short to read, exact (JSON is YAML)."""
    lines = []
    for key, value in graph.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{key}:")
            lines += ["- " + json.dumps(x) for x in value]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def write(path, graph):
    members = []
    text = _dump(_without_arrays({"bitemu_model": VERSION, **graph}, members))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in [("model.yaml", text.encode()), *members]:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
            z.writestr(info, data)


def _with_arrays(node, load):
    if isinstance(node, dict):
        return {k: load(v) if k in ARRAY_KEYS and isinstance(v, str) else _with_arrays(v, load) for k, v in node.items()}
    if isinstance(node, list):
        return [_with_arrays(x, load) for x in node]
    return node


def read(path):
    with zipfile.ZipFile(path) as z:
        graph = yaml.safe_load(z.read("model.yaml"))
        if graph.pop("bitemu_model", None) != VERSION:
            raise ValueError(f"{path}: not a native model of version {VERSION}")
        return _with_arrays(graph, lambda name: np.load(io.BytesIO(z.read(name)), allow_pickle=False))
