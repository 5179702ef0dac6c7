"""Many at once on PostgreSQL, each with its control: the same without the lock goes wrong."""

import threading
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction

from billing.models import Allocation, Balance, Challan, Invoice, InvoiceItem, InvoiceState, Payment
from billing.services import (
    apply_credit,
    challan_states,
    challans,
    close_books,
    copy_invoice,
    delete_return,
    drafts,
    invoice_challans,
    invoices,
    issue_invoice,
    payments,
    periods,
    record_payment,
    require_open,
    returns,
    void_invoice,
    void_payment,
)
from billing.services import credits as crediting
from billing.services.returns import Returned
from tests.billing.books import assert_reconciled, race
from tests.billing.factories import DAY, posted_invoice, posted_payment, returned_item
from tests.billing.services.entering import D, delivered_challan, issued, item

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


class TestCopyingWithOneKey:
    """As by two presses of the button."""

    def copy(self, party):
        challan = delivered_challan(party)
        bill = issue_invoice(invoice=invoice_challans(challans=[challan], by=None), by=None)
        void_invoice(invoice=bill, reason="Wrong price", by=None)
        key = uuid4()
        return race(*[lambda: copy_invoice(invoice=bill, by=None, key=key)] * 6)

    def test_makes_one_draft(self, party):
        assert self.copy(party) == {"done": 6}
        draft = Invoice.objects.get(state=InvoiceState.DRAFT)
        assert Challan.objects.get().invoice == draft

    def test_would_fail_if_each_looked_before_the_other_had_made_it(self, party, monkeypatch):
        def look(invoice):
            found = Invoice.objects.select_related("company").get(pk=invoice.pk)
            gate.wait(10)
            return found

        gate = threading.Barrier(6)
        monkeypatch.setattr(drafts, "_held", look)
        assert self.copy(party) != {"done": 6}


class TestSpreadOverCrossingInvoices:
    def cross(self, party):
        """Six spread over the same invoices in one order, and six in the other."""
        bills = [posted_invoice(party, "60") for _ in range(4)]

        def pay(order):
            shares = [(invoice, D(5)) for invoice in order]
            return lambda: record_payment(
                party=party, amount=D(20), allocations=shares, payment_date=DAY, by=None
            )

        return race(*[pay(bills), pay(bills[::-1])] * 6)

    def test_nobody_waits_for_ever(self, company, party):
        assert self.cross(party) == {"done": 12}
        assert set(Invoice.objects.values_list("state", "paid")) == {("paid", D(60))}
        assert_reconciled(company)

    def test_they_would_if_each_locked_in_its_own_order(self, party, monkeypatch):
        def as_they_come(pairs, key):
            return list(pairs)

        lock = payments.lock_invoice

        def lock_slowly(invoice):
            locked = lock(invoice)
            time.sleep(0.02)
            return locked

        monkeypatch.setattr(payments, "sorted", as_they_come, raising=False)
        monkeypatch.setattr(payments, "lock_invoice", lock_slowly)
        assert self.cross(party)["OperationalError"]

    def test_no_invoice_gets_more_than_its_total(self, company, party):
        bills = [posted_invoice(party, "50") for _ in range(3)]
        shares = [(invoice, D(20)) for invoice in bills]

        def pay():
            record_payment(party=party, amount=D(60), allocations=shares, payment_date=DAY, by=None)

        assert race(*[pay] * 8) == {"done": 2, "allocations": 6}
        assert set(Invoice.objects.values_list("paid", flat=True)) == {D(40)}
        assert_reconciled(company)


class TestOneCreditToManyInvoices:
    def apply(self, party):
        payment = posted_payment(party, "50")
        bills = [posted_invoice(party, "30") for _ in range(6)]
        return race(
            *[
                lambda bill=bill: apply_credit(source=payment, invoice=bill, amount=D(20), by=None)
                for bill in bills
            ]
        )

    def test_never_gives_more_than_it_has(self, company, party):
        assert self.apply(party) == {"done": 2, "amount": 4}
        assert sum(row.amount for row in Allocation.objects.all()) == 40
        assert_reconciled(company)

    def test_would_without_the_lock(self, party, monkeypatch):
        rest = crediting.unapplied_of

        def rest_slowly(source):
            found = rest(source)
            time.sleep(0.1)
            return found

        monkeypatch.setattr(crediting, "lock_source", lambda source: source)
        monkeypatch.setattr(crediting, "unapplied_of", rest_slowly)
        self.apply(party)
        assert sum(row.amount for row in Allocation.objects.all()) > 50


class TestInvoicingTheSameChallans:
    def invoice(self, party):
        rows = [delivered_challan(party) for _ in range(3)]
        return race(*[lambda: invoice_challans(challans=rows, by=None)] * 6)

    def test_is_done_once(self, party):
        assert self.invoice(party) == {"done": 1, "ValidationError": 5}
        assert Invoice.objects.count() == 1
        assert InvoiceItem.objects.count() == 3

    def test_would_be_done_often_without_the_lock_and_the_condition(self, party, monkeypatch):
        change = challan_states.change_challans

        def read(rows):
            found = list(Challan.objects.filter(pk__in=[row.pk for row in rows]))
            time.sleep(0.1)
            return found

        def change_whatever(rows, *, of, **options):
            change(rows, of=["open", "delivered", "invoiced"], **options)

        monkeypatch.setattr(challans, "_lock", read)
        monkeypatch.setattr(challan_states, "change_challans", change_whatever)
        self.invoice(party)
        assert Invoice.objects.count() > 1

    def test_overlapping_choices_in_both_orders_end_with_each_challan_once(self, party):
        rows = [delivered_challan(party) for _ in range(4)]

        def of(chosen):
            return lambda: invoice_challans(challans=chosen, by=None)

        outcomes = race(of(rows[:3]), of(rows[:0:-1]), of(rows[::-1]), of(rows[1:3]))
        assert outcomes == {"done": 1, "ValidationError": 3}
        invoiced = Challan.objects.filter(state="invoiced")
        assert InvoiceItem.objects.count() == invoiced.count()


