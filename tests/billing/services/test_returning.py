"""Returns undone, worth what was sold in however many pieces, and balances taken over."""

from datetime import timedelta

import pytest

from billing.dates import Period, today
from billing.models import Balance, Invoice, InvoiceState, Return
from billing.selectors.credits import unapplied_credit
from billing.selectors.statements import read_accounts
from billing.services import (
    ReturnLine,
    delete_return,
    record_payment,
    record_return,
    set_opening,
    void_invoice,
)
from billing.services.papers import paper_of
from tests.billing.books import assert_reconciled
from tests.billing.factories import (
    DAY,
    posted_invoice,
    posted_return,
    returned_item,
)
from tests.billing.services.entering import (
    D,
    issued,
    item,
    refused_for,
)
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def now(invoice):
    return Invoice.objects.get(pk=invoice.pk)


def owed(party):
    return Balance.objects.get(party=party).current


def spread(party, amount, *shares):
    return record_payment(
        party=party, amount=D(amount), allocations=list(shares), payment_date=DAY, by=None
    )


class TestUndoingAReturn:
    def test_its_effect_is_reversed_and_it_is_gone(self, company, party):
        invoice = posted_invoice(party, "100")
        back = returned_item(invoice)
        assert now(invoice).state == InvoiceState.PAID
        delete_return(return_document=back, by=None)
        assert (now(invoice).state, now(invoice).due) == (InvoiceState.ISSUED, 100)
        assert not Return.objects.exists()
        assert not Return.all_objects.get().is_active
        assert owed(party) == 100
        assert returned_item(invoice).total == 100
        assert_reconciled(company)

    def test_once(self, party):
        back = posted_return(party, "5")
        delete_return(return_document=back, by=None)
        assert refused_for(lambda: delete_return(return_document=back, by=None)) == "source"
        assert owed(party) == 0


class TestReturnsValue:
    def test_the_pieces_of_a_line_add_up_to_it(self, party):
        invoice = issued(party, item("0.335", "3", "20"))  # 1.01, and 0.335 each
        backs = [returned_item(invoice) for _ in range(3)]
        assert [back.items.get().net for back in backs] == [D("0.34"), D("0.33"), D("0.34")]
        assert sum(back.net for back in backs) == invoice.net == D("1.01")
        assert sum(back.total for back in backs) == invoice.total

    @pytest.mark.parametrize("included", [False, True])
    def test_all_of_it_in_pieces_is_exactly_the_goods_total(self, company, party, included):
        company.prices_include_tax = included
        company.save()
        lines = [
            item("33.33", "3", "20"),
            item("0.07", "7", "5", discount_percent=D(10)),
            item("19.99", "2", "20"),
        ]
        invoice = issued(
            party, *lines, discount_percent=D("12.5"), shipping=D("4.95"), shipping_tax_rate=D(20)
        )
        without = issued(
            party,
            *[item("33.33", "3", "20"), item("0.07", "7", "5", discount_percent=D(10))],
            item("19.99", "2", "20"),
            discount_percent=D("12.5"),
        )
        backs = []
        for line in invoice.items.all():
            for _ in range(int(line.quantity)):
                backs.append(
                    record_return(
                        party=party,
                        invoice=invoice,
                        lines=[ReturnLine(item=line, quantity=D(1))],
                        return_date=DAY,
                        by=None,
                    )
                )
        assert sum(back.total for back in backs) == without.total
        assert sum(back.net for back in backs) == without.net
        assert now(invoice).due == invoice.total - without.total  # the shipping

    @pytest.mark.parametrize("included", [False, True])
    def test_the_credit_note_of_a_piece_says_what_was_credited(self, company, party, included):
        """Two pieces of 11.93 are 5.96 and 5.97, though the lines of each come to 5.96."""
        company.prices_include_tax = included
        company.save()
        several = [item("5.68", "2", "5"), item("0.07", "2", "20"), item("9.99", "2", "0")]
        single, mixed = issued(party, several[0]), issued(party, *several, discount_percent=D(3))
        for invoice in (single, single, mixed, mixed):
            lines = [ReturnLine(item=line, quantity=D(1)) for line in invoice.items.all()]
            back = record_return(
                party=party, invoice=invoice, lines=lines, return_date=DAY, by=None
            )
            printed = paper_of(back).snapshot
            assert D(printed["totals"]["total"]) == back.total
            assert sum(D(net) for _, net, _ in printed["taxes"]) == back.net
            assert sum(D(tax) for _, _, tax in printed["taxes"]) == back.tax

    def test_a_piece_after_a_deleted_one_still_ends_at_the_whole(self, party):
        invoice = issued(party, item("0.335", "3", "20"))
        backs = [returned_item(invoice) for _ in range(2)]
        delete_return(return_document=backs[0], by=None)
        last = returned_item(invoice, "2")
        assert backs[1].total + last.total == invoice.total

    @pytest.mark.parametrize("quantity", ["NaN", "Infinity", "0.0005", "1e308"])
    def test_a_quantity_that_is_none_is_refused(self, party, quantity):
        invoice = posted_invoice(party, "5")
        assert refused_for(lambda: returned_item(invoice, quantity)) == "quantity"

    def test_goods_of_a_void_invoice_are_refused(self, party):
        invoice = posted_invoice(party, "5")
        void_invoice(invoice=invoice, reason="x", by=None)
        assert refused_for(lambda: returned_item(invoice)) == "invoice"


