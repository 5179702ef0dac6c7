"""Closed books: nothing is posted, changed or voided up to the day, which is named."""

from datetime import date, timedelta

import pytest

from billing.dates import today
from billing.models import Invoice, Payment, Return
from billing.services import (
    ReturnLine,
    apply_credit,
    cancel_challan,
    close_books,
    copy_invoice,
    delete_return,
    deliver_challan,
    invoice_challans,
    issue_invoice,
    require_open,
    save_challan,
    save_draft,
    set_opening,
    void_invoice,
    void_payment,
)
from billing.services.returns import record_return
from tests.billing.factories import (
    DAY,
    BalanceFactory,
    posted_invoice,
    posted_payment,
    posted_return,
    returned_item,
)
from tests.billing.sales import HEADER, run_import
from tests.billing.services.entering import (
    D,
    delivered_challan,
    entered,
    goods,
    item,
    open_challan,
    refusal,
    refused_for,
)
from tests.factories import CompanyFactory

pytestmark = pytest.mark.django_db

LAST = DAY  # closed up to it, and everything below is dated on it
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def close(company):
    return lambda until=LAST: close_books(company=company, until=until, by=None)


def changes(party):
    """Each way to post, change or void something that is dated on the last closed day."""
    draft = entered(party)
    stored = entered(party, invoice_date=NEXT)
    stored.invoice_date = LAST
    invoice, other = posted_invoice(party, "100"), posted_invoice(party, "50")
    payment, back = posted_payment(party, "10", invoice=invoice), posted_return(party, "5")
    challan, new = open_challan(party), open_challan(party, day=NEXT)
    line = ReturnLine(quantity=D(1), item=other.items.get())
    set_opening(party=party, opening=D(5), opening_date=LAST, by=None)
    return {
        "enter": ("invoice_date", lambda: entered(party)),
        "move a draft": (
            "invoice_date",
            lambda: save_draft(invoice=stored, items=[item()], by=None),
        ),
        "issue": ("invoice_date", lambda: issue_invoice(invoice=draft, by=None)),
        "void": ("invoice_date", lambda: void_invoice(invoice=invoice, reason="x", by=None)),
        "pay": ("payment_date", lambda: posted_payment(party, "1", invoice=other)),
        "pay on account": ("payment_date", lambda: posted_payment(party, "1")),
        "void a payment": (
            "payment_date",
            lambda: void_payment(payment=payment, reason="x", by=None),
        ),
        "apply": (
            "day",
            lambda: apply_credit(source=back, invoice=other, amount=D(1), day=LAST, by=None),
        ),
        "return": (
            "return_date",
            lambda: record_return(
                party=party, invoice=other, lines=[line], return_date=LAST, by=None
            ),
        ),
        "return on account": ("return_date", lambda: posted_return(party, "5")),
        "undo a return": ("return_date", lambda: delete_return(return_document=back, by=None)),
        "take over": (
            "opening_date",
            lambda: set_opening(party=party, opening=D(6), opening_date=NEXT, by=None),
        ),
        "write a challan": ("challan_date", lambda: open_challan(party)),
        "change a challan": (
            "challan_date",
            lambda: save_challan(challan=challan, items=[goods("9")], by=None),
        ),
        "cancel a challan": (
            "challan_date",
            lambda: cancel_challan(challan=challan, reason="x", by=None),
        ),
        "deliver": (
            "delivered_on",
            lambda: deliver_challan(challan=challan, delivered_on=LAST, by=None),
        ),
        "move a challan": ("challan_date", lambda: moved(new, LAST)),
    }


def moved(challan, day):
    challan.challan_date = day
    return save_challan(challan=challan, items=[goods()], by=None)


NAMES = [
    "enter",
    "move a draft",
    "issue",
    "void",
    "pay",
    "pay on account",
    "void a payment",
    "apply",
    "return",
    "return on account",
    "undo a return",
    "take over",
    "write a challan",
    "change a challan",
    "cancel a challan",
    "deliver",
    "move a challan",
]


