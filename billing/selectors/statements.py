"""Parties' accounts over a period, read with a handful of set-based queries for all at once.

opening + movements within the period = closing, and the closing of one period is the opening of
the next: both are sums over the same rows, cut at a date. A later payment does not reduce an
earlier statement; both boundary days of the period are inside it, once.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db.models import CharField, Count, DateField, F, IntegerField, Q, QuerySet, Sum, Value

from accounts.models import Company
from billing.dates import Period
from billing.models import Allocation, Balance, Invoice, Party, Payment, Return
from billing.models.invoices import POSTED_STATES
from billing.money import ZERO, round_money, total

# Ageing: each bucket's name, and the most days past due that still fall into it.
BUCKETS: dict[str, int] = {
    "not_due": 0,
    "days_1_30": 30,
    "days_31_60": 60,
    "days_61_90": 90,
    "over_90": 1_000_000,
}
NO_MOVEMENT = "no movement and zero balance"
INACTIVE = "inactive"
_OF_A_ROW = ("company_id", "code", "name", "email", "is_active")


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of an account: a debit (invoice) or a credit (payment, return)."""

    day: date
    kind: str
    reference: str
    due: date | None
    amount: Decimal

    @property
    def signed(self) -> Decimal:
        """What it adds to the balance: a debit is positive, a credit negative."""
        return -self.amount if self.kind in ("return", "payment") else self.amount


@dataclass(slots=True)
class Account:
    """A party's account over a period. Amounts are rounded to the company's currency."""

    party: Party
    opening: Decimal = ZERO
    taken_over: Decimal = ZERO  # an opening balance that is dated within the period
    taken_over_on: date | None = None
    invoiced: Decimal = ZERO
    returned: Decimal = ZERO
    paid: Decimal = ZERO
    movements: int = 0
    ageing: dict[str, Decimal] = field(default_factory=dict)
    owed_before: tuple[str, Decimal] = ("", ZERO)  # debt that was taken over, and its bucket

    @property
    def closing(self) -> Decimal:
        return self.opening + self.taken_over + self.invoiced - self.returned - self.paid

    @property
    def debits(self) -> Decimal:
        """What the lines of the period add; a balance taken over within it is one of them."""
        return self.invoiced + max(self.taken_over, ZERO)

    @property
    def credits(self) -> Decimal:
        return self.returned + self.paid + max(-self.taken_over, ZERO)

    @property
    def unapplied(self) -> Decimal:
        """Credit that pays neither an invoice nor what was taken over, as a negative amount."""
        return self.closing - total(self.ageing.values())

    @property
    def left_out(self) -> str:
        """Why the party gets no statement in a usual run; empty if it gets one."""
        if not self.party.is_active:
            return INACTIVE
        if not self.movements and not self.closing:
            return NO_MOVEMENT
        return ""


@dataclass(frozen=True)
class _Source:
    """A table that moves accounts: which of its rows count, and the names of its columns."""

    rows: QuerySet[Any]
    kind: str
    day: str
    number: str
    due: str | None = None
    total: str = "total"


Chosen = Collection[UUID] | None  # ids of parties; None: all


def _of(chosen: Chosen, column: str = "party_id") -> Q:
    return Q() if chosen is None else Q(**{f"{column}__in": chosen})


def _sources(company: Company, until: date, chosen: Chosen) -> dict[str, _Source]:
    """The tables by the column of the account that they sum up to, cut at `until`."""
    of = _of(chosen)
    invoices = Invoice.objects.for_company(company).filter(of, state__in=POSTED_STATES)
    returns = Return.objects.for_company(company).filter(of)
    payments = Payment.objects.for_company(company).filter(of, voided_at=None)
    return {
        "invoiced": _Source(
            invoices.filter(invoice_date__lte=until),
            "invoice",
            "invoice_date",
            "invoice_number",
            "due_date",
        ),
        "returned": _Source(
            returns.filter(return_date__lte=until), "return", "return_date", "return_number"
        ),
        "paid": _Source(
            payments.filter(payment_date__lte=until),
            "payment",
            "payment_date",
            "payment_number",
            total="amount",
        ),
    }


