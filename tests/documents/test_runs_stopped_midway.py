"""A run that a person stops while something of it is in a worker's hands stays stopped."""

import pytest

from documents import papers
from documents.models import Batch, BatchJob, BatchState, Delivery, Document
from documents.services import batch_sending
from documents.services.batch_actions import (
    cancel_batch,
    pause_batch,
    resume_batch,
    retry_failed,
)
from documents.services.batch_sending import send_batch
from documents.services.batches import close_finished_batches, start_batch
from documents.services.releasing import release_deliveries, release_overdue
from documents.services.requests import queue_again
from documents.tasks import run_batch_job
from tests.documents.runs import add_papers, run_with, states_of
from tests.factories import CompanyFactory
from tests.worker.faults import kinds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _everybody_has_an_address(monkeypatch, archive_dir, queues):
    monkeypatch.setitem(papers._registry.papers, "faulty", kinds.FAULTY)
    monkeypatch.setitem(papers._registry.runs, "faulty", kinds.FAULTY_RUN)
    monkeypatch.setattr(
        papers._registry,
        "address_book",
        lambda company, people: {person: f"{person}@example.org" for person in people},
    )


def started(count=3, company=None, *, send=False):
    return start_batch(
        company=company or CompanyFactory.create(),
        kind="faulty",
        title="Run",
        parameters={"count": count},
        by=None,
        send=send,
    )


def plan(batch):
    outcome = run_batch_job(str(batch.jobs.get().pk))
    batch.refresh_from_db()
    return outcome


def mails(batch):
    rows = Delivery.objects.filter(document__batch_items__batch=batch)
    return sorted(
        "held" if held and state == "queued" else state
        for state, held in rows.values_list("state", "held")
    )


def test_a_run_cancelled_while_its_planner_was_lost_can_be_planned_after_all():
    batch = started()
    BatchJob.claim(batch.jobs.get().pk)
    cancel_batch(batch=batch, by=None)
    BatchJob.objects.update(state="queued", token=None)  # its lease ran out
    assert plan(batch) == "done"
    assert states_of(batch) == {}
    assert retry_failed(batch=batch, by=None) == 0
    assert plan(batch) == "done"
    assert states_of(batch) == {"queued": 3}


def test_a_run_paused_while_its_last_paper_is_made_does_not_send_by_ending():
    batch = run_with(2, "ready")
    send_batch(batch=batch, by=None)
    Document.objects.update(announced_at=batch.created_at)
    pause_batch(batch=batch, by=None)
    close_finished_batches()
    release_overdue()
    assert mails(batch) == ["held", "held"]
    resume_batch(batch=batch, by=None)
    assert mails(batch) == ["queued", "queued"]
    assert close_finished_batches() == 1


def test_a_paused_run_with_nothing_left_to_do_is_closed():
    batch = run_with(2, "ready")
    pause_batch(batch=batch, by=None)
    assert close_finished_batches() == 1


def test_a_paper_of_a_cancelled_run_that_is_made_after_all_is_not_sent_by_itself():
    batch = run_with(1)
    [document] = Document.objects.all()
    send_batch(batch=batch, by=None)
    Document.objects.update(state="failed", failure="For a test.")
    document.refresh_from_db()
    release_deliveries([document])
    add_papers(batch, 1)
    cancel_batch(batch=batch, by=None)
    queue_again(document)
    Document.objects.filter(pk=document.pk).update(
        state="ready", size=1, pages=1, sha256="a", storage_key="a"
    )
    document.refresh_from_db()
    release_deliveries([document])
    assert mails(batch) == ["failed"]


@pytest.mark.parametrize(
    ("stop", "left"), [(cancel_batch, "cancelled"), (pause_batch, "held")], ids=["cancel", "pause"]
)
def test_an_e_mail_that_was_not_handed_over_yet_is_stopped_with_its_run(stop, left):
    batch = run_with(1, "ready")
    send_batch(batch=batch, by=None)
    row = Delivery.claim(Delivery.objects.get().pk)
    stop(batch=batch, by=None)
    assert not row.hand_over()
    row.fail(reason="The mail server is away.", retry=True)
    assert mails(batch) == [left]
    assert Delivery.objects.get().attempts == (1 if left == "cancelled" else 0)


def test_an_e_mail_that_was_handed_over_is_left_to_its_worker():
    batch = run_with(1, "ready")
    send_batch(batch=batch, by=None)
    row = Delivery.claim(Delivery.objects.get().pk)
    assert row.hand_over()
    cancel_batch(batch=batch, by=None)
    assert row.finish()
    assert mails(batch) == ["sent"]


def test_a_run_cancelled_while_its_e_mails_are_asked_for_asks_for_no_more(monkeypatch):
    batch = started(send=True)
    monkeypatch.setattr(batch_sending, "_AT_ONCE", 1)
    ask = batch_sending.request_deliveries

    def cancelled_meanwhile(**options):
        made = ask(**options)
        if Delivery.objects.count() == 1:
            Document.objects.update(state="ready", size=1, pages=1, sha256="a", storage_key="a")
            Batch.objects.update(state=BatchState.CANCELLED)
        return made

    monkeypatch.setattr(batch_sending, "request_deliveries", cancelled_meanwhile)
    plan(batch)
    assert Delivery.objects.count() == 1


def test_a_paper_that_is_asked_for_meanwhile_gets_its_e_mail_too(monkeypatch):
    batch = started(send=True)
    monkeypatch.setattr(batch_sending, "_AT_ONCE", 1)
    ask = batch_sending.request_deliveries

    def overtaken_meanwhile(**options):
        made = ask(**options)
        last = Document.objects.order_by("-turn").first()
        Document.objects.filter(pk=last.pk).update(turn=-1)
        return made

    monkeypatch.setattr(batch_sending, "request_deliveries", overtaken_meanwhile)
    plan(batch)
    assert Delivery.objects.count() == 3


def test_a_new_run_sends_what_a_cancelled_one_did_not():
    first = started(send=True)
    plan(first)
    cancel_batch(batch=first, by=None)
    second = started(company=first.company, send=True)
    plan(second)
    assert mails(second) == ["held"] * 3
    cancel_batch(batch=second, by=None)
    assert mails(second) == ["cancelled"] * 3


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_a_new_run_makes_what_an_earlier_one_did_not(state):
    first = started()
    plan(first)
    Document.objects.update(state=state, failure="For a test.", attempts=3)
    second = started(company=first.company)
    plan(second)
    assert states_of(second) == {"queued": 3}
    assert Document.due().filter(attempts=0).count() == 3


def test_a_new_run_leaves_what_went_out_or_came_back():
    first = started(send=True)
    plan(first)
    rows = list(Delivery.objects.order_by("pk"))
    for row, state in zip(rows, ["sent", "unknown", "bounced"], strict=True):
        Delivery.objects.filter(pk=row.pk).update(state=state, failure="For a test.", held=False)
    second = started(company=first.company, send=True)
    plan(second)
    assert mails(second) == ["bounced", "sent", "unknown"]
