"""What a run of statements would make now: for whom, of how much, and for whom not and why.

The sums are read by the same code that the run reads them with, so they are what it prints.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db import models

from accounts.models import Company
from billing.dates import Period
from billing.kinds import STATEMENT
from billing.money import ZERO
from billing.selectors.statement_runs import Selection
from billing.selectors.statements import Account, read_sums
from documents.consistency import consistent_read
from documents.models import Document
from documents.selectors import Edge, all_documents

INCLUDED, LEFT_OUT, NO_EMAIL, MADE = "included", "left-out", "no-email", "made"


@dataclass
class Sums:
    opening: Decimal = ZERO
    debits: Decimal = ZERO
    credits: Decimal = ZERO
    closing: Decimal = ZERO

    def add(self, account: Account) -> None:
        self.opening += account.opening
        self.debits += account.debits
        self.credits += account.credits
        self.closing += account.closing


@dataclass
class DryRun:
    """`shown` holds the rows of each part in the order of the codes, `reasons` why who is out."""

    shown: dict[str, list[Account]] = field(
        default_factory=lambda: {part: [] for part in (INCLUDED, LEFT_OUT, NO_EMAIL, MADE)}
    )
    reasons: dict[UUID, str] = field(default_factory=dict)
    totals: Sums = field(default_factory=Sums)

    def count(self, part: str) -> int:
        return len(self.shown[part])

    @property
    def left_out_by_reason(self) -> list[tuple[str, int]]:
        return Counter(self.reasons.values()).most_common()

    def add(self, account: Account, reason: str, *, is_made: bool) -> None:
        if reason:
            self.reasons[account.party.pk] = reason
            self.shown[LEFT_OUT].append(account)
            return
        self.totals.add(account)
        self.shown[INCLUDED].append(account)
        if not account.party.email:
            self.shown[NO_EMAIL].append(account)
        if is_made:
            self.shown[MADE].append(account)


def read_dry_run(company: Company, period: Period, selection: Selection) -> DryRun:
    """Six queries, whatever the number of parties."""
    with consistent_read():
        accounts = read_sums(company, period, selection.parties)
        made = set(statements_over(company, period).values_list("subject_id", flat=True))
    found = DryRun()
    for account in accounts.values():
        found.add(account, selection.left_out(account), is_made=account.party.pk in made)
    return found


def statements_over(company: Company, period: Period) -> "models.QuerySet[Document]":
    return all_documents(company).filter(
        kind=STATEMENT.name, period_start=period.start, period_end=period.end
    )


@dataclass(frozen=True)
class AccountPage:
    """Rows, and the keys that lead on, as `documents.selectors.Page` has them."""

    rows: list[Account]
    previous: str | None
    next: str | None
    is_first: bool


def page_of_accounts(accounts: Sequence[Account], edge: Edge, size: int) -> AccountPage:
    """A page that begins after, or ends before, the party whose id `edge` names."""
    place = _place(accounts, edge.before or edge.after)
    if place is None:
        start = 0
    elif edge.before:
        start = max(0, place - size)
    else:
        start = place + 1
    end = place if edge.before and place is not None else start + size
    rows = list(accounts[start:end])
    previous = str(rows[0].party.pk) if rows and start else None
    following = str(rows[-1].party.pk) if rows and end < len(accounts) else None
    return AccountPage(rows, previous, following, is_first=start == 0)


def _place(accounts: Sequence[Account], key: str) -> int | None:
    places = (place for place, account in enumerate(accounts) if str(account.party.pk) == key)
    return next(places, None) if key else None
