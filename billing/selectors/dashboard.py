"""The figures of the first page: two queries, both sums over indexed ranges."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q, Subquery, Sum

from accounts.models import Company
from billing.dates import Period
from billing.models import Balance, Invoice, InvoiceState, Payment
from billing.models.invoices import POSTED_STATES
from billing.money import ZERO, round_money, total
from billing.selectors.statements import BUCKETS

_OPEN = (InvoiceState.ISSUED, InvoiceState.PART_PAID)
_LABELS = {
    "not_due": "Not due",
    "days_1_30": "1–30 days",
    "days_31_60": "31–60 days",
    "days_61_90": "61–90 days",
    "over_90": "Over 90 days",
}


@dataclass(frozen=True)
class Bucket:
    """Open invoices by days past due: what they come to, and how many they are."""

    name: str
    label: str
    amount: Decimal
    count: int


@dataclass(frozen=True)
class Figures:
    """Amounts in the company's currency. `receivable` is what all parties owe, less credit."""

    receivable: Decimal
    invoiced: Decimal
    received: Decimal
    month: Period
    buckets: list[Bucket]

    @property
    def overdue(self) -> Decimal:
        return total(bucket.amount for bucket in self.buckets if bucket.name != "not_due")

    @property
    def on_account(self) -> Decimal:
        """What is no open invoice: opening balances less credit that was not applied."""
        return self.receivable - total(bucket.amount for bucket in self.buckets)


def figures_of(company: Company, day: date) -> Figures:
    month = Period.month(f"{day:%Y-%m}")
    receivable, invoiced, received = _sums(company, month)
    return Figures(receivable, invoiced, received, month, _buckets(company, day))


def _sums(company: Company, month: Period) -> list[Decimal]:
    """What is owed, and what the month brought, in one query."""
    days = (month.start, month.end)
    invoices = Invoice.objects.for_company(company).filter(
        state__in=POSTED_STATES, invoice_date__range=days
    )
    payments = Payment.objects.for_company(company).filter(voided_at=None, payment_date__range=days)
    sums = [
        _sum(Balance.objects.for_company(company), "current"),
        _sum(invoices, "total"),
        _sum(payments, "amount"),
    ]
    [found] = Company.objects.filter(pk=company.pk).values_list(*sums)
    return [round_money(Decimal(amount or ZERO), company.currency) for amount in found]


def _sum(rows: "models.QuerySet[Any]", column: str) -> Subquery:
    return Subquery(rows.order_by().values("company").annotate(sum=Sum(column)).values("sum"))


def _buckets(company: Company, day: date) -> list[Bucket]:
    due = F("total") - F("paid") - F("returned")
    rows = Invoice.objects.for_company(company).filter(state__in=_OPEN)
    found = rows.order_by().aggregate(
        **{f"sum_{name}": Sum(due, filter=_within(name, day), default=ZERO) for name in BUCKETS},
        **{f"count_{name}": models.Count("pk", filter=_within(name, day)) for name in BUCKETS},
    )
    return [
        Bucket(
            name,
            _LABELS[name],
            round_money(Decimal(found[f"sum_{name}"]), company.currency),
            found[f"count_{name}"],
        )
        for name in BUCKETS
    ]


def _within(name: str, day: date) -> Q:
    """Due so many days before `day`: more than the bucket before it, at most its own."""
    names = list(BUCKETS)
    place = names.index(name)
    condition = Q()
    if name != names[-1]:
        condition &= Q(due_date__gte=day - timedelta(days=BUCKETS[name]))
    if place:
        condition &= Q(due_date__lt=day - timedelta(days=BUCKETS[names[place - 1]]))
    return condition
