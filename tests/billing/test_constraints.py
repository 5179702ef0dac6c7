"""What the database itself refuses, whoever writes to it. Each constraint by its name."""

import re
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import CheckConstraint
from django.utils.timezone import now

from billing.models import (
    Allocation,
    Balance,
    Invoice,
    InvoiceItem,
    NumberSequence,
    Party,
    Payment,
    Return,
    ReturnItem,
)
from tests.billing.factories import (
    new_party,
    posted_invoice,
    posted_payment,
    posted_return,
    returned_item,
)
from tests.factories import CompanyFactory

D = Decimal


@contextmanager
def refused_by(name):
    """The block is refused by this constraint, which SQLite names for CHECKs only."""
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        yield
    if connection.vendor == "postgresql" or re.search("CHECK", str(refused.value)):
        assert name in str(refused.value)


@pytest.fixture
def rows(party):
    """One row of each kind by its model."""
    invoice = posted_invoice(party, "100", "50")
    payment = posted_payment(party, "40", invoice=invoice)
    back = returned_item(invoice)
    return {
        Invoice: Invoice.objects.get(pk=invoice.pk),
        InvoiceItem: invoice.items.all()[0],
        Payment: payment,
        Return: back,
        ReturnItem: back.items.get(),
        Allocation: payment.allocations.get(),
        Balance: Balance.objects.get(party=party),
        NumberSequence: NumberSequence.objects.get(series="INV"),
        Party: party,
    }


CHECKS = {
    "party_code_given": (Party, {"code": ""}),
    "invoice_issued_has_number": (Invoice, {"invoice_number": ""}),
    "invoice_draft_has_no_number": (Invoice, {"state": "draft"}),
    "invoice_void_has_reason": (Invoice, {"state": "void"}),
    "invoice_amounts_not_negative": (Invoice, {"paid": D(-1)}),
    "invoice_not_over_settled": (Invoice, {"paid": D("50.001")}),
    "invoice_total_is_its_parts": (Invoice, {"tax": D("0.001")}),
    "invoice_item_not_negative": (InvoiceItem, {"quantity": D(-1)}),
    "invoice_item_rates_are_percents": (InvoiceItem, {"tax_rate": D("100.0001")}),
    "payment_amount_positive": (Payment, {"amount": D(0)}),
    "payment_void_has_reason": (Payment, {"voided_at": now()}),
    "return_total_not_negative": (Return, {"total": D(-1), "net": D(-1)}),
    "return_total_is_its_parts": (Return, {"net": D("99.999")}),
    "return_item_not_negative": (ReturnItem, {"unit_price": D("-0.0001")}),
    "allocation_amount_positive": (Allocation, {"amount": D(0)}),
    "allocation_has_one_source": (Allocation, {"payment": None}),
    "balance_current_is_its_parts": (Balance, {"current": D("10.001")}),
    "number_sequence_starts_at_one": (NumberSequence, {"next_number": 0}),
}


@pytest.mark.django_db
class TestChecks:
    @pytest.mark.parametrize("name", CHECKS)
    def test_it_refuses(self, rows, name):
        model, changes = CHECKS[name]
        with refused_by(name):
            model._base_manager.filter(pk=rows[model].pk).update(**changes)

    @pytest.mark.parametrize("field", ["total", "paid", "returned"])
    def test_no_amount_of_an_invoice_is_negative(self, rows, field):
        with pytest.raises(IntegrityError), transaction.atomic():
            Invoice.objects.filter(pk=rows[Invoice].pk).update(**{field: D(-1)})

    def test_an_allocation_has_not_two_sources(self, rows):
        with refused_by("allocation_has_one_source"):
            Allocation.objects.filter(pk=rows[Allocation].pk).update(return_document=rows[Return])

    def test_what_is_in_order_is_not_refused(self, rows):
        """The control: the updates above are refused for what they change."""
        for row in rows.values():
            row.save()

    def test_every_check_of_these_tables_is_tried_here(self, rows):
        named = {
            constraint.name
            for model in rows
            for constraint in model._meta.constraints
            if isinstance(constraint, CheckConstraint)
        }
        assert named == set(CHECKS)


@pytest.mark.django_db
class TestUniques:
    def test_a_partys_code(self, company, party):
        with refused_by("party_code_unique"):
            Party.objects.create(company=company, code=party.code, name="Again")

    def test_a_partys_code_also_when_the_party_was_deleted(self, company, party):
        Party.objects.update(is_active=False)
        with refused_by("party_code_unique"):
            Party.objects.create(company=company, code=party.code, name="Again")

    def test_an_invoices_number(self, party):
        first, second = posted_invoice(party, "1"), posted_invoice(party, "1")
        with refused_by("invoice_number_unique"):
            Invoice.objects.filter(pk=second.pk).update(invoice_number=first.invoice_number)

    def test_but_any_number_of_drafts_have_none(self, party):
        for _ in range(2):
            Invoice.objects.create(
                company=party.company,
                party=party,
                invoice_date=date(2026, 1, 1),
                due_date=date(2026, 1, 1),
                currency="GBP",
            )

    def test_a_payments_number(self, party):
        first, second = posted_payment(party, "1"), posted_payment(party, "1")
        with refused_by("payment_number_unique"):
            Payment.objects.filter(pk=second.pk).update(payment_number=first.payment_number)

    def test_a_returns_number(self, party):
        first, second = posted_return(party, "1"), posted_return(party, "1")
        with refused_by("return_number_unique"):
            Return.objects.filter(pk=second.pk).update(return_number=first.return_number)

    def test_a_place_in_an_invoice(self, party):
        invoice = posted_invoice(party, "1", "2")
        with refused_by("invoice_item_position_unique"):
            invoice.items.update(position=1)

    def test_a_place_in_a_return(self, party):
        item = posted_return(party, "1").items.get()
        item.pk = None
        with refused_by("return_item_position_unique"):
            item.save()

    def test_a_partys_balance(self, company, party):
        posted_invoice(party, "1")
        with refused_by("billing_balance_party_id_key"):
            Balance.objects.create(company=company, party=party)

    def test_a_sequence(self, company, party):
        posted_invoice(party, "1")
        with refused_by("number_sequence_unique"):
            NumberSequence.objects.create(company=company, series="INV", fiscal_year=2026)

    def test_all_of_them_are_free_in_another_company(self, party):
        stranger = new_party(CompanyFactory.create(), party.code)
        for one in (party, stranger):
            assert posted_invoice(one, "1").invoice_number == "INV-2026-00001"
            assert posted_payment(one, "1").payment_number == "PAY-2026-00001"
