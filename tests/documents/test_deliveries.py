"""E-mails are asked for, wait for their paper, and are asked for again."""

from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from documents.models import Batch, Delivery, DeliveryState, Document, DocumentState
from documents.selectors.deliveries import counts_of, deliveries_of
from documents.services import releasing
from documents.services.batch_actions import pause_batch, resume_batch
from documents.services.deciding import Decision, decide
from documents.services.deliveries import (
    cancel_deliveries,
    pause_deliveries,
    release_deliveries,
    request_deliveries,
    resend_unsent,
    resume_deliveries,
    send_document,
)
from documents.services.recipients import IS_A_DRAFT, NO_ADDRESS
from documents.services.releasing import release_overdue
from documents.services.requests import queue_again
from tests.documents.mail import delivery_to, keep_book, make, paper_for, run_of
from tests.factories import (
    BatchFactory,
    CompanyFactory,
    UserFactory,
    many_documents,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _archive(archive_dir):
    pass


@pytest.fixture
def book(monkeypatch):
    return keep_book(monkeypatch)


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Delivery.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def fail(document: Document, reason: str = "A letter can't be printed.") -> Document:
    Document.objects.filter(pk=document.pk).update(state=DocumentState.FAILED, failure=reason)
    document.refresh_from_db()
    return document


def test_a_draft_is_not_sent_and_says_so(book):
    document = paper_for(book, CompanyFactory.create(), "ap@harbour.example")
    snapshot = {**document.snapshot, "state": "draft"}
    Document.objects.filter(pk=document.pk).update(snapshot=snapshot)
    request_deliveries(documents=[document], by=None)
    row = Delivery.objects.get()
    assert (row.state, row.failure) == ("failed", IS_A_DRAFT)


def test_an_email_waits_until_its_paper_is_made(book):
    document = paper_for(book, CompanyFactory.create(), "ap@harbour.example")
    assert request_deliveries(documents=[document], by=None) == 1
    row = Delivery.objects.get()
    assert (row.state, row.held, row.queue) == ("queued", True, "mail")
    assert Delivery.claim(row.pk) is None
    release_deliveries([make(document)])
    assert Delivery.claim(row.pk) is not None


def test_it_is_one_per_paper_however_often_it_is_asked_for(book):
    document = paper_for(book, CompanyFactory.create(), "ap@harbour.example")
    assert request_deliveries(documents=[document, document], by=None) == 1
    assert request_deliveries(documents=[document], by=None) == 0
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", NO_ADDRESS),
        ("nobody", "This party's e-mail address can't be sent to: 'nobody'."),
        ("a@example.org\r\nBcc: b@example.org", "can't be sent to"),
        ("müller@example.org", "can't be sent to"),
        ("a" * 300 + "@example.org", "can't be sent to"),
    ],
)
def test_who_has_no_good_address_is_told_apart_at_once(book, address, reason):
    document = make(paper_for(book, CompanyFactory.create(), address))
    request_deliveries(documents=[document], by=None)
    row = Delivery.objects.get()
    assert (row.state, row.finished_at is not None) == ("failed", True)
    assert reason in row.failure
    release_deliveries([document])
    assert Delivery.objects.get().state == "failed"


def test_an_address_that_is_entered_later_is_used_when_it_goes_again(book):
    batch, [document] = run_of(book, 1)
    book.clear()
    request_deliveries(documents=[make(document)], by=None, batch=batch)
    assert resend_unsent(batch=batch, by=None) == 0
    book[document.recipient_id] = "new@example.org"
    by = UserFactory.create()
    assert resend_unsent(batch=batch, by=by) == 1
    row = Delivery.objects.get()
    assert (row.state, row.held, row.failure) == ("queued", False, "")
    assert row.address == "new@example.org"
    entry = LogEntry.objects.get(object_pk=str(row.pk))
    assert (entry.actor, entry.changes["address"]) == (by, ["", "new@example.org"])


def test_a_paper_that_fails_takes_its_email_along_until_it_is_made_after_all(book):
    document = paper_for(book, CompanyFactory.create(), "ap@harbour.example")
    request_deliveries(documents=[document], by=None)
    release_deliveries([fail(document)])
    row = Delivery.objects.get()
    assert (row.state, row.failure) == (
        "failed",
        "Its paper could not be made: A letter can't be printed.",
    )
    assert queue_again(document)
    release_deliveries([make(document)])
    row = Delivery.objects.get()
    assert (row.state, row.held, row.failure) == ("queued", False, "")


