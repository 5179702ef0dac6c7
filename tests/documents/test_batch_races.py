"""Several people, workers and dispatchers at one run at the same time."""

import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError
from django.db.models.functions import Now

from documents import papers
from documents.consistency import consistent_read
from documents.models import Batch, BatchJob, BatchState, Document
from documents.papers import RunKind
from documents.services import batch_actions, batches
from documents.services.batch_actions import cancel_batch, pause_batch, resume_batch, retry_failed
from documents.services.batch_papers import papers_of
from documents.services.batches import close_finished_batches, start_batch
from documents.services.requests import request_document
from documents.tasks import run_batch_job
from tests.documents.runs import run_with, share, states_of
from tests.factories import BatchFactory, CompanyFactory
from tests.worker.faults import kinds
from tests.worker.racing import at_once, start
from worker.clock import database_now

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _kinds(monkeypatch, queues, archive_dir):
    monkeypatch.setitem(papers._registry.papers, "faulty", kinds.FAULTY)
    monkeypatch.setitem(papers._registry.runs, "faulty", kinds.FAULTY_RUN)


def each(action, batch, times=4):
    """How many of so many people at once had their way; the others were refused in words."""
    results = at_once(*[lambda: action(batch=Batch.objects.get(pk=batch.pk), by=None)] * times)
    refused = [result for result in results if isinstance(result, ValidationError)]
    done = [result for result in results if isinstance(result, int)]
    assert len(refused) + len(done) == times, results
    return len(done)


@pytest.mark.parametrize("action", [pause_batch, cancel_batch])
def test_of_many_who_press_at_once_one_has_done_it(action):
    batch = run_with(50)
    assert each(action, batch) == 1
    assert LogEntry.objects.get_for_object(batch).count() == 1


def test_of_many_who_retry_at_once_one_has_done_it():
    batch = run_with(50, "failed", batch=BatchFactory.create(state=BatchState.DONE))
    assert each(retry_failed, batch) == 1
    assert states_of(batch) == {"queued": 50}
    assert LogEntry.objects.get_for_object(batch).count() == 1


def test_control_a_retry_that_trusts_what_it_read_is_done_twice(monkeypatch):
    def trusting(batch, states):
        found = list(papers_of(batch).filter(state__in=states).values_list("pk", flat=True))
        time.sleep(0.3)
        return Document.objects.filter(pk__in=found).update(state="queued", failure="")

    monkeypatch.setattr(batch_actions, "lock_runs", lambda batch: None)
    monkeypatch.setattr(batch_actions, "queue_papers_again", trusting)
    batch = run_with(50, "failed", batch=BatchFactory.create(state=BatchState.DONE))
    assert each(retry_failed, batch) > 1


def test_pausing_and_resuming_at_once_ends_as_one_of_the_two():
    for _ in range(5):
        batch = run_with(20)
        at_once(
            lambda batch=batch: pause_batch(batch=batch, by=None),
            lambda batch=batch: resume_batch(batch=Batch.objects.get(pk=batch.pk), by=None),
        )
        batch.refresh_from_db()
        assert states_of(batch) == ({"held": 20} if batch.is_paused else {"queued": 20})


def test_two_runs_paused_at_once_hold_what_they_share():
    for _ in range(5):
        first = run_with(3)
        second = run_with(0, company=first.company)
        share(second, list(Document.objects.filter(batch_items__batch=first)))
        at_once(
            lambda first=first: pause_batch(batch=first, by=None),
            lambda second=second: pause_batch(batch=second, by=None),
        )
        assert states_of(first) == {"held": 3}


def retried_while_closed(monkeypatch, close):
    """Somebody retries a run whose papers are all final, at the moment when it is closed."""
    batch = run_with(3, "failed")
    note = batch_actions.note

    def slowly(*args):
        time.sleep(0.5)
        note(*args)

    monkeypatch.setattr(batch_actions, "note", slowly)
    results = start(lambda: retry_failed(batch=batch, by=None))
    time.sleep(0.2)
    at_once(close)
    assert results() == [3]
    batch.refresh_from_db()
    return batch.state


def test_a_run_that_is_retried_is_not_closed_at_the_same_moment(monkeypatch):
    assert retried_while_closed(monkeypatch, close_finished_batches) == BatchState.RUNNING


def test_control_a_sweep_that_looks_once_would_close_it(monkeypatch):
    def careless():
        finished = Batch._base_manager.filter(batches._nothing_to_do(), state=BatchState.RUNNING)
        finished.update(state=BatchState.DONE, finished_at=Now())

    assert retried_while_closed(monkeypatch, careless) == BatchState.DONE


def planned_while(monkeypatch, action):
    """A run on which somebody acts while it is planned."""
    batch = start_batch(
        company=CompanyFactory.create(),
        kind="faulty",
        title="Run",
        parameters={"count": 3},
        by=None,
    )

    def disturbed(planned):
        yield from kinds.plan(planned)
        at_once(lambda: action(batch=Batch.objects.get(pk=batch.pk), by=None))

    with monkeypatch.context() as patched:
        patched.setitem(papers._registry.runs, "faulty", RunKind("faulty", "Faulty", disturbed))
        run_batch_job(str(batch.jobs.get().pk))
    assert not Document.objects.exists()
    job = BatchJob.objects.get()
    assert (job.state, job.attempts, job.failure) == ("queued", 0, "")
    assert run_batch_job(str(job.pk)) == "done"
    batch.refresh_from_db()
    return batch


