"""Reads a config of dyt (JSON with // comments and _base_) for the PyTorch side. Needs nothing but Python.

    cfg = dyt_config.load("configs/quick/fashion_dyt.json", ["model.norm.fn=erf"])
    cfg["model"]["dim"]; dyt_config.site(cfg, "ffn")["fn"]

It knows the keys that matter to a model and a training step and refuses others. It does not check values: `dyt config check` does.
"""

import json
import os
import re

NORM = {"kind": "dyt", "fn": "tanh", "alpha0": 0.5, "alpha_learnable": True, "alpha_shape": "scalar", "shift": False,
        "affine": True, "eps": 1e-6}
DEFAULTS = {
    "model": {"family": "vit", "image_size": None, "channels": None, "patch_size": 4, "dim": 64, "depth": 6, "heads": 4,
              "mlp_ratio": 2.0, "act": "gelu", "classes": None, "pool": "avg", "dropout": 0.0, "drop_path": 0.0,
              "patch_init_std": None, "norm": {**NORM, "attn": {}, "ffn": {}, "final": {}}},
    "data": None,      # not looked into
    "schedule": None,
    "optim": {"name": "adamw", "lr": 1e-3, "betas": [0.9, 0.999], "eps": 1e-8, "momentum": 0.9, "weight_decay": 0.05,
              "layer_decay": 1.0, "clip_norm": None},
    "train": None,
}
TRAIN = {"batch_size": 128, "label_smoothing": 0.0}
COMMENT_OR_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*')


def parse(text):
    """The JSON value of a text with // comments."""
    return json.loads(COMMENT_OR_STRING.sub(lambda m: m[0] if m[0][0] == '"' else "", text))


def merge(below, above):
    """`above` over `below`: objects merge, everything else replaces, null takes a key away (its default is back)."""
    if not isinstance(below, dict) or not isinstance(above, dict) or above.get("_delete_"):
        below = {}
    out = dict(below)
    for key, value in above.items():
        if key in ("_delete_", "_about", "_base_", "$schema"):
            continue
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key, {}), value) if isinstance(value, dict) else value
    return out


def read(path):
    """A file with its _base_s below it."""
    try:
        with open(path, encoding="utf-8") as f:
            own = parse(f.read())
    except (OSError, ValueError) as reason:
        raise SystemExit(f"{path}: {reason}") from None
    bases = own.get("_base_") or []
    tree = {}
    for base in [bases] if isinstance(bases, str) else bases:
        tree = merge(tree, read(os.path.join(os.path.dirname(path), base)))
    return merge(tree, own)


def setting(text):
    """"a.b=VALUE" as a tree: VALUE is JSON if it parses as JSON, else a string."""
    key, equals, value = text.partition("=")
    if not equals:
        raise SystemExit(f"--set {text}: expected KEY=VALUE")
    try:
        value = json.loads(value)
    except ValueError:
        pass
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def complete(tree, defaults, path=""):
    """`tree` with what is absent from `defaults`; a key that they lack is refused."""
    for key in tree:
        if key not in defaults:
            raise SystemExit(f"{path}{key}: unknown key (known: {', '.join(defaults)})")
    return {key: complete(tree.get(key, {}), value, f"{path}{key}.") if isinstance(value, dict) and value else
            tree.get(key, value) for key, value in defaults.items()}


def resolve(tree):
    """Every key of a merged tree, as `load` gives it."""
    cfg = complete(tree, DEFAULTS)
    for name in ("data", "schedule", "train"):
        cfg[name] = cfg[name] or {}
    cfg["train"] = {**TRAIN, **cfg["train"]}
    for name in ("attn", "ffn", "final"):
        complete(cfg["model"]["norm"][name], NORM, f"model.norm.{name}.")
    return cfg


def load(path, sets=()):
    """The resolved config of a file and --set arguments."""
    tree = read(path)
    for text in sets:
        tree = merge(tree, setting(text))
    return resolve(tree)


def site(cfg, name):
    """The norm at a site ("attn", "ffn", "final"): its own keys over the norm's."""
    norm = cfg["model"]["norm"]
    return {**{key: norm[key] for key in NORM}, **norm[name]}
