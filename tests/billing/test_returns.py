"""Recording goods that came back: no more than was sold, and for what was paid for them."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from billing.dates import today
from billing.models import Balance, InvoiceState, Return
from billing.services import ReturnLine, issue_invoice, record_return, returns
from tests.billing.books import assert_reconciled, race
from tests.billing.factories import (
    DAY,
    InvoiceFactory,
    InvoiceItemFactory,
    new_party,
    posted_invoice,
    posted_payment,
    posted_return,
    returned_item,
)

D = Decimal


def sold(party, quantity="10", price="2.00", tax_rate="0", **options):
    """An issued invoice with one item of so many."""
    draft = InvoiceFactory.create(party=party, **options)
    InvoiceItemFactory.create(
        invoice=draft, quantity=D(quantity), unit_price=D(price), tax_rate=D(tax_rate)
    )
    return issue_invoice(invoice=draft, by=None)


def refused_field(party, lines, **options):
    with pytest.raises(ValidationError) as refused:
        record_return(**{"party": party, "lines": lines, "return_date": DAY, "by": None, **options})
    assert not Return.all_objects.exists()
    return next(iter(getattr(refused.value, "error_dict", ["all of it"])))


@pytest.mark.django_db
class TestAgainstAnInvoice:
    def test_it_reduces_the_invoice_and_the_balance(self, company, party):
        invoice = sold(party)
        back = returned_item(invoice, "4")
        invoice.refresh_from_db()
        assert (back.return_number, back.total) == ("RET-2026-00001", 8)
        assert (invoice.state, invoice.returned, invoice.due) == (InvoiceState.PART_PAID, 8, 12)
        assert Balance.objects.get(party=party).current == 12
        assert_reconciled(company)

    def test_its_tax_is_the_items(self, party):
        back = returned_item(sold(party, tax_rate="20"), "5")
        assert (back.net, back.tax, back.total) == (D(10), D(2), D(12))

    def test_prices_with_tax_come_back_with_tax(self, party):
        back = returned_item(sold(party, price="12", tax_rate="20", prices_include_tax=True), "10")
        assert (back.net, back.tax, back.total) == (D(100), D(20), D(120))

    def test_all_of_an_invoice_comes_back_for_exactly_what_it_cost(self, party):
        """Also with a discount on the document, which nobody paid for."""
        invoice = sold(party, "3", "33.33", tax_rate="20", discount_percent=D("12.5"))
        assert returned_item(invoice, "3").total == invoice.total
        invoice.refresh_from_db()
        assert (invoice.state, invoice.due) == (InvoiceState.PAID, 0)
        assert Balance.objects.get(party=party).current == 0

    def test_goods_do_not_come_back_before_they_were_invoiced(self, party):
        invoice = sold(party)
        line = ReturnLine(quantity=D(1), item=invoice.items.get())
        early = DAY - timedelta(days=1)
        assert refused_field(party, [line], invoice=invoice, return_date=early) == "return_date"
        assert returned_item(invoice, day=DAY).return_date == invoice.invoice_date

    def test_what_was_paid_already_becomes_credit(self, company, party):
        invoice = sold(party)
        posted_payment(party, "15", invoice=invoice)
        back = returned_item(invoice, "10")
        invoice.refresh_from_db()
        assert (invoice.paid, invoice.returned, invoice.due) == (15, 5, 0)
        assert back.allocations.get().amount == 5
        assert Balance.objects.get(party=party).current == -15
        assert_reconciled(company)

    def test_more_than_was_sold_is_refused(self, party):
        invoice = sold(party)
        line = ReturnLine(quantity=D("10.001"), item=invoice.items.get())
        assert refused_field(party, [line], invoice=invoice) == "quantity"

    def test_more_than_was_sold_in_two_lines_is_refused(self, party):
        invoice = sold(party)
        line = ReturnLine(quantity=D(6), item=invoice.items.get())
        assert refused_field(party, [line, line], invoice=invoice) == "quantity"

    def test_more_than_is_left_of_what_came_back_before_is_refused(self, party):
        invoice = sold(party)
        returned_item(invoice, "7")
        with pytest.raises(ValidationError, match=r"at most 3\.000 can come back"):
            returned_item(invoice, "4")
        assert returned_item(invoice, "3").total == 6

    def test_a_deleted_return_does_not_count(self, party):
        invoice = sold(party)
        back = returned_item(invoice, "10")
        Return.objects.filter(pk=back.pk).update(is_active=False)
        assert returned_item(invoice, "10").total == 20

    @pytest.mark.parametrize("quantity", ["0", "-1"])
    def test_nothing_or_less_is_refused(self, party, quantity):
        invoice = sold(party)
        line = ReturnLine(quantity=D(quantity), item=invoice.items.get())
        assert refused_field(party, [line], invoice=invoice) == "quantity"

    def test_an_item_of_another_invoice_is_refused(self, party):
        invoice, other = sold(party), sold(party)
        line = ReturnLine(quantity=D(1), item=other.items.get())
        assert refused_field(party, [line], invoice=invoice) == "all of it"

    def test_an_invoice_of_another_party_is_refused(self, company, party):
        invoice = sold(new_party(company, "P2"))
        line = ReturnLine(quantity=D(1), item=invoice.items.get())
        assert refused_field(party, [line], invoice=invoice) == "invoice"


@pytest.mark.django_db
class TestOnAccount:
    @pytest.mark.parametrize(
        ("prices", "field"), [(["9e12", "9e12"], "all of it"), (["1e13"], "unit_price")]
    )
    def test_more_than_the_books_can_hold_is_refused(self, party, prices, field):
        lines = [ReturnLine(D(1), description="Jug", unit_price=D(price)) for price in prices]
        assert refused_field(party, lines, reason="Broken") == field
        assert not Balance.objects.filter(party=party).exclude(current=0).exists()

    def test_it_is_credit_of_the_party(self, company, party):
        posted_invoice(party, "100")
        assert posted_return(party, "30").invoice is None
        assert Balance.objects.get(party=party).current == 70
        assert_reconciled(company)

    def test_it_needs_a_reason(self, party):
        line = ReturnLine(quantity=D(1), unit_price=D(5))
        assert refused_field(party, [line]) == "reason"

    def test_it_cannot_go_round_the_check_by_leaving_the_invoice_out(self, party):
        line = ReturnLine(quantity=D(999), item=sold(party).items.get())
        assert refused_field(party, [line], reason="Broken") == "invoice"

    @pytest.mark.parametrize(
        ("line", "field"),
        [
            (ReturnLine(quantity=D(-1), unit_price=D(5)), "quantity"),
            (ReturnLine(quantity=D(0), unit_price=D(5)), "quantity"),
            (ReturnLine(quantity=D(1), unit_price=D(-5)), "unit_price"),
        ],
    )
    def test_a_negative_line_is_refused_naming_the_field(self, party, line, field):
        assert refused_field(party, [line], reason="Broken") == field

    def test_it_needs_a_line(self, party):
        assert refused_field(party, [], reason="Broken") == "all of it"

    def test_a_date_in_the_future_is_refused(self, company, party):
        line = ReturnLine(quantity=D(1), unit_price=D(5))
        tomorrow = today(company) + timedelta(days=1)
        field = refused_field(party, [line], reason="Broken", return_date=tomorrow)
        assert field == "return_date"


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_ten_who_take_back_the_same_goods_take_back_what_was_sold(self, company, party):
        invoice = sold(party)
        outcomes = race(*[lambda: returned_item(invoice, "3")] * 10)
        assert outcomes == {"done": 3, "quantity": 7}
        assert Balance.objects.get(party=party).current == 2
        assert_reconciled(company)

    def test_without_the_lock_they_would_take_back_more(self, company, party, monkeypatch):
        """The control: the test above can fail."""
        check = returns._check_quantities

        def check_slowly(invoice, lines):
            check(invoice, lines)
            time.sleep(0.1)

        monkeypatch.setattr(returns, "_check_quantities", check_slowly)
        monkeypatch.setattr(returns, "lock_invoice", lambda invoice: invoice)
        invoice = sold(party)
        race(*[lambda: returned_item(invoice, "3")] * 10)
        assert Return.objects.count() > 3
