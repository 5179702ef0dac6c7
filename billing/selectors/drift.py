"""Balances against the rows that they are the sums of. Reads only: nothing is repaired here."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Sum

from accounts.models import Company
from billing.models import Balance, Invoice, Party, Payment, Return
from billing.models.invoices import POSTED_STATES
from billing.money import ZERO, round_money

_COLUMNS = ("invoiced", "returned", "paid")


@dataclass(frozen=True)
class Drift:
    """A column of a party's balance that is not the sum of its rows."""

    code: str
    column: str
    kept: Decimal
    counted: Decimal


def drifts_of(company: Company) -> Iterator[Drift]:
    """Every one of them, by the party's code: five queries whatever the number of parties.

    Call it in one transaction that reads consistently, or a posting made meanwhile looks like one.
    """
    counted = {name: _counted(rows, column) for name, rows, column in _sources(company)}
    kept = {
        party_id: amounts
        for party_id, *amounts in Balance.objects.for_company(company).values_list(
            "party_id", *_COLUMNS
        )
    }
    parties = Party.all_objects.for_company(company).order_by("code")
    for party_id, code in parties.values_list("pk", "code").iterator():
        for place, column in enumerate(_COLUMNS):
            has = kept.get(party_id, [ZERO] * 3)[place]
            should = round_money(Decimal(counted[column].get(party_id, ZERO)), company.currency)
            if has != should:
                yield Drift(code, column, Decimal(has), should)


def _sources(company: Company) -> list[tuple[str, "models.QuerySet[Any]", str]]:
    invoices = Invoice.objects.for_company(company).filter(state__in=POSTED_STATES)
    payments = Payment.objects.for_company(company).filter(voided_at=None)
    return [
        ("invoiced", invoices, "total"),
        ("returned", Return.objects.for_company(company), "total"),
        ("paid", payments, "amount"),
    ]


def _counted(rows: "models.QuerySet[Any]", column: str) -> dict[UUID, Decimal]:
    return dict(rows.order_by().values_list("party_id").annotate(Sum(column)))
