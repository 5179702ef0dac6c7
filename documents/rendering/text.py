"""Users' text before it is set: what can't print is refused by name, what misleads is taken out."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from documents.rendering.errors import MissingGlyph, RenderError

# Controls that XML or a font can't hold, halves of surrogate pairs, and non-characters.
IMPOSSIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffc"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
    )
    + "]"
)
# Explicit bidi controls would let one field turn its neighbours round on the same line.
BIDI_CONTROLS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
# Line and paragraph separators would be drawn as boxes; templates break lines, text doesn't.
SEPARATORS = dict.fromkeys((0x85, 0x2028, 0x2029), " ")
REPLACED: dict[int, str | None] = {**BIDI_CONTROLS, **SEPARATORS}

Path = tuple[str, ...]
Uncovered = Callable[[Iterable[str]], list[str]]


def checked(
    snapshot: Mapping[str, Any], uncovered: Uncovered, labels: Mapping[str, str]
) -> Mapping[str, Any]:
    """`snapshot` as it may be printed; raises MissingGlyph or RenderError.

    The reason names the character and the field, by its word in `labels` if it has one. The same
    object comes back if nothing had to be cleaned.
    """
    characters: set[str] = set()
    for _, text in strings(snapshot):
        characters.update(text)
    _refuse_impossible(snapshot, characters, labels)
    replaced = {character for character in characters if ord(character) in REPLACED}
    _refuse_uncovered(snapshot, uncovered(characters - replaced), labels)
    if replaced:
        cleaned: Mapping[str, Any] = _cleaned(snapshot)
        return cleaned
    return snapshot


def strings(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each string in `value`, with the way to it: `("lines", "3", "2")`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from strings(item, (*path, str(index)))


def _refuse_impossible(
    snapshot: Mapping[str, Any], characters: set[str], labels: Mapping[str, str]
) -> None:
    for character in sorted(filter(IMPOSSIBLE.match, characters)):
        raise RenderError(
            f"{_where(snapshot, character, labels)} holds {_named(character)}, "
            "a control character that can't be printed."
        )


def _refuse_uncovered(
    snapshot: Mapping[str, Any], uncovered: list[str], labels: Mapping[str, str]
) -> None:
    for character in uncovered:
        raise MissingGlyph(
            f"{_where(snapshot, character, labels)} holds {_named(character)}, "
            "which no installed font can print."
        )


def _where(snapshot: Mapping[str, Any], character: str, labels: Mapping[str, str]) -> str:
    path = next(path for path, text in strings(snapshot) if character in text)
    # A line of an address has its word, and so has a column of a table.
    ways = (path, path[:-1], (*path[:-2], path[-1]))
    words = (labels.get(".".join(way)) for way in ways)
    return next((f"“{word}”" for word in words if word), f"The field {'.'.join(path)}")


def _named(character: str) -> str:
    name = unicodedata.name(character, "a character without a name")
    shown = f"“{character}” " if character.isprintable() else ""
    return f"{shown}U+{ord(character):04X} ({name})"


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.translate(REPLACED)
    if isinstance(value, Mapping):
        return {key: _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value
