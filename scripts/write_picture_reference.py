#!/usr/bin/env python3
"""Writes tests/reference/pictures: picture files of every kind, and what Pillow makes of them. Needs NumPy and Pillow
before 13, which resizes columns first where the height shrinks much more than the width (a grey level of difference).

usage: scripts/write_picture_reference.py [--out tests/reference/pictures]

cases.txt has a line for each case: file, channels (1: convert("L"), 3: convert("RGB")), filter (none: not resized), height,
width. expected.bin holds the bytes of all results, [height, width, channels], one after another in that order.
"""
import argparse
import pathlib
import struct
import zlib

import numpy
import PIL
from PIL import Image

FILTERS = {"none": None, "bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
SOURCES = [(1, 1), (1, 7), (6, 2), (17, 31), (40, 23)]  # height, width
TALL = [(301, 3)]  # Pillow resizes columns first
TARGETS = [(1, 1), (3, 8), (12, 12), (17, 30), (24, 5)]


def png(width, height, depth, kind, rows):
    """A PNG as Pillow cannot write it: rows of packed bytes."""
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows))) + chunk(b"IEND", b"")


def write_sources(out, random, sizes):
    for height, width in sizes:
        noise = random.integers(0, 256, (height, width, 3), dtype=numpy.uint8)
        noise[random.random((height, width)) < 0.3] = 255  # steep edges: bicubic overshoots
        Image.fromarray(noise).save(out / f"rgb_{height}x{width}.png")


def write_kinds(out, random):
    """Names of files of every kind, small and smooth enough for JPEG."""
    y, x = numpy.mgrid[0:19, 0:26]
    rgb = numpy.stack([x * 9, y * 13, 255 - x * 4 - y * 5], axis=2).astype(numpy.uint8)
    image = Image.fromarray(rgb)
    alpha = Image.fromarray((x * 7).astype(numpy.uint8))
    with_alpha = image.copy()
    with_alpha.putalpha(alpha)
    grey = image.convert("L")
    grey_alpha = grey.copy()
    grey_alpha.putalpha(alpha)
    image.save(out / "colour.bmp")
    grey.save(out / "grey.bmp")
    image.save(out / "colour.jpg", quality=90, subsampling=0)
    image.save(out / "colour_420.jpg", quality=90, subsampling=2, progressive=True)
    grey.save(out / "grey.jpg", quality=90)
    inks = image.convert("CMYK")  # K is 0 everywhere: some black, so that it counts
    inks = Image.merge("CMYK", (*inks.split()[:3], Image.fromarray((x * 5 + y * 3).astype(numpy.uint8))))
    inks.save(out / "cmyk.jpg", quality=90)
    data = bytearray((out / "cmyk.jpg").read_bytes())
    data[data.index(b"Adobe") + 11] = 2  # the same numbers as Y, Cb, Cr, K
    (out / "ycck.jpg").write_bytes(data)
    grey.save(out / "grey.png")
    with_alpha.save(out / "alpha.png")
    grey_alpha.save(out / "grey_alpha.png")
    image.quantize(16).save(out / "palette.png")
    grey.convert("1").save(out / "bits.png")
    wide = random.integers(0, 65536, (5, 7, 3)).astype(">u2")
    (out / "rgb16.png").write_bytes(png(7, 5, 16, 2, [r.tobytes() for r in wide]))
    return sorted(p.name for p in out.iterdir() if p.suffix in (".png", ".bmp", ".jpg") and not p.name.startswith("rgb_"))


def write_cases(out, cases):
    """cases: file, channels, name of a filter, (height, width) or None."""
    with open(out / "cases.txt", "w") as lines, open(out / "expected.bin", "wb") as expected:
        for name, channels, filter_name, target in cases:
            image = Image.open(out / name).convert("L" if channels == 1 else "RGB")
            if target:
                image = image.resize((target[1], target[0]), FILTERS[filter_name])
            lines.write(f"{name} {channels} {filter_name} {image.height} {image.width}\n")
            expected.write(image.tobytes())


def check_version(parser):
    if int(PIL.__version__.split(".")[0]) >= 13:
        parser.error(f"Pillow {PIL.__version__}: expected one before 13")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="tests/reference/pictures", type=pathlib.Path)
    out = parser.parse_args().out
    check_version(parser)
    out.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(0)
    write_sources(out, random, SOURCES)
    cases = [(name, channels, "none", None) for name in write_kinds(out, random) for channels in (1, 3)]
    write_sources(out, random, TALL)
    for height, width in SOURCES + TALL:
        name = f"rgb_{height}x{width}.png"
        cases += [(name, c, f, t) for c in (1, 3) for f in ("bilinear", "bicubic") for t in TARGETS + [(height, width)]]
    write_cases(out, cases)


if __name__ == "__main__":
    main()
