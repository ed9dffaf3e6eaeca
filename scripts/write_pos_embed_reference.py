"""Writes tests/reference/pos_embed.safetensors: position embeddings and what timm's resample_abs_pos_embed makes of them.

    python3 -m venv V && V/bin/pip install torch timm safetensors
    V/bin/python scripts/write_pos_embed_reference.py

Tensors FROM.TO.in [1, FROM^2 + 1, 2] and FROM.TO.out [1, TO^2 + 1, 2], F32, of unit variance.
"""

import os

import torch
from safetensors.torch import save_file
from timm.layers import resample_abs_pos_embed

GRIDS = [(1, 3), (2, 3), (3, 8), (7, 14), (14, 7), (9, 4), (5, 1)]


def main():
    torch.manual_seed(0)
    tensors = {}
    for old, new in GRIDS:
        given = torch.randn(1, old * old + 1, 2)
        tensors[f"{old}.{new}.in"] = given
        tensors[f"{old}.{new}.out"] = resample_abs_pos_embed(given, [new, new], num_prefix_tokens=1).contiguous()
    path = os.path.join(os.path.dirname(__file__), "..", "tests", "reference", "pos_embed.safetensors")
    save_file(tensors, path, {"format": "pt"})
    os.chmod(path, 0o644)


if __name__ == "__main__":
    main()
