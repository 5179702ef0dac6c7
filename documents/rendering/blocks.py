"""Long lists of short rows: several rows as the lines of one table row, which is far cheaper.

A cell costs the same with one line in it or with five. What needs a line break of its own, or a
mark to make it stand out, has a table row to itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from documents.rendering.fitting import Columns, fit, width

LINES = 5
LONGEST = 200
# In a longer list rows of every script are gathered, and may stand a point beside their numbers.
ALIGNED_ROWS = 2000
# What the name of a party may fill, in ems, beside amounts of a width of print.css.
NAME_EMS = {"": 18.4, "wide": 16.3, "longer": 15.6, "vast": 14.2}


class Block(NamedTuple):
    """One table row, of a class of print.css: in each cell as many lines as it holds rows."""

    cells: list[str]
    css: str


def blocks(
    rows: Iterable[Sequence[str]],
    ems: Sequence[float],
    direction: str,
    apart: Mapping[int, str],
) -> list[Block]:
    """`rows` of printed texts, gathered. `ems` is what each column holds, 0: it always fits.

    The rows whose indexes are in `apart` stand alone, of the class given there.
    """
    found: list[Block] = []
    gathered: list[list[str]] = []

    def put_down() -> None:
        if gathered:
            found.append(
                Block(["\n".join(lines) for lines in zip(*gathered, strict=True)], "gathered")
            )
            gathered.clear()

    for index, row in enumerate(rows):
        cells = [
            fit(text, size, direction, LONGEST) if size else text
            for text, size in zip(row, ems, strict=True)
        ]
        if index in apart or not all(map(_is_one_line, row, ems)):
            put_down()
            found.append(Block(cells, apart.get(index, "")))
            continue
        gathered.append(cells)
        if len(gathered) == LINES:
            put_down()
    put_down()
    return found


def list_ems(columns: Columns) -> tuple[float, ...]:
    """The ems of a covering list's columns: place, code, name, amount, pages, state."""
    name = NAME_EMS[columns.css.removesuffix("long-dates").strip()]
    return 0, 7.0, name, 0, 0, 17.6


def has_other_script(text: str) -> bool:
    """Whether `text` is drawn by a font of another height, which moves the lines below it."""
    return any("\u0530" <= character < "\u1e00" or character > "\u206f" for character in text)


def _is_one_line(text: str, ems: float) -> bool:
    return not ems or width(text) <= ems
