"""Seeded books with the skew of real ones: most parties buy a few times, some hundreds of times."""

import random
from datetime import date, timedelta
from decimal import Decimal

from accounts.models import Company
from billing.dates import Period
from billing.imports.lines import SalesLine
from billing.imports.posting import SalesDocument, post_documents

PERIOD = Period.month("2026-10")
_FIRST_DAY = date(2026, 8, 1)


def books(parties: int, seed: int = 1) -> Company:
    """A company of its own with `parties` parties and about six invoices each."""
    chance = random.Random(seed)
    company = Company.objects.create(
        slug=f"bench-{parties}-{seed}", legal_name="Bench Ltd", country="GB"
    )
    number = 0
    chunk: list[SalesDocument] = []
    for place in range(parties):
        for _ in range(_how_many(chance, place)):
            number += 1
            chunk.append(_document(chance, f"X{number:08}", f"P{place:06}"))
        if len(chunk) >= 500:
            post_documents(company, chunk)
            chunk = []
    post_documents(company, chunk)
    return company


def _how_many(chance: random.Random, place: int) -> int:
    return 200 if place % 100 == 0 else chance.randint(1, 8)


def _document(chance: random.Random, number: str, party: str) -> SalesDocument:
    day = _FIRST_DAY + timedelta(days=chance.randrange((PERIOD.end - _FIRST_DAY).days + 1))
    lines = {
        place: SalesLine(
            document=number,
            is_return=False,
            party_code=party,
            party_name=f"Party {party}",
            country="GB",
            day=day,
            sku=f"S{place}",
            description="An article",
            quantity=Decimal(chance.randint(1, 40)),
            unit_price=Decimal(chance.randint(50, 9000)) / 100,
            tax_rate=Decimal(20),
        )
        for place in range(chance.choice([1, 3, 3, 3, 8]))
    }
    return SalesDocument(number, False, party, f"Party {party}", "GB", day, lines)
