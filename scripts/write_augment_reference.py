#!/usr/bin/env python3
"""Writes tests/reference/augment: what Pillow, torchvision and timm make of small pictures. Needs NumPy, timm, torchvision and
Pillow before 13.

usage: scripts/write_augment_reference.py [--out tests/reference/augment]

pictures.txt has a line for each source picture: height, width, channels; pictures.bin their bytes, one after another.
cases.txt has a line for each case: picture, operation, value, interpolation (0 bilinear, 1 bicubic); cases.bin the results.
levels.txt: operation of RandAugment (timm's name without "Increasing"), 1 for the increasing set, magnitude, sign, side, argument.
mixed.txt: lambda, label, partner's label, smoothing, five logits, timm's loss of the mixed target.
"""
import argparse
import pathlib
import random
from unittest import mock

import numpy
import PIL
import torch
from PIL import Image, ImageEnhance
from timm.data import auto_augment
from timm.data.mixup import mixup_target
from timm.loss import SoftTargetCrossEntropy
from torchvision.transforms import functional

FILL = (124, 116, 104)
CLASSES = 5


def pictures():
    rng = numpy.random.default_rng(0)
    y, x = numpy.mgrid[0:20, 0:20]
    smooth = numpy.stack([40 + x * 7, 30 + y * 6, 90 + x * 2 + y * 3], axis=2)
    edges = rng.integers(0, 2, (9, 11, 3)) * 255
    few = rng.integers(100, 104, (12, 17, 1))  # of 204 pixels: none to spread, equalize leaves it
    many = rng.integers(0, 6, (24, 45, 1)) * 37 + 3  # pixels enough for equalize to round
    dims = [rng.integers(0, 256, size) for size in ((13, 19, 3), (12, 12, 1), (2, 3, 3), (1, 1, 1), (1, 4, 3))]
    flat = numpy.full((5, 5, 3), 77)
    return [a.astype(numpy.uint8) for a in dims + [smooth, edges, few, many, flat]]


def geometric(function):
    def apply(image, value, cubic):
        resample = Image.Resampling.BICUBIC if cubic else Image.Resampling.BILINEAR
        return function(image, value, fillcolor=FILL if image.mode == "RGB" else FILL[0], resample=resample)
    return apply


def shift(function, axis):
    """By pixels, where timm takes a share of the side."""
    return geometric(lambda image, value, **kwargs: function(image, value / image.size[axis], **kwargs))


def enhance(enhancer, adjust):
    def apply(image, value, _):
        result = enhancer(image).enhance(value)
        if adjust and list(adjust(image, value).getdata()) != list(result.getdata()):
            raise SystemExit("torchvision differs from Pillow")
        return result
    return apply


def plain(function):
    return lambda image, value, _: function(image, int(value))


FACTORS = [0.1, 0.37, 0.9, 1, 1.9]
OPERATIONS = {  # the function, the values, whether it interpolates
    "autocontrast": (lambda image, *_: auto_augment.auto_contrast(image), [0], False),
    "equalize": (lambda image, *_: auto_augment.equalize(image), [0], False),
    "invert": (lambda image, *_: auto_augment.invert(image), [0], False),
    "posterize": (plain(auto_augment.posterize), [0, 1, 4], False),
    "solarize": (plain(auto_augment.solarize), [0, 26, 256], False),
    "solarize_add": (plain(auto_augment.solarize_add), [0, 99, 110], False),
    "brightness": (enhance(ImageEnhance.Brightness, functional.adjust_brightness), FACTORS, False),
    "contrast": (enhance(ImageEnhance.Contrast, functional.adjust_contrast), FACTORS, False),
    "saturation": (enhance(ImageEnhance.Color, functional.adjust_saturation), FACTORS, False),
    "sharpness": (enhance(ImageEnhance.Sharpness, None), FACTORS, False),
    "rotate": (geometric(auto_augment.rotate), [-30, 27, 3.5], True),
    "shear_x": (geometric(auto_augment.shear_x), [-0.3, 0.27], True),
    "shear_y": (geometric(auto_augment.shear_y), [-0.3, 0.27], True),
    "translate_x": (shift(auto_augment.translate_x_rel, 0), [-3.3, 2, 4.05], True),
    "translate_y": (shift(auto_augment.translate_y_rel, 1), [-3.3, 2, 4.05], True),
}


def write_cases(out):
    sources = pictures()
    (out / "pictures.txt").write_text("".join("{} {} {}\n".format(*a.shape) for a in sources))
    (out / "pictures.bin").write_bytes(b"".join(a.tobytes() for a in sources))
    with open(out / "cases.txt", "w") as lines, open(out / "cases.bin", "wb") as results:
        for k, a in enumerate(sources):
            image = Image.fromarray(a if a.shape[2] == 3 else a[:, :, 0])
            for name, (function, values, interpolates) in OPERATIONS.items():
                for value in values:
                    for cubic in range(2 if interpolates else 1):
                        results.write(function(image, value, cubic).tobytes())
                        lines.write(f"{k} {name} {value:.17g} {cubic}\n")


def write_levels(out):
    with open(out / "levels.txt", "w") as lines:
        for increasing, names in enumerate((auto_augment._RAND_TRANSFORMS, auto_augment._RAND_INCREASING_TRANSFORMS)):
            for name in names:
                level = auto_augment.LEVEL_TO_ARG[name]
                for magnitude in (0, 2.6, 5, 9, 9.7, 10):
                    for sign in (1, -1):
                        with mock.patch.object(random, "random", lambda: 0.75 if sign < 0 else 0.25):
                            value = level(magnitude, {})[0] if level else 0
                        side = 32
                        if name.startswith("Translate"):
                            value *= side
                        lines.write(f"{name.replace('Increasing', '')} {increasing} {magnitude} {sign} {side} {value:.17g}\n")


def write_mixed(out):
    rng = numpy.random.default_rng(1)
    with open(out / "mixed.txt", "w") as lines:
        for share in (1, 0.75, 0.5, 0.1, 0):
            for smoothing in (0, 0.1, 0.5):
                labels = rng.integers(0, CLASSES, 2)
                logits = torch.tensor(rng.normal(size=(2, CLASSES)).round(3))
                target = mixup_target(torch.tensor(labels), CLASSES, share, smoothing)[:1].double()
                loss = SoftTargetCrossEntropy()(logits[:1], target).item()
                values = " ".join(f"{z:.3f}" for z in logits[0].tolist())
                lines.write(f"{share} {labels[0]} {labels[1]} {smoothing} {values} {loss:.7f}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="tests/reference/augment", type=pathlib.Path)
    out = parser.parse_args().out
    if int(PIL.__version__.split(".")[0]) >= 13:
        parser.error(f"Pillow {PIL.__version__}: expected one before 13")
    out.mkdir(parents=True, exist_ok=True)
    write_cases(out)
    write_levels(out)
    write_mixed(out)


if __name__ == "__main__":
    main()