def test_a_run_paused_while_it_is_planned_begins_with_its_papers_waiting(monkeypatch):
    batch = planned_while(monkeypatch, pause_batch)
    assert (batch.state, batch.is_paused) == (BatchState.RUNNING, True)
    assert states_of(batch) == {"held": 3}
    assert Document.due().count() == 0


def test_a_run_paused_just_before_it_is_read_begins_with_its_papers_waiting(monkeypatch):
    batch = start_batch(
        company=CompanyFactory.create(),
        kind="faulty",
        title="Run",
        parameters={"count": 3},
        by=None,
    )

    @contextmanager
    def paused_first():
        pause_batch(batch=Batch.objects.get(pk=batch.pk), by=None)
        with consistent_read():
            yield

    monkeypatch.setattr(batches, "consistent_read", paused_first)
    assert run_batch_job(str(batch.jobs.get().pk)) == "done"
    assert states_of(batch) == {"held": 3}


def test_a_run_cancelled_while_it_is_planned_makes_no_paper(monkeypatch):
    batch = planned_while(monkeypatch, cancel_batch)
    assert batch.state == BatchState.CANCELLED
    assert states_of(batch) == {}


def overtaken(monkeypatch, batch, job):
    """Somebody asks for one of its papers by itself while it is planned. How long it waits then."""

    def disturbed(planned):
        paper = kinds.faulty_paper(0, run=batch.title)
        at_once(lambda: request_document(company=batch.company, paper=paper, by=None))
        yield from kinds.plan(planned)

    with monkeypatch.context() as patched:
        patched.setitem(papers._registry.runs, "faulty", RunKind("faulty", "Faulty", disturbed))
        BatchJob.objects.update(next_attempt_at=job.created_at)
        run_batch_job(str(job.pk))
    job.refresh_from_db()
    return job.next_attempt_at - database_now()


def busy_run(title):
    batch = start_batch(
        company=CompanyFactory.create(),
        kind="faulty",
        title=title,
        parameters={"count": 3},
        by=None,
    )
    return batch, batch.jobs.get()


def test_a_plan_overtaken_by_who_asks_for_a_paper_waits_longer_and_longer(monkeypatch):
    batch, job = busy_run("Busy")
    assert timedelta() < overtaken(monkeypatch, batch, job) <= timedelta(seconds=3)
    assert (job.state, job.attempts) == ("queued", 0)
    assert "asked for by themselves" in job.failure
    Document.objects.all().delete()
    BatchJob.objects.update(created_at=Now() - timedelta(minutes=20))
    assert overtaken(monkeypatch, batch, job) > timedelta(minutes=4)
    BatchJob.objects.update(next_attempt_at=Now())
    assert run_batch_job(str(job.pk)) == "done"
    job.refresh_from_db()
    assert (job.state, job.failure) == ("done", "")
    assert states_of(batch) == {"queued": 3}


def test_a_plan_that_finds_no_quiet_moment_for_hours_says_so_and_can_be_tried_again(monkeypatch):
    batch, job = busy_run("Busy")
    BatchJob.objects.update(created_at=Now() - timedelta(hours=4))
    overtaken(monkeypatch, batch, job)
    assert (job.state, "quieter time" in job.failure) == ("failed", True)
    close_finished_batches()
    batch.refresh_from_db()
    assert batch.state == BatchState.CANCELLED
    retry_failed(batch=batch, by=None)
    Document.objects.all().delete()
    overtaken(monkeypatch, batch, job)
    assert job.state == "queued"


def test_a_run_paused_before_its_plan_is_not_planned_until_it_goes_on():
    batch = start_batch(
        company=CompanyFactory.create(),
        kind="faulty",
        title="Run",
        parameters={"count": 3},
        by=None,
    )
    pause_batch(batch=batch, by=None)
    assert run_batch_job(str(batch.jobs.get().pk)) == "nothing to claim"
    resume_batch(batch=batch, by=None)
    assert run_batch_job(str(batch.jobs.get().pk)) == "done"
    assert states_of(batch) == {"queued": 3}


def test_a_run_that_shares_a_paper_with_a_paused_one_gets_it():
    company = CompanyFactory.create()
    runs = [
        start_batch(company=company, kind="faulty", title="Same", parameters={"count": 3}, by=None)
        for _ in range(2)
    ]
    run_batch_job(str(runs[0].jobs.get().pk))
    runs[0].refresh_from_db()
    pause_batch(batch=runs[0], by=None)
    assert states_of(runs[0]) == {"held": 3}
    run_batch_job(str(runs[1].jobs.get().pk))
    assert states_of(runs[1]) == {"queued": 3}
