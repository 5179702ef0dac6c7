"""CSV exports: streamed row by row, and safe to open in a spreadsheet. How to use it:

EXPORT = {"Number": lambda row: row.payment_number, "Amount": lambda row: row.amount}
return csv_response(rows, EXPORT, name="payments")
"""

import csv
import datetime
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.db import models
from django.http import StreamingHttpResponse

from documents.filenames import content_disposition

Export = Mapping[str, Callable[[Any], Any]]

# A spreadsheet takes what begins with one of these for a formula (OWASP, CSV injection); the wide
# forms are turned into these by some input methods.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_CHUNK = 2000


class _Echo:
    """What csv writes into: it hands the line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_response(
    rows: "models.QuerySet[Any]", columns: Export, *, name: str
) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_lines(rows, columns), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition(name, ".csv", inline=False)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _lines(rows: "models.QuerySet[Any]", columns: Export) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # so that spreadsheets read it as UTF-8
    yield writer.writerow(columns)
    for row in rows.iterator(chunk_size=_CHUNK):
        yield writer.writerow([cell(read(row)) for read in columns.values()])


def cell(value: Any) -> str:
    """The value as text; texts that a spreadsheet would run get an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, datetime.date):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
