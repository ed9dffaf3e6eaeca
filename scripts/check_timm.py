#!/usr/bin/env python3
"""Checks dyt against timm and torchvision: the same weights give the same answers, whichever way they move. For developers.

    python3 -m venv V && V/bin/pip install torch torchvision timm safetensors numpy 'pillow<13'
    make build && V/bin/python scripts/check_timm.py [--dyt build/dyt]

from timm   a timm ViT with random weights, LayerNorm or DyT in its place, mean or class token, saved by PyTorch: `dyt predict` on
            PNG and BMP files of odd sizes against torchvision's Resize, CenterCrop, Normalize and timm: probabilities within 2e-3
            (one grey level after resizing moves them by 1e-3). And `dyt replay` on the same pixels: logits within 1e-5.
to timm     models trained here for some steps and exported: timm's logits against `dyt replay`'s, within 1e-5.
from .pth   a checkpoint as DyT's training script saves it, through scripts/pth_to_safetensors.py, then `dyt info`.

Prints what was compared and the largest difference; exit code 1 when one is too large.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

import numpy
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torchvision import transforms

CLASSES = 7
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CROP_PCT = 0.875
PICTURES = [("RGB", 97, 61, "png"), ("RGB", 64, 64, "bmp"), ("RGB", 301, 203, "bmp"), ("RGB", 33, 150, "png"),
            ("L", 71, 40, "png"), ("RGBA", 90, 55, "png"), ("P", 120, 77, "png"), ("RGB", 13, 17, "png"), ("RGB", 1, 1, "bmp")]
SIDE, PATCH, DIM, DEPTH, HEADS = 48, 8, 48, 3, 3


class DynamicTanh(nn.Module):
    """gamma tanh(alpha x) + beta with the names of the official code."""

    def __init__(self, dim, alpha0=0.5):
        super().__init__()
        self.alpha = nn.Parameter(torch.full((1,), alpha0))
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        return self.weight * torch.tanh(self.alpha * x) + self.bias


def convert(module):
    """Every LayerNorm in it becomes a DynamicTanh."""
    for name, child in module.named_children():
        if isinstance(child, nn.LayerNorm):
            setattr(module, name, DynamicTanh(child.normalized_shape[0]))
        else:
            convert(child)
    return module


def timm_vit(norm, pool, **shape):
    shape = {"img_size": SIDE, "patch_size": PATCH, "embed_dim": DIM, "depth": DEPTH, "num_heads": HEADS, "mlp_ratio": 4.0,
             "num_classes": CLASSES, "in_chans": 3, **shape}
    model = VisionTransformer(global_pool=pool, **shape)
    return (convert(model) if norm == "dyt" else model).eval()


def randomize(model):
    """Weights that make a difference: no norm, bias or branch stays as it starts."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            p += torch.randn(p.shape) * (0.3 if name.startswith("head.") else 0.15)


def config(norm, pool, **model):
    return {"model": {"image_size": SIDE, "channels": 3, "patch_size": PATCH, "dim": DIM, "depth": DEPTH, "heads": HEADS,
                      "mlp_ratio": 4.0, "classes": CLASSES, "pool": pool, "norm": {"kind": norm}, **model},
            "data": {"format": "imagefolder", "path": "nowhere", "mean": MEAN, "std": STD, "crop_pct": CROP_PCT,
                     "interpolation": "bicubic", "class_names": [f"class {k}" for k in range(CLASSES)]}}


