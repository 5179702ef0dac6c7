"""The rows of a CSV file, each with the number of the line that it begins on.

A quotation mark too many swallows the lines up to the next one as the text of a field, and nobody
can tell whose they were: such a file is not read. A field may hold line ends of its own all the
same, as long as the lines do not look like rows.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

_LONGEST_ROW = 10_000_000  # characters; a quotation mark that is never closed must not fill memory

# Above what a row can have: lines.py refuses what is too long, and by then knows whose it is.
csv.field_size_limit(_LONGEST_ROW)


class UnreadableFile(ValueError):
    """The file as a whole can't be read; nothing of it was taken."""


@dataclass(frozen=True, slots=True)
class Row:
    """`place` is the number of its first line; `problem` what is wrong with it as CSV, or nothing.

    The fields of a row with a problem are what stands between the commas.
    """

    place: int
    fields: list[str]
    problem: str = ""


def read_rows(text: TextIO) -> Iterator[Row]:
    """The header and every row that is not empty. Raises UnreadableFile."""
    lines = _Lines(text)
    reader = csv.reader(lines, strict=True)
    width = 0
    while True:
        lines.begin_row()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _damaged(lines, error)
            continue
        width = width or len(fields)
        if len(lines.taken) > 1 and _swallows(fields, lines.taken, width):
            raise _not_closed(lines)
        if fields:
            yield Row(lines.place, fields)


def _damaged(lines: "_Lines", error: csv.Error) -> Row:
    """A row whose damage ends with its line. Raises UnreadableFile where it goes on."""
    if len(lines.taken) > 1:
        raise _not_closed(lines) from error
    fields = [field.strip().strip('"') for field in lines.taken[0].split(",")]
    return Row(lines.place, fields, "a quotation mark is not closed, or stands within a field")


def _swallows(fields: Sequence[str], lines: Sequence[str], width: int) -> bool:
    """Whether a row over several lines looks as if some of them were rows of their own."""
    if len(fields) != width:
        return True
    # Of a first field with line ends, the last line holds all the others, and is no row for that.
    in_first = "\n" in fields[0] or "\r" in fields[0]
    innocent = in_first and lines[0].count(",") < width - 1
    suspects = lines[1:-1] if innocent else lines[1:]
    return any(_count_fields(line) == width for line in suspects)


def _count_fields(line: str) -> int:
    try:
        return len(next(csv.reader([line], strict=True)))
    except csv.Error:
        return 0


def _not_closed(lines: "_Lines") -> UnreadableFile:
    return UnreadableFile(
        f"line {lines.place}: a quotation mark that is opened there is not closed properly, and"
        f" takes in the lines up to {lines.place + len(lines.taken) - 1}. Nothing was imported."
    )


class _Lines:
    """The file's lines one by one, and those that the row in hand has taken."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.place = 1
        self.taken: list[str] = []
        self._length = 0

    def begin_row(self) -> None:
        self.place += len(self.taken)
        self.taken = []
        self._length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(_LONGEST_ROW + 1)
        if not line:
            raise StopIteration
        self.taken.append(line)
        self._length += len(line)
        if self._length > _LONGEST_ROW:
            raise self._too_long()
        return line

    def _too_long(self) -> UnreadableFile:
        if len(self.taken) > 1:
            return _not_closed(self)
        return UnreadableFile(f"line {self.place} is longer than {_LONGEST_ROW:,} characters.")
