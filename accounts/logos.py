"""Uploaded logos: decoded with limits and written anew, so that nothing of the upload is kept.

What comes out is a PNG of at most 1,200 pixels a side, without EXIF or any other metadata. An SVG
is refused (it is a program), and so is a file whose name says something else than its content.
"""

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageFile, ImageOps

MOST_BYTES = 2_000_000
MOST_PIXELS = 4000  # a side, before it is decoded
LONGEST_SIDE = 1200

_SUFFIXES = {
    "PNG": {".png"},
    "JPEG": {".jpg", ".jpeg"},
    "GIF": {".gif"},
    "WEBP": {".webp"},
}


def clean_logo(upload: "UploadedFile[bytes]") -> ContentFile[bytes]:
    """The picture, re-encoded and named by its content. Raises ValidationError."""
    if not upload.size:
        raise ValidationError("The file is empty.")
    if upload.size > MOST_BYTES:
        raise ValidationError(f"The file is larger than {MOST_BYTES // 1_000_000} MB.")
    upload.seek(0)
    content = _encoded(_decoded(upload.read(), Path(upload.name or "").suffix.lower()))
    return ContentFile(content, name=f"{hashlib.sha256(content).hexdigest()[:20]}.png")


def _decoded(content: bytes, suffix: str) -> Image.Image:
    try:
        with warnings.catch_warnings(), _whole_files_only():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=tuple(_SUFFIXES))
            _require_honest(image, suffix)
            image.load()
            return _upright(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValidationError("The picture is too large to be opened safely.") from error
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError) as error:
        raise ValidationError(_unreadable(content)) from error


@contextmanager
def _whole_files_only() -> Iterator[None]:
    """WeasyPrint, once it is loaded, has Pillow fill up files that were cut off, in all of us."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _require_honest(image: Image.Image, suffix: str) -> None:
    """Before anything is decoded: the size from the header, and the name against the content."""
    if max(image.size) > MOST_PIXELS:
        size = f"{image.width} x {image.height}"
        raise ValidationError(
            f"The picture has {size} pixels: at most {MOST_PIXELS} a side can be used."
        )
    if suffix not in _SUFFIXES[str(image.format)]:
        raise ValidationError(
            f"The file is a {image.format} picture, but its name ends in {suffix or 'nothing'}."
        )


def _unreadable(content: bytes) -> str:
    start = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "An SVG can't be used as a logo. Save it as a PNG."
    return "This is not a picture that can be read. Use a PNG, JPEG, GIF or WebP."


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says, before that is dropped; in the colours that papers have."""
    turned = ImageOps.exif_transpose(image)
    has_alpha = "A" in turned.getbands() or "transparency" in turned.info
    plain = turned.convert("RGBA" if has_alpha else "RGB")
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return plain


def _encoded(image: Image.Image) -> bytes:
    bare = Image.new(image.mode, image.size)
    bare.paste(image)  # pixels only: what else came with the upload stays behind
    file = io.BytesIO()
    bare.save(file, "PNG", optimize=True)
    return file.getvalue()
