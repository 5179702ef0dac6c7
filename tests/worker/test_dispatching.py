"""The dispatcher: fills the queues up to the window, and sweeps what was left behind."""

import os
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from documents.models import BatchJob, Document, DocumentState
from tests.factories import BatchFactory, BatchJobFactory, DocumentFactory
from tests.worker.messages import waiting
from tests.worker.racing import at_once
from tests.worker.test_nudging import nobody_listens
from worker import broker, dispatching
from worker.dispatching import LOST, dispatch_once, sweep_leases
from worker.leasing import leased_models

pytestmark = pytest.mark.django_db(transaction=True)


def create(count, **options):
    return [DocumentFactory.create(turn=turn, **options) for turn in range(count)]


def ids(documents):
    return [str(document.pk) for document in documents]


def age(documents, **spans):
    """Move times of these rows into the past."""
    values = {name: Now() - span for name, span in spans.items()}
    Document.objects.filter(pk__in=[document.pk for document in documents]).update(**values)


def running(*, started, expired, attempts=1):
    """A row that was started and whose lease ended so many seconds ago."""
    document = DocumentFactory.create(state="running", attempts=attempts, max_attempts=3)
    age(
        [document],
        started_at=timedelta(seconds=started),
        lease_expires_at=timedelta(seconds=expired),
        published_at=timedelta(seconds=started),
    )
    return document


# --- Publishing ----------------------------------------------------------------------------------


def test_it_publishes_in_turn_and_only_up_to_the_window(settings, queues):
    settings.DISPATCH_WINDOW = 5
    documents = create(12)
    assert dispatch_once() == 5
    assert waiting(queues) == ids(documents[:5])
    assert dispatch_once() == 0
    for _ in range(3):
        queues.rpop("interactive")
    assert dispatch_once() == 3
    assert waiting(queues) == ids(documents[3:8])


def test_a_full_queue_does_not_hold_up_another(settings, queues):
    settings.DISPATCH_WINDOW = 2
    create(4, queue="batch")
    mine = create(1, queue="interactive")
    dispatch_once()
    assert len(waiting(queues, "batch")) == 2
    assert waiting(queues) == ids(mine)


def test_ten_thousand_of_one_kind_do_not_keep_another_out(settings, queues):
    settings.DISPATCH_WINDOW = 3
    create(9, queue="batch")
    job = BatchJob.objects.create(batch=BatchFactory.create(), step="merge", queue="batch")
    dispatch_once()
    assert len(waiting(queues, "batch")) == 3
    assert str(job.pk) in waiting(queues, "batch")


def test_where_there_is_room_for_one_message_only_each_kind_gets_it_in_turn(settings, queues):
    settings.DISPATCH_WINDOW = 1
    create(20, queue="batch")
    job = BatchJob.objects.create(batch=BatchFactory.create(), step="merge", queue="batch")
    taken = []
    for _ in leased_models():
        dispatch_once()
        taken += waiting(queues, "batch")
        queues.rpop("batch")
    assert str(job.pk) in taken
    assert len(taken) == len(leased_models())


@pytest.mark.parametrize(
    "why",
    [{"held": True}, {"state": "cancelled"}, {"ready": True}, {"failed": True}],
    ids=["held", "cancelled", "ready", "failed"],
)
def test_it_does_not_publish_what_is_not_due(why, queues):
    DocumentFactory.create(**why)
    dispatch_once()
    assert waiting(queues) == []


def test_it_does_not_publish_a_failure_before_its_time(queues):
    document = DocumentFactory.create()
    Document.claim(document.pk).fail(reason="Not this time.", retry=True)
    assert dispatch_once() == 0
    age([document], next_attempt_at=timedelta(0))
    assert dispatch_once() == 1


def test_a_pass_with_nothing_to_do_asks_each_kind_once_what_is_due_and_once_what_ran_out():
    """And not in every queue: dispatchers look every second, also when nobody works."""
    dispatch_once()
    with CaptureQueriesContext(connection) as asked:
        dispatch_once()
    for kind in leased_models():
        table = f'FROM "{kind._meta.db_table}" WHERE ('
        about = [it["sql"] for it in asked if it["sql"].startswith(f'SELECT 1 AS "a" {table}')]
        assert len([sql for sql in about if '"lease_expires_at" <' in sql]) == 1
        assert len([sql for sql in about if '"next_attempt_at" <=' in sql]) == 1
    assert len(asked) <= 4 * len(leased_models()) + 16


