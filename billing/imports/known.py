"""Which numbers of a chunk are in the books already, and whether they stand for the same there."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from accounts.models import Company
from billing.imports.documents import SalesDocument, net_of
from billing.models import Invoice, InvoiceItem, Return, ReturnItem
from billing.money import LineAmount, compute_totals

Facts = tuple[str, date, Decimal]  # the party's code, the date, the total
Content = Counter[tuple[Any, ...]]  # how often there is each line

_LINE = ("sku", "description", "quantity", "unit_price", "tax_rate")


def numbers_in_books(company: Company, documents: Sequence[SalesDocument]) -> dict[str, bool]:
    """Of the documents that are in the books: whether they are there with the same content."""
    invoices = [document for document in documents if not document.is_return]
    returns = [document for document in documents if document.is_return]
    return {
        **_compared(company, invoices, Invoice, InvoiceItem, "invoice", "invoice"),
        **_compared(company, returns, Return, ReturnItem, "return", "return_document"),
    }


def _compared(
    company: Company,
    documents: Sequence[SalesDocument],
    header: type[Invoice | Return],
    item: type[InvoiceItem | ReturnItem],
    kind: str,
    owner: str,
) -> dict[str, bool]:
    numbers = {document.number: document for document in documents}
    columns = (f"{kind}_number", "party__code", f"{kind}_date", "total")
    rows = header.all_objects.for_company(company).filter(**{f"{kind}_number__in": numbers})
    found = {number: tuple(facts) for number, *facts in rows.values_list(*columns)}
    alike = [number for number in found if found[number] == _facts(company, numbers[number])]
    lines = _lines(company, item, owner, f"{owner}__{kind}_number", alike)
    return {
        number: number in lines and lines[number] == _content(numbers[number]) for number in found
    }


def _facts(company: Company, document: SalesDocument) -> Facts:
    currency = company.currency
    amounts = [
        LineAmount(net=net_of(line, currency), tax_rate=line.tax_rate)
        for line in document.lines.values()
    ]
    return document.party_code, document.day, compute_totals(amounts, currency=currency).total


def _content(document: SalesDocument) -> Content:
    """The lines in whatever order; 1.5 and 1.500 are the same as keys, too."""
    return Counter(tuple(getattr(line, name) for name in _LINE) for line in document.lines.values())


def _lines(
    company: Company,
    item: type[InvoiceItem | ReturnItem],
    owner: str,
    number: str,
    wanted: Sequence[str],
) -> Mapping[str, Content]:
    """The lines by the number of their document, of all of them in one query."""
    found: defaultdict[str, Content] = defaultdict(Counter)
    if not wanted:
        return found
    rows = item.objects.filter(**{f"{owner}__company": company, f"{number}__in": wanted})
    for of, *line in rows.values_list(number, *_LINE):
        found[of][tuple(line)] += 1
    return found
