"""Somebody asks for a paper at the moment when its run is cancelled, or when it is made."""

import threading

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from billing.services.paper_runs import start_paper_run
from billing.services.papers import request_paper
from billing.views.papers import PaperNotMade, generate_invoice_pdf
from documents.models import Document, DocumentState, Notification
from documents.services import batch_papers, batches, making, requests
from documents.services.batch_actions import cancel_batch
from documents.services.making import make_document
from documents.tasks import run_batch_job
from tests.billing.factories import new_party, posted_invoice
from tests.factories import CompanyFactory, member
from tests.worker.racing import start, wait_until_blocked
from worker.running import work_on

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _places(queues, archive_dir):
    """A broker and an archive of their own."""


@pytest.fixture
def invoice():
    return posted_invoice(new_party(CompanyFactory.create()), "10")


@pytest.fixture
def clerk(invoice):
    return member(Role.CLERK, company=invoice.company).user


@pytest.fixture
def run(invoice):
    """Planned: the invoice's paper waits in it."""
    batch = start_paper_run(
        company=invoice.company, kind="invoice-papers", records=[invoice.pk], by=None
    )
    assert run_batch_job(str(batch.jobs.get().pk)) == "done"
    batch.refresh_from_db()
    return batch


class Pause:
    """A function that stops, once what it wraps is done, until it may go on."""

    def __init__(self, wrapped):
        self.reached, self._go_on = threading.Event(), threading.Event()
        self._wrapped = wrapped

    def __call__(self, *arguments):
        result = self._wrapped(*arguments)
        if not self.reached.is_set():
            self.reached.set()
            assert self._go_on.wait(20)
        return result

    def end(self):
        self._go_on.set()


def meeting(monkeypatch, place, name, first, second):
    """`second` begins when `first` is past the function `name`, which goes on once `second` is
    over, or waits for it. What `second` returns.
    """
    pause = Pause(getattr(place, name))
    monkeypatch.setattr(place, name, pause)
    ended = threading.Event()

    def and_end():
        try:
            return second()
        finally:
            ended.set()

    results = [start(first)]
    assert pause.reached.wait(20)
    results.append(start(and_end))
    wait_until_blocked(1, unless=ended.is_set)
    pause.end()
    [one], [other] = [wait() for wait in results]
    for result in (one, other):
        assert not isinstance(result, Exception), result
    return other


def unlocked(monkeypatch):
    monkeypatch.setattr(requests, "_locked", lambda document: document)


def asked_while_cancelled(monkeypatch, invoice, clerk, run):
    """The run's cancel has its papers locked when they are asked for."""
    meeting(
        monkeypatch,
        batch_papers,
        "_lock",
        lambda: cancel_batch(batch=run, by=None),
        lambda: request_paper(record=invoice, by=clerk),
    )
    return Document.objects.get()


def test_what_is_cancelled_while_somebody_asks_for_it_is_queued_again(
    monkeypatch, invoice, clerk, run
):
    paper = asked_while_cancelled(monkeypatch, invoice, clerk, run)
    assert (paper.state, paper.queue) == (DocumentState.QUEUED, "interactive")


def test_control_a_request_that_trusts_what_it_read_leaves_it_cancelled(
    monkeypatch, invoice, clerk, run
):
    unlocked(monkeypatch)
    paper = asked_while_cancelled(monkeypatch, invoice, clerk, run)
    assert paper.state == DocumentState.CANCELLED


def cancelled_while_asked(monkeypatch, invoice, clerk, run):
    """The wish is written, and not committed, when the run is cancelled."""
    meeting(
        monkeypatch,
        requests,
        "_note_wish",
        lambda: request_paper(record=invoice, by=clerk),
        lambda: cancel_batch(batch=run, by=None),
    )
    return Document.objects.get()


def test_what_somebody_asks_for_while_its_run_is_cancelled_is_made(
    monkeypatch, invoice, clerk, run
):
    paper = cancelled_while_asked(monkeypatch, invoice, clerk, run)
    assert (paper.state, paper.queue) == (DocumentState.QUEUED, "interactive")