def read_accounts(company: Company, period: Period, chosen: Chosen = None) -> dict[UUID, Account]:
    """Every party's account by its id, in the order of the codes; of the chosen ones only.

    Seven queries whatever the number of parties. Call it inside one transaction that reads
    consistently, or a posting made meanwhile may be seen by one query and not by another.
    """
    accounts = _summed(company, period, chosen, Party.all_objects.for_company(company))
    _age(company, period.end, accounts, chosen)
    _round(accounts, company.currency)
    _round_ageing(accounts, company.currency)
    _pay_openings(accounts)
    return accounts


def read_sums(company: Company, period: Period, chosen: Chosen = None) -> dict[UUID, Account]:
    """As `read_accounts`, in five queries: without the ageing, and of a party what a row shows."""
    parties = Party.all_objects.for_company(company).only(*_OF_A_ROW)
    accounts = _summed(company, period, chosen, parties)
    _round(accounts, company.currency)
    return accounts


def _summed(
    company: Company, period: Period, chosen: Chosen, parties: QuerySet[Party]
) -> dict[UUID, Account]:
    wanted = parties.filter(_of(chosen, "pk")).order_by("code")
    accounts = {party.pk: Account(party=party) for party in wanted.iterator()}
    _add_openings(company, period, accounts, chosen)
    for column, source in _sources(company, period.end, chosen).items():
        _add_sums(accounts, column, source, period)
    return accounts


def _add_openings(
    company: Company, period: Period, accounts: Mapping[UUID, Account], chosen: Chosen
) -> None:
    """Balances that were taken over: before the period, or, dated within it, as a line of it."""
    balances = Balance.objects.for_company(company).filter(_of(chosen)).exclude(opening=0)
    for party_id, opening, day in balances.values_list("party_id", "opening", "opening_date"):
        account = accounts[party_id]
        if day is None or day < period.start:
            account.opening += opening
        elif day <= period.end:
            account.taken_over, account.taken_over_on = opening, day
            account.movements += 1
        else:
            continue
        _age_opening(account, opening, (period.end - (day or date.min)).days)


def _age_opening(account: Account, amount: Decimal, days: int) -> None:
    """Taken-over debt is aged from its date; without one it is of the oldest."""
    if amount > 0:
        name = next(name for name, most in BUCKETS.items() if days <= most)
        account.ageing[name] = account.ageing.get(name, ZERO) + amount
        account.owed_before = (name, amount)


def _pay_openings(accounts: Mapping[UUID, Account]) -> None:
    """No payment can be applied to debt that was taken over: what was applied to no invoice by the
    period's end pays it, until it is.
    """
    for account in accounts.values():
        name, amount = account.owed_before
        if amount:
            account.ageing[name] -= min(amount, max(-account.unapplied, ZERO))


def _add_sums(
    accounts: Mapping[UUID, Account], column: str, source: _Source, period: Period
) -> None:
    within = Q(**{f"{source.day}__gte": period.start})
    sign = 1 if column == "invoiced" else -1
    sums = (
        source.rows.order_by()
        .values_list("party_id")
        .annotate(
            before=Sum(source.total, filter=~within, default=ZERO),
            within=Sum(source.total, filter=within, default=ZERO),
            movements=Count("pk", filter=within),
        )
    )
    for party_id, before, inside, movements in sums:
        account = accounts[party_id]
        account.opening += sign * before
        setattr(account, column, inside)
        account.movements += movements


