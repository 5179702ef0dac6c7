"""Pause, resume, cancel and retry: a few statements, once each, and nobody else is stopped."""

from functools import partial

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError

from documents.models import BatchJob, BatchState, Document, DocumentRequest, DocumentState
from documents.services.batch_actions import (
    cancel_batch,
    pause_batch,
    resume_batch,
    retry_failed,
)
from documents.services.batch_papers import papers_of, turn_of_queue
from documents.services.batches import close_finished_batches
from tests.documents.runs import add_papers, run_with, share, states_of
from tests.factories import BatchFactory, BatchJobFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _archive(archive_dir, queues):
    """An empty archive, and queues without leftovers."""


@pytest.fixture
def by():
    return UserFactory.create()


def mixed(**options):
    """Three papers that wait, two being made, two ready, two failed."""
    batch = run_with(3, "queued", **options)
    for state in ("running", "ready", "failed"):
        add_papers(batch, 2, state)
    return batch


def claimable(batch):
    return Document.due().filter(batch_items__batch=batch).count()


def said(batch):
    [entry] = LogEntry.objects.get_for_object(batch)
    return entry


def test_a_paused_run_lets_what_is_made_finish_and_the_rest_wait(by):
    batch = mixed()
    assert pause_batch(batch=batch, by=by) == 3
    assert states_of(batch) == {"held": 3, "running": 2, "ready": 2, "failed": 2}
    batch.refresh_from_db()
    assert (batch.state, batch.is_paused, claimable(batch)) == (BatchState.RUNNING, True, 0)
    assert said(batch).actor == by
    assert said(batch).changes == {"run": ["going on", "paused, 3 papers wait"]}


def test_a_resumed_run_goes_on_where_it_was_and_is_published_at_once(by):
    batch = mixed()
    Document.objects.update(published_at=batch.created_at)
    pause_batch(batch=batch, by=by)
    assert resume_batch(batch=batch, by=by) == 3
    assert states_of(batch) == {"queued": 3, "running": 2, "ready": 2, "failed": 2}
    waiting = Document.objects.filter(state="queued")
    assert {document.published_at for document in waiting} == {None}
    batch.refresh_from_db()
    assert not batch.is_paused


@pytest.mark.parametrize("action", [pause_batch, resume_batch, cancel_batch])
def test_what_is_done_already_is_refused_in_words(by, action):
    batch = BatchFactory.create(state=BatchState.DONE)
    with pytest.raises(ValidationError, match="It is done already"):
        action(batch=batch, by=by)
    assert not LogEntry.objects.get_for_object(batch).exists()


def test_pausing_twice_is_pausing_once(by):
    batch = mixed()
    pause_batch(batch=batch, by=by)
    with pytest.raises(ValidationError, match="paused already"):
        pause_batch(batch=batch, by=by)
    assert said(batch)


def test_a_paper_that_another_run_waits_for_is_not_held_up(by):
    batch = run_with(3)
    other = run_with(1, company=batch.company)
    share(other, list(Document.objects.filter(batch_items__batch=batch)[:2]))
    pause_batch(batch=batch, by=by)
    assert states_of(batch) == {"held": 1, "queued": 2}
    assert states_of(other) == {"queued": 3}


def test_a_paper_of_two_paused_runs_waits_until_one_goes_on(by):
    first = run_with(1)
    second = run_with(0, company=first.company)
    share(second, list(Document.objects.all()))
    pause_batch(batch=first, by=by)
    assert states_of(first) == {"queued": 1}
    pause_batch(batch=second, by=by)
    assert states_of(first) == {"held": 1}
    resume_batch(batch=first, by=by)
    assert states_of(second) == {"queued": 1}


def test_a_paper_that_a_person_waits_for_is_neither_held_nor_cancelled(by):
    batch = run_with(3)
    wanted = Document.objects.first()
    DocumentRequest.objects.create(company=batch.company, document=wanted, user=by)
    pause_batch(batch=batch, by=by)
    assert states_of(batch) == {"held": 2, "queued": 1}
    cancel_batch(batch=batch, by=by)
    assert states_of(batch) == {"cancelled": 2, "queued": 1}


def test_a_cancelled_run_gives_up_what_waits_and_keeps_what_is_made(by):
    batch = mixed()
    pause_batch(batch=batch, by=by)
    assert cancel_batch(batch=batch, by=by) == 3
    assert states_of(batch) == {"cancelled": 3, "running": 2, "ready": 2, "failed": 2}
    batch.refresh_from_db()
    assert (batch.state, batch.is_paused) == (BatchState.CANCELLED, False)
    assert batch.finished_at is not None
    assert close_finished_batches() == 0


def test_a_cancelled_run_leaves_what_another_run_waits_for(by):
    batch = run_with(2)
    other = run_with(0, company=batch.company)
    share(other, [Document.objects.order_by("pk").first()])
    cancel_batch(batch=batch, by=by)
    assert states_of(batch) == {"queued": 1, "cancelled": 1}
    cancel_batch(batch=other, by=by)
    assert states_of(batch) == {"cancelled": 2}


