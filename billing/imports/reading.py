"""Reading the file as a stream: plain or gzipped CSV, UTF-8 with or without a byte order mark."""

import gzip
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import cast

from billing.imports.columns import match_columns
from billing.imports.lines import Refused, SalesLine, parse_line
from billing.imports.rows import Row, UnreadableFile, read_rows
from billing.imports.spool import Spool

Progress = Callable[[int, int], None]  # bytes read, bytes in all

_EVERY = 2000
_GZIP = b"\x1f\x8b"
_UTF_16 = (BOM_UTF16_LE, BOM_UTF16_BE)


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
            for count in _spool(_unpacked(raw, path), spool, columns, returns_prefix):
                if count % _EVERY == 0:
                    progress(raw.tell(), size)
    except (EOFError, zlib.error, OSError, UnreadableFile) as error:
        raise UnreadableFile(f"{path}: {error}") from error
    progress(size, size)
    return count


def _unpacked(raw: BufferedReader, path: Path) -> BufferedReader:
    """The bytes of the CSV itself. Raises UnreadableFile where they are UTF-16."""
    zipped = raw.peek(2).startswith(_GZIP)
    if path.suffix.lower() == ".gz" and raw.peek(1) and not zipped:
        raise UnreadableFile("its name ends in .gz, but it is not gzipped, or damaged.")
    source = cast(BufferedReader, gzip.GzipFile(fileobj=raw)) if zipped else raw
    if source.peek(2).startswith(_UTF_16):
        raise UnreadableFile("it is UTF-16: save it as UTF-8.")
    return source


def _spool(
    source: BufferedReader, spool: Spool, chosen: Mapping[str, str], returns_prefix: str
) -> Iterator[int]:
    """Yields the number of lines so far after each of them."""
    # What is not UTF-8 is carried along, so that its line can be refused by number.
    text = TextIOWrapper(source, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = read_rows(text)
    header = _header(next(rows, None))
    columns = match_columns(header, chosen)
    before: Sequence[str] = ()  # the last row that has a number
    for count, row in enumerate(rows, start=1):
        try:
            line = _line(row, columns, len(header), returns_prefix)
            spool.add(row.place, row.fields, line)
            before = row.fields
        except Refused as refused:
            number = _number(row.fields, columns)
            perhaps = _perhaps_of(row.fields, columns, len(header), before)
            spool.add_refused(row.place, row.fields, number, str(refused), perhaps)
            before = row.fields if number else before
        yield count
    text.detach()


def _header(row: Row | None) -> list[str]:
    if row is None:
        raise UnreadableFile("the file is empty")
    if row.problem:
        raise UnreadableFile(f"line {row.place}, the header: {row.problem}.")
    return row.fields


def _line(row: Row, columns: Mapping[str, int], width: int, returns_prefix: str) -> SalesLine:
    if row.problem:
        raise Refused("unreadable", row.problem)
    return parse_line(row.fields, columns, width=width, returns_prefix=returns_prefix)


def _number(fields: Sequence[str], columns: Mapping[str, int]) -> str:
    """What stands in the number's column, also of a row that is too long or too short."""
    at = columns["invoice_number"]
    return fields[at].replace("\0", "").strip() if at < len(fields) else ""


def _perhaps_of(
    fields: Sequence[str], columns: Mapping[str, int], width: int, before: Sequence[str]
) -> set[str]:
    """The documents that must not go in without this line, besides the one of its number.

    A field too many or too few, or a quotation mark, may have hidden the number, so whatever the
    fields say may be it. Without a number, or with one that was cut off, it may be of the same
    document as the last line that has one.
    """
    number = _number(fields, columns)
    texts = {part.strip() for field in fields for part in field.split('"')} - {""}
    if not texts:
        return set()
    found = texts if len(fields) != width or '"' in number else set()
    cut_off = len(fields) < width and len(fields) <= columns["invoice_number"] + 1
    goes_on = not number and (len(fields) != width or _goes_on(fields, columns, before))
    return found | {_number(before, columns)} if cut_off or goes_on else found


def _goes_on(fields: Sequence[str], columns: Mapping[str, int], before: Sequence[str]) -> bool:
    """Whether a line without a number sells something to the party and on the day of `before`, or
    names neither: some systems write these on a document's first line only. Totals are no sale.
    """
    if not (fields[columns["quantity"]].strip() and fields[columns["unit_price"]].strip()):
        return False
    shared = [columns["party_code"], columns["date"]]
    return all(_first_word(fields, at) in ([], _first_word(before, at)) for at in shared)


def _first_word(fields: Sequence[str], at: int) -> list[str]:
    """A day without its time, a code as it is."""
    return fields[at].split()[:1] if at < len(fields) else []
