"""Pages as pictures, and how much two of them differ."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image, ImageChops

APPROVED = Path(__file__).with_name("approved")
DOTS_PER_INCH = 60
# Levels of grey by which a dot may differ unnoticed: edges are smoothed a little differently.
SHADES = 48
# Dots in a thousand that may differ by more.
TOLERANCE = 0.25


class Difference(NamedTuple):
    """`share` in thousandths of the page's dots; `words` say what is other."""

    share: float
    words: str


def picture_of(content: bytes) -> Image.Image:
    """The first page of a PDF, small and grey; skips the test where that can't be drawn."""
    if shutil.which("pdftoppm") is None:
        pytest.skip("pdftoppm is missing: install the Debian package poppler-utils")
    command = ["pdftoppm", "-gray", "-r", str(DOTS_PER_INCH), "-f", "1", "-l", "1", "-"]
    run = subprocess.run(command, input=content, capture_output=True, check=True)
    header, rest = run.stdout.split(b"\n", 1)
    assert header == b"P5"
    size, _, dots = rest.split(b"\n", 2)
    width, height = map(int, size.split())
    return Image.frombytes("L", (width, height), dots)


def difference(one: Image.Image, other: Image.Image) -> Difference:
    if one.size != other.size:
        return Difference(1000, f"the page is {one.size} dots large and was {other.size}")
    changed = ImageChops.difference(one, other).point(lambda level: 255 * (level > SHADES))
    count = changed.histogram()[255]
    share = 1000 * count / (one.width * one.height)
    box = changed.getbbox()
    where = f" between {box[:2]} and {box[2:]}" if box else ""
    return Difference(share, f"{count} dots differ, {share:.2f} in a thousand{where}")


def approve(picture: Image.Image, name: str) -> None:
    APPROVED.mkdir(exist_ok=True)
    # Sixteen greys are enough for eyes and for the comparison, and a quarter of the size.
    levels = picture.point(lambda level: (level + 8) // 17 * 17)
    levels.quantize(16, dither=Image.Dither.NONE).save(APPROVED / f"{name}.png", optimize=True)


def approved(name: str) -> Image.Image:
    with Image.open(APPROVED / f"{name}.png") as picture:
        return picture.convert("L")