def test_an_email_with_a_paper_that_failed_before_says_so_at_once(book):
    document = fail(paper_for(book, CompanyFactory.create(), "ap@harbour.example"))
    assert request_deliveries(documents=[document], by=None) == 1
    row = Delivery.objects.get()
    assert (row.state, row.finished_at is not None) == ("failed", True)
    assert row.failure == "Its paper could not be made: A letter can't be printed."


def test_for_no_paper_nobody_gets_an_email():
    assert request_deliveries(documents=[], by=None) == 0
    assert not Delivery.objects.exists()


def test_an_email_that_was_cancelled_stays_so_when_its_paper_is_made(book):
    document = paper_for(book, CompanyFactory.create(), "ap@harbour.example")
    request_deliveries(documents=[document], by=None)
    assert cancel_deliveries(Delivery.objects.all(), by=None) == 1
    release_deliveries([make(document)])
    assert Delivery.objects.get().state == "cancelled"


def test_a_paused_run_sends_nothing_until_it_is_resumed(book):
    batch, documents = run_of(book, 2)
    request_deliveries(documents=[make(documents[0]), documents[1]], by=None, batch=batch)
    Batch.objects.filter(pk=batch.pk).update(is_paused=True)
    pause_deliveries(batch)
    release_deliveries([make(documents[1])])
    assert Delivery.due().count() == 0
    Batch.objects.filter(pk=batch.pk).update(is_paused=False)
    assert resume_deliveries(batch) == 2
    assert Delivery.due().count() == 2


def test_what_is_asked_for_in_a_paused_run_waits(book):
    batch, [document] = run_of(book, 1)
    batch.is_paused = True
    batch.save()
    request_deliveries(documents=[make(document)], by=None, batch=batch)
    assert Delivery.due().count() == 0
    assert release_overdue() == 0
    Batch.objects.update(is_paused=False)
    assert resume_deliveries(batch) == 1


@pytest.mark.parametrize(("state", "after"), [("ready", "queued"), ("failed", "failed")])
def test_a_paper_that_was_done_while_its_email_was_asked_for_is_found_by_a_sweep(
    book, state, after
):
    document = paper_for(book, CompanyFactory.create(), "ap@harbour.example")
    stale = Document.objects.get(pk=document.pk)
    release_deliveries([make(document) if state == "ready" else fail(document)])
    request_deliveries(documents=[stale], by=None)
    assert release_overdue() == 0  # not announced yet: that will release it
    Document.objects.update(announced_at=Now())
    assert release_overdue() == 1
    row = Delivery.objects.get()
    assert (row.state, row.held) == (after, state == "failed")
    assert release_overdue() == 0


def test_a_cancelled_paper_cancels_its_email_until_it_is_made_after_all(book):
    document = paper_for(book, CompanyFactory.create(), "ap@harbour.example")
    request_deliveries(documents=[document], by=None)
    Document.objects.update(state="cancelled")
    assert release_overdue() == 1
    row = Delivery.objects.get()
    assert (row.state, row.failure) == ("cancelled", "Its paper was cancelled.")
    assert release_overdue() == 0
    release_deliveries([make(document)])
    assert Delivery.due().count() == 1


def test_only_the_unsent_go_again(book):
    batch, documents = run_of(book, 7)
    request_deliveries(documents=[make(each) for each in documents], by=None, batch=batch)
    ends = ["failed", "cancelled", "bounced", "sent", "unknown", "running", "queued"]
    for row, state in zip(Delivery.objects.order_by("turn"), ends, strict=True):
        Delivery.objects.filter(pk=row.pk).update(state=state, failure="why")
    ids = set(Delivery.objects.values_list("message_id", flat=True))
    assert resend_unsent(batch=batch, by=None) == 3
    assert states() == {"queued": 4, "sent": 1, "unknown": 1, "running": 1}
    assert set(Delivery.objects.values_list("message_id", flat=True)) == ids


def test_what_went_with_an_earlier_run_counts_as_sent_in_the_next(book):
    first, [document] = run_of(book, 1)
    request_deliveries(documents=[make(document)], by=None, batch=first)
    Delivery.objects.update(state="sent")
    second = BatchFactory.create(company=first.company)
    second.items.create(company=first.company, position=0, subject_id=uuid4(), document=document)
    assert request_deliveries(documents=[document], by=None, batch=second) == 0
    assert counts_of(second)["sent"] == 1
    assert set(counts_of(second)) == set(DeliveryState.values)
    assert [row.state for row in deliveries_of([document.pk])[document.pk]] == ["sent"]