class TestVoidAgainstPay:
    def at_once(self, party):
        invoice = posted_invoice(party, "100")

        def pay():
            posted_payment(party, "10", invoice=invoice)

        def void():
            void_invoice(invoice=invoice, reason="Wrong", by=None)

        return invoice, race(pay, pay, pay, void, pay, pay, pay)

    def test_whoever_comes_first_the_books_add_up(self, company, party):
        invoice, outcomes = self.at_once(party)
        assert outcomes["done"] + outcomes["invoice"] == 7
        invoice.refresh_from_db()
        assert (invoice.state, invoice.paid) == (InvoiceState.VOID, 0)
        assert not Allocation.objects.exists()
        taken = 10 * Payment.objects.count()
        assert Balance.objects.get(party=party).current == -taken
        assert_reconciled(company)

    def test_without_the_lock_a_void_invoice_is_paid(self, party, monkeypatch):
        forget = invoices.forget

        def forget_slowly(allocations, by):
            forget(allocations, by)
            time.sleep(0.3)

        monkeypatch.setattr(
            invoices,
            "_locked",
            lambda row: Invoice.objects.select_related("company").get(pk=row.pk),
        )
        monkeypatch.setattr(invoices, "forget", forget_slowly)
        invoice, _ = self.at_once(party)
        assert invoice.allocations.exists()


class TestReturningTheSameItems:
    def take_back(self, party):
        invoice = issued(party, item("0.335", "3", "20"))
        return invoice, race(*[lambda: returned_item(invoice)] * 6)

    def test_they_are_worth_what_was_sold(self, company, party):
        invoice, outcomes = self.take_back(party)
        assert outcomes == {"done": 3, "quantity": 3}
        assert sum(back.total for back in invoice.returns.all()) == invoice.total
        assert_reconciled(company)

    def test_without_the_lock_the_pieces_do_not_add_up(self, party, monkeypatch):
        take = Returned.take

        def take_slowly(self, items):
            found = take(self, items)
            time.sleep(0.1)
            return found

        monkeypatch.setattr(Returned, "take", take_slowly)
        monkeypatch.setattr(returns, "lock_invoice", lambda invoice: invoice)
        invoice, _ = self.take_back(party)
        assert invoice.returns.count() > 3

    def test_a_return_and_the_undoing_of_another_at_once(self, company, party):
        invoice = issued(party, item("0.335", "3", "20"))
        backs = [returned_item(invoice) for _ in range(2)]
        undo = [lambda back=back: delete_return(return_document=back, by=None) for back in backs]
        outcomes = race(*undo, lambda: returned_item(invoice), lambda: returned_item(invoice, "3"))
        assert outcomes["done"] >= 3
        assert_reconciled(company)


def test_everything_at_once_on_the_same_invoices_ends_without_a_deadlock(company, party):
    bills = [posted_invoice(party, "100") for _ in range(4)]
    shares = [(bill, D(10)) for bill in bills]
    spread = [
        record_payment(party=party, amount=D(50), allocations=shares, payment_date=DAY, by=None)
        for _ in range(4)
    ]
    back = returned_item(bills[3])
    calls = [lambda one=one: void_payment(payment=one, reason="x", by=None) for one in spread[:2]]
    calls += [
        lambda one=one, bill=bill: apply_credit(source=one, invoice=bill, amount=D(5), by=None)
        for one in spread
        for bill in bills[:2]
    ]
    calls += [
        lambda bill=bill: void_invoice(invoice=bill, reason="x", by=None) for bill in bills[:2]
    ]
    calls += [lambda: posted_payment(party, "10", invoice=bills[2])]
    calls += [lambda: delete_return(return_document=back, by=None)]
    outcomes = race(*calls)
    assert set(outcomes) <= {"done", "invoice", "amount", "source"}
    assert_reconciled(company)
    for invoice in Invoice.objects.all():
        rows = invoice.allocations.all()
        assert invoice.paid == sum(row.amount for row in rows if row.payment_id)


class TestClosingWhilePosting:
    def closed_meanwhile(self, company):
        """Whether the books were closed while a posting had found them open and was under way."""
        closing = threading.Thread(target=self.close, args=[company], daemon=True)
        with transaction.atomic():
            require_open(company=company, day=DAY, field="day")
            closing.start()
            closing.join(timeout=0.5)
            done = not closing.is_alive()
        closing.join(timeout=30)
        assert not closing.is_alive()
        company.refresh_from_db()
        assert company.books_closed_until == DAY
        return done

    def close(self, company):
        try:
            close_books(company=company, until=DAY, by=None)
        finally:
            connection.close()

    def test_closing_waits_for_the_posting(self, company):
        assert not self.closed_meanwhile(company)

    def test_without_the_lock_it_would_not(self, company, monkeypatch):
        unlocked = periods._SHARED.replace(" FOR KEY SHARE", "")
        monkeypatch.setattr(periods, "_SHARED", unlocked)
        assert self.closed_meanwhile(company)

    def test_postings_do_not_wait_for_each_other(self, company):
        def post():
            with transaction.atomic():
                require_open(company=company, day=DAY + timedelta(days=1), field="day")
                time.sleep(0.2)

        started = time.monotonic()
        assert race(*[post] * 6) == {"done": 6}
        assert time.monotonic() - started < 1