def test_a_run_of_another_company_is_left_alone(by):
    batch, stranger = run_with(2), run_with(2)
    pause_batch(batch=batch, by=by)
    cancel_batch(batch=batch, by=by)
    assert states_of(stranger) == {"queued": 2}


def test_only_what_failed_is_made_again_and_the_run_ends_once_more(by):
    batch = run_with(2, "ready")
    add_papers(batch, 3, "failed")
    add_papers(batch, 1, "cancelled")
    assert close_finished_batches() == 1
    batch.refresh_from_db()
    type(batch).objects.update(announced_at=batch.finished_at)
    assert retry_failed(batch=batch, by=by) == 3
    assert states_of(batch) == {"ready": 2, "queued": 3, "cancelled": 1}
    batch.refresh_from_db()
    assert (batch.state, batch.finished_at, batch.announced_at) == (BatchState.RUNNING, None, None)
    again = Document.objects.filter(state="queued").first()
    assert (again.attempts, again.failure, again.finished_at) == (0, "", None)
    Document.objects.filter(state="queued").update(state="failed", failure="Again.")
    assert close_finished_batches() == 1


def test_what_was_cancelled_is_made_too_when_that_is_asked_for(by):
    batch = run_with(3)
    cancel_batch(batch=batch, by=by)
    assert retry_failed(batch=batch, by=by, with_cancelled=True) == 3
    assert states_of(batch) == {"queued": 3}
    batch.refresh_from_db()
    assert batch.state == BatchState.RUNNING


def test_with_nothing_failed_there_is_nothing_to_retry(by):
    batch = run_with(1, "ready", batch=BatchFactory.create(state=BatchState.DONE))
    with pytest.raises(ValidationError, match="Nothing of it"):
        retry_failed(batch=batch, by=by)
    batch.refresh_from_db()
    assert batch.state == BatchState.DONE


def test_what_is_retried_in_a_paused_run_waits(by):
    batch = run_with(2, "failed")
    add_papers(batch, 1)
    pause_batch(batch=batch, by=by)
    retry_failed(batch=batch, by=by)
    assert states_of(batch) == {"held": 3}


def test_what_is_retried_takes_its_turn_beside_the_runs_that_go_on(by):
    batch = run_with(4, "failed")
    for turn, document in enumerate(Document.objects.order_by("recipient_code")):
        Document.objects.filter(pk=document.pk).update(turn=turn)
    add_papers(BatchFactory.create(), 1)
    Document.objects.filter(state="queued").update(turn=1000)
    retry_failed(batch=batch, by=by)
    turns = Document.objects.filter(batch_items__batch=batch).order_by("recipient_code")
    assert [document.turn for document in turns] == [1000, 1001, 1002, 1003]


@pytest.mark.parametrize("many", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_many_papers_take_a_few_statements(by, many, django_assert_max_num_queries):
    batch = run_with(many)
    for action, state in (
        (pause_batch, "held"),
        (resume_batch, "queued"),
        (cancel_batch, "cancelled"),
        (partial(retry_failed, with_cancelled=True), "queued"),
    ):
        with django_assert_max_num_queries(16):
            assert action(batch=batch, by=by) == many
        assert states_of(batch) == {state: many}


def test_a_document_state_is_never_left_without_its_reason(by):
    batch = run_with(2, "failed")
    retry_failed(batch=batch, by=by)
    assert not Document.objects.filter(state=DocumentState.FAILED).exists()


def test_a_plan_that_is_being_made_is_not_asked_for_again(by):
    """A worker that has not noticed yet that the run was cancelled."""
    batch = BatchFactory.create(state=BatchState.CANCELLED, planned_at=None)
    job = BatchJobFactory.create(batch=batch, state="running", attempts=1)
    with pytest.raises(ValidationError, match="try again in a minute"):
        retry_failed(batch=batch, by=by)
    batch.refresh_from_db()
    assert batch.state == BatchState.CANCELLED
    BatchJob.objects.filter(pk=job.pk).update(state="done")
    assert retry_failed(batch=batch, by=by) == 0
    assert batch.state == BatchState.PLANNING


def test_a_paper_that_only_paused_runs_want_waits_once_the_run_that_went_on_is_cancelled(by):
    paused = run_with(3)
    going_on = BatchFactory.create(company=paused.company)
    share(going_on, list(Document.objects.all()))
    pause_batch(batch=paused, by=by)
    assert claimable(paused) == 3
    assert cancel_batch(batch=going_on, by=by) == 0
    assert (claimable(paused), states_of(paused)) == (0, {"held": 3})
    resume_batch(batch=paused, by=by)
    assert claimable(paused) == 3


def test_a_new_run_goes_beside_those_that_go_on_and_not_before_them(by):
    paused, going_on = run_with(1), run_with(1)
    papers_of(going_on).update(turn=900)
    pause_batch(batch=paused, by=by)
    assert turn_of_queue() == 900
    papers_of(paused).update(turn=7)
    cancel_batch(batch=going_on, by=by)
    assert turn_of_queue() == 7
    cancel_batch(batch=paused, by=by)
    assert turn_of_queue() == 0
