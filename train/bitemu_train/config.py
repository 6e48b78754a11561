# SPDX-License-Identifier: Apache-2.0
"""Configuration from YAML: every key known, every value of its type, errors with line and column."""
import yaml

WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8)

# key -> type, or a nested table. A list type [t] is a list of t. All keys are required: a configuration says everything.
SCHEMA = {
    "name": str,
    "seed": int,
    "data": {"test": int, "validation": int, "split_seed": int, "shift": float, "rotate": float, "noise": float},
    "network": {"stem": int, "widen": int, "dynamic": [int], "strides": [int], "candidates": [int]},
    "joint": {"epochs": int, "batch": int, "lr": float, "label_smoothing": float, "distill": float},
    "controller": {"epochs": int, "lr": float, "tau": [float], "cost_weight": float, "cost_target": float},
}


class ConfigError(ValueError):
    pass


def _fail(path, mark, text):
    raise ConfigError(f"{path}:{mark.line + 1}:{mark.column + 1}: {text}")


def _convert(node, kind, path, name):
    if isinstance(kind, dict):
        if not isinstance(node, yaml.MappingNode):
            _fail(path, node.start_mark, f"{name or 'the file'} must be a map of {', '.join(kind)}")
        out = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value not in kind:
                _fail(path, key.start_mark, f"unknown key '{getattr(key, 'value', '?')}'; known here: {', '.join(kind)}")
            if key.value in out:
                _fail(path, key.start_mark, f"key '{key.value}' appears twice")
            out[key.value] = _convert(value, kind[key.value], path, key.value)
        for key in kind:
            if key not in out:
                _fail(path, node.start_mark, f"key '{key}' is missing")
        return out
    if isinstance(kind, list):
        if not isinstance(node, yaml.SequenceNode):
            _fail(path, node.start_mark, f"{name} must be a list")
        return [_convert(n, kind[0], path, name) for n in node.value]
    if not isinstance(node, yaml.ScalarNode):
        _fail(path, node.start_mark, f"{name} must be one {kind.__name__}")
    try:
        return kind(node.value)
    except ValueError:
        _fail(path, node.start_mark, f"{name}: '{node.value}' is not {'an' if kind is int else 'a'} {kind.__name__}")


def _check(cfg, path):
    def need(ok, text):
        if not ok:
            raise ConfigError(f"{path}: {text}")
    net = cfg["network"]
    need(net["dynamic"] and len(net["dynamic"]) == len(net["strides"]), "network: dynamic and strides need one entry per layer")
    need(all(s in (1, 2) for s in net["strides"]), "network: strides are 1 or 2")
    need(net["candidates"] and all(b in WIDTHS and b > 1 for b in net["candidates"]), "network: candidates are widths 2..8")
    need(net["candidates"] == sorted(set(net["candidates"])), "network: candidates must rise")
    need(min([net["stem"], net["widen"]] + net["dynamic"]) > 0, "network: channels must be positive")
    need(len(cfg["controller"]["tau"]) == 2 and min(cfg["controller"]["tau"]) > 0, "controller: tau is [first, last], both positive")
    need(cfg["joint"]["batch"] > 1 and cfg["joint"]["epochs"] > 0 and cfg["controller"]["epochs"] > 0, "batch > 1, epochs > 0")


def parse(text, path="config"):
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as e:
        _fail(path, e.problem_mark, e.problem)
    if node is None:
        raise ConfigError(f"{path}:1:1: the file is empty")
    cfg = _convert(node, SCHEMA, path, "")
    _check(cfg, path)
    return cfg


def load(path):
    with open(path, encoding="utf-8") as f:
        return parse(f.read(), str(path))
