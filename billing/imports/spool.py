"""The file's lines on disk, by document: a document's lines need not stand together, and memory
stays flat however long the file is."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from types import TracebackType
from typing import Self

from billing.imports.lines import LONGEST_TEXT, SalesLine

_SCHEMA = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE line (
        place INTEGER PRIMARY KEY, document TEXT, fields TEXT, parsed TEXT, refused TEXT
    );
    CREATE TABLE perhaps (document TEXT, place INTEGER);
"""
# Run when all lines are in: the index and the table that make reading by document linear.
_ARRANGE = """
    CREATE INDEX IF NOT EXISTS line_by_document ON line (document, place);
    CREATE INDEX IF NOT EXISTS perhaps_by_document ON perhaps (document, place);
    CREATE TABLE IF NOT EXISTS document AS
        SELECT MIN(place) AS first, document AS number,
            (SELECT MIN(perhaps.place) FROM perhaps WHERE perhaps.document = line.document) AS lacks
        FROM line WHERE document IS NOT NULL GROUP BY document;
"""
_BY_DOCUMENT = """
    SELECT line.document, documents.lacks, line.place, line.parsed, line.refused
    FROM (SELECT number, first, lacks FROM document ORDER BY first) AS documents
    CROSS JOIN line ON line.document = documents.number
    ORDER BY documents.first, line.place
"""


@dataclass(frozen=True)
class SpooledDocument:
    """The lines of one document by their number in the file, and those of them that were refused.

    A document with a refused line is refused as a whole. `lacks` is the number of a line that may
    be one of its lines as well, though nobody can tell.
    """

    number: str
    lines: dict[int, SalesLine]
    refused: dict[int, str]
    lacks: int | None = None


class Spool:
    """A temporary database of its own, without a name: gone with the process, however that ends."""

    def __enter__(self) -> Self:
        self._database = sqlite3.connect("")
        self._database.executescript(_SCHEMA)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def add(self, place: int, fields: Sequence[str], line: SalesLine) -> None:
        self._insert(place, line.document, fields, json.dumps(astuple(line), default=str), None)

    def add_refused(
        self,
        place: int,
        fields: Sequence[str],
        document: str,
        reason: str,
        perhaps_of: Iterable[str] = (),
    ) -> None:
        """A line that can't be taken. Documents of `perhaps_of` may lack it, if there are such."""
        self._insert(place, _storable(document) or None, fields, None, reason)
        self._database.executemany(
            "INSERT INTO perhaps VALUES (?, ?)",
            [(_storable(number), place) for number in perhaps_of],
        )

    def _insert(
        self,
        place: int,
        document: str | None,
        fields: Sequence[str],
        parsed: str | None,
        refused: str | None,
    ) -> None:
        self._database.execute(
            "INSERT INTO line VALUES (?, ?, ?, ?, ?)",
            (place, document, json.dumps(fields), parsed, refused),
        )

    def refuse(self, reasons: dict[int, str]) -> None:
        """Note why lines that were read well are not taken all the same."""
        self._database.executemany(
            "UPDATE line SET refused = ? WHERE place = ? AND refused IS NULL",
            [(reason, place) for place, reason in reasons.items()],
        )

    def documents(self) -> Iterator[SpooledDocument]:
        """Every document, in the order in which they begin in the file."""
        self._database.executescript(_ARRANGE)
        rows = self._database.execute(_BY_DOCUMENT)
        for (number, lacks), lines in groupby(rows, key=itemgetter(0, 1)):
            document = SpooledDocument(number, {}, {}, lacks)
            for _, _, place, parsed, refused in lines:
                if refused is None:
                    document.lines[place] = _line(parsed)
                else:
                    document.refused[place] = refused
            yield document

    def count_documents(self) -> int:
        query = "SELECT COUNT(DISTINCT document) FROM line"
        found: int = self._database.execute(query).fetchone()[0]
        return found

    def refusals(self) -> Iterator[tuple[int, str, str, str]]:
        """(line number, document, reason, the file's fields as JSON) of each refused line."""
        rows = self._database.execute(
            "SELECT place, COALESCE(document, ''), refused, fields FROM line"
            " WHERE refused IS NOT NULL ORDER BY place"
        )
        for place, document, reason, fields in rows:
            yield place, document, reason, json.dumps(list(map(_shown, json.loads(fields))))


def _shown(field: str) -> str:
    """A field in the report, which programs must be able to read again."""
    return _storable(field if len(field) <= LONGEST_TEXT else f"{field[:1000]}…")


def _storable(text: str) -> str:
    carried = text.encode("utf-8", "surrogateescape")
    return carried.decode("utf-8", "backslashreplace").replace("\0", "\\0")


def _line(parsed: str) -> SalesLine:
    values = json.loads(parsed)
    values[5] = date.fromisoformat(values[5])
    values[8:] = map(Decimal, values[8:])
    return SalesLine(*values)
