#!/usr/bin/env python3
"""Compares decoding and resizing with Pillow on random pictures, many more than the committed ones: noise and smooth ones from 1x1 to
2000x1500, resized to random sizes, and JPEG files of random quality and subsampling. Needs NumPy, Pillow before 13 and the tests built.

usage: scripts/check_pictures.py [--cases 300] [--seed 0] [--test build/f32/tests/test_picture]
"""
import argparse
import os
import pathlib
import subprocess
import tempfile

import numpy
from PIL import Image, ImageFile

import write_picture_reference as reference

ImageFile.MAXBLOCK = 1 << 26  # Pillow writes a progressive JPEG only whole
HEIGHT, WIDTH, MOST = 1500, 2000, 700  # largest picture, largest result


def random_size(random, height, width):
    """Of any magnitude: the logarithms are uniform."""
    return tuple(int(numpy.exp(random.uniform(0, numpy.log(n + 1)))) for n in (height, width))


def random_picture(random, height, width):
    if random.random() < 0.5:  # noise with steep edges: bicubic overshoots
        pixels = random.integers(0, 256, (height, width, 3), dtype=numpy.uint8)
        pixels[random.random((height, width)) < 0.3] = random.choice([0, 255])
        return Image.fromarray(pixels)
    small = random.integers(0, 256, (2 + height // 40, 2 + width // 40, 3), dtype=numpy.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def write_random(out, random, n):
    cases = []
    for i in range(n):
        size = (HEIGHT, WIDTH) if i < 4 else random_size(random, HEIGHT, WIDTH)
        image, channels = random_picture(random, *size), int(random.choice([1, 3]))
        if i % 4 == 3:
            name, filter_name, target = f"{i}.jpg", "none", None
            image.save(out / name, quality=int(random.integers(5, 101)), subsampling=int(random.integers(0, 3)),
                       progressive=bool(random.integers(0, 2)))
        else:
            name, filter_name, target = f"{i}.bmp", ("bilinear", "bicubic")[i % 2], random_size(random, MOST, MOST)
            image.save(out / name)
        cases.append((name, channels, filter_name, target))
    reference.write_cases(out, cases)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default=300, type=int)
    parser.add_argument("--seed", default=0, type=int)
    parser.add_argument("--test", default="build/f32/tests/test_picture")
    args = parser.parse_args()
    reference.check_version(parser)
    with tempfile.TemporaryDirectory() as folder:
        write_random(pathlib.Path(folder), numpy.random.default_rng(args.seed), args.cases)
        raise SystemExit(subprocess.run([args.test], env=os.environ | {"DYT_PICTURES": folder}).returncode)


if __name__ == "__main__":
    main()
