"""What the pages of payments, returns, challans and parties read."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.models import Company
from billing.models import (
    Allocation,
    Challan,
    Invoice,
    InvoiceItem,
    InvoiceState,
    Party,
    Payment,
    Return,
)
from billing.models.fields import amount_field
from billing.money import ZERO, round_money, total
from billing.selectors.lists import Sort
from documents.models import Document
from documents.selectors import all_documents

OPEN_STATES = (InvoiceState.ISSUED, InvoiceState.PART_PAID)
MOST_OPEN = 200  # invoices that are offered to be settled at once
PAYMENT_SORTS = {
    "date": Sort("payment_date", descending=True),
    "number": Sort("payment_number", descending=True),
}
RETURN_SORTS = {
    "date": Sort("return_date", descending=True),
    "number": Sort("return_number", descending=True),
}
CHALLAN_SORTS = {
    "date": Sort("challan_date", descending=True),
    "number": Sort("challan_number", descending=True),
}
PARTY_SORTS = {"code": Sort("code"), "name": Sort("name")}
# Void payments were given back: they are in no sum.
RECEIVED = models.Case(
    models.When(voided_at__isnull=False, then=ZERO),
    default=F("amount"),
    output_field=amount_field(),
)


def all_payments(company: Company) -> "models.QuerySet[Payment]":
    return Payment.objects.for_company(company)


def listed_payments(company: Company) -> "models.QuerySet[Payment]":
    """With what of each settles an invoice, as `applied`."""
    rows = all_payments(company).select_related("party", "invoice", "created_by")
    return rows.annotate(applied=_applied("payment"))


def payment_page_rows(company: Company) -> "models.QuerySet[Payment]":
    return all_payments(company).select_related("party", "invoice", "created_by")


def all_returns(company: Company) -> "models.QuerySet[Return]":
    return Return.objects.for_company(company)


def listed_returns(company: Company) -> "models.QuerySet[Return]":
    return all_returns(company).select_related("party", "invoice")


def return_page_rows(company: Company) -> "models.QuerySet[Return]":
    rows = all_returns(company).select_related("party", "invoice", "created_by")
    return rows.annotate(applied=_applied("return_document"))


def all_challans(company: Company) -> "models.QuerySet[Challan]":
    return Challan.objects.for_company(company)


def listed_challans(company: Company) -> "models.QuerySet[Challan]":
    return all_challans(company).select_related("party", "invoice")


def challan_page_rows(company: Company) -> "models.QuerySet[Challan]":
    return all_challans(company).select_related("party", "invoice", "created_by")


def all_parties(company: Company) -> "models.QuerySet[Party]":
    """Inactive ones too, with their balance."""
    return Party.all_objects.for_company(company).select_related("balance")


def _applied(source: str) -> Coalesce:
    sums = (
        Allocation.objects.across_companies()  # each row's own, and the row is of the company
        .filter(**{source: OuterRef("pk")})
        .order_by()
        .values(source)
        .values(sum=Sum("amount"))
    )
    return Coalesce(Subquery(sums), ZERO, output_field=amount_field())


def rest_of(source: Payment | Return, applied: Decimal) -> Decimal:
    """What of it settles no invoice yet; nothing of a void payment."""
    if isinstance(source, Payment):
        amount = ZERO if source.voided_at else Decimal(source.amount)
    else:
        amount = Decimal(source.total)
    return max(amount - round_money(Decimal(applied), source.currency), ZERO)


def allocations_of(source: Payment | Return) -> list[Allocation]:
    """Which invoices it settles, the oldest first."""
    rows = source.allocations.select_related("invoice")
    return list(rows.order_by("invoice__invoice_date", "invoice__invoice_number", "pk"))


def open_invoices(party: Party) -> list[Invoice]:
    """The party's invoices with something due, the oldest first; at most MOST_OPEN."""
    rows = Invoice.objects.for_company(party.company_id).filter(party=party, state__in=OPEN_STATES)
    return list(rows.order_by("invoice_date", "invoice_number", "id")[:MOST_OPEN])


def spread_oldest_first(amount: Decimal, invoices: Sequence[Invoice]) -> dict[str, Decimal]:
    """How much of `amount` goes to which invoice (by its id), as long as it lasts."""
    shares: dict[str, Decimal] = {}
    left = amount
    for invoice in invoices:
        share = min(left, invoice.due)
        if share <= 0:
            continue
        shares[str(invoice.pk)] = share
        left -= share
    return shares


@dataclass(frozen=True)
class Returnable:
    """An item of an invoice, and how much of it can still come back."""

    item: InvoiceItem
    returned: Decimal

    @property
    def most(self) -> Decimal:
        return max(Decimal(self.item.quantity) - self.returned, ZERO)


def returnable_items(invoice: Invoice) -> list[Returnable]:
    """One query. Deleted returns don't count."""
    counts = Q(returned_in__return_document__is_active=True)
    rows = invoice.items.annotate(back=Sum("returned_in__quantity", filter=counts))
    # SQLite sums in binary floats.
    return [Returnable(item, round(Decimal(item.back or 0), 3)) for item in rows]


def papers_about(company: Company, party: Party, limit: int = 8) -> list[Document]:
    """The party's latest papers."""
    rows = all_documents(company).filter(recipient_id=party.pk).defer("snapshot")
    return list(rows.order_by("-created_at", "-id")[:limit])


def sum_due(invoices: Sequence[Invoice]) -> Decimal:
    return total(invoice.due for invoice in invoices)


def find_invoice(company: Company, number: str) -> Invoice | None:
    """The issued invoice of this number, however it was typed."""
    text = number.strip()
    rows = Invoice.objects.for_company(company).select_related("party")
    wanted: Any = {text, text.upper()}
    return rows.filter(invoice_number__in=wanted).exclude(invoice_number="").first()
