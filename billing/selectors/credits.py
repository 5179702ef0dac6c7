"""A party's unapplied credit: what it paid or gave back that settles no invoice yet."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from billing.models import Balance, Party, Payment, Return
from billing.models.fields import amount_field
from billing.money import ZERO, round_money, total


@dataclass(frozen=True, slots=True)
class Credit:
    """A payment or return with something left to apply. `kind` is "payment" or "return"."""

    day: date
    number: str
    kind: str
    pk: UUID
    amount: Decimal
    rest: Decimal


def unapplied_sources(party: Party) -> list[Credit]:
    """The party's payments and returns with something left to apply, oldest first. One query."""
    payments = Payment.objects.for_company(party.company_id).filter(party=party, voided_at=None)
    returns = Return.objects.for_company(party.company_id).filter(party=party)
    rows = _open(payments, "payment", "amount").union(_open(returns, "return", "total"), all=True)
    currency = party.company.currency
    return [
        Credit(day, number, kind, pk, amount, round_money(amount - Decimal(applied), currency))
        for day, number, kind, pk, amount, applied in rows.order_by("day", "number", "kind")
    ]


def unapplied_credit(party: Party) -> Decimal:
    """All of it, with what the party had to its credit when it was taken over; less what it owed
    then, which nothing else pays. Two queries.

    The same as the statement's `Account.unapplied`, which is negative, once all is dated.
    """
    balances = Balance.objects.for_company(party.company_id).filter(party=party)
    opening = balances.values_list("opening", flat=True).first() or ZERO
    return max(total(source.rest for source in unapplied_sources(party)) - opening, ZERO)


def _open(rows: QuerySet[Any], kind: str, amount: str) -> QuerySet[Any, Any]:
    applied = Coalesce(Sum("allocations__amount"), Value(ZERO), output_field=amount_field())
    found: QuerySet[Any, Any] = (
        rows.order_by()
        .annotate(
            day=F(f"{kind}_date"),
            number=F(f"{kind}_number"),
            kind=Value(kind, output_field=CharField()),
            value=F(amount),
            applied=applied,
        )
        # Half the last digit: SQLite sums in binary floats.
        .filter(value__gt=F("applied") + Decimal("0.0005"))
        .values_list("day", "number", "kind", "pk", "value", "applied")
    )
    return found