@pytest.mark.parametrize("name", NAMES)
def test_on_the_last_closed_day_it_is_refused_naming_the_day_and_the_field(party, close, name):
    field, action = changes(party)[name]
    close()
    assert refusal(action) == (field, "The books are closed up to 2026-03-10.")
    close(LAST - timedelta(days=1))
    action()


def test_every_way_is_tried(party):
    assert list(changes(party)) == NAMES


def test_what_is_dated_later_is_open(party, close):
    close()
    invoice = posted_invoice(party, "100", day=NEXT)
    payment = posted_payment(party, "40", day=NEXT, invoice=invoice)
    back = returned_item(posted_invoice(party, "5", day=NEXT), day=NEXT)
    delete_return(return_document=back, by=None)
    void_payment(payment=payment, reason="x", by=None)
    void_invoice(invoice=invoice, reason="x", by=None)


def test_an_old_invoice_may_still_be_paid_copied_and_its_challan_invoiced(company, party, close):
    invoice, challan = posted_invoice(party, "100"), delivered_challan(party)
    close()
    payment = posted_payment(party, "40", day=NEXT, invoice=invoice)
    assert payment.allocations.get().applied_on == NEXT
    assert copy_invoice(invoice=invoice, by=None).invoice_date == today(company)
    assert invoice_challans(challans=[challan], by=None).invoice_date == today(company)


def test_an_opening_without_a_date_is_of_ever_and_is_closed_with_anything(company, party, close):
    BalanceFactory.create(party=party, opening=D(9))
    close(date(2000, 1, 1))
    assert refused_for(
        lambda: set_opening(party=party, opening=D(6), opening_date=NEXT, by=None)
    ) == ("opening_date")


def test_saving_an_opening_as_it_is_is_no_change(party, close):
    set_opening(party=party, opening=D(5), opening_date=LAST, by=None)
    close()
    assert set_opening(party=party, opening=D(5), opening_date=LAST, by=None).opening == 5


def test_an_import_refuses_what_is_dated_in_closed_books_and_knows_what_is_there(
    company, close, tmp_path
):
    path = tmp_path / "sales.csv"
    path.write_text(f"{HEADER}\n1,A,Jug,1,{LAST},5,P9,EIRE\n")
    run_import(company, path)
    close()
    path.write_text(
        f"{HEADER}\n1,A,Jug,1,{LAST},5,P9,EIRE\n2,A,Jug,1,{LAST},5,P9,EIRE\n"
        f"3,A,Jug,1,{NEXT},5,P9,EIRE\n"
    )
    imported = run_import(company, path)
    assert imported.reasons == {3: "the books are closed up to 2026-03-10: 2"}
    assert imported.summary.documents_there_already == 1
    assert sorted(Invoice.objects.values_list("invoice_number", flat=True)) == ["1", "3"]


class TestClosing:
    def test_not_up_to_tomorrow(self, company, close):
        tomorrow = today(company) + timedelta(days=1)
        assert refused_for(lambda: close(tomorrow)) == "until"
        assert close(today(company)).books_closed_until == today(company)

    def test_they_are_opened_again(self, company, party, close):
        close()
        close(None)
        posted_invoice(party, "1")

    def test_of_one_company_only(self, company, close):
        close()
        require_open(company=CompanyFactory.create(), day=LAST, field="day")

    def test_a_company_in_hand_may_be_stale(self, company, party, close):
        stale = type(company).objects.get(pk=company.pk)
        close()
        assert stale.books_closed_until is None
        assert refused_for(lambda: require_open(company=stale, day=LAST, field="day")) == "day"


def test_nothing_of_what_was_refused_is_left(party, close):
    posted_invoice(party, "1")
    close()
    refused_for(lambda: posted_payment(party, "1"))
    refused_for(lambda: posted_return(party, "1"))
    refused_for(lambda: entered(party))
    assert not Payment.all_objects.exists()
    assert not Return.all_objects.exists()
    assert Invoice.all_objects.count() == 1