def test_one_paper_is_sent_once_and_again_only_where_it_did_not_go(book):
    document = make(paper_for(book, CompanyFactory.create(), "ap@harbour.example"))
    by = UserFactory.create()
    row = send_document(document=document, by=by)
    assert (row.state, row.held, row.requested_by) == ("queued", False, by)
    with pytest.raises(ValidationError, match="has an e-mail already: waiting"):
        send_document(document=document, by=by)
    for state in ("sent", "unknown"):
        Delivery.objects.update(state=state)
        with pytest.raises(ValidationError, match="has an e-mail already"):
            send_document(document=document, by=by)
    Delivery.objects.update(state="bounced")
    assert send_document(document=document, by=by).state == "queued"


def test_papers_of_two_companies_are_not_sent_together(book):
    documents = [paper_for(book, CompanyFactory.create(), "a@example.org") for _ in range(2)]
    with pytest.raises(ValueError, match="several companies"):
        request_deliveries(documents=documents, by=None)


def test_what_it_says_is_frozen_when_it_is_asked_for(book):
    company = CompanyFactory.create(legal_name="Northgate")
    row = delivery_to(book, "ap@harbour.example", company)
    assert "Northgate" in row.subject
    assert "Dear Harbour & Hill," in row.body
    assert "{" not in row.subject + row.body
    company.legal_name = "Southgate"
    company.save()
    row.refresh_from_db()
    assert "Southgate" not in row.subject


@pytest.mark.parametrize("many", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_many_are_asked_for_in_few_queries(book, many):
    company = CompanyFactory.create()
    batch = BatchFactory.create(company=company)
    documents = many_documents(many, company=company)
    Document.objects.bulk_create(documents, batch_size=1000)
    book.update({row.recipient_id: f"p{place}@example.org" for place, row in enumerate(documents)})
    with CaptureQueriesContext(connection) as queries:
        assert request_deliveries(documents=documents, by=None, batch=batch) == many
    assert len(queries) < (30 + many // 200 if connection.vendor == "postgresql" else 800)
    assert Delivery.objects.filter(state="queued", held=True).count() == many
    turns = Delivery.objects.filter(document__in=documents[:3]).order_by("turn")
    assert [row.document_id for row in turns] == [row.pk for row in documents[:3]]
    with CaptureQueriesContext(connection) as queries:
        Delivery.objects.update(state="failed", failure="The mail server was away.")
        batch.items.bulk_create(
            batch.items.model(
                company=company, batch=batch, position=place, subject_id=uuid4(), document=row
            )
            for place, row in enumerate(documents)
        )
        assert resend_unsent(batch=batch, by=None) == many
    assert len(queries) < (50 + many // 125 if connection.vendor == "postgresql" else 2000)


def test_a_sweep_leaves_the_emails_of_a_paused_run_alone(book, monkeypatch):
    batch, documents = run_of(book, 3)
    request_deliveries(documents=[make(each) for each in documents], by=None, batch=batch)
    Document.objects.update(announced_at=timezone.now())
    pause_batch(batch=batch, by=None)
    locked = []
    lock = releasing._lock
    monkeypatch.setattr(releasing, "_lock", lambda rows: locked.extend(lock(rows)) or locked)
    assert (release_overdue(), locked) == (0, [])
    resume_batch(batch=batch, by=None)
    assert Delivery.due().count() == 3


def test_one_that_may_have_arrived_keeps_the_address_at_which_it_may_have(book):
    document = make(paper_for(book, CompanyFactory.create(), "ap@harbour.example"))
    row = send_document(document=document, by=None)
    Delivery.objects.update(state="unknown")
    book.clear()
    mine = Delivery.objects.filter(pk=row.pk)
    assert decide(deliveries=mine, decision=Decision.AGAIN, by=None) == 0
    assert mine.values_list("state", "address").get() == ("unknown", "ap@harbour.example")
    assert decide(deliveries=mine, decision=Decision.ARRIVED, by=None) == 1


def test_emails_of_a_new_run_go_beside_those_that_go_on_and_not_before_them(book):
    for turn, held in ((3, True), (900, False)):
        batch, [document] = run_of(book, 1)
        request_deliveries(documents=[make(document)], by=None, batch=batch)
        Delivery.objects.filter(batch=batch).update(turn=turn, held=held)
    batch, [document] = run_of(book, 1)
    request_deliveries(documents=[make(document)], by=None, batch=batch)
    assert Delivery.objects.get(batch=batch).turn == 900
