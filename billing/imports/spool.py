"""The file's lines on disk, by document: a document's lines need not stand together, and memory
stays flat however long the file is."""

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Self

from billing.imports.lines import SalesLine

_SCHEMA = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE line (place INTEGER PRIMARY KEY, document TEXT, content TEXT, refused TEXT);
"""
# Run when all lines are in: the index and the table that make reading by document linear.
_ARRANGE = """
    CREATE INDEX IF NOT EXISTS line_by_document ON line (document, place);
    CREATE TABLE IF NOT EXISTS document AS
        SELECT MIN(place) AS first, document AS number FROM line
        WHERE document IS NOT NULL GROUP BY document;
"""
_BY_DOCUMENT = """
    SELECT line.document, line.place, line.content, line.refused
    FROM (SELECT number, first FROM document ORDER BY first) AS documents
    CROSS JOIN line ON line.document = documents.number
    ORDER BY documents.first, line.place
"""


@dataclass(frozen=True)
class SpooledDocument:
    """The lines of one document by their number in the file, and those of them that were refused.

    A document with a refused line is refused as a whole.
    """

    number: str
    lines: dict[int, SalesLine]
    refused: dict[int, str]


class Spool:
    """A temporary database of its own, gone when it is closed."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="pressroom-import-")
        self._database = sqlite3.connect(Path(self._folder.name) / "lines.sqlite3")
        self._database.executescript(_SCHEMA)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()
        self._folder.cleanup()

    def add(self, place: int, line: SalesLine) -> None:
        content = json.dumps(astuple(line), default=str)
        self._insert(place, line.document, content, None)

    def add_refused(self, place: int, document: str, row: Iterable[str], reason: str) -> None:
        self._insert(place, document or None, json.dumps(list(row)), reason)

    def _insert(self, place: int, document: str | None, content: str, refused: str | None) -> None:
        self._database.execute(
            "INSERT INTO line VALUES (?, ?, ?, ?)", (place, document, content, refused)
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
        for number, lines in groupby(rows, key=itemgetter(0)):
            document = SpooledDocument(number, {}, {})
            for _, place, content, refused in lines:
                if refused is None:
                    document.lines[place] = _line(content)
                else:
                    document.refused[place] = refused
            yield document

    def count_documents(self) -> int:
        query = "SELECT COUNT(DISTINCT document) FROM line"
        found: int = self._database.execute(query).fetchone()[0]
        return found

    def refusals(self) -> Iterator[tuple[int, str, str, str]]:
        """(line number, document, reason, content as JSON) of each refused line, in order."""
        yield from self._database.execute(
            "SELECT place, COALESCE(document, ''), refused, content FROM line"
            " WHERE refused IS NOT NULL ORDER BY place"
        )


def _line(content: str) -> SalesLine:
    values = json.loads(content)
    values[5] = date.fromisoformat(values[5])
    values[8:] = map(Decimal, values[8:])
    return SalesLine(*values)
