"""A fontconfig of our own: the same few fonts, in the same order, on every host."""

import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile
from xml.sax.saxutils import escape

from django.conf import settings

from documents.rendering.fonts import ACCEPTED, DIRECTORIES, REFUSED

# Where a character is sought after the fonts that print.css names.
FALLBACK = (
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Thai",
    "Noto Sans CJK SC",
    "Noto Sans Symbols",
    "Noto Sans Symbols2",
)
MONOSPACED = tuple(f"Noto Sans Mono CJK {region}" for region in ("JP", "KR", "SC", "TC", "HK"))

FILE = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
<reset-dirs/>
{directories}
<cachedir>{cache}</cachedir>
<selectfont>
<acceptfont>{accepted}</acceptfont>
<rejectfont>{refused}{monospaced}</rejectfont>
</selectfont>
<match target="pattern">
<edit name="family" mode="append_last" binding="strong">{fallback}</edit>
</match>
<config><rescan><int>0</int></rescan></config>
</fontconfig>
"""


def use_own_fontconfig() -> Path:
    """Point fontconfig, in this process, at the fonts of papers and at nothing else.

    Must run before the first FontConfiguration. The host's language settings would choose among
    fallback fonts and name them in the PDF, so they are fixed too: same snapshot, same bytes.
    """
    folder = settings.FONTS_DIR
    (folder / "cache").mkdir(parents=True, exist_ok=True)
    file = folder / "fonts.conf"
    _write_if_different(file, _configuration(folder / "cache"))
    os.environ["FONTCONFIG_FILE"] = str(file)
    os.environ["FC_LANG"] = "en"
    os.environ["PANGO_LANGUAGE"] = "en"
    return file


def _configuration(cache: Path) -> str:
    return FILE.format(
        directories=_tags("dir", map(str, DIRECTORIES)),
        cache=escape(str(cache)),
        accepted=_tags("glob", (f"*/{pattern}" for pattern in ACCEPTED)),
        refused=_tags("glob", (f"*/{pattern}" for pattern in REFUSED)),
        monospaced="".join(
            f'<pattern><patelt name="family"><string>{family}</string></patelt></pattern>'
            for family in MONOSPACED
        ),
        fallback=_tags("string", FALLBACK),
    )


def _tags(tag: str, values: Iterable[str]) -> str:
    return "".join(f"<{tag}>{escape(value)}</{tag}>" for value in values)


def _write_if_different(file: Path, text: str) -> None:
    """Replace in one step: several workers may start at once."""
    if file.exists() and file.read_text("utf-8") == text:
        return
    with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as new:
        new.write(text)
    Path(new.name).replace(file)
