"""A run's papers by e-mail: each asked for once, the unsent once more, and never what went out."""

import pytest
from django.core.exceptions import ValidationError

from documents import papers
from documents.models import Batch, BatchJob, Delivery, Document
from documents.services.batch_actions import cancel_batch, pause_batch, resume_batch
from documents.services.batch_sending import send_batch
from documents.services.batches import close_finished_batches, start_batch
from documents.tasks import run_batch_job
from tests.documents.runs import add_papers, run_with, share
from tests.factories import BatchFactory, CompanyFactory, UserFactory
from tests.worker.faults import kinds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _everybody_has_an_address(monkeypatch, archive_dir, queues):
    monkeypatch.setitem(papers._registry.papers, "faulty", kinds.FAULTY)
    monkeypatch.setitem(papers._registry.runs, "faulty", kinds.FAULTY_RUN)
    book = papers._registry
    monkeypatch.setattr(
        book,
        "address_book",
        lambda company, people: {person: f"{person}@example.org" for person in people},
    )


def sending_run():
    return start_batch(
        company=CompanyFactory.create(),
        kind="faulty",
        title="Run",
        parameters={"count": 3},
        by=None,
        send=True,
    )


def plan(batch):
    outcome = run_batch_job(str(batch.jobs.get().pk))
    batch.refresh_from_db()
    return outcome


def mails(batch):
    rows = Delivery.objects.filter(batch=batch).values_list("state", "held")
    return sorted("held" if held and state == "queued" else state for state, held in rows)


def test_a_run_that_sends_asks_for_an_e_mail_a_paper_with_its_plan():
    batch = sending_run()
    assert plan(batch) == "done"
    assert mails(batch) == ["held"] * 3


def test_planned_again_after_its_worker_died_it_asks_for_no_second_e_mail():
    batch = sending_run()
    plan(batch)
    BatchJob.objects.update(state="queued", finished_at=None)
    assert plan(batch) == "done"
    assert mails(batch) == ["held"] * 3


def test_a_run_is_not_closed_before_its_e_mails_are_asked_for():
    batch = sending_run()
    plan(batch)
    Document.objects.update(state="failed", failure="For a test.")
    BatchJob.objects.update(state="running")
    assert close_finished_batches() == 0
    BatchJob.objects.update(state="done")
    assert close_finished_batches() == 1


def test_a_run_that_was_only_printed_can_be_sent():
    batch = run_with(2, "ready")
    add_papers(batch, 1, "queued")
    assert send_batch(batch=batch, by=UserFactory.create()) == 3
    assert mails(batch) == ["held", "queued", "queued"]
    batch.refresh_from_db()
    assert batch.send


def test_what_was_sent_or_perhaps_was_is_never_sent_twice():
    batch = run_with(5, "ready")
    send_batch(batch=batch, by=None)
    rows = list(Delivery.objects.filter(batch=batch).order_by("pk"))
    for row, state in zip(rows, ["sent", "unknown", "running", "failed", "bounced"], strict=True):
        Delivery.objects.filter(pk=row.pk).update(state=state, failure="For a test.")
    assert send_batch(batch=batch, by=None) == 2
    assert mails(batch) == ["queued", "queued", "running", "sent", "unknown"]
    with pytest.raises(ValidationError, match="nothing unsent"):
        send_batch(batch=batch, by=None)


def test_a_run_that_is_not_planned_yet_is_not_sent():
    with pytest.raises(ValidationError, match="not planned"):
        send_batch(batch=BatchFactory.create(planned_at=None), by=None)


def test_a_paused_run_sends_nothing_until_it_goes_on():
    batch = run_with(2, "ready")
    add_papers(batch, 1)
    send_batch(batch=batch, by=None)
    pause_batch(batch=batch, by=None)
    assert mails(batch) == ["held"] * 3
    resume_batch(batch=batch, by=None)
    assert mails(batch) == ["held", "queued", "queued"]


def test_a_cancelled_run_sends_nothing_more():
    batch = run_with(2, "ready")
    send_batch(batch=batch, by=None)
    Delivery.objects.filter(pk=Delivery.objects.first().pk).update(state="sent")
    cancel_batch(batch=batch, by=None)
    assert mails(batch) == ["cancelled", "sent"]


def test_a_cancelled_run_leaves_the_e_mails_that_another_sending_run_asks_for():
    batch = run_with(2, "ready")
    send_batch(batch=batch, by=None)
    other = run_with(0, batch=BatchFactory.create(company=batch.company, send=True))
    share(other, [Document.objects.order_by("pk").first()])
    cancel_batch(batch=batch, by=None)
    assert mails(batch) == ["cancelled", "queued"]
    assert Batch.objects.get(pk=other.pk).state == "running"
