"""Payments that are spread, kept on account, applied later and voided."""

from datetime import timedelta

import pytest
from django.core.exceptions import NON_FIELD_ERRORS

from billing.dates import today
from billing.models import Allocation, Balance, Invoice, InvoiceState, Payment
from billing.selectors.credits import unapplied_credit, unapplied_sources
from billing.services import (
    apply_credit,
    delete_draft,
    delete_return,
    invoice_challans,
    issue_invoice,
    payments,
    record_payment,
    void_invoice,
    void_payment,
)
from tests.billing.books import assert_reconciled
from tests.billing.factories import (
    DAY,
    new_party,
    posted_invoice,
    posted_payment,
    posted_return,
    returned_item,
)
from tests.billing.services.entering import (
    D,
    delivered_challan,
    entered,
    refusal,
    refused_for,
)
from tests.factories import CompanyFactory, UserFactory

pytestmark = pytest.mark.django_db


def now(invoice):
    return Invoice.objects.get(pk=invoice.pk)


def owed(party):
    return Balance.objects.get(party=party).current


def spread(party, amount, *shares):
    return record_payment(
        party=party, amount=D(amount), allocations=list(shares), payment_date=DAY, by=None
    )


class TestSpreading:
    def test_each_invoice_gets_its_share_and_the_rest_is_on_account(self, company, party):
        one, other = posted_invoice(party, "100"), posted_invoice(party, "50")
        payment = spread(party, "120", (one, D(40)), (other, D(50)))
        assert payment.invoice is None
        assert (now(one).state, now(one).due) == (InvoiceState.PART_PAID, 60)
        assert (now(other).state, now(other).due) == (InvoiceState.PAID, 0)
        assert owed(party) == 30
        assert unapplied_credit(party) == 30
        assert_reconciled(company)

    def test_all_of_it_on_one_invoice_is_a_payment_of_that_invoice(self, party):
        invoice = posted_invoice(party, "100")
        assert spread(party, "40", (invoice, D(40))).invoice == invoice

    @pytest.mark.parametrize("shares", [("60", "50"), ("100.01", "0.01"), ("0", "1"), ("-1", "1")])
    def test_more_than_the_amount_or_than_is_due_or_nothing_is_refused(self, party, shares):
        one, other = posted_invoice(party, "100"), posted_invoice(party, "100")
        pairs = list(zip((one, other), map(D, shares), strict=True))
        amount = "109" if shares[0] == "60" else "200"
        assert refused_for(lambda: spread(party, amount, *pairs)) == "allocations"
        assert not Payment.objects.exists()
        assert (now(one).paid, now(other).paid) == (0, 0)

    def test_one_invoice_twice_is_refused(self, party):
        invoice = posted_invoice(party, "100")
        pairs = [(invoice, D(10)), (invoice, D(10))]
        assert refused_for(lambda: spread(party, "20", *pairs)) == "allocations"

    def test_an_invoice_of_another_party_is_refused(self, company, party):
        foreign = posted_invoice(new_party(company, "P2"), "100")
        assert refused_for(lambda: spread(party, "20", (foreign, D(10)))) == "invoice"

    def test_an_invoice_and_allocations_together_are_refused(self, party):
        invoice = posted_invoice(party, "100")
        field = refused_for(
            lambda: record_payment(
                party=party,
                amount=D(10),
                invoice=invoice,
                allocations=[(invoice, D(10))],
                payment_date=DAY,
                by=None,
            )
        )
        assert field == "allocations"

    @pytest.mark.parametrize(
        ("options", "field"),
        [({"reference": "x" * 101}, "reference"), ({"method": "barter"}, "method")],
    )
    def test_text_that_no_column_holds_is_refused(self, party, options, field):
        assert (
            refused_for(
                lambda: record_payment(
                    party=party, amount=D(1), payment_date=DAY, by=None, **options
                )
            )
            == field
        )

    def test_over_more_invoices_than_can_be_locked_at_once_is_refused(self, party, monkeypatch):
        monkeypatch.setattr(payments, "MOST_ALLOCATIONS", 2)
        shares = [(posted_invoice(party, "10"), D(1)) for _ in range(3)]
        assert refusal(lambda: spread(party, "5", *shares)) == (
            "allocations",
            "At most 2 invoices.",
        )
        assert not Payment.objects.exists()

    def test_an_invoice_that_was_deleted_meanwhile_is_not_paid(self, party):
        draft = entered(party)
        delete_draft(invoice=draft, by=None)
        assert refusal(lambda: posted_payment(party, "5", invoice=draft)) == (
            "invoice",
            "The invoice is deleted.",
        )
        assert not Payment.objects.exists()


