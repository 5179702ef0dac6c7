"""Sales files of other systems for the import's tests, and importing them."""

import csv
import gzip
import io
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from accounts.models import Company
from billing.imports import ImportOptions, ImportSummary, import_sales
from billing.models import Balance, Invoice, Party, Return

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"

# As dirty as real files are: line 2 is the header's next, and so on.
DIRTY = f"""{HEADER}
1001,A1,Candle,6,2010-12-01 08:26,2.55,17850,United Kingdom
1001,A2,"Jug, white",1,2010-12-01 08:26,3.39,17850,United Kingdom
1002,A1,Candle,2,2010-12-01 08:28,2.55,,United Kingdom
1003,A3, Throw ,8,2010-12-01 08:34,2.75, 17850.0 ,United Kingdom
1001,A1,Candle,6,2010-12-01 08:26,2.55,17850,United Kingdom
1004,A4,Sample,3,2010-12-02 09:00,0.00,13047,EIRE
1005,A5,Lost,-4,2010-12-02 09:10,1.00,13047,EIRE
1005,A6,Basket,1,2010-12-02 09:10,22.40,13047,EIRE
C1006,A1,Candle,-2,2010-12-03 10:00,2.55,17850,United Kingdom
1007,A7,£5 voucher,1,2010-12-04 10:00,5,12583,Channel Islands
"""


@dataclass
class Imported:
    summary: ImportSummary
    refused: dict[int, tuple[str, str, str]]  # by line: document, reason, content

    @property
    def reasons(self) -> dict[int, str]:
        return {line: reason for line, (_, reason, _) in self.refused.items()}


def run_import(
    company: Company,
    path: Path,
    *,
    returns_prefix: str = "C",
    columns: dict[str, str] | None = None,
) -> Imported:
    """Import the file; the summary must add up, whatever the file is."""
    refused: dict[int, tuple[str, str, str]] = {}

    def report(line: int, document: str, reason: str, content: str) -> None:
        assert line not in refused
        refused[line] = (document, reason, content)

    summary = import_sales(
        company=company,
        path=path,
        options=ImportOptions(columns=columns or {}, returns_prefix=returns_prefix),
        watch=lambda step, done, of: None,
        report=report,
    )
    assert_adds_up(summary.as_dict())
    assert len(refused) == summary.lines_refused
    return Imported(summary, refused)


def assert_adds_up(summary: dict[str, Any]) -> None:
    parts = ("lines_taken", "lines_refused", "lines_there_already")
    assert summary["lines_read"] == sum(summary[part] for part in parts)
    assert summary["lines_refused"] == sum(summary["refused_because"].values())


def write(path: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def rows(*lines: Iterable[object], header: str = HEADER) -> str:
    """A file of these lines, each a list of fields."""
    text = io.StringIO()
    text.write(header + "\n")
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def line(**changes: object) -> list[object]:
    """A sound line, in the order of HEADER, with these changes."""
    fields = {
        "number": "1001",
        "sku": "A1",
        "description": "Candle",
        "quantity": "2",
        "date": "2010-12-01",
        "price": "5.00",
        "party": "17850",
        "country": "United Kingdom",
    }
    return list({**fields, **changes}.values())


def generated(path: Path, lines: int, documents_of: int = 25, parties: int = 400) -> Path:
    """A large file of made-up sales, each 50th document a return."""
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        file.write(HEADER + "\n")
        for place in range(lines):
            number = place // documents_of
            back = number % 50 == 49
            file.write(
                f"{'C' if back else ''}{500000 + number},SKU{place % 3000},"
                f"GOODS NUMBER {place % 3000} OF MANY,{'-' if back else ''}{place % 12 + 1},"
                f"2010-12-{number % 28 + 1:02} 09:30:00,{place % 90 + 1}.25,"
                f"{12000 + number % parties},United Kingdom\n"
            )
    return path


def numbers() -> list[str]:
    """Of all invoices there are."""
    return sorted(Invoice.objects.values_list("invoice_number", flat=True))


def books(company: Company) -> dict[str, Any]:
    """Everything that an import leaves in the books, but for keys and moments."""
    return {
        "parties": sorted(_of(Party, company, "code", "name", "country", "address")),
        "invoices": sorted(
            _of(
                Invoice,
                company,
                *("invoice_number", "party__code", "invoice_date", "due_date", "state"),
                *("currency", "subtotal", "net", "tax", "total", "paid", "returned"),
            )
        ),
        "items": sorted(
            _of(
                Invoice,
                company,
                "invoice_number",
                *("items__" + name for name in ("position", "sku", "description", "quantity")),
                *("items__unit_price", "items__tax_rate", "items__net"),
            )
        ),
        "returns": sorted(
            _of(
                Return,
                company,
                *("return_number", "party__code", "return_date", "net", "tax", "total"),
                *("items__position", "items__sku", "items__quantity", "items__net"),
            )
        ),
        "balances": sorted(
            _of(Balance, company, "party__code", "opening", "invoiced", "returned", "paid")
        ),
    }


def _of(model: Any, company: Company, *columns: str) -> list[tuple[Any, ...]]:
    found = model._base_manager.filter(company=company).values_list(*columns)
    return [tuple(_plain(value) for value in row) for row in found]


def _plain(value: Any) -> str:
    return str(value.normalize()) if isinstance(value, Decimal) else str(value)