def _age(company: Company, end: date, accounts: Mapping[UUID, Account], chosen: Chosen) -> None:
    """What is open of each party's invoices at `end`, by days past due at `end`, not at now.

    Open = invoiced less what was applied by then. Sums are linear, so two grouped queries do, and
    invoices that are settled come to nothing by themselves. What a deleted or voided credit was
    applied to is open again.
    """
    invoices = _sources(company, end, chosen)["invoiced"].rows
    applied = Allocation.objects.for_company(company).filter(
        _of(chosen, "invoice__party_id"),
        Q(payment__is_active=True, payment__voided_at=None) | Q(return_document__is_active=True),
        invoice__is_active=True,
        invoice__state__in=POSTED_STATES,
        invoice__invoice_date__lte=end,
        applied_on__lte=end,
    )
    _add_buckets(accounts, invoices, "party_id", "total", "due_date", end, +1)
    _add_buckets(accounts, applied, "invoice__party_id", "amount", "invoice__due_date", end, -1)


def _add_buckets(
    accounts: Mapping[UUID, Account],
    rows: QuerySet[Any],
    party: str,
    amount: str,
    due: str,
    end: date,
    sign: int,
) -> None:
    sums = {name: Sum(amount, filter=_in_bucket(name, due, end), default=ZERO) for name in BUCKETS}
    for party_id, *amounts in rows.order_by().values_list(party).annotate(**sums):
        ageing = accounts[party_id].ageing
        for name, value in zip(BUCKETS, amounts, strict=True):
            ageing[name] = ageing.get(name, ZERO) + sign * value


def _in_bucket(name: str, due: str, end: date) -> Q:
    """The condition that a due date lies `lowest` to `highest` days before `end`."""
    names = list(BUCKETS)
    place = names.index(name)
    condition = Q()
    if name != names[-1]:
        condition &= Q(**{f"{due}__gte": end - timedelta(days=BUCKETS[name])})
    if place > 0:
        condition &= Q(**{f"{due}__lt": end - timedelta(days=BUCKETS[names[place - 1]])})
    return condition


def _round(accounts: Mapping[UUID, Account], currency: str) -> None:
    """SQLite sums in binary floats: bring every sum back to the currency's minor unit."""
    for account in accounts.values():
        for column in ("opening", "taken_over", "invoiced", "returned", "paid"):
            amount = getattr(account, column)
            if amount:  # most are nothing, and there may be a hundred thousand accounts
                setattr(account, column, round_money(Decimal(amount), currency))


def _round_ageing(accounts: Mapping[UUID, Account], currency: str) -> None:
    for account in accounts.values():
        account.ageing = {
            name: round_money(Decimal(account.ageing.get(name, ZERO)), currency) for name in BUCKETS
        }


def read_movements(
    company: Company, period: Period, chosen: Chosen = None
) -> Iterator[tuple[UUID, list[Movement]]]:
    """The lines of each party that has any within the period, streamed in the order of the codes.

    Within a party: by date; on one day invoices first, then returns, then payments; by number.
    """
    first, *others = (
        _lines(place, source, period)
        for place, source in enumerate(_sources(company, period.end, chosen).values())
    )
    rows = first.union(*others, all=True).order_by(
        "party__code", "line_day", "line_place", "line_number"
    )
    for party_id, lines in groupby(rows.iterator(chunk_size=5000), key=itemgetter(0)):
        yield party_id, [Movement(*line[3:]) for line in lines]


def _lines(place: int, source: _Source, period: Period) -> QuerySet[Any, Any]:
    due = F(source.due) if source.due else Value(None, output_field=DateField(null=True))
    lines: QuerySet[Any, Any] = (
        source.rows.order_by()
        .filter(**{f"{source.day}__gte": period.start})
        .annotate(
            line_place=Value(place, output_field=IntegerField()),
            line_day=F(source.day),
            line_kind=Value(source.kind, output_field=CharField()),
            line_number=F(source.number),
            line_due=due,
            line_value=F(source.total),
        )
        .values_list(
            "party_id",
            "party__code",
            "line_place",
            "line_day",
            "line_kind",
            "line_number",
            "line_due",
            "line_value",
        )
    )
    return lines
