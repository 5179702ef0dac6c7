"""Issuing an invoice: all of it, or nothing."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from billing.models import Balance, Invoice, InvoiceState, NumberSequence
from billing.services import invoices, issue_invoice
from billing.services.parties import deactivate_party
from tests.billing.books import assert_reconciled, race
from tests.billing.factories import (
    InvoiceFactory,
    InvoiceItemFactory,
    draft_invoice,
    posted_invoice,
)

D = Decimal


@pytest.mark.django_db
class TestIssuing:
    def test_a_draft_gets_its_number_its_state_and_the_moment(self, party):
        draft = draft_invoice(party, "100")
        assert draft.invoice_number == ""
        issued = issue_invoice(invoice=draft, by=None)
        issued.refresh_from_db()
        assert issued.invoice_number == "INV-2026-00001"
        assert issued.state == InvoiceState.ISSUED
        assert issued.issued_at is not None

    def test_a_draft_of_a_party_that_is_inactive_by_now_is_refused(self, party):
        """The party would owe what no statement tells it of."""
        draft = draft_invoice(party, "100")
        deactivate_party(party=party, by=None)
        with pytest.raises(ValidationError, match="party is inactive"):
            issue_invoice(invoice=draft, by=None)
        assert not NumberSequence.objects.exists()
        assert Balance.objects.get(party=party).current == 0

    def test_the_number_is_of_the_fiscal_year_of_its_date(self, company, party):
        company.fiscal_year_start_month = 4
        company.save()
        invoice = posted_invoice(party, "1", day=date(2026, 3, 31))
        assert invoice.invoice_number == "INV-2025-00001"

    def test_the_totals_are_fixed_with_it(self, party):
        draft = InvoiceFactory.create(
            party=party, discount_percent=D(10), shipping=D(5), shipping_tax_rate=D(20)
        )
        InvoiceItemFactory.create(
            invoice=draft, quantity=D(3), unit_price=D("9.99"), tax_rate=D(20)
        )
        InvoiceItemFactory.create(
            invoice=draft, unit_price=D("50"), discount_percent=D("12.5"), tax_rate=D(5)
        )
        issued = issue_invoice(invoice=draft, by=None)
        issued.refresh_from_db()
        assert [item.net for item in issued.items.all()] == [D("29.97"), D("43.75")]
        assert (issued.subtotal, issued.discount) == (D("73.72"), D("7.37"))
        assert (issued.net, issued.tax, issued.total) == (D("71.35"), D("8.36"), D("79.71"))

    def test_prices_that_include_tax_stay_what_they_are(self, party):
        draft = InvoiceFactory.create(party=party, prices_include_tax=True)
        InvoiceItemFactory.create(invoice=draft, unit_price=D("120"), tax_rate=D(20))
        issued = issue_invoice(invoice=draft, by=None)
        assert (issued.net, issued.tax, issued.total) == (D(100), D(20), D(120))

    def test_the_partys_balance_moves_by_its_total(self, company, party):
        posted_invoice(party, "100", "20.50")
        posted_invoice(party, "0.01")
        balance = Balance.objects.get(party=party)
        assert (balance.invoiced, balance.current) == (D("120.51"), D("120.51"))
        assert_reconciled(company)

    def test_an_invoice_of_nothing_can_be_issued(self, party):
        assert posted_invoice(party, "0").total == 0


@pytest.mark.django_db
class TestRefusals:
    def test_one_without_items_is_refused_and_takes_no_number(self, party):
        with pytest.raises(ValidationError, match="at least one item"):
            issue_invoice(invoice=draft_invoice(party), by=None)
        assert not NumberSequence.objects.filter(next_number__gt=1).exists()

    def test_what_is_issued_is_not_issued_again(self, party):
        issued = posted_invoice(party, "100")
        with pytest.raises(ValidationError, match="Only a draft"):
            issue_invoice(invoice=issued, by=None)
        assert Balance.objects.get(party=party).current == 100

    def test_a_stale_draft_in_hand_is_not_issued_again(self, party):
        stale = draft_invoice(party, "100")
        issue_invoice(invoice=Invoice.objects.get(pk=stale.pk), by=None)
        assert stale.state == InvoiceState.DRAFT
        with pytest.raises(ValidationError, match="Only a draft"):
            issue_invoice(invoice=stale, by=None)

    def test_a_discount_of_more_than_the_invoice_is_refused_naming_the_field(self, party):
        draft = draft_invoice(party, "100", discount_amount=D("100.01"))
        with pytest.raises(ValidationError) as refused:
            issue_invoice(invoice=draft, by=None)
        assert list(refused.value.error_dict) == ["discount_amount"]

    def test_a_discount_of_more_than_its_line_is_refused(self, party):
        draft = draft_invoice(party, "100")
        InvoiceItemFactory.create(invoice=draft, unit_price=D(5), discount_amount=D(6))
        with pytest.raises(ValidationError, match="more than its amount"):
            issue_invoice(invoice=draft, by=None)

    def test_a_failure_at_the_end_takes_everything_back_the_number_too(self, party, monkeypatch):
        def fail(**_):
            raise RuntimeError("the balance could not be moved")

        draft = draft_invoice(party, "100")
        with monkeypatch.context() as broken:
            broken.setattr(invoices, "move_balances", fail)
            with pytest.raises(RuntimeError):
                issue_invoice(invoice=draft, by=None)
        draft.refresh_from_db()
        assert (draft.state, draft.invoice_number, draft.total) == ("draft", "", 0)
        assert draft.items.get().net == 0
        assert not Balance.objects.filter(party=party).exists()
        assert issue_invoice(invoice=draft, by=None).invoice_number == "INV-2026-00001"


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_ten_who_issue_one_draft_at_once_issue_it_once(company, party):
    draft = draft_invoice(party, "100")
    outcomes = race(*[lambda: issue_invoice(invoice=draft, by=None)] * 10)
    assert outcomes == {"done": 1, "ValidationError": 9}
    assert Balance.objects.get(party=party).current == 100
    assert NumberSequence.objects.get().next_number == 2
    assert_reconciled(company)
