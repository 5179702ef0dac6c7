"""Which numbers of a chunk are in the books already, and whether they stand for the same there."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from accounts.models import Company
from billing.imports.documents import SalesDocument
from billing.models import Invoice, Return
from billing.money import LineAmount, compute_totals, line_amount

Facts = tuple[str, date, Decimal]  # the party's code, the date, the total


def numbers_in_books(company: Company, documents: Sequence[SalesDocument]) -> dict[str, bool]:
    """Of the documents that are in the books: whether they are there with the same content."""
    invoices = [document for document in documents if not document.is_return]
    returns = [document for document in documents if document.is_return]
    return {
        **_compared(company, invoices, Invoice, "invoice"),
        **_compared(company, returns, Return, "return"),
    }


def _compared(
    company: Company,
    documents: Sequence[SalesDocument],
    header: type[Invoice | Return],
    kind: str,
) -> dict[str, bool]:
    numbers = {document.number: document for document in documents}
    columns = (f"{kind}_number", "party__code", f"{kind}_date", "total")
    rows = header.all_objects.for_company(company).filter(**{f"{kind}_number__in": numbers})
    found = {number: tuple(facts) for number, *facts in rows.values_list(*columns)}
    return {number: found[number] == _facts(company, numbers[number]) for number in found}


def _facts(company: Company, document: SalesDocument) -> Facts:
    currency = company.currency
    amounts = [
        LineAmount(
            net=line_amount(quantity=line.quantity, unit_price=line.unit_price, currency=currency),
            tax_rate=line.tax_rate,
        )
        for line in document.lines.values()
    ]
    return document.party_code, document.day, compute_totals(amounts, currency=currency).total
