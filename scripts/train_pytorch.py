"""Trains a config of dyt in PyTorch, the same recipe step for step, so that the two curves can be laid side by side.

    V/bin/python scripts/train_pytorch.py CONFIG [--set KEY=VALUE]... [--seed N] [--threads N] --out DIR

Same model and law of initialisation, batch size, optimizer (decay on matrices only), warm-up and cosine by step, label smoothing,
padded crop and flip as torchvision's, the same test split. Random numbers are PyTorch's own, so a curve agrees with dyt's as two seeds
of one program agree. `train.max_steps` ends it early, as in dyt. DIR/log.jsonl has the names of dyt's log.jsonl.
Formats: idx and imagefolder (pictures of the model's size; decoded by Pillow). Augmentations beyond crop_padding and hflip, accumulation
and an average of the weights are refused. Needs torch, numpy and, for pictures, pillow.
"""

import argparse
import gzip
import json
import math
import os
import time

import numpy as np
import torch

import dyt_config
import vit_pytorch

IDX = {"train": "train", "test": "t10k"}
SCHEDULE = {"epochs": 10, "warmup_epochs": 1, "min_lr": 1e-6}
UNKNOWN_HERE = ("accumulate", "ema")


def read_idx(path):
    """An IDX file, .gz or not."""
    opened = open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz", "rb")
    with opened as f:
        data = f.read()
    shape = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def load_idx(data, part):
    """Pictures [N, 1, H, W] and labels of a part."""
    base = os.path.join(data["path"], IDX[part])
    return read_idx(base + "-images-idx3-ubyte")[:, None], read_idx(base + "-labels-idx1-ubyte")


def load_folder(data, part):
    """Pictures [N, 3, H, W] and labels of PATH/part/CLASS/*."""
    from PIL import Image

    root = os.path.join(data["path"], part)
    images, labels = [], []
    for label, name in enumerate(sorted(os.listdir(root))):
        for file in sorted(os.listdir(os.path.join(root, name))):
            with Image.open(os.path.join(root, name, file)) as picture:
                images.append(np.asarray(picture.convert("RGB")).transpose(2, 0, 1))
            labels.append(label)
    return np.stack(images), np.array(labels)


LOADERS = {"idx": load_idx, "imagefolder": load_folder}


def load(cfg, part):
    data = cfg["data"]
    images, labels = LOADERS[data["format"]](data, part)
    return torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64))


def check(cfg):
    """Refuses what would silently be another recipe."""
    on = [key for key, value in cfg["data"].get("augment", {}).items() if key not in ("crop_padding", "hflip") and value]
    on += [f"train.{key}" for key in UNKNOWN_HERE if cfg["train"].get(key, 0) not in (0, 1)]
    on += [key for key in ("val_size",) if cfg["data"].get(key)]
    if on or cfg["data"]["format"] not in LOADERS:
        raise SystemExit(f"not known to this script: {', '.join(on) or cfg['data']['format']}")


class Pictures:
    """Bytes to normalized, augmented batches."""

    def __init__(self, cfg):
        data, channels = cfg["data"], cfg["model"]["channels"]
        per_channel = lambda v: torch.tensor(v if isinstance(v, list) else [v]).expand(channels).view(1, channels, 1, 1)
        self.mean, self.std = per_channel(data.get("mean", 0.0)), per_channel(data.get("std", 1.0))
        self.pad = data.get("augment", {}).get("crop_padding", 0)
        self.flip = data.get("augment", {}).get("hflip", 0.0)

    def normalized(self, images):
        return (images.float() / 255 - self.mean) / self.std

    def augmented(self, images):
        n, _, height, width = images.shape
        if self.pad:
            padded = torch.nn.functional.pad(images, [self.pad] * 4)
            at = torch.randint(0, 2 * self.pad + 1, (n, 2)).tolist()
            images = torch.stack([p[:, y:y + height, x:x + width] for p, (y, x) in zip(padded, at)])
        flip = torch.rand(n) < self.flip
        return self.normalized(torch.where(flip.view(n, 1, 1, 1), images.flip(3), images))


def learning_rate(cfg, step, steps_per_epoch):
    """Linear warm-up, then a cosine to min_lr, by step (train.h of dyt)."""
    s = {**SCHEDULE, **cfg["schedule"]}
    warmup, total = s["warmup_epochs"] * steps_per_epoch, round(s["epochs"] * steps_per_epoch)
    if step + 1 <= warmup:
        return cfg["optim"]["lr"] * (step + 1) / warmup
    done = min(1, max(0, (step - warmup) / max(1, total - warmup)))
    return s["min_lr"] + 0.5 * (cfg["optim"]["lr"] - s["min_lr"]) * (1 + math.cos(math.pi * done))


def evaluate(model, pictures, images, labels):
    model.eval()
    loss = right = 0.0
    with torch.no_grad():
        for x, y in zip(images.split(500), labels.split(500)):
            z = model(pictures.normalized(x))
            loss += torch.nn.functional.cross_entropy(z, y, reduction="sum").item()
            right += (z.argmax(1) == y).sum().item()
    model.train()
    return loss / len(labels), right / len(labels)


def train(cfg, seed, log):
    torch.manual_seed(seed)
    images, labels = load(cfg, "train")
    test = load(cfg, "test")
    pictures, model = Pictures(cfg), vit_pytorch.VisionTransformer(cfg)
    optimizer = vit_pytorch.optimizer(model, cfg, fused=True)
    batch = cfg["train"]["batch_size"]
    per_epoch = math.ceil(len(labels) / batch)
    steps = round({**SCHEDULE, **cfg["schedule"]}["epochs"] * per_epoch)
    steps = min(steps, cfg["train"].get("max_steps") or steps)
    step, total, seen, spent = 0, 0.0, 0, 0.0
    while step < steps:
        if step % per_epoch == 0:
            order = torch.randperm(len(labels)).split(batch)
        begun = time.monotonic()
        chosen = order[step % per_epoch]
        lr = learning_rate(cfg, step, per_epoch)
        for group in optimizer.param_groups:
            group["lr"] = lr
        loss = vit_pytorch.loss(model(pictures.augmented(images[chosen])), labels[chosen], cfg)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        vit_pytorch.clip_gradients(model, cfg)
        optimizer.step()
        step, total, seen, spent = step + 1, total + loss.item() * len(chosen), seen + len(chosen), spent + time.monotonic() - begun
        if step % per_epoch == 0 or step == steps:
            test_loss, acc1 = evaluate(model, pictures, *test)
            line = {"epoch": step / per_epoch, "step": step, "train_loss": total / seen, "test_loss": test_loss, "test_acc1": acc1,
                    "lr": lr, "img_per_s": seen / spent}
            log.write(json.dumps(line) + "\n")
            log.flush()
            print(f"epoch {line['epoch']:.4g}  train loss {line['train_loss']:.4f}  test loss {test_loss:.4f}  acc {100 * acc1:.2f}%  "
                  f"{line['img_per_s']:.0f} img/s", flush=True)
            total, seen, spent = 0.0, 0, 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a key of the config")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="default: PyTorch's")
    parser.add_argument("--out", required=True, metavar="DIR", help="a new folder for log.jsonl")
    args = parser.parse_args()
    cfg = dyt_config.load(args.config, args.set)
    check(cfg)
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    os.makedirs(args.out)
    with open(os.path.join(args.out, "log.jsonl"), "w", encoding="utf-8") as log:
        train(cfg, args.seed, log)


if __name__ == "__main__":
    main()
