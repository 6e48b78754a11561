# SPDX-License-Identifier: Apache-2.0
"""Configuration from YAML: every key known, every value of its type, errors with line and column."""
import yaml

from . import cost

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


class Checked:
    """A schema with a rule over its keys: rule(value, fail), fail(key, text) names the place of that key's value."""
    def __init__(self, kind, rule):
        self.kind, self.rule = kind, rule


# The residual networks for CIFAR-10. A tuple lists the values that are known.
CIFAR10 = {
    "name": str,
    "scheme": str,
    "seed": int,
    "threads": int,
    "device": ("cpu", "cuda"),
    "start": str,
    "network": {"depth": (8, 20), "widths": [(8, 7, 6, 5, 4, 3, 2)], "nesting": ("floor", "half_up"), "norm": ("own", "transition")},
    "train": {"epochs": int, "warmup": float, "batch": int, "draw": int, "lr": float, "lr_last": float, "weight_decay": float, "clip_lr": float, "distill": float,
              "dtype": ("float32", "bfloat16", "float16"), "calibration": int},
}

COST = Checked(cost.SCHEMA, cost.rule)  # of a training's cost term

# What a scheme's configuration has besides.
SCHEMES = {
    "adabits": {},
    "bitmixer": {"stages": [int]},
    "dqnet": {"controller": {"pool": int, "hidden": int, "lr": float, "tau": [float], "cost_weight": float, "cost_target": float, "cost": COST}},
    "d2nn": {"width": (8, 7, 6, 5, 4, 3, 2),
             "controller": {"grid": (1, 2, 4, 8), "hidden": int, "lr": float, "tau": [float], "cost_weight": float, "cost_target": float, "cost": COST}},
}


def cifar10(node):
    """The schema of a file, by its scheme."""
    named = [v.value for k, v in node.value if k.value == "scheme"] if isinstance(node, yaml.MappingNode) else []
    return {**CIFAR10, "scheme": tuple(SCHEMES), **SCHEMES.get(named[0] if named else "", {})}


# An input-aware version of such a network: which of its widths each image gets.
GATE = {"name": str, "seed": int, "threads": int, "pool": int, "passes": int, "steps": int, "lr": float, "decay": float, "cost": COST, "budget": float}


# Another input-aware version: again at another width where the first answer is not sure.
CASCADE = {"name": str, "seed": int, "threads": int, "first": (8, 7, 6, 5, 4, 3, 2), "second": (8, 7, 6, 5, 4, 3, 2), "batches": int, "again": float}


def _width(kind):
    def rule(value, fail):
        from . import quantizers
        widths = quantizers.find(value["quantizer"], kind).WIDTHS
        if value["bits"] not in widths:
            fail("bits", f"bits: quantizer {value['quantizer']} has {', '.join(map(str, widths))} bits for {kind.lower()}, not {value['bits']}")
    return rule


def _end(value, fail):
    from . import quantizers
    for key in ("weights", "activations"):
        if 8 not in quantizers.find(value[key], key.capitalize()).WIDTHS:
            fail(key, f"{key}: the ends have 8 bits, quantizer {value[key]} has not")


def _binary(value, fail):
    import torch
    from . import quantizers
    act, w = value["activations"], value["weights"]
    if quantizers.find(act["quantizer"], "Activations")(act["bits"]).steps().binary:
        grid = quantizers.find(w["quantizer"], "Weights")((2, 2), w["bits"]).codes(torch.ones(2, 2)).grid
        if grid["weights"] != "binary":
            fail("weights", f"binary activations go with binary weights, not with {w['quantizer']} of {w['bits']} bits")


def _plain(value, fail):
    if not value["channels"] or len(value["strides"]) != len(value["channels"]):
        fail("strides", "strides need one entry for each of channels")
    if not all(s in (1, 2) for s in value["strides"]):
        fail("strides", "strides are 1 or 2")
    if min([value["stem"]] + value["channels"]) < 1:
        fail("channels", "channels must be positive")


def _positive(*keys):
    def rule(value, fail):
        for key in keys:
            if not value[key] > 0:
                fail(key, f"{key} must be positive")
    return rule


def _training(value, fail):
    for key, least in (("pretrain", 0), ("epochs", 1), ("batch", 2), ("lr", 1e-9)):
        if not value[key] >= least:
            fail(key, f"{key}: {value[key]} is below {least}")


# networks/chain.py's kinds; without a kind it is plain.
NETWORKS = {
    "plain": Checked({"stem": int, "channels": [int], "strides": [int]}, _plain),
    "mobilenet": Checked({"kind": ("plain", "mobilenet", "dscnn"), "width": float, "first_stride": (1, 2)}, _positive("width")),
    "dscnn": Checked({"kind": ("plain", "mobilenet", "dscnn"), "channels": int, "blocks": int}, _positive("channels", "blocks")),
}


