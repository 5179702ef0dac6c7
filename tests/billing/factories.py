"""Rows of the books for tests. `posted_invoice` and its like go through the posting services."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import Company
from billing.models import Balance, Invoice, InvoiceItem, Party, Payment, Return
from billing.services import ReturnLine, issue_invoice, record_payment, record_return
from tests.factories import CompanyFactory

DAY = date(2026, 3, 10)


class PartyFactory(DjangoModelFactory[Party]):
    class Meta:
        model = Party

    company = factory.SubFactory(CompanyFactory)
    code = factory.Sequence(lambda number: f"P{number:05}")
    name = factory.Sequence(lambda number: f"Party {number}")
    email = factory.LazyAttribute(lambda made: f"{made.code.lower()}@customer.example")
    address = "1 High Street\nBristol"
    country = "GB"


class InvoiceFactory(DjangoModelFactory[Invoice]):
    """A draft without items."""

    class Meta:
        model = Invoice

    party = factory.SubFactory(PartyFactory)
    company = factory.SelfAttribute("party.company")
    invoice_date = DAY
    due_date = factory.LazyAttribute(lambda made: made.invoice_date + timedelta(days=30))
    currency = factory.SelfAttribute("company.currency")


class InvoiceItemFactory(DjangoModelFactory[InvoiceItem]):
    class Meta:
        model = InvoiceItem

    invoice = factory.SubFactory(InvoiceFactory)
    position = factory.LazyAttribute(lambda made: made.invoice.items.count() + 1)
    description = "Oak serving board"
    quantity = Decimal(1)
    unit_price = Decimal("100")


class BalanceFactory(DjangoModelFactory[Balance]):
    class Meta:
        model = Balance

    party = factory.SubFactory(PartyFactory)
    company = factory.SelfAttribute("party.company")
    current = factory.SelfAttribute("opening")
    opening = Decimal(0)


def draft_invoice(party: Party, *prices: str, **options: Any) -> Invoice:
    """A draft with one item a price."""
    invoice = InvoiceFactory.create(party=party, **options)
    for price in prices:
        InvoiceItemFactory.create(invoice=invoice, unit_price=Decimal(price))
    return invoice


def posted_invoice(party: Party, *prices: str, day: date = DAY, **options: Any) -> Invoice:
    draft = draft_invoice(party, *prices, invoice_date=day, **options)
    return issue_invoice(invoice=draft, by=None)


def posted_payment(
    party: Party, amount: str, day: date = DAY, invoice: Invoice | None = None
) -> Payment:
    return record_payment(
        party=party, amount=Decimal(amount), payment_date=day, by=None, invoice=invoice
    )


def posted_return(party: Party, amount: str, day: date = DAY) -> Return:
    """A return on account."""
    line = ReturnLine(quantity=Decimal(1), description="Jug", unit_price=Decimal(amount))
    return record_return(party=party, lines=[line], return_date=day, reason="Broken", by=None)


def returned_item(invoice: Invoice, quantity: str = "1", day: date = DAY) -> Return:
    """So many of the invoice's first item."""
    line = ReturnLine(quantity=Decimal(quantity), item=invoice.items.all()[0])
    return record_return(
        party=invoice.party, invoice=invoice, lines=[line], return_date=day, by=None
    )


def new_party(company: Company, code: str = "P1", **options: Any) -> Party:
    return PartyFactory.create(company=company, code=code, **options)
