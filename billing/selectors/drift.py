"""Balances against the rows that they are the sums of. Reads only: nothing is repaired here.

One statement adds up the documents of many parties and compares: it sees the database as it was at
one moment, so a posting in flight, which moves the balance in its own transaction, is no drift.
Each sum comes from an index alone, in the order of the parties, and only what drifts is returned.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import Company
from billing.models import Balance, Invoice, Party, Payment, Return
from billing.models.invoices import POSTED_STATES
from billing.money import ZERO

_AT_ONCE = 500
_STATES = ", ".join(f"'{state.value}'" for state in POSTED_STATES)
# The conditions are those of the indexes *_sums, word for word. {parties} narrows each part to the
# same parties, since the database does not carry it from one to the other.
_DRIFTING = f"""
WITH invoices AS (
    SELECT party_id, SUM(total) AS amount FROM {Invoice._meta.db_table}
    WHERE company_id = %(company)s AND is_active AND state IN ({_STATES})
        AND party_id {{parties}}
    GROUP BY party_id
), returns AS (
    SELECT party_id, SUM(total) AS amount FROM {Return._meta.db_table}
    WHERE company_id = %(company)s AND is_active AND party_id {{parties}}
    GROUP BY party_id
), payments AS (
    SELECT party_id, SUM(amount) AS amount FROM {Payment._meta.db_table}
    WHERE company_id = %(company)s AND is_active AND voided_at IS NULL AND party_id {{parties}}
    GROUP BY party_id
)
SELECT party.id, balance.id, balance.opening,
    balance.invoiced, balance.returned, balance.paid, balance.current,
    invoices.amount, returns.amount, payments.amount
FROM {Party._meta.db_table} AS party
LEFT JOIN {Balance._meta.db_table} AS balance ON balance.party_id = party.id
    AND balance.company_id = %(company)s AND balance.party_id {{parties}}
LEFT JOIN invoices ON invoices.party_id = party.id
LEFT JOIN returns ON returns.party_id = party.id
LEFT JOIN payments ON payments.party_id = party.id
WHERE party.company_id = %(company)s AND party.id {{parties}} AND (
    {{invoiced_differs}} OR {{returned_differs}} OR {{paid_differs}} OR {{current_differs}}
)
ORDER BY party.id
"""  # noqa: S608  names of our own tables and states
_PAIRS = {
    "invoiced_differs": ("COALESCE(balance.invoiced, 0)", "COALESCE(invoices.amount, 0)"),
    "returned_differs": ("COALESCE(balance.returned, 0)", "COALESCE(returns.amount, 0)"),
    "paid_differs": ("COALESCE(balance.paid, 0)", "COALESCE(payments.amount, 0)"),
    "current_differs": (
        "balance.current",
        "(balance.opening + balance.invoiced - balance.returned - balance.paid)",
    ),
}


@dataclass(frozen=True)
class Account:
    """What a party's balance says (`kept`), and what its documents come to (`counted`)."""

    party_id: UUID
    has_balance: bool
    opening: Decimal
    kept: dict[str, Decimal]
    counted: dict[str, Decimal]

    def drifts(self) -> list[tuple[str, Decimal, Decimal]]:
        """(column, before, after); `current` only where it isn't the sum of its own row."""
        found = [
            (column, self.kept[column], counted)
            for column, counted in self.counted.items()
            if self.kept[column] != counted
        ]
        if self.kept["current"] != self._current(self.kept):
            found.append(("current", self.kept["current"], self.current))
        return found

    @property
    def current(self) -> Decimal:
        """What is owed by the documents."""
        return self._current(self.counted)

    def _current(self, sums: dict[str, Decimal]) -> Decimal:
        return self.opening + sums["invoiced"] - sums["returned"] - sums["paid"]


def drifting_between(company: Company, first: UUID, last: UUID) -> list[Account]:
    """Of the parties whose ids lie between the two, both inside: one statement."""
    bounds = {"first": _key(first), "last": _key(last)}
    return _drifting(company, "BETWEEN %(first)s AND %(last)s", bounds)


def drifting_of(company: Company, party_ids: Collection[UUID]) -> list[Account]:
    """Of these parties: a statement for each few hundred of them, in the order of their ids."""
    ordered = sorted(party_ids)
    found: list[Account] = []
    for start in range(0, len(ordered), _AT_ONCE):
        some = ordered[start : start + _AT_ONCE]
        keys = {f"party{place}": _key(party_id) for place, party_id in enumerate(some)}
        found += _drifting(company, f"IN ({', '.join(f'%({name})s' for name in keys)})", keys)
    return found


def empty_balances_between(company: Company, first: UUID, last: UUID) -> int:
    """Balances that hold nothing at all: harmless, and nobody needs them."""
    nothing = dict.fromkeys(("opening", "invoiced", "returned", "paid", "current"), ZERO)
    rows = Balance.objects.for_company(company).filter(party__gte=first, party__lte=last)
    return rows.filter(**nothing).count()


def _drifting(company: Company, parties: str, parameters: dict[str, Any]) -> list[Account]:
    # Exact decimals differ or don't; SQLite's binary floats by half of the last digit.
    differs = "{} <> {}" if connection.vendor == "postgresql" else "ABS({} - {}) > 0.0005"
    conditions = {name: differs.format(*pair) for name, pair in _PAIRS.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            _DRIFTING.format(parties=parties, **conditions),
            {"company": _key(company.pk), **parameters},
        )
        return [_account(row) for row in cursor.fetchall()]


def _account(row: tuple[Any, ...]) -> Account:
    party_id, balance_id, *amounts = row
    opening, invoiced, returned, paid, current, *counted = (_amount(value) for value in amounts)
    return Account(
        party_id=party_id if isinstance(party_id, UUID) else UUID(party_id),
        has_balance=balance_id is not None,
        opening=opening,
        kept={"invoiced": invoiced, "returned": returned, "paid": paid, "current": current},
        counted=dict(zip(("invoiced", "returned", "paid"), counted, strict=True)),
    )


def _amount(value: Any) -> Decimal:
    """With the three places of the columns, also from SQLite's floats."""
    return Decimal(f"{value or 0:.3f}")


def _key(value: UUID) -> Any:
    """An id as the database takes it."""
    return Party._meta.pk.get_db_prep_value(value, connection)
