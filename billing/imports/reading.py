"""Reading the file as a stream: plain or gzipped CSV, UTF-8 with or without a byte order mark."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from billing.imports.columns import match_columns
from billing.imports.lines import Refused, parse_line
from billing.imports.spool import Spool

if TYPE_CHECKING:
    import _csv

Progress = Callable[[int, int], None]  # bytes read, bytes in all

_EVERY = 2000


class UnreadableFile(ValueError):
    """The file as a whole can't be read; nothing of it was taken."""


def spool_file(
    path: Path,
    spool: Spool,
    *,
    columns: Mapping[str, str],
    returns_prefix: str,
    progress: Progress,
) -> int:
    """Put every line of the file into the spool, read or refused. Returns how many there are.

    Raises UnreadableFile, or ColumnError when the header does not fit.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as raw:
            count = 0
            for count in _spool(raw, path, spool, columns, returns_prefix):
                if count % _EVERY == 0:
                    progress(raw.tell(), size)
    except (EOFError, zlib.error, OSError) as error:
        raise UnreadableFile(f"{path}: {error}") from error
    progress(size, size)
    return count


def _spool(
    raw: BinaryIO, path: Path, spool: Spool, chosen: Mapping[str, str], returns_prefix: str
) -> Iterator[int]:
    """Yields the number of lines so far after each of them."""
    source = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
    # What is not UTF-8 is carried along, so that its line can be refused by number.
    text = io.TextIOWrapper(source, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text)
    header = next(reader, None)
    if not header:
        raise UnreadableFile(f"{path}: the file is empty")
    columns = match_columns(header, chosen)
    for count, (place, row, problem) in enumerate(_numbered(reader), start=1):
        # Also of a row that is too long or too short: its document must not go in without it.
        at = columns["invoice_number"]
        number = row[at].strip() if at < len(row) else ""
        try:
            if problem:
                raise Refused("unreadable", problem)
            spool.add(
                place, parse_line(row, columns, width=len(header), returns_prefix=returns_prefix)
            )
        except Refused as refused:
            spool.add_refused(place, _storable(number), map(_storable, row), str(refused))
        yield count
    text.detach()


def _numbered(reader: "_csv.Reader") -> Iterator[tuple[int, list[str], str]]:
    """(number of the line that a row begins on, the row, what is wrong with it as CSV)."""
    while True:
        place = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield place, [], str(error)
            continue
        if row:
            yield place, row, ""


def _storable(text: str) -> str:
    carried = text.encode("utf-8", "surrogateescape")
    return carried.decode("utf-8", "backslashreplace").replace("\0", "\\0")