class Check:
    """Runs dyt in a folder of its own and keeps the score."""

    def __init__(self, program, folder):
        self.program, self.folder, self.failed = os.path.abspath(program), folder, False

    def path(self, name):
        return os.path.join(self.folder, name)

    def dyt(self, *arguments):
        """What it prints; anything but success ends the check."""
        done = subprocess.run([self.program, *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"dyt {' '.join(arguments)}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def knows(self, command):
        return f"\n  {command} " in subprocess.run([self.program, "--help"], capture_output=True, text=True, check=True).stdout

    def write_config(self, name, value):
        with open(self.path(name), "w", encoding="utf-8") as f:
            json.dump(value, f)

    def judge(self, what, difference, limit):
        bad = not difference <= limit
        self.failed |= bad
        print(f"{what:58} largest difference {difference:.1e}, allowed {limit:.0e}{'   FAILED' if bad else ''}")

    def replay(self, images, weights, cfg):
        save_file({"images": images.contiguous(), "labels": torch.zeros(len(images), dtype=torch.int64)}, self.path("b.st"))
        self.dyt("replay", "--config", cfg, "--weights", weights, "--batch", "b.st", "--out", "o.st")
        return load_file(self.path("o.st"))["logits"]


def draw_pictures(check):
    """Files with edges and noise, so that every grey level of a resize counts."""
    rng = numpy.random.default_rng(0)
    for k, (mode, width, height, kind) in enumerate(PICTURES):
        noise = rng.integers(0, 256, (height, width, 4), dtype=numpy.uint8)
        noise[: height // 2, : width // 3] //= 8
        picture = Image.fromarray(noise)
        if mode != "RGBA":
            picture = picture.convert("RGB").convert(mode)
        picture.save(check.path(f"{k}.{kind}"))
    return [f"{k}.{kind}" for k, (_, _, _, kind) in enumerate(PICTURES)]


def transformed(check, files):
    view = transforms.Compose([transforms.Resize(math.floor(SIDE / CROP_PCT), transforms.InterpolationMode.BICUBIC),
                               transforms.CenterCrop(SIDE), transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    return torch.stack([view(Image.open(check.path(f)).convert("RGB")) for f in files])


def predicted(check, files, weights, cfg):
    """Probabilities [files, CLASSES] of `dyt predict`."""
    lines = check.dyt("predict", weights, "--config", cfg, "--json", "--top", str(CLASSES), *files).splitlines()
    out = torch.zeros(len(files), CLASSES)
    for line in map(json.loads, lines):
        for top in line["top"]:
            out[files.index(line["file"]), int(top["class"].split()[-1])] = top["p"]
    return out


def from_timm(check):
    files = draw_pictures(check)
    images = transformed(check, files)
    can_predict = check.knows("predict")
    if not can_predict:
        print(f"{check.program} has no predict: pictures are left out")
    for norm in ("layernorm", "dyt"):
        for pool in ("avg", "token"):
            model = timm_vit(norm, pool)
            randomize(model)
            save_file(model.state_dict(), check.path("w.safetensors"), {"format": "pt"})
            check.write_config("c.json", config(norm, pool))
            with torch.no_grad():
                logits = model(images)
            check.judge(f"from timm: {norm}, {pool}: logits of replay",
                        (check.replay(images, "w.safetensors", "c.json") - logits).abs().max().item(), 1e-5)
            if can_predict:
                p = predicted(check, files, "w.safetensors", "c.json")
                check.judge(f"from timm: {norm}, {pool}: probabilities, {len(files)} pictures",
                            (p - logits.softmax(1)).abs().max().item(), 2e-3)


def to_timm(check):
    for norm, pool in (("layernorm", "avg"), ("dyt", "avg"), ("layernorm", "token"), ("dyt", "token")):
        cfg = config(norm, pool, image_size=28, channels=1, patch_size=7, dim=64, heads=4, mlp_ratio=2.0, classes=10)
        cfg["data"] = {"format": "synthetic", "train_size": 2000, "test_size": 100}
        cfg["optim"], cfg["schedule"] = {"lr": 3e-3}, {"epochs": 3, "warmup_epochs": 0.5}
        cfg["train"] = {"ema": 0.9}
        run, weights = f"{norm}-{pool}", f"{norm}-{pool}.safetensors"
        check.write_config("t.json", cfg)
        check.dyt("train", "t.json", "--run-dir", run)
        check.dyt("export", run, "--out", weights)
        model = timm_vit(norm, pool, img_size=28, in_chans=1, patch_size=7, embed_dim=64, num_heads=4, mlp_ratio=2.0, num_classes=10)
        model.load_state_dict(load_file(check.path(weights)), strict=True)
        images = torch.randn(32, 1, 28, 28)
        with torch.no_grad():
            logits = model(images)
        difference = (check.replay(images, weights, "t.json") - logits).abs().max().item()
        check.judge(f"to timm: {norm}, {pool}: logits up to {logits.abs().max().item():.1f}", difference, 1e-5)


def from_pth(check):
    """As DyT's script saves: weights and their average under prefixes, optimizer, arguments."""
    model = timm_vit("dyt", "avg")
    randomize(model)
    average = {f"module.{name}": value for name, value in model.state_dict().items()}
    torch.save({"model": {name: 2 * value for name, value in average.items()}, "model_ema": average, "optimizer": {}, "epoch": 1,
                "args": argparse.Namespace(model="vit", drop_path=0.1)}, check.path("x.pth"))
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pth_to_safetensors.py")
    subprocess.run([sys.executable, script, "x.pth", "x.safetensors"], cwd=check.folder, check=True, stdout=subprocess.DEVNULL)
    guess = json.loads(check.dyt("info", "x.safetensors", "--json"))["model"]
    wanted = config("dyt", "avg")["model"]
    wrong = [key for key in wanted if key not in ("heads", "norm") and guess[key] != wanted[key]]
    if wrong or guess["norm"]["kind"] != "dyt":
        raise SystemExit(f"dyt info guesses {guess}")
    check.write_config("c.json", config("dyt", "avg"))
    images = torch.randn(8, 3, SIDE, SIDE)
    with torch.no_grad():
        logits = model(images)
    check.judge("from .pth: dyt, avg: logits of replay",
                (check.replay(images, "x.safetensors", "c.json") - logits).abs().max().item(), 1e-5)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dyt", default=os.path.join(os.path.dirname(__file__), "..", "build", "dyt"))
    args = parser.parse_args()
    torch.manual_seed(0)
    print(f"timm {timm.__version__}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        check = Check(args.dyt, folder)
        from_timm(check)
        to_timm(check)
        from_pth(check)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