def test_a_lost_message_is_sent_again_when_its_queue_is_empty(settings, queues):
    documents = create(3)
    dispatch_once()
    queues.delete("interactive")
    assert dispatch_once() == 0  # a worker may just have taken them
    age(documents, published_at=settings.DISPATCH_REPUBLISH_AFTER + timedelta(seconds=1))
    assert dispatch_once() == 3
    assert waiting(queues) == ids(documents)


def test_a_message_that_may_still_wait_in_a_long_queue_is_not_sent_again_soon(settings, queues):
    documents = create(3)
    dispatch_once()
    queues.rpop("interactive")
    age(documents, published_at=2 * settings.DISPATCH_REPUBLISH_AFTER)
    assert dispatch_once() == 0
    age(documents[:1], published_at=16 * settings.DISPATCH_REPUBLISH_AFTER)
    assert dispatch_once() == 1


def test_a_message_that_later_ones_have_passed_is_sent_again_however_long_the_queue(
    settings, queues
):
    """New work keeps coming: the queue is never seen empty."""
    passed, taken, waits = create(3)
    dispatch_once()
    queues.rpop("interactive", 2)
    after = settings.DISPATCH_REPUBLISH_AFTER
    age([passed], published_at=2 * after)
    age([taken, waits], published_at=after / 2)
    assert dispatch_once() == 0
    assert Document.claim(taken.pk)
    assert dispatch_once() == 1
    assert waiting(queues) == ids([waits, passed])


def test_what_could_not_be_sent_after_all_counts_as_unpublished(broker_at, monkeypatch, queues):
    create(2)
    good = os.environ["CELERY_BROKER_URL"]
    monkeypatch.setattr(broker, "queue_depths", lambda: {"interactive": 0})
    with nobody_listens() as url:
        broker_at(url)
        assert dispatch_once() == 0
    assert set(Document.objects.values_list("published_at", flat=True)) == {None}
    broker_at(good)
    assert dispatch_once() == 2


# --- Leases --------------------------------------------------------------------------------------


def test_an_expired_lease_is_freed_and_the_work_published_again(queues):
    document = running(started=40, expired=1)
    assert dispatch_once() == 2
    document.refresh_from_db()
    assert (document.state, document.attempts) == (DocumentState.QUEUED, 1)
    assert (document.token, document.lease_expires_at) == (None, None)
    assert waiting(queues) == ids([document])


def test_a_live_lease_is_left_alone(queues):
    document = running(started=40, expired=-10)
    assert dispatch_once() == 0
    document.refresh_from_db()
    assert document.state == DocumentState.RUNNING


def test_exhausted_work_that_lost_its_workers_fails_with_that_reason(queues):
    document = running(started=32, expired=1, attempts=3)
    assert dispatch_once() == 2  # failed, and announced
    document.refresh_from_db()
    assert document.state == DocumentState.FAILED
    assert document.failure == LOST
    assert document.finished_at is not None
    assert waiting(queues) == []


def test_exhausted_work_that_ran_to_the_time_limit_fails_with_that_reason(settings, queues):
    limit = settings.CELERY_TASK_TIME_LIMIT
    document = running(started=limit + 20, expired=1, attempts=3)
    sweep_leases(Document)
    document.refresh_from_db()
    assert document.failure == f"It took longer than {limit} seconds."


def test_a_time_limit_of_more_than_a_day_is_told_in_full(settings):
    settings.CELERY_TASK_TIME_LIMIT = 90_000
    document = running(started=100_000, expired=1, attempts=3)
    sweep_leases(Document)
    document.refresh_from_db()
    assert document.failure == "It took longer than 90000 seconds."


def test_a_run_s_step_that_ran_to_its_own_limit_fails_with_that_one(settings):
    limit = settings.RUN_TIME_LIMIT
    jobs = [BatchJobFactory.create(state="running", attempts=3) for _ in range(2)]
    for job, started in zip(jobs, (limit + 20, limit - 20), strict=True):
        BatchJob.objects.filter(pk=job.pk).update(
            started_at=Now() - timedelta(seconds=started),
            lease_expires_at=Now() - timedelta(seconds=1),
        )
    sweep_leases(BatchJob)
    failures = [BatchJob.objects.get(pk=job.pk).failure for job in jobs]
    assert failures == [f"It took longer than {limit} seconds.", LOST]