def quantizer_schema(node):
    """Trials of a quantizer. Names are those of the files in quantizers/."""
    from . import quantizers
    w, a = quantizers.names("Weights"), quantizers.names("Activations")
    kind = [v for k, v in node.value if k.value == "network"] if isinstance(node, yaml.MappingNode) else []
    kind = [v.value for k, v in kind[0].value if k.value == "kind"] if kind and isinstance(kind[0], yaml.MappingNode) else []
    network = NETWORKS.get(kind[0] if kind else "plain", NETWORKS["mobilenet"])
    return Checked({
        "name": str,
        "seed": int,
        "data": SCHEMA["data"],
        "network": network,
        "weights": Checked({"quantizer": w, "bits": int}, _width("Weights")),
        "activations": Checked({"quantizer": a, "bits": int}, _width("Activations")),
        "ends": Checked({"weights": w, "activations": a}, _end),
        "gradients": (0, *WIDTHS),  # bits of DoReFa's gradients, 0: float
        "train": Checked({"pretrain": int, "epochs": int, "batch": int, "lr": float}, _training),
    }, _binary)


def _fail(path, mark, text):
    raise ConfigError(f"{path}:{mark.line + 1}:{mark.column + 1}: {text}")


def _convert(node, kind, path, name):
    if isinstance(kind, Checked):
        out = _convert(node, kind.kind, path, name)
        marks = {k.value: v.start_mark for k, v in node.value}
        kind.rule(out, lambda key, text: _fail(path, marks[key], text))
        return out
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
        _fail(path, node.start_mark, f"{name} must be one value")
    if isinstance(kind, tuple):
        for known in kind:
            if node.value == str(known):
                return known
        _fail(path, node.start_mark, f"{name}: '{node.value}' is unknown; known: {', '.join(map(str, kind))}")
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


def check_cifar10(cfg, path):
    def need(ok, text):
        if not ok:
            raise ConfigError(f"{path}: {text}")
    widths, c = cfg["network"]["widths"], cfg["train"]
    need(widths and widths == sorted(set(widths), reverse=True), "network: widths must fall")
    need(cfg["threads"] > 0 and c["epochs"] > 0 and c["batch"] > 1 and c["calibration"] > 0, "threads, epochs, calibration > 0, batch > 1")
    need(0 <= c["warmup"] < c["epochs"], "train: warmup is shorter than epochs")
    need(1 <= c["draw"] <= len(widths) and (c["draw"] > 1 or len(widths) == 1), "train: draw counts the widths of a step: one if there is one, else 2 .. all")
    need(0 <= c["lr_last"] <= c["lr"], "train: lr_last lies between 0 and lr")
    stages, control = cfg.get("stages", [0, 0]), cfg.get("controller")
    need(len(stages) == 2 and 0 <= stages[0] <= stages[1] <= c["epochs"], "stages: the two epochs at which one width for all layers and a width for each begin")
    need(cfg["scheme"] != "bitmixer" or len(widths) > 1, "network: bitmixer needs two widths at least")
    if control:
        need("grid" in control or (control["pool"] > 0 and 32 % control["pool"] == 0), "controller: pool divides the image's 32 pixels")
        need(control["hidden"] >= 0, "controller: hidden is 0 or more")
        need(len(control["tau"]) == 2 and min(control["tau"]) > 0, "controller: tau is [first, last], both positive")
        need(control["lr"] > 0 and control["cost_weight"] >= 0 and 0 < control["cost_target"] <= 1, "controller: a rate or the target is out of range")
        need(len(widths) > 1 or cfg["scheme"] == "d2nn", "network: a controller needs two widths at least")
        need(cfg.get("width", widths[0]) in widths, "width is one of the network's widths")
    need(0 <= c["distill"] <= 1 and c["lr"] > 0 and c["clip_lr"] > 0 and c["weight_decay"] >= 0, "train: a rate is out of range")


def check_gate(cfg, path):
    def need(ok, text):
        if not ok:
            raise ConfigError(f"{path}: {text}")
    need(cfg["pool"] > 0 and 32 % cfg["pool"] == 0, "pool divides the image's 32 pixels")
    need(cfg["threads"] > 0 and cfg["passes"] > 0 and cfg["steps"] > 0 and cfg["lr"] > 0 and cfg["decay"] >= 0, "threads, passes, steps, lr > 0, decay >= 0")
    need(0 < cfg["budget"] < 1, "budget: share of the widest one's BitOps, between 0 and 1")


def check_cascade(cfg, path):
    def need(ok, text):
        if not ok:
            raise ConfigError(f"{path}: {text}")
    need(cfg["first"] != cfg["second"], "first and second are two widths")
    need(cfg["threads"] > 0 and cfg["batches"] > 0, "threads, batches > 0")
    need(0 < cfg["again"] < 1, "again: share of the training images, between 0 and 1")


def parse(text, path="config", schema=SCHEMA, check=_check):
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as e:
        _fail(path, e.problem_mark, e.problem)
    if node is None:
        raise ConfigError(f"{path}:1:1: the file is empty")
    cfg = _convert(node, schema(node) if callable(schema) else schema, path, "")
    check(cfg, path)
    return cfg


def load(path, schema=SCHEMA, check=_check):
    with open(path, encoding="utf-8") as f:
        return parse(f.read(), str(path), schema, check)