def test_control_a_cancel_that_does_not_wait_for_the_wish_gives_it_up(
    monkeypatch, invoice, clerk, run
):
    unlocked(monkeypatch)
    assert cancelled_while_asked(monkeypatch, invoice, clerk, run).state == "cancelled"


def make():
    return work_on(Document, Document.objects.get().pk, make_document)


def asked_while_recorded(monkeypatch, invoice, clerk, run):
    """Who waits for it was looked up, and its end is not committed, when it is asked for."""
    return meeting(
        monkeypatch,
        making,
        "announce_made",
        make,
        lambda: request_paper(record=invoice, by=clerk),
    )


def test_who_asks_while_its_end_is_recorded_gets_it_ready(monkeypatch, invoice, clerk, run):
    assert asked_while_recorded(monkeypatch, invoice, clerk, run).is_ready


def test_control_a_request_that_trusts_what_it_read_waits_for_ever(
    monkeypatch, invoice, clerk, run
):
    unlocked(monkeypatch)
    paper = asked_while_recorded(monkeypatch, invoice, clerk, run)
    assert Document.objects.get().is_ready
    assert not paper.is_ready
    assert not Notification.objects.exists()


def made_while_asked(monkeypatch, invoice, clerk, run):
    """The paper is being made; its end comes while the wish is written and not committed."""
    work = Document.claim(Document.objects.get().pk)
    meeting(
        monkeypatch,
        requests,
        "_note_wish",
        lambda: request_paper(record=invoice, by=clerk),
        lambda: make_document(work),
    )
    return Document.objects.get()


def test_who_asked_just_before_its_end_is_told(monkeypatch, invoice, clerk, run):
    paper = made_while_asked(monkeypatch, invoice, clerk, run)
    assert paper.is_ready
    assert Notification.objects.get().user == clerk


def test_control_an_end_that_does_not_wait_for_the_wish_tells_nobody(
    monkeypatch, invoice, clerk, run
):
    unlocked(monkeypatch)
    assert made_while_asked(monkeypatch, invoice, clerk, run).is_ready
    assert not Notification.objects.exists()


@pytest.mark.parametrize("is_part", [True, False], ids=["part", "page"])
def test_who_asks_for_what_is_just_being_planned_is_told_to_try_again(
    monkeypatch, invoice, clerk, is_part
):
    monkeypatch.setattr(requests, "_PATIENCE_SECONDS", 1)
    pause = Pause(batches._insert_rows)
    monkeypatch.setattr(batches, "_insert_rows", pause)
    batch = start_paper_run(
        company=invoice.company, kind="invoice-papers", records=[invoice.pk], by=None
    )
    planned = start(lambda: run_batch_job(str(batch.jobs.get().pk)))
    assert pause.reached.wait(20)
    browser = Client(headers={"HX-Request": "true"} if is_part else {})
    browser.force_login(clerk)
    response = browser.post(reverse("billing:paper", args=["invoice", invoice.pk]))
    assert (response.get("HX-Refresh") == "true") is is_part
    with pytest.raises(PaperNotMade, match="just being planned"):
        generate_invoice_pdf(invoice)
    pause.end()
    assert planned() == ["done"]
    page = browser.get(invoice.get_absolute_url()).content.decode()
    assert "A run with this paper is just being planned: try again in a minute." in page
    assert request_paper(record=invoice, by=clerk).queue == "interactive"


def test_many_asking_for_what_a_run_holds_and_its_cancel_never_stand_in_each_others_way(clerk):
    """Nobody is a deadlock's victim, and each paper that was asked for goes on."""
    party = new_party(clerk.memberships.get().company, "M")
    bills = [posted_invoice(party, "10") for _ in range(6)]
    keys = [bill.pk for bill in bills]
    batch = start_paper_run(company=party.company, kind="invoice-papers", records=keys, by=None)
    run_batch_job(str(batch.jobs.get().pk))
    calls = [lambda bill=bill: request_paper(record=bill, by=clerk) for bill in [*bills, *bills]]
    results = start(*calls, lambda: cancel_batch(batch=batch, by=None))()
    assert [result for result in results if isinstance(result, Exception)] == []
    assert set(Document.objects.values_list("state", flat=True)) == {DocumentState.QUEUED}