def test_an_exhausted_row_does_not_take_its_neighbours_along(queues):
    poison, neighbour = running(started=40, expired=1, attempts=3), running(started=40, expired=1)
    dispatch_once()
    poison.refresh_from_db()
    neighbour.refresh_from_db()
    assert poison.state == DocumentState.FAILED
    assert neighbour.state == DocumentState.QUEUED
    assert neighbour.failure == ""


@contextmanager
def a_lease_that_runs_out_after_statement(number, document):
    statements = []

    def count(execute, sql, *rest):
        result = execute(sql, *rest)
        statements.append(sql)
        if len(statements) == number:
            age([document], lease_expires_at=timedelta(seconds=1))
        return result

    with connection.execute_wrapper(count):
        yield


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_lease_that_runs_out_in_the_middle_of_a_sweep_is_judged_whole(settings, number):
    """Queued again with no attempt left, it could never be claimed. And the reason is right."""
    limit = settings.CELERY_TASK_TIME_LIMIT
    document = running(started=limit + 20, expired=-10, attempts=3)
    running(started=40, expired=1)  # so that there is something to sweep
    with a_lease_that_runs_out_after_statement(number, document):
        for _ in range(3):
            sweep_leases(Document)
    document.refresh_from_db()
    assert document.state == DocumentState.FAILED
    assert document.failure == f"It took longer than {limit} seconds."


def test_it_sweeps_while_the_broker_is_away(broker_at, monkeypatch):
    swept = []
    monkeypatch.setattr(dispatching, "_sweeps", [lambda: swept.append(1) or 0])
    lost, done = running(started=40, expired=1), running(started=32, expired=1, attempts=3)
    with nobody_listens() as url:
        broker_at(url)
        assert dispatch_once() == 2
    lost.refresh_from_db()
    done.refresh_from_db()
    assert (lost.state, lost.published_at) == (DocumentState.QUEUED, None)
    assert done.state == DocumentState.FAILED
    assert swept == [1]


# --- Two at once ---------------------------------------------------------------------------------


def take_in_step(barrier):
    """Select the due rows, wait until the other has selected too, then mark and return them."""

    def after_the_select(execute, sql, *rest):
        result = execute(sql, *rest)
        if sql.startswith("SELECT") and "documents_document" in sql:
            barrier.wait(10)
        return result

    with connection.execute_wrapper(after_the_select):
        lost = dispatching._lost(0, None)
        rows = dispatching._take(Document, "interactive", 50, lost=lost)
    return [row.pk for row in rows]


def taken_by_two():
    barrier = threading.Barrier(2)
    first, second = at_once(*[lambda: take_in_step(barrier)] * 2)
    return first + second


@pytest.mark.servers
def test_two_dispatchers_at_once_publish_each_row_once():
    documents = create(30)
    taken = taken_by_two()
    assert sorted(taken) == sorted(document.pk for document in documents)


@pytest.mark.servers
def test_control_without_the_lock_two_dispatchers_would_publish_all_rows_twice(monkeypatch):
    documents = create(30)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **options: self)
    assert len(taken_by_two()) == 2 * len(documents)


@pytest.mark.servers
def test_a_row_that_another_dispatcher_holds_is_skipped_and_not_waited_for(queues):
    documents = create(3)
    with transaction.atomic():
        Document._base_manager.select_for_update().get(pk=documents[0].pk)
        assert at_once(dispatch_once) == [2]
    assert waiting(queues) == ids(documents[1:])


@pytest.mark.servers
def test_whole_passes_at_once_send_each_message_once(queues, settings):
    documents = create(60)
    lost = [running(started=40, expired=1) for _ in range(5)]
    moved = at_once(*[dispatch_once] * 4)
    assert sum(moved) == 60 + 2 * 5
    assert sorted(waiting(queues)) == sorted(ids(documents + lost))


def test_one_pass_by_hand_says_how_many_rows_it_moved(queues, capsys):
    create(3)
    call_command("dispatcher", "--once")
    assert capsys.readouterr().out == "3 rows moved\n"
    assert len(waiting(queues)) == 3
