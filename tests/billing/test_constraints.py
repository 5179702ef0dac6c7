"""What the database itself refuses, whoever writes to it. Each constraint by its name."""

import re
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import CheckConstraint, F, UniqueConstraint
from django.utils.timezone import now

from billing.models import (
    Allocation,
    Balance,
    BalanceDrift,
    Challan,
    ChallanItem,
    Invoice,
    InvoiceItem,
    NumberSequence,
    Party,
    Payment,
    Recomputation,
    RecomputationChunk,
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
        **challan_rows(party),
        **recomputation_rows(party),
    }


def challan_rows(party):
    challan = Challan.objects.create(
        company=party.company, party=party, challan_number="CH-1", challan_date=date(2026, 3, 1)
    )
    item = ChallanItem.objects.create(
        challan=challan, position=1, description="Jug", quantity=D(1), tax_rate=D(20)
    )
    return {Challan: challan, ChallanItem: item}


def recomputation_rows(party):
    recomputation = Recomputation.objects.create(
        company=party.company, number=1, mode="report", night_of=date(2026, 3, 1)
    )
    ids = {"first": uuid4(), "last": uuid4()}
    chunk = RecomputationChunk.objects.create(recomputation=recomputation, position=1, **ids)
    drift = BalanceDrift.objects.create(
        recomputation=recomputation,
        chunk=chunk,
        party=party,
        column="paid",
        before=D(1),
        after=D(2),
        cause="Why.",
    )
    return {Recomputation: recomputation, RecomputationChunk: chunk, BalanceDrift: drift}


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
    "challan_invoiced_has_invoice": (Challan, {"state": "invoiced"}),
    "challan_cancelled_has_reason": (Challan, {"state": "cancelled"}),
    "challan_item_not_negative": (ChallanItem, {"quantity": D("-0.001")}),
    "recomputation_only_applying_corrects": (Recomputation, {"corrects": F("pk")}),
    "recomputation_chunk_failed_has_a_reason": (RecomputationChunk, {"state": "failed"}),
}
# A second row like the one there is, but for what another of its constraints would refuse.
UNIQUES = {
    "party_code_unique": (Party, {}),
    "invoice_number_unique": (Invoice, {}),
    "invoice_item_position_unique": (InvoiceItem, {}),
    "payment_number_unique": (Payment, {}),
    "return_number_unique": (Return, {}),
    "return_item_position_unique": (ReturnItem, {}),
    "number_sequence_unique": (NumberSequence, {}),
    "challan_number_unique": (Challan, {}),
    "challan_item_position_unique": (ChallanItem, {}),
    "recomputation_number": (Recomputation, {"state": "done", "night_of": None}),
    "recomputation_once_a_night": (Recomputation, {"state": "done", "number": 2}),
    "recomputation_one_open": (Recomputation, {"night_of": None, "number": 2}),
    "recomputation_chunk_once": (RecomputationChunk, {}),
    "balance_drift_once": (BalanceDrift, {}),
}


def named(kind):
    """The constraints of that kind of every table of this app."""
    return {
        constraint.name
        for model in apps.get_app_config("billing").get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, kind)
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

    def test_a_challan_that_is_not_invoiced_has_no_invoice(self, rows):
        with refused_by("challan_invoiced_has_invoice"):
            Challan.objects.filter(pk=rows[Challan].pk).update(invoice=rows[Invoice])

    def test_a_price_of_a_challan_is_not_negative(self, rows):
        with refused_by("challan_item_not_negative"):
            ChallanItem.objects.filter(pk=rows[ChallanItem].pk).update(unit_price=D("-0.0001"))

    def test_every_check_of_this_app_is_tried_here(self):
        assert named(CheckConstraint) == set(CHECKS)


@pytest.mark.django_db
class TestUniques:
    @pytest.mark.parametrize("name", UNIQUES)
    def test_a_second_row_is_refused(self, rows, name):
        model, changes = UNIQUES[name]
        second = model._base_manager.get(pk=rows[model].pk)
        second.pk, second._state.adding = None, True
        for field, value in changes.items():
            setattr(second, field, value)
        with refused_by(name):
            second.save(force_insert=True)

    def test_every_unique_of_this_app_is_tried_here(self):
        assert named(UniqueConstraint) == set(UNIQUES)

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
