"""Uploaded logos come out as small plain PNGs, or are refused with the reason."""

import io
import struct
import zlib
from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngInfo

from accounts.logos import MOST_BYTES, clean_logo


def picture(kind="PNG", size=(300, 100), mode="RGB", **options):
    file = io.BytesIO()
    Image.new(mode, size, 120).save(file, kind, **options)
    return file.getvalue()


def upload(content, name="logo.png"):
    return SimpleUploadedFile(name, content)


def cleaned(content, name="logo.png"):
    return Image.open(clean_logo(upload(content, name)))


@pytest.mark.parametrize(
    ("kind", "name", "mode"),
    [
        ("PNG", "a.png", "RGBA"),
        ("PNG", "a.PNG", "P"),
        ("PNG", "a.png", "L"),
        ("PNG", "a.png", "I;16"),
        ("JPEG", "a.jpg", "RGB"),
        ("JPEG", "a.jpeg", "CMYK"),
        ("GIF", "a.gif", "P"),
        ("WEBP", "a.webp", "RGB"),
    ],
)
def test_pictures_become_png(kind, name, mode):
    image = cleaned(picture(kind, mode=mode), name)
    assert (image.format, image.size) == ("PNG", (300, 100))
    assert image.mode in ("RGB", "RGBA")


def test_a_large_one_is_made_smaller_in_proportion():
    assert cleaned(picture(size=(3000, 1500))).size == (1200, 600)


def test_metadata_is_dropped_and_the_turn_in_it_done():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    exif[0x010F] = "Camera of a private person"
    content = picture("JPEG", exif=exif)
    assert b"private person" in content
    file = clean_logo(upload(content, "a.jpg"))
    assert b"private person" not in file.read()
    file.seek(0)
    assert Image.open(file).size == (100, 300)


def test_texts_in_a_png_are_dropped():
    info = PngInfo()
    info.add_text("Comment", "where we live")
    assert b"where we live" not in clean_logo(upload(picture(pnginfo=info))).read()


def test_what_hides_behind_a_picture_is_dropped():
    assert b"<script>" not in clean_logo(upload(picture() + b"<script>alert(1)</script>")).read()


def test_transparency_stays():
    assert cleaned(picture(mode="RGBA")).mode == "RGBA"


def test_the_name_is_made_of_the_content():
    one, two = clean_logo(upload(picture())), clean_logo(upload(picture(), "../../x.png"))
    assert one.name == two.name
    assert "/" not in one.name


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (SVG, "logo.svg", "SVG"),
        (SVG, "logo.png", "SVG"),
        (b"", "logo.png", "empty"),
        (b"GIF89a", "logo.gif", "not a picture"),
        (b"hello", "logo.png", "not a picture"),
        (b"%PDF-1.7", "logo.png", "not a picture"),
        (picture()[:200], "logo.png", "not a picture"),
        (picture("JPEG"), "logo.png", "JPEG picture, but its name ends in .png"),
        (picture(), "logo.jpg", "PNG picture, but its name ends in .jpg"),
        (picture(), "logo.exe", "but its name ends in .exe"),
        (picture(), "logo", "but its name ends in nothing"),
        (picture("BMP"), "logo.bmp", "not a picture"),
        (picture("TIFF"), "logo.tiff", "not a picture"),
        (b"\0" * (MOST_BYTES + 1), "logo.png", "larger than 2 MB"),
    ],
)
def test_what_is_no_honest_picture_is_refused(content, name, reason):
    with pytest.raises(ValidationError, match=reason):
        clean_logo(upload(content, name))


def test_a_cut_off_file_is_refused_also_where_weasyprint_is_loaded(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(ValidationError, match="not a picture"):
        clean_logo(upload(picture("JPEG")[:-400], "logo.jpg"))
    assert ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize("size", [(4001, 10), (10, 4001), (60000, 60000), (2**31 - 1, 1)])
def test_a_bomb_is_refused_before_it_is_decoded(size, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", None)  # decoding would raise TypeError
    with pytest.raises(ValidationError, match=r"at most 4000|too large|can be read"):
        clean_logo(upload(claims_to_be(*size)))


def test_a_bomb_of_text_is_refused_or_dropped():
    chunk = b"Comment\0\0" + zlib.compress(b"A" * 80_000_000, 9)
    content = picture()
    bomb = content[:33] + _chunk(b"zTXt", chunk) + content[33:]
    with suppress(ValidationError):
        assert len(clean_logo(upload(bomb)).read()) < 100_000


def claims_to_be(width, height):
    """A PNG whose header says that it is so large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"\0"))


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
