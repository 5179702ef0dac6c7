"""Moving balances: every posting calls `move_balances` in its own transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.timezone import now

from accounts.models import Company, User
from billing.audit import acting
from billing.dates import today
from billing.models import Balance, Party
from billing.money import LARGEST, LARGEST_DOCUMENT, ZERO, round_money
from billing.services.periods import require_open


@dataclass(frozen=True)
class Movement:
    """What a posting adds to a party's account. Amounts are positive; a reversal's negative."""

    invoiced: Decimal = ZERO
    returned: Decimal = ZERO
    paid: Decimal = ZERO

    def __add__(self, other: "Movement") -> "Movement":
        return Movement(
            self.invoiced + other.invoiced,
            self.returned + other.returned,
            self.paid + other.paid,
        )


def move_balances(*, company: Company, movements: Mapping[UUID, Movement]) -> None:
    """Add each party's movement to its balance. Must be called in a transaction.

    Raises ValidationError where an inactive party would come to owe something, or to be owed.
    """
    balances = lock_balances(company=company, party_ids=movements)
    for balance in balances:
        _move(balance, movements[balance.party_id])
    _require_in_use(company, balances)
    _save_sums(company, balances)


def _require_in_use(company: Company, balances: Sequence[Balance]) -> None:
    """Asked after the lock that `deactivate_party` takes, and not joined to it: what is joined to a
    row that was waited for is as it was before.
    """
    owing = [balance.party_id for balance in balances if balance.current]
    gone = Party.all_objects.for_company(company).filter(pk__in=owing, is_active=False)
    code = gone.order_by("code").values_list("code", flat=True).first()
    if code is not None:
        raise ValidationError(
            f"The party {code} is inactive, and would get no statement of its balance: activate it "
            "first."
        )


def restate_balances(
    *, company: Company, balances: Sequence[Balance], sums: Mapping[UUID, Movement]
) -> None:
    """Put what all of a party's documents come to in place of what its locked balance says."""
    for balance in balances:
        found = sums[balance.party_id]
        balance.invoiced, balance.returned, balance.paid = (
            found.invoiced,
            found.returned,
            found.paid,
        )
        _sum_up(balance)
    _save_sums(company, balances)


def _save_sums(company: Company, balances: Sequence[Balance]) -> None:
    Balance.objects.for_company(company).bulk_update(
        balances, ["invoiced", "returned", "paid", "current", "updated_at"], batch_size=500
    )


def lock_balances(*, company: Company, party_ids: Iterable[UUID]) -> list[Balance]:
    """The parties' balances, made where missing, locked in the order of their keys.

    The one order is what keeps two postings from waiting for each other for ever.
    """
    wanted = set(party_ids)
    rows = Balance.objects.for_company(company).filter(party_id__in=wanted)
    missing = wanted - set(rows.values_list("party_id", flat=True))
    if missing:
        Balance.objects.bulk_create(
            [Balance(company=company, party_id=party_id) for party_id in sorted(missing)],
            ignore_conflicts=True,  # two first postings of a party at once
        )
    return list(rows.order_by("pk").select_for_update())


def _move(balance: Balance, movement: Movement) -> None:
    balance.invoiced += movement.invoiced
    balance.returned += movement.returned
    balance.paid += movement.paid
    _sum_up(balance)


def _sum_up(balance: Balance) -> None:
    balance.current = balance.opening + balance.invoiced - balance.returned - balance.paid
    balance.updated_at = now()
    amounts = (balance.invoiced, balance.returned, balance.paid, balance.current)
    if any(abs(amount) >= LARGEST for amount in amounts):
        raise ValidationError(f"The party's balance would come to {LARGEST:,} or more.")


def set_opening(
    *, party: Party, opening: Decimal, opening_date: date | None, by: User | None
) -> Balance:
    """What the party owed (or, negative, had to its credit) when it was taken over, and when.

    Raises ValidationError, by field: no amount of the currency, an amount without its date, a date
    in the future, and a change of what the closed books hold.
    """
    company = party.company
    _check_opening(company, opening, opening_date)
    with acting(by), transaction.atomic():
        [balance] = lock_balances(company=company, party_ids=[party.pk])
        if (balance.opening, balance.opening_date) == (opening, opening_date):
            return balance
        if balance.opening:
            require_open(company=company, day=balance.opening_date, field="opening_date")
        if opening:
            require_open(company=company, day=opening_date, field="opening_date")
        balance.opening, balance.opening_date = opening, opening_date
        _sum_up(balance)
        _require_in_use(company, [balance])
        balance.save(update_fields=["opening", "opening_date", "current", "updated_at"])
    return balance


def _check_opening(company: Company, opening: Decimal, day: date | None) -> None:
    if not opening.is_finite() or abs(opening) >= LARGEST_DOCUMENT:
        raise ValidationError({"opening": f"The amount must be less than {LARGEST_DOCUMENT:,}."})
    if opening != round_money(opening, company.currency):
        raise ValidationError(
            {"opening": f"{company.currency} has no such fraction as in {opening}."}
        )
    if opening and day is None:
        raise ValidationError({"opening_date": "An opening balance needs its date."})
    if day is not None and day > today(company):
        raise ValidationError({"opening_date": "The date is in the future."})
