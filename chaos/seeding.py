"""A company with books of several months, seeded: what statements are printed from."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from accounts.models import Company, Membership, Role, User
from billing.dates import Period, today
from billing.imports.documents import SalesDocument
from billing.imports.lines import SalesLine
from billing.imports.posting import post_documents
from billing.models import Party
from documents.models import Schedule
from documents.services.mail_settings import change_mail_settings

EMAIL, PASSWORD = "owner@billing.test", "harbour-vale-2026"
SLUG = "chaos"
_MONTHS = 6
_AT_ONCE = 500


@dataclass(frozen=True)
class Books:
    company: Company
    owner: User
    parties: list[Party]
    periods: list[Period]  # that are over: nothing is posted into them any more


def seed(*, number: int, parties: int) -> Books:
    chance = random.Random(number)
    company = Company.objects.create(
        slug=SLUG, legal_name="Harbour & Vale Ltd", country="GB", currency="GBP", locale="en_GB"
    )
    owner = User.objects.create_user(EMAIL, PASSWORD)
    Membership.objects.create(user=owner, company=company, role=Role.OWNER)
    change_mail_settings(company=company, by=None, per_minute=6000)
    periods = _months_before(today(company))
    chunk: list[SalesDocument] = []
    for document in _documents(chance, parties, periods):
        chunk.append(document)
        if len(chunk) == _AT_ONCE:
            post_documents(company, chunk)
            chunk = []
    post_documents(company, chunk)
    rows = list(Party.objects.for_company(company).order_by("code"))
    for party in rows:
        party.email = f"{party.code.lower()}@customer.example"
    Party.objects.bulk_update(rows, ["email"], batch_size=_AT_ONCE)
    _schedule(company, owner, today(company))
    return Books(company, owner, rows, periods)


def _months_before(day: date) -> list[Period]:
    periods: list[Period] = []
    while len(periods) < _MONTHS:
        day = day.replace(day=1) - timedelta(days=1)
        periods.insert(0, Period.month(f"{day:%Y-%m}"))
    return periods


def _documents(
    chance: random.Random, parties: int, periods: list[Period]
) -> Iterator[SalesDocument]:
    number = 0
    for party in range(parties):
        for period in periods:
            for _ in range(chance.choice([0, 1, 1, 2, 3])):
                number += 1
                yield _document(chance, number, f"P{party:05}", period)


def _document(chance: random.Random, number: int, code: str, period: Period) -> SalesDocument:
    is_return = chance.random() < 0.1
    day = period.start + timedelta(days=chance.randrange((period.end - period.start).days + 1))
    name = f"{'C' if is_return else 'X'}{number:07}"
    party = f"Party {code}"
    lines = {
        place: SalesLine(
            document=name,
            is_return=is_return,
            party_code=code,
            party_name=party,
            country="GB",
            day=day,
            sku=f"S{place}",
            description="An article",
            quantity=Decimal(chance.randint(1, 40)),
            unit_price=Decimal(chance.randint(50, 9000)) / 100,
            tax_rate=Decimal(20),
        )
        for place in range(chance.choice([1, 3, 3, 8]))
    }
    return SalesDocument(name, is_return, code, party, "GB", day, lines)


def _schedule(company: Company, owner: User, day: date) -> None:
    """Due since this month began: however many beats tick, it runs once."""
    Schedule.objects.create(
        company=company, kind="statement", day=1, hour=0, starts_on=day.replace(day=1)
    )
