"""Seeded books with the skew of real ones: most parties have three invoices, one in a hundred has
hundreds, and a few of those have thousands. 1,000 to 1,000,000 invoices, written by COPY.

Amounts are `billing.money`'s, and `billing.services.recomputing` finds no drift in what is written.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from accounts.models import Company
from bench.writing import Table
from billing.dates import Period
from billing.models import (
    Allocation,
    Balance,
    Invoice,
    InvoiceItem,
    Party,
    Payment,
    Return,
    ReturnItem,
)
from billing.money import LineAmount, Totals, compute_totals, line_amount, total

PERIOD = Period.month("2026-10")
_CURRENCY = "GBP"
_BASKETS = 2000  # different sets of items; an invoice draws one
_SIZES = (1, 2, 3, 3, 3, 3, 5, 10)
_GOODS = ("Hinge, brass", "Screws, box of 200", "Oak panel", "Lamp", "Cable, 5 m", "Door handle")
_NAMES = ("Ashdown", "Brook", "Calder", "Denholm", "Eastwell", "Farrow", "Garside", "Holt")
_TRADES = ("Joinery", "Stores", "& Sons", "Interiors", "Builders", "Supplies", "Fittings")


class Basket(NamedTuple):
    """What is on an invoice."""

    items: list[dict[str, Any]]
    totals: Totals


def books(
    parties: int, seed: int = 1, *, few: int = 3, each: int = 4, days: int = 92, items: int = 0
) -> Company:
    """A company with so many parties and `each` times as many invoices; all but one in a hundred
    of the parties have `few`, over the `days` that end with `PERIOD`. An invoice has so many
    `items`, or, if it is 0, few and now and then ten.
    """
    chance = random.Random(f"{parties} {seed} {few} {each} {days} {items}")
    company = _company(chance)
    with Writer(company, chance, days, items) as writer:
        for place, count in enumerate(_counts(chance, parties, few, each)):
            writer.add_party(place, count)
    with connection.cursor() as cursor:
        for model in Writer.MODELS:
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
    return company


def _company(chance: random.Random) -> Company:
    slug = f"bench-{chance.getrandbits(40):x}-{Company.objects.count()}"
    return Company.objects.create(
        slug=slug,
        legal_name="Harbour Vale Fittings Ltd",
        address="12 Quay Street\nLeith\nEdinburgh EH6 6AA",
        country="GB",
        tax_id="GB123456789",
        email="accounts@harbour-vale.example",
        phone="+44 131 496 0000",
        payment_details="Bank of the Forth\nIBAN GB29 NWBK 6016 1331 9268 19",
    )


def _counts(chance: random.Random, parties: int, few: int, each: int) -> Iterator[int]:
    """How many invoices each party has; one in a hundred shares what the others leave."""
    large = max(1, parties // 100)
    shares = [place**-0.5 for place in range(1, large + 1)]
    left = max(1, parties * each - few * (parties - large))
    sizes = iter([round(left * share / sum(shares)) for share in shares])
    places = set(chance.sample(range(parties), large))
    return (next(sizes) if place in places else few for place in range(parties))


class Writer:
    """Writes parties with all that they have, a chunk of parties at a time."""

    MODELS = (Party, Invoice, InvoiceItem, Payment, Return, ReturnItem, Allocation, Balance)

    def __init__(self, company: Company, chance: random.Random, days: int, items: int) -> None:
        self._company, self._chance = company, chance
        self._days = [PERIOD.end - timedelta(days=back) for back in range(days)]
        self._baskets = [_basket(chance, items) for _ in range(_BASKETS)]
        self._tables = {model: Table(model) for model in self.MODELS}
        self._numbers: dict[type, int] = dict.fromkeys(self.MODELS, 0)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()

    def add_party(self, place: int, invoices: int) -> None:
        party = self._id()
        name = f"{_NAMES[place % 8]} {_TRADES[place % 7]} {place}"
        self._write(
            Party,
            id=party,
            company_id=self._company.pk,
            code=f"P{place:06}",
            name=name,
            address=f"{place % 200 + 1} High Street\nBristol BS1 {place % 9 + 1}AB",
            country="GB",
            created_at=_NOON,
        )
        sums = [self._invoice(party) for _ in range(invoices)]
        invoiced, returned, paid = (total(amounts) for amounts in zip(*sums, strict=True))
        self._write(
            Balance,
            id=self._id(),
            company_id=self._company.pk,
            party_id=party,
            invoiced=invoiced,
            returned=returned,
            paid=paid,
            current=invoiced - returned - paid,
            updated_at=_NOON,
        )
        if self._tables[InvoiceItem].waiting > 50_000:
            self._flush()

    def _invoice(self, party: UUID) -> tuple[Decimal, Decimal, Decimal]:
        """What it comes to, what came back, what was paid."""
        basket = self._chance.choice(self._baskets)
        invoice, day = self._id(), self._chance.choice(self._days)
        amount, luck = basket.totals.total, self._chance.random()
        paid = amount if luck < 0.5 else _part(amount) if luck < 0.65 else Decimal(0)
        returned = self._return(party, basket, day) if luck > 0.95 else Decimal(0)
        number = self._next(Invoice)
        self._write(
            Invoice,
            id=invoice,
            company_id=self._company.pk,
            party_id=party,
            invoice_number=f"X{number:08}",
            state="paid" if paid == amount else "part-paid" if paid else "issued",
            invoice_date=day,
            due_date=day + timedelta(days=30),
            reference=f"PO-{number}",
            currency=_CURRENCY,
            paid=paid,
            issued_at=_NOON,
            created_at=_NOON,
            updated_at=_NOON,
            **_header(basket.totals),
        )
        for item in basket.items:
            self._write(InvoiceItem, invoice_id=invoice, **item)
        if paid:
            self._payment(party, invoice, paid, day)
        return amount, returned, paid

    def _payment(self, party: UUID, invoice: UUID, amount: Decimal, day: date) -> None:
        payment = self._id()
        day = min(PERIOD.end, day + timedelta(days=self._chance.randrange(20)))
        self._write(
            Payment,
            id=payment,
            company_id=self._company.pk,
            party_id=party,
            invoice_id=invoice,
            payment_number=f"Y{self._next(Payment):08}",
            payment_date=day,
            amount=amount,
            currency=_CURRENCY,
            created_at=_NOON,
        )
        self._write(
            Allocation,
            id=self._id(),
            company_id=self._company.pk,
            invoice_id=invoice,
            payment_id=payment,
            amount=amount,
            applied_on=day,
            created_at=_NOON,
        )

    def _return(self, party: UUID, basket: Basket, day: date) -> Decimal:
        """The first item came back, and stands as a credit on account."""
        item, made = basket.items[0], self._id()
        line = LineAmount(item["net"], item["tax_rate"])
        totals = compute_totals([line], currency=_CURRENCY)
        self._write(
            Return,
            id=made,
            company_id=self._company.pk,
            party_id=party,
            return_number=f"Z{self._next(Return):08}",
            return_date=day,
            reason="Wrong size",
            currency=_CURRENCY,
            net=totals.net,
            tax=totals.tax,
            total=totals.total,
            created_at=_NOON,
        )
        self._write(ReturnItem, return_document_id=made, **item)
        return totals.total

    def _write(self, model: type, **values: Any) -> None:
        self._tables[model].add(values)

    def _next(self, model: type) -> int:
        self._numbers[model] += 1
        return self._numbers[model]

    def _id(self) -> UUID:
        return UUID(int=self._chance.getrandbits(128), version=4)

    def _flush(self) -> None:
        for table in self._tables.values():  # in the order of their references
            table.flush()


_NOON = datetime.combine(PERIOD.end, time(12), UTC)


def _part(amount: Decimal) -> Decimal:
    return amount // 2 or amount


def _header(totals: Totals) -> dict[str, Decimal]:
    names = ("subtotal", "discount", "shipping", "net", "tax", "rounding", "total")
    return {name: getattr(totals, name) for name in names}


def _basket(chance: random.Random, lines: int) -> Basket:
    count = lines or chance.choice(_SIZES)
    items = [_item(chance, position) for position in range(1, count + 1)]
    amounts = [LineAmount(item["net"], item["tax_rate"]) for item in items]
    return Basket(items, compute_totals(amounts, currency=_CURRENCY))


def _item(chance: random.Random, position: int) -> dict[str, Any]:
    quantity = Decimal(chance.randint(1, 40))
    price = Decimal(chance.randint(50, 9000)) / 100
    return {
        "position": position,
        "sku": f"S-{chance.randint(100, 9999)}",
        "description": chance.choice(_GOODS),
        "quantity": quantity,
        "unit_price": price,
        "tax_rate": Decimal(chance.choice((20, 20, 20, 5))),
        "net": line_amount(quantity=quantity, unit_price=price, currency=_CURRENCY),
    }