class TestReturnsWithoutAnInvoice:
    def give_back(self, party, *, by, reason="Broken", **options):
        line = ReturnLine(quantity=D(1), description="Jug", unit_price=D(12), tax_rate=D(20))
        return record_return(
            party=party, lines=[line], return_date=DAY, by=by, reason=reason, **options
        )

    def test_a_person_needs_the_right_to_and_a_reason(self, party):
        by = UserFactory.create()
        assert refused_for(lambda: self.give_back(party, by=by)) == "invoice"
        allowed = {"by": by, "may_go_without_invoice": True}
        assert refused_for(lambda: self.give_back(party, reason=" ", **allowed)) == "reason"
        assert self.give_back(party, **allowed).total == D("14.40")

    def test_its_prices_are_as_the_company_writes_them(self, company, party):
        company.prices_include_tax = True
        company.save()
        back = self.give_back(party, by=None)
        assert (back.net, back.tax, back.total) == (10, 2, 12)


class TestOpenings:
    def test_it_is_part_of_the_balance_and_of_the_credit(self, company, party):
        posted_invoice(party, "100")
        balance = set_opening(party=party, opening=D("12.50"), opening_date=DAY, by=None)
        assert balance.current == owed(party) == D("112.50")
        set_opening(party=party, opening=D(-30), opening_date=DAY, by=None)
        assert owed(party) == 70
        assert unapplied_credit(party) == 30
        account = read_accounts(company, Period(DAY, today(company)))[party.pk]
        assert (account.closing, account.unapplied) == (70, -30)
        assert_reconciled(company)

    def test_it_is_taken_away_with_its_date(self, party):
        set_opening(party=party, opening=D(5), opening_date=DAY, by=None)
        set_opening(party=party, opening=D(0), opening_date=None, by=None)
        assert owed(party) == 0

    @pytest.mark.parametrize("amount", ["NaN", "Infinity", "0.005", "1e13", "-1e13"])
    def test_what_is_no_amount_is_refused(self, party, amount):
        def action():
            return set_opening(party=party, opening=D(amount), opening_date=DAY, by=None)

        assert refused_for(action) == "opening"

    def test_it_needs_a_date_that_is_not_in_the_future(self, company, party):
        for day in (None, today(company) + timedelta(days=1)):

            def action():
                return set_opening(party=party, opening=D(5), opening_date=day, by=None)  # noqa: B023

            assert refused_for(action) == "opening_date"
