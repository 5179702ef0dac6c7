"""Which characters the installed fonts can print."""

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from fontTools.ttLib import TTFont

from documents.rendering.fonts import font_files

# Format characters that do have a shape: Arabic, Syriac and Kaithi number signs.
VISIBLE_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
# Fillers and selectors that Unicode calls ignorable though they are not format characters.
IGNORED = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
            *range(0xE0000, 0xE1000),
        ),
    )
)
# The first word of a character's Unicode name, where the font's name has another.
FONT_WORDS = {
    "HANGUL": "CJK",
    "HIRAGANA": "CJK",
    "KATAKANA": "CJK",
    "FULLWIDTH": "CJK",
    "HALFWIDTH": "CJK",
    "IDEOGRAPHIC": "CJK",
    "BOPOMOFO": "CJK",
}


class Glyphs:
    """Coverage of the fonts, read from their files only as far as the text asked about needs."""

    def __init__(self) -> None:
        self._covered: set[str] = set()
        self._unread = list(font_files())

    def uncovered(self, characters: Iterable[str]) -> list[str]:
        """Those of `characters` that would print as a box, in code point order."""
        unknown = {c for c in set(characters) - self._covered if not _is_invisible(c)}
        return sorted(c for c in unknown if not self._is_covered(c))

    def _is_covered(self, character: str) -> bool:
        if character in self._covered or self._find(character):
            return True
        parts = unicodedata.normalize("NFD", character)
        return parts != character and all(self._find(part) for part in parts)

    def _find(self, character: str) -> bool:
        while character not in self._covered and self._unread:
            self._covered.update(_characters_of(self._unread.pop(self._likeliest(character))))
        return character in self._covered

    def _likeliest(self, character: str) -> int:
        word = unicodedata.name(character, "NOTO").split()[0].split("-")[0]
        word = FONT_WORDS.get(word, word).lower()
        matches = (i for i, path in enumerate(self._unread) if word in path.name.lower())
        return next(matches, 0)


def _is_invisible(character: str) -> bool:
    if character in IGNORED or character in "\t\n\r":
        return True
    return unicodedata.category(character) == "Cf" and character not in VISIBLE_FORMATS


def _characters_of(path: Path) -> Iterator[str]:
    with TTFont(path, lazy=True, fontNumber=0) as font:
        yield from map(chr, font.getBestCmap())
