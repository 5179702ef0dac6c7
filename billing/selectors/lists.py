"""What lists read: their pages, their totals, and their rows for export. How to use it:

    SORTS = {"date": Sort("payment_date", descending=True), "amount": Sort("amount")}
    page = page_of(rows, all_rows=..., sort=SORTS["date"], edge=Edge.of(request.GET), size=50)

A sort's column is never null and has an index (company, column, id). Nothing here counts all rows
of a company for a page: a page reads one row more than it shows.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Count, F, Q, Sum

from accounts.models import Company
from billing.models import Invoice, InvoiceState, Party
from billing.money import ZERO, round_money
from billing.numbering import as_printed
from documents.selectors import Edge, Page, by_column

# As many parties as a search looks up the papers of.
_MOST_PARTIES = 500


@dataclass(frozen=True)
class Sort:
    """A column that a list may be sorted by; `descending` is what its first click gives."""

    column: str
    descending: bool = False


@dataclass(frozen=True)
class Order:
    """A sort in one of its two directions, as the address says it: `total` or `-total`."""

    name: str
    sort: Sort
    descending: bool

    @classmethod
    def of(cls, text: str, sorts: dict[str, Sort], default: str) -> "Order":
        """What is asked for, or the default for what nobody may ask for."""
        name = text.removeprefix("-")
        if name not in sorts:
            return cls(default, sorts[default], sorts[default].descending)
        return cls(name, sorts[name], text.startswith("-"))

    @property
    def text(self) -> str:
        return f"-{self.name}" if self.descending else self.name

    @property
    def columns(self) -> tuple[str, str]:
        sign = "-" if self.descending else ""
        return f"{sign}{self.sort.column}", f"{sign}id"


def page_of(
    rows: "models.QuerySet[Any]",
    *,
    all_rows: "models.QuerySet[Any]",
    order: Order,
    edge: Edge,
    size: int,
) -> Page[Any]:
    return by_column(
        rows,
        all_rows=all_rows,
        column=order.sort.column,
        descending=order.descending,
        edge=edge,
        size=size,
    )


def sums_of(
    rows: "models.QuerySet[Any]", columns: dict[str, Any], currency: str
) -> dict[str, Decimal]:
    """`count` and the sum of each column, in one query. A column is a name or an expression."""
    found = rows.order_by().aggregate(
        count=Count("pk"),
        **{f"sum_{name}": Sum(column, default=ZERO) for name, column in columns.items()},
    )
    sums = {name: round_money(Decimal(found[f"sum_{name}"]), currency) for name in columns}
    return {"count": Decimal(found["count"]), **sums}


def find_parties(company: Company, text: str, limit: int = 20) -> "list[Party]":
    """Parties whose code or name holds `text`; those that begin with it first."""
    parties = Party.objects.for_company(company)
    begins = Q(code__istartswith=text) | Q(name__istartswith=text)
    holds = Q(code__icontains=text) | Q(name__icontains=text)
    rank = models.Case(models.When(begins, then=0), default=1, output_field=models.IntegerField())
    found = parties.filter(holds).order_by(rank, "name", "id") if text else parties.order_by("name")
    return list(found.only("company_id", "code", "name", "payment_terms_days")[:limit])


def search_papers(
    rows: "models.QuerySet[Any]", company: Company, text: str, *numbers: str, parties: bool = True
) -> "models.QuerySet[Any]":
    """Rows whose `numbers` (columns of texts) begin with `text`, or whose party holds it. The first
    column is the printed number, which its counted part finds as well: 42 of INV-2026-00042.

    The parties are looked up first: with their ids each condition can use an index of its own.
    """
    found = Q(**{f"{numbers[0]}__in": as_printed(company, rows.model, text)})
    for column in numbers:
        found |= Q(**{f"{column}__startswith": text})
        if text.upper() != text:
            found |= Q(**{f"{column}__startswith": text.upper()})
    if parties:
        holds = Q(code__istartswith=text) | Q(name__icontains=text)
        ids = Party.all_objects.for_company(company).filter(holds).values_list("pk", flat=True)
        found |= Q(party__in=list(ids[:_MOST_PARTIES]))
    return rows.filter(found)


# What a row of the list of invoices shows.
_LISTED = (
    "company_id",
    "party_id",
    "party__code",
    "party__name",
    "invoice_number",
    "state",
    "invoice_date",
    "due_date",
    "reference",
    "currency",
    "total",
    "paid",
    "returned",
    "is_active",
)


def all_invoices(company: Company) -> "models.QuerySet[Invoice]":
    return Invoice.objects.for_company(company)


def listed_invoices(company: Company) -> "models.QuerySet[Invoice]":
    return all_invoices(company).select_related("party").only(*_LISTED)


def invoice_page_rows(company: Company) -> "models.QuerySet[Invoice]":
    """For pages of one invoice: its party comes along."""
    return all_invoices(company).select_related("party", "created_by")


INVOICE_SORTS = {
    "date": Sort("invoice_date", descending=True),
    "due": Sort("due_date"),
    "number": Sort("invoice_number", descending=True),
    "total": Sort("total", descending=True),
}
# Drafts owe nothing yet and voids nothing any more, so neither is in the sums of what is due.
INVOICE_SUMS = {
    "total": models.Case(
        models.When(state__in=(InvoiceState.DRAFT, InvoiceState.VOID), then=ZERO),
        default=F("total"),
        output_field=models.DecimalField(max_digits=18, decimal_places=3),
    ),
    "due": models.Case(
        models.When(state__in=(InvoiceState.DRAFT, InvoiceState.VOID), then=ZERO),
        default=F("total") - F("paid") - F("returned"),
        output_field=models.DecimalField(max_digits=18, decimal_places=3),
    ),
}
