"""The audit trail: who did what, with before and after, within a request and without."""

from decimal import Decimal

import pytest
from auditlog.context import set_actor
from auditlog.models import LogEntry
from django.db.models.signals import pre_save

from accounts.scoping import company_scope_required
from billing.audit import acting, history_of
from billing.models import Balance, Invoice, Party, Return
from billing.services import (
    apply_credit,
    cancel_challan,
    close_books,
    copy_invoice,
    delete_draft,
    delete_return,
    deliver_challan,
    invoice_challans,
    issue_invoice,
    record_payment,
    record_return,
    save_challan,
    save_draft,
    set_opening,
    void_invoice,
    void_payment,
)
from billing.services.returns import ReturnLine
from tests.billing.factories import DAY, posted_invoice, posted_payment
from tests.billing.sales import HEADER, run_import
from tests.billing.services.entering import (
    D,
    delivered_challan,
    entered,
    goods,
    issued,
    item,
    new_draft,
    open_challan,
)
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def changes(row):
    """All that the trail has of the row, oldest first."""
    return [entry.changes for entry in list(history_of(row))[::-1]]


def last(row, name):
    return next(each[name] for each in reversed(changes(row)) if name in each)


@pytest.fixture
def by():
    return UserFactory.create(email="ida@example.org")


def each_service(party, by):
    """Every service, with a row whose trail must name the person afterwards."""
    draft = save_draft(invoice=new_draft(party), items=[item()], by=by)
    yield draft
    yield issue_invoice(invoice=draft, by=by)
    yield copy_invoice(invoice=draft, by=by)
    yield delete_draft(invoice=entered(party), by=by)
    payment = record_payment(party=party, amount=D(9), payment_date=DAY, by=by)
    yield payment
    apply_credit(source=payment, invoice=draft, amount=D(2), by=by)
    yield draft
    yield void_payment(payment=payment, reason="Bounced", by=by)
    line = ReturnLine(quantity=D(1), item=draft.items.get())
    back = record_return(party=party, invoice=draft, lines=[line], return_date=DAY, by=by)
    yield back
    yield delete_return(return_document=back, by=by)
    yield void_invoice(invoice=draft, reason="Wrong", by=by)
    challan = open_challan(party)
    yield save_challan(challan=challan, items=[goods("7")], by=by)
    yield deliver_challan(challan=challan, delivered_on=DAY, by=by)
    invoice_challans(challans=[challan], by=by)
    yield challan
    yield cancel_challan(challan=open_challan(party), reason="x", by=by)
    yield set_opening(party=party, opening=D(5), opening_date=DAY, by=by)
    yield close_books(company=party.company, until=DAY, by=by)


def test_every_service_says_who_did_it(party, by):
    for row in each_service(party, by):
        newest = history_of(row)[0]
        assert (newest.actor, newest.actor_email) == (by, "ida@example.org"), row


def test_also_within_a_request_where_queries_are_guarded(party, by):
    """The trail reads the row before it is saved, and must not fall over the guard."""
    draft = entered(party)
    with company_scope_required():
        issue_invoice(invoice=draft, by=by)
    assert last(draft, "state") == ["draft", "issued"]


def test_a_request_goes_on_as_who_it_was_after_a_service(party, by):
    other = UserFactory.create()
    with set_actor(other):
        save_draft(invoice=new_draft(party), items=[item()], by=by)
        party.name = "Renamed"
        party.save()
    assert history_of(party)[0].actor == other
    assert history_of(Invoice.objects.get())[0].actor == by


def test_acting_leaves_no_receiver_behind(party, by):
    before = len(pre_save.receivers)
    for _ in range(3):
        with set_actor(by), acting(by):
            entered(party)
    assert len(pre_save.receivers) == before


def test_replaced_items_are_there_before_and_after(party):
    draft = entered(party, item("10", description="Jug"), item("5", description="Mug"))
    save_draft(
        invoice=draft,
        items=[item("10", description="Jug"), item("6", description="Mug")],
        by=None,
    )
    before, after = last(draft, "items")
    assert "2. Mug: 1.000 × 5.0000" in before
    assert "2. Mug: 1.000 × 6.0000" in after
    assert "Jug" not in before + after


def test_items_that_stay_as_they_are_make_no_entry(party):
    draft = entered(party)
    entries = history_of(draft).count()
    save_draft(invoice=Invoice.objects.get(pk=draft.pk), items=[item()], by=None)
    assert history_of(draft).count() == entries


def test_an_entry_of_items_stays_short_whatever_they_are(party):
    draft = entered(party, *[item(description="w" * 10_000) for _ in range(200)])
    assert len(last(draft, "items")[1]) < 20_000
    assert "and 150 more" in last(draft, "items")[1]


def test_an_invoice_shows_what_settled_it_and_what_was_taken_back(party):
    invoice, payment = issued(party), posted_payment(party, "70")
    apply_credit(source=payment, invoice=invoice, amount=D(70), by=None)
    assert last(invoice, "settled") == ["", f"70.00 by {payment}"]
    assert last(payment, "applied") == ["", f"70.00 to {invoice}"]
    void_invoice(invoice=invoice, reason="Wrong", by=None)
    assert last(invoice, "settled") == [f"70.00 by {payment}", ""]
    assert last(payment, "applied") == [f"70.00 to {invoice}", ""]
    assert last(invoice, "void_reason") == ["", "Wrong"]


def test_a_challan_shows_its_way(party):
    challan = delivered_challan(party)
    draft = invoice_challans(challans=[challan], by=None)
    delete_draft(invoice=draft, by=None)
    states = [each["state"] for each in changes(challan) if "state" in each]
    assert states[1:] == [
        ["open", "delivered"],
        ["delivered", "invoiced"],
        ["invoiced", "delivered"],
    ]


def test_an_opening_and_the_closing_of_the_books_show_before_and_after(company, party):
    set_opening(party=party, opening=D(5), opening_date=DAY, by=None)
    set_opening(party=party, opening=D(7), opening_date=DAY, by=None)
    balance = Balance.objects.get(party=party)
    assert [Decimal(value) for value in last(balance, "opening")] == [5, 7]
    close_books(company=company, until=DAY, by=None)
    assert last(company, "books_closed_until") == ["None", "2026-03-10"]


def test_an_import_writes_an_entry_a_document_and_a_party_in_few_queries(
    company, tmp_path, django_assert_max_num_queries
):
    path = tmp_path / "sales.csv"
    lines = [f"{number},A,Jug,2,{DAY},5,P{number % 7},EIRE" for number in range(90)]
    path.write_text("\n".join([HEADER, *lines, f"C1,A,Jug,-1,{DAY},5,P1,EIRE"]))
    with django_assert_max_num_queries(40):
        run_import(company, path)
    invoice = Invoice.objects.get(invoice_number="7")
    assert changes(invoice) == [{"imported": ["", "items: 1, total: 10.00 GBP"]}]
    assert len(changes(Return.objects.get())) == 1
    assert len(changes(Party.objects.get(code="P3"))) == 1
    run_import(company, path)
    assert LogEntry.objects.filter(changes__has_key="imported").count() == 90 + 1 + 7


def test_what_is_refused_leaves_no_entry(party):
    invoice = posted_invoice(party, "100")
    entries = LogEntry.objects.count()
    with pytest.raises(Exception, match="more than the balance"):
        posted_payment(party, "101", invoice=invoice)
    assert LogEntry.objects.count() == entries