class TestApplying:
    def test_money_on_account_settles_an_invoice_later_and_the_balance_stays(self, company, party):
        payment, invoice = posted_payment(party, "70"), posted_invoice(party, "100")
        made = apply_credit(source=payment, invoice=invoice, amount=D(70), by=None)
        assert made.applied_on == today(company)
        assert (now(invoice).state, now(invoice).due) == (InvoiceState.PART_PAID, 30)
        assert owed(party) == 30
        assert unapplied_sources(party) == []
        assert_reconciled(company)

    def test_a_return_settles_one_too(self, company, party):
        back, invoice = posted_return(party, "30"), posted_invoice(party, "100")
        apply_credit(source=back, invoice=invoice, amount=D(30), by=None, day=DAY)
        assert (now(invoice).returned, now(invoice).paid) == (30, 0)
        assert_reconciled(company)

    def test_it_counts_from_the_day_that_all_three_were_there(self, company, party):
        payment = posted_payment(party, "70", day=DAY + timedelta(days=3))
        invoice = posted_invoice(party, "100", day=DAY + timedelta(days=5))
        early = apply_credit(source=payment, invoice=invoice, amount=D(1), by=None, day=DAY)
        assert early.applied_on == DAY + timedelta(days=5)
        before = posted_invoice(party, "100")
        late = apply_credit(source=payment, invoice=before, amount=D(1), by=None, day=DAY)
        assert late.applied_on == DAY + timedelta(days=3)

    @pytest.mark.parametrize("amount", ["70.01", "0", "-1", "0.001", "NaN", "1e20"])
    def test_more_than_is_left_or_no_amount_is_refused(self, party, amount):
        payment, invoice = posted_payment(party, "70"), posted_invoice(party, "100")

        def action():
            return apply_credit(source=payment, invoice=invoice, amount=D(amount), by=None)

        assert refused_for(action) == "amount"
        assert not Allocation.objects.exists()

    def test_more_than_is_due_is_refused(self, party):
        payment, invoice = posted_payment(party, "700"), posted_invoice(party, "100")

        def action():
            return apply_credit(source=payment, invoice=invoice, amount=D(101), by=None)

        assert refused_for(action) == "amount"

    def test_what_was_applied_is_not_there_again(self, party):
        payment = posted_payment(party, "70")
        invoice, other = posted_invoice(party, "100"), posted_invoice(party, "100")
        apply_credit(source=payment, invoice=invoice, amount=D(50), by=None)

        def action():
            return apply_credit(source=payment, invoice=other, amount=D(21), by=None)

        field, message = refusal(action)
        assert (field, "20.00" in message) == ("amount", True)

    def test_neither_another_partys_invoice_nor_a_draft_nor_tomorrow(self, company, party):
        payment = posted_payment(party, "70")
        foreign = posted_invoice(new_party(company, "P2"), "100")
        stranger = posted_invoice(new_party(CompanyFactory.create()), "100")
        for invoice in (foreign, stranger, entered(party)):

            def action():
                return apply_credit(source=payment, invoice=invoice, amount=D(1), by=None)  # noqa: B023

            assert refused_for(action) == "invoice"
        own, tomorrow = posted_invoice(party, "100"), today(company) + timedelta(days=1)
        assert (
            refused_for(
                lambda: apply_credit(
                    source=payment, invoice=own, amount=D(1), by=None, day=tomorrow
                )
            )
            == "day"
        )

    def test_what_is_void_or_deleted_is_no_credit(self, party):
        payment, back, invoice = (
            posted_payment(party, "70"),
            posted_return(party, "5"),
            posted_invoice(party, "100"),
        )
        void_payment(payment=payment, reason="Bounced", by=None)
        delete_return(return_document=back, by=None)
        for source in (payment, back):

            def action():
                return apply_credit(source=source, invoice=invoice, amount=D(1), by=None)  # noqa: B023

            assert refused_for(action) == "source"


