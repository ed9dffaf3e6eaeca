#!/usr/bin/env python3
"""Turns a PyTorch checkpoint (.pth, .pt, .bin) of timm, DyT or Derf into a safetensors file that dyt reads.

    python3 -m venv V && V/bin/pip install torch safetensors numpy
    V/bin/python scripts/pth_to_safetensors.py IN.pth OUT.safetensors [--key model] [--force]
    build/dyt info OUT.safetensors          # what is in it, and a config for it

The weights are the file itself or lie in it under state_dict_ema, model_ema, state_dict or model (the first there is; --key
chooses); "module." and "_orig_mod." in front of names are taken off. Names are timm's, as dyt's are: nothing else is renamed.
Numbers keep their type. The file is read without running code from it (weights_only). Exit code 2: it cannot be used.
"""

import argparse
import os
import pathlib
import re
import sys

WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model")  # averages first, as timm
PREFIXES = ("module.", "_orig_mod.")


class Unusable(Exception):
    """One sentence for the user."""


def load(path):
    """What the checkpoint holds. Of what is more than data only the arguments that training scripts keep are allowed."""
    try:
        import torch
    except ImportError:
        raise Unusable("torch is not installed here: see the heading of this script") from None
    try:
        with torch.serialization.safe_globals([argparse.Namespace, pathlib.PosixPath]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as reason:
        raise Unusable(f"{path}: cannot be read: {reason.strerror}") from None
    except Exception as reason:  # torch raises many kinds
        code = re.search(r"Unsupported global: GLOBAL (\S+)", str(reason))
        raise Unusable(f"{path}: holds a {code[1]}, and reading that means running its code: expected a checkpoint of numbers "
                       "(state_dict)" if code else f"{path}: no PyTorch checkpoint, or a damaged one "
                       f"({type(reason).__name__})") from None


def unwrap(found, path, key):
    """The weights by name, and where they lay ("" for the file itself)."""
    if not isinstance(found, dict):
        raise Unusable(f"{path}: found a {type(found).__name__}, expected weights by name")
    keys = [key] if key else [k for k in WRAPPERS if isinstance(found.get(k), dict) and found[k]]
    if key and not isinstance(found.get(key), dict):
        raise Unusable(f"{path}: no weights under {key!r} (there are {', '.join(map(str, list(found)[:12]))})")
    return (found[keys[0]], keys[0]) if keys else (found, "")


def plain_name(name):
    """Without what data parallelism and compilation put in front."""
    while name.startswith(PREFIXES):
        name = name[len(next(p for p in PREFIXES if name.startswith(p))):]
    return name


def clean(weights, path):
    """Tensors under plain names, each in memory of its own."""
    import torch
    out = {}
    for name, value in weights.items():
        if not isinstance(value, torch.Tensor):
            raise Unusable(f"{path}: found a {type(value).__name__} under {name}, expected a tensor")
        plain = plain_name(str(name))
        if plain in out:
            raise Unusable(f"{path}: two tensors are named {plain} once prefixes are taken off")
        out[plain] = value.detach().clone().contiguous()
    if not out:
        raise Unusable(f"{path}: no weights in it")
    return out


def save(tensors, path, force):
    """Whole or not at all."""
    from safetensors.torch import save_file
    if os.path.exists(path) and not force:
        raise Unusable(f"{path}: exists already: choose another name, or replace it with --force")
    temporary = f"{path}.tmp-{os.getpid()}"
    try:
        save_file(tensors, temporary, {"format": "pt"})
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except Exception as reason:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise Unusable(f"{path}: cannot be written: {str(reason).splitlines()[0]}") from None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--key", help="where in the file the weights lie, such as model")
    parser.add_argument("--force", action="store_true", help="replace the output if it exists")
    args = parser.parse_args()
    try:
        weights, key = unwrap(load(args.input), args.input, args.key)
        tensors = clean(weights, args.input)
        save(tensors, args.output, args.force)
    except Unusable as sentence:
        print(f"error: {sentence}", file=sys.stderr)
        return 2
    print(f"{args.output}: {len(tensors)} tensors, {sum(t.numel() for t in tensors.values())} numbers, from {args.input}"
          f"{f' ({key})' if key else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