class TestVoidingAPayment:
    def test_what_it_settled_is_due_again(self, company, party):
        one, other = posted_invoice(party, "100"), posted_invoice(party, "50")
        posted_payment(party, "10", invoice=one)
        payment = spread(party, "120", (one, D(40)), (other, D(50)))
        by = UserFactory.create()
        voided = void_payment(payment=payment, reason="Bounced", by=by)
        assert (voided.void_reason, voided.voided_at is not None) == ("Bounced", True)
        assert (now(one).state, now(one).paid) == (InvoiceState.PART_PAID, 10)
        assert (now(other).state, now(other).paid) == (InvoiceState.ISSUED, 0)
        assert owed(party) == 140
        assert unapplied_credit(party) == 0
        assert_reconciled(company)

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
    def test_it_needs_a_reason(self, party, reason):
        payment = posted_payment(party, "10")
        assert (
            refused_for(lambda: void_payment(payment=payment, reason=reason, by=None)) == "reason"
        )

    def test_once(self, party):
        payment = posted_payment(party, "10")
        void_payment(payment=payment, reason="Bounced", by=None)
        assert refused_for(lambda: void_payment(payment=payment, reason="x", by=None)) == "source"
        assert owed(party) == 0


class TestVoidingAnInvoice:
    def test_one_that_was_deleted_meanwhile_is_said_to_be(self, party):
        draft = entered(party)
        delete_draft(invoice=draft, by=None)
        said = refusal(lambda: void_invoice(invoice=draft, reason="Twice", by=None))
        assert said == (NON_FIELD_ERRORS, "The invoice is deleted.")

    def test_what_was_paid_becomes_credit_and_the_number_stays(self, company, party):
        invoice = posted_invoice(party, "100")
        payment = posted_payment(party, "60", invoice=invoice)
        voided = void_invoice(invoice=invoice, reason="Wrong price", by=None)
        voided.refresh_from_db()
        assert (voided.state, voided.void_reason) == (InvoiceState.VOID, "Wrong price")
        assert (voided.invoice_number, voided.total, voided.paid) == ("INV-2026-00001", 100, 0)
        assert owed(party) == -60
        assert [(row.pk, row.rest) for row in unapplied_sources(party)] == [(payment.pk, 60)]
        assert posted_invoice(party, "1").invoice_number == "INV-2026-00002"
        assert_reconciled(company)

    def test_a_return_that_settled_it_from_elsewhere_is_credit_again(self, company, party):
        back, invoice = posted_return(party, "30"), posted_invoice(party, "100")
        apply_credit(source=back, invoice=invoice, amount=D(30), by=None)
        void_invoice(invoice=invoice, reason="Wrong", by=None)
        assert unapplied_credit(party) == 30
        assert_reconciled(company)

    def test_its_challans_are_delivered_again(self, party):
        challan = delivered_challan(party)
        draft = invoice_challans(challans=[challan], by=None)
        issue_invoice(invoice=draft, by=None)
        void_invoice(invoice=draft, reason="Wrong", by=None)
        challan.refresh_from_db()
        assert (challan.state, challan.invoice) == ("delivered", None)

    def test_goods_that_came_back_are_in_the_way_until_that_is_undone(self, party):
        invoice = posted_invoice(party, "100")
        back = returned_item(invoice)

        def action():
            return void_invoice(invoice=invoice, reason="Wrong", by=None)

        field, message = refusal(action)
        assert (field, back.return_number in message) == (NON_FIELD_ERRORS, True)
        delete_return(return_document=back, by=None)
        assert action().state == InvoiceState.VOID
        assert owed(party) == 0

    def test_neither_a_draft_nor_a_void_one_nor_without_a_reason(self, party):
        draft, invoice = entered(party), posted_invoice(party, "100")
        assert "delete it" in refusal(lambda: void_invoice(invoice=draft, reason="x", by=None))[1]
        assert refused_for(lambda: void_invoice(invoice=invoice, reason=" ", by=None)) == "reason"
        void_invoice(invoice=invoice, reason="x", by=None)
        assert "already" in refusal(lambda: void_invoice(invoice=invoice, reason="x", by=None))[1]
        assert owed(party) == 0


def test_unapplied_credit_takes_two_queries_however_many_sources(party, django_assert_num_queries):
    for _ in range(4):
        posted_payment(party, "10")
        posted_return(party, "5")
    with django_assert_num_queries(2):
        assert unapplied_credit(party) == 60
